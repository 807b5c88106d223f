"""Where the project's own files are: testbeds, suites, requirements, reports."""

from __future__ import annotations

from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
FIXTURES = PROJECT / "fixtures"
SIMULATED_TESTBED = FIXTURES / "testbeds" / "simulated.yaml"
SERVICE_CENTRE_TESTBED = FIXTURES / "testbeds" / "service-centre.yaml"
LOAD_TESTBED = FIXTURES / "testbeds" / "c3-day.yaml"
"""What a load is played on where no other testbed is named."""
