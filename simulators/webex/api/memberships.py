"""Memberships: who is in which room, and moderates it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import Query, Request, Response
from fastapi.responses import JSONResponse

from simulators.routes import Routes
from simulators.webex.api.asking import (
    Cursor,
    Email,
    Id,
    Items,
    Most,
    Sent,
    after_number,
    answer,
    by_number,
    needs,
    wants,
)
from simulators.webex.cloud import Cloud
from simulators.webex.errors import conflict, forbidden, unfit, unknown
from simulators.webex.front import Caller
from simulators.webex.guests import no_two_guests
from simulators.webex.membership import enter, leave
from simulators.webex.shapes import Membership, Room

Read = Annotated[Caller, needs("spark:memberships_read")]
Write = Annotated[Caller, needs("spark:memberships_write")]


class MembershipSent(Sent):
    """Who is to come into which room."""

    room_id: Id
    person_id: Id | None = None
    person_email: Email | None = None
    is_moderator: bool | None = None


class MembershipChanged(Sent):
    """What somebody is to be in a room."""

    is_moderator: bool | None = None
    is_room_hidden: bool | None = None


def routes(cloud: Cloud) -> Routes:
    """The interface."""
    router = Routes(prefix="/memberships", tags=["memberships"])
    _looking(router, cloud)
    _changing(router, cloud)
    return router


def _seen(cloud: Cloud, caller: Caller, membership_id: str) -> tuple[Membership, Room, Membership]:
    """A membership of a room that the caller is in, the room, and the caller's own."""
    membership = cloud.store.memberships.get(membership_id, caller.person.org_id)
    mine = cloud.store.membership(membership.room_id, caller.person.id)
    if mine is None:
        raise unknown("membership")
    return membership, cloud.store.rooms.get(membership.room_id, caller.person.org_id), mine


def _looking(router: Routes, cloud: Cloud) -> None:
    """Who looks."""
    store = cloud.store

    @router.get("", response_model=Items[Membership])
    async def memberships(
        request: Request,
        caller: Read,
        room_id: Annotated[str | None, wants("roomId")] = None,
        person_id: Annotated[str | None, wants("personId")] = None,
        person_email: Annotated[str | None, Query(alias="personEmail", max_length=254)] = None,
        max: Most = 100,
        cursor: Cursor = None,
    ) -> JSONResponse:
        """Who is in a room; without one, in which rooms the caller is."""
        if room_id is not None:
            found = store.members(cloud.room(caller, room_id)[0].id)
            if person_id is not None or person_email is not None:
                whom = cloud.whom(caller, person_id, person_email)
                found = [each for each in found if each.person_id == whom.id]
                if not found:
                    raise unknown("membership")
        elif person_id is not None or person_email is not None:
            raise unfit("A roomId is needed with a personId or a personEmail.")
        else:
            found = list(store.by_person.get(caller.person.id, {}).values())
        found.sort(key=by_number)
        return cloud.pager.page(request, after_number(found, cloud.pager.after(request, cursor)), by_number, max)


def _changing(router: Routes, cloud: Cloud) -> None:
    """Who changes."""
    store = cloud.store

    @router.post("", response_model=Membership)
    async def create(caller: Write, sent: MembershipSent) -> JSONResponse:
        """Bring somebody in."""
        room, mine = cloud.room(caller, sent.room_id)
        if (sent.person_id is None) == (sent.person_email is None):
            raise unfit("Either personId or personEmail is needed, and not both.")
        if room.type == "direct":
            raise unfit("A direct room has two people.")
        if (room.is_locked or sent.is_moderator) and not mine.is_moderator:
            raise forbidden("Only moderators bring people into a locked room, or make moderators.")
        person = cloud.whom(caller, sent.person_id, sent.person_email)
        if room.team_id is not None and not cloud.in_team(person, store.teams.get(room.team_id, room.tenant)):
            raise forbidden("Only members of a team come into its rooms.")
        if store.membership(room.id, person.id) is not None:
            raise conflict("User is already a participant.")
        no_two_guests(person, [store.people.get(each.person_id, room.tenant) for each in store.members(room.id)])
        return answer(enter(cloud, room, person, by=caller.person, moderates=bool(sent.is_moderator)))

    @router.get("/{membership_id}", response_model=Membership)
    async def membership(caller: Read, membership_id: str) -> JSONResponse:
        """One membership."""
        return answer(_seen(cloud, caller, membership_id)[0])

    @router.put("/{membership_id}", response_model=Membership)
    async def update(caller: Write, membership_id: str, sent: MembershipChanged) -> JSONResponse:
        """Make or unmake a moderator; hide a direct room."""
        membership, room, mine = _seen(cloud, caller, membership_id)
        if sent.is_room_hidden is not None and (membership is not mine or room.type != "direct"):
            raise unfit("isRoomHidden is for one's own membership of a direct room.")
        if sent.is_moderator is not None:
            moderated = any(each.is_moderator for each in store.members(room.id))
            if room.type == "direct" or (moderated and not mine.is_moderator):
                raise forbidden("Only moderators make or unmake moderators.")
        for name, value in sent.model_dump(exclude_none=True).items():
            setattr(membership, name, value)
        cloud.happenings.tell("memberships", "updated", caller.person, membership.told(), cloud.readers(room.id))
        return answer(membership)

    @router.delete("/{membership_id}", status_code=HTTPStatus.NO_CONTENT)
    async def delete(caller: Write, membership_id: str) -> Response:
        """Take somebody out; oneself always, others from a moderated room as a moderator."""
        membership, room, mine = _seen(cloud, caller, membership_id)
        if room.type == "direct":
            raise unfit("Nobody leaves a direct room.")
        moderated = any(each.is_moderator for each in store.members(room.id))
        if membership is not mine and moderated and not mine.is_moderator:
            raise forbidden("Only moderators take people out of a moderated room.")
        leave(cloud, room, membership, by=caller.person)
        return Response(status_code=HTTPStatus.NO_CONTENT)
