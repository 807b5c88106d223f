"""What tests left in Webex: found by the prefix of its name, and taken away."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Final

from harness.endpoints.webex import WebexClient
from harness.endpoints.webex.migration import contacts_path
from harness.errors import WebexError, WebexRefusedError

NAMED_BY: Final = {
    "webhooks": "name",
    "recordings": "topic",
    "meetings": "title",
    "rooms": "title",
    "teams": "name",
    "workspaces": "displayName",
    "locations": "name",
}
"""What is looked through, in the order in which it is taken away, and the field that has its name."""
DIRECTORY: Final = ("Users", "Groups")
"""And what of it by SCIM: accounts and groups, by their displayName."""
MAX_LISTED: Final = 100_000
_NOT_FOUND: Final = 404
_NOT_ALLOWED: Final = (403, 404)


@dataclass(frozen=True, slots=True)
class Left:
    """One thing that a test made."""

    kind: str
    """``rooms``, ``webhooks`` …: its path in the API."""
    id: str
    name: str
    by: str
    """The account that made it, or found it."""


async def find(client: WebexClient, prefix: str, by: str) -> AsyncIterator[Left]:
    """All that an account sees whose name begins with ``prefix``.

    What its token may not list is passed over. Raises WebexError for an empty prefix, and as the client does.
    """
    if not prefix.strip():
        raise WebexError("a prefix is needed: without one everything would be found")
    for kind, field in NAMED_BY.items():
        try:
            async for item in client.listed(f"/{kind}", query={"max": 100}, most=MAX_LISTED):
                name = str(item.get(field, ""))
                if name.startswith(prefix):
                    yield Left(kind, str(item["id"]), name, by)
        except WebexRefusedError as error:
            if error.status not in _NOT_ALLOWED:
                raise
    async for left in _provisioned(client, prefix, by):
        yield left
    async for left in _contacts(client, prefix, by):
        yield left


async def _contacts(client: WebexClient, prefix: str, by: str) -> AsyncIterator[Left]:
    try:
        path = contacts_path(await client.scim())
        query: dict[str, str | int] = {"keyword": prefix, "limit": 100}
        async for item in client.listed(f"{path}/search", query=query, key="result", most=MAX_LISTED):
            name = str(item.get("displayName", ""))
            if name.startswith(prefix):
                yield Left(path.strip("/"), str(item["contactId"]), name, by)
    except WebexRefusedError as error:
        if error.status not in _NOT_ALLOWED:
            raise


async def _provisioned(client: WebexClient, prefix: str, by: str) -> AsyncIterator[Left]:
    try:
        root = await client.scim()
        for kind in DIRECTORY:
            async for item in client.found(f"{root}/{kind}", f"displayName sw {json.dumps(prefix)}", most=MAX_LISTED):
                name = str(item.get("displayName", ""))
                if name.startswith(prefix):
                    yield Left(f"{root}/{kind}".strip("/"), str(item["id"]), name, by)
    except WebexRefusedError as error:
        if error.status not in _NOT_ALLOWED:
            raise


async def remove(client: WebexClient, left: Left) -> None:
    """Take one away; one that is gone already is right. Raises WebexError."""
    try:
        await client.ask("DELETE", f"/{left.kind}/{left.id}")
    except WebexRefusedError as error:
        if error.status != _NOT_FOUND:
            raise
