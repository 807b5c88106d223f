"""What a console shows, kept from its events; whose turn it is; and what is taken from a browser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest

from harness.drivers.console import Console
from harness.errors import DriverError, PageError
from harness.page.play import console_state
from harness.page.play.acts import ACTS, THRIVE, do_act, read_act
from harness.page.play.console_state import ConsoleState
from harness.page.play.turns import Turns, thrive_due
from harness.scenario.load import load_scenario

SCENARIOS = Path(__file__).resolve().parents[4] / "fixtures" / "scenarios"
CALL = {"call": "call-1", "queue": "emergency", "cli": "+447700900125"}


def state() -> ConsoleState:
    return ConsoleState({"id": "govan-31", "talkgroups": ["GD-OPS-1"], "selected": ["GD-OPS-1"]}, {4001234: "officer"})


def after(*events: tuple[str, dict[str, Any]]) -> dict[str, Any]:
    at = state()
    for time, (kind, data) in enumerate(events):
        assert at.seen(kind, data, float(time))
    json.dumps(at.shown())
    return at.shown()


def test_a_call_is_shown_from_its_ringing_until_it_is_gone_with_its_place() -> None:
    place = ("location.shown", {**CALL, "latitude": 55.8, "longitude": -4.2, "radius": 12.0, "source": "AML"})
    shown = after(("call.ringing", CALL), ("call.connected", CALL), place)
    (call,) = shown["calls"]
    assert (call["state"], call["since"], call["emergency"]) == ("connected", 0.0, True)
    assert [each["source"] for each in shown["places"]] == ["AML"]
    gone = after(("call.ringing", CALL), place, ("call.cleared", CALL))
    assert gone["calls"] == [] and gone["places"] == []


def test_a_call_that_was_dialled_is_shown_at_once_and_not_once_it_is_over() -> None:
    at = state()
    at.placed("call-1", "govan-32", 1.0)
    (call,) = at.shown()["calls"]
    assert (call["state"], call["cli"], call["since"]) == ("dialled", "govan-32", 1.0)
    at.seen("call.connected", {"call": "call-1", "cli": "govan-31"}, 3.0)
    at.placed("call-1", "govan-32", 3.1)  # the answer to the dialling came after the event
    (call,) = at.shown()["calls"]
    assert (call["state"], call["cli"]) == ("connected", "govan-31")
    at.seen("call.failed", {"call": "call-2", "reason": "busy"}, 4.0)
    at.placed("call-2", "govan-33", 4.1)
    at.seen("call.cleared", {"call": "call-1"}, 5.0)
    assert at.shown()["calls"] == []


def test_who_talks_and_who_has_the_floor_is_shown() -> None:
    talks = ("talker.shown", {"talkgroup": "GD-OPS-1", "issi": 4001234, "alias": "GB 214"})
    (group,) = after(talks)["talkgroups"]
    assert (group["talker"], group["selected"]) == ("GB 214", True)
    ended = ("talker.ended", {"talkgroup": "GD-OPS-1"})
    (group,) = after(talks, ended, ("ptt.granted", {"talkgroup": "GD-OPS-1"}))["talkgroups"]
    assert (group["talker"], group["last"], group["floor"]) == ("", "GB 214", "granted")


def test_an_emergency_is_shown_until_it_is_cleared() -> None:
    emergency = {"emergency": "E-1", "issi": 4001234, "alias": "GB 214", "talkgroup": "GD-OPS-1"}
    located = ("emergency.located", {**emergency, "lat": 55.8, "lon": -4.3})
    seen = ("emergency.acknowledged", {**emergency, "acknowledged_by": "govan-31"})
    shown = after(("emergency.shown", emergency), located, seen)
    (one,) = shown["emergencies"]
    assert (one["acknowledged_by"], one["since"]) == ("govan-31", 0.0)
    assert [each["kind"] for each in shown["places"]] == ["emergency"]
    assert after(("emergency.shown", emergency), ("emergency.cleared", emergency))["emergencies"] == []


def test_loudness_and_listening_in_are_shown_as_they_are_now() -> None:
    assert after(("volume.set", {"headset_db": -6.0, "loudspeaker_db": 3.0}))["volumes"] == {
        "headset_db": -6.0,
        "loudspeaker_db": 3.0,
    }
    told = {"by": "govan-50", "of": "govan-31", "how": "whisper"}
    assert after(("oversight.began", told))["oversight"] == told
    assert after(("oversight.began", told), ("oversight.ended", {**told, "reason": "x"}))["oversight"] is None


def test_an_incident_has_its_units_and_lines() -> None:
    at = state()
    at.seen("incident.opened", {"incident": "INC-1", "title": "Test", "owner": "govan-31"}, 1.0)
    at.seen("unit.assigned", {"incident_id": "INC-1", "issi": 4001234}, 2.0)
    at.noted("INC-1", "Threat: live", 3.0)
    at.noted("INC-2", "of none", 3.0)
    (incident,) = at.shown()["incidents"]
    assert incident["units"] == ["officer"] and [line["text"] for line in incident["lines"]] == ["Threat: live"]


def test_a_console_that_is_told_much_shows_the_newest_and_no_more() -> None:
    at = state()
    for number in range(1_000):
        at.seen("call.ringing", {"call": f"call-{number}", "cli": "x" * 10_000}, float(number))
        at.seen("talker.shown", {"talkgroup": f"TG-{number}", "alias": "y" * 10_000}, float(number))
        at.seen("sds.shown", {"issi": number, "text": "z" * 10_000}, float(number))
    shown = at.shown()
    assert len(shown["calls"]) == console_state.MAX_CALLS and shown["calls"][-1]["call"] == "call-999"
    assert len(shown["talkgroups"]) == console_state.MAX_TALKGROUPS
    assert len(json.dumps(shown)) < 150_000


def test_what_is_no_business_of_a_console_is_passed_over() -> None:
    assert not state().seen("crm.shown", {}, 0.0)
    assert after(("call.cleared", {}), ("map.moved", {"lat": "north"}), ("location.shown", {}))["places"] == []


def test_the_thrive_factors_that_are_due_are_those_that_the_scenario_names() -> None:
    domestic = load_scenario(SCENARIOS / "01-domestic-in-progress.yaml")
    assert thrive_due(domestic, "call_taker") == list(THRIVE)
    assert thrive_due(domestic, "dispatcher") == []
    turns = Turns(domestic, "call_taker")
    turns.recorded("Threat")
    turns.recorded("Luck")
    assert turns.thrive == dict.fromkeys(THRIVE, False) | {"Threat": True}


def test_a_turn_is_the_persons_own_part_of_a_step_and_names_what_is_said() -> None:
    domestic = load_scenario(SCENARIOS / "01-domestic-in-progress.yaml")
    turns = Turns(domestic, "dispatcher")
    step = next(step for step in domestic.timeline if "key" in step.acts.get("dispatcher", {}))
    turn = turns.begins(step, step.told(), 5.0)
    assert turn is not None and (turn.due_s, turn.began) == (15.0, 5.0)
    assert turn.hint.startswith("Address") and not turn.told.startswith("dispatcher")
    assert turns.phrase == "dispatch"
    assert turns.begins(domestic.timeline[0], "caller: dial 999", 6.0) is None and turns.shown()["turn"] is None
    assert Turns(domestic, "call_taker").phrase == "call-taker"


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("fly", {}),
        ("answer", {"call": ""}),
        ("answer", {"call": "x" * 81}),
        ("answer", {"calls": "call-1"}),
        ("dial", {"number": "999; rm"}),
        ("key", {}),
        ("text", {"issi": 0, "text": "x"}),
        ("text", {"issi": 1, "text": "x" * 141}),
        ("thrive", {"incident": "INC-1", "factor": "Luck", "text": "x"}),
        ("grade", {"incident": "INC-1", "grade": "Priority"}),
        ("go", {"state": "home"}),
        ("hand_over", {"incident": "INC-1", "to": "../positions"}),
        ("open_incident", {"title": None}),
        ("key_groups", {"talkgroups": ["GD-OPS-1"]}),
        ("key_groups", {"talkgroups": ["GD-OPS-1"] * 17}),
        ("volume", {"headset_db": 13}),
        ("volume", {"headset_db": float("nan")}),
        ("barge", {"position": "a/b"}),
        ("operator", {"operator": "sing"}),
    ],
)
def test_an_act_that_does_not_fit_is_refused_without_telling_what_was_sent(name: str, given: dict[str, Any]) -> None:
    with pytest.raises(PageError) as refused:
        read_act(name, given)
    assert "rm" not in str(refused.value).split() and len(str(refused.value)) < 1_000


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("govan-31: dial was refused with 409: nobody is logged in at govan-50", "nobody is logged in at govan-50"),
        ("govan-31: redial: there was no call here yet", "redial: there was no call here yet"),
    ],
)
async def test_a_person_is_told_the_consoles_reason_and_no_status_code(told: str, shown: str) -> None:
    class Refusing:
        async def redial(self) -> None:
            raise DriverError(told)

    with pytest.raises(PageError) as refused:
        await do_act(cast(Console, Refusing()), "redial", {})
    assert str(refused.value) == shown


def test_every_factor_can_be_recorded() -> None:
    assert "thrive" in ACTS
    for factor in THRIVE:
        read_act("thrive", {"incident": "INC-1", "factor": factor, "text": "seen"})
