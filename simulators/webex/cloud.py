"""What the parts of a simulated Webex share, and what an account may see."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Final

from fastapi import Request

from simulators.events import Events
from simulators.webex.delivery import Deliveries
from simulators.webex.errors import forbidden, unknown
from simulators.webex.front import Caller
from simulators.webex.happenings import Happenings
from simulators.webex.paging import Pager
from simulators.webex.settings import WebexSettings
from simulators.webex.shapes import Membership, Person, Room, Team, TeamMembership
from simulators.webex.shares import Shares
from simulators.webex.sso import SignOn
from simulators.webex.store import Store
from simulators.webex.switchboard import Switchboard
from simulators.webex.tokens import Grant, Tokens

MAX_MUTED: Final = 10_000


@dataclass(slots=True)
class Cloud:
    """One Webex."""

    settings: WebexSettings
    store: Store
    tokens: Tokens
    pager: Pager
    events: Events
    happenings: Happenings
    deliveries: Deliveries
    rng: random.Random
    switchboard: Switchboard | None = None
    """Where calls are made; None: there is no calling."""
    sign_on: SignOn | None = None
    """Who tells who somebody is; None: nobody is asked."""
    url: str = ""
    """Where it is reached, ``http://host:port``."""
    muted: dict[str, None] = field(default_factory=dict)
    """The legs of those whom a host muted: MAX_MUTED; of more the oldest are forgotten."""
    shares: Shares = field(default_factory=Shares)
    """What devices share in meetings."""
    admin_roles: set[str] = field(default_factory=set)
    """The ids of the roles of full administrators; who has another role may only look."""

    def note_muted(self, leg: str, *, muted: bool) -> None:
        """Remember that somebody was muted, or no more."""
        self.muted.pop(leg, None)
        if muted:
            self.muted[leg] = None
            if len(self.muted) > MAX_MUTED:
                del self.muted[next(iter(self.muted))]

    def board(self) -> Switchboard:
        """Where calls are made. Raises WebexError, 403, where there is no calling."""
        if self.switchboard is None:
            raise forbidden("The organization has no Webex Calling: the testbed file names no 'switch'.")
        return self.switchboard

    def caller(self, grant: Grant) -> Caller | None:
        """Who has a grant; None where the account is gone."""
        person = self.store.people.anywhere(grant.person_id)
        if person is None:
            return None
        roles = person.roles or ()
        return Caller(person, grant, bool(roles), not self.admin_roles.isdisjoint(roles))

    def room(self, caller: Caller, room_id: str) -> tuple[Room, Membership]:
        """A room that the caller is in. Raises WebexError, 404."""
        room = self.store.rooms.find(room_id, caller.person.org_id)
        membership = self.store.membership(room.id, caller.person.id) if room is not None else None
        if room is None or membership is None:
            raise unknown("room")
        return room, membership

    def whom(self, caller: Caller, person_id: str | None, email: str | None) -> Person:
        """Somebody of the caller's organisation, by id or address. Raises WebexError, 404."""
        org = caller.person.org_id
        if person_id is not None:
            return self.store.people.get(person_id, org)
        found = self.store.person_by_email(email, org) if email is not None else None
        if found is None:
            raise unknown("person")
        return found

    def in_room(self, person: Person, room_id: str) -> bool:
        """Whether somebody is in a room."""
        return self.store.membership(room_id, person.id) is not None

    def readers(self, room_id: str) -> frozenset[str]:
        """The ids of all who are in a room."""
        return frozenset(self.store.by_room.get(room_id, ()))

    def in_team(self, person: Person, team: Team) -> TeamMembership | None:
        """That somebody is in a team, if so."""
        memberships = self.store.team_memberships.of(team.tenant)
        return next((each for each in memberships if (each.team_id, each.person_id) == (team.id, person.id)), None)

    def audit(self, request: Request, caller: Caller, category: str, text: str, target: str, target_id: str) -> None:
        """Note what an administrator did."""
        state = request.state
        self.happenings.audit(
            caller.person,
            category,
            text,
            target,
            target_id,
            agent=state.agent,
            ip=state.from_,
            tracking=state.tracking_id,
        )
