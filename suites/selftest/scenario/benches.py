"""A bench in virtual time, and scenarios written in a test, for tests of the player."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from textwrap import indent

from harness.scenario.load import load_with_lines
from harness.scenario.player import Onlooker, Player
from harness.scenario.result import Result
from harness.testbed.bench import Bench, open_bench
from harness.testbed.load import load_testbed

HEAD = """\
id: E2E-T
title: a test
requirements: [NICCS-RAD-010]
actors:
  taker: {role: console, position: govan-12}
  dispatcher: {role: console, position: govan-31}
  colleague: {role: console, position: govan-32}
  officer: {role: radio_terminal, issi: 4001234}
timeline:
"""

TESTBED = """\
name: scenario-tests
talkgroups: {GD-OPS-1: 1001, GD-OPS-2: 1002}
components:
  iccs:
    role: iccs
    simulator:
      positions:
        - {id: govan-12, role: call_taker}
        - {site: govan, first: 31, last: 32, role: dispatcher, talkgroups: [GD-OPS-1, GD-OPS-2], may: [patch]}
  govan-12: {role: console, position: govan-12}
  govan-31: {role: console, position: govan-31}
  govan-32: {role: console, position: govan-32}
  radio: {role: radio_network}
  gateway-1: {role: radio_gateway, issi: 4009001, talkgroup: GD-OPS-1}
  gateway-2: {role: radio_gateway, issi: 4009002, talkgroup: GD-OPS-2}
  officer: {role: radio_terminal, issi: 4001234, talkgroup: GD-OPS-1}
  sergeant: {role: radio_terminal, issi: 4001235, talkgroup: GD-OPS-1}
"""
"""As small as the tests allow: each starts it anew."""


@asynccontextmanager
async def virtual_bench(folder: Path, seed: int = 1, testbed: str = TESTBED) -> AsyncIterator[Bench]:
    """The testbed on the running virtual loop."""
    file = folder / "testbed.yaml"
    file.write_text(testbed, encoding="utf-8")
    async with open_bench(load_testbed(file), today=date(2026, 1, 1), addresses=None, virtual=True, seed=seed) as bench:
        yield bench


def player(
    folder: Path,
    bench: Bench,
    steps: str,
    *,
    rest: str = "",
    head: str = HEAD,
    seats: tuple[str, ...] = (),
    telling: tuple[str, ...] = (),
    onlooker: Onlooker | None = None,
) -> Player:
    """What plays a timeline of these steps, written as a file has them."""
    path = folder / "scenario.yaml"
    path.write_text(head + indent(steps, "  ") + "\n" + rest, encoding="utf-8")
    scenario, lines = load_with_lines(path)
    return Player(scenario, bench, lines=lines, seats=seats, telling=telling, onlooker=onlooker)


async def played(folder: Path, steps: str, *, rest: str = "", head: str = HEAD) -> Result:
    """What becomes of a timeline of these steps, every seat played by the harness."""
    async with virtual_bench(folder) as bench:
        return await player(folder, bench, steps, rest=rest, head=head).play()
