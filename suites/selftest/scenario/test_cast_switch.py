"""A scenario's trunks fail at a real switch, too: a tester is asked."""

from __future__ import annotations

import os
import tty
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.errors import NotPlayedError
from harness.scenario.cast import _driver
from harness.testbed.bench import open_bench
from harness.testbed.load import load_testbed

REAL = "name: real\ncomponents: {carrier: {role: enterprise_switch, binding: real, sip: '192.0.2.2:5060'}}\n"
TRUNKS = SimpleNamespace(role="enterprise_switch")


async def test_a_tester_is_asked_to_make_a_real_carriers_trunk_fail(tmp_path: Path) -> None:
    master, slave = os.openpty()
    tty.setraw(slave)
    file = tmp_path / "bench.yaml"
    file.write_text(f"{REAL}tester: {{terminal: {os.ttyname(slave)}}}\n", encoding="utf-8")
    try:
        async with open_bench(load_testbed(file), today=date(2026, 1, 1), addresses=None, virtual=False) as bench:
            os.write(master, b"\n\n")  # it fails, and at the bench's end it is well again
            await (await _driver(bench, TRUNKS, "carrier", watch=False)).fail_trunk("force")
            assert os.read(master, 4096).startswith(b"carrier: make trunk force fail: pull its wire.")
    finally:
        os.close(master)
        os.close(slave)


async def test_where_nobody_stands_by_the_scenario_is_not_played(tmp_path: Path) -> None:
    file = tmp_path / "bench.yaml"
    file.write_text(REAL, encoding="utf-8")
    async with open_bench(load_testbed(file), today=date(2026, 1, 1), addresses=None, virtual=False) as bench:
        with pytest.raises(NotPlayedError, match="Name a 'tester' in the testbed file"):
            await _driver(bench, TRUNKS, "carrier", watch=False)
