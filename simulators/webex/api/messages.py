"""Messages: said in a room or to somebody, in threads, with a file or a card; and the files themselves."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field, JsonValue, ValidationError
from starlette.datastructures import FormData, UploadFile

from simulators.routes import Routes
from simulators.webex.api.asking import (
    Cursor,
    Email,
    Id,
    Items,
    Moment,
    Most,
    Sent,
    after_number,
    by_number,
    needs,
    stamped,
    wants,
)
from simulators.webex.cloud import Cloud
from simulators.webex.errors import conflict, forbidden, unfit, unknown
from simulators.webex.front import MAX_UPLOAD, Caller
from simulators.webex.paging import base_url
from simulators.webex.saying import CARD, MAX_TEXT, Draft, direct_room, edit, say
from simulators.webex.shapes import Attachment, Message
from simulators.webex.store import Content
from simulators.webex.uploads import check, file_name, media_type

Read = Annotated[Caller, needs("spark:messages_read")]
Write = Annotated[Caller, needs("spark:messages_write")]
MAX_PARTS: Final = 16
_BOUNDED = Annotated[str, Field(max_length=MAX_TEXT)]


class CardSent(Sent):
    """An Adaptive Card."""

    content_type: Annotated[str, Field(pattern=rf"^{CARD}$")]
    content: dict[str, JsonValue]


class MessageSent(Sent):
    """What is to be said, and where."""

    room_id: Id | None = None
    parent_id: Id | None = None
    to_person_id: Id | None = None
    to_person_email: Email | None = None
    text: _BOUNDED | None = None
    markdown: _BOUNDED | None = None
    files: list[Annotated[str, Field(max_length=2_000)]] | None = Field(default=None, max_length=1)
    attachments: list[CardSent] | None = Field(default=None, max_length=1)


class MessageChanged(Sent):
    """What a message is to be."""

    room_id: Id
    text: _BOUNDED | None = None
    markdown: _BOUNDED | None = None


_schema = MessageSent.model_json_schema()
_schema["properties"]["attachments"]["anyOf"][0]["items"] = _schema.pop("$defs")["CardSent"]
_schema["properties"]["attachments"]["anyOf"][0]["items"]["properties"]["content"] = {"type": "object"}
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": _schema}},
    }
}


@dataclass(frozen=True, slots=True)
class _Upload:
    """A file as it came."""

    name: str
    media_type: str | None
    data: bytes


async def _sent(request: Request) -> tuple[MessageSent, _Upload | None]:
    """What was sent, by JSON or, with a file of the sender's own, as a form. Raises WebexError."""
    if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        async with request.form(max_files=1, max_fields=MAX_PARTS, max_part_size=MAX_UPLOAD) as form:
            given, upload = await _fields(form)
    else:
        given, upload = _json(await request.body()), None
    try:
        return MessageSent.model_validate(given), upload
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise unfit(f"{'.'.join(str(step) for step in first['loc']) or 'The body'}: {first['msg']}") from error


async def _fields(form: FormData) -> tuple[dict[str, Any], _Upload | None]:
    given: dict[str, Any] = {}
    upload: _Upload | None = None
    for name, value in form.multi_items():
        if isinstance(value, UploadFile):
            if name != "files" or upload is not None:
                raise unfit("One file can be sent, as the part 'files'.")
            upload = _Upload(value.filename or "", value.content_type, await value.read())
        elif name == "files":
            given["files"] = [value]
        elif name == "attachments":
            given["attachments"] = _json(value.encode(errors="replace"))
        else:
            given[name] = value
    return given, upload


def _json(text: bytes) -> Any:
    try:
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise unfit("The body is not JSON.") from error


def _no_number(text: str) -> Any:
    raise ValueError(text)


def routes(cloud: Cloud) -> Routes:
    """The interface."""
    router = Routes(tags=["messages"])
    _looking(router, cloud)
    _saying(router, cloud)
    _files(router, cloud)
    return router


def _listed(cloud: Cloud, caller: Caller, message: Message) -> bool:
    return cloud.in_room(caller.person, message.room_id)


def _shown(cloud: Cloud, request: Request, message: Message) -> dict[str, Any]:
    told = message.told()
    if message.files:
        told["files"] = [f"{base_url(request)}{path}" for path in message.files]
    return told


def _seen(cloud: Cloud, caller: Caller, message_id: str) -> Message:
    message = cloud.store.messages.get(message_id, caller.person.org_id)
    if not _listed(cloud, caller, message):
        raise unknown("message")
    return message


def _page(cloud: Cloud, request: Request, found: list[Message], most: int, cursor: str | None) -> JSONResponse:
    newest = after_number(found, cloud.pager.after(request, cursor), newest_first=True)
    return cloud.pager.page(request, newest, by_number, most, shown=lambda each: _shown(cloud, request, each))


def _looking(router: Routes, cloud: Cloud) -> None:
    """Who reads."""
    store = cloud.store

    @router.get("/messages", response_model=Items[Message])
    async def messages(
        request: Request,
        caller: Read,
        room_id: Annotated[str, wants("roomId")],
        parent_id: Annotated[str | None, wants("parentId")] = None,
        mentioned: Annotated[str | None, wants("mentionedPeople")] = None,
        before: Moment | None = None,
        before_message: Annotated[str | None, wants("beforeMessage")] = None,
        max: Most = 50,
        cursor: Cursor = None,
    ) -> JSONResponse:
        """What was said in a room, newest first."""
        room, _own = cloud.room(caller, room_id)
        who = caller.person.id if mentioned == "me" else mentioned
        if caller.person.type == "bot" and room.type == "group" and who != caller.person.id:
            raise forbidden("A bot lists of a group room what mentions it: mentionedPeople=me.")
        last = store.messages.get(before_message, room.tenant).number if before_message is not None else None
        until = stamped(before) if before is not None else None
        found = [
            each
            for each in store.said_in.get(room.id, [])
            if (parent_id is None or each.parent_id == parent_id)
            and (who is None or who in (each.mentioned_people or ()))
            and (until is None or each.created < until)
            and (last is None or each.number < last)
        ]
        return _page(cloud, request, found, max, cursor)

    @router.get("/messages/direct", response_model=Items[Message])
    async def direct(
        request: Request,
        caller: Read,
        person_id: Annotated[str | None, wants("personId")] = None,
        person_email: Annotated[str | None, Query(alias="personEmail", max_length=254)] = None,
        parent_id: Annotated[str | None, wants("parentId")] = None,
        max: Most = 50,
        cursor: Cursor = None,
    ) -> JSONResponse:
        """What was said between the caller and somebody, newest first."""
        if (person_id is None) == (person_email is None):
            raise unfit("Either personId or personEmail is needed, and not both.")
        room = direct_room(cloud, caller.person, cloud.whom(caller, person_id, person_email))
        if room is None:
            raise unknown("room")
        found = [each for each in store.said_in.get(room.id, []) if parent_id in {None, each.parent_id}]
        return _page(cloud, request, found, max, cursor)


def _saying(router: Routes, cloud: Cloud) -> None:
    """Who speaks."""
    store = cloud.store

    @router.post("/messages", response_model=Message, openapi_extra=_BODY)
    async def create(request: Request, caller: Write) -> JSONResponse:
        """Say something in a room, or to somebody."""
        sent, upload = await _sent(request)
        if [sent.room_id, sent.to_person_id, sent.to_person_email].count(None) != 2:
            raise unfit("One of roomId, toPersonId and toPersonEmail is needed.")
        if not (sent.text or sent.markdown or sent.files or sent.attachments or upload):
            raise unfit("One of text, markdown, files and attachments is needed.")
        if sent.files:
            raise unfit("This simulated Webex fetches no file from elsewhere: send it as a part of the form, 'files'.")
        if sent.attachments and upload is not None:
            raise unfit("A message has a file or a card, and not both.")
        room = cloud.room(caller, sent.room_id)[0] if sent.room_id is not None else None
        to = cloud.whom(caller, sent.to_person_id, sent.to_person_email) if room is None else None
        content = None
        if upload is not None:
            check(upload.data)
            name = file_name(upload.name)
            content = Content(name, media_type(name, upload.media_type), upload.data, "", caller.person.org_id)
        cards = [Attachment(content_type=each.content_type, content=each.content) for each in sent.attachments or ()]
        draft = Draft(sent.text, sent.markdown, sent.parent_id, content, cards)
        message = say(cloud, caller.person, draft, room=room, to=to)
        return JSONResponse(_shown(cloud, request, message))

    @router.get("/messages/{message_id}", response_model=Message)
    async def message(request: Request, caller: Read, message_id: str) -> JSONResponse:
        """One message of a room that the caller is in."""
        return JSONResponse(_shown(cloud, request, _seen(cloud, caller, message_id)))

    @router.put("/messages/{message_id}", response_model=Message)
    async def update(request: Request, caller: Write, message_id: str, sent: MessageChanged) -> JSONResponse:
        """Change what oneself said."""
        message = _seen(cloud, caller, message_id)
        if message.room_id != sent.room_id:
            raise unfit("The message is not of that room.")
        if message.person_id != caller.person.id:
            raise forbidden("Only who said it changes a message.")
        if message.files or message.attachments:
            raise conflict("A message with a file or a card can't be changed.")
        if not (sent.text or sent.markdown):
            raise unfit("One of text and markdown is needed.")
        edit(cloud, caller.person, message, sent.text, sent.markdown)
        return JSONResponse(_shown(cloud, request, message))

    @router.delete("/messages/{message_id}", status_code=HTTPStatus.NO_CONTENT)
    async def delete(caller: Write, message_id: str) -> Response:
        """Delete what oneself said, or in a room that one moderates what anybody said."""
        message = _seen(cloud, caller, message_id)
        own = store.membership(message.room_id, caller.person.id)
        if message.person_id != caller.person.id and (own is None or not own.is_moderator):
            raise forbidden("Only who said it, or a moderator, deletes a message.")
        readers = cloud.readers(message.room_id)
        store.unsay(message)
        told = {"id": message.id, "roomId": message.room_id, "roomType": message.room_type}
        told |= {"personId": message.person_id, "personEmail": message.person_email}
        cloud.happenings.tell("messages", "deleted", caller.person, told, readers)
        return Response(status_code=HTTPStatus.NO_CONTENT)


def _files(router: Routes, cloud: Cloud) -> None:
    """Who fetches files."""
    store = cloud.store

    @router.get("/contents/{content_id}", response_class=Response)
    async def contents(caller: Read, content_id: str) -> Response:
        """A file; never shown by a browser as what it is not."""
        content = store.contents.get(content_id)
        if (
            content is None
            or content.tenant != caller.person.org_id
            or not cloud.in_room(caller.person, content.room_id)
        ):
            raise unknown("file")
        ascii_name = content.name.encode("ascii", "replace").decode().replace("\\", "_").replace('"', "_")
        disposition = f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(content.name, safe='')}"
        headers = {"Content-Disposition": disposition, "X-Content-Type-Options": "nosniff"}
        return Response(content.data, media_type=content.media_type, headers=headers)
