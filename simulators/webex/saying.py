"""Says things: a message into its room, rendered, in its thread, with its file; all of it or nothing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Final

from simulators.webex.cloud import Cloud
from simulators.webex.errors import forbidden, unfit
from simulators.webex.guests import no_two_guests
from simulators.webex.markup import Rendered, render
from simulators.webex.membership import enter
from simulators.webex.shapes import Attachment, Message, Person, Room
from simulators.webex.store import Content

MAX_TEXT: Final = 7_439
"""Bytes of a message's text before it is encrypted: Webex's own limit."""
MAX_EDITS: Final = 10
CARD: Final = "application/vnd.microsoft.card.adaptive"


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be said."""

    text: str | None
    markdown: str | None
    parent_id: str | None = None
    content: Content | None = None
    attachments: list[Attachment] = field(default_factory=list)


def direct_room(cloud: Cloud, one: Person, other: Person) -> Room | None:
    """The room of two, if they have one."""
    theirs = cloud.store.by_person.get(other.id, {})
    for room_id, membership in cloud.store.by_person.get(one.id, {}).items():
        if membership.room_type == "direct" and room_id in theirs:
            return cloud.store.rooms.get(room_id, one.org_id)
    return None


def say(cloud: Cloud, person: Person, draft: Draft, *, room: Room | None, to: Person | None) -> Message:
    """Say ``draft`` in ``room``, or to somebody. Raises WebexError, and has done nothing then."""
    store = cloud.store
    if to is not None:
        if to is person:
            raise unfit("Nobody sends messages to themselves.")
        no_two_guests(person, [to])
        room = direct_room(cloud, person, to)
    _may_say(cloud, person, draft, room)
    rendered = _rendered(cloud, room, draft.text, draft.markdown, person.org_id)
    store.messages.need_room()
    if room is None:
        store.rooms.need_room()
        store.memberships.need_room(2)
    if draft.content is not None:
        store.need_bytes(len(draft.content.data))
    if room is None:
        assert to is not None, "a message has a room or somebody it is to"
        room = _open_direct(cloud, person, to)
    path = store.keep(replace(draft.content, room_id=room.id)) if draft.content is not None else None
    now = store.stamp()
    message = Message(
        id=store.messages.new_id(),
        parent_id=draft.parent_id,
        room_id=room.id,
        room_type=room.type,
        to_person_id=to.id if to is not None else None,
        to_person_email=to.emails[0] if to is not None else None,
        text=rendered.text or None,
        markdown=draft.markdown,
        html=rendered.html if draft.markdown is not None else None,
        files=[f"/v1/contents/{path}"] if path is not None else None,
        person_id=person.id,
        person_email=person.emails[0],
        mentioned_people=rendered.people or None,
        mentioned_groups=rendered.groups or None,
        attachments=draft.attachments or None,
        created=now,
    )
    store.say(message, person.org_id)
    room.last_activity = now
    person.last_activity = now
    cloud.happenings.tell("messages", "created", person, _told(cloud, message), cloud.readers(room.id))
    return message


def edit(cloud: Cloud, person: Person, message: Message, text: str | None, markdown: str | None) -> None:
    """Put something else in a message's place. Raises WebexError."""
    if message.edits >= MAX_EDITS:
        raise unfit(f"A message can be changed {MAX_EDITS} times.")
    room = cloud.store.rooms.get(message.room_id, person.org_id)
    rendered = _rendered(cloud, room, text, markdown, person.org_id)
    message.text, message.markdown = rendered.text, markdown
    message.html = rendered.html if markdown is not None else None
    message.mentioned_people = rendered.people or None
    message.mentioned_groups = rendered.groups or None
    message.edited(cloud.store.stamp())
    cloud.happenings.tell("messages", "updated", person, _told(cloud, message), cloud.readers(room.id))


def _may_say(cloud: Cloud, person: Person, draft: Draft, room: Room | None) -> None:
    if room is not None:
        own = cloud.store.membership(room.id, person.id)
        if (room.is_announcement_only or room.is_read_only) and (own is None or not own.is_moderator):
            raise forbidden("Only moderators speak in this room.")
    if draft.parent_id is None:
        return
    parent = cloud.store.messages.find(draft.parent_id, person.org_id)
    if parent is None or room is None or parent.room_id != room.id:
        raise unfit("The parentId is not of a message in this room.")
    if parent.parent_id is not None:
        raise unfit("A reply has no replies of its own: give the parentId of the thread's first message.")


def _rendered(cloud: Cloud, room: Room | None, text: str | None, markdown: str | None, org: str) -> Rendered:
    for told in (text, markdown):
        if told is not None and len(told.encode()) > MAX_TEXT:
            raise unfit(f"A message's text is longer than {MAX_TEXT} bytes.")
    if markdown is None:
        return Rendered("", text or "")

    def whom(by: str, value: str) -> Person | None:
        store = cloud.store
        found = store.people.find(value, org) if by == "personId" else store.person_by_email(value, org)
        return found if found is not None and room is not None and store.membership(room.id, found.id) else None

    rendered = render(markdown, whom)
    # A client that sends both has its own plain text kept.
    return replace(rendered, text=text) if text else rendered


def _open_direct(cloud: Cloud, person: Person, to: Person) -> Room:
    store = cloud.store
    now = store.stamp()
    room = Room(
        id=store.rooms.new_id(),
        title=to.display_name,
        type="direct",
        is_locked=False,
        last_activity=now,
        creator_id=person.id,
        owner_id=person.org_id,
        created=now,
    )
    store.rooms.add(room, person.org_id)
    for each in (person, to):
        enter(cloud, room, each, by=person)
    cloud.happenings.tell("rooms", "created", person, room.told(), cloud.readers(room.id))
    return room


def _told(cloud: Cloud, message: Message) -> dict[str, Any]:
    """What events and webhooks tell of a message: never what it says, which a client asks for with its own token."""
    told = message.told()
    for name in ("text", "markdown", "html", "attachments"):
        told.pop(name, None)
    if message.files:
        told["files"] = [f"{cloud.url}{path}" for path in message.files]
    return told
