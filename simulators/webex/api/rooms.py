"""Rooms, which Webex's clients call spaces."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import Query, Request, Response
from fastapi.responses import JSONResponse

from simulators.routes import Routes
from simulators.webex.api.asking import (
    Cursor,
    Id,
    Items,
    Line,
    Moment,
    Most,
    Prose,
    Sent,
    answer,
    by_number,
    needs,
    stamped,
    wants,
)
from simulators.webex.cloud import Cloud
from simulators.webex.errors import forbidden, unfit
from simulators.webex.front import Caller
from simulators.webex.membership import enter, leave
from simulators.webex.shapes import MeetingInfo, Room

Read = Annotated[Caller, needs("spark:rooms_read")]
Write = Annotated[Caller, needs("spark:rooms_write")]


class RoomSent(Sent):
    """A room that is made."""

    title: Line
    team_id: Id | None = None
    classification_id: Id | None = None
    is_locked: bool | None = None
    is_public: bool | None = None
    is_announcement_only: bool | None = None
    description: Prose | None = None


class RoomChanged(Sent):
    """What a room is to be."""

    title: Line
    team_id: Id | None = None
    classification_id: Id | None = None
    is_locked: bool | None = None
    is_public: bool | None = None
    is_announcement_only: bool | None = None
    is_read_only: bool | None = None
    description: Prose | None = None


def routes(cloud: Cloud) -> Routes:
    """The interface."""
    router = Routes(prefix="/rooms", tags=["rooms"])
    _looking(router, cloud)
    _changing(router, cloud)
    return router


def _looking(router: Routes, cloud: Cloud) -> None:
    """Who looks."""
    store = cloud.store

    @router.get("", response_model=Items[Room])
    async def rooms(
        request: Request,
        caller: Read,
        team_id: Annotated[str | None, wants("teamId")] = None,
        type: Literal["direct", "group"] | None = None,
        sort_by: Annotated[Literal["id", "lastactivity", "created"] | None, Query(alias="sortBy")] = None,
        since: Annotated[Moment | None, Query(alias="from")] = None,
        until: Annotated[Moment | None, Query(alias="to")] = None,
        max: Most = 100,
        cursor: Cursor = None,
    ) -> JSONResponse:
        """The rooms that the caller is in."""
        mine = store.by_person.get(caller.person.id, {})
        place = _places[sort_by]
        found = sorted(
            (
                each
                for each in (store.rooms.get(room_id, caller.person.org_id) for room_id in mine)
                if (team_id is None or each.team_id == team_id)
                and (type is None or each.type == type)
                and (since is None or each.last_activity >= stamped(since))
                and (until is None or each.last_activity <= stamped(until))
            ),
            key=place,
            reverse=sort_by in _NEWEST_FIRST,
        )
        last = cloud.pager.after(request, cursor)
        if last is not None:
            found = [each for each in found if (place(each) < last if sort_by in _NEWEST_FIRST else place(each) > last)]
        return cloud.pager.page(request, found, place, max)


def _changing(router: Routes, cloud: Cloud) -> None:
    """Who changes."""
    store = cloud.store

    @router.post("", response_model=Room)
    async def create(caller: Write, sent: RoomSent) -> JSONResponse:
        """Make a room; who makes it is in it."""
        person = caller.person
        if sent.team_id is not None and not cloud.in_team(person, store.teams.get(sent.team_id, person.org_id)):
            raise forbidden("Only members of a team make rooms in it.")
        if sent.is_public and sent.description is None:
            raise unfit("A public room needs a description.")
        store.memberships.need_room()
        now = store.stamp()
        room = Room(
            id=store.rooms.new_id(),
            type="group",
            last_activity=now,
            creator_id=person.id,
            owner_id=person.org_id,
            created=now,
            made_public=now if sent.is_public else None,
            **sent.model_dump(exclude_none=True),
        )
        store.rooms.add(room, person.org_id)
        enter(cloud, room, person, by=person, moderates=room.is_locked or room.is_announcement_only)
        cloud.happenings.tell("rooms", "created", person, room.told(), cloud.readers(room.id))
        return answer(room)

    @router.get("/{room_id}", response_model=Room)
    async def room(caller: Read, room_id: str) -> JSONResponse:
        """One room that the caller is in."""
        return answer(cloud.room(caller, room_id)[0])

    @router.get("/{room_id}/meetingInfo", response_model=MeetingInfo)
    async def meeting_info(caller: Read, room_id: str) -> JSONResponse:
        """How the room's meeting is reached."""
        room = cloud.room(caller, room_id)[0]
        number = f"{26_000_000_000 + room.number}"
        return answer(
            MeetingInfo(
                room_id=room.id,
                meeting_link=f"https://force.webex.example/m/{room.id}",
                sip_address=f"{number}@force.webex.example",
                meeting_number=number,
                meeting_id=room.id,
                call_in_toll_free_number="",
                call_in_toll_number="",
            )
        )

    @router.put("/{room_id}", response_model=Room)
    async def update(caller: Write, room_id: str, sent: RoomChanged) -> JSONResponse:
        """Change a room; of one that is moderated, its moderators."""
        room, mine = cloud.room(caller, room_id)
        if room.type == "direct":
            raise unfit("A direct room can't be changed.")
        if room.is_locked and not mine.is_moderator:
            raise forbidden("Only moderators change a locked room.")
        if sent.is_read_only not in {None, room.is_read_only} and not mine.is_moderator:
            raise forbidden("Only moderators make a room read-only.")
        moved = sent.team_id is not None and sent.team_id != room.team_id
        if moved and not cloud.in_team(caller.person, store.teams.get(sent.team_id or "", caller.person.org_id)):
            raise forbidden("Only members of a team bring rooms into it.")
        for name, value in sent.model_dump(exclude_none=True).items():
            setattr(room, name, value)
        if room.is_locked and not any(each.is_moderator for each in store.members(room.id)):
            mine.is_moderator = True
        cloud.happenings.tell("rooms", "updated", caller.person, room.told(), cloud.readers(room.id))
        return answer(room)

    @router.delete("/{room_id}", status_code=HTTPStatus.NO_CONTENT)
    async def delete(caller: Write, room_id: str) -> Response:
        """Delete a room; who does not moderate one that has moderators leaves it instead."""
        room, mine = cloud.room(caller, room_id)
        if room.type == "direct":
            raise unfit("A direct room can't be deleted.")
        moderated = any(each.is_moderator for each in store.members(room.id))
        if moderated and not mine.is_moderator:
            leave(cloud, room, mine, by=caller.person)
        else:
            readers, told = cloud.readers(room.id), room.told()
            store.close_room(room)
            cloud.happenings.tell("rooms", "deleted", caller.person, told, readers)
        return Response(status_code=HTTPStatus.NO_CONTENT)


def _by_activity(room: Room) -> list[Any]:
    return [room.last_activity, room.number]


def _by_id(room: Room) -> list[Any]:
    return [room.id]


_places = {None: _by_activity, "lastactivity": _by_activity, "created": by_number, "id": _by_id}
_NEWEST_FIRST = frozenset({None, "lastactivity", "created"})
