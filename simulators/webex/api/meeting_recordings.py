"""Recordings of meetings, for as long as they are kept, and how a meeting was for each who took part."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from simulators.routes import Routes
from simulators.webex.api.asking import Cursor, Items, Most, after_number, answer, by_number, needs, wants
from simulators.webex.cloud import Cloud
from simulators.webex.conferencing import qualities
from simulators.webex.errors import unknown
from simulators.webex.front import Caller
from simulators.webex.meeting_shapes import MeetingRecording, SessionQuality

Recordings = Annotated[Caller, needs("meeting:recordings_read")]
Deleting = Annotated[Caller, needs("meeting:recordings_write")]
Analytics = Annotated[Caller, needs("analytics:read_all")]


def routes(cloud: Cloud) -> Routes:
    """The interface."""
    router = Routes(tags=["meetings"])
    store = cloud.store

    def kept(caller: Caller) -> list[MeetingRecording]:
        """Those of the caller's meetings whose retention is not over; the others are gone."""
        for each in [each for each in store.recordings.of(caller.person.org_id) if each.ends <= store.now()]:
            _remove(each)
        return [
            each
            for each in store.recordings.of(caller.person.org_id)
            if caller.is_admin or each.host_email == caller.person.emails[0]
        ]

    def _remove(recording: MeetingRecording) -> None:
        store.recordings.remove(recording)
        store.content_bytes -= len(recording.data)

    def one(caller: Caller, recording_id: str) -> MeetingRecording:
        for each in kept(caller):
            if each.id == recording_id:
                return each
        raise unknown("recording")

    @router.get("/recordings", response_model=Items[MeetingRecording])
    async def recordings(
        request: Request,
        caller: Recordings,
        meeting_id: Annotated[str | None, wants("meetingId")] = None,
        max: Most = 30,
        cursor: Cursor = None,
    ) -> JSONResponse:
        """Those that are kept."""
        found = after_number(kept(caller), cloud.pager.after(request, cursor))
        of_it = [each for each in found if meeting_id is None or each.meeting_id == meeting_id]
        return cloud.pager.page(request, of_it, by_number, max)

    @router.get("/recordings/{recording_id}", response_model=MeetingRecording)
    async def recording(caller: Recordings, recording_id: str) -> JSONResponse:
        """One."""
        return answer(one(caller, recording_id))

    wav: dict[int | str, dict[str, Any]] = {200: {"content": {"audio/wav": {}}}}

    @router.get("/recordings/{recording_id}/download", response_class=Response, responses=wav)
    async def download(caller: Recordings, recording_id: str) -> Response:
        """The sound of one."""
        return Response(one(caller, recording_id).data, media_type="audio/wav")

    @router.delete("/recordings/{recording_id}", status_code=HTTPStatus.NO_CONTENT)
    async def delete(request: Request, caller: Deleting, recording_id: str) -> Response:
        """Take one away."""
        found = one(caller, recording_id)
        _remove(found)
        cloud.happenings.tell("recordings", "deleted", caller.person, found.told(), frozenset({caller.person.id}))
        return Response(status_code=HTTPStatus.NO_CONTENT)

    @router.get("/meeting/qualities", response_model=Items[SessionQuality])
    async def quality(caller: Analytics, meeting_id: Annotated[str, wants("meetingId")]) -> JSONResponse:
        """How a meeting was for each who left it."""
        found = await qualities(cloud, cloud.store.meetings.get(meeting_id, caller.person.org_id))
        return JSONResponse({"items": [each.told() for each in found]})

    return router
