"""The drivers reach all of the control interface: each act is one that it knows, and each that it knows has an act."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

import httpx
import pytest
from control_room_in_virtual_time import control_room

from harness.drivers.console import Console
from harness.drivers.supervisor import Supervisor
from harness.errors import DriverError

pytestmark = pytest.mark.virtual_time
Act = Callable[[Console], Awaitable[object]]
ACTS: dict[str, Act] = {
    "answer": lambda at: at.answer(queue="emergency", call="call-1"),
    "dial": lambda at: at.dial("2001"),
    "redial": lambda at: at.redial("R-000001"),
    "clear": lambda at: at.clear(),
    "hold": lambda at: at.hold(),
    "resume": lambda at: at.resume("call-1"),
    "consult": lambda at: at.consult("2001"),
    "transfer": lambda at: at.transfer("2001"),
    "conference": lambda at: at.conference("2001"),
    "leave": lambda at: at.leave(),
    "drop": lambda at: at.drop("call-1"),
    "dtmf": lambda at: at.send_dtmf("1"),
    "type": lambda at: at.type_text("hello"),
    "operator": lambda at: at.ask_operator("leave"),
    "hold-line": lambda at: at.hold_line(),
    "location": lambda at: at.enter_location("by the harbour", latitude=55.86, longitude=-4.25),
    "nuisance": lambda at: at.tag_nuisance(record="R-000001", note="third tonight"),
    "state": lambda at: at.go("available"),
    "key": lambda at: at.key("GD-OPS-1"),
    "unkey": lambda at: at.unkey(),
    "text": lambda at: at.send_text(4001234, "hello"),
    "key-groups": lambda at: at.key_groups("GD-OPS-1", "GD-OPS-2"),
    "select": lambda at: at.unselect("GD-OPS-1"),
    "volume": lambda at: at.set_volume(headset_db=-6.0),
    "folders": lambda at: at.shown_folder(),
    "no-incident": lambda at: at.needs_no_incident("a wrong number", record="R-000001"),
    "incidents": lambda at: at.open_incident("Break-in"),
    "directory": lambda at: at.directory("vet"),
    "patches": lambda at: at.patch("GD-OPS-1", "GD-OPS-2"),
    "groups": lambda at: at.regroup("Operation Heron", [4001234]),
    "ambience": lambda at: at.begin_ambience(4001234, "secret"),
    "radio-call": lambda at: at.call_radio(4001234),
    "oversee": lambda at: at.monitor("desk-2"),
    "layout": lambda at: at.layout(),
    "instant-replay": lambda at: at.instant_replay(),
    "find-recordings": lambda at: at.find_recordings(talkgroup="GD-OPS-1"),
    "plan": lambda at: at.change_plan("desk-2", ["GD-OPS-1"], approver="govan-01", why="a test"),
}
NAMED_ACTS: dict[str, Act] = {
    "patches/{patch_id}": lambda at: at.unpatch("P-1"),
    "groups/{gssi}": lambda at: at.ungroup(15000001),
    "ambience/{radio}": lambda at: at.end_ambience(4001234),
    "disabled/{issi}": lambda at: at.disable(4001234),
    "emergencies/{emergency}/acknowledge": lambda at: at.acknowledge_emergency("E-0001"),
    "emergencies/{emergency}/clear": lambda at: at.clear_emergency("E-0001"),
    "incidents/{incident_id}/units": lambda at: at.assign_unit(4001234, "INC-000001"),
    "incidents/{incident_id}/notes": lambda at: at.note_incident("INC-000001", "on the way"),
    "incidents/{incident_id}/thrive": lambda at: at.assess_incident("INC-000001", threat="He is still there"),
    "incidents/{incident_id}/grade": lambda at: at.grade_incident("INC-000001", "Prompt", rationale="She is safe"),
    "incidents/{incident_id}/transfer": lambda at: at.transfer_incident("INC-000001", "north"),
    "incidents/{incident_id}/records-checks": lambda at: at.check_records(
        "INC-000001", registration="QI00 TST", reason="stopped by a patrol"
    ),
    "incidents/{incident_id}/hand-over": lambda at: at.hand_over("INC-000001", "desk-2"),
    "recorded/{leg}": lambda at: at.play_recording("L-000001"),
    "recorded/{leg}/export": lambda at: at.export_recording("L-000001", why="a complaint"),
    "recorded/{leg}/hold": lambda at: at.hold_recording("L-000001", why="a complaint"),
    "incidents/{incident_id}/close": lambda at: at.close_incident("INC-000001"),
}
"""Those whose path names what they are about."""
LOOKS_AT_A_CONSOLE: dict[str, Act] = {
    "/v1/groups/{gssi}": lambda at: at.group(15000001),
    "/v1/recordings": lambda at: at.recording("V-1"),
    "/v1/recordings/{recording}": lambda at: at.recording("V-1"),
    "/v1/map": lambda at: at.places(),
    "/v1/map/{radio}": lambda at: at.place(4001234),
    "/v1/units": lambda at: at.units(),
    "/v1/units/{radio}": lambda at: at.unit(4001234),
}
LOOKS: dict[str, Callable[[Supervisor], Awaitable[object]]] = {
    "/v1/wallboard": lambda at: at.wallboard(),
    "/v1/calls": lambda at: at.records(
        cli="1", queue="q", outcome="o", flag="f", since=0, until=9, nuisance=True, limit=5
    ),
    "/v1/calls/{record}": lambda at: at.record("R-000001"),
    "/v1/ring-backs": lambda at: at.ring_backs(),
    "/v1/audit": lambda at: at.audit(position="desk-1"),
    "/v1/audit/trail": lambda at: at.audit_trail(),
    "/v1/recorders": lambda at: at.recorders(),
    "/v1/recorders/{unit}": lambda at: at.fail_recorder("main"),
    "/v1/recorders/weed": lambda at: at.weed_recordings(),
    "/v1/reconciliation": lambda at: at.reconciliation(),
    "/v1/directory": lambda at: at.directory(),
    "/v1/patches": lambda at: at.patches(),
    "/v1/callbacks": lambda at: at.callbacks(),
    "/v1/alarms": lambda at: at.alarms(),
    "/v1/alarms/{alarm}/clear": lambda at: at.clear_alarm("A-0001"),
    "/v1/emergencies": lambda at: at.emergencies(),
    "/v1/trunks": lambda at: at.trunks(),
    "/v1/core-nodes": lambda at: at.core_nodes(),
    "/v1/core-nodes/{name}/kill": lambda at: at.kill_core_node("core-2"),
    "/v1/core-nodes/{name}/repair": lambda at: at.repair_core_node("core-2"),
    "/v1/trunks/{name}/fault": lambda at: at.begin_trunk_fault("primary", "slow", seconds=1.0),
}
BY_OTHERS = {"login", "logout"}
"""What a console does as it is opened and closed."""


async def described(client: httpx.AsyncClient) -> set[str]:
    """Every path that the interface describes."""
    return set((await client.get("/openapi.json")).json()["paths"])


async def test_each_act_at_a_position_is_one_that_the_interface_describes_and_the_other_way_round() -> None:
    async with control_room() as room:
        async with room.http() as http:
            paths = await described(http)
        found = {match[1] for path in paths if (match := re.fullmatch(r"/v1/positions/\{id_\}/([a-z-]+)", path))}
        assert found == set(ACTS) | BY_OTHERS
        taker = await room.console("desk-1")
        for name, act in ACTS.items():
            try:
                await act(taker)
            except DriverError as error:
                assert re.search(r"refused with (404: there is no (call|position)|409)", str(error)), name
                assert "Not Found" not in str(error)


async def test_each_act_about_something_named_is_one_that_the_interface_describes_and_the_other_way_round() -> None:
    async with control_room() as room:
        async with room.http() as http:
            paths = await described(http)
        prefix = "/v1/positions/{id_}/"
        named = {path.removeprefix(prefix) for path in paths if path.startswith(prefix) and "{" in path[len(prefix) :]}
        assert named == set(NAMED_ACTS)
        dispatcher = await room.console("desk-1")
        for name, act in {**NAMED_ACTS, **LOOKS_AT_A_CONSOLE}.items():
            try:
                await act(dispatcher)
            except DriverError as error:
                assert "Not Found" not in str(error), name


async def test_each_look_of_a_supervisor_is_one_that_the_interface_describes_and_the_other_way_round() -> None:
    async with control_room() as room:
        async with room.http() as http:
            paths = await described(http)
        seen = {path for path in paths if not re.match(r"/v1/(positions|incidents|status|workforce)", path)}
        assert seen == set(LOOKS) | set(LOOKS_AT_A_CONSOLE)
        supervisor = room.supervisor()
        for name, look in LOOKS.items():
            try:
                await look(supervisor)
            except DriverError as error:
                told = "no alarm 'A-0001' stands" if "alarms" in name else "there is no call record 'R-000001'"
                assert told in str(error), name


async def test_a_supervisor_is_told_what_an_interface_answers_that_is_none() -> None:
    async with control_room() as room:
        host, port = room.iccs.sip_address  # a SIP port takes no HTTP
        supervisor = Supervisor.open(room.context, "lost", control=f"http://{host}:{port}")
        room.at_the_end(supervisor.close)
        with pytest.raises(DriverError, match="lost: wallboard got no answer: RemoteProtocolError"):
            await supervisor.wallboard()
    async with control_room({"control_token": "right"}) as room:
        stranger = Supervisor.open(room.context, "stranger", control=room.iccs.control_url, token="wrong")
        room.at_the_end(stranger.close)
        with pytest.raises(DriverError, match="stranger: wallboard was refused with 401"):
            await stranger.wallboard()
        known = Supervisor.open(room.context, "known", control=room.iccs.control_url, token="right")
        room.at_the_end(known.close)
        assert "emergency" in (await known.wallboard())["queues"]
