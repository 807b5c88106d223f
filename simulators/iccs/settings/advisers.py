"""Advisers that answer by themselves, in an ICCS's settings: how fast, for how long. For load and busy hours."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from simulators.iccs.settings.base import QueueName, Span
from simulators.settings import Strict

Mean = Annotated[float, Field(gt=0, le=7200)]


class AutoAdviserSettings(Strict):
    """Who answers by itself, and how."""

    always: bool = False
    """Whether they do so whoever starts the simulator, and not only where that is asked for."""
    positions: tuple[str, ...] = Field(default=("*",), min_length=1, max_length=100)
    """Ids of positions; a * at the end stands for any rest."""
    reaction_s: Span = Span(least=0.5, most=2.0)
    """From the ringing to the answer. [p]"""
    handling_s: dict[QueueName, Mean] = Field(default_factory=dict)
    """Mean time from the answer to the clearing, by queue. [p]"""
    other_s: Mean = 300.0
    """The same for queues that are not listed. [p]"""
    spread: Literal["exponential", "fixed"] = "exponential"
    """How the times lie about their mean; Erlang's formulas take them to be exponential."""
