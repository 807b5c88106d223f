"""Mailboxes and the messages in them, within bounds; where asked, also as files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.endpoints.media.wav import write_wav
from harness.errors import LocalError
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from harness.protocols.sip.message_summary import VOICE, Counts, Summary
from harness.protocols.times import to_iso
from simulators.switch.settings.services import VoicemailSettings


class MailboxFullError(LocalError):
    """A mailbox takes no more."""


class UnknownMessageError(LocalError):
    """There is no such mailbox or message."""


@dataclass(eq=False)
class Message:
    """One message."""

    id: str
    caller: str
    """The number of who left it; empty where it was withheld."""
    time: float
    """When it was left: seconds since 1970."""
    samples: Samples
    """8 kHz, mono."""
    is_new: bool = True
    path: Path | None = None

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.samples) / SAMPLE_RATE

    def shown(self) -> dict[str, Any]:
        """The message as the control interface shows it."""
        return {
            "id": self.id,
            "caller": self.caller,
            "time": to_iso(self.time),
            "seconds": round(self.seconds, 3),
            "new": self.is_new,
        }


class Mailbox:
    """The messages of one line."""

    def __init__(self, number: str, settings: VoicemailSettings, changed: Callable[[Mailbox], None]) -> None:
        self.number = number
        self.settings = settings
        self.messages: list[Message] = []
        """Oldest first."""
        self._changed = changed
        self._made = 0

    @property
    def is_full(self) -> bool:
        """Whether no message can be left."""
        settings = self.settings
        return len(self.messages) >= settings.max_messages or self.room_s < settings.min_message_s or self.room_s <= 0

    @property
    def room_s(self) -> float:
        """Seconds of speech that it still takes."""
        return self.settings.max_total_s - sum(message.seconds for message in self.messages)

    def add(self, caller: str, time: float, samples: Samples) -> Message:
        """Keep a message. Raises MailboxFullError."""
        if self.is_full:
            raise MailboxFullError(f"mailbox {self.number} holds {len(self.messages)} messages and takes no more")
        self._made += 1
        message = Message(f"{self.number}-{self._made}", caller, time, samples)
        folder = self.settings.folder
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            message.path = folder / f"{message.id}.wav"
            write_wav(message.path, samples)
        self.messages.append(message)
        self._changed(self)
        return message

    def get(self, id_: str) -> Message:
        """A message by its id. Raises UnknownMessageError."""
        found = next((message for message in self.messages if message.id == id_), None)
        if found is None:
            raise UnknownMessageError(f"mailbox {self.number} has no message {id_[:40]!r}")
        return found

    def heard(self, message: Message) -> None:
        """A message was heard."""
        self.mark(message, new=False)

    def mark(self, message: Message, *, new: bool) -> None:
        """Let a message count as not yet heard, or as heard."""
        if message.is_new is not new:
            message.is_new = new
            self._changed(self)

    def delete(self, message: Message) -> None:
        """Forget a message."""
        if message in self.messages:
            self.messages.remove(message)
            if message.path is not None:
                message.path.unlink(missing_ok=True)
            self._changed(self)

    def summary(self, account: str) -> Summary:
        """What its lamp shows; `account`: its URI."""
        new = sum(message.is_new for message in self.messages)
        return Summary(new > 0, account, {VOICE: Counts(new, len(self.messages) - new)})


class Mailboxes:
    """All mailboxes, one for each line."""

    def __init__(self, numbers: Iterable[str], settings: VoicemailSettings, changed: Callable[[Mailbox], None]) -> None:
        """`changed` is called with each mailbox in which something changed."""
        self._boxes = {number: Mailbox(number, settings, changed) for number in numbers}

    def __iter__(self) -> Iterator[Mailbox]:
        return iter(self._boxes.values())

    def find(self, number: str) -> Mailbox | None:
        """The mailbox of a line; None where it has none."""
        return self._boxes.get(number)

    def get(self, number: str) -> Mailbox:
        """The mailbox of a line. Raises UnknownMessageError."""
        box = self._boxes.get(number)
        if box is None:
            raise UnknownMessageError(f"there is no mailbox {number[:40]!r}")
        return box
