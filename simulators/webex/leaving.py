"""What becomes of somebody who leaves: no token serves, no webhook is sent, no room has them."""

from __future__ import annotations

from simulators.webex.cloud import Cloud
from simulators.webex.shapes import Person


def disable(cloud: Cloud, person: Person) -> None:
    """End every token of a person, and switch their webhooks off."""
    cloud.tokens.revoke_person(person.id)
    for webhook in cloud.store.webhooks.of(person.org_id):
        if webhook.created_by == person.id:
            cloud.deliveries.forget(webhook)
    cloud.events.tell("person.disabled", person=person.id)


def remove_person(cloud: Cloud, person: Person) -> None:
    """Take a person out of all rooms and teams; what they said stays."""
    disable(cloud, person)
    store = cloud.store
    for membership in list(store.by_person.get(person.id, {}).values()):
        store.leave(membership)
    for each in [each for each in store.team_memberships.of(person.org_id) if each.person_id == person.id]:
        store.team_memberships.remove(each)
    store.by_person.pop(person.id, None)
    store.people.remove(person)
