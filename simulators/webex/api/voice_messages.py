"""Voice messages: what callers left for whoever asks, as the switch's mailbox of their line has it."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import Response
from fastapi.responses import JSONResponse
from pydantic import Field

from simulators.routes import Routes
from simulators.webex.api.asking import Items, Sent, answer, needs
from simulators.webex.calling_shapes import VoiceMessage, VoiceMessageParty, VoiceMessageSummary
from simulators.webex.cloud import Cloud
from simulators.webex.errors import unknown
from simulators.webex.front import Caller
from simulators.webex.ids import named, uuid_of
from simulators.webex.switchboard import line_of

Read = Annotated[Caller, needs("spark:calls_read")]
Write = Annotated[Caller, needs("spark:calls_write")]
PREFIX: Final = "/telephony/voiceMessages"
KIND: Final = "VOICE_MESSAGE"


class MarkSent(Sent):
    """Which message; all where left out."""

    message_id: Annotated[str, Field(min_length=1, max_length=512)] | None = None


def routes(cloud: Cloud) -> Routes:
    """The interface."""
    router = Routes(prefix=PREFIX, tags=["voice messages"])

    async def kept(caller: Caller) -> list[dict[str, Any]]:
        path = f"/lines/{line_of(caller.person)}/messages"
        found: list[dict[str, Any]] = await cloud.board().ask("GET", path)
        return found

    async def one(caller: Caller, message_id: str) -> dict[str, Any]:
        wanted = uuid_of(message_id, KIND)
        for each in await kept(caller):
            if each["id"] == wanted:
                return each
        raise unknown("voice message")

    @router.get("", response_model=Items[VoiceMessage])
    async def messages(caller: Read) -> JSONResponse:
        """The caller's messages, the oldest first."""
        return JSONResponse({"items": [_shown(cloud, caller, each).told() for each in await kept(caller)]})

    @router.get("/summary", response_model=VoiceMessageSummary)
    async def summary(caller: Read) -> JSONResponse:
        """How many there are."""
        new = [bool(each["new"]) for each in await kept(caller)]
        counts = {"new_messages": sum(new), "old_messages": len(new) - sum(new)}
        return answer(VoiceMessageSummary(**counts, new_urgent_messages=0, old_urgent_messages=0))

    @router.delete("/{message_id}", status_code=HTTPStatus.NO_CONTENT)
    async def delete(caller: Write, message_id: str) -> Response:
        """Take one away."""
        found = await one(caller, message_id)
        await cloud.board().ask("DELETE", f"/lines/{line_of(caller.person)}/messages/{found['id']}")
        return Response(status_code=HTTPStatus.NO_CONTENT)

    for path, new in (("/markAsRead", False), ("/markAsUnread", True)):
        _marking(router, cloud, path, new)
    return router


def _marking(router: Routes, cloud: Cloud, path: str, new: bool) -> None:
    async def mark(caller: Write, sent: MarkSent) -> Response:
        line, board = line_of(caller.person), cloud.board()
        wanted = uuid_of(sent.message_id, KIND) if sent.message_id is not None else None
        found = [each["id"] for each in await board.ask("GET", f"/lines/{line}/messages")]
        if sent.message_id is not None:
            found = [each for each in found if each == wanted]
            if not found:
                raise unknown("voice message")
        for each in found:
            await board.ask("PATCH", f"/lines/{line}/messages/{each}", {"new": new})
        return Response(status_code=HTTPStatus.NO_CONTENT)

    mark.__doc__ = f"Count one message, or all, as {'not yet ' if new else ''}heard."
    router.add_api_route(path, mark, methods=["POST"], status_code=HTTPStatus.NO_CONTENT, name=path.removeprefix("/"))


def _shown(cloud: Cloud, caller: Caller, message: dict[str, Any]) -> VoiceMessage:
    number = str(message["caller"])
    colleague = cloud.store.person_by_extension(number, caller.person.org_id)
    return VoiceMessage(
        id=named(KIND, message["id"]),
        duration=round(message["seconds"]),
        calling_party=VoiceMessageParty(
            name=colleague.display_name if colleague is not None else None,
            number=number or None,
            person_id=colleague.id if colleague is not None else None,
            privacy_enabled=not number,
        ),
        urgent=False,
        confidential=False,
        read=not message["new"],
        created=message["time"],
    )
