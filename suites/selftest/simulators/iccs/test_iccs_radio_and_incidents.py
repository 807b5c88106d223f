"""The dispatcher's desk of the ICCS simulator in virtual time: push-to-talk, messages, incidents."""

from __future__ import annotations

import asyncio

import pytest
from control_room_in_virtual_time import GATEWAY, OFFICER, control_room

from harness.errors import DriverError
from simulators.iccs.incidents import MAX_LOG_ENTRIES, IncidentError, IncidentLog

pytestmark = pytest.mark.virtual_time


async def test_the_floor_is_asked_for_had_and_given_back() -> None:
    async with control_room(radio=True) as room:
        desk, officer = await room.console("desk-1"), await room.terminal("officer")
        await desk.key("GD-OPS-1")
        await desk.expect("ptt.granted", within=1.0, talkgroup="GD-OPS-1")
        await officer.expect("talker.shown", within=0.5, issi=GATEWAY)
        await desk.unkey()
        await desk.expect("ptt.released", within=0.5)
        await officer.expect("talker.ended", within=0.5)
        with pytest.raises(DriverError, match="409: desk-1 keys nothing"):
            await desk.unkey()


async def test_who_may_not_key_is_told_why() -> None:
    async with control_room(radio=True) as room:
        one, two = await room.console("desk-1"), await room.console("desk-2")
        with pytest.raises(DriverError, match="409: desk-1 does not work talkgroup GD-OPS-2"):
            await one.key("GD-OPS-2")
        with pytest.raises(DriverError, match="409: desk-1 does not work talkgroup nonsense"):
            await one.key("nonsense")
        with pytest.raises(DriverError, match="409: talkgroup GD-OPS-2 has no gateway in service"):
            await two.key("GD-OPS-2")
        await one.key("GD-OPS-1")
        with pytest.raises(DriverError, match="409: desk-1 keys GD-OPS-1 already"):
            await one.key("GD-OPS-1")
        with pytest.raises(DriverError, match="409: talkgroup GD-OPS-1 is keyed by desk-1"):
            await two.key("GD-OPS-1")
        with pytest.raises(DriverError, match="409: desk-2 keys nothing"):
            await two.unkey()
        await one.expect("ptt.granted", within=1.0)
        await one.unkey()
        await two.key("GD-OPS-1")
        await two.expect("ptt.granted", within=1.0)


@pytest.mark.parametrize("after", [0.0, 0.01, 0.1, 0.2, 0.28, 0.3, 0.34])
async def test_a_key_let_go_before_the_grant_leaves_the_talkgroup_free(after: float) -> None:
    async with control_room(radio=True) as room:
        desk, officer = await room.console("desk-1"), await room.terminal("officer")
        await desk.key("GD-OPS-1")
        await asyncio.sleep(after)
        await desk.unkey()
        await asyncio.sleep(2.0)
        assert room.iccs.positions.get("desk-1").keyed is None
        released = room.told("desk-1", "ptt.released")
        assert len(released) == 1
        assert all(event.seq < released[0].seq for event in room.told("desk-1", "ptt.granted"))
        await officer.key()
        await officer.unkey()
        await desk.key("GD-OPS-1")
        await desk.expect("ptt.granted", within=1.0, after=released[0].seq)


async def test_a_floor_that_the_network_takes_back_is_shown_and_the_position_is_free() -> None:
    async with control_room(radio=True, max_talk_s=3.0) as room:
        desk = await room.console("desk-1")
        await desk.key("GD-OPS-1")
        await desk.expect("ptt.granted", within=1.0)
        lost = await desk.expect("ptt.lost", within=4.0, talkgroup="GD-OPS-1")
        assert lost.data["reason"]
        assert room.told("desk-1", "ptt.refused") == []
        assert room.iccs.positions.get("desk-1").keyed is None
        await desk.key("GD-OPS-1")
        await desk.expect("ptt.granted", within=2.0, after=lost.seq)


async def test_a_request_that_meets_a_talker_is_queued_then_granted() -> None:
    async with control_room(radio=True) as room:
        desk, officer = await room.console("desk-1"), await room.terminal("officer")
        await officer.key()
        await desk.expect("talker.shown", within=1.0, issi=OFFICER)
        await desk.key("GD-OPS-1")
        await desk.expect("ptt.queued", within=1.0)
        await officer.unkey()
        await desk.expect("ptt.granted", within=1.0)


async def test_logging_out_lets_go_of_what_is_held() -> None:
    async with control_room(radio=True) as room:
        desk = await room.console("desk-1")
        officer = await room.terminal("officer")
        await desk.key("GD-OPS-1")
        await desk.expect("ptt.granted", within=1.0)
        await officer.expect("talker.shown", within=1.0)
        await desk.close()
        await officer.expect("talker.ended", within=1.0)
        position = room.iccs.positions.get("desk-1")
        assert (position.keyed, position.logged_in, position.streams) == (None, False, [])


async def test_messages_are_sent_and_shown() -> None:
    async with control_room(radio=True) as room:
        desk, other = await room.console("desk-1"), await room.console("govan-01")
        officer = await room.terminal("officer")
        await desk.send_text(OFFICER, "Call in")
        await desk.expect("sds.sent", within=1.0, issi=OFFICER, delivered=True)
        await room.journal.expect("officer", "sds.received", within=1.0, text="Call in")
        await officer.send_status(32773, to=GATEWAY)
        await desk.expect("status.shown", within=2.0, issi=OFFICER, value=32773)
        with pytest.raises(DriverError, match="409: govan-01 has no gateway in service"):
            await other.send_text(OFFICER, "x")
        with pytest.raises(DriverError, match="409: the text to 4001234 failed"):
            await desk.send_text(OFFICER, "\N{SNOWMAN}")
        assert room.told("govan-01", "status.shown") == []


async def test_an_incident_goes_from_hand_to_hand_and_is_closed_once() -> None:
    async with control_room() as room:
        taker, desk = await room.console("govan-01"), await room.console("desk-1")
        call = await (await room.caller()).dial("999", cli="+447700900123")
        await call.ringing(within=1.0)
        taken = await taker.answer()
        incident = await taker.open_incident("Domestic in progress")
        await taker.expect("incident.opened", within=1.0, incident=incident, incident_call=taken, owner="govan-01")
        with pytest.raises(DriverError, match=f"409: incident {incident} is held by govan-01, not by desk-1"):
            await desk.close_incident(incident)
        with pytest.raises(DriverError, match="404: there is no position 'nobody'"):
            await taker.hand_over(incident, "nobody")
        await taker.hand_over(incident, "desk-1")
        await desk.expect("incident.received", within=1.0, incident=incident, by="govan-01", owner="desk-1")
        with pytest.raises(DriverError, match="is held by desk-1, not by govan-01"):
            await taker.hand_over(incident, "govan-02")
        await desk.close_incident(incident)
        await desk.expect("incident.closed", within=1.0, incident=incident)
        for again in (desk.close_incident(incident), desk.hand_over(incident, "govan-01")):
            with pytest.raises(DriverError, match=f"409: incident {incident} is closed"):
                await again
        for unknown in ("INC-999999", "../govan-01"):
            with pytest.raises(DriverError, match="404"):
                await desk.close_incident(unknown)
        async with room.http() as http:
            shown = (await http.get(f"/v1/incidents/{incident}")).json()
        assert (shown["state"], shown["cli"], shown["call"]) == ("closed", "+447700900123", taken)
        assert [entry["text"] for entry in shown["log"]] == ["opened", "handed over to desk-1", "closed"]


async def test_a_full_log_takes_no_note_and_no_hand_over_but_can_be_closed() -> None:
    log = IncidentLog()
    incident = log.open("x", "a", call=None, cli=None, time=0.0)
    for number in range(MAX_LOG_ENTRIES - 1):
        log.note(incident.id, "a", str(number), 1.0)
    with pytest.raises(IncidentError, match="is full at"):
        log.note(incident.id, "a", "x", 2.0)
    with pytest.raises(IncidentError, match="is full at"):
        log.hand_over(incident.id, "a", "b", 2.0)
    assert incident.owner == "a"
    assert log.close(incident.id, "a", 3.0).state == "closed"


THRIVE = {
    "threat": "He shouts outside",
    "harm": "None yet",
    "risk": "He may force the door",
    "investigation": "Nothing to secure",
    "vulnerability": "A child is with her",
    "engagement": "She stays on the line",
}


async def test_an_incident_is_graded_once_it_is_assessed_and_regraded_with_a_reason() -> None:
    async with control_room() as room:
        desk, other = await room.console("desk-1"), await room.console("govan-01")
        incident = await desk.open_incident("Shouting in the close")
        with pytest.raises(DriverError, match=r"409: THRIVE needs .*: threat, harm, .*, rationale are missing"):
            await desk.grade_incident(incident, "Prompt")
        with pytest.raises(DriverError, match="422"):
            await desk.assess_incident(incident, luck="none")
        with pytest.raises(DriverError, match="422"):
            await desk.assess_incident(incident, threat=" \n")
        with pytest.raises(DriverError, match="422"):
            await desk.assess_incident(incident)
        await desk.assess_incident(incident, **THRIVE)
        await desk.expect("incident.assessed", within=1.0, incident=incident, missing=["rationale"])
        with pytest.raises(DriverError, match=r"409: THRIVE needs .*: rationale is missing or blank"):
            await desk.grade_incident(incident, "Prompt")
        await desk.assess_incident(incident, rationale="A threat to two people")
        with pytest.raises(DriverError, match="422"):
            await desk.grade_incident(incident, "Priority")
        await desk.grade_incident(incident, "Prompt")
        await desk.expect("incident.graded", within=1.0, incident=incident, grade="Prompt", was=None)
        with pytest.raises(DriverError, match=r"409: .* is Prompt and is to be Standard: that needs"):
            await desk.grade_incident(incident, "Standard")
        await desk.grade_incident(incident, "Standard", rationale="He has left")
        await desk.expect("incident.graded", within=1.0, incident=incident, grade="Standard", was="Prompt")
        await desk.hand_over(incident, "govan-01")
        await other.expect("incident.received", within=1.0, incident=incident, grade="Standard")
        async with room.http() as http:
            shown = (await http.get(f"/v1/incidents/{incident}")).json()
        assert shown["thrive"] == THRIVE | {"rationale": "A threat to two people"}
        lines = [line["text"] for line in shown["log"]]
        assert lines[1] == "Threat: He shouts outside" and "graded Prompt" in lines
        assert "regraded from Prompt to Standard: He has left" in lines
        await other.close_incident(incident)
        for late in (desk.assess_incident(incident, threat="x"), desk.grade_incident(incident, "Other", rationale="x")):
            with pytest.raises(DriverError, match="is closed"):
                await late
        assert "He shouts outside" not in room.context.journal.lines(), "what was said of people is in no journal"


def test_an_incident_whose_log_is_nearly_full_takes_no_half_of_an_assessment() -> None:
    log = IncidentLog()
    incident = log.open("x", "a", call=None, cli=None, time=0.0)
    for number in range(MAX_LOG_ENTRIES - 3):
        log.note(incident.id, "a", str(number), 1.0)
    with pytest.raises(IncidentError, match="is full"):
        log.assess(incident.id, "a", THRIVE, 2.0)
    assert not incident.thrive and len(incident.log) == MAX_LOG_ENTRIES - 2
