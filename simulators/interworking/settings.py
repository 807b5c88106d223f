"""What an interworking gateway is told: which talkgroup and which MCPTT group it joins, and as whom; no loops."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field, SecretStr, model_validator

from simulators.settings import Strict

MAX_JOINS = 64
"""Joins of one gateway."""

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$")]


class JoinSettings(Strict):
    """One talkgroup and one group, joined."""

    talkgroup: str
    """The TETRA talkgroup, by name."""
    issi: Annotated[int, Field(ge=1, le=16_777_215)]
    """The gateway's TETRA terminal on it."""
    group: Name
    """The user part of the MCPTT group's ID."""
    user: Name
    """The user part of the gateway's MCPTT ID in that group."""
    password: SecretStr | None = None
    """What that user registers with; a simulated server's own for them where left out."""


class InterworkingSettings(Strict):
    """The whole gateway."""

    joins: tuple[JoinSettings, ...] = Field(min_length=1, max_length=MAX_JOINS)

    @model_validator(mode="after")
    def _no_loops(self) -> InterworkingSettings:
        loop = loop_in(self.joins)
        if loop is not None:
            raise ValueError(loop)
        return self


def loop_in(joins: Iterable[JoinSettings]) -> str | None:
    """Why these joins can't be: what is said would come back to where it was said. None where they can be."""
    joined: dict[str, str] = {}

    def root(of: str) -> str:
        while of in joined:
            of = joined[of]
        return of

    for join in joins:
        tetra, mcptt = root(f"TETRA {join.talkgroup}"), root(f"MCPTT {join.group}")
        if tetra == mcptt:
            return f"joining talkgroup {join.talkgroup} to group {join.group} closes a loop: they are joined already"
        joined[tetra] = mcptt
    return None
