"""How calls are led: hunt groups as the switch has them, and where an emergency caller can be called back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Final, TypeVar

from fastapi import Query, Request
from fastapi.responses import JSONResponse

from simulators.routes import Routes
from simulators.webex.api.asking import Cursor, Most, answer, needs, wants
from simulators.webex.calling_shapes import (
    CallbackNumber,
    CallingFeature,
    EmergencyCallback,
    HuntAgent,
    HuntGroup,
    HuntGroups,
    HuntNoAnswer,
    HuntPolicies,
)
from simulators.webex.cloud import Cloud
from simulators.webex.errors import unknown
from simulators.webex.front import Caller
from simulators.webex.ids import named
from simulators.webex.shapes import Location
from simulators.webex.switchboard import line_of

Read = Annotated[Caller, needs("spark-admin:telephony_config_read")]
POLICIES: Final = {
    "broadcast": "SIMULTANEOUS",
    "top_down": "REGULAR",
    "circular": "CIRCULAR",
    "longest_idle": "UNIFORM",
}
"""In which order members ring, in the switch's word and in Webex's."""
RING_S: Final = 6.0
"""Seconds of one ring, in which Webex counts how long a member rings: the British cadence has two of three."""


F = TypeVar("F", bound=CallingFeature)


def chosen(found: Iterable[F], location_id: str | None, name: str | None, place: Sequence[Any] | None) -> list[F]:
    """Those at a location, whose names have ``name`` in them, beyond the ``place`` at which a page before ended."""
    return [
        each
        for each in found
        if (location_id is None or each.location_id == location_id)
        and (name is None or name.lower() in each.name.lower())
        and (place is None or each.extension > place[0])
    ]


def routes(cloud: Cloud) -> Routes:
    """The interface."""
    router = Routes(prefix="/telephony/config", tags=["calling"])
    _groups(router, cloud)
    _callback(router, cloud)
    return router


def _groups(router: Routes, cloud: Cloud) -> None:
    store = cloud.store

    def where(group: dict[str, Any], org: str) -> Location | None:
        """A group is at the location of its first member who has one."""
        people = [store.person_by_extension(each, org) for each in group["members"]]
        places = [
            store.locations.find(each.location_id, org) for each in people if each is not None and each.location_id
        ]
        return next((each for each in places if each is not None), None)

    async def of(org: str) -> list[HuntGroup]:
        """Those in which somebody of an organisation is."""
        found = []
        for group in await cloud.board().ask("GET", "/groups"):
            if any(store.person_by_extension(each, org) is not None for each in group["members"]):
                found.append(_group(cloud, org, group, where(group, org)))
        return sorted(found, key=lambda each: each.extension)

    @router.get("/huntGroups", response_model=HuntGroups)
    async def groups(
        request: Request,
        caller: Read,
        location_id: Annotated[str | None, wants("locationId")] = None,
        name: Annotated[str | None, Query(max_length=128)] = None,
        max: Most = 1_000,
        cursor: Cursor = None,
    ) -> JSONResponse:
        """The hunt groups."""
        place = cloud.pager.after(request, cursor)
        found = chosen(await of(caller.person.org_id), location_id, name, place)
        return cloud.pager.page(
            request, found, lambda each: [each.extension], max, shown=HuntGroup.summary, key="huntGroups"
        )

    @router.get("/locations/{location_id}/huntGroups/{group_id}", response_model=HuntGroup)
    async def group(caller: Read, location_id: str, group_id: str) -> JSONResponse:
        """One, with its members and where its calls overflow to."""
        for each in await of(caller.person.org_id):
            if each.id == group_id and each.location_id == location_id:
                return answer(each)
        raise unknown("hunt group")


def _group(cloud: Cloud, org: str, group: dict[str, Any], location: Location | None) -> HuntGroup:
    people = [cloud.store.person_by_extension(each, org) for each in group["members"]]
    agents = [
        HuntAgent(id=each.id, first_name=each.first_name, last_name=each.last_name, extension=each.extension)
        for each in people
        if each is not None
    ]
    overflow = group["overflow"]
    no_answer = HuntNoAnswer(
        next_agent_enabled=group["strategy"] != "broadcast",
        next_agent_rings=max(1, round(group["ring_s"] / RING_S)),
        forward_enabled=overflow is not None,
        number_of_rings=max(1, round(group["max_s"] / RING_S)),
        destination=overflow,
        destination_voicemail_enabled=False,
    )
    return HuntGroup(
        id=named("HUNT_GROUP", group["number"]),
        name=group["name"] or group["number"],
        location_name=location.name if location is not None else None,
        location_id=location.id if location is not None else None,
        phone_number=group["external"],
        extension=group["number"],
        enabled=True,
        call_policies=HuntPolicies(
            policy=POLICIES[group["strategy"]], waiting_enabled=False, group_busy_enabled=False, no_answer=no_answer
        ),
        agents=agents,
    )


def _callback(router: Routes, cloud: Cloud) -> None:
    @router.get("/people/{person_id}/emergencyCallbackNumber", response_model=EmergencyCallback)
    async def callback(caller: Read, person_id: str) -> JSONResponse:
        """What an emergency operator is told to call back: the site's number, else the person's own."""
        person = cloud.store.people.get(person_id, caller.person.org_id)
        board = cloud.board()
        line = await board.ask("GET", f"/lines/{line_of(person)}")
        sites = {each["name"]: each for each in await board.ask("GET", "/sites")}
        elins = sites[line["site"]]["elins"] if line["site"] is not None else []
        own = CallbackNumber(
            phone_number=line["external"],
            first_name=person.first_name,
            last_name=person.last_name,
            effective_level="DIRECT_LINE" if line["external"] is not None else "NONE",
            effective_value=line["external"],
            quality="RECOMMENDED" if line["external"] is not None else "INVALID",
        )
        of_site = CallbackNumber(
            phone_number=elins[0] if elins else None,
            effective_level="LOCATION_NUMBER" if elins else "NONE",
            effective_value=elins[0] if elins else None,
            quality="RECOMMENDED" if elins else "INVALID",
        )
        chosen = of_site if elins else own
        return answer(
            EmergencyCallback(
                selected="LOCATION_ECBN" if elins else "DIRECT_LINE" if line["external"] is not None else "NONE",
                direct_line_info=own,
                location_ecbn_info=of_site,
                default_info=CallbackNumber(effective_value=chosen.effective_value, quality=chosen.quality),
            )
        )
