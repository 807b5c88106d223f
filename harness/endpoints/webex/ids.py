"""Reads the UUID in an id of Webex's API, as its other interfaces want it: base64 of ``ciscospark://us/KIND/uuid``."""

from __future__ import annotations

import base64
import re
from typing import Final

from harness.errors import WebexError

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


def uuid_in(id_: str) -> str:
    """The UUID in an id; one that is a UUID already is returned as it is. Raises WebexError for what has none."""
    if _UUID.fullmatch(id_):
        return id_
    try:
        text = base64.b64decode(id_ + "=" * (-len(id_) % 4), b"-_", validate=True).decode()
    except ValueError:
        text = ""
    found = text.rpartition("/")[2]
    if not _UUID.fullmatch(found):
        raise WebexError(f"Webex told the id {id_[:80]!r}, in which there is no UUID")
    return found
