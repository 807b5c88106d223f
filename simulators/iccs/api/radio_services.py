"""Routes of the control interface: patches, regrouping, ambience, disabling, calls with one radio, units, the audit."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Path, Query, Response, status
from pydantic import Field

from simulators.bodies import Body
from simulators.iccs.api.bodies import MAX_ISSI, RADIO, RadioBody
from simulators.iccs.api.places import At, Shown
from simulators.iccs.desk import OperatorDesk
from simulators.iccs.radio_services.services import RadioServices
from simulators.routes import Routes

PLACED = status.HTTP_202_ACCEPTED
MAX_SHOWN = 1_000
"""Entries of the audit in one answer."""
UNITS_AT_ONCE = 1_000
Issi = Annotated[int, Field(ge=1, le=MAX_ISSI)]
PathIssi = Annotated[int, Path(ge=1, le=MAX_ISSI)]
_Talkgroup = Annotated[str, Field(min_length=1, max_length=64)]


class PatchBody(Body):
    """The two talkgroups of a patch."""

    talkgroups: tuple[_Talkgroup, _Talkgroup] = Field(strict=False)


class GroupBody(Body):
    """A group to give over the air."""

    name: _Talkgroup
    """A talkgroup's name, or a new group's."""
    units: list[Issi] = Field(min_length=1, max_length=UNITS_AT_ONCE)
    attach: bool = True
    """Whether the terminals turn to it."""


class AmbienceBody(RadioBody):
    """A microphone to open."""

    password: str = Field(max_length=200)


async def _named(radio: Annotated[str, Path(pattern=RADIO)]) -> int | str:
    """The ISSI or MCPTT ID in a path."""
    return int(radio) if radio.isdecimal() else radio


PathRadio = Annotated[int | str, Depends(_named)]


def radio_service_routes(desk: OperatorDesk) -> Routes:
    """Return the routes."""
    router = Routes(prefix="/v1", tags=["radio services"])
    services = desk.services
    _add_patches(router, services)
    _add_network(router, services)
    _add_calls(router, services)
    _add_units(router, services)

    @router.get("/audit")
    async def read_audit(last: Annotated[int, Query(ge=1, le=MAX_SHOWN)] = 100) -> list[Shown]:
        """The newest entries of the audit record, oldest first: acts at the control interface, refused ones too."""
        return [entry.shown() for entry in desk.audit][-last:]

    @router.get("/audit/trail")
    async def read_trail() -> list[str]:
        """The audit trail's newest lines as they stand in its file, oldest first, each sealed with the one before."""
        return desk.audit.exported()

    return router


def _add_patches(router: Routes, services: RadioServices) -> None:
    @router.get("/patches")
    async def read_patches() -> list[Shown]:
        """All patches."""
        return services.patches.shown()

    @router.post("/positions/{id_}/patches", status_code=status.HTTP_201_CREATED)
    async def patch(at: At, body: PatchBody) -> Shown:
        """Patch two talkgroups. 409 with the way round where that would close a loop."""
        return services.patches.make(at, *body.talkgroups)

    @router.delete("/positions/{id_}/patches/{patch_id}")
    async def end_patch(at: At, patch_id: str) -> Shown:
        """Take a patch apart."""
        return services.patches.end(at, patch_id)


def _add_network(router: Routes, services: RadioServices) -> None:
    @router.post("/positions/{id_}/groups", status_code=PLACED)
    async def give(at: At, body: GroupBody) -> Shown:
        """Give a group to units over the air (DGNA)."""
        return await services.regrouping.give(at, body.name, body.units, attach=body.attach)

    @router.get("/groups/{gssi}")
    async def read_group(gssi: PathIssi) -> Shown:
        """A group that was given, and each unit's answer."""
        return await services.regrouping.read(gssi)

    @router.delete("/positions/{id_}/groups/{gssi}", status_code=PLACED)
    async def take(at: At, gssi: PathIssi) -> Shown:
        """Take a group from all who were given it."""
        return await services.regrouping.take(at, gssi)

    @router.post("/positions/{id_}/ambience", status_code=status.HTTP_201_CREATED)
    async def begin_ambience(at: At, body: AmbienceBody) -> Shown:
        """Open a terminal's microphone silently; this position alone hears it."""
        return await services.ambience.begin(at, body.who, body.password)

    @router.delete("/positions/{id_}/ambience/{radio}")
    async def end_ambience(at: At, radio: PathRadio) -> Shown:
        """Close it."""
        return await services.ambience.end(at, radio)

    @router.put("/positions/{id_}/disabled/{issi}", status_code=PLACED)
    async def disable(at: At, issi: PathIssi) -> Shown:
        """Take a terminal off the network for a time."""
        return await services.regrouping.disable(at, issi)

    @router.delete("/positions/{id_}/disabled/{issi}", status_code=PLACED)
    async def enable(at: At, issi: PathIssi) -> Shown:
        """Let it on again."""
        return await services.regrouping.enable(at, issi)


def _add_calls(router: Routes, services: RadioServices) -> None:
    @router.post("/positions/{id_}/radio-call", status_code=PLACED)
    async def call(at: At, body: RadioBody) -> Shown:
        """Call one radio."""
        return services.calls.place(at, body.who)

    @router.delete("/positions/{id_}/radio-call", status_code=PLACED)
    async def clear(at: At) -> Shown:
        """Clear that call."""
        await services.calls.clear(at)
        return at.shown()

    @router.get("/recordings")
    async def read_recordings() -> list[Shown]:
        """Recordings of calls with one radio and of ambience, oldest first."""
        return services.recordings.shown()

    @router.get("/recordings/{recording}")
    async def read_recording(recording: str) -> Response:
        """One recording: a WAV file, a channel for each speaker."""
        return Response(services.recordings.get(recording).wav, media_type="audio/wav")


def _add_units(router: Routes, services: RadioServices) -> None:
    @router.get("/units")
    async def read_units() -> list[Shown]:
        """Every unit of which a status came or that is on an incident."""
        return services.units.all()

    @router.get("/units/{radio}")
    async def read_unit(radio: PathRadio) -> Shown:
        """One unit, by its ISSI or MCPTT ID."""
        return services.units.shown(radio)

    @router.get("/map")
    async def read_map() -> list[Shown]:
        """Where each radio was last, and how long ago that came."""
        return services.unit_map.all()

    @router.get("/map/{radio}")
    async def read_place(radio: PathRadio) -> Shown:
        """Where one radio was last. 404 where it has not told."""
        return services.unit_map.shown(radio)

    @router.post("/positions/{id_}/incidents/{incident_id}/units")
    async def assign(at: At, incident_id: str, body: RadioBody) -> Shown:
        """Assign a unit to an incident, whose log gets its states from now on."""
        return services.units.assign(at, body.who, incident_id)
