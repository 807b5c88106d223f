"""A records database in a testbed file."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from harness.testbed.components.base import BoundComponent
from simulators.records_database.settings import RecordsSettings


class RecordsDatabaseComponent(BoundComponent):
    """What people and vehicles are checked against; a simulated ICCS asks a simulated one only."""

    role: Literal["records_database"]
    simulator: RecordsSettings = RecordsSettings()
    """How the simulator is laid out; only where the binding is ``simulated``."""

    @model_validator(mode="after")
    def _only_simulated_is_laid_out(self) -> RecordsDatabaseComponent:
        self.only_a_simulator_is_laid_out()
        return self
