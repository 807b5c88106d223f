"""What the control interface takes: the bodies of its requests."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from harness.protocols.sip.emergency_call import Silent
from simulators.bodies import Body
from simulators.emergency.faults import Fault
from simulators.emergency.settings import MAX_OPERATORS, Number, Target, Token
from simulators.settings import Span

MAX_FAULT_S = 600.0


class AnswerBody(Body):
    """Which call to take: by id, or the one that waits longest."""

    call: str | None = Field(default=None, max_length=64)


class ConnectBody(Body):
    """Where to connect the desk's call."""

    authority: Token | None = None
    """None: the one that serves what the caller dialled."""
    route: Token | None = None
    """``primary``, ``secondary``, ``tertiary`` or ``critical``, on that one alone; None: as the routes stand."""
    silent: Annotated[Silent, Field(strict=False)] | None = None
    """Tell that the caller does not speak."""


class JoinBody(Body):
    """Which call to come into."""

    call: str = Field(max_length=64)


class TypeBody(Body):
    """What the operator writes to caller and control room."""

    text: str = Field(min_length=1, max_length=500)


class AgencyBody(Body):
    """Whom the operator calls itself."""

    authority: Token
    route: Token = "critical"


class OperatorsBody(Body):
    """How operators work from now on; what is left out stays."""

    automatic: Annotated[int, Field(ge=0, le=MAX_OPERATORS)] | None = None
    answer_s: Span | None = None
    listen_s: Annotated[float, Field(ge=0, le=600)] | None = None
    speak_s: Annotated[float, Field(ge=0, le=600)] | None = None
    stay_s: Span | None = None
    stay_until_told: bool = False
    """In place of ``stay_s``."""


class RouteBody(Body):
    """A route from now on; what is left out stays."""

    to: Target | None = None
    """``host:port``."""
    number: Number | None = None
    delayed_offer: bool | None = None
    cut: bool | None = None
    """Whether the line is cut: what is sent is lost."""


class FaultBody(Body):
    """What is to be wrong for every call from now on."""

    seconds: float = Field(default=10.0, gt=0, le=MAX_FAULT_S)
    """How much later operators answer, where they are to be slow."""


class CallFaultBody(Body):
    """What is to be wrong with one call, at once."""

    fault: Fault = Field(strict=False)
