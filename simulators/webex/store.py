"""What a simulated Webex holds, in memory: shelves of resources in the order in which they came, each with a bound.

Theory. The simulator has one thread, and a request changes the store in one go between two waits: whatever can be
refused is refused before the first change, so that nothing is ever half-written. All that a client names it names by
id, and a shelf answers for one organisation only: what is another's is not there.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from harness.protocols.times import to_iso
from simulators.webex import shapes
from simulators.webex.calling_shapes import Report
from simulators.webex.contact_shapes import Contact
from simulators.webex.errors import full, unknown
from simulators.webex.ids import MAX_ID, named, new_uuid, plain
from simulators.webex.meeting_shapes import Invitee, Meeting, MeetingRecording
from simulators.webex.scim_shapes import Group

T = TypeVar("T", bound=shapes.Shape)

MAX_PEOPLE: Final = 20_000
MAX_ROOMS: Final = 20_000
MAX_MEMBERSHIPS: Final = 200_000
MAX_MESSAGES: Final = 200_000
MAX_WEBHOOKS: Final = 1_000
MAX_EVENTS: Final = 200_000
"""Of these the oldest go; of all others no more are taken."""
MAX_OTHERS: Final = 10_000
MAX_CONTACTS: Final = 50_000
MAX_REPORTS: Final = 100
MAX_CONTENT: Final = 512 * 1024 * 1024
"""Bytes of all files together."""


class Shelf(Generic[T]):
    """Resources of one kind."""

    def __init__(self, store: Store, kind: str, what: str, most: int, *, forgets: bool = False) -> None:
        """``kind``: the word in their ids; ``what``: what a refusal calls them; ``forgets``: the oldest make room."""
        self._store, self._kind, self._what, self._most, self._forgets = store, kind, what, most, forgets
        self._items: dict[str, T] = {}

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[T]:
        """All, in the order in which they came."""
        return iter(self._items.values())

    def new_id(self, uuid: str | None = None) -> str:
        """An id for one that is about to be made."""
        return named(self._kind, uuid if uuid is not None else new_uuid(self._store.rng))

    def need_room(self, count: int = 1) -> None:
        """Raise WebexError where ``count`` more would be too many."""
        if not self._forgets and len(self._items) + count > self._most:
            raise full(self._what, self._most)

    def add(self, item: T, tenant: str) -> T:
        """Put one on. Raises WebexError when there is no room."""
        self.need_room()
        while len(self._items) >= self._most:
            del self._items[next(iter(self._items))]
        item.placed(self._store.next_number(), tenant)
        self._items[item.id] = item
        return item

    def find(self, id_: str, tenant: str) -> T | None:
        """The one of this id in an organisation, if there is one."""
        item = self._items.get(plain(id_)) if len(id_) <= MAX_ID else None
        return item if item is not None and item.tenant == tenant else None

    def get(self, id_: str, tenant: str) -> T:
        """The one of this id in an organisation. Raises WebexError, 404."""
        item = self.find(id_, tenant)
        if item is None:
            raise unknown(self._what.removesuffix("s"))
        return item

    def anywhere(self, id_: str) -> T | None:
        """The one of this id, whose organisation's it may be: for what is not asked by a client."""
        return self._items.get(id_)

    def of(self, tenant: str) -> list[T]:
        """All of an organisation, in the order in which they came."""
        return [each for each in self._items.values() if each.tenant == tenant]

    def remove(self, item: T) -> None:
        """Take one off."""
        self._items.pop(item.id, None)


@dataclass(frozen=True, slots=True)
class Content:
    """A file that was sent with a message."""

    name: str
    media_type: str
    data: bytes
    room_id: str
    tenant: str


@dataclass(slots=True)
class Store:
    """Everything."""

    rng: random.Random
    now: Callable[[], float]
    """Seconds since 1970."""
    contents: dict[str, Content] = field(default_factory=dict)
    content_bytes: int = 0
    _number: int = 0
    people: Shelf[shapes.Person] = field(init=False)
    rooms: Shelf[shapes.Room] = field(init=False)
    memberships: Shelf[shapes.Membership] = field(init=False)
    messages: Shelf[shapes.Message] = field(init=False)
    actions: Shelf[shapes.AttachmentAction] = field(init=False)
    teams: Shelf[shapes.Team] = field(init=False)
    team_memberships: Shelf[shapes.TeamMembership] = field(init=False)
    webhooks: Shelf[shapes.Webhook] = field(init=False)
    events: Shelf[shapes.Event] = field(init=False)
    organizations: Shelf[shapes.Organization] = field(init=False)
    licenses: Shelf[shapes.License] = field(init=False)
    roles: Shelf[shapes.Role] = field(init=False)
    audit: Shelf[shapes.AuditEvent] = field(init=False)
    locations: Shelf[shapes.Location] = field(init=False)
    workspaces: Shelf[shapes.Workspace] = field(init=False)
    devices: Shelf[shapes.Device] = field(init=False)
    reports: Shelf[Report] = field(init=False)
    meetings: Shelf[Meeting] = field(init=False)
    invitees: Shelf[Invitee] = field(init=False)
    recordings: Shelf[MeetingRecording] = field(init=False)
    groups: Shelf[Group] = field(init=False)
    contacts: Shelf[Contact] = field(init=False)
    tabs: Shelf[shapes.RoomTab] = field(init=False)
    by_room: dict[str, dict[str, shapes.Membership]] = field(default_factory=dict)
    """Memberships by room and person."""
    by_person: dict[str, dict[str, shapes.Membership]] = field(default_factory=dict)
    """Memberships by person and room."""
    said_in: dict[str, list[shapes.Message]] = field(default_factory=dict)
    """Messages by room, oldest first."""

    def __post_init__(self) -> None:
        self.people = Shelf(self, "PEOPLE", "people", MAX_PEOPLE)
        self.rooms = Shelf(self, "ROOM", "rooms", MAX_ROOMS)
        self.memberships = Shelf(self, "MEMBERSHIP", "memberships", MAX_MEMBERSHIPS)
        self.messages = Shelf(self, "MESSAGE", "messages", MAX_MESSAGES)
        self.actions = Shelf(self, "ATTACHMENT_ACTION", "attachment actions", MAX_OTHERS)
        self.teams = Shelf(self, "TEAM", "teams", MAX_OTHERS)
        self.team_memberships = Shelf(self, "TEAM_MEMBERSHIP", "team memberships", MAX_MEMBERSHIPS)
        self.webhooks = Shelf(self, "WEBHOOK", "webhooks", MAX_WEBHOOKS)
        self.events = Shelf(self, "EVENT", "events", MAX_EVENTS, forgets=True)
        self.organizations = Shelf(self, "ORGANIZATION", "organizations", MAX_OTHERS)
        self.licenses = Shelf(self, "LICENSE", "licenses", MAX_OTHERS)
        self.roles = Shelf(self, "ROLE", "roles", MAX_OTHERS)
        self.audit = Shelf(self, "ADMIN_EVENT", "audit events", MAX_EVENTS, forgets=True)
        self.locations = Shelf(self, "LOCATION", "locations", MAX_OTHERS)
        self.workspaces = Shelf(self, "PLACE", "workspaces", MAX_OTHERS)
        self.devices = Shelf(self, "DEVICE", "devices", MAX_OTHERS)
        self.meetings = Shelf(self, "MEETING", "meetings", MAX_OTHERS)
        self.invitees = Shelf(self, "INVITEE", "invitees", MAX_MEMBERSHIPS)
        self.recordings = Shelf(self, "RECORDING", "recordings", MAX_OTHERS)
        self.groups = Shelf(self, "SCIM_GROUP", "groups", MAX_OTHERS)
        self.contacts = Shelf(self, "CONTACT", "contacts", MAX_CONTACTS)
        self.tabs = Shelf(self, "ROOM_TAB", "room tabs", MAX_OTHERS)
        self.reports = Shelf(self, "REPORT", "reports", MAX_REPORTS)

    def next_number(self) -> int:
        """The place of what is made next."""
        self._number += 1
        return self._number

    def stamp(self) -> str:
        """The moment as Webex writes it: UTC, milliseconds, Z."""
        return stamp(self.now())

    def person_by_email(self, email: str, tenant: str) -> shapes.Person | None:
        """Whose address it is, in an organisation."""
        wanted = email.lower()
        return next((each for each in self.people.of(tenant) if wanted in each.emails), None)

    def person_by_extension(self, extension: str, tenant: str) -> shapes.Person | None:
        """Whose extension it is, in an organisation."""
        return next((each for each in self.people.of(tenant) if extension and each.extension == extension), None)

    def workspace_by_extension(self, extension: str, tenant: str) -> shapes.Workspace | None:
        """At whose devices an extension rings, in an organisation."""
        return next((each for each in self.workspaces.of(tenant) if extension and each.line == extension), None)

    def members(self, room_id: str) -> list[shapes.Membership]:
        """Who is in a room."""
        return list(self.by_room.get(room_id, {}).values())

    def membership(self, room_id: str, person_id: str) -> shapes.Membership | None:
        """That somebody is in a room, if so."""
        return self.by_room.get(room_id, {}).get(person_id)

    def join(self, membership: shapes.Membership, tenant: str) -> None:
        """Put somebody into a room."""
        self.memberships.add(membership, tenant)
        self.by_room.setdefault(membership.room_id, {})[membership.person_id] = membership
        self.by_person.setdefault(membership.person_id, {})[membership.room_id] = membership

    def leave(self, membership: shapes.Membership) -> None:
        """Take somebody out of a room."""
        self.memberships.remove(membership)
        self.by_room.get(membership.room_id, {}).pop(membership.person_id, None)
        self.by_person.get(membership.person_id, {}).pop(membership.room_id, None)

    def say(self, message: shapes.Message, tenant: str) -> None:
        """Put a message into its room."""
        self.messages.add(message, tenant)
        self.said_in.setdefault(message.room_id, []).append(message)

    def unsay(self, message: shapes.Message) -> None:
        """Take a message, and its files, out of its room."""
        self.messages.remove(message)
        self.said_in[message.room_id].remove(message)
        for url in message.files or ():
            self._drop(url.rpartition("/")[2])

    def close_room(self, room: shapes.Room) -> None:
        """Take a room away, with all that is in it."""
        for membership in self.members(room.id):
            self.leave(membership)
        for message in self.said_in.pop(room.id, []):
            self.messages.remove(message)
            for url in message.files or ():
                self._drop(url.rpartition("/")[2])
        for tab in [each for each in self.tabs if each.room_id == room.id]:
            self.tabs.remove(tab)
        self.by_room.pop(room.id, None)
        self.rooms.remove(room)

    def need_bytes(self, count: int) -> None:
        """Raise WebexError where ``count`` more bytes of files would be too many."""
        if self.content_bytes + count > MAX_CONTENT:
            raise full("bytes of files", MAX_CONTENT)

    def keep(self, content: Content) -> str:
        """Keep a file, for which there is room; return its id."""
        id_ = named("CONTENT", f"{new_uuid(self.rng)}/0")
        self.contents[id_] = content
        self.content_bytes += len(content.data)
        return id_

    def _drop(self, id_: str) -> None:
        content = self.contents.pop(id_, None)
        if content is not None:
            self.content_bytes -= len(content.data)


def stamp(seconds: float) -> str:
    """``2026-01-01T00:00:00.000Z`` of seconds since 1970."""
    text = to_iso(seconds)
    return text if "." in text else text.removesuffix("Z") + ".000Z"
