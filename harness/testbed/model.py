"""The testbed file: components by role, how each is bound, the numbers plan, and what safety allows."""

from __future__ import annotations

import ssl
from collections.abc import Iterable
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_core import PydanticCustomError

from harness.errors import TestbedError
from simulators.iccs.settings import IccsSettings, Number, PositionId
from simulators.location.settings import LocationSettings

MAX_COMPONENTS = 2000
NARROWEST = 5
"""Characters that a pattern of an allow-list must name."""
SERIAL_SCHEMES = ("/dev/", "rfc2217://", "socket://")

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,39}$")]
Ssi = Annotated[int, Field(ge=1, le=16_777_215)]
"""A short subscriber identity, 24 bits (EN 300 392-1)."""
_PORT = r"(?:[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
HostPort = Annotated[str, Field(pattern=rf"^[^:\s]+:{_PORT}$")]
Audio = Annotated[str, Field(pattern=rf"^(rtp|rtp://[^:\s/]+:{_PORT}|sound:.+)$", max_length=200)]
"""``rtp`` (a simulator's own jack), ``rtp://host:port``, or ``sound:NAME`` for a sound device."""


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
    sip: HostPort | None = None
    """Where real equipment takes SIP calls, ``host:port``."""
    control: Annotated[str, Field(pattern=r"^https?://[^/\s]+$")] | None = None
    """Where real equipment offers a console interface like the simulator's."""
    control_token: SecretStr | None = None
    """Bearer token that ``control`` asks for."""

    @model_validator(mode="after")
    def _real_has_address(self) -> IccsComponent:
        if self.binding is Binding.REAL and self.sip is None:
            raise ValueError("a real iccs needs 'sip', the host:port at which it takes calls")
        if self.binding is Binding.SIMULATED and (self.sip or self.control or self.control_token):
            raise ValueError(
                "'sip', 'control' and 'control_token' are for real equipment; a simulator's ports and token stand "
                "under 'simulator'"
            )
        if self.binding is not Binding.SIMULATED and "simulator" in self.model_fields_set:
            raise ValueError(f"'simulator' lays out a simulator, and this one is bound {self.binding.value!r}")
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
    audio: Audio = "rtp"
    """Its loudspeaker and microphone; ``rtp`` only where a simulator offers the jack."""

    @model_validator(mode="after")
    def _real_has_line(self) -> _Terminal:
        real = self.binding is Binding.REAL
        if real and not self.serial.url.startswith(SERIAL_SCHEMES):
            raise ValueError(f"a real terminal needs 'serial.url' beginning with one of {', '.join(SERIAL_SCHEMES)}")
        if real and self.audio == "rtp":
            raise ValueError("a real terminal needs 'audio': rtp://host:port or sound:NAME")
        if self.binding is Binding.SIMULATED and self.serial.url != "pty":
            raise ValueError("'serial.url' is for real equipment; a simulator offers a line of its own ('pty')")
        return self


class RadioGatewayComponent(_Terminal):
    """The TETRA terminal through which the ICCS reaches the radio network."""

    role: Literal["radio_gateway"]

    @model_validator(mode="after")
    def _audio_to_the_switch(self) -> RadioGatewayComponent:
        if self.audio.startswith("sound:"):
            raise ValueError("a gateway's 'audio' is plugged into the ICCS: rtp://host:port")
        return self


class RadioTerminalComponent(_Terminal):
    """An officer's terminal, on a serial line of its own."""

    role: Literal["radio_terminal"]


class TrunkComponent(_Component):
    """The emergency trunk: the 999 operator's network, which places calls to the control room."""

    role: Literal["emergency_trunk"]
    local: HostPort = "127.0.0.1:0"
    """Where the trunk's SIP is bound, ``host:port``."""
    to: Name = "iccs"
    """The component it leads to."""


class ConsoleComponent(_Component):
    """An operator position's console."""

    role: Literal["console"]
    position: PositionId
    of: Name = "iccs"
    """The ICCS it belongs to."""
    audio: Audio = "rtp"
    """The headset; ``rtp`` is the jack that the ICCS names."""


class TlsSettings(_Strict):
    """How a real service's certificate is verified, and what we show it."""

    ca: Path | None = None
    """PEM file of the authorities that may have signed it; the system's where left out."""
    certificate: Path | None = None
    """PEM file of our own certificate, where the service asks for one."""
    key: Path | None = None

    @model_validator(mode="after")
    def _pair(self) -> TlsSettings:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("'certificate' and 'key' go together")
        return self

    def context(self) -> ssl.SSLContext:
        """Return what a link is made with. Raises TestbedError when a file can't be read."""
        try:
            context = ssl.create_default_context(cafile=self.ca)
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as error:
            raise TestbedError(f"'tls': {error}") from error
        return context


class CallerLocationComponent(_Component):
    """The service that tells the control room where a caller is."""

    role: Literal["caller_location"]
    simulator: LocationSettings = LocationSettings()
    """How the simulator is laid out; only where the binding is ``simulated``."""
    link: HostPort | None = None
    """Where a real service takes links of the caller-location interface, ``host:port``."""
    codec: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] = "iccs"
    """The real service's wire format: an installed codec's name."""
    token: SecretStr | None = None
    """What a real service asks for in the greeting."""
    tls: TlsSettings | None = None
    """Where the link to a real service is over TLS."""
    aml: Annotated[str, Field(pattern=r"^https?://[^/\s]+$")] | None = None
    """Where a real service takes AML in by HTTPS; only for intakes that are for tests."""
    aml_key: SecretStr | None = None
    """The shared key with which that AML is signed."""

    @model_validator(mode="after")
    def _real_has_address(self) -> CallerLocationComponent:
        if self.binding is Binding.REAL and self.link is None:
            raise ValueError("a real caller_location needs 'link', the host:port at which it takes links")
        real = {"link", "codec", "token", "tls", "aml", "aml_key"} & self.model_fields_set
        if self.binding is Binding.SIMULATED and real:
            told = ", ".join(repr(name) for name in sorted(real))
            raise ValueError(f"{told}: for a real service; a simulator's stand under 'simulator'")
        if self.binding is not Binding.SIMULATED and "simulator" in self.model_fields_set:
            raise ValueError(f"'simulator' lays out a simulator, and this one is bound {self.binding.value!r}")
        return self


Component = Annotated[
    IccsComponent
    | RadioNetworkComponent
    | RadioGatewayComponent
    | RadioTerminalComponent
    | TrunkComponent
    | ConsoleComponent
    | CallerLocationComponent,
    Field(discriminator="role"),
]

SIMULATED_BY_ITSELF = (IccsComponent, RadioNetworkComponent, CallerLocationComponent)
"""Components for which `iccs simulate` starts a simulator; others come up with these, or the harness plays them."""


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
    locate: tuple[str, ...] = ()
    """Numbers whose location may be asked for, or sent in as a handset's; written as in ``dial``."""
    permits: tuple[Permit, ...] = ()

    @field_validator("dial", "locate")
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
        self._check_identities()
        self._check_talkgroups()
        iccss = [name for name, each in self.components.items() if isinstance(each, IccsComponent)]
        for name, each in self.components.items():
            key = {"emergency_trunk": "to", "console": "of"}.get(each.role)
            if key is not None and getattr(each, key) not in iccss:
                raise _misfit(
                    ("components", name, key), getattr(each, key), f"a component with role 'iccs' ({_listed(iccss)})"
                )
        networks = [n for n, each in self.components.items() if isinstance(each, RadioNetworkComponent)]
        if len(networks) > 1:
            raise _misfit(("components", networks[1], "role"), "radio_network", "one radio network")
        return self

    def _check_identities(self) -> None:
        """Every ISSI and GSSI is one party's alone: on air they are one number space (EN 300 392-1)."""
        held: dict[int, str] = {}
        for group, gssi in self.talkgroups.items():
            if gssi in held:
                raise _misfit(("talkgroups", group), gssi, f"an identity of its own; {held[gssi]} has this one")
            held[gssi] = f"talkgroup {group}"
        for name, each in self.components.items():
            if isinstance(each, _Terminal):
                if each.issi in held:
                    raise _misfit(
                        ("components", name, "issi"), each.issi, f"an identity of its own; {held[each.issi]} has this"
                    )
                held[each.issi] = name

    def _check_talkgroups(self) -> None:
        known = _listed(self.talkgroups)
        gateways: dict[str, str] = {}
        for name, each in self.components.items():
            if isinstance(each, _Terminal) and each.talkgroup not in self.talkgroups:
                raise _misfit(("components", name, "talkgroup"), each.talkgroup, known)
            if isinstance(each, RadioGatewayComponent):
                if each.talkgroup in gateways:
                    raise _misfit(
                        ("components", name, "talkgroup"),
                        each.talkgroup,
                        f"a talkgroup of its own; gateway {gateways[each.talkgroup]} has this one",
                    )
                gateways[each.talkgroup] = name
            if isinstance(each, IccsComponent):
                for index, row in enumerate(each.simulator.positions):
                    for group in row.talkgroups:
                        if group not in self.talkgroups:
                            raise _misfit(
                                ("components", name, "simulator", "positions", index, "talkgroups"), group, known
                            )
        for index, group in enumerate(self.safety.key):
            if group not in self.talkgroups:
                raise _misfit(("safety", "key", index), group, known)

    def real(self) -> list[str]:
        """Return the names of the components that are not simulated."""
        return [name for name, each in self.components.items() if each.binding is not Binding.SIMULATED]


def _misfit(at: tuple[str | int, ...], found: object, allowed: str) -> PydanticCustomError:
    """An error of the whole file, which the reader of the file finds the line of."""
    return PydanticCustomError("misfit", "misfit", {"at": at, "found": found, "allowed": allowed})


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none is there"
