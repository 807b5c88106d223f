"""What a codec of the caller-location interface is: the seam at which a supplier's own wire format is plugged in.

A codec turns messages into octets and back; when to speak, when a link is down and what to do about it is `link`'s. A
supplier's package brings one under the entry point group ENTRY_POINTS; docs/interfaces/caller-location.md has an
example that runs.
"""

from __future__ import annotations

from typing import Final, Protocol

from harness.protocols.location.caller import Message

ENTRY_POINTS: Final = "iccs.caller_location"
"""The group under which packages name their codecs: a class, or a function, that makes a new Codec when called."""


class Codec(Protocol):
    """One link's codec; each link has one of its own, so it may count and remember."""

    def encode(self, message: Message) -> bytes:
        """Return the octets of a message: none at all where the format has no such message.

        Raises:
            CallerLocationError: a value that the format can't hold.
        """

    def feed(self, octets: bytes) -> list[Message]:
        """Take what came, in pieces as the network cut it, and return the messages that are complete.

        Raises:
            CallerLocationError: what can't be read. The link is closed then, for what follows can't be trusted.
        """
