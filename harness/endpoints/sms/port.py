"""What sends and gets texts, whatever the way: long ones in parts, each part's report, joined what comes in parts."""

from __future__ import annotations

import asyncio
import re
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from harness.errors import NumberError
from harness.protocols import uk_numbers
from harness.protocols.gsm.address import Address
from harness.protocols.gsm.parts import Assembler, split
from harness.protocols.gsm.user_data import UserData
from harness.protocols.smpp.codes import MessageState
from harness.transport.context import Context

MAX_REPORTS_DUE: Final = 10_000
"""Texts whose reports are waited for; those of the oldest are told as they come, without its reference."""
MAX_EARLY: Final = 256
"""Reports that came before their text's reference was known."""
EARLY_S: Final = 60.0
"""Seconds after which a report is of no text of this port's: it is told without a reference."""

_BARE: Final = re.compile(r"44\d{10}", re.ASCII)
"""A number of this country's with its code and no +, as many centres write them."""

PermitText = Callable[[str], None]
"""Asked with the number before anything leaves; raises InterlockError."""


@dataclass(frozen=True, slots=True)
class SentText:
    """A text that the network took."""

    reference: str
    """The port's own, as reports tell it."""
    to: str
    """E.164, or as it was given."""
    parts: int


@dataclass(frozen=True, slots=True)
class IncomingText:
    """A text that came, whole."""

    sender: str
    """E.164, a short code or a name."""
    text: str
    data: bytes
    """The octets of an 8-bit message; empty else."""
    parts: int


@dataclass(frozen=True, slots=True)
class TextReport:
    """What became of a text: told once, when it is known of its last part."""

    reference: str
    """Of the `SentText`; empty where it is not known any more."""
    to: str
    state: MessageState
    """DELIVERED where every part was, else what became of the first that was not."""


@dataclass(slots=True)
class _Due:
    sent: SentText
    states: list[MessageState] = field(default_factory=list)


def e164_of(number: str) -> str:
    """A number as it is told: E.164 where it has such a form, else (a short code, a name) as it is."""
    try:
        return uk_numbers.parse(f"+{number}" if _BARE.fullmatch(number) else number).e164 or number
    except NumberError:
        return number


class TextPort(ABC):
    """One way to send and get texts.

    ``on_text`` and ``on_report`` are called as texts and reports come; ``on_lost`` with the reason when the way is
    gone, after which `reopen` may be tried.
    """

    def __init__(self, context: Context, name: str, permit: PermitText | None) -> None:
        self.name = name
        self.on_text: Callable[[IncomingText], None] = lambda _text: None
        self.on_report: Callable[[TextReport], None] = lambda _report: None
        self.on_lost: Callable[[str], None] = lambda _why: None
        self._context = context
        self._permit = permit
        self._assembler = Assembler()
        self._due: OrderedDict[tuple[str, str], _Due] = OrderedDict()
        """By the network's reference of a part, and the recipient: a modem's references come round."""
        self._early: OrderedDict[tuple[str, str], MessageState] = OrderedDict()
        self._count = 0

    async def send(
        self, to: str, text: str, *, report: bool = True, validity_s: float | None = None, wide: bool = False
    ) -> SentText:
        """Send a text of any length in any language; returns when the network took its last part.

        ``report``: ask what becomes of it. ``validity_s``: how long it is tried; the network's own time where left out.
        ``wide``: number the parts of a long text by 16 bits. Raises InterlockError when it is not permitted (nothing
        has left then), SmsError for what can't be sent, ModemLocalError or SmppLocalError when the network refuses it;
        of those ModemUnansweredError and SmppUnansweredError where it may have gone all the same. Parts before one
        that is refused have gone.
        """
        if self._permit is not None:
            self._permit(to)
        recipient = Address.of_number(to)
        self._count += 1
        contents = split(text, self._count % (0x1_0000 if wide else 0x100), wide=wide)
        sent = SentText(str(self._count), e164_of(str(recipient)), len(contents))
        due = _Due(sent)
        for content in contents:
            reference = await self._submit(recipient, content, report=report, validity_s=validity_s)
            if report:
                self._expect((reference, sent.to), due)
        return sent

    def _expect(self, key: tuple[str, str], due: _Due) -> None:
        early = self._early.pop(key, None)
        if early is not None:
            self._told(due, early)
            return
        self._due[key] = due
        if len(self._due) > MAX_REPORTS_DUE:
            self._due.popitem(last=False)

    def _reported(self, reference: str, to: str, state: MessageState) -> None:
        """A report of one part came."""
        if not state.is_final:
            return
        to = e164_of(to)
        due = self._due.pop((reference, to), None)
        if due is not None:
            self._told(due, state)
            return
        self._early[reference, to] = state
        asyncio.get_running_loop().call_later(EARLY_S, self._unknown, (reference, to))
        if len(self._early) > MAX_EARLY:
            (_, number), oldest = self._early.popitem(last=False)
            self.on_report(TextReport("", number, oldest))

    def _unknown(self, key: tuple[str, str]) -> None:
        state = self._early.pop(key, None)
        if state is not None:
            self.on_report(TextReport("", key[1], state))

    def _told(self, due: _Due, state: MessageState) -> None:
        due.states.append(state)
        if len(due.states) == due.sent.parts:
            failed = (each for each in due.states if each is not MessageState.DELIVERED)
            self.on_report(TextReport(due.sent.reference, due.sent.to, next(failed, MessageState.DELIVERED)))

    def _came(self, sender: str, content: UserData) -> None:
        """A message came: a text, or a part of one."""
        sender, part = e164_of(sender), content.part
        whole = self._assembler.take(sender, content)
        if whole is not None:
            self.on_text(IncomingText(sender, whole.text, whole.data, part.total if part is not None else 1))

    @abstractmethod
    async def _submit(self, to: Address, content: UserData, *, report: bool, validity_s: float | None) -> str:
        """Send one message and return the reference by which its report comes."""

    @abstractmethod
    async def reopen(self) -> None:
        """Open the way again after it was lost. Raises TransportError, ModemLocalError or SmppLocalError."""

    @abstractmethod
    async def close(self) -> None:
        """Give the way up. Closing it again does nothing."""
