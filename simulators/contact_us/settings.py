"""What a Contact Us simulator is told at its start: addresses, its mailbox, its limits, where it keeps what it took."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator

from simulators.reach import is_loopback
from simulators.settings import Strict

Port = Annotated[int, Field(ge=0, le=65_535)]
Mailbox = Annotated[str, Field(pattern=r"^[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9.-]{1,190}$")]


class LimitSettings(Strict):
    """How much is taken of one sender and of all, before a sender is asked to wait. Urgent words are always taken."""

    per_sender: Annotated[int, Field(ge=1, le=100_000)] = 20
    """Submissions of one sender (an address of the network, for mail the sender's address) within ``per_sender_s``."""
    per_sender_s: Annotated[float, Field(gt=0, le=86_400)] = 600.0
    in_all: Annotated[int, Field(ge=1, le=1_000_000)] = 600
    """Submissions of everybody within ``in_all_s``."""
    in_all_s: Annotated[float, Field(gt=0, le=86_400)] = 60.0
    same_text: Annotated[int, Field(ge=1, le=100_000)] = 5
    """How often one text may come within an hour before it counts as spam."""


class ContactUsSettings(Strict):
    """A Contact Us system as the testbed file describes it."""

    host: str = "127.0.0.1"
    http_port: Port = 0
    """Where the public's form and the REST intake are; 0 takes any free port."""
    smtp_port: Port = 0
    """Where mail to the mailbox is taken."""
    control_port: Port = 0
    """Where its staff's side, figures and events are."""
    token: SecretStr | None = None
    """What the staff's side asks for; needed where ``host`` is not loopback."""
    intake_token: SecretStr | None = None
    """What the REST intake asks for; the form never asks for anything."""
    mailbox: Mailbox = "contact@police.example"
    """The address whose mail is taken; mail to any other is refused."""
    element: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,40}$")] = "contact-us"
    """How it names itself to command and control."""
    store: Annotated[str, Field(max_length=400)] | None = None
    """A file's path, or ``postgresql://…``; left out: kept in memory, and gone with the simulator."""
    outbox: Path | None = None
    """The file in which incidents wait for command and control; left out: one that goes with the simulator."""
    words: Path | None = None
    """A word list in place of the one that comes with it (docs/interfaces/contact-us.md)."""
    relay: Annotated[str, Field(pattern=r"^[^:\s]+:[0-9]{1,5}$")] | None = None
    """The mail server on this machine that receipts are handed to; left out: they are kept to be read."""
    limits: LimitSettings = LimitSettings()

    @field_validator("relay")
    @classmethod
    def _near(cls, relay: str | None) -> str | None:
        if relay is not None and not is_loopback(relay.rpartition(":")[0]):
            raise ValueError("receipts go to a mail server on loopback, which takes them on by its own rules")
        return relay
