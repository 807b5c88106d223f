"""Handsets of the simulated network: one for each of Ofcom's reserved numbers, on until it is switched off."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final

from harness.protocols.gsm.address import Address
from harness.protocols.gsm.parts import Assembler, split
from harness.transport.context import Context
from simulators.sms.network import SmsNetwork, Text, key_of

MAX_HELD: Final = 500
"""Texts that one handset keeps; the oldest go."""
MAX_ALL: Final = 20_000
"""Texts that all handsets keep; the oldest go."""


@dataclass(frozen=True, slots=True)
class Got:
    """A text that a handset got, joined where it came in parts."""

    seq: int
    """1, 2, … over all handsets, so that a reader can go on where it was."""
    sender: str
    text: str
    hex: str
    """Of an 8-bit message; empty else."""
    coding: int
    parts: int
    at: str
    """When the service centre took its last part, as ``yy/MM/dd,hh:mm:ss±zz``."""


class Handset:
    """One telephone."""

    def __init__(self, number: str, book: Handsets) -> None:
        self.number = number
        self.on = True
        """Off, it can't be reached."""
        self.full = False
        """Full, it takes no text."""
        self.got: deque[Got] = deque()
        self._assembler = Assembler()
        self._book = book

    def offer(self, text: Text, done: Callable[[bool], None]) -> None:
        """Take a text, where it can."""
        if not self.on or self.full:
            done(False)
            return
        done(True)
        if text.about is not None:
            return
        sender = key_of(text.sender)
        part = text.content.part
        whole = self._assembler.take(sender, text.content)
        if whole is not None:
            shown = (whole.text, whole.data.hex(), whole.dcs, part.total if part is not None else 1)
            self._book.keep(self, sender, shown, text)


class Handsets:
    """All handsets, made when they are first heard of. Event: ``handset.got`` {number, sender, length, parts}."""

    def __init__(self, context: Context, name: str, network: SmsNetwork) -> None:
        self._context = context
        self._name = name
        self._network = network
        self._handsets: dict[str, Handset] = {}
        self._order: deque[Handset] = deque()
        self._count = 0
        self._reference = 0
        network.handset_of = self.of

    def of(self, number: str) -> Handset:
        """The handset of a number; only reserved ones are asked for, of which there are 4,000."""
        return self._handsets.setdefault(number, Handset(number, self))

    def keep(self, handset: Handset, sender: str, shown: tuple[str, str, int, int], text: Text) -> None:
        """Keep what a handset got."""
        self._count += 1
        words, octets, coding, parts = shown
        handset.got.append(Got(self._count, sender, words, octets, coding, parts, text.taken.at_text()))
        self._order.append(handset)
        if len(handset.got) > MAX_HELD:
            handset.got.popleft()
            self._order.remove(handset)
        elif len(self._order) > MAX_ALL:
            self._order.popleft().got.popleft()
        self._context.journal.record(
            self._name, "handset.got", number=handset.number, sender=sender, length=len(words), parts=parts
        )

    def listed(self, number: str, after: int) -> list[dict[str, Any]]:
        """What a handset got after ``after``, oldest first."""
        return [asdict(got) for got in self.of(number).got if got.seq > after]

    def set(self, number: str, *, on: bool, full: bool) -> None:
        """Switch a handset; what waits for it is tried at once where it can be reached."""
        handset = self.of(number)
        handset.on, handset.full = on, full
        if on and not full:
            self._network.nudge(number)

    def send(self, number: str, to: str, text: str) -> list[str]:
        """Send a text as a handset does, in parts where it is long; gives their ids.

        Raises SmsError for a number or text that can't be sent, CongestionError.
        """
        self._reference = (self._reference + 1) % 256
        sender, recipient = Address.of(number), Address.of_number(to)
        parts = split(text, self._reference)
        return [self._network.submit(sender, recipient, content).id for content in parts]
