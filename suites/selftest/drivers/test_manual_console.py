"""A tester is led through a console by a terminal: the wire or Enter confirms acts, and a break loses none."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import date
from pathlib import Path

import pytest
from testers_hand import Hand, Reaction, pty

from harness.drivers.console import Console
from harness.drivers.manual_console import Record, StoppedError
from harness.drivers.tester import Terminal
from harness.errors import DriverError, ExpectationError
from harness.evidence.progress import AtTheTerminal
from harness.testbed.bench import Bench, open_bench
from harness.testbed.load import load_testbed
from harness.testbed.run import Run, started_run

TESTBED = """\
name: by-hand
safety:
  permits:
    - {{what: emergency_call, target: "999", valid_from: 2026-01-01, valid_until: 2026-01-01, approved_by: A test}}
components:
  iccs: {{role: iccs, simulator: {{positions: [{{id: govan-12, role: call_taker}}]}}}}
  trunk: {{role: emergency_trunk, to: iccs}}
  govan-12: {{role: console, position: govan-12, binding: manual, manual: {{terminal: {terminal}, record: {record}}}}}
  hand: {{role: console, position: govan-12}}
"""
"""``hand`` stands for the tester's hand at the same position."""


@contextmanager
def by_hand(folder: Path, terminal: str) -> Iterator[Run]:
    file = folder / "testbed.yaml"
    file.write_text(TESTBED.format(terminal=terminal, record=folder / "record.jsonl"), encoding="utf-8")
    with started_run(file, directory=folder, keep="failures", start=True) as run:
        yield run


@asynccontextmanager
async def bench_of(run: Run) -> AsyncIterator[Bench]:
    async with open_bench(
        load_testbed(run.path), today=date(2026, 1, 1), addresses=run.addresses, virtual=False, origin=run.origin
    ) as bench:
        yield bench


async def test_a_tester_takes_a_call_breaks_off_and_goes_on(tmp_path: Path) -> None:
    """The answer is seen on the wire; what is shown, and the holding, is the tester's word."""
    with pty() as (master, terminal), by_hand(tmp_path, terminal) as run:
        async with bench_of(run) as bench:
            hand: list[Console] = []

            async def sits_down() -> None:
                hand.append(await bench.console("hand"))
                os.write(master, b"\n")

            async def takes_it() -> None:
                await hand[0].answer()  # and types nothing

            answers: dict[str, Reaction] = {
                "login.": sits_down,
                "look: call.ringing": "",
                "answer queue=emergency": takes_it,
                "hold.": "break",
            }
            tester = Hand(master, answers)
            console, trunk = await bench.console("govan-12"), await bench.trunk()
            call = await trunk.dial("999", cli="+447700900123")
            shown = await console.expect("call.ringing", within=2.0, queue="emergency")
            assert await console.answer(queue="emergency") == shown.data["call"]
            await call.answered(within=5.0)
            with pytest.raises(StoppedError, match="goes on from here"):
                await console.hold()
            done = [event.data["by"] for event in bench.journal if event.kind == "tester.done"]
            assert done == ["tester", "tester", "wire"]
            assert "seen on the wire: call.answered at trunk" in tester.read
            await tester.leave()

        async with bench_of(run) as bench:
            tester = Hand(master, {"hold.": "pause", "Paused": "\n", "clear.": "no the button is dead"})
            console = await bench.console("govan-12")
            await console.expect("call.ringing", within=2.0, queue="emergency")
            await console.answer(queue="emergency")
            await console.hold()
            with pytest.raises(DriverError, match="the button is dead"):
                await console.clear()
            done = [event.data["by"] for event in bench.journal if event.kind == "tester.done"]
            assert done == ["record", "record", "record", "tester"]
            assert "Going on where it was broken off: 3 acts are done." in tester.read
            await tester.leave()

        async with bench_of(run) as bench:
            tester = Hand(master, {"login.": "", "look: call.ringing": "no nothing rings"})
            console = await bench.console("govan-12")
            with pytest.raises(ExpectationError, match="nothing rings"):
                await console.expect("call.ringing", within=2.0)
            assert [e.data["by"] for e in bench.journal if e.kind == "tester.done"] == ["tester"], "it begins anew"
            await tester.leave()


def test_a_terminal_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(DriverError, match=r"govan-12: no tester's terminal at .*tty9: No such file"):
        Terminal("govan-12", tmp_path / "tty9", AtTheTerminal())


@pytest.mark.parametrize("line", ["no JSON", "[1]", '{"asked": 1}', '{"asked": "hold", "gave": "x"}'])
def test_what_is_no_record_is_told_by_its_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "record.jsonl"
    path.write_text('{"asked": "login", "gave": {}}\n' + line + "\n", encoding="utf-8")
    with pytest.raises(DriverError, match=r"record.jsonl:2: found .*; a line of a tester's record is due"):
        Record("govan-12", path)


def test_a_record_of_another_test_is_told(tmp_path: Path) -> None:
    path = tmp_path / "record.jsonl"
    Record("govan-12", path).add({"asked": "hold", "gave": {}})
    with pytest.raises(DriverError, match="goes on with 'hold', and the test asks 'clear': take the file away"):
        Record("govan-12", path).again("clear")
