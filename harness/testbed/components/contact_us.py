"""Contact Us in a testbed file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from harness.testbed.components.base import Binding, BoundComponent
from simulators.contact_us.settings import ContactUsSettings


class ContactUsComponent(BoundComponent):
    """Where the public writes to the police: a form, a REST intake, a mailbox."""

    role: Literal["contact_us"]
    simulator: ContactUsSettings = ContactUsSettings()
    """How the simulator is laid out; only where the binding is ``simulated``."""
    adapter: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] = "iccs"
    """How a real system is spoken to: an installed adapter's name."""
    address: Annotated[str, Field(pattern=r"^https?://[^/\s]+$")] | None = None
    """Where a real system is."""
    token: SecretStr | None = None
    """What a real system's intake asks for."""

    @model_validator(mode="after")
    def _real_has_address(self) -> ContactUsComponent:
        if self.binding is Binding.REAL and self.address is None:
            raise ValueError("a real contact_us needs 'address', the http://host:port of its intake")
        real = {"adapter", "address", "token"} & self.model_fields_set
        if self.binding is Binding.SIMULATED and real:
            told = ", ".join(repr(name) for name in sorted(real))
            raise ValueError(f"{told}: for a real system; a simulator's stand under 'simulator'")
        self.only_a_simulator_is_laid_out()
        return self
