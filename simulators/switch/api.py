"""The control interface of the enterprise switch, over HTTP: what EnterpriseSwitch shows and does, and no more."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Path, Query, Request, Response, status
from fastapi.responses import JSONResponse
from pydantic import Field

from harness.endpoints.media import Impairment
from harness.errors import LocalError
from simulators.bodies import Body
from simulators.guard import bearer, guard
from simulators.routes import Routes, add_routes
from simulators.switch.lines import UnknownLineError, When
from simulators.switch.meeting_api import meeting_routes
from simulators.switch.meetings import UnknownMeetingError
from simulators.switch.party_api import party_routes
from simulators.switch.queue_api import queue_routes
from simulators.switch.queueing import UnknownQueueError
from simulators.switch.rooms import UnknownRoomError
from simulators.switch.switch import EnterpriseSwitch, UnknownPartyError
from simulators.switch.trunks import UnknownTrunkError
from simulators.switch.voicemail.store import UnknownMessageError

PLACED = status.HTTP_202_ACCEPTED
UNKNOWN = (
    UnknownMeetingError,
    UnknownQueueError,
    UnknownLineError,
    UnknownPartyError,
    UnknownRoomError,
    UnknownTrunkError,
    UnknownMessageError,
)
MAX_SHOWN = 1_000
"""Records and past calls in one answer."""

Number = Annotated[str, Field(min_length=1, max_length=33, pattern=r"^\+?[0-9*#]+$")]
Name = Annotated[str, Path(max_length=64)]
Most = Annotated[int, Query(ge=1, le=MAX_SHOWN)]
Fault = Literal["refusing", "silent"]


class DialBody(Body):
    """Whom to call, and from which of the line's telephones."""

    number: Number
    device: str | None = Field(default=None, max_length=64)


class TransferBody(Body):
    """Where to: a number, or another party of the same line."""

    to: Number | None = None
    onto: str | None = Field(default=None, max_length=64)


class DivertBody(Body):
    """Where to."""

    number: Number


class ParkBody(Body):
    """The slot; the first that is free where left out."""

    slot: Number | None = None


class PickUpBody(Body):
    """The line whose call is taken; one of the own pickup group where left out."""

    target: Number | None = None


class DigitsBody(Body):
    """Keys to press."""

    digits: str = Field(min_length=1, max_length=32, pattern=r"^[0-9*#A-D]+$")


class MuteBody(Body):
    """Whether the party is heard by nobody."""

    muted: bool = True


class ConferenceBody(Body):
    """The parties of one line whose conversations are brought together."""

    parties: list[Annotated[str, Field(max_length=64)]] = Field(min_length=2, max_length=30)


class ForwardBody(Body):
    """Where calls go; null: nowhere else."""

    number: Number | None = None


class LineBody(Body):
    """What is to change at a line."""

    do_not_disturb: bool | None = None
    in_groups: bool | None = None


class FaultBody(Body):
    """How it fails; null: it is well."""

    fault: Fault | None = None


class MessageBody(Body):
    """What is to change at a voice message."""

    new: bool
    """Whether it counts as not yet heard."""


class CutBody(Body):
    """Whether the wire is cut."""

    cut: bool = True


def make_app(switch: EnterpriseSwitch, token: str | None) -> FastAPI:
    """Return the control interface of a switch.

    Where a token is set every request needs ``Authorization: Bearer``, and the pages that describe the interface are
    left out.
    """
    described = "/openapi.json" if token is None else None
    app = FastAPI(title="Enterprise switch simulator control interface", version="1", openapi_url=described)

    @app.exception_handler(LocalError)
    async def refused(_request: Request, error: LocalError) -> JSONResponse:
        code = status.HTTP_404_NOT_FOUND if isinstance(error, UNKNOWN) else status.HTTP_409_CONFLICT
        return JSONResponse({"detail": str(error)}, code)

    guard(app)
    router = Routes(prefix="/v1")
    _looking(router, switch)
    _calling(router, switch)
    _setting(router, switch)
    _failing(router, switch)
    add_routes(app, router, dependencies=[Depends(bearer(token))])
    for part in (meeting_routes(switch), queue_routes(switch), party_routes(switch)):
        add_routes(app, part, prefix="/v1", dependencies=[Depends(bearer(token))])
    return app


def _looking(router: Routes, switch: EnterpriseSwitch) -> None:
    @router.get("/status")
    async def read_status() -> dict[str, Any]:
        core = switch.core
        return {
            "calls": len(core.calls),
            "legs": len(core.legs),
            "registered": [line.number for line in core.lines if line.devices],
            "trunks": {each["name"]: each["in_service"] for each in switch.trunks()},
            "cut_sites": core.admission.cut_sites,
            "registrar_fault": core.admission.registrar_fault or None,
        }

    @router.get("/lines")
    async def read_lines() -> list[dict[str, Any]]:
        return [line.shown() for line in switch.lines()]

    @router.get("/lines/{number}")
    async def read_line(number: Name) -> dict[str, Any]:
        return switch.line(number).shown()

    @router.get("/parties")
    async def read_parties(line: str | None = None) -> list[dict[str, Any]]:
        return [party.shown() for party in switch.parties(line)]

    @router.get("/parties/{party}")
    async def read_party(party: Name) -> dict[str, Any]:
        return switch.party(party).shown()

    @router.get("/history")
    async def read_history(line: str | None = None, most: Most = 100) -> list[dict[str, Any]]:
        return [party.shown() for party in switch.past(line)[-most:]]

    @router.get("/trunks")
    async def read_trunks() -> list[dict[str, Any]]:
        return switch.trunks()

    @router.get("/conferences")
    async def read_conferences() -> list[dict[str, Any]]:
        return [room.shown() for room in switch.rooms()]

    @router.get("/groups")
    async def read_groups() -> list[dict[str, Any]]:
        return [group.model_dump(mode="json") for group in switch.core.settings.hunt_groups]

    @router.get("/sites")
    async def read_sites() -> list[dict[str, Any]]:
        cut = switch.core.admission.cut_sites
        return [
            {"name": site.name, "elins": site.elins, "survivable": site.survivable is not None, "cut": site.name in cut}
            for site in switch.core.settings.sites
        ]

    @router.get("/park")
    async def read_park() -> list[dict[str, Any]]:
        return [slot.shown() for slot in switch.parked()]

    @router.get("/lines/{number}/messages")
    async def read_messages(number: Name) -> list[dict[str, Any]]:
        return [message.shown() for message in switch.mailbox(number).messages]

    @router.get("/records/calls")
    async def read_call_records(most: Most = 100) -> list[dict[str, Any]]:
        return [record.row() for record in list(switch.records.calls)[-most:]]

    @router.get("/records/media")
    async def read_media_records(most: Most = 100) -> list[dict[str, Any]]:
        return [record.row() for record in list(switch.records.media_records)[-most:]]

    @router.get("/records/files")
    async def read_files() -> list[str]:
        return switch.records.files[-MAX_SHOWN:]

    @router.post("/records/files", status_code=status.HTTP_204_NO_CONTENT)
    async def close_files() -> Response:
        switch.records.flush()
        return Response(status_code=status.HTTP_204_NO_CONTENT)


def _calling(router: Routes, switch: EnterpriseSwitch) -> None:
    @router.post("/lines/{number}/dial", status_code=PLACED)
    async def dial(number: Name, body: DialBody) -> dict[str, Any]:
        return (await switch.dial(number, body.number, device=body.device)).shown()

    @router.post("/lines/{number}/retrieve", status_code=PLACED)
    async def retrieve(number: Name, body: DivertBody) -> dict[str, Any]:
        return (await switch.retrieve(number, body.number)).shown()

    @router.post("/lines/{number}/pick-up", status_code=PLACED)
    async def pick_up(number: Name, body: PickUpBody) -> dict[str, Any]:
        return (await switch.pick_up(number, body.target)).shown()

    @router.post("/parties/{party}/answer", status_code=PLACED)
    async def answer(party: Name) -> dict[str, Any]:
        shown = switch.party(party).shown()
        await switch.answer(party)
        return shown

    @router.post("/parties/{party}/reject", status_code=PLACED)
    async def reject(party: Name) -> dict[str, Any]:
        shown = switch.party(party).shown()
        switch.reject(party)
        return shown

    @router.post("/parties/{party}/divert", status_code=PLACED)
    async def divert(party: Name, body: DivertBody) -> dict[str, Any]:
        shown = switch.party(party).shown()
        switch.divert(party, body.number)
        return shown

    @router.post("/parties/{party}/hold", status_code=PLACED)
    async def hold(party: Name) -> dict[str, Any]:
        await switch.hold(party)
        return switch.party(party).shown()

    @router.post("/parties/{party}/resume", status_code=PLACED)
    async def resume(party: Name) -> dict[str, Any]:
        switch.resume(party)
        return switch.party(party).shown()

    @router.post("/parties/{party}/transfer", status_code=PLACED)
    async def transfer(party: Name, body: TransferBody) -> dict[str, Any]:
        shown = switch.party(party).shown()
        await switch.transfer(party, to=body.to or "", onto=body.onto or "")
        return shown

    @router.post("/parties/{party}/park", status_code=PLACED)
    async def park(party: Name, body: ParkBody) -> dict[str, Any]:
        return (await switch.park(party, body.slot)).shown()

    @router.post("/parties/{party}/digits", status_code=PLACED)
    async def digits(party: Name, body: DigitsBody) -> dict[str, Any]:
        switch.press(party, body.digits)
        return switch.party(party).shown()

    @router.post("/parties/{party}/mute", status_code=PLACED)
    async def mute(party: Name, body: MuteBody) -> dict[str, Any]:
        await switch.mute(party, muted=body.muted)
        return switch.party(party).shown()

    @router.post("/parties/{party}/hang-up", status_code=PLACED)
    async def hang_up(party: Name) -> dict[str, Any]:
        shown = switch.party(party).shown()
        switch.hang_up(party)
        return shown

    @router.post("/conferences", status_code=status.HTTP_201_CREATED)
    async def conference(body: ConferenceBody) -> dict[str, Any]:
        return (await switch.conference(body.parties)).shown()


def _setting(router: Routes, switch: EnterpriseSwitch) -> None:
    @router.put("/lines/{number}/forwards/{when}")
    async def forward(number: Name, when: When, body: ForwardBody) -> dict[str, Any]:
        switch.forward(number, when, body.number)
        return switch.line(number).shown()

    @router.patch("/lines/{number}")
    async def set_line(number: Name, body: LineBody) -> dict[str, Any]:
        switch.set_line(number, do_not_disturb=body.do_not_disturb, in_groups=body.in_groups)
        return switch.line(number).shown()

    @router.patch("/lines/{number}/messages/{message}")
    async def set_message(number: Name, message: Name, body: MessageBody) -> dict[str, Any]:
        box = switch.mailbox(number)
        found = box.get(message)
        box.mark(found, new=body.new)
        return found.shown()

    @router.delete("/lines/{number}/messages/{message}", status_code=status.HTTP_204_NO_CONTENT)
    async def delete_message(number: Name, message: Name) -> Response:
        box = switch.mailbox(number)
        box.delete(box.get(message))
        return Response(status_code=status.HTTP_204_NO_CONTENT)


def _failing(router: Routes, switch: EnterpriseSwitch) -> None:
    @router.put("/trunks/{trunk}/fault")
    async def fail_trunk(trunk: Name, body: FaultBody) -> list[dict[str, Any]]:
        await switch.fail_trunk(trunk, body.fault)
        return [each for each in switch.trunks() if each["name"] == trunk]

    @router.put("/registrar/fault")
    async def fail_registrar(body: FaultBody) -> dict[str, Any]:
        switch.fail_registrar(body.fault)
        return {"fault": body.fault}

    @router.put("/sites/{site}/cut")
    async def cut_site(site: Name, body: CutBody) -> dict[str, Any]:
        await switch.cut_site(site, cut=body.cut)
        return {"cut_sites": switch.core.admission.cut_sites}

    @router.put("/parties/{party}/impairment")
    async def impair(party: Name, body: dict[str, Any]) -> dict[str, Any]:
        impairment = Impairment.from_json(body)
        await switch.impair(party, impairment if body else None)
        return impairment.as_json()
