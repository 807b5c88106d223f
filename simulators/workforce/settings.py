"""What a workforce management simulator is told at its start: where feeds come from, queues' targets, advisers."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, model_validator

from simulators.settings import Strict

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}$")]
MAX_ADVISERS = 5_000


class TargetSettings(Strict):
    """How soon a queue is to be answered, and what is taken of its callers and of those who answer."""

    share: float = Field(default=90, gt=0, lt=100)
    """Per cent of calls."""
    within_s: float = Field(default=10, ge=0, le=3600)
    patience_s: float | None = Field(default=None, ge=1, le=86_400)
    """Mean time after which waiting callers hang up (Erlang A); left out: never (Erlang C). [p]"""
    shrinkage: float = Field(default=30, ge=0, lt=100)
    """Per cent of paid time away from the position. [p]"""


class AdviserSettings(Strict):
    """One adviser."""

    id: Name
    login: Name | None = None
    """As the switch knows the adviser: the position; left out: the id."""
    training: dict[Name, date] = Field(default_factory=dict, max_length=100)
    """By skill, the last day on which the training for it holds."""


class HistorySettings(Strict):
    """Made-up history of one queue: the shape of a control room's day, chance by the run's seed."""

    weeks: int = Field(default=8, ge=2, le=100)
    per_day: float = Field(gt=0, le=100_000)
    handling_s: float = Field(default=420, gt=0, le=7200)


class WorkforceSettings(Strict):
    """How the simulator is laid out."""

    host: str = "127.0.0.1"
    http_port: int = Field(default=0, ge=0, le=65_535)
    """0 takes any free one."""
    token: SecretStr | None = None
    """What requests must bring; needed where ``host`` is not loopback."""
    store: str | None = None
    """A file's path or ``postgresql://…``; left out: it goes with the simulator."""
    zone: Annotated[str, Field(pattern=r"^[A-Za-z0-9_+/-]{1,40}$")] = "Europe/London"
    """Whose days and times of day forecasts go by."""
    folder: Path | None = None
    """A folder that is looked through for files of the feeds."""
    every_s: float = Field(default=60, ge=0.1, le=3600)
    """How often feeds are asked for and the folder looked through."""
    late_after_s: float = Field(default=300, ge=0, le=86_400)
    """How long after its end an interval may come."""
    targets: dict[Name, TargetSettings] = Field(default_factory=dict, max_length=100)
    """By queue; of one that is not named, what a target is by itself."""
    advisers: tuple[AdviserSettings, ...] = Field(default=(), max_length=MAX_ADVISERS)
    history: dict[Name, HistorySettings] = Field(default_factory=dict, max_length=20)
    """By queue: made-up days before the run's first."""

    @model_validator(mode="after")
    def _once_each(self) -> WorkforceSettings:
        for what, names in (
            ("id", [each.id for each in self.advisers]),
            ("login", [each.login or each.id for each in self.advisers]),
        ):
            if len(set(names)) != len(names):
                raise ValueError(f"two advisers have the same {what}")
        return self
