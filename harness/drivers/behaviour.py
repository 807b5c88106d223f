"""How a scripted telephone misbehaves: what a tester asks for by name, and the SIP rules that it comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final

from harness.endpoints.media import Impairment
from harness.endpoints.sip import tamper
from harness.endpoints.sip.tamper import Rule
from harness.errors import DriverError
from harness.protocols.sip.message import Message

MAX_WAIT_S: Final = 3_600.0
"""The longest that a telephone waits with anything."""
BROKEN_SDP: Final = b"v=0\r\no=broken\r\nm=audio nowhere RTP/AVP\r\n"
FOREIGN_TAG: Final = "of-somebody-else"
OTHER_FORK_TAG: Final = "of-another-fork"
MEDIA_PREFIX: Final = "media."
_YES: Final = frozenset(("yes", "true", "on", "1"))
_NO: Final = frozenset(("no", "false", "off", "0"))


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a telephone does that it should not. Everything is right by default; what is set applies together.

    Raises DriverError for a value that means nothing.
    """

    ring_after: float = 0.0
    """Seconds before it rings; it sends 100 at once."""
    answer_after: float = 0.0
    """Seconds between ringing and answering."""
    no_ring: bool = False
    """It answers without having rung."""
    never_answer: bool = False
    """It rings for ever."""
    silent: bool = False
    """It sends nothing at all, as if it were not there."""
    refuse: int = 0
    """The status that it refuses calls with, 300-699; 0: it takes them."""
    answer_twice: bool = False
    """A second 200, with another tag, follows the first: as two telephones behind a fork do."""
    wrong_tag: bool = False
    """Its 200 has another tag than its 180, and its dialog goes by the first."""
    no_tag: bool = False
    """Its 200 has no tag in To."""
    no_contact: bool = False
    """Its 200 has no Contact."""
    broken_sdp: bool = False
    """What it answers, or offers, is no session description."""
    no_sdp: bool = False
    """It answers without a session description."""
    no_ack: bool = False
    """It never acknowledges an answer."""
    ack_after: float = 0.0
    """Seconds by which its ACK is late."""
    hang_up_after: float | None = None
    """Seconds after the answer at which it ends the call; 0: before anybody has spoken."""
    cancel_after: float | None = None
    """Seconds after its INVITE at which it gives up."""
    ignore_bye: bool = False
    """It never answers a BYE."""
    leave_without_bye: bool = False
    """It goes without a BYE when it hangs up."""
    repeat: int = 0
    """How often it sends each message again, needlessly."""
    cut: int | None = None
    """Bytes of each message that leave; the rest is lost."""
    media: Impairment = field(default_factory=Impairment)
    """What is wrong with the speech that it sends."""

    def __post_init__(self) -> None:
        for name in ("ring_after", "answer_after", "ack_after", "hang_up_after", "cancel_after"):
            value = getattr(self, name)
            if value is not None and not 0 <= value <= MAX_WAIT_S:
                raise DriverError(f"{name} is 0 to {MAX_WAIT_S:g} s, not {value:g}")
        if self.refuse and not 300 <= self.refuse <= 699:
            raise DriverError(f"calls are refused with 300 to 699, not {self.refuse}")
        if not 0 <= self.repeat <= tamper.MAX_COPIES:
            raise DriverError(f"messages are repeated 0 to {tamper.MAX_COPIES} times, not {self.repeat}")

    @classmethod
    def from_text(cls, given: Mapping[str, str]) -> Behaviour:
        """What a tester writes: ``answer_after=5 s``, ``no_ack=yes``, ``refuse=486``, ``media.nothing=yes``.

        Raises DriverError, and MediaError for what media can't be.
        """
        of_media = {name[len(MEDIA_PREFIX) :]: text for name, text in given.items() if name.startswith(MEDIA_PREFIX)}
        own = {name: text for name, text in given.items() if not name.startswith(MEDIA_PREFIX)}
        known = {each.name: each for each in fields(cls) if each.name != "media"}
        values: dict[str, Any] = {}
        for name, text in own.items():
            if name not in known:
                there = ", ".join([*sorted(known), f"{MEDIA_PREFIX}…"])
                raise DriverError(f"a telephone has no misbehaviour {name!r}; it has {there}")
            values[name] = _value(name, text.strip(), known[name].default)
        if of_media:
            values["media"] = Impairment.from_text(of_media)
        return cls(**values)

    def rules(self) -> list[Rule]:
        """What is done with the SIP messages that it sends."""
        found: list[Rule] = []
        if self.silent:
            return [Rule("any", drop=True, why="silent")]
        if self.broken_sdp:
            spoil = tamper.body(BROKEN_SDP)
            found += [
                Rule("200 INVITE", change=spoil, why="broken_sdp"),
                Rule("INVITE", change=spoil, why="broken_sdp"),
            ]
        if self.no_sdp:
            found.append(Rule("200 INVITE", change=_without_body, why="no_sdp"))
        if self.wrong_tag or self.no_tag:
            tag = FOREIGN_TAG if self.wrong_tag else ""
            found.append(Rule("200 INVITE", change=tamper.to_tag(tag), why="wrong_tag" if tag else "no_tag"))
        if self.no_contact:
            found.append(Rule("200 INVITE", change=tamper.without("Contact"), why="no_contact"))
        if self.answer_twice:
            other = tamper.to_tag(OTHER_FORK_TAG)
            found.append(Rule("200 INVITE", copies=1, apart=0.05, change_copies=other, times=1, why="answer_twice"))
        if self.no_ack:
            found.append(Rule("ACK", drop=True, why="no_ack"))
        elif self.ack_after:
            found.append(Rule("ACK", delay=self.ack_after, why="ack_after"))
        if self.ignore_bye:
            found.append(Rule("2xx BYE", drop=True, why="ignore_bye"))
        if self.leave_without_bye:
            found.append(Rule("BYE", drop=True, why="leave_without_bye"))
        if self.repeat:
            found.append(Rule("any", copies=self.repeat, apart=0.02, why="repeat"))
        if self.cut is not None:
            found.append(Rule("any", cut=self.cut, why="cut"))
        return found


def _without_body(message: Message) -> None:
    message.body = b""
    message.remove("Content-Type")


def _value(name: str, text: str, standard: object) -> object:
    if isinstance(standard, bool):
        if text.lower() not in _YES | _NO:
            raise DriverError(f"{name} is yes or no, not {text!r}")
        return text.lower() in _YES
    number = text.removesuffix("s").strip()
    try:
        return int(number) if name in ("refuse", "repeat", "cut") else float(number)
    except ValueError:
        raise DriverError(f"{name} is a number, not {text!r}") from None
