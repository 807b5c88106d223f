"""The emergency network, its operators and the callers' telephones in a testbed file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from harness.drivers.handset_position import AmlWay
from harness.testbed.components.base import Audio, Binding, BoundComponent, HostPort, Name, Strict
from simulators.emergency.settings import EmergencySettings, Token
from simulators.settings import E164


class EmergencyNetworkComponent(BoundComponent):
    """The 999 operators' network: takes emergency calls, and connects them to control rooms."""

    role: Literal["emergency_network"]
    simulator: EmergencySettings = EmergencySettings()
    """How the simulator is laid out; only where the binding is ``simulated``."""
    sip: HostPort | None = None
    """Where a real network takes callers' SIP, ``host:port``."""
    control: Annotated[str, Field(pattern=r"^https?://[^/\s]+$")] | None = None
    """Where a real network offers a control interface like the simulator's."""
    control_token: SecretStr | None = None
    """Bearer token that ``control`` asks for."""

    @model_validator(mode="after")
    def _real_has_address(self) -> EmergencyNetworkComponent:
        if self.binding is Binding.REAL and self.sip is None:
            raise ValueError("a real emergency_network needs 'sip', the host:port at which it takes callers")
        if self.binding is Binding.SIMULATED and (self.sip or self.control or self.control_token):
            raise ValueError(
                "'sip', 'control' and 'control_token' are for a real network; a simulator's ports and token stand "
                "under 'simulator'"
            )
        self.only_a_simulator_is_laid_out()
        return self


class EmergencyOperatorComponent(BoundComponent):
    """A desk of the network's operators, driven by hand."""

    role: Literal["emergency_operator"]
    desk: Token
    """Which desk; one of the network's ``operators.desks``."""
    of: Name = "emergency"
    """The network it belongs to."""
    audio: Audio = "rtp"
    """The headset; ``rtp`` is the jack that the network names."""


class AmlSettings(Strict):
    """The position that a handset sends by itself once it has dialled an emergency number."""

    way: AmlWay = "text"
    """``text``: by a text message to the network; ``https``: by a form to the location service."""
    delay_s: float = Field(default=18.0, ge=0, le=600)
    """From dialling to sending."""
    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    radius_m: float = Field(default=20.0, gt=0, le=100_000)


class CallerPhoneComponent(BoundComponent):
    """A member of the public's telephone, played by the harness."""

    role: Literal["caller_phone"]
    number: E164 | None = None
    """Its number; None: a telephone without one, of which the network knows nothing."""
    of: Name = "emergency"
    """The network it is connected to."""
    local: HostPort = "127.0.0.1:0"
    """Where its SIP is bound, ``host:port``."""
    transport: Literal["udp", "tcp"] = "udp"
    aml: AmlSettings | None = None
    """None: it sends no position."""
    location: Name | None = None
    """The caller-location service to which it posts its position; needed where ``aml.way`` is ``https``."""

    @model_validator(mode="after")
    def _has_somewhere_to_post(self) -> CallerPhoneComponent:
        if self.aml is not None and self.aml.way == "https" and self.location is None:
            raise ValueError("'aml.way' https needs 'location', the caller-location component that it posts to")
        if self.aml is not None and self.number is None:
            raise ValueError("'aml' needs 'number': a position without one is nobody's")
        return self
