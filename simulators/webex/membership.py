"""Who comes into a room and who leaves it, told to those who are in it."""

from __future__ import annotations

from simulators.webex.cloud import Cloud
from simulators.webex.shapes import Membership, Person, Room


def enter(cloud: Cloud, room: Room, person: Person, *, by: Person, moderates: bool = False) -> Membership:
    """Put a person into a room who is not in it. Raises WebexError when there is no room in the store."""
    store = cloud.store
    membership = Membership(
        id=store.memberships.new_id(),
        room_id=room.id,
        room_type=room.type,
        person_id=person.id,
        person_email=person.emails[0],
        person_display_name=person.display_name,
        person_org_id=person.org_id,
        is_moderator=moderates,
        created=store.stamp(),
    )
    store.join(membership, room.tenant)
    cloud.happenings.tell("memberships", "created", by, membership.told(), cloud.readers(room.id))
    return membership


def leave(cloud: Cloud, room: Room, membership: Membership, *, by: Person) -> None:
    """Take a person out of a room, who hears of it still."""
    readers = cloud.readers(room.id)
    cloud.store.leave(membership)
    cloud.happenings.tell("memberships", "deleted", by, membership.told(), readers)
