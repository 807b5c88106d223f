"""The radio terminal driver against the simulated network, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import numpy as np
import pytest

from harness.drivers.radio import RadioTerminal
from harness.endpoints.media import open_media
from harness.errors import DriverError, InterlockError, PeiLocalError
from harness.protocols.pei.unsolicited import GroupReport, OperatingMode
from harness.protocols.tetra.lip import ShortLocation
from harness.transport.context import Context
from harness.transport.virtual_loop import VirtualLoop
from simulators.radio.config import RadioConfig, TerminalConfig
from simulators.radio.network import RadioNetwork

TALKGROUPS = {"GD-OPS-1": 2001, "GD-OPS-2": 2002}
TONE = (8000 * np.sin(2 * np.pi * 700 * np.arange(8000) / 8000)).astype(np.int16)


class Field:
    """A network and a driver on each of two terminals."""

    context: Context
    officer: RadioTerminal
    sergeant: RadioTerminal
    network: RadioNetwork

    @classmethod
    async def up(cls, permit: Callable[[str, str, int], None] | None = None) -> Field:
        """Everything started; both on GD-OPS-1."""
        field = cls()
        field.context = context = Context.create(seed=5)
        media = await open_media(context, in_process=True)
        config = RadioConfig(
            talkgroups=TALKGROUPS,
            terminals=[TerminalConfig("officer", 4001234), TerminalConfig("sergeant", 4001235)],
        )
        field.network = network = await RadioNetwork.start(context, media, config, virtual=True)
        urls = {(each["name"], each["kind"]): each["url"] for each in network.addresses()}
        opened = []
        for name in ("officer", "sergeant"):
            terminal = await RadioTerminal.open(
                context,
                media,
                name,
                serial=urls[name, "serial"],
                baud=115_200,
                audio=urls[name, "rtp"],
                talkgroups=TALKGROUPS,
                permit=permit,
            )
            await terminal.select("GD-OPS-1")
            opened.append(terminal)
        field.officer, field.sergeant = opened
        return field


def virtually(main: Callable[[], Awaitable[None]]) -> None:
    """Runs a test in virtual time."""

    async def bounded() -> None:
        async with asyncio.timeout(600):
            await main()

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(1)) as runner:
        runner.run(bounded())


def test_what_one_says_the_other_is_shown_and_hears() -> None:
    async def main() -> None:
        field = await Field.up()
        journal = field.context.journal
        await field.sergeant.record()
        began = await field.officer.say(TONE)
        granted = await journal.expect("officer", "ptt.granted", within=0, talkgroup="GD-OPS-1")
        assert 240 < granted.data["grant_ms"] < 380
        shown = await journal.expect("sergeant", "talker.shown", within=1, issi=4001234)
        assert shown.data["talkgroup"] == "GD-OPS-1"
        heard = await journal.expect("sergeant", "voice.heard", within=1)
        assert 0 < heard.time - began < 0.3
        await journal.expect("sergeant", "talker.ended", within=1, talkgroup="GD-OPS-1")
        recording = await field.sergeant.recorded()
        assert np.count_nonzero(np.abs(recording.samples.astype(int)) > 1000) > 0.98 * 8000 * 0.92
        await journal.expect("officer", "call.ended", within=10, cause="13 (expiry of timer)")
        await field.officer.close()
        await field.sergeant.close()

    virtually(main)


def test_the_key_is_queued_behind_another_and_pre_empted_by_an_emergency() -> None:
    async def main() -> None:
        field = await Field.up()
        journal = field.context.journal
        await field.officer.key()
        await journal.expect("sergeant", "talker.shown", within=1)
        waiting = asyncio.ensure_future(field.sergeant.key())
        await journal.expect("sergeant", "ptt.queued", within=1)
        await asyncio.sleep(1)
        await field.officer.unkey()
        assert (await waiting).granted
        await journal.expect("officer", "talker.shown", within=1, issi=4001235)
        assert (await field.officer.key(priority=15)).granted
        await journal.expect("sergeant", "ptt.pre_empted", within=1)
        with pytest.raises(DriverError, match="not pressed"):
            await field.sergeant.unkey()
        with pytest.raises(DriverError, match="pressed already"):
            await field.officer.key()

    virtually(main)


def test_a_terminal_that_rebooted_while_it_talked_is_told_everything_anew_at_the_next_press() -> None:
    async def main() -> None:
        field = await Field.up()
        journal = field.context.journal
        await field.officer.key()
        field.network.power_cycle(field.network.terminal(4001234))
        with pytest.raises(PeiLocalError, match="no final result"):
            await field.officer.unkey()
        await asyncio.sleep(20)
        after = journal.position
        assert (await field.officer.key()).granted
        await journal.expect("sergeant", "talker.shown", within=1, after=after, issi=4001234)
        await field.officer.unkey()
        await asyncio.sleep(1)
        assert (await field.sergeant.key()).granted
        await journal.expect("officer", "talker.shown", within=1, after=after, issi=4001235)
        await field.sergeant.send_text("heard again", to=4001234)
        await journal.expect("officer", "sds.received", within=1, text="heard again")

    virtually(main)


def test_a_repeater_that_is_seen_in_direct_mode_is_no_talkgroup_that_was_given() -> None:
    async def main() -> None:
        field = await Field.up()
        journal = field.context.journal
        terminal = field.network.terminal(4001234)
        report = GroupReport(2, "1001", "90116383", 0)
        terminal.tell(OperatingMode(1))
        terminal.tell(report)
        await journal.expect("officer", "gateway.seen", within=1, issi=1001)
        assert journal.find("officer", "group.given") is None
        terminal.tell(OperatingMode(0))
        terminal.tell(report)
        await journal.expect("officer", "group.given", within=1, talkgroup="1001")

    virtually(main)


def test_messages_both_ways() -> None:
    async def main() -> None:
        field = await Field.up()
        journal = field.context.journal
        assert (await field.officer.send_status(32773, to=4001235)).sent
        await journal.expect("sergeant", "status.received", within=1, value=32773, issi=4001234)
        await field.officer.send_text("on scene", to=4001235, report=True)
        await journal.expect("sergeant", "sds.received", within=1, text="on scene")
        await journal.expect("officer", "sds.report", within=1)
        assert not (await field.officer.send_text("nobody", to=4009999)).sent
        await field.officer.send_location(ShortLocation(-4.2518, 55.8642), to=4001235)
        place = await journal.expect("sergeant", "location.received", within=1)
        assert (place.data["lat"], place.data["lon"]) == pytest.approx((55.8642, -4.2518), abs=1e-4)
        assert await field.officer.own_identity() == "00010000104001234"

    virtually(main)


def test_a_talkgroup_that_the_plan_lacks_is_refused_by_name() -> None:
    async def main() -> None:
        field = await Field.up()
        for act in (field.officer.select("GD-OPS-9"), field.officer.key("GD-OPS-9")):
            with pytest.raises(DriverError, match="GD-OPS-9"):
                await act
        outcomes = await asyncio.gather(field.officer.key(), field.officer.key(), return_exceptions=True)
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["DriverError", "KeyOutcome"]

    virtually(main)


def test_an_armed_interlock_stops_key_and_messages() -> None:
    async def main() -> None:
        asked = []

        def refuse(what: str, target: str, priority: int) -> None:
            asked.append((what, target, priority))
            raise InterlockError(what)

        field = await Field.up(refuse)
        for act in (
            field.officer.key(),
            field.officer.key(priority=15),
            field.officer.send_text("x", to=4001235),
            field.officer.send_status(0, to=4001235),
        ):
            with pytest.raises(InterlockError):
                await act
        assert asked == [
            ("key", "2001", 0),
            ("key", "2001", 15),
            ("message", "4001235", 0),
            ("message", "4001235", 15),
        ]
        await asyncio.sleep(1)
        journal = field.context.journal
        assert not [event for event in journal if event.kind.startswith("net.") and event.source == "radio"][2 + 1 :]
        assert not journal.find("sergeant", "radio.call_in")

    virtually(main)


def test_an_emergency_of_which_one_part_is_not_permitted_leaves_nothing() -> None:
    async def main() -> None:
        def refuse_places(what: str, _target: str, priority: int) -> None:
            if (what, priority) == ("message", 0):
                raise InterlockError(what)

        field = await Field.up(refuse_places)
        with pytest.raises(InterlockError):
            await field.officer.raise_emergency(location=ShortLocation(longitude=-4.25, latitude=55.86))
        await asyncio.sleep(1)
        journal = field.context.journal
        for kind in ("radio.call_in", "status.received", "location.received"):
            assert not journal.find("sergeant", kind)
        assert not journal.find("officer", "emergency.pressed")

    virtually(main)


def test_an_emergency_is_a_call_a_status_and_a_place() -> None:
    async def main() -> None:
        field = await Field.up()
        await field.officer.raise_emergency(location=ShortLocation(longitude=-4.25, latitude=55.86))
        call = await field.context.journal.expect("sergeant", "radio.call_in", within=1.0)
        assert call.data["priority"] == 15
        await field.context.journal.expect("sergeant", "status.received", within=1.0, value=0)
        await field.context.journal.expect("sergeant", "location.received", within=1.0)

    virtually(main)


def test_a_key_cancelled_by_its_user_leaves_the_floor_free() -> None:
    async def main() -> None:
        field = await Field.up()
        pressed = asyncio.ensure_future(field.officer.key())
        await asyncio.sleep(0.1)
        pressed.cancel()
        with pytest.raises(asyncio.CancelledError):
            await pressed
        await field.context.journal.expect("officer", "ptt.denied", within=0, reason="let go")
        await asyncio.sleep(1)
        assert (await field.sergeant.key()).granted

    virtually(main)


def test_a_network_that_stops_is_told_to_whoever_waits() -> None:
    async def main() -> None:
        context = Context.create(seed=5)
        media = await open_media(context, in_process=True)
        config = RadioConfig(talkgroups=TALKGROUPS, terminals=[TerminalConfig("officer", 4001234, "GD-OPS-1")])
        network = await RadioNetwork.start(context, media, config, virtual=True)
        urls = {each["kind"]: each["url"] for each in network.addresses()}
        officer = await RadioTerminal.open(
            context, media, "officer", serial=urls["serial"], baud=115_200, audio=urls["rtp"], talkgroups=TALKGROUPS
        )
        await officer.select("GD-OPS-1")
        pressed = asyncio.ensure_future(officer.key())
        await asyncio.sleep(0.05)
        await network.stop()
        with pytest.raises(PeiLocalError, match="gone"):
            await pressed
        await context.journal.expect("officer", "pei.lost", within=1)
        await officer.close()

    virtually(main)
