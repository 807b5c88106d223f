"""One transaction's view of the Diary: its store, its settings, the time it is, and what happened in it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from simulators.diary.refusals import NotThereError
from simulators.diary.settings import DiaryOf, DiarySettings

T = TypeVar("T")

zone_named = lru_cache(maxsize=64)(ZoneInfo)


@dataclass(slots=True)
class Desk:
    """What a transaction works with; made anew where it is done again."""

    session: Session
    settings: DiarySettings
    now: float
    """Seconds since 1970."""
    again: bool = False
    """Whether another writer made a row first that this transaction made too: it is to look what is there."""
    happened: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """Events: their kinds and data."""

    def tell(self, kind: str, **data: Any) -> None:
        """Note an event, told to all once this is committed."""
        self.happened.append((kind, data))

    def diary(self, id_: str) -> DiaryOf:
        """A diary by its id. Raises NotThereError."""
        found = self.settings.diary(id_)
        if found is None:
            there = ", ".join(each.id for each in self.settings.diaries[:10])
            raise NotThereError(f"there is no diary {id_!r}; there is {there}")
        return found

    def zone(self, diary: DiaryOf) -> ZoneInfo:
        """Whose local time a diary keeps."""
        return zone_named(self.settings.zone_name(diary))


Work = Callable[[Desk], T]
