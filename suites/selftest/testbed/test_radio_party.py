"""Talkers and listeners of a technology, found in a testbed file."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from harness.drivers.talking_radio import Technology
from harness.errors import DriverError, TestbedError
from harness.testbed.bench import open_bench
from harness.testbed.load import load_testbed
from harness.testbed.radio_party import radio_party

SIMULATED = Path(__file__).resolve().parents[3] / "fixtures" / "testbeds" / "simulated.yaml"
DAY = date(2026, 1, 1)
ONE = """
name: one
talkgroups: {A: 1001, B: 1002}
components:
  radio: {role: radio_network}
  alone: {role: radio_terminal, issi: 4001001, talkgroup: A}
  first: {role: radio_terminal, issi: 4001002, talkgroup: B}
  other: {role: radio_terminal, issi: 4001003, talkgroup: B}
"""

pytestmark = pytest.mark.virtual_time


async def test_the_talkgroup_with_most_radios_has_the_party_and_a_lack_is_told(tmp_path: Path) -> None:
    file = tmp_path / "one.yaml"
    file.write_text(ONE)
    async with open_bench(load_testbed(file), today=DAY, addresses=None, virtual=True, seed=1) as bench:
        party = radio_party(bench, Technology.TETRA)
        assert (party.talkgroup, party.names) == ("B", ("first", "other"))
        assert [(await each).name for each in (party.talker(), party.listener())] == ["first", "other"]
        with pytest.raises(TestbedError, match="first, other for tetra on B; a third radio is due"):
            await party.third()
        with pytest.raises(TestbedError, match="0 radios for mcptt on one talkgroup; 2 are due"):
            radio_party(bench, Technology.MCPTT)


@pytest.mark.parametrize("technology", Technology)
async def test_each_technology_of_the_simulated_testbed_has_three_radios_on_one_talkgroup(
    technology: Technology,
) -> None:
    async with open_bench(load_testbed(SIMULATED), today=DAY, addresses=None, virtual=True, seed=1) as bench:
        party = radio_party(bench, technology)
        assert len(party.names) >= 3
        talker = await party.talker()
        assert (talker.technology, talker.talkgroup) == (technology, party.talkgroup)


async def test_a_radio_behind_a_gateway_stays_on_its_talkgroup() -> None:
    async with open_bench(load_testbed(SIMULATED), today=DAY, addresses=None, virtual=True, seed=1) as bench:
        radio = await bench.radio("roip-radio")
        await radio.select("GD-ROIP-1")
        with pytest.raises(DriverError, match="is on GD-ROIP-1, as its gateway is set, and can't be on GD-OPS-1"):
            await radio.select("GD-OPS-1")


async def test_a_gateways_fault_ends_with_the_bench_and_a_radio_it_lacks_is_told() -> None:
    async with open_bench(load_testbed(SIMULATED), today=DAY, addresses=None, virtual=True, seed=1) as bench:
        gateway = await bench.roip_gateway()
        await gateway.fail("main")
        assert (await gateway.status())["radios"]["main"]["fault"] == "down"
        await gateway.restore("main")
        assert (await gateway.status())["radios"]["main"]["fault"] is None
        with pytest.raises(DriverError, match=r"was refused with 404: .*no such radio"):
            await gateway.restore("nowhere")
