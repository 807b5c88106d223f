"""The radio network's control interface in virtual time: who gets a group, which microphone opens, what is cut off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from harness.drivers.radio_network import RadioNetworkControl
from harness.endpoints.media import open_media
from harness.endpoints.pei import TerminalEquipment
from harness.errors import DriverError, LocalError, PeiLocalError
from harness.protocols.pei.mobile_terminal import MAX_DYNAMIC_GROUPS
from harness.transport.context import Context
from harness.transport.https import http_client
from simulators.radio.config import Delay, Delays, RadioConfig, TerminalConfig
from simulators.radio.control import NetworkControl
from simulators.radio.network import RadioNetwork
from simulators.radio.regrouping import MAX_GROUPINGS

pytestmark = pytest.mark.virtual_time

OFFICER, SERGEANT, AWAY, OFF = 4001234, 4001235, 4001236, 4001237
OWN, OTHER = 2001, 2002
CONFIG = RadioConfig(
    talkgroups={"GD-OPS-1": OWN, "GD-OPS-2": OTHER},
    terminals=[
        TerminalConfig("officer", OFFICER, "GD-OPS-1", site="near"),
        TerminalConfig("sergeant", SERGEANT, "GD-OPS-1", site="near"),
        TerminalConfig("away", AWAY, "GD-OPS-1", site="far"),
        TerminalConfig("off", OFF, "GD-OPS-1", site="near", registered=False),
    ],
    sites=("near", "far"),
    delays=Delays(regroup=Delay(0.5, 1.0), change_over=Delay(2.0, 3.0)),
    hang_time_s=1.0,
    boot_s=5.0,
    seed=7,
)


class Air:
    """A network with its control interface, and an equipment on each line."""

    def __init__(self, context: Context, network: RadioNetwork, url: str) -> None:
        self.context, self.network, self.url = context, network, url
        self.journal = context.journal
        self.http = http_client(f"{url}/v1", timeout=5.0)
        self.lines: dict[str, TerminalEquipment] = {}
        self.control: RadioNetworkControl

    def __getitem__(self, name: str) -> TerminalEquipment:
        return self.lines[name]

    async def ask(self, method: str, path: str, body: dict[str, Any] | None = None, *, status: int = 202) -> Any:
        """The answer, which must have this status."""
        answer = await self.http.request(method, path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    async def give(self, *issis: int, **more: Any) -> int:
        """Give a group, and wait until each had time to take it."""
        given = await self.ask("POST", "/groups", {"name": "Heron", "issis": issis, **more})
        await asyncio.sleep(2.0)
        return int(given["gssi"])

    def lines_of(self, name: str, prefix: str) -> list[str]:
        """Kinds of events of a terminal's line that begin so."""
        return [e.kind for e in self.journal if e.source == name and e.kind.startswith(prefix)]


@asynccontextmanager
async def air(config: RadioConfig = CONFIG, *, media: bool = False) -> AsyncIterator[Air]:
    context = Context.create(seed=1)
    service = await open_media(context, in_process=True) if media else None
    network = await RadioNetwork.start(context, service, config, virtual=True)
    control = await NetworkControl.start(network)
    there = Air(context, network, control.url)
    for address in network.addresses():
        if address["kind"] == "serial":
            te = await TerminalEquipment.open(context, address["name"], address["url"], baud=115_200, permit=None)
            await te.register_services()
            there.lines[address["name"]] = te
    there.control = await RadioNetworkControl.open(context, "network", control=control.url)
    try:
        yield there
    finally:
        await there.control.close()
        await there.http.aclose()
        await control.stop()
        for te in there.lines.values():
            te.close()
        await network.stop()
        if service is not None:
            await service.close()


async def test_a_new_group_is_given_and_those_who_have_it_talk_on_it() -> None:
    async with air() as net:
        gssi = await net.give(OFFICER, SERGEANT)
        shown = await net.ask("GET", f"/groups/{gssi}", status=200)
        assert shown["units"] == {str(OFFICER): "attached", str(SERGEANT): "attached"}
        assert (shown["attached"], shown["of"]) == (2, 2)
        assert int((await net["officer"].selected_group())[-8:]) == gssi
        outcome = await net["officer"].key(gssi)
        assert outcome.granted
        await net.journal.expect("sergeant", "radio.talker", within=1.0, issi=OFFICER)
        assert net.lines_of("away", "radio.talker") == []
        await net["officer"].unkey(outcome.cc)


async def test_a_group_that_is_not_to_be_turned_to_is_had_and_the_talkgroup_kept() -> None:
    async with air() as net:
        gssi = await net.give(OFFICER, attach=False)
        assert (await net.ask("GET", f"/groups/{gssi}", status=200))["units"] == {str(OFFICER): "assigned"}
        assert int((await net["officer"].selected_group())[-8:]) == OWN
        await net["officer"].select_group(gssi)


async def test_one_out_of_reach_is_told_so_and_gets_its_group_when_it_comes_back() -> None:
    async with air() as net:
        await net["officer"].command("AT+CTOM=1")
        gssi = await net.give(OFFICER, OFF)
        units = (await net.ask("GET", f"/groups/{gssi}", status=200))["units"]
        assert units == {str(OFFICER): "out of reach", str(OFF): "out of reach"}
        await net["officer"].command("AT+CTOM=0")
        await asyncio.sleep(2.0)
        units = (await net.ask("GET", f"/groups/{gssi}", status=200))["units"]
        assert units == {str(OFFICER): "attached", str(OFF): "out of reach"}


async def test_one_that_was_out_of_reach_when_a_group_was_taken_gives_it_back_later() -> None:
    async with air() as net:
        gssi = await net.give(OFFICER)
        await net["officer"].command("AT+CTOM=1")
        await net.ask("DELETE", f"/groups/{gssi}")
        await net.control.expect("group.kept", within=2.0, issi=OFFICER)
        await net["officer"].command("AT+CTOM=0")
        await net.control.expect("group.unit", within=2.0, issi=OFFICER, state="removed")
        assert int((await net["officer"].selected_group())[-8:]) == OWN


async def test_a_radio_that_reboots_is_given_its_group_again() -> None:
    config = RadioConfig(
        talkgroups=dict(CONFIG.talkgroups),
        terminals=[TerminalConfig("officer", OFFICER, "GD-OPS-1", personality="sepura-like")],
        boot_s=5.0,
        seed=7,
    )
    context = Context.create(seed=1)
    network = await RadioNetwork.start(context, None, config, virtual=True)
    control = await NetworkControl.start(network)
    te = await TerminalEquipment.open(context, "officer", network.addresses()[0]["url"], baud=115_200, permit=None)
    async with http_client(f"{control.url}/v1", timeout=5.0) as http:
        gssi = (await http.post("/groups", json={"name": "Heron", "issis": [OFFICER]})).json()["gssi"]
        await asyncio.sleep(5.0)
        await te.command("ATZ")
        await asyncio.sleep(2.0)
        down = (await http.get(f"/terminals/{OFFICER}")).json()
        assert (down["reached"], down["groups_given"]) == (False, [])
        await asyncio.sleep(10.0)
        up = (await http.get(f"/terminals/{OFFICER}")).json()
        assert (up["reached"], up["gssi"], up["groups_given"]) == (True, gssi, [gssi])
    te.close()
    await control.stop()
    await network.stop()


async def test_a_radio_that_is_full_says_so_and_a_network_gives_so_many_groups() -> None:
    async with air() as net:
        for _ in range(MAX_DYNAMIC_GROUPS):
            await net.ask("POST", "/groups", {"name": "more", "issis": [OFFICER], "attach": False})
        await asyncio.sleep(2.0)
        gssi = await net.give(OFFICER)
        assert (await net.ask("GET", f"/groups/{gssi}", status=200))["units"] == {str(OFFICER): "full"}
        for _ in range(MAX_GROUPINGS - MAX_DYNAMIC_GROUPS - 1):
            await net.ask("POST", "/groups", {"name": "more", "issis": [OFF], "attach": False})
        refused = await net.ask("POST", "/groups", {"name": "more", "issis": [OFF]}, status=409)
        assert refused["detail"] == f"{MAX_GROUPINGS} groups are given already"


async def test_a_group_taken_in_the_middle_of_its_call_takes_its_members_out_of_it() -> None:
    async with air() as net:
        gssi = await net.give(OFFICER, SERGEANT)
        await net["officer"].key(gssi)
        await net.journal.expect("sergeant", "radio.talker", within=1.0)
        await net.ask("DELETE", f"/groups/{gssi}")
        for name in ("officer", "sergeant"):
            await net.journal.expect(name, "radio.released", within=2.0)
        outcome = await net["officer"].key(OWN)
        assert outcome.granted
        await net.journal.expect("sergeant", "radio.talker", within=1.0, after=net.journal.position - 20)


async def test_a_disabled_terminal_may_not_even_register_after_a_change_of_mode_until_it_is_enabled() -> None:
    async with air() as net:
        await net.ask("PUT", f"/terminals/{OFFICER}/disabled")
        again = await net.ask("PUT", f"/terminals/{OFFICER}/disabled", status=409)
        assert again["detail"] == f"terminal {OFFICER} is disabled already"
        await net.journal.expect("officer", "radio.registration", within=2.0, state="3 (registration rejected)")
        with pytest.raises(PeiLocalError, match="30"):
            await net["officer"].key(OWN)
        await net["officer"].command("AT+CTOM=1")
        await net["officer"].command("AT+CTOM=0")
        assert not (await net.control.terminal(OFFICER))["reached"]
        await net.ask("DELETE", f"/terminals/{OFFICER}/disabled")
        await net.journal.expect("officer", "radio.registration", within=2.0, state="1 (registered, home network)")
        assert (await net["officer"].key(OWN)).granted
        refused = await net.ask("DELETE", f"/terminals/{OFFICER}/disabled", status=409)
        assert refused["detail"] == f"terminal {OFFICER} is not disabled"


async def test_one_disabled_while_out_of_reach_is_known_as_such_and_not_told() -> None:
    async with air() as net:
        await net.ask("PUT", f"/terminals/{OFF}/disabled")
        await net.control.expect("terminal.disabled", within=2.0, issi=OFF, told=False)
        assert (await net.control.terminal(OFF))["disabled"]


async def test_a_cut_off_site_is_a_network_of_its_own_and_then_one_with_the_rest() -> None:
    async with air() as net:
        talking = await net["officer"].key(OWN)
        await net.journal.expect("away", "radio.talker", within=1.0)
        await net.control.cut_site("far")
        await net.journal.expect("away", "radio.released", within=1.0)
        await net.journal.expect("away", "radio.registration", within=1.0, state="2 (not registered)")
        with pytest.raises(PeiLocalError, match="30"):
            await net["away"].key(OWN)
        await net.control.expect("site.fallback", within=4.0, site="far")
        await net.journal.expect("away", "radio.cell", within=1.0, location_area=1002)
        alone = await net["away"].key(OWN)
        assert alone.granted, "the site has a floor of its own, whoever talks elsewhere"
        sent = await net["away"].send_text(OFFICER, "anybody?")
        assert not sent.sent
        assert await net.give(AWAY) and net.lines_of("away", "radio.regrouped") == []
        await net["away"].unkey(alone.cc)
        await net["officer"].unkey(talking.cc)
        await net.control.restore_site("far")
        await net.control.expect("site.wide_again", within=4.0, site="far")
        await net.journal.expect("away", "radio.regrouped", within=2.0)
        assert (await net["away"].send_text(OFFICER, "back")).sent


async def test_a_link_that_comes_back_before_the_site_fell_back_leaves_it_with_the_rest() -> None:
    async with air() as net:
        await net.control.cut_site("far")
        await asyncio.sleep(0.5)
        await net.control.restore_site("far")
        await asyncio.sleep(4.0)
        assert [each["fallback"] for each in await net.control.sites()] == [False, False]
        assert net.journal.find("network", "site.fallback") is None
        await net["officer"].key(OWN)
        await net.journal.expect("away", "radio.talker", within=1.0)


async def test_a_microphone_is_opened_once_and_closed_when_its_terminal_goes() -> None:
    async with air(media=True) as net:
        body = {"issi": AWAY, "host": "127.0.0.1", "port": 40_000}
        opened = await net.ask("POST", "/ambience", body, status=201)
        refused = await net.ask("POST", "/ambience", body, status=409)
        assert refused["detail"] == f"the microphone of {AWAY} is open already"
        assert [each["id"] for each in await net.ask("GET", "/ambience", status=200)] == [opened["id"]]
        await net.control.cut_site("far")
        ended = await net.control.expect("ambience.ended", within=2.0, id=opened["id"])
        assert ended.data["reason"] == "out of reach"
        gone = await net.ask("DELETE", f"/ambience/{opened['id']}", status=404)
        assert "no microphone is open" in gone["detail"]
        refused = await net.ask("POST", "/ambience", body, status=409)
        assert refused["detail"] == f"terminal {AWAY} is out of reach"
        elsewhere = await net.ask("POST", "/ambience", {**body, "issi": OFFICER, "host": "192.0.2.1"}, status=409)
        assert "sends to loopback alone" in elsewhere["detail"]


async def test_a_network_without_media_opens_no_microphone() -> None:
    async with air() as net:
        body = {"issi": OFFICER, "host": "127.0.0.1", "port": 40_000}
        assert (await net.ask("POST", "/ambience", body, status=409))["detail"] == "this network carries no speech"


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/terminals/4999999", None, 404),
        ("GET", "/terminals/0", None, 422),
        ("GET", "/groups/15000001", None, 404),
        ("DELETE", "/groups/15000001", None, 404),
        ("POST", "/groups", {"name": "x", "issis": [OFFICER, 4999999]}, 404),
        ("POST", "/groups", {"name": "x", "issis": []}, 422),
        ("POST", "/groups", {"name": "", "issis": [OFFICER]}, 422),
        ("POST", "/groups", {"name": "x", "issis": [OFFICER], "more": 1}, 422),
        ("POST", "/groups", {"name": "x", "issis": [16_777_216]}, 422),
        ("PUT", "/sites/nowhere/link", {"up": False}, 404),
        ("PUT", "/sites/near/link", {"up": "perhaps"}, 422),
        ("POST", "/ambience", {"issi": OFFICER, "host": "127.0.0.1", "port": 65536}, 422),
    ],
)
async def test_bad_input_is_refused_by_name(method: str, path: str, body: dict[str, Any] | None, status: int) -> None:
    async with air() as net:
        answer = await net.http.request(method, path, json=body)
        assert (answer.status_code, bool(answer.json()["detail"])) == (status, True)
        assert await net.ask("GET", "/groups", status=200) == []


async def test_beyond_loopback_a_token_is_needed_and_asked_for() -> None:
    context = Context.create(seed=1)
    network = await RadioNetwork.start(context, None, CONFIG, virtual=True)
    with pytest.raises(LocalError, match="needs 'control_token'"):
        await NetworkControl.start(network, ("0.0.0.0", 0))
    control = await NetworkControl.start(network, token="right")
    with pytest.raises(DriverError):
        await RadioNetworkControl.open(context, "stranger", control=control.url, token="wrong")
    known = await RadioNetworkControl.open(context, "known", control=control.url, token="right")
    assert len(await known.sites()) == 2
    await known.close()
    await control.stop()
    await network.stop()


def test_a_terminal_at_no_site_of_the_network_is_named() -> None:
    with pytest.raises(LocalError, match="terminal officer: no site 'moon'; there is main"):
        RadioConfig(talkgroups={}, terminals=[TerminalConfig("officer", OFFICER, site="moon")])
    with pytest.raises(LocalError, match="each of its own name"):
        RadioConfig(talkgroups={}, sites=("a", "a"))
