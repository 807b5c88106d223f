"""The radio side of a console in an ICCS's settings: who talks, when alarms are raised, where talkgroups are found."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from simulators.iccs.settings.ways import MAX_WAYS, McpttName, WaySettings
from simulators.settings import Strict

MAX_ALIASES = 20_000
MAX_FOLDERS = 200
"""Folders in all."""
MAX_DEPTH = 8
"""Folders within folders."""

Issi = Annotated[int, Field(ge=1, le=16_777_215)]
Alias = Annotated[str, Field(min_length=1, max_length=40)]


class FolderSettings(Strict):
    """A page of talkgroups, and of further folders."""

    name: Annotated[str, Field(min_length=1, max_length=40)]
    talkgroups: tuple[str, ...] = Field(default=(), max_length=100)
    folders: tuple[FolderSettings, ...] = Field(default=(), max_length=50)

    @model_validator(mode="after")
    def _each_once(self) -> FolderSettings:
        check_names(self.folders)
        return self


def check_names(folders: tuple[FolderSettings, ...]) -> None:
    """Raise ValueError where two folders side by side have one name."""
    names = [folder.name for folder in folders]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"folder {name!r} is listed twice")


class RadioSettings(Strict):
    """What consoles show of the radio, and when they raise an alarm."""

    ways: dict[Annotated[str, Field(min_length=1, max_length=40)], WaySettings] = Field(
        default_factory=dict, max_length=MAX_WAYS
    )
    """Talkgroups that are reached by MCPTT or a radio gateway; a component ``radio_gateway`` makes one TETRA's."""
    aliases: dict[Annotated[Issi | McpttName, Field(union_mode="left_to_right")], Alias] = Field(
        default_factory=dict, max_length=MAX_ALIASES
    )
    """ISSI, or MCPTT ID without its domain, to the name that is shown for it; who is not listed is shown by these."""
    unacknowledged_s: float = Field(default=10.0, gt=0, le=600)
    """How long an emergency may stay unacknowledged before the supervisors are alarmed (NICCS-RAD-009). [p]"""
    stuck_s: float = Field(default=60.0, gt=0, le=3600)
    """How long one transmission may last before it is taken for a stuck key (NICCS-RAD-024). [p]"""
    folders: tuple[FolderSettings, ...] = Field(default=(), max_length=50)
    """Talkgroups that a position finds by touching, beside those it monitors from the start."""

    @model_validator(mode="after")
    def _not_too_many(self) -> RadioSettings:
        check_names(self.folders)
        level, count, depth = list(self.folders), 0, 0
        while level:
            count, depth = count + len(level), depth + 1
            level = [inner for folder in level for inner in folder.folders]
        if count > MAX_FOLDERS or depth > MAX_DEPTH:
            raise ValueError(f"{count} folders, {depth} deep; the most is {MAX_FOLDERS}, {MAX_DEPTH} deep")
        return self

    def shown_as(self, who: object) -> str:
        """Return what an ISSI or an MCPTT ID is shown as: its alias, else itself; ``unknown`` where none was told."""
        if isinstance(who, str):
            user = who.removeprefix("sip:").partition("@")[0]
            return self.aliases.get(user, user)
        return self.aliases.get(who, str(who)) if isinstance(who, int) else "unknown"

    def in_folders(self) -> list[str]:
        """Return every talkgroup of every folder."""
        level, found = list(self.folders), list[str]()
        while level:
            found += [talkgroup for folder in level for talkgroup in folder.talkgroups]
            level = [inner for folder in level for inner in folder.folders]
        return found
