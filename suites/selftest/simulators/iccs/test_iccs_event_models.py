"""What consoles and wallboards are told is as the AsyncAPI document says: event by event, and kind by kind."""

from __future__ import annotations

import ast
import asyncio
import json
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from harness.cli.places import SIMULATED_TESTBED
from harness.journal import Journal
from harness.scenario.load import load_scenario
from harness.scenario.player import Player
from harness.testbed.bench import open_bench
from harness.testbed.load import load_testbed
from simulators.iccs import desk as desk_module
from simulators.iccs import positions as positions_module
from simulators.iccs.api.described_events import document
from simulators.iccs.event_models import KINDS, WALLBOARD, unlike
from simulators.iccs.positions import Positions
from simulators.iccs.settings import PositionSettings

ICCS = Path(positions_module.__file__).parent
SCENARIOS = Path("fixtures/scenarios")
TELLS = ("tell", "_tell", "_tell_all", "_tell_owner", "tell_privately")
"""Methods that tell consoles of an event whose kind stands there."""
DOCUMENT = json.loads(json.dumps(document("ICCS", "1")))


def validator(kind: str) -> Any:
    payload = DOCUMENT["components"]["messages"][kind]["payload"]
    schema = {"$ref": "#/payload", "payload": payload, "components": DOCUMENT["components"]}
    return jsonschema_rs.Draft202012Validator(schema)


@pytest.mark.virtual_time
@pytest.mark.parametrize(
    "scenario",
    [
        "01-domestic-in-progress",
        "02-silent-999",
        "03-officer-emergency",
        "05-pursuit-west-to-east",
        "09-command-control-lost",
    ],
)
async def test_each_event_that_a_run_sends_fits_the_document(scenario: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, Any]] = []
    real = Positions.tell_privately

    def noted(self: Positions, position: Any, kind: str, data: dict[str, Any], noted: dict[str, Any]) -> None:
        sent.append({"time": 1.0, "kind": kind, "data": json.loads(json.dumps(data))})
        real(self, position, kind, data, noted)

    monkeypatch.setattr(Positions, "tell_privately", noted)
    wallboards: list[dict[str, Any]] = []
    shown = desk_module.OperatorDesk.wallboard

    def seen(self: desk_module.OperatorDesk) -> dict[str, Any]:
        wallboards.append(shown(self))
        return wallboards[-1]

    monkeypatch.setattr(desk_module.OperatorDesk, "wallboard", seen)
    async with open_bench(
        load_testbed(SIMULATED_TESTBED), today=date(2026, 1, 1), addresses=None, virtual=True, seed=1
    ) as bench:
        supervisor = await bench.supervisor()
        result = await Player(load_scenario(SCENARIOS / f"{scenario}.yaml"), bench).play()
        await supervisor.queue("emergency")
    assert result.outcome == "passed"
    assert len({event["kind"] for event in sent}) > 5
    for event in sent:
        validator(event["kind"]).validate(event)
    assert wallboards
    for figures in wallboards:
        data = json.loads(json.dumps(figures))
        validator(WALLBOARD).validate({"time": data["time"], "kind": WALLBOARD, "data": data})


@pytest.mark.parametrize(
    ("kind", "data", "told"),
    [
        ("ptt.granted", {"talkgroup": "GD-OPS-1"}, ""),
        ("ptt.granted", {}, "ptt.granted: talkgroup: Field required"),
        ("ptt.granted", {"talkgroup": 1}, "ptt.granted: talkgroup: Input should be a valid string"),
        ("ptt.granted", {"talkgroup": "GD-OPS-1", "more": 1}, "ptt.granted: more: Extra inputs are not permitted"),
        ("ptt.gnarted", {"talkgroup": "GD-OPS-1"}, "ptt.gnarted: there is no such kind"),
    ],
)
def test_what_is_unlike_its_model_is_told_and_does_not_fit_the_document(
    kind: str, data: dict[str, Any], told: str
) -> None:
    assert unlike(kind, data) == told
    if kind in KINDS:
        assert validator(kind).is_valid({"time": 1.0, "kind": kind, "data": data}) is (told == "")


@pytest.mark.unlike_on_purpose
@pytest.mark.virtual_time
async def test_an_event_that_is_unlike_its_model_is_sent_and_warned_of() -> None:
    journal = Journal(asyncio.get_running_loop().time)
    positions = Positions([PositionSettings(id="one", role="call_taker")], journal)
    at = positions.get("one")
    stream = positions.open_stream(at)
    positions.tell(at, "ptt.granted", talkgroup=7)
    event = stream.get_nowait()
    assert event is not None and event["data"] == {"talkgroup": 7}
    (warned,) = [each for each in journal if each.kind == "event.unlike_its_model"]
    assert warned.data["reason"] == "ptt.granted: talkgroup: Input should be a valid string"


def test_every_kind_that_is_written_in_the_simulator_has_a_model() -> None:
    written = set()
    for file in ICCS.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if node.func.attr in TELLS:
                written |= {
                    each.value
                    for each in node.args[:3]
                    if isinstance(each, ast.Constant) and isinstance(each.value, str) and "." in each.value
                }
    assert len(written) > 60
    assert written <= set(KINDS)


def test_the_document_refers_to_nothing_that_it_has_not() -> None:
    def refs(at: Any) -> list[str]:
        if isinstance(at, dict):
            return [each for key, value in at.items() for each in ([value] if key == "$ref" else refs(value))]
        return [each for value in at for each in refs(value)] if isinstance(at, list) else []

    assert DOCUMENT["asyncapi"] == "3.0.0"
    found = refs(DOCUMENT)
    assert len(found) > 2 * len(KINDS)
    for ref in found:
        at = DOCUMENT
        for part in ref.removeprefix("#/").split("/"):
            at = at[part]
    for kind in (*KINDS, WALLBOARD):
        assert DOCUMENT["components"]["messages"][kind]["summary"], kind
