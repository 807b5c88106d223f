"""The caller-location service in a testbed file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from harness.testbed.components.base import Binding, BoundComponent, HostPort, TlsSettings
from simulators.location.settings import LocationSettings


class CallerLocationComponent(BoundComponent):
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
        self.only_a_simulator_is_laid_out()
        return self
