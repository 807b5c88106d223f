"""Misbehaviour on demand: what happens to the SIP messages that an agent sends, after a decent stack has made them.

A rule names messages and what is done with them: dropped, held back, sent again, changed, cut short. Rules are asked in
their order, and each acts on what the one before left. What is changed is journalled as `sip.tampered`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from harness.endpoints.sip.flow import Flow
from harness.errors import SipLocalError, SipRemoteError
from harness.protocols.sip.message import Message, Request, Response
from harness.protocols.sip.parse import parse

if TYPE_CHECKING:
    from harness.endpoints.sip.agent import UserAgent

MAX_HELD: Final = 1_000
"""Messages held back, or due to be sent again, at once; further ones go out as they are."""
MAX_DELAY_S: Final = 3_600.0
MAX_COPIES: Final = 100
_STATUS: Final = re.compile(r"[1-6](?:[0-9]{2}|xx)")

Change = Callable[[Message], None]
"""Changes a message that was made for it; what it leaves is written again."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What is done with some of the messages that are sent."""

    on: str
    """Which: a method (`INVITE`, `ACK`), a status (`180`, `2xx`), a status and the method it answers (`200 INVITE`), or
    `any`."""
    drop: bool = False
    """It never leaves."""
    delay: float = 0.0
    """Seconds for which it is held back."""
    copies: int = 0
    """How often it is sent again."""
    apart: float = 0.1
    """Seconds between copies."""
    change: Change | None = None
    """Changes the message before it leaves."""
    change_copies: Change | None = None
    """Changes the copies alone."""
    cut: int | None = None
    """How many bytes of it leave."""
    skip: int = 0
    """How many of its messages go untouched first."""
    times: int | None = None
    """How many it acts on; None: all."""
    why: str = ""
    """What it stands for, for the journal."""

    def __post_init__(self) -> None:
        """Raises SipLocalError on values that mean nothing."""
        parts = self.on.split()
        if not 1 <= len(parts) <= 2 or (len(parts) == 2 and not _STATUS.fullmatch(parts[0])):
            raise SipLocalError(f"a rule is on a method, a status, 'STATUS METHOD' or 'any', not {self.on!r}")
        if not 0 <= self.delay <= MAX_DELAY_S or not 0 <= self.apart <= MAX_DELAY_S:
            raise SipLocalError(f"messages are held back for 0 to {MAX_DELAY_S:g} s")
        if not 0 <= self.copies <= MAX_COPIES:
            raise SipLocalError(f"a message is sent again {MAX_COPIES} times at the most")

    def is_about(self, message: Request | Response) -> bool:
        """Whether a message is one of those that the rule names."""
        if self.on == "any":
            return True
        first, _, method = self.on.partition(" ")
        if isinstance(message, Request):
            return not method and message.method == first
        status = str(message.status)
        same = status == first or (first[1:] == "xx" and first[0] == status[0])
        return same and (not method or message.cseq.method == method)


@dataclass(slots=True)
class _Used:
    """A rule, and how often it was asked."""

    rule: Rule
    seen: int = 0
    acted: int = 0

    def acts(self, message: Request | Response) -> bool:
        if not self.rule.is_about(message):
            return False
        self.seen += 1
        if self.seen <= self.rule.skip or (self.rule.times is not None and self.acted >= self.rule.times):
            return False
        self.acted += 1
        return True


@dataclass(slots=True)
class _Outgoing:
    """One thing to be sent."""

    data: bytes
    after: float = 0.0
    told: list[str] = field(default_factory=list)


class Tamper:
    """The rules of one agent. `attach` puts them on all of its flows, `detach` takes them off."""

    def __init__(self, agent: UserAgent) -> None:
        self._agent = agent
        self._rules: list[_Used] = []
        self._held: set[asyncio.TimerHandle] = set()
        agent.endpoint.transports.on_new_flow(self._attach)

    def use(self, *rules: Rule) -> None:
        """Act by these rules from now on, in place of the earlier ones; none: everything goes out as it is."""
        self._rules = [_Used(rule) for rule in rules]

    def close(self) -> None:
        """Send nothing more of what is held back."""
        self._rules.clear()
        for handle in self._held:
            handle.cancel()
        self._held.clear()

    def _attach(self, flow: Flow) -> None:
        # The flow's own method is what goes on to the wire; every sender finds this one in its place.
        setattr(flow, "send", partial(self._send, flow.send))  # noqa: B010 - a method, of one object

    def _send(self, wire: Callable[[bytes], None], data: bytes) -> None:
        if not self._rules:
            wire(data)
            return
        for outgoing in self._through(data):
            if outgoing.after <= 0:
                wire(outgoing.data)
            elif len(self._held) < MAX_HELD:
                self._hold(wire, outgoing)
            else:
                wire(outgoing.data)

    def _hold(self, wire: Callable[[bytes], None], outgoing: _Outgoing) -> None:
        loop = asyncio.get_running_loop()
        handle: asyncio.TimerHandle

        def due() -> None:
            self._held.discard(handle)
            wire(outgoing.data)

        handle = loop.call_later(outgoing.after, due)
        self._held.add(handle)

    def _through(self, data: bytes) -> list[_Outgoing]:
        """What leaves of a message, and when."""
        try:
            message = parse(data)
            message.check()
        except SipRemoteError:
            return [_Outgoing(data)]  # a raw message of a test's own
        sent = [_Outgoing(data)]
        for used in self._rules:
            if not used.acts(message):
                continue
            sent = [after for before in sent for after in _acted(used.rule, before)]
            self._agent.journal.warn(
                self._agent.name,
                "sip.tampered",
                call_id=message.envelope.call_id,
                message=message.start_line,
                by=used.rule.why or used.rule.on,
                sent=len(sent),
            )
        return sent


def _acted(rule: Rule, outgoing: _Outgoing) -> list[_Outgoing]:
    if rule.drop:
        return []
    first = _changed(outgoing.data, rule.change)
    copy = _changed(first, rule.change_copies)
    if rule.cut is not None:
        first, copy = first[: rule.cut], copy[: rule.cut]
    due = outgoing.after + rule.delay
    copies = [_Outgoing(copy, due + rule.apart * (number + 1)) for number in range(rule.copies)]
    return [_Outgoing(first, due), *copies]


def _changed(data: bytes, change: Change | None) -> bytes:
    if change is None:
        return data
    message = parse(data)
    change(message)
    return bytes(message)


# Changes that a tester asks for by name


def set_header(name: str, value: str) -> Change:
    """Give a header another value, or add it."""
    return lambda message: message.set(name, value)


def without(name: str) -> Change:
    """Take a header out."""
    return lambda message: message.remove(name)


def to_tag(tag: str) -> Change:
    """Give To another tag; an empty one takes it out."""

    def change(message: Message) -> None:
        value = message.get("to") or ""
        bare = re.sub(r";tag=[^;]*", "", value)
        message.set("To", f"{bare};tag={tag}" if tag else bare)

    return change


def body(content: bytes, content_type: str = "") -> Change:
    """Put other octets in place of the body."""

    def change(message: Message) -> None:
        message.body = content
        if content_type:
            message.set("Content-Type", content_type)

    return change


def in_body(old: bytes, new: bytes) -> Change:
    """Put something else in place of some octets of the body, all of them that are there."""

    def change(message: Message) -> None:
        message.body = message.body.replace(old, new)

    return change


def all_of(changes: Sequence[Change]) -> Change:
    """Several changes, one after the other."""

    def change(message: Message) -> None:
        for each in changes:
            each(message)

    return change
