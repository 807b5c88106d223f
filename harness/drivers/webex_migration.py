"""Teams users on their way to Webex and back, and what an organisation holds before and after.

What a test brings over is taken back at its end, whatever became of it. In a real organisation accounts, contacts and
meetings are brought over only where their names begin with the prefix; accounts, too, that the file calls disposable.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from harness.drivers.webex_guests import WebexGuests
from harness.endpoints.webex.ledger import Ledger, Step
from harness.endpoints.webex.migration import Migration, contacts_of, contacts_path
from harness.endpoints.webex.teams_export import Contact, Meeting, Teams, Wave, read_wave
from harness.errors import ExpectationError, InterlockError, MigrationError, NotPlayedError, WebexError
from harness.protocols.times import to_iso

MAX_LISTED: Final = 100_000
_ADMINISTRATOR: Final = "administrator"


@dataclass(frozen=True, slots=True, repr=False)
class Census:
    """What an organisation holds; a report that shows one shows how many there are, and nobody's name."""

    kinds: dict[str, dict[str, dict[str, Any]]]
    """By kind and id; of moments and versions nothing."""

    def __repr__(self) -> str:
        return f"Census({', '.join(f'{len(each)} {kind}' for kind, each in self.kinds.items())})"


class WebexMigration(WebexGuests):
    """The migration part of Webex."""

    prefix: str
    waves: tuple[Path, Path | None] | None = None
    """A real organisation's files of Teams users: who come over, and whose second one is refused."""
    _ledgers: dict[Path, str]

    def _may_migrate(self, wave: Wave) -> None:
        """Raise InterlockError for what would be somebody's in a real organisation."""
        if self._link is not None:
            return
        mine = self.prefix
        if not wave.name.startswith(mine):
            raise InterlockError(f"{self.name}: the wave's name is to begin with {mine!r}: nothing was sent")
        for user in wave.users:
            names = [each.name for each in user.contacts] + [each.title for each in user.meetings]
            if not self._is_disposable(user.email):
                names += [user.name, user.email]
            if not all(each.startswith(mine) for each in names):
                raise InterlockError(
                    f"{self.name}: user {user.row}, or a contact or a meeting of theirs, does not begin with {mine!r}: "
                    "nothing was sent"
                )

    @abstractmethod
    def _is_disposable(self, email: str) -> bool:
        """Whether it is the address of an account that tests may change."""

    def export(self, simulated: Path, *, refused: bool = False) -> Path:
        """The file of whom to bring over: ``simulated``, or the organisation's own where that is real.

        ``refused``: whose second user is refused. Raises NotPlayedError where the testbed file names none.
        """
        if self._link is not None:
            return simulated
        found = self.waves[1 if refused else 0] if self.waves is not None else None
        if found is None:
            raise NotPlayedError(
                f"{simulated.name} is of the simulated organisation's people: name a file of {self.name}'s own in the "
                f"testbed file: 'teams: {{{'refused' if refused else 'intact'}: …}}'"
            )
        return found

    def wave(self, export: Path) -> Wave:
        """Read a file of Teams users, and send nothing. Raises MigrationError."""
        return read_wave(export, self._clock())

    async def migrate(
        self,
        export: Path,
        ledger: Path,
        *,
        by: str = _ADMINISTRATOR,
        before: Callable[[Step], Awaitable[None]] | None = None,
    ) -> Wave:
        """Bring a file's Teams users over, with contacts and meetings; ``ledger``: a file that is not there yet.

        Raises MigrationError, after which nothing of it is left where its ``rolled_back`` is true; where it is false
        `roll_back` does it by the ledger. Raises InterlockError before anything is sent. ``before``: is waited for when
        a step is in the ledger and before it is sent; what it raises breaks the migration off there.
        """
        wave = self.wave(export)
        self._may_migrate(wave)
        client = await self.account(by)
        me = await client.ask("GET", "/people/me")
        book = Ledger.begin(ledger, str(me["orgId"]), wave.name)
        self._ledgers[ledger] = by
        self._journal.record(self.name, "webex.migration_begun", users=len(wave.users), account=by)
        await Migration(client, await client.scim(), book, self._step_told, before).run(wave)
        self._journal.record(self.name, "webex.migrated", users=len(wave.users), steps=len(book.steps))
        return wave

    async def roll_back(self, ledger: Path, *, by: str = _ADMINISTRATOR) -> int:
        """Take back what a ledger tells, whoever wrote it; return how many steps. Again does nothing.

        Raises MigrationError for another organisation's, WebexError where the service does not answer: then it goes on
        another time from where it was.
        """
        client = await self.account(by)
        book = Ledger.read(ledger)
        me = await client.ask("GET", "/people/me")
        if str(me["orgId"]) != book.organisation:
            raise MigrationError(f"{self.name}: the ledger is of another organisation: nothing was sent")
        stood = sum(each.state != "undone" for each in book.steps)
        await Migration(client, await client.scim(), book, self._step_told).roll_back()
        self._ledgers.pop(ledger, None)
        self._journal.record(self.name, "webex.rolled_back", steps=stood, account=by)
        return stood

    def _step_told(self, step: Step) -> None:
        self._journal.record(self.name, "webex.migration_step", step=step.number, of=step.kind, state=step.state)

    async def _roll_all_back(self) -> None:
        """Take back what still stands; what can't be is told in the journal."""
        for ledger, by in list(self._ledgers.items()):
            try:
                await self.roll_back(ledger, by=by)
            except (WebexError, MigrationError) as error:
                self._journal.warn(self.name, "webex.left", what="migration", id=str(ledger), reason=str(error))

    # What is there

    async def expect_migrated(self, wave: Wave, *, by: str = _ADMINISTRATOR) -> None:
        """Fail where a user's account, licence, contacts or meetings are not as they were in Teams.

        Raises ExpectationError, which tells users, contacts and meetings by their places in the file.
        """
        client = await self.account(by)
        scim = await client.scim()
        licences = {str(each["id"]): each["name"] async for each in client.listed("/licenses")}
        groups = [each async for each in client.found(f"{scim}/Groups", f'displayName eq "{wave.name}"')]
        group = str(groups[0]["id"]) if len(groups) == 1 else ""
        members = await self.group_members(group, by=by) if group else []
        query: dict[str, str | int] = {"groupIds": group, "limit": 100}
        path = f"{contacts_path(scim)}/search"
        found = [each async for each in client.listed(path, query=query, key="result")] if group else []
        contacts = [_contact_told(each) for each in found]
        missing: list[str] = []
        if sorted(contacts) != sorted(_contact_due(each) for each in contacts_of(wave)):
            missing.append(f"{len(contacts)} contacts, and {len(contacts_of(wave))} are due, each as it was")
        for user in wave.users:
            [account] = [each async for each in client.found(f"{scim}/Users", f'userName eq "{user.email}"')] or [{}]
            [person] = [each async for each in client.listed("/people", query={"email": user.email})] or [{}]
            has = {licences.get(each, "") for each in person.get("licenses", ())}
            due = [
                ("no active account", account.get("active") is True),
                ("not the licences of the wave", set(wave.licences) <= has),
                ("another extension", user.extension in {None, person.get("extension")}),
                ("not among those who see the contacts", not user.contacts or account.get("id") in members),
            ]
            due += [
                (f"contact {place} is not as it was", _contact_due(each) in contacts)
                for place, each in enumerate(user.contacts, 1)
            ]
            missing += [f"user {user.row}: {what}" for what, is_so in due if not is_so]
            missing += await self._meetings_missing(user, by)
        if missing:
            raise ExpectationError(f"{self.name}: the wave is not all there: {'; '.join(missing)}")
        self._journal.record(self.name, "webex.migration_seen", users=len(wave.users), contacts=len(contacts))

    async def _meetings_missing(self, user: Teams, by: str) -> list[str]:
        client = await self.account(by)
        there = []
        async for each in client.listed("/meetings", query={"hostEmail": user.email, "max": 100}):
            invited = client.listed("/meetingInvitees", query={"meetingId": str(each["id"])})
            emails = sorted([str(one["email"]) async for one in invited])
            there.append((*_meeting_told(each), emails))
        return [
            f"user {user.row}: meeting {place} is not as it was"
            for place, each in enumerate(user.meetings, 1)
            if there.count((*_meeting_due(each), sorted(email for email, _name in each.invitees))) != 1
        ]

    async def census(self, hosts: tuple[str, ...] = (), *, by: str = _ADMINISTRATOR) -> Census:
        """What an organisation holds: accounts, groups, contacts, licences, and the meetings of ``hosts`` (addresses).

        Two of them are the same where nothing was added, taken or changed in between, whenever it was.
        """
        client = await self.account(by)
        scim = await client.scim()
        meetings = []
        for host in hosts:
            if not [each async for each in client.listed("/people", query={"email": host})]:
                continue
            meetings += [each async for each in client.listed("/meetings", query={"hostEmail": host, "max": 100})]
        path = f"{contacts_path(scim)}/search"
        kinds: dict[str, list[dict[str, Any]]] = {
            "users": [each async for each in client.found(f"{scim}/Users", most=MAX_LISTED)],
            "people": [each async for each in client.listed("/people", query={"max": 100})],
            "groups": [each async for each in client.found(f"{scim}/Groups", most=MAX_LISTED)],
            "contacts": [each async for each in client.listed(path, query={"limit": 100}, key="result")],
            "licences": [each async for each in client.listed("/licenses")],
            "meetings": meetings,
        }
        return Census(
            {
                kind: {str(each.get("contactId", each.get("id"))): _lasting(each) for each in found}
                for kind, found in kinds.items()
            }
        )

    async def expect_as_before(self, before: Census, hosts: tuple[str, ...] = (), *, by: str = _ADMINISTRATOR) -> None:
        """Fail where an organisation holds anything else than a census told. Raises ExpectationError."""
        now = await self.census(hosts, by=by)
        differs = []
        for kind, had in before.kinds.items():
            has = now.kinds[kind]
            added, gone = len(has.keys() - had.keys()), len(had.keys() - has.keys())
            changed = [key for key in had.keys() & has.keys() if had[key] != has[key]]
            fields = sorted({name for key in changed for name in _differing(had[key], has[key])})
            if added or gone or changed:
                told = f"{kind}: {added} more, {gone} gone, {len(changed)} changed"
                differs.append(f"{told} ({', '.join(fields)})" if fields else told)
        if differs:
            raise ExpectationError(f"{self.name}: the organisation is not as it was: {'; '.join(differs)}")
        self._journal.record(self.name, "webex.as_before", kinds=sorted(before.kinds))


def _lasting(told: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in told.items() if key not in {"meta", "lastModified", "lastActivity"}}


def _differing(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    return [key for key in one.keys() | other.keys() if one.get(key) != other.get(key)]


def _contact_due(contact: Contact) -> tuple[Any, ...]:
    numbers = sorted((value, kind) for value, kind in contact.numbers)
    names = (contact.name, contact.first, contact.last, contact.company, contact.title)
    return (*names, sorted(contact.emails), numbers)


def _contact_told(told: dict[str, Any]) -> tuple[Any, ...]:
    names = (str(told.get(key, "")) for key in ("displayName", "firstName", "lastName", "companyName", "title"))
    emails = sorted(str(each["value"]) for each in told.get("emails", ()))
    numbers = sorted((str(each["value"]), str(each.get("type", ""))) for each in told.get("phoneNumbers", ()))
    return (*names, emails, numbers)


def _meeting_due(meeting: Meeting) -> tuple[str, ...]:
    moments = (to_iso(meeting.start), to_iso(meeting.end))
    return (meeting.title, meeting.agenda, *moments, meeting.timezone, meeting.recurrence or "")


def _meeting_told(told: dict[str, Any]) -> tuple[str, ...]:
    moments = (str(told[key]).removesuffix("Z").partition(".")[0] + "Z" for key in ("start", "end"))
    rest = (str(told.get(key, "")) for key in ("timezone", "recurrence"))
    return (str(told["title"]), str(told.get("agenda", "")), *moments, *rest)
