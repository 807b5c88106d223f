"""What an emergency network simulator is told at its start: addresses, authorities and routes, operators, times."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from simulators.settings import E164, Seconds, Span, Strict

MAX_OPERATORS = 500
"""Automatic operators."""
MAX_DESKS = 100
"""Desks for operators who are driven by hand."""
MAX_AUTHORITIES = 50
ROUTE_NAMES = ("primary", "secondary", "tertiary")

Token = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,31}$")]
Number = Annotated[str, Field(pattern=r"^\+?[0-9*#]{1,20}$")]
Target = Annotated[str, Field(pattern=r"^[A-Za-z0-9.\[\]:_-]{1,100}$")]
"""``host:port`` of a control room's SIP, or the name of the testbed's component that takes the calls."""
Service = Literal["police", "fire", "ambulance", "coastguard"]


class RouteSettings(Strict):
    """One way to a control room."""

    to: Target | None = None
    """Where its calls go; None: not connected, until the control interface says."""
    number: Number = "999"
    """What is dialled there."""
    delayed_offer: bool = False
    """Whether the INVITE leaves the offer to the control room (RFC 3264 section 4)."""


class AuthoritySettings(Strict):
    """One emergency authority: a police force, a fire service …"""

    name: Token
    service: Service = "police"
    routes: tuple[RouteSettings, ...] = Field(default=(RouteSettings(to="iccs"),), min_length=1, max_length=3)
    """Primary, secondary, tertiary."""
    critical: RouteSettings | None = None
    """Its critical number."""
    critical_after_s: Seconds | None = None
    """Seconds of trying after which automatic operators ring the critical number; None: they never do."""
    buddy: Token | None = None
    """The authority that takes its calls when it does not answer."""
    buddy_after_s: Seconds = 60.0
    """Seconds of trying after which the buddy is invoked, though routes are left."""


class OperatorSettings(Strict):
    """The operators and how they work. Times of automatic ones; a manual one takes its own."""

    automatic: int = Field(default=20, ge=0, le=MAX_OPERATORS)
    desks: tuple[Token, ...] = Field(default=("operator-1", "operator-2"), max_length=MAX_DESKS)
    """Desks for operators who are driven by hand. One who is logged in and free is offered calls first."""
    answer_s: Span = Span(least=0.5, most=2.0)
    """From the call's coming to a free operator to the answer."""
    listen_s: Seconds = 6.0
    """How long a caller who says nothing is listened for, each time."""
    speak_s: Seconds = 15.0
    """How long a caller who speaks is listened to at most."""
    stay_s: Span | None = Span(least=5.0, most=5.0)
    """How long an operator stays after the hand-over; None: until told."""


class SilentSettings(Strict):
    """Silent Solution."""

    announcement_s: Annotated[float, Field(gt=0, le=120)] = 20.0
    """How long 55 is taken (NICCS-TEL-008)."""
    accept_noise: bool = False
    """Whether a tap or a noise is taken, too: some forces have it so."""
    noise_dbov: Annotated[float, Field(ge=-80, le=0)] = -40.0
    """Level of 10 ms from which a sound counts as one."""


class RoutingSettings(Strict):
    """When a route counts as failed."""

    reply_s: Annotated[float, Field(gt=0, le=32)] = 2.0
    """Seconds for the first response, 100 included."""
    no_answer_s: Annotated[float, Field(gt=0, le=600)] = 30.0
    """Seconds of ringing; anew with each 181 and 182."""
    give_up_s: Annotated[float, Field(gt=0, le=3600)] = 180.0
    """Seconds of trying, over all routes, after which the operator tells the caller that nobody answers."""
    pause_s: Annotated[float, Field(ge=0.1, le=60)] = 1.0
    """Seconds before all routes are tried again."""
    ping_s: Annotated[float, Field(ge=0, le=3600)] = 10.0
    """Seconds between two OPTIONS on a route; 0: none are sent."""
    ping_within_s: Annotated[float, Field(gt=0, le=32)] = 2.0
    ping_failures: int = Field(default=2, ge=1, le=10)
    """OPTIONS in a row that bring no good answer until a route is down; one good answer brings it up."""


class SpateSettings(Strict):
    """When the network counts a spate."""

    calls: int = Field(default=50, ge=2, le=10_000)
    """Calls for one authority."""
    window_s: Annotated[float, Field(gt=0, le=3600)] = 60.0
    """Within so many seconds."""


class EmergencySettings(Strict):
    """An emergency network as the testbed file describes it."""

    host: str = "127.0.0.1"
    sip_port: int = Field(default=0, ge=0, le=65535)
    """UDP and TCP port for callers' telephones; 0 takes any free one."""
    trunk_port: int = Field(default=0, ge=0, le=65535)
    """UDP port towards control rooms, at which ring-backs are taken; 0 takes any free one."""
    http_port: int = Field(default=0, ge=0, le=65535)
    """TCP port of the control interface; 0 takes any free one."""
    token: SecretStr | None = None
    """Bearer token of the control interface; needed where ``host`` is not loopback."""
    seed: int = 1
    """Of operators' times and spates: one seed gives the same ones."""
    authorities: tuple[AuthoritySettings, ...] = Field(
        default=(AuthoritySettings(name="police"),), min_length=1, max_length=MAX_AUTHORITIES
    )
    """The first of a service gets the calls for it; a service that nobody serves goes to the first of all."""
    operators: OperatorSettings = OperatorSettings()
    operator_number: E164 = "+441632960999"
    """The network's own number, of calls without a caller."""
    silent: SilentSettings = SilentSettings()
    routing: RoutingSettings = RoutingSettings()
    spate: SpateSettings = SpateSettings()
    hold_s: Annotated[float, Field(ge=0, le=600)] = 45.0
    """How long a landline's circuit is kept when the caller hangs up (NICCS-TEL-009)."""
    abandoned: Literal["clear", "deliver"] = "clear"
    """What becomes of a call that its caller gave up once an operator had answered: it ends, or is told even so."""
    resource_priority: Annotated[str, Field(pattern=r"^([a-z0-9-]+\.[a-z0-9-]+)?$", max_length=40)] = "esnet.1"
    """Of calls to control rooms (RFC 4412, RFC 7135); empty: none."""
    pass_location: bool = True
    """Whether a PIDF-LO that the caller's telephone sends is passed on."""
    landlines: tuple[E164, ...] = Field(default=(), max_length=2000)
    """Numbers whose circuit can be kept, beside those of geographic ranges."""
    mobiles: tuple[E164, ...] = Field(default=(), max_length=2000)
    """Numbers that are mobiles whatever their range."""
    nuisance: tuple[E164, ...] = Field(default=(), max_length=2000)
    """Numbers that are known for nuisance calls."""
    sms_registered: tuple[E164, ...] = Field(default=(), max_length=2000)
    """Mobiles that are registered for emergencySMS from the start."""
    location: Annotated[str, Field(pattern=r"^(https?://[^/\s]+|[a-z0-9][a-z0-9_.-]{0,39})$")] | None = "location"
    """Where handsets' AML texts are handed on: the intake's address, or the testbed's component; None: nowhere."""

    @model_validator(mode="after")
    def _fit(self) -> EmergencySettings:
        names = [each.name for each in self.authorities]
        for what, listed in (("authority", names), ("desk", self.operators.desks)):
            for name, times in Counter(listed).items():
                if times > 1:
                    raise ValueError(f"{what} {name!r} stands there twice")
        for each in self.authorities:
            if each.buddy is not None and (each.buddy not in names or each.buddy == each.name):
                raise ValueError(f"the buddy of {each.name!r} is {each.buddy!r}; another authority is due")
        if both := sorted(set(self.landlines) & set(self.mobiles)):
            raise ValueError(f"{both[0]} is a landline and a mobile")
        return self
