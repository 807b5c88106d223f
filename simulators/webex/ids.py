"""How Webex names things: base64 of ``ciscospark://us/KIND/uuid``, without padding; opaque to a client."""

from __future__ import annotations

import base64
import random
import re
from typing import Final
from uuid import UUID

_CLUSTER: Final = "ciscospark://us"
MAX_ID: Final = 512
"""Characters of an id that is looked at; a longer one names nothing."""
_ALPHABET: Final = re.compile(r"[A-Za-z0-9_-]+")


def new_uuid(rng: random.Random) -> str:
    """A random UUID (RFC 9562, version 4) of the run's randomness."""
    return str(UUID(int=rng.getrandbits(128), version=4))


def named(kind: str, uuid: str) -> str:
    """The id of what has this ``uuid``; ``kind`` is Webex's word: PEOPLE, ROOM, MESSAGE …"""
    return base64.urlsafe_b64encode(f"{_CLUSTER}/{kind}/{uuid}".encode()).rstrip(b"=").decode()


def plain(id_: str) -> str:
    """An id as it is kept: clients may send it with its padding, which Webex's own ids leave out."""
    return id_.rstrip("=")


def uuid_of(id_: str, kind: str) -> str | None:
    """The UUID in an id of one kind, or None where it is no such id."""
    bare = plain(id_)
    if len(bare) > MAX_ID or _ALPHABET.fullmatch(bare) is None:
        return None
    try:
        text = base64.urlsafe_b64decode(bare + "=" * (-len(bare) % 4)).decode()
    except ValueError:
        return None
    head, _, uuid = text.rpartition("/")
    return uuid if head == f"{_CLUSTER}/{kind}" else None
