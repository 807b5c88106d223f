"""What a directory does with an organisation's accounts by SCIM 2.0: joiners, movers, leavers, and groups.

A leaver in the force's directory is deactivated, not deleted, and what Webex makes of that is what is tested: tokens
that serve no more. Accounts and groups that a test makes are named with the prefix and taken away at its end.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Final

from harness.drivers.webex_meetings import WebexMeetings
from harness.errors import DriverError, WebexError

MAX_LISTED: Final = 100_000
_CORE: Final = "urn:ietf:params:scim:schemas:core:2.0"
_PATCH: Final = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
_UNFIT: Final = re.compile(r"[^a-z0-9]+")


class WebexDirectory(WebexMeetings):
    """The provisioning part of Webex. A user is a resource of SCIM: ``id``, ``userName``, ``active`` …."""

    @abstractmethod
    def _may_be_disabled(self, whom: str) -> None:
        """Raise InterlockError for an account of a real Webex that nobody may disable."""

    @abstractmethod
    async def _forget(self, whom: str) -> None:
        """Ask for an account's token anew when it is next used."""

    async def users(self, looked_for: str = "", *, by: str) -> list[dict[str, Any]]:
        """The users that a filter finds (``userName sw "iccs-"``). Raises WebexError."""
        client = await self.account(by)
        return [each async for each in client.found(f"{await client.scim()}/Users", looked_for, most=MAX_LISTED)]

    async def user(self, account: str, *, by: str) -> dict[str, Any]:
        """An account as the directory has it. Raises DriverError where it does not."""
        found = await self.users(f'userName eq "{self._email(account)}"', by=by)
        if len(found) != 1:
            raise DriverError(f"{self.name}: the directory has {len(found)} users who are account {account!r}")
        return found[0]

    async def provision(self, name: str, *, by: str) -> dict[str, Any]:
        """Make an account for somebody who joins; its address is made of the name, at the domain of who makes it."""
        words = f"{self.prefix}{name}"
        local = _UNFIT.sub("-", words.lower()).strip("-")
        body = {
            "schemas": [f"{_CORE}:User"],
            "userName": f"{local}@{self._email(by).partition('@')[2]}",
            "userType": "user",
            "displayName": words,
            "active": True,
        }
        client = await self.account(by)
        path = f"{await client.scim()}/Users"
        made: dict[str, Any] = await client.ask("POST", path, body)
        self._keep(path.strip("/"), {"id": made["id"], "title": words}, by)
        self._journal.record(self.name, "webex.provisioned", user=made["id"], account=by)
        return made

    async def deactivate(self, account: str, *, by: str) -> None:
        """Let the directory tell that somebody left. Raises InterlockError for an account that is not disposable."""
        await self._set_active(account, by, active=False)

    async def reactivate(self, account: str, *, by: str) -> None:
        """Let the directory tell that somebody is back; their tokens are new ones from then on."""
        await self._set_active(account, by, active=True)
        await self._forget(account)

    async def _set_active(self, account: str, by: str, *, active: bool) -> None:
        self._may_be_disabled(account)
        user = await self.user(account, by=by)
        changed = await self._patched(f"Users/{user['id']}", by, "replace", "active", active)
        if changed.get("active") is not active:
            raise WebexError(
                f"{self.name}: {account} was to be active={active}, and is told as {changed.get('active')}"
            )
        self._journal.record(self.name, "webex.reactivated" if active else "webex.deactivated", account=account)

    async def _patched(self, path: str, by: str, op: str, attribute: str, value: Any) -> dict[str, Any]:
        body = {"schemas": [_PATCH], "Operations": [{"op": op, "path": attribute, "value": value}]}
        client = await self.account(by)
        changed: dict[str, Any] = await client.ask("PATCH", f"{await client.scim()}/{path}", body)
        return changed

    async def make_group(self, name: str, accounts: Sequence[str], *, by: str) -> dict[str, Any]:
        """Make a group whose name begins with the prefix, of accounts."""
        members = [{"value": (await self.user(each, by=by))["id"], "type": "user"} for each in accounts]
        client = await self.account(by)
        words, path = f"{self.prefix}{name}", f"{await client.scim()}/Groups"
        body = {"schemas": [f"{_CORE}:Group"], "displayName": words, "members": members}
        made: dict[str, Any] = await client.ask("POST", path, body)
        self._keep(path.strip("/"), {"id": made["id"], "title": words}, by)
        self._journal.record(self.name, "webex.group_made", group=made["id"], account=by)
        return made

    async def move(self, account: str, group: str, *, joins: bool, by: str) -> None:
        """Put an account into a group, or take it out."""
        user = (await self.user(account, by=by))["id"]
        if joins:
            await self._patched(f"Groups/{group}", by, "add", "members", [{"value": user}])
        else:
            await self._patched(f"Groups/{group}", by, "remove", f'members[value eq "{user}"]', None)
        self._journal.record(self.name, "webex.group_changed", group=group, account=account, joins=joins)

    async def group_members(self, group: str, *, by: str) -> list[str]:
        """Who is in a group: users' ids."""
        client = await self.account(by)
        told = await client.ask("GET", f"{await client.scim()}/Groups/{group}/Members")
        return [str(each["value"]) for each in told["members"]]
