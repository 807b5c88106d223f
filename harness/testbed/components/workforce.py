"""Workforce management in a testbed file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from harness.testbed.components.base import Binding, BoundComponent, Name
from simulators.workforce.settings import WorkforceSettings


class WorkforceComponent(BoundComponent):
    """Workforce management: Calabrio's WFM, or what stands in its place."""

    role: Literal["workforce"]
    iccs: Name | None = None
    """The ICCS whose feeds a simulator has by REST; left out: none, files are brought to it."""
    simulator: WorkforceSettings = WorkforceSettings()
    """How the simulator is laid out; only where the binding is ``simulated``."""
    url: Annotated[str, Field(pattern=r"^https?://[^/\s]+$")] | None = None
    """Where a real system is."""
    adapter: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] = "iccs"
    """The installed adapter that speaks to a real system (entry points ``iccs.workforce``)."""
    token: SecretStr | None = None
    """What a real system asks for."""

    @model_validator(mode="after")
    def _real_has_address(self) -> WorkforceComponent:
        if self.binding is Binding.REAL and self.url is None:
            raise ValueError("a real workforce needs 'url', the http://host:port of the system or of its adapter")
        real = {"url", "adapter", "token"} & self.model_fields_set
        if self.binding is Binding.SIMULATED and real:
            told = ", ".join(repr(name) for name in sorted(real))
            raise ValueError(f"{told}: for a real system; a simulator's stand under 'simulator'")
        if self.binding is not Binding.SIMULATED and self.iccs is not None:
            raise ValueError("'iccs' names what feeds a simulator; a real system is fed by the real ICCS")
        self.only_a_simulator_is_laid_out()
        return self
