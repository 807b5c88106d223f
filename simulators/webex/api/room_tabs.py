"""Tabs of rooms: addresses that everybody in a room has at hand."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field

from simulators.routes import Routes
from simulators.webex.api.asking import (
    Cursor,
    Id,
    Items,
    Line,
    Most,
    Sent,
    after_number,
    answer,
    by_number,
    needs,
    wants,
)
from simulators.webex.cloud import Cloud
from simulators.webex.errors import forbidden, unfit, unknown
from simulators.webex.front import Caller
from simulators.webex.shapes import Membership, Room, RoomTab

# Which scopes tabs need is not published: those of the rooms. [unconfirmed]
Read = Annotated[Caller, needs("spark:rooms_read")]
Write = Annotated[Caller, needs("spark:rooms_write")]


class TabSent(Sent):
    """A tab that is made, or what one is to be."""

    room_id: Id
    content_url: Annotated[str, Field(max_length=2_000, pattern=r"^https://[^\s/?#]+\S*$")]
    display_name: Line


def routes(cloud: Cloud) -> Routes:
    """The interface."""
    router = Routes(prefix="/room/tabs", tags=["room tabs"])
    store = cloud.store

    def seen(caller: Caller, tab_id: str) -> tuple[RoomTab, Room, Membership]:
        """A tab of a room that the caller is in, the room, and the caller's membership."""
        tab = store.tabs.find(tab_id, caller.person.org_id)
        mine = store.membership(tab.room_id, caller.person.id) if tab is not None else None
        if tab is None or mine is None:
            raise unknown("room tab")
        return tab, store.rooms.get(tab.room_id, tab.tenant), mine

    @router.get("", response_model=Items[RoomTab])
    async def tabs(
        request: Request, caller: Read, room_id: Annotated[str, wants("roomId")], max: Most = 100, cursor: Cursor = None
    ) -> JSONResponse:
        """The tabs of a room that the caller is in."""
        room = cloud.room(caller, room_id)[0]
        found = after_number(store.tabs.of(room.tenant), cloud.pager.after(request, cursor))
        return cloud.pager.page(request, [each for each in found if each.room_id == room.id], by_number, max)

    @router.post("", response_model=RoomTab)
    async def create(caller: Write, sent: TabSent) -> JSONResponse:
        """Add one."""
        room, mine = cloud.room(caller, sent.room_id)
        _may_change(room, mine)
        tab = RoomTab(
            id=store.tabs.new_id(),
            room_id=room.id,
            room_type=room.type,
            display_name=sent.display_name,
            content_url=sent.content_url,
            creator_id=caller.person.id,
            created=store.stamp(),
        )
        return answer(store.tabs.add(tab, room.tenant))

    @router.get("/{tab_id}", response_model=RoomTab)
    async def tab(caller: Read, tab_id: str) -> JSONResponse:
        """One."""
        return answer(seen(caller, tab_id)[0])

    @router.put("/{tab_id}", response_model=RoomTab)
    async def update(caller: Write, tab_id: str, sent: TabSent) -> JSONResponse:
        """Let one be called otherwise, or lead elsewhere; it stays in its room."""
        found, room, mine = seen(caller, tab_id)
        if sent.room_id != room.id:
            raise unfit("The tab is in another room than roomId says.")
        _may_change(room, mine)
        found.display_name, found.content_url = sent.display_name, sent.content_url
        return answer(found)

    @router.delete("/{tab_id}", status_code=HTTPStatus.NO_CONTENT)
    async def delete(caller: Write, tab_id: str) -> Response:
        """Take one away."""
        found, room, mine = seen(caller, tab_id)
        _may_change(room, mine)
        store.tabs.remove(found)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    return router


def _may_change(room: Room, mine: Membership) -> None:
    """Raise WebexError, 403, for who may not change the tabs of a locked room. [unconfirmed]"""
    if room.is_locked and not mine.is_moderator:
        raise forbidden("Only moderators change the tabs of a locked room.")
