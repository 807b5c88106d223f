"""What becomes of somebody who leaves: no token serves, no webhook is sent, no room and no group has them."""

from __future__ import annotations

from simulators.webex.cloud import Cloud
from simulators.webex.shapes import Person


def disable(cloud: Cloud, person: Person) -> None:
    """End every token of a person, and of the guests whom a service app made, and switch their webhooks off."""
    cloud.tokens.revoke_person(person.id)
    for each in cloud.store.people.of(person.org_id):
        if each.guest_of is not None and each.guest_of[0] == person.id:
            cloud.tokens.revoke_person(each.id)
    for webhook in cloud.store.webhooks.of(person.org_id):
        if webhook.created_by == person.id:
            cloud.deliveries.forget(webhook)
    cloud.events.tell("person.disabled", person=person.id)


def remove_person(cloud: Cloud, person: Person) -> None:
    """Take a person out of all rooms, teams and groups; what they said stays."""
    disable(cloud, person)
    store = cloud.store
    for membership in list(store.by_person.get(person.id, {}).values()):
        store.leave(membership)
    for each in [each for each in store.team_memberships.of(person.org_id) if each.person_id == person.id]:
        store.team_memberships.remove(each)
    for group in store.groups.of(person.org_id):
        if person.id in group.members:
            group.members.remove(person.id)
    store.by_person.pop(person.id, None)
    store.people.remove(person)
