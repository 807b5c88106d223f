"""The network behind modem, service centre and handsets: takes texts, tries them until they arrive, tells the sender.

Theory. A text that is taken is en route. After a while it is offered to whoever has its number, who takes it or not;
what was not taken is tried again until its validity is over. Whatever becomes of it is final, and where its sender
asked for it, a report goes back the same way, as a text of its own that is tried like any other.
"""

from __future__ import annotations

import asyncio
import random
import zoneinfo
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from harness.errors import LocalError
from harness.privacy import is_reserved
from harness.protocols.gsm.address import Address, Ton
from harness.protocols.gsm.stamps import QUARTER_S, Stamp
from harness.protocols.gsm.user_data import UserData
from harness.protocols.smpp.codes import MessageState
from harness.transport.context import Context
from simulators.sms.settings import SmsSettings

MAX_EN_ROUTE: Final = 10_000
"""Texts and reports that are en route at once; more are refused as congestion."""
MAX_KNOWN: Final = 20_000
"""Texts whose fate can still be asked for; the oldest are forgotten."""
MAX_PACED: Final = 20_000
"""Numbers whose last delivery is kept so that their texts arrive in order."""
NO_SUBSCRIBER: Final = 1
"""Network error: unassigned number (TS 24.011 annex E-2, cause 1)."""
ABSENT: Final = 27
"""Network error: destination out of order (cause 27)."""
NATIONAL_DIGITS: Final = 12
"""Of a UK number with its country code, as it is often sent without a +."""


class CongestionError(LocalError):
    """The network holds as much as it can."""


@dataclass(slots=True, eq=False)
class Text:
    """One message, or a report of one, on its way."""

    id: str
    """Ten digits."""
    sender: Address
    to: str
    """Whom it is for: E.164 with +, or a short code."""
    content: UserData
    taken: Stamp
    expires: float
    """Loop time at which its validity is over."""
    state: MessageState = MessageState.ENROUTE
    settled: Stamp | None = None
    """When its state became final."""
    error: int = 0
    """The network's cause of failure; 0 where there is none."""
    on_success: bool = False
    """Whether its sender is told when it arrives."""
    on_failure: bool = False
    """Whether its sender is told when it does not."""
    origin: Party | None = None
    """Who sent it, and is told."""
    reference: int = 0
    """The sender's own."""
    service: str = ""
    """SMPP's service_type."""
    batch: str = ""
    """The id that its sender knows it by, where that is one of several texts of one request."""
    coding: int = 0
    """SMPP's data_coding, as it was sent."""
    user_reference: bytes | None = None
    """SMPP's user_message_reference."""
    about: Text | None = None
    """Of a report: what it is about."""
    parts_taken: int = 0
    """Of one that is given in parts: how many were taken by now."""
    offered: bool = False
    """Whether somebody is being offered it."""
    timer: asyncio.TimerHandle | None = None


class Party(Protocol):
    """Whoever can be sent a text."""

    def offer(self, text: Text, done: Callable[[bool], None]) -> None:
        """Offer a text or report; ``done`` is called once: True where it was taken for good."""


def key_of(address: Address) -> str:
    """How a number is known in the network: +447700900123 for every way to write it; a short code or name as it is."""
    digits = address.digits
    if address.ton == Ton.INTERNATIONAL:
        return f"+{digits}"
    if address.ton == Ton.NAME:
        return digits
    if digits.startswith("00"):
        return f"+{digits[2:]}"
    if digits.startswith("0") and len(digits) > 4:
        return f"+44{digits[1:]}"
    return f"+{digits}" if digits.startswith("44") and len(digits) == NATIONAL_DIGITS else digits


class SmsNetwork:
    """All texts of one simulated network. Events: ``sms.taken``, ``sms.settled``; what they say is not journalled."""

    def __init__(self, context: Context, name: str, settings: SmsSettings, epoch: float) -> None:
        """``epoch``: seconds since 1970 of run time 0. Raises LocalError for a time zone that is not there."""
        self.name = name
        self.handset_of: Callable[[str], Party] | None = None
        """Gives the handset of a reserved number."""
        self._context = context
        self._settings = settings
        self._epoch = epoch
        self._rng: random.Random = context.rng
        self._parties: dict[str, Party] = {}
        self._en_route: dict[str, Text] = {}
        self._known: OrderedDict[str, Text] = OrderedDict()
        self._due: dict[str, float] = {}
        self._count = 0
        self._batches = 0
        try:
            self._zone = zoneinfo.ZoneInfo(settings.zone)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError) as error:
            raise LocalError(f"{name}: time zone {settings.zone!r} is not there: {error}") from None

    def attach(self, number: str, party: Party) -> None:
        """Let a number's texts go to ``party``."""
        self._parties[number] = party

    def stop(self) -> None:
        """Try nothing any more."""
        for text in self._en_route.values():
            if text.timer is not None:
                text.timer.cancel()

    @property
    def now(self) -> Stamp:
        """The moment, in the network's zone."""
        return self.stamp(self._epoch + self._context.journal.now())

    def stamp(self, seconds: float) -> Stamp:
        """A moment since 1970 UTC in the network's zone."""
        offset = datetime.fromtimestamp(seconds, UTC).astimezone(self._zone).utcoffset()
        return Stamp(int(seconds), int(offset.total_seconds()) // QUARTER_S if offset is not None else 0)

    @property
    def calendar(self) -> float:
        """Seconds since 1970 UTC, parts of one included."""
        return self._epoch + self._context.journal.now()

    def status(self) -> dict[str, int]:
        """How many texts are en route, and were taken since the start."""
        return {"en_route": len(self._en_route), "taken": self._count}

    # -- taking ------------------------------------------------------------------------------------------------------

    def submit(
        self,
        sender: Address,
        to: Address,
        content: UserData,
        *,
        validity_s: float | None = None,
        delay_s: float = 0.0,
        on_success: bool = False,
        on_failure: bool = False,
        origin: Party | None = None,
        reference: int = 0,
        service: str = "",
    ) -> Text:
        """Take a text. ``delay_s``: before the first try. Raises CongestionError when too many are en route."""
        longest = self._settings.validity_s
        text = self._new(sender, key_of(to), content, longest if validity_s is None else min(validity_s, longest))
        text.on_success, text.on_failure, text.origin = on_success, on_failure, origin
        text.reference, text.service = reference, service
        self._known[text.id] = text
        if len(self._known) > MAX_KNOWN:
            self._known.popitem(last=False)
        self._context.journal.record(
            self.name, "sms.taken", id=text.id, sender=key_of(sender), to=text.to, length=len(content.text)
        )
        self._plan(text, delay_s)
        return text

    def _new(self, sender: Address, to: str, content: UserData, validity_s: float) -> Text:
        if len(self._en_route) >= MAX_EN_ROUTE:
            raise CongestionError(f"{self.name}: {MAX_EN_ROUTE} texts are en route")
        self._count += 1
        expires = asyncio.get_running_loop().time() + validity_s
        text = Text(f"{self._count:010d}", sender, to, content, self.now, expires)
        self._en_route[text.id] = text
        return text

    def _plan(self, text: Text, delay_s: float) -> None:
        """Set the first try, no sooner than that of the text before it to the same number."""
        span = self._settings.deliver_s
        at = asyncio.get_running_loop().time() + delay_s + self._rng.uniform(span.least, span.most)
        if not delay_s:
            at = max(at, self._due.get(text.to, 0.0))
            if len(self._due) >= MAX_PACED and text.to not in self._due:
                del self._due[next(iter(self._due))]
            self._due[text.to] = at
        self._try_at(text, at)

    def _try_at(self, text: Text, at: float) -> None:
        text.timer = asyncio.get_running_loop().call_at(min(at, text.expires), self._try, text)

    # -- delivering --------------------------------------------------------------------------------------------------

    def _try(self, text: Text) -> None:
        text.timer = None
        if asyncio.get_running_loop().time() >= text.expires:
            self._settle(text, MessageState.EXPIRED, ABSENT)
            return
        party = text.origin if text.about is not None else self._party(text.to)
        if party is None:
            self._settle(text, MessageState.UNDELIVERABLE, NO_SUBSCRIBER)
            return
        text.offered = True
        party.offer(text, lambda taken: self._tried(text, taken))

    def _party(self, number: str) -> Party | None:
        found = self._parties.get(number)
        if found is None and self.handset_of is not None and number.startswith("+44") and is_reserved(number):
            return self.handset_of(number)
        return found

    def _tried(self, text: Text, taken: bool) -> None:
        text.offered = False
        if text.state.is_final:
            return
        if taken:
            self._settle(text, MessageState.DELIVERED, 0)
        else:
            self._try_at(text, asyncio.get_running_loop().time() + self._settings.retry_s)

    def nudge(self, number: str) -> None:
        """Whoever has a number can be reached again: try what waits for it at once."""
        party = self._party(number)
        for text in tuple(self._en_route.values()):
            waits = text.timer is not None and not text.offered
            if waits and (text.to == number or (text.about is not None and text.origin is party)):
                assert text.timer is not None, "asked for"
                text.timer.cancel()
                self._try_at(text, asyncio.get_running_loop().time())

    def _settle(self, text: Text, state: MessageState, error: int) -> None:
        text.state, text.error, text.settled = state, error, self.now
        if text.timer is not None:
            text.timer.cancel()
            text.timer = None
        self._en_route.pop(text.id, None)
        kind = "sms.settled" if text.about is None else "sms.report_settled"
        self._context.journal.record(self.name, kind, id=text.id, to=text.to, state=state.name)
        wanted = text.on_success if state is MessageState.DELIVERED else text.on_failure
        if wanted and text.about is None and text.origin is not None:
            self._report(text)

    def _report(self, about: Text) -> None:
        try:
            report = self._new(Address.of(about.to), key_of(about.sender), UserData(), self._settings.validity_s)
        except LocalError as error:
            self._context.journal.warn(self.name, "sms.report_lost", id=about.id, why=str(error))
            return
        report.about, report.origin = about, about.origin
        self._plan(report, 0.0)

    # -- what a sender may do ----------------------------------------------------------------------------------------

    def new_batch(self) -> str:
        """An id for several texts: ten digits of which the first is 9."""
        self._batches += 1
        return f"9{self._batches:09d}"

    def batch(self, message_id: str) -> list[Text]:
        """The texts of a batch that are en route."""
        return [text for text in self._en_route.values() if message_id and text.batch == message_id]

    def find(self, message_id: str) -> Text | None:
        """A text by its id; None where it is not known, or was forgotten."""
        return self._known.get(message_id)

    def waiting(self, *, sender: str, to: str, service: str) -> list[Text]:
        """The texts of a sender to a number that are en route."""
        return [
            text
            for text in self._en_route.values()
            if text.about is None and key_of(text.sender) == sender and text.to == to and text.service == service
        ]

    def cancel(self, text: Text) -> bool:
        """Give a text up; False where its state is final already."""
        if text.state.is_final:
            return False
        self._settle(text, MessageState.DELETED, 0)
        return True

    def replace(
        self, text: Text, content: UserData, *, validity_s: float | None, delay_s: float, report: tuple[bool, bool]
    ) -> bool:
        """Say something else in a text; ``report``: on success, on failure. False where it is final already."""
        if text.state.is_final:
            return False
        text.content = content
        text.on_success, text.on_failure = report
        loop = asyncio.get_running_loop()
        if validity_s is not None:
            text.expires = loop.time() + min(validity_s, self._settings.validity_s)
        if text.timer is not None:
            text.timer.cancel()
            self._plan(text, delay_s)
        return True
