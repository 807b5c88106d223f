"""The testbed file: components by role, how each is bound, the numbers plan, and what safety allows."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from simulators.iccs.settings import IccsSettings, Number, PositionId

MAX_COMPONENTS = 2000
NARROWEST = 5
"""Characters that a pattern of an allow-list must name."""
SERIAL_SCHEMES = ("/dev/", "rfc2217://", "socket://")

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,39}$")]
Ssi = Annotated[int, Field(ge=1, le=16_777_215)]
"""A short subscriber identity, 24 bits (EN 300 392-1)."""


class Binding(StrEnum):
    """What stands behind a component."""

    SIMULATED = "simulated"
    """The harness starts a simulator, or plays the part itself."""
    REAL = "real"
    """Equipment, reached at the address given."""
    MANUAL = "manual"
    """Equipment without an interface: a tester acts and confirms."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Component(_Strict):
    binding: Binding = Binding.SIMULATED


class SerialSettings(_Strict):
    """A serial line as pyserial opens it, 8N1."""

    url: str = "pty"
    """``/dev/…``, ``rfc2217://…``, ``socket://…``; ``pty`` only where a simulator offers the line."""
    baud: Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] = 38400


class IccsComponent(_Component):
    """The control room's switch and positions: the system under test."""

    role: Literal["iccs"]
    simulator: IccsSettings = IccsSettings()
    """How the simulator is laid out; only where the binding is ``simulated``."""
    sip: Annotated[str, Field(pattern=r"^[^:\s]+:\d{1,5}$")] | None = None
    """Where real equipment takes SIP calls, ``host:port``."""
    control: Annotated[str, Field(pattern=r"^https?://")] | None = None
    """Where real equipment offers a console interface like the simulator's."""

    @model_validator(mode="after")
    def _real_has_address(self) -> IccsComponent:
        if self.binding is Binding.REAL and self.sip is None:
            raise ValueError("a real iccs needs 'sip', the host:port at which it takes calls")
        if self.binding is Binding.SIMULATED and (self.sip or self.control):
            raise ValueError("'sip' and 'control' are for real equipment; a simulator's ports stand under 'simulator'")
        return self


class RadioNetworkComponent(_Component):
    """The TETRA network."""

    role: Literal["radio_network"]
    mcc: int = Field(default=901, ge=0, le=999)
    """Mobile country code (901: shared, for tests)."""
    mnc: int = Field(default=1638, ge=0, le=16383)
    """Mobile network code."""


class _Terminal(_Component):
    issi: Ssi
    talkgroup: str
    serial: SerialSettings = SerialSettings()
    audio: str = "rtp"
    """``rtp`` (a simulated terminal's jack), ``rtp://host:port``, or ``sound:NAME`` for a sound device."""

    @field_validator("audio")
    @classmethod
    def _known_audio(cls, value: str) -> str:
        if value == "rtp" or value.startswith(("rtp://", "sound:")):
            return value
        raise ValueError("audio is 'rtp', 'rtp://host:port' or 'sound:NAME'")

    @model_validator(mode="after")
    def _real_has_line(self) -> _Terminal:
        real = self.binding is Binding.REAL
        if real and not self.serial.url.startswith(SERIAL_SCHEMES):
            raise ValueError(f"a real terminal needs 'serial.url' beginning with one of {', '.join(SERIAL_SCHEMES)}")
        if real and self.audio == "rtp":
            raise ValueError("a real terminal needs 'audio': rtp://host:port or sound:NAME")
        return self


class RadioGatewayComponent(_Terminal):
    """The TETRA terminal through which the ICCS reaches the radio network."""

    role: Literal["radio_gateway"]


class RadioTerminalComponent(_Terminal):
    """An officer's terminal, on a serial line of its own."""

    role: Literal["radio_terminal"]


class TrunkComponent(_Component):
    """The emergency trunk: the 999 operator's network, which places calls to the control room."""

    role: Literal["emergency_trunk"]
    local: Annotated[str, Field(pattern=r"^[^:\s]+:\d{1,5}$")] = "127.0.0.1:0"
    """Where the trunk's SIP is bound, ``host:port``."""
    to: Name = "iccs"
    """The component it leads to."""


class ConsoleComponent(_Component):
    """An operator position's console."""

    role: Literal["console"]
    position: PositionId
    of: Name = "iccs"
    """The ICCS it belongs to."""
    audio: str = "rtp"
    """The headset: ``rtp`` (a simulated position's jack), ``rtp://host:port`` or ``sound:NAME``."""


Component = Annotated[
    IccsComponent
    | RadioNetworkComponent
    | RadioGatewayComponent
    | RadioTerminalComponent
    | TrunkComponent
    | ConsoleComponent,
    Field(discriminator="role"),
]


class Permit(_Strict):
    """Leave to make an emergency or non-emergency police call, or a radio emergency, on real equipment; dated."""

    what: Literal["emergency_call", "radio_emergency"]
    target: str
    """The number (999, 112, 101 …) or the talkgroup."""
    valid_from: date
    valid_until: date
    """The last day on which it holds."""
    approved_by: str = Field(min_length=1)
    """Whose leave it is."""

    @model_validator(mode="after")
    def _in_order(self) -> Permit:
        if self.valid_until < self.valid_from:
            raise ValueError("'valid_until' lies before 'valid_from'")
        return self


class Safety(_Strict):
    """What may be dialled, keyed and messaged on a testbed with real equipment. Everything else is refused."""

    dial: tuple[str, ...] = ()
    """Numbers or SIP users; a ``*`` at the end, after five characters or more, stands for anything."""
    key: tuple[str, ...] = ()
    """Talkgroups, by name."""
    message: tuple[Ssi, ...] = ()
    """ISSIs that may be sent texts and statuses."""
    permits: tuple[Permit, ...] = ()

    @field_validator("dial")
    @classmethod
    def _narrow(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            if "*" in pattern[:-1] or (pattern.endswith("*") and len(pattern) <= NARROWEST):
                raise ValueError(f"{pattern!r} allows too much: a '*' stands at the end, after {NARROWEST} characters")
        return patterns


class Numbers(_Strict):
    """The numbers plan."""

    emergency: tuple[Number, ...] = Field(default=("999", "112"), min_length=1)
    non_emergency: tuple[Number, ...] = ("101",)


class RadioStatus(_Strict):
    """A pre-coded status as this force uses it."""

    value: int = Field(ge=0, le=65535)
    """What goes over the air, 16 bits."""
    means: str


class Testbed(_Strict):
    """A whole testbed file."""

    __test__ = False

    name: str = Field(min_length=1, max_length=80)
    stage: Literal["FAT", "SAT", "E2E", "UAT", "OAT", "ITHC", "pilot"] = "SAT"
    numbers: Numbers = Numbers()
    talkgroups: dict[str, Ssi] = Field(default_factory=dict)
    """Talkgroup name to GSSI."""
    statuses: dict[int, RadioStatus] = Field(default_factory=dict)
    """Radio status number to what goes over the air; forces differ, and their values are not public."""
    safety: Safety = Safety()
    components: dict[Name, Component] = Field(min_length=1, max_length=MAX_COMPONENTS)

    @model_validator(mode="after")
    def _names_fit(self) -> Testbed:
        for name, component in self.components.items():
            if isinstance(component, _Terminal) and component.talkgroup not in self.talkgroups:
                raise ValueError(f"components.{name}.talkgroup: {component.talkgroup!r} is not under 'talkgroups'")
            target = {"emergency_trunk": "to", "console": "of"}.get(component.role)
            if target is not None:
                wanted = getattr(component, target)
                there = self.components.get(wanted)
                if there is None or there.role != "iccs":
                    raise ValueError(f"components.{name}.{target}: {wanted!r} is no component with role 'iccs'")
        issis = [c.issi for c in self.components.values() if isinstance(c, _Terminal)]
        doubled = sorted({issi for issi in issis if issis.count(issi) > 1})
        if doubled:
            raise ValueError(f"components: ISSI {doubled[0]} is used by more than one terminal")
        return self

    def real(self) -> list[str]:
        """Return the names of the components that are not simulated."""
        return [name for name, each in self.components.items() if each.binding is not Binding.SIMULATED]
