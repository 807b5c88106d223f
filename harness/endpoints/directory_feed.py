"""Reads a directory's feed over HTTP: the entries where they have changed, nothing where they have not."""

from __future__ import annotations

from typing import Final

import httpx

from harness.errors import DirectoryError
from harness.protocols.directory import Entry, read_feed
from harness.transport.https import http_client

ANSWERS_WITHIN_S: Final = 10.0
"""Seconds that a feed may take."""
MAX_FEED: Final = 64 * 1024 * 1024
"""Bytes of a feed."""


class DirectoryFeed:
    """One feed, and the version of it that was read last."""

    def __init__(self, address: str, *, token: str = "") -> None:
        """``address``: ``http://host:port``."""
        self._tag = ""
        self._http = http_client(address, timeout=ANSWERS_WITHIN_S, token=token)

    async def read(self) -> list[Entry] | None:
        """Return the entries, or None where they are those that were read last. Raises DirectoryError."""
        wanted = {"If-None-Match": self._tag} if self._tag else {}
        try:
            answer = await self._http.get("/v1/directory", headers=wanted)
        except httpx.HTTPError as error:
            raise DirectoryError(f"no answer from the directory: {type(error).__name__}") from error
        if answer.status_code == httpx.codes.NOT_MODIFIED:
            return None
        if answer.status_code != httpx.codes.OK:
            raise DirectoryError(f"the directory answered {answer.status_code}")
        if len(answer.content) > MAX_FEED:
            raise DirectoryError(f"the directory's feed has {len(answer.content)} bytes; {MAX_FEED} at most are read")
        try:
            tree = answer.json()
        except (ValueError, RecursionError) as error:
            raise DirectoryError("the directory's feed is no JSON") from error
        _, entries = read_feed(tree)
        self._tag = answer.headers.get("etag", "")[:128]
        return entries

    async def close(self) -> None:
        """Read no more; again does nothing."""
        await self._http.aclose()
