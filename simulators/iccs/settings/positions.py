"""Operator positions in an ICCS's settings, one by one or in rows, and telephones that may register."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, SecretStr, Tag

from simulators.iccs.settings.base import MAX_POSITIONS, PositionId, Role, Skill
from simulators.settings import Strict

Right = Literal[
    "patch", "regroup", "ambience", "disable", "check_records", "oversee", "plan", "replay", "numbers", "export", "hold"
]
"""What a position may do that not everyone may: patch talkgroups, give and take groups over the air (DGNA), open a
terminal's microphone, take a terminal off the network, have people and vehicles checked, listen in at other positions
(monitor, whisper, barge), change the talkgroup plan or approve of that; find and play all recordings, see callers'
numbers there, take a recording away, keep one beyond its time."""


class PositionSettings(Strict):
    """One operator position, which is also an extension that can be dialled by its id."""

    id: PositionId
    role: Role = "call_taker"
    site: PositionId | None = None
    """Where it stands; None: what its id says before the last hyphen."""
    skills: tuple[Skill, ...] = ()
    """What its adviser can take; a queue asks for some of them."""
    talkgroups: tuple[str, ...] = ()
    """Talkgroups it monitors and may key."""
    may: tuple[Right, ...] = ()

    @property
    def at(self) -> str:
        """The site's name."""
        return self.site or self.id.rpartition("-")[0] or self.id


class PositionRange(Strict):
    """A row of like positions: ``govan-01`` … ``govan-40``."""

    site: PositionId
    first: int = Field(ge=1, le=MAX_POSITIONS)
    last: int = Field(ge=1, le=MAX_POSITIONS)
    role: Role = "call_taker"
    skills: tuple[Skill, ...] = ()
    talkgroups: tuple[str, ...] = ()
    may: tuple[Right, ...] = ()

    def each(self) -> list[PositionSettings]:
        """Return the positions of the row, first to last."""
        shared = self.model_dump(exclude={"first", "last"})
        return [
            PositionSettings.model_validate({"id": f"{self.site}-{number:02d}", **shared})
            for number in range(self.first, self.last + 1)
        ]


def _shape(value: Any) -> str:
    given = set(value) if isinstance(value, dict) else set(type(value).model_fields)
    return "row" if "site" in given and "id" not in given else "one"


AnyPosition = Annotated[
    Annotated[PositionSettings, Tag("one")] | Annotated[PositionRange, Tag("row")], Discriminator(_shape)
]


class SubscriberSettings(Strict):
    """A telephone that may register with the switch (RFC 3261 section 10, digest)."""

    user: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,32}$")]
    password: SecretStr
