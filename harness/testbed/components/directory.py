"""A directory (phone book) in a testbed file."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from harness.testbed.components.base import BoundComponent
from simulators.directory.settings import DirectorySettings


class DirectoryComponent(BoundComponent):
    """Whose entries every console shows; a simulated ICCS reads a simulated one only."""

    role: Literal["directory"]
    simulator: DirectorySettings = DirectorySettings()
    """How the simulator is laid out; only where the binding is ``simulated``."""

    @model_validator(mode="after")
    def _only_simulated_is_laid_out(self) -> DirectoryComponent:
        self.only_a_simulator_is_laid_out()
        return self
