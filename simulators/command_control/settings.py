"""What a command-and-control simulator is told at its start."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from simulators.settings import Strict

Shape = Literal["storm", "next_generation"]
CallSign = Annotated[str, Field(min_length=1, max_length=32)]
MAX_UNITS = 5_000


class UnitSettings(Strict):
    """A unit that command and control knows."""

    call_sign: CallSign
    issi: Annotated[int, Field(ge=1, le=16_777_215)] | None = None
    """Its radio on TETRA."""
    mcptt_id: Annotated[str, Field(pattern=r"^sip:[A-Za-z0-9_.-]{1,40}@[A-Za-z0-9.-]{1,120}$")] | None = None
    """Its radio's user on ESN."""
    state: Annotated[str, Field(min_length=1, max_length=64)] = "Available"


class CommandControlSettings(Strict):
    """How the simulator is laid out."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 0
    """Where control rooms link; 0: any that is free."""
    control_port: Annotated[int, Field(ge=0, le=65_535)] = 0
    """Where its operator's terminal, faults and figures are."""
    token: SecretStr | None = None
    """What links and control must bring."""
    shape: Shape = "storm"
    """Which interface control rooms link to: ``storm`` or ``next_generation``."""
    store: Path | None = None
    """The file in which it keeps what it knows; left out: one that goes with the simulator."""
    units: tuple[UnitSettings, ...] = Field(default=(), max_length=MAX_UNITS)

    @model_validator(mode="after")
    def _once_each(self) -> CommandControlSettings:
        for what in ("call_sign", "issi", "mcptt_id"):
            values = [getattr(unit, what) for unit in self.units if getattr(unit, what) is not None]
            if len(set(values)) != len(values):
                raise ValueError(f"two units have the same {what}")
        return self
