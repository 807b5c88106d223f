"""The mark on an emergency call: what an operator tells of it by voice, in a Call-Info value of this project's own.

Theory. `Call-Info: <urn:uuid:…>;purpose=iccs-emergency;event=…` identifies a call over all its attempts and says how it
comes; each message carries the whole state and the event that it is about. No public format exists for it: what it
means, and when it is sent, is in docs/interfaces/emergency-trunk.md, and a reader that does not know it misses nothing
that a voice does not tell. A parameter that is not known is left alone; one with a value that is not known reads as not
told, so that the list can grow.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Final, TypeVar

from harness.errors import SipLocalError, SipRemoteError
from harness.protocols.sip.grammar import DIGITS, TOKEN, unquote
from harness.protocols.sip.headers import NameAddr, write_params
from harness.protocols.sip.message import Message
from harness.protocols.sip.uri import Params

HEADER: Final = "Call-Info"
PURPOSE: Final = "iccs-emergency"
PACKAGE: Final = "iccs-emergency"
"""Info-Package of what is told, and asked, in mid-call (RFC 6086); not registered, as its meaning is ours."""
MAX_COUNT: Final = 99_999
"""The most that a number in a mark can be."""
_URN: Final = "urn:uuid:"


class What(StrEnum):
    """What a message is about."""

    CONNECT = "connect"
    AGENCY_CALL = "agency-call"
    OPERATOR_LEFT = "operator-left"
    OPERATOR_JOINED = "operator-joined"
    CALLER_HELD = "caller-held"
    CALLER_RESTORED = "caller-restored"
    CALLER_GONE = "caller-gone"
    NUISANCE = "nuisance"
    REROUTED = "rerouted"
    ABANDONED = "abandoned"
    CLEARED = "cleared"
    RING_BACK = "ring-back"
    """The control room calls back."""


class Ask(StrEnum):
    """What the control room asks for."""

    OPERATOR_LEAVE = "operator-leave"
    OPERATOR_RETURN = "operator-return"
    NUISANCE = "nuisance"
    HOLD_LINE = "hold-line"


class Route(StrEnum):
    """How an attempt comes."""

    PRIMARY = "primary"
    SECONDARY = "secondary"
    TERTIARY = "tertiary"
    CRITICAL = "critical"


class Line(StrEnum):
    """What the caller calls from."""

    MOBILE = "mobile"
    LANDLINE = "landline"
    VEHICLE = "vehicle"
    OTHER = "other"
    NONE = "none"
    """The operator calls itself."""


class Caller(StrEnum):
    """Where the caller is."""

    ON = "on"
    HELD = "held"
    """The receiver is down and the circuit is kept."""
    GONE = "gone"


class Operator(StrEnum):
    """Whether an operator is in the conference."""

    ON = "on"
    LEFT = "left"


class Silent(StrEnum):
    """How a caller who does not speak came to be connected."""

    PRESSED_55 = "55"
    NOISE = "noise"
    UNRESOLVED = "unresolved"
    """A landline on which the operator could not decide."""


class Text(StrEnum):
    """How a caller writes."""

    RELAY = "relay"
    SMS = "sms"


class Trigger(StrEnum):
    """What set an eCall off."""

    AUTOMATIC = "automatic"
    MANUAL = "manual"


class Nuisance(StrEnum):
    """Why a call counts as a nuisance."""

    KNOWN = "known"
    TAGGED = "tagged"


class Stage(StrEnum):
    """How far a call had come."""

    QUEUE = "queue"
    OPERATOR = "operator"
    ANNOUNCEMENT = "announcement"
    CONNECTING = "connecting"
    ANSWERED = "answered"


class Why(StrEnum):
    """Why the network ends a dialog."""

    CALLER = "caller"
    HOLD_EXPIRED = "hold-expired"
    OPERATOR = "operator"
    CONTROL = "control"
    """A tester ended it."""


_E = TypeVar("_E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark. None, empty, 0 and False stand for what is not told."""

    call: uuid.UUID
    """The call's identity."""
    event: What | None = None
    ask: Ask | None = None
    """From the control room alone."""
    authority: str = ""
    """Whom the call is for; a token."""
    route: Route | None = None
    attempt: int = 0
    line: Line | None = None
    caller: Caller | None = None
    operator: Operator | None = None
    silent: Silent | None = None
    hold: int = 0
    """Seconds for which a circuit is kept."""
    lifted: int = 0
    """Times that the receiver was lifted again."""
    text: Text | None = None
    ecall: Trigger | None = None
    buddy: str = ""
    """The authority that gets the call in place of `authority`; a token."""
    critical: bool = False
    spate: bool = False
    nuisance: Nuisance | None = None
    abandoned: Stage | None = None
    why: Why | None = None

    def __post_init__(self) -> None:
        """Raises SipLocalError on what can't be written."""
        for name in ("authority", "buddy"):
            value = getattr(self, name)
            if value and TOKEN.fullmatch(value) is None:
                raise SipLocalError(f"a mark whose {name} is no token: {value!r}")
        for name in ("attempt", "hold", "lifted"):
            if not 0 <= getattr(self, name) <= MAX_COUNT:
                raise SipLocalError(f"a mark's {name} is 0 to {MAX_COUNT}, not {getattr(self, name)}")

    @classmethod
    def parse(cls, value: str) -> Mark | None:
        """Read one Call-Info value; None for one of another purpose. Raises SipRemoteError."""
        if PURPOSE not in value.lower():
            return None
        read = NameAddr.parse(value)
        params = {name: unquote(text or "") for name, text in read.params.items()}
        if params.get("purpose", "").lower() != PURPOSE:
            return None
        return cls(
            call=_call(str(read.uri)),
            event=_one_of(What, params),
            ask=_one_of(Ask, params, "ask"),
            authority=_token(params, "authority"),
            route=_one_of(Route, params, "route"),
            attempt=_count(params, "attempt"),
            line=_one_of(Line, params, "line"),
            caller=_one_of(Caller, params, "caller"),
            operator=_one_of(Operator, params, "operator"),
            silent=_one_of(Silent, params, "silent"),
            hold=_count(params, "hold"),
            lifted=_count(params, "lifted"),
            text=_one_of(Text, params, "text"),
            ecall=_one_of(Trigger, params, "ecall"),
            buddy=_token(params, "buddy"),
            critical=params.get("critical", "").lower() == "yes",
            spate=params.get("spate", "").lower() == "yes",
            nuisance=_one_of(Nuisance, params, "nuisance"),
            abandoned=_one_of(Stage, params, "abandoned"),
            why=_one_of(Why, params, "why"),
        )

    def told(self) -> dict[str, str | int | bool]:
        """What is told, by parameter, as JSON holds it; the identity as `call`."""
        found: dict[str, str | int | bool] = {"call": str(self.call)}
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name != "call" and value:
                found[each.name] = str(value) if isinstance(value, StrEnum) else value
        return found

    def __str__(self) -> str:
        params: Params = {"purpose": PURPOSE}
        for name, value in self.told().items():
            if name != "call":
                params[name] = "yes" if value is True else str(value)
        return f"<{_URN}{self.call}>{write_params(params)}"

    def header(self) -> tuple[str, str]:
        """The header line that carries it, and nothing else."""
        return HEADER, str(self)


def mark_of(message: Message) -> Mark | None:
    """The first mark of a message; None where it has none. Raises SipRemoteError where Call-Info can't be read."""
    for value in message.values(HEADER):
        mark = Mark.parse(value)
        if mark is not None:
            return mark
    return None


def _call(uri: str) -> uuid.UUID:
    if uri[: len(_URN)].lower() != _URN:
        raise SipRemoteError(f"a mark names its call by urn:uuid:…, not {uri[:60]!r}")
    try:
        return uuid.UUID(uri[len(_URN) :])
    except ValueError as error:
        raise SipRemoteError(f"a mark names its call by urn:uuid:…, not {uri[:60]!r}") from error


def _one_of(kind: type[_E], params: dict[str, str], name: str = "event") -> _E | None:
    text = params.get(name, "").lower()
    return next((each for each in kind if each == text), None)


def _token(params: dict[str, str], name: str) -> str:
    text = params.get(name, "")
    return text if TOKEN.fullmatch(text) is not None else ""


def _count(params: dict[str, str], name: str) -> int:
    text = params.get(name, "")
    return min(int(text), MAX_COUNT) if DIGITS.fullmatch(text) is not None else 0
