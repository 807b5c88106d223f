"""Guests: people without an account who may do a few things for a time, made by a service app or a guest issuer.

A guest is known again by the issuer and the subject that it names; the name they show may change. What they may do is
fixed by their kind and not by who asks: they read and write where a person of the organisation brought them in, and no
guest speaks to another one. Meetings they join by telephone as anybody does, and wait in the lobby.
"""

from __future__ import annotations

from typing import Final

from simulators.webex.cloud import Cloud
from simulators.webex.errors import forbidden, full
from simulators.webex.ids import named, new_uuid
from simulators.webex.scopes import GUEST
from simulators.webex.shapes import Person
from simulators.webex.tokens import Issued

MAX_GUESTS: Final = 1_000
"""Of an organisation. [p]"""
DOMAIN: Final = "appid.ciscospark.com"
"""Of the addresses that guests are given, which nobody can write to."""


def guests_of(cloud: Cloud, org: str, issuer: str | None = None) -> list[Person]:
    """The guests of an organisation, or of one issuer."""
    return [
        each
        for each in cloud.store.people.of(org)
        if each.guest_of is not None and (issuer is None or each.guest_of[0] == issuer)
    ]


def welcome(cloud: Cloud, org: str, issuer: str, subject: str, name: str, lives_s: float) -> tuple[Person, Issued]:
    """A guest, made or known again and named so, and a token of theirs. Raises WebexError where there is no room."""
    store = cloud.store
    known = guests_of(cloud, org)
    guest = next((each for each in known if each.guest_of == (issuer, subject)), None)
    if guest is None:
        if len(known) >= MAX_GUESTS:
            raise full("guests", MAX_GUESTS)
        store.people.need_room()
    uuid = new_uuid(cloud.rng)
    id_ = guest.id if guest is not None else named("PEOPLE", uuid)
    issued = cloud.tokens.issue(id_, GUEST, lives_s=lives_s, client_id=issuer)
    if guest is None:
        now = store.stamp()
        guest = Person(
            id=id_,
            emails=[f"{uuid}@{DOMAIN}"],
            display_name=name,
            org_id=org,
            created=now,
            last_modified=now,
            type="appuser",
        )
        guest.welcomed(issuer, subject)
        store.people.add(guest, org)
        cloud.events.tell("guest.made", person=id_)
    elif guest.display_name != name:
        guest.display_name, guest.last_modified = name, store.stamp()
    return guest, issued


def not_a_guest(person: Person) -> None:
    """Raise WebexError, 403, for a guest, whom only their issuer changes."""
    if person.guest_of is not None:
        raise forbidden("A guest is changed by who issued them.")


def no_two_guests(one: Person, others: list[Person]) -> None:
    """Raise WebexError, 403, where guests would speak to each other."""
    if one.guest_of is not None and any(each.guest_of is not None for each in others):
        raise forbidden("Guests can't interact with other guests.")
