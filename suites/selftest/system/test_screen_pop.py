"""The screen-pop on the real wire: simulators in a process of their own, a console that shows the caller in time."""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path

import pytest

from fixtures.bench import TESTBEDS
from harness.testbed.bench import open_bench
from harness.testbed.child import simulators
from harness.testbed.load import load_testbed

pytestmark = pytest.mark.real_wire
KNOWN = "+447700900999"
SHOWN_S = 2.0


async def test_a_known_caller_is_shown_in_time_and_a_crm_that_is_down_holds_nothing_up(tmp_path: Path) -> None:
    file, origin = TESTBEDS / "service-centre.yaml", time.monotonic()
    with simulators(file, origin=origin, run_dir=tmp_path, seed=1) as addresses:
        async with open_bench(
            load_testbed(file),
            today=date(2026, 1, 1),
            addresses=addresses,
            virtual=False,
            origin=origin,
            capture_dir=tmp_path,
        ) as bench:
            crm, adviser, trunk = await bench.crm(), await bench.console("govan-01"), await bench.trunk()
            for fault in (None, "silent", "down"):
                if fault is not None:
                    await crm.fail(fault)
                after = bench.journal.position
                call = await trunk.dial("999", cli=KNOWN)
                ringing = await adviser.expect("call.ringing", within=2.0, after=after)
                await adviser.answer(call=ringing.data["call"])
                await call.answered(within=2.0)
                kind = "crm.shown" if fault is None else "crm.unavailable"
                connected = await adviser.expect("call.connected", within=2.0, call=ringing.data["call"])
                shown = await adviser.expect(kind, within=SHOWN_S + 1.0, call=ringing.data["call"])
                if fault is None:
                    assert shown.time - connected.time <= SHOWN_S
                    assert "domestic_abuse" in shown.data["markers"]
                await call.hang_up()
    kept = (tmp_path / "simulators" / "journal.jsonl").read_text(encoding="utf-8")
    assert "crm.shown" in kept
    for told in ("Isla", "Larch Close", "ring back", "example.org"):
        assert told not in kept + bench.journal.lines()
