"""Trunks: where each leads, how it is watched, and how calls on it are written; and the routes that lead to trunks."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from simulators.settings import Strict
from simulators.switch.settings.base import DialledNumber, HostPort, Identity, Label, Seconds, SpeechSettings

MAX_TRUNKS = 64
MAX_PEERS = 16
MAX_ROUTES = 2_000


class PeerSettings(Strict):
    """One place that a trunk leads to."""

    address: HostPort | None = None
    """``host:port``; an IP address, as calls that come from it are known by it."""
    component: Label | None = None
    """A component of the testbed instead, at its SIP address."""
    transport: Literal["UDP", "TCP", "TLS"] = "UDP"
    priority: int = Field(default=1, ge=1, le=100)
    """The least is tried first; those of one priority in their order."""

    @model_validator(mode="after")
    def _one_place(self) -> PeerSettings:
        if (self.address is None) == (self.component is None):
            raise ValueError("a peer has 'address', host:port, or 'component', the name of one in the testbed")
        return self


class OptionsSettings(Strict):
    """How a trunk's peers are watched (OPTIONS)."""

    interval_s: Seconds = 60.0
    """Seconds between two questions while a peer is in service."""
    interval_down_s: Seconds = 10.0
    answer_s: Seconds = 4.0
    down_after: int = Field(default=2, ge=1, le=20)
    up_after: int = Field(default=1, ge=1, le=20)


class TrunkSettings(SpeechSettings):
    """One SIP trunk."""

    name: Label
    peers: tuple[PeerSettings, ...] = Field(min_length=1, max_length=MAX_PEERS)
    options: OptionsSettings | None = OptionsSettings()
    """None: its peers are taken for there until a call shows otherwise."""
    offer: Literal["early", "delayed"] = "early"
    """Whether our INVITE brings the offer, or leaves it to the peer as Call Manager does by default."""
    first_answer_s: Seconds = 4.0
    """Seconds within which a peer answers an INVITE with anything; the next one is tried then."""
    no_answer_s: float = Field(default=180.0, gt=0, le=600)
    """Seconds for which a call rings."""
    out_of_service_s: Seconds = 30.0
    """For how long a peer that failed a call is passed over, where it names no Retry-After."""
    max_calls: int = Field(default=500, ge=1, le=2_000)
    trusted: bool = True
    """Whether its asserted identities are believed, and those that are withheld are told to it (RFC 3325)."""
    identity: tuple[Identity, ...] = ("P-Asserted-Identity",)
    diversion: tuple[Literal["Diversion", "History-Info"], ...] = ("Diversion",)
    """How it is told that a call was diverted."""
    main_number: DialledNumber | None = None
    """What stands for a line that has no external number."""
    reliable: bool | None = None
    """Whether our ringing is acknowledged (100rel): always, never, or where the peer asks for it."""
    tandem: bool = False
    """Whether calls that come by it may leave by another trunk."""
    strip: int = Field(default=0, ge=0, le=20)
    """Digits that are cut off the front of what is called by it, inwards."""
    prepend: str = Field(default="", pattern=r"^\+?[0-9*#]{0,20}$")
    """Digits that are then put before it."""
    rtp_stat: bool = True
    """Whether BYE and its answer tell what the speech was (P-RTP-Stat)."""

    @model_validator(mode="after")
    def _offers_fit(self) -> TrunkSettings:
        if self.offer == "delayed" and self.media == "passed_through":
            raise ValueError("a delayed offer can't be passed through: 'media: anchored' is needed with it")
        return self


class RouteSettings(Strict):
    """One line of the dial plan (harness.protocols.sip.dial_plan), towards trunks or to another number."""

    pattern: str = Field(min_length=1, max_length=64)
    trunks: tuple[Label, ...] = Field(default=(), max_length=32)
    """In the order in which they are tried. Without any, the number is changed and looked up again."""
    strip: int = Field(default=0, ge=0, le=32)
    strip_pre_dot: bool = False
    prepend: str = Field(default="", pattern=r"^\+?[0-9*#]{0,32}$")
    refuse: int = Field(default=0, ge=0, le=699)
    """The status with which calls are refused; 0: they are not."""
