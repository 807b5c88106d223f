"""The CRM in a testbed file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from harness.testbed.components.base import Binding, BoundComponent
from simulators.crm.settings import CrmSettings


class CrmComponent(BoundComponent):
    """What keeps contacts, records and their THRIVE grading."""

    role: Literal["crm"]
    simulator: CrmSettings = CrmSettings()
    """How the simulator is laid out; only where the binding is ``simulated``."""
    service: Annotated[str, Field(pattern=r"^https?://[^/\s]+$")] | None = None
    """Where a real CRM is asked."""
    adapter: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] = "iccs"
    """The interface of a real CRM: an installed adapter's name."""
    token: SecretStr | None = None
    """What a real CRM asks for."""

    @model_validator(mode="after")
    def _real_has_address(self) -> CrmComponent:
        if self.binding is Binding.REAL and self.service is None:
            raise ValueError("a real crm needs 'service', the http://host:port at which it is asked")
        real = {"service", "adapter", "token"} & self.model_fields_set
        if self.binding is Binding.SIMULATED and real:
            told = ", ".join(repr(name) for name in sorted(real))
            raise ValueError(f"{told}: for a real CRM; a simulator's stand under 'simulator'")
        self.only_a_simulator_is_laid_out()
        return self
