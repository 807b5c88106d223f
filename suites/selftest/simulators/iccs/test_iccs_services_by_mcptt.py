"""What consoles do by MCPTT beside talkgroups: texts, statuses, places, calls with one radio, ambience listening."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from esn_in_virtual_time import DOMAIN, ESN, OFFICER, STRANGE, Esn, esn

from harness.drivers.console import Console
from harness.drivers.mcptt import McpttRadio
from harness.errors import DriverError
from harness.measure.correlate import correlation
from harness.protocols.mcptt.location import Place
from harness.protocols.rtp.g711 import Samples
from harness.testbed.conversation import Microphone, converse

pytestmark = pytest.mark.virtual_time

HERE = Place(55.8622, -4.3096)
NEAR = 3e-5
OTHER_OFFICER = f"sip:officer-9@{DOMAIN}"
AT_SCENE = 32773
WHO = {"issi": None, "mcptt_id": OFFICER}


async def test_a_text_is_delivered_or_told_not_to_be_and_one_that_comes_is_shown() -> None:
    async with esn() as there:
        desk, other = await there.room.console("desk-1"), await there.room.console("desk-2")
        officer = await there.officer("officer-8")
        await desk.send_text(OFFICER, "Go to the rear entrance")
        await desk.expect("sds.sent", within=1.0, delivered=True, **WHO)
        await officer.expect("sds.received", within=1.0, user="control", text="Go to the rear entrance")
        with pytest.raises(DriverError, match=r"the text to sip:officer-9@mcptt.example failed: .*480"):
            await desk.send_text(OTHER_OFFICER, "Are you there?")
        with pytest.raises(DriverError, match="no gateway in service that sends texts to 4001234"):
            await desk.send_text(4001234, "By TETRA")
        await officer.send_text("At the rear", to="control")
        for console in (desk, other):
            await console.expect("sds.shown", within=1.0, text="At the rear", **WHO)
        await officer.send_group_text("All units", to=ESN)
        await other.expect("sds.shown", within=1.0, text="All units", **WHO)


async def test_a_status_is_the_units_state_and_in_its_incidents_log() -> None:
    async with esn() as there:
        desk, officer = await there.room.console("desk-1"), await there.officer("officer-8")
        incident = await desk.open_incident("Disturbance")
        await desk.assign_unit(OFFICER, incident)
        await desk.expect("unit.assigned", within=1.0, incident_id=incident, **WHO)
        await officer.send_status(AT_SCENE, to=ESN)
        shown = await desk.expect("unit.state", within=1.0, **WHO)
        assert (shown.data["status"], shown.data["means"], shown.data["incident_id"]) == (5, "At scene", incident)
        assert (await desk.unit(OFFICER))["status"] == 5
        assert [each["mcptt_id"] for each in await desk.units()] == [OFFICER]
        log = [line["text"] for line in (await desk.incident(incident))["log"]]
        assert f"unit {OFFICER}: status 5, At scene" in log
        after = there.room.journal.position
        await officer.send_status(AT_SCENE, to=STRANGE)  # a group that is not worked here
        await asyncio.sleep(1.0)
        assert there.room.journal.find("desk-1", "unit.state", after=after) is None


async def test_status_0_is_an_emergency_as_on_tetra() -> None:
    async with esn() as there:
        desk, officer = await there.room.console("desk-1"), await there.officer("officer-8")
        await officer.send_status(0, to=ESN)
        await desk.expect("emergency.shown", within=1.0, talkgroup=ESN, **WHO)


async def test_a_place_that_is_told_is_on_the_map() -> None:
    async with esn() as there:
        desk, officer = await there.room.console("desk-1"), await there.officer("officer-8")
        with pytest.raises(DriverError, match="has not told where it is"):
            await desk.place(OFFICER)
        await officer.send_location(HERE)
        shown = await desk.expect("map.moved", within=1.0, **WHO)
        assert (shown.data["lat"], shown.data["lon"]) == pytest.approx((HERE.latitude, HERE.longitude), abs=NEAR)
        assert (shown.data["alias"], shown.data["error_m"], shown.data["speed_kmh"]) == ("GB 208", None, None)
        place = await desk.place(OFFICER)
        assert (place["lat"], place["mcptt_id"]) == (shown.data["lat"], OFFICER)


async def test_where_an_emergency_is_is_shown_with_it_or_after_it() -> None:
    """Nothing but the emergency has the handset tell where it is."""
    async with esn() as there:
        desk, officer = await there.room.console("desk-1"), await there.officer("officer-8", ESN)
        await officer.move_to(HERE)
        await asyncio.sleep(1.0)
        assert await desk.places() == []
        after = there.room.journal.position
        await officer.emergency()
        shown = await desk.expect("emergency.shown", within=1.0, after=after, **WHO)
        if shown.data["lat"] is None:
            shown = await desk.expect("emergency.located", within=1.0, after=after, **WHO)
        assert (shown.data["lat"], shown.data["lon"]) == pytest.approx((HERE.latitude, HERE.longitude), abs=NEAR)


async def connected(there: Esn, desk: Console, officer: McpttRadio) -> str:
    """Call an officer who answers; returns the call."""
    call = await desk.call_radio(OFFICER)
    assert await officer.answer(within=2.0) == "control"
    await desk.expect("radio_call.connected", within=2.0, radio_call=call, **WHO)
    await asyncio.sleep(0.5)
    return call


async def test_a_call_with_one_radio_is_heard_both_ways_and_recorded_whoever_hangs_up(
    speech: Callable[[str], Samples],
) -> None:
    async with esn() as there:
        desk, officer = await there.room.console("desk-1"), await there.officer("officer-8")
        for ends in ("cleared", "hung up"):
            call = await connected(there, desk, officer)
            await converse(desk.headset, officer, speech("dispatch"))
            await converse(Microphone(officer), desk.headset, speech("officer-reply"))
            await (desk.clear_radio_call() if ends == "cleared" else officer.hang_up())
            ended = await desk.expect("radio_call.ended", within=2.0, radio_call=call)
            assert (ended.data["reason"] == "desk-1 cleared it") is (ends == "cleared")
            kept = await desk.recording(str(ended.data["recording"]))
            assert correlation(speech("officer-reply"), kept["radio"]) > 0.8
            assert correlation(speech("dispatch"), kept["position"]) > 0.8
        assert there.server.status()["private_calls"] == []


async def test_a_call_is_refused_with_the_servers_reason_or_taken_back_and_the_line_is_free_again() -> None:
    async with esn() as there:
        desk, other = await there.room.console("desk-1"), await there.room.console("desk-2")
        officer = await there.officer("officer-8")
        call = await desk.call_radio(OTHER_OFFICER)
        failed = await desk.expect("radio_call.failed", within=2.0, radio_call=call)
        assert "officer-9 is not registered" in failed.data["reason"]
        await desk.call_radio(OFFICER)
        await officer.expect("call.ringing", within=2.0, user="control")
        with pytest.raises(DriverError, match="no line for calls with one radio is free; there are 1"):
            await other.call_radio(OFFICER)
        with pytest.raises(DriverError, match="no line for calls with one radio is free; there are 0"):
            await other.call_radio(4001234)
        await desk.clear_radio_call()
        await officer.expect("call.ended", within=2.0)
        await asyncio.sleep(1.0)
        await connected(there, other, officer)


async def test_nobody_answers_who_calls_the_control_room_alone() -> None:
    async with esn() as there:
        await there.room.console("desk-1")
        officer = await there.officer("officer-8")
        with pytest.raises(DriverError, match="486"):
            await officer.call("control", duplex=True, direct=True)


async def test_an_open_microphone_is_heard_at_its_console_alone_and_recorded(speech: Callable[[str], Samples]) -> None:
    says = speech("officer-reply")
    async with esn() as there:
        desk, other = await there.room.console("desk-1"), await there.room.console("desk-2")
        officer = await there.officer("officer-8")
        await desk.begin_ambience(OFFICER, "test-ambience")
        begun = await desk.expect("ambience.begun", within=1.0, **WHO)
        await asyncio.gather(desk.headset.record(), other.headset.record())
        await officer.speak_unkeyed(says)
        await asyncio.sleep(len(says) / 8000 + 1.0)
        assert correlation(says, (await desk.headset.recorded()).samples) > 0.8
        assert correlation(says, (await other.headset.recorded()).samples) < 0.3
        with pytest.raises(DriverError, match="listened to already"):
            await desk.begin_ambience(OFFICER, "test-ambience")
        await desk.end_ambience(OFFICER)
        ended = await desk.expect("ambience.ended", within=1.0, ambience=begun.data["ambience"], reason="ended")
        kept = await desk.recording(str(ended.data["recording"]))
        assert correlation(says, kept["radio"]) > 0.8
        assert there.server.status()["private_calls"] == []


async def test_a_handset_that_is_switched_off_ends_ambience_and_a_position_that_logs_out_closes_it() -> None:
    async with esn() as there:
        desk, officer = await there.room.console("desk-1"), await there.officer("officer-8")
        await desk.begin_ambience(OFFICER, "test-ambience")
        await officer._terminal.close()
        ended = await desk.expect("ambience.ended", within=2.0, **WHO)
        assert ended.data["reason"] != "ended"
        assert ended.data["recording"]
        with pytest.raises(DriverError, match=r"the MCPTT server: .*not registered"):
            await desk.begin_ambience(OFFICER, "test-ambience")
        await there.officer("officer-9")
        await desk.begin_ambience(OTHER_OFFICER, "test-ambience")
        await desk.close()
        await asyncio.sleep(1.0)
        assert there.server.status()["private_calls"] == []
