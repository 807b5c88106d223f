"""A control room has a history: only what is new since a moment counts, and what a test leaves there is put back."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest

from harness.cli.places import FIXTURES
from harness.drivers.console import Console
from harness.drivers.contact_us import ContactUs
from harness.drivers.crm import Crm
from harness.drivers.emergency_network import EmergencyNetwork
from harness.endpoints.contact_us import Address, Message, load_adapter
from harness.endpoints.crm import RecordTold
from harness.errors import DriverError
from harness.testbed.bench import Bench, open_bench
from harness.testbed.load import load_testbed
from harness.testbed.since import Since

DAY = date(2026, 1, 1)
ONE, TWO, THREE = "GD-OPS-1", "GD-OPS-2", "GD-OPS-3"
SOON_S = 2.0

pytestmark = pytest.mark.virtual_time


async def lived_in(bench: Bench, cli: str) -> None:
    """What leaves a trace: a caller who gives up, a call that nothing accounts for, a refusal, a patch, an alarm."""
    adviser, dispatcher, trunk = await bench.console("govan-12"), await bench.console("govan-31"), await bench.trunk()
    after = bench.journal.position
    caller = await trunk.dial("999", cli=cli)
    await adviser.expect("call.ringing", within=SOON_S, after=after)
    await caller.hang_up()
    await adviser.expect("call.abandoned", within=SOON_S, after=after)
    answered = await trunk.dial("999", cli=cli)
    await adviser.expect("call.ringing", within=SOON_S, after=bench.journal.position)
    await adviser.answer()
    await answered.answered(within=SOON_S)
    await adviser.clear()
    with pytest.raises(DriverError, match="no right to patch"):
        await adviser.patch(ONE, TWO)
    await dispatcher.unpatch(await dispatcher.patch(ONE, THREE))
    await dispatcher.patch(ONE, TWO)
    await (await bench.supervisor()).fail_recorder("main")
    await asyncio.sleep(SOON_S)


async def test_nothing_of_before_counts_and_all_of_since_does() -> None:
    testbed = load_testbed(FIXTURES / "testbeds" / "simulated.yaml")
    async with open_bench(testbed, today=DAY, addresses=None, virtual=True, seed=1) as bench:
        supervisor = await bench.supervisor()
        await lived_in(bench, "+447700900123")
        since = await Since.now(supervisor)
        nothing = [await since.records(), await since.ring_backs(), await since.audit(), await since.patches()]
        assert [*nothing, await since.alarms(), await since.orphaned()] == [[], [], [], [], [], []]
        assert len(await supervisor.audit(position="govan-12", act="patch")) == 1, "there is a history"
        await supervisor.fail_recorder("main", failed=False)
        (patch,) = await supervisor.patches()
        await (await bench.console("govan-31")).unpatch(patch["patch"])
        await lived_in(bench, "+447700900124")
        assert [each["cli"] for each in await since.records()] == ["+447700900124"] * 2
        assert [each["cli"] for each in await since.ring_backs()] == ["+447700900124"]
        (refused,) = await since.audit(act="patch", outcome="refused")
        assert refused["position"] == "govan-12"
        assert [each["talkgroups"] for each in await since.patches()] == [[ONE, TWO]]
        assert [each["what"] for each in await since.alarms()] == ["recorder_failed"]
        assert len(await since.orphaned()) == 1
        figures = await since.wait_for("emergency", "abandoned", 1, within=SOON_S)
        assert (figures["abandoned"], since.before("emergency", "abandoned")) == (2, 1)
        assert since.more("emergency", figures, "abandoned_by_band")["under 10 s"] == 1
        assert since.before("emergency", "waiting") == 0, "what comes and goes is as it stands"


async def keys_until_it_is_taken_for_stuck(console: Console) -> None:
    await console.key(ONE)
    await console.expect("ptt.timed_out", within=90.0)


async def test_what_was_left_at_a_control_room_is_put_back() -> None:
    """Patch, loudspeaker, emergency, alarm, incidents and a fault: whoever comes next finds none of them."""
    testbed = load_testbed(FIXTURES / "testbeds" / "simulated.yaml")
    async with open_bench(testbed, today=DAY, addresses=None, virtual=True, seed=1) as bench:
        adviser, dispatcher, supervisor = [await bench.console(f"govan-{each}") for each in (12, 31, 50)]
        officer, board = await bench.terminal("officer"), await bench.supervisor()
        await keys_until_it_is_taken_for_stuck(dispatcher)
        await dispatcher.patch(TWO, THREE)
        await dispatcher.unselect(TWO)
        handed = await adviser.open_incident("Handed over")
        await adviser.hand_over(handed, "govan-31")
        kept, closed = await adviser.open_incident("Kept"), await adviser.open_incident("Closed")
        await adviser.close_incident(closed)
        storm = await bench.command_control()
        await officer.raise_emergency()
        shown = await dispatcher.expect("emergency.shown", within=SOON_S)
        await supervisor.expect("alarm.raised", within=60.0, emergency=shown.data["emergency"])
        await storm.fail("down")
        await bench.put_back()
        assert (await storm.status())["fault"] is None
        assert [await board.patches(), await board.emergencies()] == [[], []]
        assert [each["what"] for each in await board.alarms() if "fault" not in each] == []
        assert TWO in (await dispatcher.seat())["selected"]
        assert [(await board.incident(each))["state"] for each in (handed, kept, closed)] == ["closed"] * 3
        assert [each for each in bench.journal if each.kind == "not_put_back"] == []


async def test_what_was_put_back_by_the_test_is_left_alone() -> None:
    testbed = load_testbed(FIXTURES / "testbeds" / "simulated.yaml")
    async with open_bench(testbed, today=DAY, addresses=None, virtual=True, seed=1) as bench:
        dispatcher = await bench.console("govan-31")
        await dispatcher.unpatch(await dispatcher.patch(ONE, TWO))
        await dispatcher.unselect(TWO)
        await dispatcher.select(TWO)
        await dispatcher.close_incident(await dispatcher.open_incident("Closed"))
        await bench.put_back()
        assert [each for each in bench.journal if each.kind in ("put_back", "not_put_back")] == []


async def test_radios_that_were_regrouped_or_disabled_are_as_before() -> None:
    testbed = load_testbed(FIXTURES / "testbeds" / "radio.yaml")
    async with open_bench(testbed, today=DAY, addresses=None, virtual=True, seed=1) as bench:
        dispatcher, network = await bench.console("govan-31"), await bench.radio_network()
        lost, given = bench.issi("unit-01"), bench.issi("unit-02")
        await dispatcher.regroup("Operation Heron", [given])
        await dispatcher.disable(lost)
        await dispatcher.expect("terminal.disabled", within=20.0, issi=lost)
        await asyncio.sleep(20.0)
        await bench.put_back()
        await asyncio.sleep(20.0)
        assert (await network.terminal(lost))["disabled"] is False
        assert (await network.terminal(given))["groups_given"] == []


async def test_what_can_not_be_put_back_is_told_and_fails_nothing() -> None:
    testbed = load_testbed(FIXTURES / "testbeds" / "simulated.yaml")
    async with open_bench(testbed, today=DAY, addresses=None, virtual=True, seed=1) as bench:
        dispatcher, other = await bench.console("govan-31"), await bench.console("govan-32")
        patch = await dispatcher.patch(ONE, TWO)
        await dispatcher.expect("patch.made", within=SOON_S)
        bench.journal.record(dispatcher.name, "patch.made", patch="P-99", by=dispatcher.position)
        await bench.put_back()
        assert await (await bench.supervisor()).patches() == []
        told = [(each.source, each.data["what"]) for each in bench.journal if each.kind == "not_put_back"]
        assert told == [(dispatcher.name, "patch.made P-99")]
        assert (patch, other.logged_in) == ("P-1", True)


async def test_what_was_changed_of_the_emergency_network_is_put_back_as_its_driver_closes() -> None:
    testbed = load_testbed(FIXTURES / "testbeds" / "simulated.yaml")
    async with open_bench(testbed, today=DAY, addresses=None, virtual=True, seed=1) as bench:
        network, url = await bench.emergency_network(), bench.addresses.url("emergency", "http")
        (route,) = (await network.authorities())[0]["routes"]
        found = await network.status()
        await network.set_operators(automatic=0, stay_until_told=True)
        await network.set_operators(automatic=1)
        await network.set_route("police", route["name"], cut=True)
        await network.fail("no_answer")
        await network.close()
        after = await EmergencyNetwork.open(bench.context, "after", control=url, permit=bench.interlock.dial)
        assert (await after.status())["operators"] == found["operators"]
        assert (await after.status())["faults"] == found["faults"]
        assert (await after.authorities())[0]["routes"] == [route]
        await after.close()


async def test_a_key_of_this_run_is_not_one_of_the_run_before() -> None:
    """At the CRM and of the public's form: told again in one run it is the same, in the next run it is another."""
    testbed = load_testbed(FIXTURES / "testbeds" / "service-centre.yaml")
    told, message = RecordTold("phone", "2026-01-01T10:00:00Z"), Message("The bin is full")
    made, references = [], []
    async with open_bench(testbed, today=DAY, addresses=None, virtual=True, seed=1) as bench:
        service, control = bench.addresses.url("crm", "crm"), bench.addresses.url("crm", "http")
        intake = Address(bench.addresses.url("contact-us", "intake"))
        for run in ("first", "second"):
            crm = await Crm.open(bench.context, f"crm-{run}", service=service, control=control)
            made += [await crm.add_record(told, key="call-1") for _ in range(2)]
            contact = ContactUs(bench.context, f"contact-{run}", load_adapter("iccs", intake), lambda: None)
            references += [(await contact.fill_in(message, form_key="pressed")).reference for _ in range(2)]
            await crm.close()
            await contact.close()
    assert [each.created for each in made] == [True, False, True, False]
    assert references[0] == references[1] != references[2] == references[3]
