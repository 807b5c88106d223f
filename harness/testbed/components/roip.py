"""The radio gateway (ED-137) and the radios that the harness has sessions with, in a testbed file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from harness.testbed.components.base import Binding, BoundComponent, HostPort, Name
from simulators.roip.settings import RoipSettings

RadioName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._+-]{1,64}$")]


class RoipGatewayComponent(BoundComponent):
    """A gateway whose radios control rooms reach by RTP."""

    role: Literal["roip_gateway"]
    simulator: RoipSettings = RoipSettings()
    """How the simulator is laid out; only where the binding is ``simulated``."""
    sip: HostPort | None = None
    """Where a real gateway takes INVITEs by UDP, ``host:port``."""

    @model_validator(mode="after")
    def _real_has_address(self) -> RoipGatewayComponent:
        if self.binding is Binding.REAL and self.sip is None:
            raise ValueError("a real roip_gateway needs 'sip', the host:port at which it takes INVITEs")
        if self.binding is Binding.SIMULATED and self.sip is not None:
            raise ValueError("'sip' is for a real gateway; a simulator's ports stand under 'simulator'")
        self.only_a_simulator_is_laid_out()
        return self


class RoipRadioComponent(BoundComponent):
    """A dispatcher's radio: the harness plays the control room's end of its session."""

    role: Literal["roip_radio"]
    of: Name
    """The gateway."""
    radio: RadioName
    """The user part of the radio's SIP URI."""
    standby: RadioName | None = None
    """The radio of that gateway that is gone to when this one is lost."""
    standby_of: Name | None = None
    """The gateway of the standby, where it is another."""
    talkgroup: str | None = None
    """What it keys; a radio of a real gateway can't be keyed without it."""
    local: HostPort = "127.0.0.1:0"
    """Where the control room's SIP is bound, and its RTP at any port of the same host."""
    direction: Literal["TxRx", "Tx", "Rx"] = "TxRx"
    period_ms: int = Field(default=200, ge=20, le=1000)
    """R2S-KeepAlivePeriod that is offered."""
    multiplier: int = Field(default=10, ge=2, le=50)
    """R2S-KeepAliveMultiplier that is offered."""
    layout: Literal[2009, 2011] = 2011
    """Which header extension our packets carry."""

    @model_validator(mode="after")
    def _standby_fits(self) -> RoipRadioComponent:
        if self.standby_of is not None and self.standby is None:
            raise ValueError("'standby_of' needs 'standby', the radio there")
        return self
