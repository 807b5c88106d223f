"""What consoles work by a technology, found in a testbed file, and a control room that has gone over to MCPTT."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from harness.drivers.talking_radio import Technology
from harness.errors import TestbedError
from harness.protocols.rtp.g711 import Samples
from harness.testbed.bench import open_bench
from harness.testbed.conversation import converse
from harness.testbed.desk_party import desk_party, worked_by
from harness.testbed.layouts import laid_out
from harness.testbed.load import load_testbed

TESTBEDS = Path(__file__).resolve().parents[3] / "fixtures" / "testbeds"
DAY = date(2026, 1, 1)
REAL = """
name: real
talkgroups: {A: 1001, B: 1002, C: 1003, R: 1004}
components:
  iccs: {role: iccs, binding: real, sip: "192.0.2.1:5060"}
  govan-12: {role: console, binding: manual, position: govan-12}
  govan-31: {role: console, binding: manual, position: govan-31}
  radio: {role: radio_network}
  roip: {role: roip_gateway, simulator: {radios: [{name: r, talkgroup: R, issi: 5}]}}
  one: {role: radio_terminal, issi: 4001001, talkgroup: A}
  other: {role: radio_terminal, issi: 4001002, talkgroup: B}
  behind: {role: roip_radio, of: roip, radio: r, talkgroup: R}
"""

pytestmark = pytest.mark.virtual_time


@pytest.mark.parametrize(
    ("technology", "talkgroups", "consoles"),
    [
        (Technology.TETRA, ("GD-OPS-1", "GD-OPS-2", "GD-OPS-3"), ("govan-31", "govan-32")),
        (Technology.ROIP, ("GD-ROIP-1", "GD-ROIP-2", "GD-ROIP-3"), ("govan-41", "govan-42")),
        (Technology.MCPTT, ("GD-ESN-1", "GD-ESN-2", "GD-ESN-3"), ("govan-41", "govan-42")),
    ],
)
async def test_the_simulated_testbed_has_three_talkgroups_at_consoles_by_each_technology(
    technology: Technology, talkgroups: tuple[str, ...], consoles: tuple[str, ...]
) -> None:
    testbed = load_testbed(TESTBEDS / "simulated.yaml")
    async with open_bench(testbed, today=DAY, addresses=None, virtual=True, seed=1) as bench:
        party = desk_party(bench, technology)
        assert party is not None
        assert (party.talkgroups, party.consoles) == (talkgroups, consoles)
        with pytest.raises(TestbedError, match=f"2 consoles that work {talkgroups[0]}, .*; 3 are due"):
            await party.dispatcher(2)


async def test_a_testbed_without_three_has_none() -> None:
    async with open_bench(
        load_testbed(TESTBEDS / "bridged.yaml"), today=DAY, addresses=None, virtual=True, seed=1
    ) as bench:
        assert [desk_party(bench, each) for each in Technology] == [None, None, None]


def test_of_a_real_iccs_the_radios_tell_the_talkgroups(tmp_path: Path) -> None:
    file = tmp_path / "real.yaml"
    file.write_text(REAL)
    testbed = load_testbed(file)
    assert worked_by(testbed, Technology.TETRA) == ["A", "B", "C"]
    assert worked_by(testbed, Technology.ROIP) == ["R"]


def test_of_a_real_iccs_the_layout_that_it_stands_for_tells_what_is_worked_where(tmp_path: Path) -> None:
    file = tmp_path / "real.yaml"
    file.write_text(REAL.replace("name: real\n", "name: real\nstands_for: [simulated]\n"))
    testbed = load_testbed(file)
    assert worked_by(testbed, Technology.TETRA)[:3] == ["GD-OPS-1", "GD-OPS-2", "GD-OPS-3"]
    assert worked_by(testbed, Technology.MCPTT) == ["GD-ESN-1", "GD-ESN-2", "GD-ESN-3"]
    assert laid_out(testbed).name == "niccs-simulated"


async def test_the_day_after_airwave_is_another_testbed_file(speech: Callable[[str], Samples]) -> None:
    """The same talkgroups at the same positions, by MCPTT alone: no TETRA network, no gateway, no GSSI."""
    before = load_testbed(TESTBEDS / "simulated.yaml")
    after = load_testbed(TESTBEDS / "esn.yaml")
    assert worked_by(after, Technology.TETRA) == [] and after.talkgroups == {}
    async with open_bench(after, today=DAY, addresses=None, virtual=True, seed=1) as bench:
        party = desk_party(bench, Technology.MCPTT)
        assert party is not None
        assert party.talkgroups == tuple(worked_by(before, Technology.TETRA)[:3])
        dispatcher, officer = await party.dispatcher(), await party.radio(party.talkgroups[0])
        assert dispatcher.position == "govan-31"
        await dispatcher.key(party.talkgroups[0])
        await dispatcher.expect("ptt.granted", within=1.0)
        await converse(dispatcher, officer, speech("dispatch"))
        await dispatcher.unkey()


async def test_a_console_waits_for_who_talks_behind_a_radio_gateway() -> None:
    """The radio tells neither PTT nor mute while its network has it wait: a queue, as by other technologies."""
    testbed = load_testbed(TESTBEDS / "simulated.yaml")
    async with open_bench(testbed, today=DAY, addresses=None, virtual=True, seed=1) as bench:
        party = desk_party(bench, Technology.ROIP)
        assert party is not None
        talkgroup = party.talkgroups[0]
        dispatcher, officer = await party.dispatcher(), await party.radio(talkgroup)
        await officer.key()
        await dispatcher.expect("talker.shown", within=1.0, talkgroup=talkgroup, issi=None)
        await dispatcher.key(talkgroup)
        await dispatcher.expect("ptt.queued", within=1.0, talkgroup=talkgroup)
        await asyncio.sleep(5.0)
        after = bench.journal.position
        await officer.unkey()
        await dispatcher.expect("ptt.granted", within=1.0, after=after, talkgroup=talkgroup)
        await officer.expect(officer.talk_shown, within=1.0, after=after)
        await dispatcher.unkey()
        await officer.expect(officer.talk_over, within=1.0, after=after)
