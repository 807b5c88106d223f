"""Brings a wave of Teams users to Webex by its public API, step by step, and takes every step back again.

Webex has no import of Teams users in its API, so it is made of what there is: SCIM's Bulk for accounts, ``PATCH
/licenses/users`` for licences and lines, a group and ``contacts/…/bulk`` for contacts, ``POST /meetings`` with
``hostEmail`` for meetings. None of them undoes itself: a Bulk leaves done what was done before the row that failed.

Theory. Each step is in the ledger before it is sent (`ledger`). It makes only what was not there when it was written
down, so what is there of its names afterwards is its own: a step whose answer was lost can be taken back, too. Where
the answer came, what was made is known by id, and a namesake that others made since is let alone. Steps are taken back
last first; what is gone already is right; and the service is looked through again until nothing is found, for a
request that was lost in the service may still be done late.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from typing import Any, Final, TypeVar

from harness.endpoints.webex.client import WebexClient
from harness.endpoints.webex.ledger import Ledger, Step
from harness.endpoints.webex.teams_export import Contact, Meeting, Teams, Wave
from harness.errors import MigrationError, WebexError, WebexRefusedError
from harness.protocols.times import to_iso

BULK_MOST: Final = 100
"""Operations of one SCIM Bulk."""
CONTACTS_MOST: Final = 200
"""Contacts of one request; how many Webex takes is not published. [p]"""
PASSES: Final = 3
"""How often the service is looked through for what is left."""
MAX_LISTED: Final = 100_000
CONTACT_SCHEMA: Final = "urn:cisco:codev:identity:contact:core:1.0"
CALLING: Final = "Webex Calling"
"""How the names of licences begin with which somebody gets a line."""
_CORE: Final = "urn:ietf:params:scim:schemas:core:2.0"
_MESSAGES: Final = "urn:ietf:params:scim:api:messages:2.0"
_REFUSED: Final = 400
_NOT_FOUND: Final = 404
T = TypeVar("T")


class Migration:
    """One wave's way to Webex and back, as an administrator."""

    def __init__(
        self,
        client: WebexClient,
        scim: str,
        ledger: Ledger,
        told: Callable[[Step], None],
        before: Callable[[Step], Awaitable[None]] | None = None,
    ) -> None:
        """``scim``: where SCIM of the organisation is; ``told``: hears of each step whose state changed.

        ``before``: is waited for when a step is written down, and before it is sent.
        """
        self._client, self._scim, self._ledger, self._told, self._before = client, scim, ledger, told, before
        self.contacts = contacts_path(scim)

    async def run(self, wave: Wave) -> None:
        """Bring them over, or take back what was done: MigrationError tells why, and whether nothing is left."""
        try:
            await self._bring(wave)
        except (MigrationError, WebexError) as error:
            if not self._ledger.steps:
                raise MigrationError(f"nothing was begun: {error}") from None
            try:
                await self.roll_back()
            except (MigrationError, WebexError) as second:
                why = f"{error}; it is not rolled back: {second}"
                raise MigrationError(f"{why}; do it by {self._ledger.path}", rolled_back=False) from None
            raise MigrationError(f"{error}; all of it is rolled back", rolled_back=True) from None

    async def _bring(self, wave: Wave) -> None:
        licences, places = await self._licences(wave), await self._places(wave)
        known = {each.email: await self._person(each.email) for each in wave.users}
        await self._make_users([each for each in wave.users if known[each.email] is None])
        for user in wave.users:
            await self._license(user, licences, places)
        if any(user.contacts for user in wave.users):
            group = await self._make_group(wave)
            for some in _by(CONTACTS_MOST, contacts_of(wave)):
                await self._make_contacts(group, some)
        for user in wave.users:
            for number, meeting in enumerate(user.meetings, 1):
                await self._make_meeting(user, number, meeting)

    async def roll_back(self) -> None:
        """Take back all that was done. Raises WebexError, and goes on another time from where it was."""
        for _pass in range(PASSES):
            for step in reversed(self._ledger.steps):
                await self._take_back(step)
            left = [each for each in self._ledger.steps if await self._left(each)]
            if not left:
                return
            for step in left:
                step.state = "intended"
        raise MigrationError(
            f"after {PASSES} passes there is still something of wave {self._ledger.wave!r}", rolled_back=False
        )

    # There

    @contextlib.asynccontextmanager
    async def _step(self, kind: Any, what: str, **told: Any) -> AsyncIterator[Step]:
        step = self._ledger.intend(kind, **told)
        self._told(step)
        if self._before is not None:
            await self._before(step)
        try:
            yield step
        except WebexRefusedError as error:
            raise MigrationError(f"{what}: {error}") from None
        self._told(step)

    async def _licences(self, wave: Wave) -> dict[str, str]:
        """The ids of the wave's licences by name. Raises MigrationError."""
        there = {each["name"]: str(each["id"]) async for each in self._client.listed("/licenses")}
        for name in wave.licences:
            if name not in there:
                raise MigrationError(f"the organisation has no licence {name!r}; it has {', '.join(there) or 'none'}")
        return {name: there[name] for name in wave.licences}

    async def _places(self, wave: Wave) -> dict[str, str]:
        wanted = {each.location for each in wave.users if each.location is not None}
        if not wanted:
            return {}
        there = {each["name"]: str(each["id"]) async for each in self._client.listed("/locations")}
        for name in sorted(wanted - set(there)):
            raise MigrationError(f"the organisation has no location {name!r}; it has {', '.join(there) or 'none'}")
        return there

    async def _person(self, email: str) -> dict[str, Any] | None:
        found = [each async for each in self._client.listed("/people", query={"email": email}, most=2)]
        return found[0] if found else None

    async def _make_users(self, users: Sequence[Teams]) -> None:
        for some in _by(BULK_MOST, users):
            body = {
                "schemas": [f"{_MESSAGES}:BulkRequest"],
                "failOnErrors": 1,
                "operations": [
                    {"method": "POST", "path": "/Users", "bulkId": str(each.row), "data": _user(each)} for each in some
                ],
            }
            async with self._step("users", "users", emails=[each.email for each in some]) as step:
                told = await self._client.ask("POST", f"{self._scim}/Bulk", body)
                outcomes = told.get("operations", told.get("Operations", ()))
                made = [each for each in outcomes if int(each["status"]) < _REFUSED]
                self._ledger.done(step, ids=[str(each["location"]).rpartition("/")[2] for each in made])
                for each in outcomes:
                    if each not in made:
                        why = each.get("response", {}).get("detail", "")
                        raise MigrationError(f"user {each.get('bulkId')}: refused with {each['status']}: {why}")

    async def _license(self, user: Teams, licences: dict[str, str], places: dict[str, str]) -> None:
        person = await self._person(user.email)
        had = set(person.get("licenses", ())) if person is not None else set()
        given = {name: id_ for name, id_ in licences.items() if id_ not in had}
        if not given:
            return
        wanted: list[dict[str, Any]] = []
        for name, id_ in given.items():
            wanted.append({"id": id_, "operation": "add"})
            if name.startswith(CALLING):
                if user.extension is None or user.location is None:
                    raise MigrationError(f"user {user.row}: {name} needs an extension and a location")
                wanted[-1]["properties"] = {"extension": user.extension, "locationId": places[user.location]}
        added = list(given.values())
        async with self._step("licences", f"user {user.row}", email=user.email, licences=added) as step:
            await self._client.ask("PATCH", "/licenses/users", {"email": user.email, "licenses": wanted})
            self._ledger.done(step)

    async def _make_group(self, wave: Wave) -> str:
        if await self._groups(wave.name):
            raise MigrationError(f"there is a group {wave.name!r} already: a wave's name is its own")
        members = []
        for each in wave.users:
            async for user in self._client.found(f"{self._scim}/Users", f'userName eq "{each.email}"', most=1):
                members.append({"value": str(user["id"]), "type": "user"})
        body = {"schemas": [f"{_CORE}:Group"], "displayName": wave.name, "members": members}
        async with self._step("group", "the wave's group", name=wave.name) as step:
            made = await self._client.ask("POST", f"{self._scim}/Groups", body)
            self._ledger.done(step, id=str(made["id"]))
        return str(made["id"])

    async def _make_contacts(self, group: str, some: Sequence[Contact]) -> None:
        body = {"schemas": CONTACT_SCHEMA, "contacts": [_contact(each, group) for each in some]}
        async with self._step("contacts", "contacts", group=group) as step:
            told = await self._client.ask("POST", f"{self.contacts}/bulk", body)
            for each in told.get("failedContacts", ()):
                raise MigrationError(f"a contact was refused with {each.get('statusCode')}: {each.get('errorMessage')}")
            self._ledger.done(step)

    async def _make_meeting(self, user: Teams, number: int, meeting: Meeting) -> None:
        start = to_iso(meeting.start)
        step_told = {"host": user.email, "title": meeting.title, "start": start}
        known = [str(each["id"]) for each in await self._meetings(step_told)]
        async with self._step("meeting", f"user {user.row} meeting {number}", **step_told, known=known) as step:
            made = await self._client.ask("POST", "/meetings", _meeting(user, meeting))
            self._ledger.done(step, id=str(made["id"]))

    # Back

    async def _take_back(self, step: Step) -> None:
        if step.state == "undone":
            return
        match step.kind:
            case "users":
                for id_ in await self._users(step):
                    await self._delete(f"{self._scim}/Users/{id_}")
            case "licences":
                await self._take_licences(step.told["email"], step.told["licences"])
            case "group":
                for id_ in await self._groups(step.told["name"], step):
                    await self._delete(f"{self._scim}/Groups/{id_}")
            case "contacts":
                ids = await self._contacts(step.told["group"])
                for some in _by(CONTACTS_MOST, ids):
                    body = {"schemas": CONTACT_SCHEMA, "objectIds": list(some)}
                    await self._client.ask("POST", f"{self.contacts}/bulk/delete", body)
            case "meeting":
                for each in await self._meetings(step.told):
                    await self._delete(f"/meetings/{each['id']}")
        self._ledger.undone(step)
        self._told(step)

    async def _left(self, step: Step) -> bool:
        """Whether anything is there of what a step made."""
        match step.kind:
            case "users":
                return bool(await self._users(step))
            case "licences":
                person = await self._person(step.told["email"])
                return person is not None and not set(step.told["licences"]).isdisjoint(person.get("licenses", ()))
            case "group":
                return bool(await self._groups(step.told["name"], step))
            case "contacts":
                return bool(await self._contacts(step.told["group"]))
            case "meeting":
                return bool(await self._meetings(step.told))

    async def _users(self, step: Step) -> list[str]:
        found = []
        for email in step.told["emails"]:
            looked_for = f"userName eq {json.dumps(email)}"
            found += [str(each["id"]) async for each in self._client.found(f"{self._scim}/Users", looked_for)]
        return [each for each in found if each in step.told.get("ids", found)]

    async def _groups(self, name: str, step: Step | None = None) -> list[str]:
        looked_for = f"displayName eq {json.dumps(name)}"
        found = [str(each["id"]) async for each in self._client.found(f"{self._scim}/Groups", looked_for)]
        return [each for each in found if step is None or each == step.told.get("id", each)]

    async def _contacts(self, group: str) -> list[str]:
        query: dict[str, str | int] = {"groupIds": group, "limit": 100}
        found = self._client.listed(f"{self.contacts}/search", query=query, key="result", most=MAX_LISTED)
        # A service that leaves the filter aside would have everybody's deleted.
        return [str(each["contactId"]) async for each in found if group in each.get("groupIds", ())]

    async def _meetings(self, told: dict[str, Any]) -> list[dict[str, Any]]:
        """Meetings of a host, a title and a start that were not there before a step."""
        query = {"hostEmail": told["host"], "from": told["start"], "to": told["start"], "max": 100}
        found: list[dict[str, Any]] = []
        try:
            found = [each async for each in self._client.listed("/meetings", query=query, most=MAX_LISTED)]
        except WebexRefusedError as error:  # where the host is gone, so are the meetings
            if error.status != _NOT_FOUND:
                raise
        return [
            each
            for each in found
            if each["title"] == told["title"]
            and _same_moment(each["start"], told["start"])
            and str(each["id"]) not in told.get("known", ())
            and str(each["id"]) == told.get("id", str(each["id"]))
        ]

    async def _take_licences(self, email: str, licences: Sequence[str]) -> None:
        if await self._person(email) is None:
            return
        taken = [{"id": each, "operation": "remove"} for each in licences]
        await self._client.ask("PATCH", "/licenses/users", {"email": email, "licenses": taken})

    async def _delete(self, path: str) -> None:
        try:
            await self._client.ask("DELETE", path)
        except WebexRefusedError as error:
            if error.status != _NOT_FOUND:
                raise


def _by(most: int, items: Sequence[T]) -> Iterator[Sequence[T]]:
    """As many as fit into one request, and again."""
    for place in range(0, len(items), most):
        yield items[place : place + most]


def contacts_path(scim: str) -> str:
    """Where an organisation's contacts are, by where its SCIM is."""
    return f"/contacts/organizations/{scim.split('/')[3]}/contacts"


def contacts_of(wave: Wave) -> list[Contact]:
    """The contacts of all, each once: who is in two users' contacts is one contact."""
    return list(dict.fromkeys(each for user in wave.users for each in user.contacts))


def _same_moment(one: str, other: str) -> bool:
    return one.removesuffix("Z").partition(".")[0] == other.removesuffix("Z").partition(".")[0]


def _some(told: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in told.items() if value not in (None, "", [], {})}


def _user(user: Teams) -> dict[str, Any]:
    return _some(
        {
            "schemas": [f"{_CORE}:User"],
            "userName": user.email,
            "userType": "user",
            "displayName": user.name,
            "active": True,
            "name": _some({"givenName": user.first, "familyName": user.last}),
            "phoneNumbers": [{"type": "work", "value": user.number}] if user.number is not None else [],
        }
    )


def _contact(contact: Contact, group: str) -> dict[str, Any]:
    emails = [{"value": each, "type": "WORK", "primary": not place} for place, each in enumerate(contact.emails)]
    numbers = [
        {"value": value, "type": kind, "primary": not place} for place, (value, kind) in enumerate(contact.numbers)
    ]
    return _some(
        {
            "schemas": CONTACT_SCHEMA,
            "source": "CH",
            "displayName": contact.name,
            "firstName": contact.first,
            "lastName": contact.last,
            "companyName": contact.company,
            "title": contact.title,
            "emails": emails,
            "phoneNumbers": numbers,
            "groupIds": [group],
        }
    )


def _meeting(user: Teams, meeting: Meeting) -> dict[str, Any]:
    invitees = [_some({"email": email, "displayName": name}) for email, name in meeting.invitees]
    return _some(
        {
            "title": meeting.title,
            "agenda": meeting.agenda,
            "start": to_iso(meeting.start),
            "end": to_iso(meeting.end),
            "timezone": meeting.timezone,
            "recurrence": meeting.recurrence,
            "hostEmail": user.email,
            "invitees": invitees,
        }
    ) | {"sendEmail": False}
