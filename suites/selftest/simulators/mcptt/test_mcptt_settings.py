"""What a simulated MCPTT server is told: what does not fit together is refused by name, bounds hold."""

from __future__ import annotations

from typing import Any

import pytest
from mcptt_in_virtual_time import network
from pydantic import ValidationError

from harness.errors import McpttLocalError
from harness.protocols.mcdata.sds import Payload, Wanted
from harness.protocols.mcptt.location import Place, Triggers
from harness.testbed.components.mcptt import McpttServerComponent
from simulators.mcptt import locations, short_data
from simulators.mcptt.settings import McpttSettings

ONE = "sip:officer-1@mcptt.example"
GROUPS: list[dict[str, Any]] = [{"name": "GD-OPS-1"}]


@pytest.mark.parametrize(
    ("layout", "named"),
    [
        ({"users": [{"name": "a", "calls": ["b"]}]}, "user a may call those who are no users: b"),
        ({"users": [{"name": "a"}, {"name": "a"}]}, "named twice: a"),
        ({"private": {"each": 0}}, "private.each"),
        ({"private": {"rings_s": 0}}, "private.rings_s"),
        ({"location": {"periodic_s": 0}}, "location.periodic_s"),
        ({"location": {"distance_m": 100_001}}, "location.distance_m"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(layout: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        McpttSettings.model_validate({"groups": GROUPS, **layout})


def test_a_layout_gives_the_triggers_of_its_document() -> None:
    settings = McpttSettings.model_validate({"groups": GROUPS, "location": {"periodic_s": 30, "at_log_on": True}})
    assert settings.location.triggers() == Triggers(periodic_s=30, at_log_on=True)
    assert McpttSettings.model_validate({"groups": GROUPS}).location.triggers() == Triggers()


@pytest.mark.parametrize("key", ["sip", "domain", "service", "data_service"])
def test_what_is_of_a_real_server_is_refused_beside_a_simulator(key: str) -> None:
    told = {"sip": "192.0.2.1:5060", "domain": "esn.example"}.get(key, "sip:mcptt@esn.example")
    with pytest.raises(ValidationError, match="are for a real server"):
        McpttServerComponent.model_validate(
            {"role": "mcptt_server", "binding": "simulated", "simulator": {"groups": GROUPS}, key: told}
        )


@pytest.mark.virtual_time
async def test_more_than_so_many_who_ask_for_one_place_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locations, "MAX_ASKERS", 1)
    async with network() as there:
        asked = await there.terminal("officer-1", registers=True)
        asked.locator.received = lambda _content, _info: 200  # type: ignore[method-assign]
        first, second = await there.terminal("officer-2"), await there.terminal("officer-3")
        await first.locator.ask(ONE)
        await first.locator.ask(ONE)  # the same one again
        with pytest.raises(McpttLocalError, match="486"):
            await second.locator.ask(ONE)


@pytest.mark.virtual_time
async def test_a_report_that_comes_too_late_is_passed_on_to_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locations, "ASKED_S", 0.0)
    async with network() as there:
        asked = await there.terminal("officer-1", registers=True)
        asked.locator.place = Place(55.8622, -4.3096)
        asker = await there.terminal("officer-2", registers=True)
        await asker.locator.ask(ONE)
        await there.expect("mcptt", "location.reported", user="officer-1")
        assert not there.told("officer-2", "location.told")


@pytest.mark.virtual_time
async def test_of_a_message_that_is_forgotten_no_disposition_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(short_data, "MAX_SENT", 1)
    async with network() as there:
        sender = await there.terminal("officer-1", registers=True)
        receiver = await there.terminal("officer-2", registers=True)
        two = "sip:officer-2@mcptt.example"
        old = await sender.texts.send(two, Payload.of_text("old"), wanted=Wanted.READ)
        await there.expect("officer-2", "mcdata.received", reference=old)
        new = await sender.texts.send(two, Payload.of_text("new"), wanted=Wanted.READ)
        await there.expect("officer-2", "mcdata.received", reference=new)
        with pytest.raises(McpttLocalError, match="403"):
            await receiver.texts.read(old)
        await receiver.texts.read(new)
        await there.expect("officer-1", "mcdata.disposition", reference=new, told="read")
