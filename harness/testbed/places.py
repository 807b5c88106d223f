"""Where a run's processes find what is theirs: environment variables, and the folders of a run's directory."""

from __future__ import annotations

TESTBED_VARIABLE = "ICCS_TESTBED"
ADDRESSES_VARIABLE = "ICCS_ADDRESSES"
RUN_DIR_VARIABLE = "ICCS_RUN_DIR"
ORIGIN_VARIABLE = "ICCS_ORIGIN"
KEEP_VARIABLE = "ICCS_KEEP_EVIDENCE"
BENCH_CAPTURE, SIMULATORS_CAPTURE = "bench", "simulators"
"""Folders of a run's directory that hold what the drivers' side and the simulators' side captured."""
SEED = 1
"""Seed of virtual time's delays and identifiers where none is given."""
