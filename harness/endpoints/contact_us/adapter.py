"""What a Contact Us system's own interface has to do for our driver: one small class for each system.

A vendor's interface plugs in here: a class that is made with an `Address` and has these methods, named in the entry
points ``iccs.contact_us``. The interface ``iccs`` is this project's own: vendors' are not public.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from harness import installed
from harness.errors import DriverError

ENTRY_POINTS: Final = "iccs.contact_us"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a system is."""

    http: str
    """``http://host:port``."""
    token: str = ""
    smtp: tuple[str, int] | None = None
    """Where it takes mail; None: not told."""
    mailbox: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """What somebody tells."""

    text: str
    kind: str = "other"
    """``crime``, ``information``, ``update``, ``concern`` or ``other``."""
    name: str = ""
    email: str = ""
    telephone: str = ""
    place: str = ""
    files: tuple[tuple[str, bytes], ...] = ()
    """Name and content of each."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the system answers."""

    reference: str
    repeated: bool = False
    """Whether it says that it had the message before."""


class Adapter(Protocol):
    """A Contact Us system as the public reaches it. Every method raises DriverError for what is refused."""

    async def submit(self, message: Message, key: str) -> Receipt:
        """Hand a message in by its machine interface; with the same key it is the same message."""

    async def fill_in(self, message: Message, form_key: str | None) -> Receipt:
        """Hand a message in by the form, as a browser without scripts does; ``form_key``: of a form that was had."""

    async def mail(self, sender: str, mail: bytes) -> str:
        """Send a mail to its mailbox; returns the server's last word."""

    async def close(self) -> None:
        """Give connections up; again does nothing."""


def load_adapter(name: str, at: Address) -> Adapter:
    """Return an adapter by name: ``iccs``, our own, or one that is installed. Raises DriverError."""
    made: Callable[[Address], Adapter] = installed.load(ENTRY_POINTS, name, "Contact Us adapter", DriverError)
    return made(at)
