"""The network's modem: a subscriber whose texts come and go over a serial line."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from harness.endpoints.gsm import Modem
from harness.errors import SmsError
from harness.protocols.gsm.address import Address
from harness.protocols.gsm.errors import Cms
from harness.protocols.gsm.modem import ModemMachine, Received, Send
from harness.protocols.gsm.modem_state import Identity
from harness.protocols.gsm.parts import split
from harness.protocols.gsm.pdu import Deliver, Status, StatusReport
from harness.protocols.gsm.stamps import validity_seconds
from harness.protocols.gsm.storage import Storage
from harness.protocols.gsm.user_data import UserData
from harness.protocols.smpp.codes import MessageState
from harness.transport.context import Context
from simulators.sms.network import CongestionError, SmsNetwork, Text
from simulators.sms.settings import SmsSettings

BETWEEN_S: Final = 0.1
"""Seconds between two messages to a modem: a network hands them on one at a time (TS 24.011), and each takes a while on
the air. Programs that read a message when they are told of it count on that."""
_STATUSES: Final = {
    MessageState.DELIVERED: Status.DELIVERED,
    MessageState.EXPIRED: Status.EXPIRED,
    MessageState.UNDELIVERABLE: Status.NOT_OBTAINABLE,
    MessageState.DELETED: Status.DELETED_BY_CENTRE,
    MessageState.REJECTED: Status.NOT_OBTAINABLE,
}


class ModemSubscriber:
    """One modem on the network."""

    def __init__(self, context: Context, name: str, settings: SmsSettings, network: SmsNetwork) -> None:
        modem = settings.modem
        self.number = modem.number
        self.congested = False
        """While it is, the network refuses what the modem sends."""
        self._network = network
        self._own = Address.of(modem.number)
        machine = ModemMachine(
            Identity(number=modem.number, pin=modem.pin),
            Storage({"ME": modem.me_slots, "SM": modem.sm_slots}),
            Address.of(settings.centre),
        )
        self.modem = Modem(context, f"{name}-modem", machine, send=self._send, received=self._received)
        self._offered: dict[int, Callable[[bool], None]] = {}
        self._waiting: deque[Callable[[], None]] = deque()
        """What is to be handed on when the one before it is through; the network bounds how many are en route."""
        self._is_handing = False
        self._timer: asyncio.TimerHandle | None = None
        self._token = 0
        self._reference = 0
        network.attach(self.number, self)

    def _send(self, asked: Send) -> None:
        submit = asked.submit
        period = None if submit.validity is None else validity_seconds(submit.validity, self._network.calendar)
        try:
            if self.congested:
                raise CongestionError("congestion was switched on")
            self._network.submit(
                self._own,
                submit.to,
                submit.content,
                validity_s=None if period is None else max(period, 0.0),
                on_success=submit.report,
                on_failure=submit.report,
                origin=self,
                reference=submit.reference,
            )
        except CongestionError:
            self.modem.refused(Cms.CONGESTION)
        else:
            self.modem.sent()

    def close(self) -> None:
        """Hand nothing on any more, and take the line away."""
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
        self.modem.close()

    def offer(self, text: Text, done: Callable[[bool], None]) -> None:
        """Hand a text or report to the modem in its turn; one longer than a message comes in parts."""
        if text.about is not None:
            messages: list[Deliver | StatusReport] = [_report(text.about)]
        else:
            self._reference = (self._reference + 1) % 256
            messages = [Deliver(text.sender, content, text.taken) for content in self._contents(text)]
        self._waiting.append(lambda: self._next(text, messages, done))
        self._hand_on()

    def _hand_on(self) -> None:
        """Begin with the next one, where none is under way."""
        if self._waiting and not self._is_handing:
            self._is_handing = True
            self._waiting.popleft()()

    def _through(self) -> None:
        self._is_handing = False
        self._hand_on()

    def _after(self, seconds: float, work: Callable[[], None]) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, work)

    def _contents(self, text: Text) -> list[UserData]:
        content = text.content
        try:
            content.write()
        except SmsError:
            return split(content.text, self._reference)
        return [content]

    def _next(self, text: Text, messages: list[Deliver | StatusReport], done: Callable[[bool], None]) -> None:
        """Hand on one message after the other; what was taken is not given again when the rest is tried later."""

        def taken(ok: bool) -> None:
            text.parts_taken += ok
            if ok and text.parts_taken < len(messages):
                self._after(BETWEEN_S, lambda: self._next(text, messages, done))
                return
            self._after(BETWEEN_S if ok else 0.0, self._through)
            done(ok)

        self._token += 1
        self._offered[self._token] = taken
        self.modem.deliver(self._token, messages[text.parts_taken])

    def _received(self, received: Received) -> None:
        self._offered.pop(received.token)(received.taken)

    def register(self, *, registered: bool, signal: int | None) -> None:
        """Let the network have the modem, or not; what waits for it is tried at once where it has."""
        self.modem.register(registered=registered, signal=signal)
        if registered:
            self._network.nudge(self.number)


def _report(about: Text) -> StatusReport:
    settled = about.settled
    assert settled is not None, "a report is about what is settled"
    number = Address.of(about.to)
    return StatusReport(about.reference, number, about.taken, settled, int(_STATUSES[about.state]))
