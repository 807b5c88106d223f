"""Routes of the control interface: recorded legs replayed, found, played, exported and held, and the recorders."""

from __future__ import annotations

from typing import Annotated

from fastapi import Response
from pydantic import Field

from simulators.bodies import Body
from simulators.iccs.api.bodies import MAX_ISSI, McpttId
from simulators.iccs.api.places import At, Shown
from simulators.iccs.desk import OperatorDesk
from simulators.iccs.recorder.legs import Kind
from simulators.iccs.recorder.store import MAX_FOUND
from simulators.routes import Routes

Name = Annotated[str | None, Field(max_length=64)]


class FindBody(Body):
    """What recordings are looked for; all that is given has to fit."""

    kind: Kind | None = None
    since: float | None = Field(default=None, ge=0)
    """Run time, seconds: legs that went on then or later."""
    until: float | None = Field(default=None, ge=0)
    position: Name = None
    number: Annotated[str | None, Field(max_length=24)] = None
    """A caller's; needs the right `numbers`."""
    issi: int | None = Field(default=None, ge=1, le=MAX_ISSI)
    mcptt_id: McpttId | None = None
    talkgroup: Name = None
    incident: Name = None
    record: Name = None
    limit: int = Field(default=100, ge=1, le=MAX_FOUND)


class WhyBody(Body):
    """Why a recording is exported or held."""

    why: str = Field(min_length=5, max_length=200)


class RecorderBody(Body):
    """Whether a recorder has failed."""

    failed: bool


def recording_routes(desk: OperatorDesk) -> Routes:
    """Return the routes."""
    router = Routes(prefix="/v1", tags=["recordings"])

    @router.get("/positions/{id_}/instant-replay")
    async def instant_replay(at: At) -> list[Shown]:
        """What was said by and to this position in the last half hour, newest first."""
        return desk.recordings.own(at)

    @router.post("/positions/{id_}/find-recordings")
    async def find_recordings(at: At, body: FindBody) -> dict[str, list[Shown]]:
        """The newest recorded legs that fit, newest first; needs the right `replay`."""
        told = body.model_dump(exclude={"position"}, exclude_none=True)
        return {"legs": desk.recordings.find(at, of=body.position, **told)}

    @router.get("/positions/{id_}/recorded/{leg}", response_class=Response)
    async def play_recording(at: At, leg: str) -> Response:
        """A leg's speech: a WAV file. Its own of the last half hour for any position, else with the right `replay`."""
        return Response(await desk.recordings.play(at, leg), media_type="audio/wav")

    @router.post("/positions/{id_}/recorded/{leg}/export", response_class=Response)
    async def export_recording(at: At, leg: str, body: WhyBody) -> Response:
        """A ZIP archive of the speech and a manifest with its SHA-256, which the audit has too."""
        return Response(await desk.recordings.export(at, leg, body.why), media_type="application/zip")

    @router.put("/positions/{id_}/recorded/{leg}/hold")
    async def hold_recording(at: At, leg: str, body: WhyBody) -> Shown:
        """Keep a leg whatever its age."""
        return desk.recordings.hold(at, leg, body.why)

    @router.delete("/positions/{id_}/recorded/{leg}/hold")
    async def release_recording(at: At, leg: str) -> Shown:
        """Hold a leg no more."""
        return desk.recordings.hold(at, leg, None)

    @router.get("/recorders")
    async def read_recorders() -> Shown:
        """Each recorder: whether it has failed, legs, octets of speech."""
        return desk.recorder.shown()

    @router.put("/recorders/{unit}")
    async def set_recorder(unit: str, body: RecorderBody) -> Shown:
        """Let a recorder fail, or work again."""
        (desk.recorder.fail if body.failed else desk.recorder.recover)(unit)
        return desk.recorder.shown()

    @router.post("/recorders/weed")
    async def weed_recordings() -> Shown:
        """Let go at once what is older than recordings are kept; it is done every hour by itself."""
        return {"weeded": desk.recorder.weed()}

    return router
