"""Routes of the control interface: emergencies and alarms, several talkgroups at once, speakers, folders."""

from __future__ import annotations

from typing import Annotated

from fastapi import status
from pydantic import Field

from simulators.bodies import Body
from simulators.iccs.api.places import At, Shown
from simulators.iccs.desk import OperatorDesk
from simulators.routes import Routes

PLACED = status.HTTP_202_ACCEPTED
Talkgroup = Annotated[str, Field(min_length=1, max_length=64)]
Volume = Annotated[float, Field(ge=-60, le=12)]


class KeyGroupsBody(Body):
    """Talkgroups that one press keys."""

    talkgroups: list[Talkgroup] = Field(min_length=1, max_length=16)


class SelectBody(Body):
    """A talkgroup, and whether it is heard in the headset; else it is from the loudspeaker."""

    talkgroup: Talkgroup
    selected: bool


class VolumeBody(Body):
    """Volumes in dB about what the network gives; left out: as it is."""

    headset_db: Volume | None = None
    loudspeaker_db: Volume | None = None


class FolderBody(Body):
    """A folder of the page that is open."""

    folder: Annotated[str, Field(min_length=1, max_length=40)]


class TalkgroupBody(Body):
    """A talkgroup of the page that is open."""

    talkgroup: Talkgroup


def radio_console_routes(desk: OperatorDesk) -> Routes:
    """Return the routes."""
    router = Routes(prefix="/v1", tags=["radio at the console"])
    _add_alarms(router, desk)
    _add_listening(router, desk)
    _add_folders(router, desk)
    return router


def _add_alarms(router: Routes, desk: OperatorDesk) -> None:
    room = desk.radio_console

    @router.get("/emergencies")
    async def read_emergencies() -> list[Shown]:
        """Emergencies that are open, oldest first."""
        return room.emergencies.shown()

    @router.post("/positions/{id_}/emergencies/{emergency}/acknowledge")
    async def acknowledge(at: At, emergency: str) -> Shown:
        """Acknowledge an emergency: all who monitor its talkgroup are told by whom."""
        return room.emergencies.acknowledge(at, emergency).shown()

    @router.post("/positions/{id_}/emergencies/{emergency}/clear")
    async def clear_emergency(at: At, emergency: str) -> Shown:
        """Clear an emergency that is acknowledged and whose end the radio does not tell."""
        room.emergencies.clear(at, emergency)
        return at.shown()

    @router.get("/alarms")
    async def read_alarms() -> list[Shown]:
        """Alarms of the supervisors that stand, oldest first."""
        return room.alarms.shown()

    @router.post("/alarms/{alarm}/clear")
    async def clear_alarm(alarm: str) -> Shown:
        """Take an alarm away."""
        room.alarms.clear(alarm)
        return {"alarm": alarm}


def _add_listening(router: Routes, desk: OperatorDesk) -> None:
    room = desk.radio_console

    @router.post("/positions/{id_}/key-groups", status_code=PLACED)
    async def key_groups(at: At, body: KeyGroupsBody) -> Shown:
        """Press to talk to several talkgroups at once."""
        room.key(at, body.talkgroups)
        return at.shown()

    @router.post("/positions/{id_}/select")
    async def select(at: At, body: SelectBody) -> Shown:
        """Hear a talkgroup in the headset, or from the loudspeaker."""
        room.select(at, body.talkgroup, selected=body.selected)
        return at.shown()

    @router.post("/positions/{id_}/volume")
    async def volume(at: At, body: VolumeBody) -> Shown:
        """Turn selected or unselected talkgroups up or down."""
        room.set_volume(at, headset_db=body.headset_db, loudspeaker_db=body.loudspeaker_db)
        return at.shown()


def _add_folders(router: Routes, desk: OperatorDesk) -> None:
    room = desk.radio_console

    @router.get("/positions/{id_}/folders")
    async def read_folders(at: At) -> Shown:
        """The page of talkgroups that is open, and the touches since the last choice. Looking is no touch."""
        return room.folders.shown(at)

    @router.post("/positions/{id_}/folders/open")
    async def open_folder(at: At, body: FolderBody) -> Shown:
        """Touch a folder."""
        return room.folders.open(at, body.folder)

    @router.post("/positions/{id_}/folders/back")
    async def back(at: At) -> Shown:
        """Touch "back"."""
        return room.folders.back(at)

    @router.post("/positions/{id_}/folders/choose")
    async def choose(at: At, body: TalkgroupBody) -> Shown:
        """Touch a talkgroup: it is monitored and selected from now on."""
        return room.choose(at, body.talkgroup)
