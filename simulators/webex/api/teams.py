"""Teams, and who is in them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from simulators.routes import Routes
from simulators.webex.api.asking import (
    Cursor,
    Email,
    Id,
    Items,
    Line,
    Most,
    Prose,
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
from simulators.webex.membership import enter, leave
from simulators.webex.shapes import Person, Room, Team, TeamMembership

Read = Annotated[Caller, needs("spark:teams_read")]
Write = Annotated[Caller, needs("spark:teams_write")]
ReadMembers = Annotated[Caller, needs("spark:team_memberships_read")]
WriteMembers = Annotated[Caller, needs("spark:team_memberships_write")]


class TeamSent(Sent):
    """A team."""

    name: Line
    description: Prose | None = None


class TeamMembershipSent(Sent):
    """Who is to come into which team."""

    team_id: Id
    person_id: Id | None = None
    person_email: Email | None = None
    is_moderator: bool | None = None


class TeamMembershipChanged(Sent):
    """Whether somebody moderates."""

    is_moderator: bool


def routes(cloud: Cloud) -> Routes:
    """The interface."""
    router = Routes(tags=["teams"])
    _teams(router, cloud)
    _memberships(router, cloud)
    return router


def _mine(cloud: Cloud, caller: Caller, team_id: str) -> tuple[Team, TeamMembership]:
    """A team that the caller is in. Raises WebexError, 404."""
    team = cloud.store.teams.get(team_id, caller.person.org_id)
    own = cloud.in_team(caller.person, team)
    if own is None:
        raise unknown("team")
    return team, own


def _members(cloud: Cloud, team: Team) -> list[TeamMembership]:
    return [each for each in cloud.store.team_memberships.of(team.tenant) if each.team_id == team.id]


def _join(cloud: Cloud, team: Team, person: Person, *, moderates: bool) -> TeamMembership:
    membership = TeamMembership(
        id=cloud.store.team_memberships.new_id(),
        team_id=team.id,
        person_id=person.id,
        person_email=person.emails[0],
        person_display_name=person.display_name,
        person_org_id=person.org_id,
        is_moderator=moderates,
        created=cloud.store.stamp(),
    )
    return cloud.store.team_memberships.add(membership, team.tenant)


def _general(cloud: Cloud, team: Team) -> Room | None:
    """The team's own room, made with it."""
    return next((each for each in cloud.store.rooms.of(team.tenant) if each.team_id == team.id), None)


def _teams(router: Routes, cloud: Cloud) -> None:
    """Teams."""
    store = cloud.store

    @router.get("/teams", response_model=Items[Team])
    async def teams(request: Request, caller: Read, max: Most = 100, cursor: Cursor = None) -> JSONResponse:
        """The teams that the caller is in."""
        found = [each for each in store.teams.of(caller.person.org_id) if cloud.in_team(caller.person, each)]
        return cloud.pager.page(request, after_number(found, cloud.pager.after(request, cursor)), by_number, max)

    @router.post("/teams", response_model=Team)
    async def create(caller: Write, sent: TeamSent) -> JSONResponse:
        """Make a team, with a room of its name; who makes it moderates it."""
        person = caller.person
        for shelf in (store.rooms, store.memberships, store.team_memberships):
            shelf.need_room()
        now = store.stamp()
        team = Team(id=store.teams.new_id(), creator_id=person.id, created=now, **sent.model_dump(exclude_none=True))
        store.teams.add(team, person.org_id)
        _join(cloud, team, person, moderates=True)
        room = Room(
            id=store.rooms.new_id(),
            title=team.name,
            type="group",
            team_id=team.id,
            last_activity=now,
            creator_id=person.id,
            owner_id=person.org_id,
            created=now,
        )
        store.rooms.add(room, person.org_id)
        enter(cloud, room, person, by=person)
        cloud.happenings.tell("rooms", "created", person, room.told(), cloud.readers(room.id))
        return answer(team)

    @router.get("/teams/{team_id}", response_model=Team)
    async def team(caller: Read, team_id: str) -> JSONResponse:
        """One team that the caller is in."""
        return answer(_mine(cloud, caller, team_id)[0])

    @router.put("/teams/{team_id}", response_model=Team)
    async def update(caller: Write, team_id: str, sent: TeamSent) -> JSONResponse:
        """Change a team, as one of its moderators."""
        team, own = _mine(cloud, caller, team_id)
        if not own.is_moderator:
            raise forbidden("Only moderators change a team.")
        team.name = sent.name
        team.description = sent.description if sent.description is not None else team.description
        return answer(team)

    @router.delete("/teams/{team_id}", status_code=HTTPStatus.NO_CONTENT)
    async def delete(caller: Write, team_id: str) -> Response:
        """Delete a team with its rooms, as one of its moderators."""
        team, own = _mine(cloud, caller, team_id)
        if not own.is_moderator:
            raise forbidden("Only moderators delete a team.")
        for room in [each for each in store.rooms.of(team.tenant) if each.team_id == team.id]:
            readers, told = cloud.readers(room.id), room.told()
            store.close_room(room)
            cloud.happenings.tell("rooms", "deleted", caller.person, told, readers)
        for each in _members(cloud, team):
            store.team_memberships.remove(each)
        store.teams.remove(team)
        return Response(status_code=HTTPStatus.NO_CONTENT)


def _memberships(router: Routes, cloud: Cloud) -> None:
    """Who is in them."""
    store = cloud.store

    @router.get("/team/memberships", response_model=Items[TeamMembership])
    async def memberships(
        request: Request,
        caller: ReadMembers,
        team_id: Annotated[str, wants("teamId")],
        max: Most = 100,
        cursor: Cursor = None,
    ) -> JSONResponse:
        """Who is in a team."""
        found = after_number(_members(cloud, _mine(cloud, caller, team_id)[0]), cloud.pager.after(request, cursor))
        return cloud.pager.page(request, found, by_number, max)

    @router.post("/team/memberships", response_model=TeamMembership)
    async def add(caller: WriteMembers, sent: TeamMembershipSent) -> JSONResponse:
        """Bring somebody into a team, and into its room."""
        team, own = _mine(cloud, caller, sent.team_id)
        if (sent.person_id is None) == (sent.person_email is None):
            raise unfit("Either personId or personEmail is needed, and not both.")
        if not own.is_moderator:
            raise forbidden("Only moderators bring people into a team.")
        person = cloud.whom(caller, sent.person_id, sent.person_email)
        if cloud.in_team(person, team):
            raise conflict("User is already a member of the team.")
        store.memberships.need_room()
        membership = _join(cloud, team, person, moderates=bool(sent.is_moderator))
        room = _general(cloud, team)
        if room is not None and store.membership(room.id, person.id) is None:
            enter(cloud, room, person, by=caller.person)
        return answer(membership)

    @router.get("/team/memberships/{membership_id}", response_model=TeamMembership)
    async def one(caller: ReadMembers, membership_id: str) -> JSONResponse:
        """One membership of a team that the caller is in."""
        membership = store.team_memberships.get(membership_id, caller.person.org_id)
        _mine(cloud, caller, membership.team_id)
        return answer(membership)

    @router.put("/team/memberships/{membership_id}", response_model=TeamMembership)
    async def moderate(caller: WriteMembers, membership_id: str, sent: TeamMembershipChanged) -> JSONResponse:
        """Make or unmake a moderator, as one."""
        membership = store.team_memberships.get(membership_id, caller.person.org_id)
        if not _mine(cloud, caller, membership.team_id)[1].is_moderator:
            raise forbidden("Only moderators make or unmake moderators.")
        membership.is_moderator = sent.is_moderator
        return answer(membership)

    @router.delete("/team/memberships/{membership_id}", status_code=HTTPStatus.NO_CONTENT)
    async def remove(caller: WriteMembers, membership_id: str) -> Response:
        """Take somebody out of a team and its rooms: oneself, or others as a moderator."""
        membership = store.team_memberships.get(membership_id, caller.person.org_id)
        team, own = _mine(cloud, caller, membership.team_id)
        if membership is not own and not own.is_moderator:
            raise forbidden("Only moderators take people out of a team.")
        store.team_memberships.remove(membership)
        for room in store.rooms.of(team.tenant):
            inside = store.membership(room.id, membership.person_id) if room.team_id == team.id else None
            if inside is not None:
                leave(cloud, room, inside, by=caller.person)
        return Response(status_code=HTTPStatus.NO_CONTENT)
