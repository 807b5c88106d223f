"""Room devices from afar (RoomOS xAPI): what a device shares in a meeting, and whether another one sees it."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import Query
from fastapi.responses import JSONResponse
from pydantic import Field, JsonValue

from simulators.routes import Routes
from simulators.webex.api.asking import Id, Sent, answer, needs
from simulators.webex.cloud import Cloud
from simulators.webex.conferencing import attendees
from simulators.webex.errors import WebexError, unfit, unknown
from simulators.webex.front import Caller
from simulators.webex.ids import MAX_ID
from simulators.webex.meeting_shapes import Meeting
from simulators.webex.shapes import Device, Part
from simulators.webex.shares import Share

Commanding = Annotated[Caller, needs("spark:xapi_commands")]
Asking = Annotated[Caller, needs("spark:xapi_statuses")]
PRESENTATION: Final = ("Conference", "Presentation", "Mode")
MAX_NAMES: Final = 10
"""Status expressions of one request, as developer.webex.com has it."""
SHOWN_TO_ALL: Final = "LocalRemote"


class CommandSent(Sent):
    """A command's device and arguments."""

    device_id: Id
    arguments: dict[Annotated[str, Field(max_length=64)], JsonValue] = Field(default_factory=dict, max_length=32)


class CommandDone(Part):
    """A command that was carried out."""

    device_id: str
    arguments: dict[str, Any]
    result: dict[str, Any]


class StatusTold(Part):
    """What a device tells of itself."""

    device_id: str
    result: dict[str, Any]


def routes(cloud: Cloud) -> Routes:
    """The interface."""
    router = Routes(prefix="/xapi", tags=["xapi"])

    def device_of(caller: Caller, device_id: str) -> Device:
        """A device that the caller may work: their own, any for an administrator. Raises WebexError, 404."""
        device = cloud.store.devices.get(device_id, caller.person.org_id)
        if not (caller.is_admin or device.person_id == caller.person.id):
            raise unknown("device")
        return device

    async def meeting_of(device: Device) -> tuple[Meeting, str, set[str]] | None:
        """The meeting that a device is in, its leg, and the legs of all who are in."""
        store = cloud.store
        workspace = store.workspaces.find(device.workspace_id or "", device.org_id)
        if workspace is None or not workspace.line or cloud.switchboard is None:
            return None
        for meeting in store.meetings.of(device.org_id):
            try:
                shown = await attendees(cloud, meeting)
            except WebexError:
                continue  # that meeting's conference is over
            inside = [each for each in shown["attendees"] if each["state"] == "joined"]
            leg = next((each["leg"] for each in inside if each["line"] == workspace.line), None)
            if leg is not None:
                return meeting, str(leg), {str(each["leg"]) for each in inside}
        return None

    @router.post("/command/{command}", response_model=CommandDone)
    async def command(caller: Commanding, command: str, sent: CommandSent) -> JSONResponse:
        """``Presentation.Start`` and ``Presentation.Stop``; the simulated devices have no other."""
        device = device_of(caller, sent.device_id)
        if command not in {"Presentation.Start", "Presentation.Stop"}:
            raise unfit("The device has no such command.")
        found = await meeting_of(device)
        if found is not None:
            meeting, leg, _ = found
            if command == "Presentation.Stop":
                cloud.shares.end(meeting.id, device.id)
            elif sent.arguments.get("SendingMode", SHOWN_TO_ALL) == SHOWN_TO_ALL:
                cloud.shares.begin(meeting.id, Share(device.id, leg, cloud.store.now()))
            cloud.events.tell("device.command", device=device.id, command=command)
        return answer(CommandDone(device_id=device.id, arguments=sent.arguments, result={"status": "OK"}))

    @router.get("/status", response_model=StatusTold)
    async def status(
        caller: Asking,
        device_id: Annotated[str, Query(alias="deviceId", min_length=1, max_length=MAX_ID)],
        name: Annotated[str, Query(min_length=1, max_length=1_000)],
    ) -> JSONResponse:
        """``Conference.Presentation.Mode``, or what it is part of; the simulated devices tell no other."""
        device = device_of(caller, device_id)
        names = name.split(",")
        if len(names) > MAX_NAMES:
            raise unfit(f"A request has {MAX_NAMES} status expressions at most.")
        for each in names:
            steps = tuple(step.lower() for step in each.removesuffix(".*").split("."))
            if steps != tuple(step.lower() for step in PRESENTATION)[: len(steps)]:
                raise unfit("The device tells no such status.")
        found = await meeting_of(device)
        mode = "Off"
        if found is not None:
            meeting, _, inside = found
            mode = cloud.shares.mode(meeting.id, device.id, inside, cloud.store.now())
        return answer(StatusTold(device_id=device.id, result={"Conference": {"Presentation": {"Mode": mode}}}))

    return router
