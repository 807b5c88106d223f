"""What a directory simulator is told at its start."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr, model_validator

from harness.errors import DirectoryError
from harness.protocols.directory import MAX_ENTRIES, MAX_TEXT, Entry
from simulators.settings import Strict

Text = Annotated[str, Field(max_length=MAX_TEXT)]


class EntrySettings(Strict):
    """One entry."""

    id: str
    name: Text
    number: str
    organisation: Text = ""
    note: Text = ""

    @model_validator(mode="after")
    def _is_one(self) -> EntrySettings:
        self.entry()
        return self

    def entry(self) -> Entry:
        """Return it as an entry. Raises ValueError for what is none."""
        try:
            return Entry(**self.model_dump())
        except DirectoryError as error:
            raise ValueError(str(error)) from None


class DirectorySettings(Strict):
    """How the simulator is laid out."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_535)] = 0
    """Where the feed, the editing and the faults are; 0: any that is free."""
    token: SecretStr | None = None
    """What whoever asks must bring; needed beyond loopback."""
    entries: tuple[EntrySettings, ...] = Field(default=(), max_length=MAX_ENTRIES)

    @model_validator(mode="after")
    def _once_each(self) -> DirectorySettings:
        ids = [entry.id for entry in self.entries]
        if len(set(ids)) != len(ids):
            raise ValueError("two entries have the same id")
        return self
