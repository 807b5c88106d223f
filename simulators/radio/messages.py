"""Messages between terminals: SDS and status to an ISSI or a talkgroup, the sender's result, delivery reports."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from functools import partial

from harness.errors import SdsError
from harness.journal import Journal
from harness.protocols.pei.codes import AiService, PartyType, SdsResult
from harness.protocols.pei.requests import SendMessage
from harness.protocols.pei.sds_code import SdsReceived
from harness.protocols.pei.unsolicited import SendResult
from harness.protocols.tetra import sds
from harness.protocols.tetra.delivery import DeliveryStatus
from simulators.radio.config import RadioConfig
from simulators.radio.terminal import SimulatedTerminal

BY_ITSELF = 0
"""Instance of a message that a terminal sends by itself: its equipment, which counts from 1, is told no result."""
MAX_UNDER_WAY = 10_000
"""Messages on the air at once; one more fails."""


class MessageService:
    """Routes messages; each takes the network's delay."""

    def __init__(
        self,
        config: RadioConfig,
        journal: Journal,
        rng: random.Random,
        recipients: Callable[[int, SimulatedTerminal], list[SimulatedTerminal]],
    ) -> None:
        self._config = config
        self._journal = journal
        self._rng = rng
        self._recipients = recipients
        self._loop = asyncio.get_running_loop()
        self._timers: set[asyncio.TimerHandle] = set()

    def send(self, sender: SimulatedTerminal, message: SendMessage) -> None:
        """A terminal sends; its result and what the others get come after the delay."""
        if len(self._timers) >= MAX_UNDER_WAY:
            self._journal.warn(self._config.name, "net.messages_overrun", under_way=MAX_UNDER_WAY)
            self._answer(sender, message, SdsResult.FAILED)
            return
        self._later(lambda: self._deliver(sender, message))

    def _later(self, act: Callable[[], None]) -> None:
        def run() -> None:
            self._timers.discard(timer)
            act()

        timer = self._loop.call_later(self._config.delays.message.draw(self._rng), run)
        self._timers.add(timer)

    def _deliver(self, sender: SimulatedTerminal, message: SendMessage) -> None:
        found = self._recipients(message.destination, sender)
        result = SdsResult.SENT if found else SdsResult.FAILED
        self._journal.record(
            self._config.name,
            "net.message",
            issi=sender.config.issi,
            to=message.destination,
            service=AiService(message.service).text,
            result=result.text,
        )
        for recipient in found:
            self._hand_over(
                recipient, sender.digits, message.destination, message.service, message.bits, message.payload
            )
        self._answer(sender, message, result)
        wanted = sds.requested_report(message.payload) if message.service == AiService.SDS_4 else None
        if wanted is None or not wanted[1] & sds.ReportRequest.RECEIVED:
            return
        for recipient in found:
            if recipient.config.issi == message.destination:  # a message to a group is not reported on
                self._later(partial(self._report, recipient, sender, message.payload[0], wanted[0]))

    @staticmethod
    def _answer(sender: SimulatedTerminal, message: SendMessage, result: SdsResult) -> None:
        if message.instance != BY_ITSELF:
            sender.tell(SendResult(message.instance, result))

    def _report(self, recipient: SimulatedTerminal, sender: SimulatedTerminal, protocol: int, reference: int) -> None:
        """The recipient's terminal says by itself that the message came; `consumed` is for its user to say."""
        try:
            payload = sds.encode(sds.DeliveryReport(DeliveryStatus.RECEIVED, reference, protocol))
        except SdsError as error:
            self._journal.warn(self._config.name, "net.report_failed", why=str(error))
            return
        self._hand_over(sender, recipient.digits, sender.config.issi, AiService.SDS_4, 8 * len(payload), payload)

    @staticmethod
    def _hand_over(to: SimulatedTerminal, calling: str, called: int, service: int, bits: int, payload: bytes) -> None:
        to.tell(SdsReceived(service, calling, PartyType.TSI, str(called), PartyType.SSI, bits, payload))

    def stop(self) -> None:
        """Forget what is on the air."""
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
