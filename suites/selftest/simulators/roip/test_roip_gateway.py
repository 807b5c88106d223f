"""The radio gateway as control rooms meet it: two rooms on one radio, what is received, and each fault."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.endpoints.ed137 import ControlRoom
from harness.errors import Ed137LocalError, LocalError, SipLocalError
from harness.measure.correlate import correlation
from harness.protocols.ed137.extension import Ptt, RadioState
from harness.protocols.ed137.terms import USUAL, Direction, RadioTerms
from harness.protocols.rtp.g711 import CODECS
from harness.transport.context import Context
from harness.transport.virtual_loop import VirtualLoop
from simulators.roip.air import OpenAir
from simulators.roip.arbitration import RANK
from simulators.roip.faults import Fault
from simulators.roip.settings import RadioSettings, RoipSettings
from simulators.roip.simulator import RoipGateway

RNG = np.random.default_rng(2)
NOISE = (6000 * RNG.standard_normal(8000)).clip(-20000, 20000).astype(np.int16)
SETTINGS = RoipSettings(radios=(RadioSettings(name="tower"), RadioSettings(name="spare", sessions=1)), multiplier=5)


def virtually(main: Callable[[Context], Awaitable[None]], seed: int = 1) -> str:
    async def whole() -> str:
        context = Context.create(seed=seed)
        async with asyncio.timeout(3600):
            await main(context)
        return context.journal.lines()

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(seed)) as runner:
        return runner.run(whole())


@asynccontextmanager
async def rooms(
    context: Context, *names: str, settings: RoipSettings = SETTINGS, terms: RadioTerms = USUAL
) -> AsyncIterator[tuple[RoipGateway, list[ControlRoom]]]:
    gateway = await RoipGateway.start(context, settings)
    opened = []
    try:
        for name in names:
            room = await ControlRoom.open(context, name, uri=gateway.uri("tower"))
            opened.append(room)
            await room.connect(terms)
        yield gateway, opened
    finally:
        for room in opened:
            await room.close()
        await gateway.stop()


def test_rooms_get_ids_of_their_own_and_one_that_has_left_gives_its_back() -> None:
    async def main(context: Context) -> None:
        async with rooms(context, "west", "east", "north") as (gateway, (west, east, north)):
            ids = [room.stream.said.ptt_id or room.stream.terms.ptt_id for room in (west, east, north)]  # type: ignore[union-attr]
            assert ids == [1, 2, 3]
            await east.disconnect()
            assert (await east.connect()).ptt_id == 2
            assert set(gateway.status()["radios"]["tower"]["sessions"]) == {"1", "2", "3"}

    virtually(main)


def test_the_second_who_keys_hears_ptt_mute_and_the_first_goes_on() -> None:
    async def main(context: Context) -> None:
        async with rooms(context, "west", "east") as (_, (west, east)):
            await west.key()
            with pytest.raises(Ed137LocalError, match="PTT mute: id 1 keys it with normal PTT"):
                await east.key()
            assert west.stream.heard.ptt is Ptt.NORMAL
            assert not west.stream.heard.ptt_mute
            west.unkey()
            await west.unkeyed()
            assert (await east.key()).ptt_id == 2

    virtually(main)


def test_an_emergency_takes_the_radio_and_who_had_it_hears_ptt_mute() -> None:
    async def main(context: Context) -> None:
        async with rooms(context, "west", "east") as (_, (west, east)):
            await west.key()
            heard = await east.key(Ptt.EMERGENCY)
            assert heard.ptt_id == 2
            await context.journal.expect("west", "radio.state", within=0.1, mute=True, ptt="emergency", ptt_id=2)
            east.unkey()
            await context.journal.expect("west", "radio.state", within=0.1, mute=False, ptt="normal", ptt_id=1)

    virtually(main)


def test_only_the_winners_speech_is_on_air() -> None:
    async def main(context: Context) -> None:
        async with rooms(context, "west", "east") as (gateway, (west, east)):
            air = gateway.radios["tower"].air
            assert isinstance(air, OpenAir)
            frames: list[bytes] = []
            air.on_air = frames.append
            west.stream.play(NOISE)  # nobody keys yet
            await west.stream.played()
            assert frames == []
            await west.key()
            with pytest.raises(Ed137LocalError):
                await east.key()
            east.stream.key(Ptt.NORMAL)
            east.stream.play(NOISE[::-1].copy())
            west.stream.play(NOISE)
            await west.stream.played()
            await asyncio.sleep(0.1)
            assert len(frames) == 50
            assert correlation(NOISE, CODECS["PCMA"].decode(b"".join(frames))) > 0.99

    virtually(main)


def test_what_is_received_opens_every_squelch_and_is_heard_in_every_room() -> None:
    async def main(context: Context) -> None:
        async with rooms(context, "west", "east") as (gateway, opened):
            for room in opened:
                room.stream.record()
            air = gateway.radios["tower"].air
            assert isinstance(air, OpenAir)
            air.receive(NOISE)
            for room in opened:
                told = await context.journal.expect(room.name, "radio.state", within=0.1, squelch=True)
                assert told.data["quality"] == 12
            await asyncio.sleep(1.5)
            for room in opened:
                assert correlation(NOISE, room.stream.recorded().samples) > 0.99
                assert room.stream.heard == RadioState()

    virtually(main)


def test_a_room_that_only_listens_keys_nothing_and_one_that_only_speaks_hears_nothing() -> None:
    async def main(context: Context) -> None:
        async with rooms(context, "ear", terms=RadioTerms(direction=Direction.RECEIVE)) as (gateway, (ear,)):
            with pytest.raises(Ed137LocalError, match="did not tell"):
                await ear.key()
            mouth = await ControlRoom.open(context, "mouth", uri=gateway.uri("tower"))
            await mouth.connect(RadioTerms(direction=Direction.TRANSMIT))
            gateway.receive("tower", 1.0)
            await asyncio.sleep(1.5)
            assert mouth.stream.stats.speech == 0
            assert ear.stream.stats.speech == 50
            await mouth.close()

    virtually(main)


def test_a_room_that_fails_while_it_keys_lets_the_radio_go() -> None:
    async def main(context: Context) -> None:
        async with rooms(context, "west", "east") as (_, (west, east)):
            await west.key(Ptt.EMERGENCY)
            west.stream.silent = True
            with pytest.raises(Ed137LocalError, match="mute"):
                await east.key()
            await context.journal.expect("roip.tower", "ptt.off", within=1.2)
            await east.key()

    virtually(main)


def test_an_unknown_radio_a_full_one_and_one_that_is_down_refuse() -> None:
    async def main(context: Context) -> None:
        async with rooms(context) as (gateway, _):
            for number, (user, status) in enumerate((("nobody", "404"), ("spare", ""), ("spare", "486"))):
                room = await ControlRoom.open(context, f"room-{number}", uri=gateway.uri(user))
                if status:
                    with pytest.raises(SipLocalError, match=status):
                        await room.connect()
                    await room.close()
                else:
                    held = room
                    await room.connect()
            gateway.radios["tower"].set_fault(Fault.DOWN)
            room = await ControlRoom.open(context, "late", uri=gateway.uri("tower"))
            with pytest.raises(SipLocalError, match="503"):
                await room.connect()
            await room.close()
            await held.close()

    virtually(main)


def test_r2s_that_stops_is_a_lost_link_and_comes_back() -> None:
    async def main(context: Context) -> None:
        async with rooms(context, "west") as (gateway, (west,)):
            await asyncio.sleep(1)
            gateway.set_fault("tower", Fault.R2S_STOPS, seconds=1, for_s=3)
            lost = await context.journal.expect("west", "radio.link_lost", within=1.3)
            assert 1.0 <= lost.data["silent_s"] <= 1.01
            assert not west.stream.is_up
            await asyncio.sleep(2.5)
            assert west.stream.is_up

    virtually(main)


@pytest.mark.parametrize(
    ("fault", "finding"),
    [
        (Fault.NO_EXTENSION, "a packet without the header extension that was agreed"),
        (Fault.MISLABELLED, "the layout of 2011 under 0x0067"),
    ],
)
def test_what_a_gateway_does_wrong_is_a_finding(fault: Fault, finding: str) -> None:
    async def main(context: Context) -> None:
        async with rooms(context, "west") as (gateway, _):
            await asyncio.sleep(0.5)
            gateway.set_fault("tower", fault, seconds=1, for_s=None)
            gateway.receive("tower", 1.0)
            found = await context.journal.expect("west", "radio.finding", within=1)
            assert finding in found.data["text"]

    virtually(main)


def test_a_wrong_id_is_not_taken_for_our_own() -> None:
    async def main(context: Context) -> None:
        async with rooms(context, "west") as (gateway, (west,)):
            gateway.set_fault("tower", Fault.WRONG_ID, seconds=1, for_s=None)
            with pytest.raises(Ed137LocalError, match=r"did not tell .* id 2"):
                await west.key()

    virtually(main)


def test_a_slow_radio_tells_late_by_as_much_as_was_asked() -> None:
    async def main(context: Context) -> None:
        async with rooms(context, "west") as (gateway, (west,)):
            gateway.set_fault("tower", Fault.SLOW, seconds=0.7, for_s=None)
            before = context.journal.now()
            await west.key()
            assert context.journal.now() - before == pytest.approx(0.7, abs=0.01)

    virtually(main)


def test_a_gateway_of_2009_is_understood_and_has_no_ptt_mute() -> None:
    async def main(context: Context) -> None:
        settings = RoipSettings(radios=(RadioSettings(name="tower"),), layout=2009)
        async with rooms(context, "west", "east", settings=settings) as (_, (west, east)):
            assert (await west.key()).ptt_id == 1
            with pytest.raises(Ed137LocalError, match=r"did not tell .* id 1"):
                await east.key()
            assert not [each for each in context.journal if each.kind == "radio.finding"]

    virtually(main)


def test_the_control_interface_switches_faults_and_ends_sessions() -> None:
    async def main(context: Context) -> None:
        async with (
            rooms(context, "west") as (gateway, (west,)),
            httpx.AsyncClient(base_url=gateway.control_url) as http,
        ):
            status = (await http.get("/v1/status")).json()
            assert status["radios"]["tower"]["uri"] == gateway.uri("tower")
            assert (await http.put("/v1/radios/tower/fault", json={"fault": "r2s_stops"})).status_code == 200
            assert (await http.get("/v1/status")).json()["radios"]["tower"]["fault"] == "r2s_stops"
            assert (await http.delete("/v1/radios/tower/fault")).status_code == 200
            assert (await http.put("/v1/radios/nobody/fault", json={"fault": "down"})).status_code == 404
            assert (await http.put("/v1/radios/tower/fault", json={"fault": "ill"})).status_code == 422
            assert (await http.post("/v1/radios/tower/receive", json={"seconds": 1})).status_code == 200
            assert (await http.post("/v1/radios/tower/receive", json={"seconds": 1})).status_code == 409
            assert (await http.delete("/v1/radios/tower/sessions")).json() == {"ended": 1}
            await context.journal.expect("west", "radio.ended", within=1, by="radio")
            assert not west.is_connected

    virtually(main)


def test_beyond_loopback_a_token_is_needed_and_asked_for() -> None:
    async def main(context: Context) -> None:
        with pytest.raises(LocalError, match="needs 'token'"):
            await RoipGateway.start(context, RoipSettings(host="192.0.2.1"))
        gateway = await RoipGateway.start(context, RoipSettings.model_validate({"token": "secret"}))
        async with httpx.AsyncClient(base_url=gateway.control_url) as http:
            assert (await http.get("/v1/status")).status_code == 401
            told = await http.get("/v1/status", headers={"Authorization": "Bearer secret"})
            assert told.status_code == 200
        await gateway.stop()

    virtually(main)


ROOMS = ("west", "east", "north")
ACTS = [*RANK, Ptt.OFF, "fails", "is back", "leaves", "joins"]
DONE = st.tuples(st.sampled_from(range(len(ROOMS))), st.sampled_from(ACTS))
LOSSY = SETTINGS.model_copy(update={"multiplier": 10})


@settings(max_examples=30, deadline=None)
@given(st.lists(DONE, min_size=1, max_size=12), st.sampled_from([0.0, 0.15]))
def test_whatever_rooms_do_one_has_the_radio_and_each_is_told_who(
    done: list[tuple[int, Ptt | str]], loss: float
) -> None:
    """After each act and the time in which a failed room is noticed, over a wire that may lose packets."""

    async def main(context: Context) -> None:
        async with rooms(context, *ROOMS, settings=LOSSY) as (gateway, opened):
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            keyed: dict[int, Ptt] = {}  # in the order of their keys
            for number, act in done:
                room = opened[number]
                if act == "leaves":
                    await room.disconnect()
                elif act == "joins" and not room.is_connected:
                    await room.connect()
                elif room.is_connected and isinstance(act, Ptt):
                    room.stream.key(act)
                elif room.is_connected and act in ("fails", "is back"):
                    room.stream.silent = act == "fails"
                # A radio's patience is 2 s; a keep-alive that is lost is followed by another within 0.2 s. That ten in
                # a row are lost, or all of the last 2.5 s, is not met in a lifetime of runs.
                loop.network.impairment.loss = loss
                await asyncio.sleep(4.5)
                loop.network.impairment.loss = 0.0
                for each, other in enumerate(opened):
                    now = other.stream.said.ptt if other.is_connected and not other.stream.silent else Ptt.OFF
                    if now is Ptt.OFF:
                        keyed.pop(each, None)
                    else:
                        keyed[each] = now
                best = max(keyed, key=lambda each: RANK[keyed[each]], default=None)
                winner = None if best is None else opened[best].stream.said.ptt_id
                assert gateway.status()["radios"]["tower"]["keyed_by"] == winner
                for each, other in enumerate(opened):
                    if other.is_connected:
                        heard = other.stream.heard
                        assert heard.ptt is (Ptt.OFF if best is None else keyed[best])
                        assert heard.ptt_mute == (each in keyed and each != best)

    virtually(main)
