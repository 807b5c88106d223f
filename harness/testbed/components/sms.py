"""The SMS network and gateways to it in a testbed file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from harness.testbed.components.base import (
    SERIAL_SCHEMES,
    Binding,
    BoundComponent,
    HostPort,
    Name,
    SerialSettings,
    Strict,
)
from simulators.settings import E164
from simulators.sms.settings import ShortCode, SmsSettings, SystemId


class SmsNetworkComponent(BoundComponent):
    """A simulated SMS network: handsets, a modem, and a service centre that speaks SMPP."""

    role: Literal["sms_network"]
    simulator: SmsSettings = SmsSettings()

    @model_validator(mode="after")
    def _simulated(self) -> SmsNetworkComponent:
        if self.binding is not Binding.SIMULATED:
            raise ValueError("an sms_network is simulated: real ones are reached by a component of role 'sms_gateway'")
        return self


class SmppSettings(Strict):
    """An account at a real service centre."""

    address: HostPort
    system_id: SystemId
    password: Annotated[SecretStr, Field(max_length=8)] = SecretStr("")
    system_type: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{0,12}$")] = ""


class SmsGatewayComponent(BoundComponent):
    """How the harness sends and gets texts: a GSM modem, or an SMPP account."""

    role: Literal["sms_gateway"]
    way: Literal["modem", "smpp"]
    of: Name | None = None
    """The simulated network."""
    serial: SerialSettings = SerialSettings(baud=115200)
    """A real modem's line."""
    smpp: SmppSettings | None = None
    """A real service centre's account."""
    number: E164 | ShortCode | None = None
    """From which texts come; needed for SMPP on a real service centre, elsewhere the network knows it."""

    @model_validator(mode="after")
    def _fits(self) -> SmsGatewayComponent:
        real = {"serial", "smpp"} & self.model_fields_set
        if self.binding is Binding.SIMULATED:
            if self.of is None or real:
                raise ValueError("a simulated sms_gateway needs 'of', an sms_network, and neither 'serial' nor 'smpp'")
        elif self.of is not None:
            raise ValueError(f"'of' names a simulated network, and this one is bound {self.binding.value!r}")
        elif self.binding is Binding.REAL and self.way == "modem" and not self.serial.url.startswith(SERIAL_SCHEMES):
            raise ValueError("a real modem needs 'serial.url': /dev/…, rfc2217://… or socket://…")
        elif self.binding is Binding.REAL and self.way == "smpp" and (self.smpp is None or self.number is None):
            raise ValueError("a real sms_gateway by SMPP needs 'smpp' and 'number'")
        return self
