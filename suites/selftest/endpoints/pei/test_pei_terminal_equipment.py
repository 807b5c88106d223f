"""The terminal equipment on virtual lines: replies, refusals, the permit, late replies, a port that vanishes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from harness.endpoints.pei import MobileTerminal, TerminalEquipment
from harness.endpoints.pei.line import MAX_LISTENERS
from harness.errors import InterlockError, PeiLocalError, SdsError, TransportError
from harness.protocols.pei import requests as mt
from harness.protocols.pei.mobile_terminal import MobileTerminalMachine
from harness.protocols.pei.sds_code import SdsReceived
from harness.protocols.pei.unsolicited import (
    CallReleased,
    IncomingCall,
    NetworkRegistration,
    SendResult,
    TransmissionCeased,
    TransmissionGrant,
)
from harness.protocols.tetra import sds
from harness.protocols.tetra.identity import Tsi
from harness.transport.context import Context
from harness.transport.serial_line import SerialLine, offer_serial, open_serial
from harness.transport.virtual_loop import VirtualLoop

GSSI = 2001
BAUD = 115_200


def virtually(main: Callable[[], Awaitable[None]]) -> None:
    """Runs a test in virtual time."""

    async def bounded() -> None:
        async with asyncio.timeout(600):
            await main()

    with asyncio.Runner(loop_factory=lambda: VirtualLoop(1)) as runner:
        runner.run(bounded())


class Bytes:
    """A tap that keeps what was sent to equipment."""

    def __init__(self) -> None:
        self.to_equipment = b""

    def datagram(self, source: Any, target: Any, payload: bytes) -> None:
        """Not a serial line's."""

    def serial(self, line: str, payload: bytes, *, to_equipment: bool) -> None:
        """Keeps one direction."""
        if to_equipment:
            self.to_equipment += payload


class Radio:
    """A terminal on a line, and the test as its network."""

    def __init__(self) -> None:
        self.requests: list[mt.Request] = []
        self.answer: Callable[[mt.Request], None] = lambda request: None
        self.terminal: MobileTerminal

    async def offer(self, context: Context) -> Radio:
        """Offers `virtual://radio`, registered to the network."""
        machine = MobileTerminalMachine(Tsi(1, 1, 4001234), {"GD-OPS-1": GSSI}, selected=GSSI)
        self.terminal = await MobileTerminal.offer(context, "radio", machine, self._asked, baud=BAUD, virtual=True)
        machine.registration = NetworkRegistration(1, 1001, "00100001")
        return self

    def _asked(self, request: mt.Request) -> None:
        self.requests.append(request)
        self.answer(request)


async def pair(permit: Any = None) -> tuple[Context, Radio, TerminalEquipment, Bytes]:
    """A terminal and the equipment that drives it."""
    context = Context.create(seed=1)
    context.tap = tap = Bytes()  # type: ignore[assignment]
    radio = await Radio().offer(context)
    te = await TerminalEquipment.open(context, "te", radio.terminal.url, baud=BAUD, permit=permit)
    return context, radio, te, tap


def test_identity_group_and_services() -> None:
    async def main() -> None:
        context, _, te, _ = await pair()
        assert await te.register_services() == ()
        assert await te.own_tsi() == "00010000104001234"
        assert await te.selected_group() == "00010000100002001"
        await te.select_group(GSSI)
        assert context.journal.find("te", "pei.command", command="AT+CTGS=1,2001", reply="OK")

    virtually(main)


def test_a_refusal_tells_the_meaning_of_the_cme_error() -> None:
    async def main() -> None:
        _, _, te, _ = await pair()
        with pytest.raises(PeiLocalError, match=r"34 \(parameter out of range\)"):
            await te.select_group(2999)

    virtually(main)


def test_key_talk_and_unkey_in_one_call_with_the_grant_timed() -> None:
    async def main() -> None:
        context, radio, te, tap = await pair()
        await te.register_services()
        loop = asyncio.get_running_loop()

        def grant(request: mt.Request) -> None:
            if isinstance(request, mt.SetUpCall | mt.DemandTransmit):
                loop.call_later(0.3, radio.terminal.tell, TransmissionGrant(request.cc, 0))

        radio.answer = grant
        outcome = await te.key(GSSI)
        assert outcome.granted
        assert 0.3 < outcome.waited_s < 0.32
        await te.unkey(outcome.cc)
        again = await te.key(GSSI)
        assert again.cc == outcome.cc == te.call_on(GSSI)
        assert b"AT+CTXD=1,0" in tap.to_equipment
        radio.terminal.tell(CallReleased(1, 13))
        event = await context.journal.expect("te", "radio.released", within=1)
        assert dict(event.data) == {"cc": 1, "cause": "13 (expiry of timer)", "with": "2001"}
        assert te.call_on(GSSI) is None

    virtually(main)


def test_a_released_set_up_is_an_error_with_its_cause() -> None:
    async def main() -> None:
        _, radio, te, _ = await pair()
        await te.register_services()
        radio.answer = lambda request: isinstance(request, mt.SetUpCall) and radio.terminal.tell(CallReleased(1, 5))
        with pytest.raises(PeiLocalError, match="network congestion"):
            await te.key(GSSI)
        with pytest.raises(PeiLocalError, match="no answer"):
            radio.answer = lambda request: None
            await te.key(GSSI, within=1)

    virtually(main)


def test_a_queued_request_is_told_and_its_grant_waited_for() -> None:
    async def main() -> None:
        context, radio, te, _ = await pair()
        await te.register_services()
        radio.terminal.tell(IncomingCall(1, 0, 0, 0, "4001001", 1, 1, 0, 1, 1, 1, str(GSSI)))
        radio.terminal.tell(TransmissionGrant(1, 3, 0, 0, 1, "00010000104001001"))
        talker = await context.journal.expect("te", "radio.talker", within=1)
        assert dict(talker.data) == {"cc": 1, "issi": 4001001, "with": "2001"}
        radio.answer = lambda request: radio.terminal.tell(TransmissionGrant(1, 2))
        outcome = await te.key(GSSI)
        assert outcome.grant.name == "QUEUED"
        loop = asyncio.get_running_loop()
        loop.call_later(1, radio.terminal.tell, TransmissionCeased(1))
        loop.call_later(2, radio.terminal.tell, TransmissionGrant(1, 0))
        assert (await te.granted(1, within=5)).granted

    virtually(main)


def test_status_and_text_wait_for_the_networks_result_and_messages_do_not_mix() -> None:
    async def main() -> None:
        context, radio, te, _ = await pair()
        await te.register_services()
        loop = asyncio.get_running_loop()

        def deliver(request: mt.Request) -> None:
            if isinstance(request, mt.SendMessage):
                status = 4 if request.destination == 4001001 else 5
                loop.call_later(0.4, radio.terminal.tell, SendResult(request.instance, status))

        radio.answer = deliver
        first, second, third = await asyncio.gather(
            te.send_status(4001001, 32773),
            te.send_text(4001001, "on scene", report=sds.ReportRequest.RECEIVED),
            te.send_text(4001999, "nobody"),
        )
        assert (first.sent, second.sent, third.sent) == (True, True, False)
        sent = [request for request in radio.requests if isinstance(request, mt.SendMessage)]
        assert [request.payload for request in sent] == [
            b"\x80\x05",
            b"\x82\x04\x01\x01on scene",
            b"\x82\x00\x02\x01nobody",
        ]
        radio.terminal.tell(SdsReceived(12, "4001001", 0, "4001234", 0, 32, bytes.fromhex("82100001")))
        report = await context.journal.expect("te", "sds.report", within=1)
        assert dict(report.data) == {
            "issi": 4001001,
            "to": 4001234,
            "reference": 1,
            "status": 0,
            "told": "0 (received)",
        }
        with pytest.raises(SdsError):
            await te.send_text(4001001, "≥")

    virtually(main)


def refuse(what: str, target: str, priority: int) -> None:
    """An interlock that allows nothing."""
    raise InterlockError(f"{what} {target} {priority}")


@pytest.mark.parametrize(
    ("act", "asked"),
    [
        (lambda te: te.key(GSSI), "key 2001 0"),
        (lambda te: te.key(GSSI, priority=15), "key 2001 15"),
        (lambda te: te.send_text(4001001, "x"), "message 4001001 0"),
        (lambda te: te.send_status(4001001, 32773), "message 4001001 0"),
        (lambda te: te.send_status(4001001, 0), "message 4001001 15"),
        (lambda te: te.command("ATD999"), "key 999 0"),
        (lambda te: te.command(" at d 00010000100002001;"), "key 2001 0"),
        (lambda te: te.command("AT+CTXD=1,3"), "key any 15"),
        (lambda te: te.command("AT+CTSDC=0,0,0,1,1,0,1,1,0,15,0"), "key any 15"),
        (lambda te: te.command("AT+CMGS=4001001,16", body="8005"), "message 4001001 0"),
        (lambda te: te.command("AT+CTOM=0;D999"), "command AT+CTOM=0;D999 0"),
        (lambda te: te.command("AT+CTSP=2,0,0;D999"), "command AT+CTSP=2,0,0;D999 0"),
        (lambda te: te.command("ATE0D999"), "command ATE0D999 0"),
        (lambda te: te.command("A/"), "command A/ 0"),
        (lambda te: te.command("AT*VENDOR=1"), "command AT*VENDOR=1 0"),
    ],
)
def test_what_is_not_permitted_leaves_no_byte(act: Callable[[TerminalEquipment], Awaitable[Any]], asked: str) -> None:
    async def main() -> None:
        _, radio, te, tap = await pair(refuse)
        with pytest.raises(InterlockError) as refused:
            await act(te)
        assert str(refused.value) == asked
        await asyncio.sleep(1)
        assert tap.to_equipment == b""
        assert radio.requests == []
        assert (await te.command("AT")).ok  # the line itself is whole

    virtually(main)


def test_an_emergency_definition_is_remembered_until_another_is_taken() -> None:
    async def main() -> None:
        asked: list[tuple[str, str, int]] = []
        _, radio, te, _ = await pair(lambda *act: asked.append(act))
        await te.command("AT+CTSDC=0,0,0,1,1,0,1,1,0,15,0")
        with pytest.raises(PeiLocalError):
            await te.command("AT+CTSDC=0,0,0,1,1,0,1,1,0,0,0,7")  # too many parameters: refused by the terminal
        await te.command("ATD2001")
        assert ("key", "2001", 15) in asked
        radio.terminal.tell(CallReleased(1, 0))
        await te.command("AT+CTSDC=0,0,0,1,1,0,1,1,0,0,0")
        await te.command("ATD2001")
        assert asked[-1] == ("key", "2001", 0)

    virtually(main)


class Dumb:
    """Equipment that answers what the test says, when it says."""

    def __init__(self) -> None:
        self.heard = b""
        self.line: SerialLine

    async def offer(self, context: Context) -> Dumb:
        """Offers `virtual://dumb`."""
        self.line = await offer_serial(
            "dumb", receive=self._receive, lost=lambda why: None, tap=context.tap, baud=BAUD, virtual=True
        )
        return self

    def _receive(self, data: bytes) -> None:
        self.heard += data


@pytest.mark.parametrize(
    "answer",
    [
        b"\r\n+CNUMF: 6,0901160010000001\r\n\r\n+CNUMF: 0,0901160018280651\r\n\r\nOK\r\n",
        b"\r\n+CNUMF: 2,16777184\r\n0,0901160018280651\r\n\r\nOK\r\n",
        b"\r\n+CNUMF: 2\r\n\r\n0,0901160018280651\r\n\r\n6,0901160010000001\r\n\r\nOK\r\n",
    ],
)
def test_its_own_number_is_the_individual_one_wherever_the_terminal_lists_it(answer: bytes) -> None:
    async def main() -> None:
        context = Context.create(seed=1)
        dumb = await Dumb().offer(context)
        te = await TerminalEquipment.open(context, "te", dumb.line.url, baud=BAUD)
        asked = asyncio.create_task(te.own_tsi())
        await asyncio.sleep(0.1)
        assert dumb.heard == b"AT+CNUMF?\r\n"
        dumb.line.write(answer)
        assert await asked == "0901160018280651"

    virtually(main)


def test_no_reply_in_time_is_an_error_and_the_late_one_is_not_the_next_commands() -> None:
    async def main() -> None:
        context = Context.create(seed=1)
        dumb = await Dumb().offer(context)
        te = await TerminalEquipment.open(context, "te", dumb.line.url, baud=BAUD)
        with pytest.raises(PeiLocalError, match="no final result within 1 s"):
            await te.command("AT+CREG?", within=1)
        following = asyncio.ensure_future(te.command("AT+CSQ?", within=10))
        await asyncio.sleep(0.5)
        assert b"CSQ" not in dumb.heard
        dumb.line.write(b"\r\n+CREG: 1\r\n\r\nOK\r\n")
        await context.journal.expect("te", "pei.late_reply", within=1)
        await asyncio.sleep(0.1)
        assert dumb.heard.endswith(b"AT+CSQ?\r\n")
        dumb.line.write(b"\r\n+CSQ: 20,0\r\n\r\nOK\r\n")
        assert (await following).lines == ("+CSQ: 20,0",)

    virtually(main)


def test_a_terminal_that_stays_silent_blocks_the_next_command_only_so_long() -> None:
    async def main() -> None:
        context = Context.create(seed=1)
        dumb = await Dumb().offer(context)
        te = await TerminalEquipment.open(context, "te", dumb.line.url, baud=BAUD)
        for _ in range(3):
            with pytest.raises(PeiLocalError, match="no final result"):
                await te.command("AT", within=3)
        assert dumb.heard.count(b"AT\r\n") >= 2
        waiting = asyncio.ensure_future(te.command("AT", within=60))
        await asyncio.sleep(5)
        dumb.line.write(b"\r\nOK\r\n")
        assert (await waiting).ok

    virtually(main)


def test_noise_is_journalled_and_bounded_and_the_next_command_works() -> None:
    async def main() -> None:
        context = Context.create(seed=1)
        dumb = await Dumb().offer(context)
        te = await TerminalEquipment.open(context, "te", dumb.line.url, baud=BAUD)
        for _ in range(10):
            dumb.line.write(b"\xff\x00\x01" * 3000 + b"A" * 10_000)
            await asyncio.sleep(5)
        for _ in range(1000):
            dumb.line.write(b"half a line\r\n")
        await asyncio.sleep(5)
        dumb.line.write(b"\r\n")
        warnings = [event for event in context.journal if event.kind == "pei.bad_line"]
        assert 10 <= len(warnings) <= 200
        answer = asyncio.ensure_future(te.command("AT"))
        await asyncio.sleep(0.1)
        dumb.line.write(b"\r\nOK\r\n")
        assert (await answer).ok

    virtually(main)


def test_a_vanished_port_is_told_to_whoever_waits_and_reopen_recovers() -> None:
    async def main() -> None:
        context = Context.create(seed=1)
        dumb = await Dumb().offer(context)
        te = await TerminalEquipment.open(context, "te", dumb.line.url, baud=BAUD)
        waiting = [asyncio.ensure_future(te.command("AT", within=60)) for _ in range(3)]
        keyed = asyncio.ensure_future(te.key(GSSI, within=60))
        await asyncio.sleep(0.1)
        dumb.line.close()
        for task in (*waiting, keyed):
            with pytest.raises(PeiLocalError, match="gone"):
                await task
        assert context.journal.find("te", "pei.lost", severity="warning")
        with pytest.raises(PeiLocalError, match="gone"):
            await te.command("AT")
        dumb = await Dumb().offer(context)
        await te.reopen()
        answer = asyncio.ensure_future(te.command("AT"))
        await asyncio.sleep(0.1)
        dumb.line.write(b"\r\nOK\r\n")
        assert (await answer).ok
        assert context.journal.find("te", "pei.reopened")

    virtually(main)


def test_waits_for_codes_have_a_bound() -> None:
    async def main() -> None:
        _, _, te, _ = await pair()
        waits = [asyncio.ensure_future(te.granted(1, within=1)) for _ in range(MAX_LISTENERS + 1)]
        outcomes = await asyncio.gather(*waits, return_exceptions=True)
        assert sum("pending already" in str(outcome) for outcome in outcomes) == 1
        assert all(isinstance(outcome, PeiLocalError) for outcome in outcomes)

    virtually(main)


def test_a_queued_request_that_is_not_granted_in_time_is_taken_back() -> None:
    async def main() -> None:
        _, radio, te, tap = await pair()
        await te.register_services()
        radio.terminal.tell(IncomingCall(1, 0, 0, 0, "4001001", 1, 1, 0, 1, 1, 1, str(GSSI)))
        radio.terminal.tell(TransmissionGrant(1, 3))
        radio.answer = lambda request: radio.terminal.tell(TransmissionGrant(1, 2))
        await asyncio.sleep(0.1)
        outcome = await te.key(GSSI)
        with pytest.raises(PeiLocalError, match="no grant"):
            await te.granted(outcome.cc, within=1)
        await asyncio.sleep(0.1)
        assert tap.to_equipment.endswith(b"AT+CUTXC=1\r\n")

    virtually(main)


def test_a_request_that_nobody_answers_is_taken_back_as_soon_as_its_call_has_an_instance() -> None:
    async def main() -> None:
        _, radio, te, tap = await pair()
        await te.register_services()
        with pytest.raises(PeiLocalError, match="no answer"):
            await te.key(GSSI, within=1)
        assert b"CUTXC" not in tap.to_equipment
        radio.terminal.tell(TransmissionGrant(1, 0))
        await asyncio.sleep(0.1)
        assert tap.to_equipment.endswith(b"AT+CUTXC=1\r\n")
        assert isinstance(radio.requests[-1], mt.CeaseTransmit)

    virtually(main)


def test_a_message_whose_hex_does_not_come_is_given_up_and_the_next_client_is_served() -> None:
    async def main() -> None:
        context = Context.create(seed=1)
        radio = await Radio().offer(context)
        heard: list[bytes] = []
        line = await open_serial(
            radio.terminal.url, baud=BAUD, receive=heard.append, lost=lambda why: None, tap=context.tap, name="raw"
        )
        line.write(b"AT+CTSDS=13,0\r\nAT+CMGS=4001001,16\r\n80")
        await asyncio.sleep(9)
        assert b"".join(heard) == b"\r\nOK\r\n"
        await asyncio.sleep(2)
        assert b"".join(heard) == b"\r\nOK\r\n\r\n+CME ERROR: 37\r\n"
        line.close()
        te = await TerminalEquipment.open(context, "te", radio.terminal.url, baud=BAUD)
        assert (await te.command("AT")).ok
        assert radio.requests == []

    virtually(main)


@pytest.mark.real_wire
async def test_a_pseudo_terminal_that_vanishes_and_another_that_takes_its_place(tmp_path: Path) -> None:
    def terminal() -> Awaitable[MobileTerminal]:
        machine = MobileTerminalMachine(Tsi(1, 1, 4001234), {"GD-OPS-1": GSSI}, selected=GSSI)
        return MobileTerminal.offer(context, "radio", machine, lambda request: None, baud=BAUD, virtual=False)

    context = Context.create(seed=1)
    path = tmp_path / "radio"  # as udev names a device
    first = await terminal()
    path.symlink_to(first.url)
    te = await TerminalEquipment.open(context, "te", str(path), baud=BAUD)
    assert await te.own_tsi() == "00010000104001234"
    first.close()
    await context.journal.expect("te", "pei.lost", within=5)
    with pytest.raises(PeiLocalError, match="gone"):
        await te.command("AT")
    path.unlink()
    with pytest.raises(TransportError):
        await te.reopen()
    second = await terminal()
    path.symlink_to(second.url)
    await te.reopen()
    assert await te.own_tsi() == "00010000104001234"
    te.close()
    second.close()


@pytest.mark.real_wire
async def test_a_terminal_is_not_taken_for_lost_because_the_process_that_asks_was_held_up() -> None:
    context = Context.create(seed=1)
    machine = MobileTerminalMachine(Tsi(1, 1, 4001234), {"GD-OPS-1": GSSI}, selected=GSSI)
    terminal = await MobileTerminal.offer(context, "radio", machine, lambda request: None, baud=BAUD, virtual=False)
    te = await TerminalEquipment.open(context, "te", terminal.url, baud=BAUD)
    loop = asyncio.get_running_loop()
    began = loop.time()

    def hold_up() -> None:
        while loop.time() < began + 0.6:
            pass

    asked = asyncio.ensure_future(te.is_there(within=0.2))
    loop.call_soon(loop.call_soon, hold_up)
    assert await asked
    machine.reboot()
    assert not await te.is_there(within=0.2)
    te.close()
    terminal.close()
