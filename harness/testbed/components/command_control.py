"""Command and control in a testbed file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from harness.testbed.components.base import Binding, BoundComponent
from simulators.command_control.settings import CommandControlSettings


class CommandControlComponent(BoundComponent):
    """What keeps incidents and units: STORM, or what comes after it."""

    role: Literal["command_control"]
    simulator: CommandControlSettings = CommandControlSettings()
    """How the simulator is laid out; only where the binding is ``simulated``."""
    link: Annotated[str, Field(pattern=r"^https?://[^/\s]+$")] | None = None
    """Where a real system takes links."""
    dialect: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] = "storm"
    """The interface of a real system: an installed dialect's name; a simulator's is its ``shape``."""
    token: SecretStr | None = None
    """What a real system asks for."""

    @model_validator(mode="after")
    def _real_has_address(self) -> CommandControlComponent:
        if self.binding is Binding.REAL and self.link is None:
            raise ValueError("a real command_control needs 'link', the http://host:port at which it takes links")
        real = {"link", "dialect", "token"} & self.model_fields_set
        if self.binding is Binding.SIMULATED and real:
            told = ", ".join(repr(name) for name in sorted(real))
            raise ValueError(f"{told}: for a real system; a simulator's stand under 'simulator'")
        self.only_a_simulator_is_laid_out()
        return self
