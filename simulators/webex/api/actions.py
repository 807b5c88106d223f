"""Attachment actions: what people fill into the cards of messages."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi.responses import JSONResponse
from pydantic import Field, JsonValue

from simulators.routes import Routes
from simulators.webex.api.asking import Id, Sent, answer, needs
from simulators.webex.cloud import Cloud
from simulators.webex.errors import unfit, unknown
from simulators.webex.front import Caller
from simulators.webex.shapes import AttachmentAction

Read = Annotated[Caller, needs("spark:messages_read")]
Write = Annotated[Caller, needs("spark:messages_write")]


class ActionSent(Sent):
    """What was filled in."""

    type: Literal["submit"]
    message_id: Id
    inputs: dict[str, JsonValue] = Field(default_factory=dict, max_length=100)


def routes(cloud: Cloud) -> Routes:
    """The interface."""
    router = Routes(prefix="/attachment/actions", tags=["attachment actions"])
    store = cloud.store

    @router.post("", response_model=AttachmentAction)
    async def create(caller: Write, sent: ActionSent) -> JSONResponse:
        """Send a card in, filled."""
        message = store.messages.get(sent.message_id, caller.person.org_id)
        if not cloud.in_room(caller.person, message.room_id):
            raise unknown("message")
        if not message.attachments:
            raise unfit("The message has no card.")
        action = AttachmentAction(
            id=store.actions.new_id(),
            type=sent.type,
            message_id=message.id,
            inputs=sent.inputs,
            person_id=caller.person.id,
            room_id=message.room_id,
            created=store.stamp(),
        )
        store.actions.add(action, caller.person.org_id)
        told = action.told()
        told.pop("inputs")
        cloud.happenings.tell("attachmentActions", "created", caller.person, told, cloud.readers(message.room_id))
        return answer(action)

    @router.get("/{action_id}", response_model=AttachmentAction)
    async def action(caller: Read, action_id: str) -> JSONResponse:
        """One, of a room that the caller is in."""
        action = store.actions.get(action_id, caller.person.org_id)
        if not cloud.in_room(caller.person, action.room_id):
            raise unknown("attachment action")
        return answer(action)

    return router
