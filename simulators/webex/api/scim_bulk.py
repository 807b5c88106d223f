"""Many changes of users and groups in one SCIM request (RFC 7644 section 3.7), each done or refused for itself."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal, TypeVar

from fastapi import Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field, ValidationError

from harness.errors import ScimError
from simulators.routes import Routes
from simulators.webex.api.scim_users import Write
from simulators.webex.cloud import Cloud
from simulators.webex.errors import WebexError, unfit, unknown
from simulators.webex.provisioning import Directory, need_schema
from simulators.webex.scim_messages import MESSAGES, answer, scim_refusal
from simulators.webex.scim_shapes import MAX_OPERATIONS, Group, GroupSent, MessageSent, Named, PatchSent, UserSent
from simulators.webex.shapes import Person

BULK_ID: Final = "bulkId:"
"""What stands before the name of something that an earlier operation of the same request made."""
M = TypeVar("M", bound=BaseModel)


class BulkOperationSent(MessageSent):
    """One change."""

    method: Literal["POST", "PATCH", "DELETE"]
    path: Annotated[str, Field(min_length=1, max_length=256)]
    """``/Users``, ``/Groups/{id}`` …."""
    data: dict[str, Any] | None = None
    bulk_id: Annotated[str, Field(min_length=1, max_length=128)] | None = Field(None, alias="bulkId")


class BulkSent(MessageSent):
    """Changes."""

    schemas: list[Named] = Field(min_length=1, max_length=16)
    fail_on_errors: Annotated[int, Field(ge=1, le=MAX_OPERATIONS)] | None = Field(None, alias="failOnErrors")
    operations: list[BulkOperationSent] = Field(min_length=1)


class BulkOperationTold(BaseModel):
    """What became of a change."""

    method: str
    status: str
    location: str | None = None
    bulkId: str | None = None  # noqa: N815 - SCIM's name
    version: str | None = None
    response: dict[str, Any] | None = None


class BulkTold(BaseModel):
    """What became of changes; the service calls them ``operations``, RFC 7644 ``Operations``. [unconfirmed]"""

    schemas: list[str]
    operations: list[BulkOperationTold]


def routes(cloud: Cloud) -> Routes:
    """The interface."""
    router = Routes(tags=["scim"])

    @router.post("/Bulk", response_model=BulkTold, response_model_exclude_none=True)
    async def bulk(request: Request, caller: Write, org: str, sent: BulkSent) -> JSONResponse:
        """Make, change and remove many, in their order, until more failed than was allowed; what was done stays."""
        directory = Directory(cloud, request, caller, org)
        need_schema(sent.schemas, f"{MESSAGES}:BulkRequest")
        if len(sent.operations) > MAX_OPERATIONS:
            raise WebexError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"A request has at most {MAX_OPERATIONS} operations.")
        made: dict[str, str] = {}
        told: list[dict[str, Any]] = []
        failed = 0
        for each in sent.operations:
            done: dict[str, Any] = {"method": each.method}
            if each.bulk_id is not None:
                done["bulkId"] = each.bulk_id
            try:
                done |= _do(directory, each, made)
            except (WebexError, ScimError, ValidationError) as error:
                refused = _refused(error)
                done |= {
                    "status": str(int(refused.status)),
                    "response": scim_refusal(refused, request.state.tracking_id),
                }
                failed += 1
            told.append(done)
            if sent.fail_on_errors is not None and failed >= sent.fail_on_errors:
                break
        return answer(request, {"schemas": [f"{MESSAGES}:BulkResponse"], "operations": told})

    return router


def _do(directory: Directory, sent: BulkOperationSent, made: dict[str, str]) -> dict[str, Any]:
    """Do one change. Raises WebexError, ScimError or ValidationError."""
    kind, _, id_ = sent.path.strip("/").partition("/")
    if kind not in {"Users", "Groups"} or (sent.method == "POST") == bool(id_):
        raise unknown("path")
    users = kind == "Users"
    if sent.method == "POST":
        if sent.bulk_id is None:
            raise unfit("bulkId: POST needs one", "invalidSyntax")
        if sent.bulk_id in made:
            raise unfit("bulkId: an earlier operation has the same", "invalidSyntax")
        new = directory.make_user(_body(UserSent, sent, made)) if users else None
        it = new if new is not None else directory.make_group(_body(GroupSent, sent, made))
        location = directory.location(it)
        made[sent.bulk_id] = location.rpartition("/")[2]
        return _done(directory, it, HTTPStatus.CREATED)
    found: Person | Group = _find(directory, _resolved(id_, made), users=users)
    if sent.method == "DELETE":
        location = directory.location(found)
        if isinstance(found, Group):
            directory.remove_group(found)
        else:
            directory.remove_user(found)
        return {"location": location, "status": str(int(HTTPStatus.NO_CONTENT))}
    patch = _body(PatchSent, sent, made)
    if isinstance(found, Group):
        return _done(directory, directory.patch_group(found, patch), HTTPStatus.OK)
    return _done(directory, directory.patch_user(found, patch), HTTPStatus.OK)


def _find(directory: Directory, id_: str, *, users: bool) -> Person | Group:
    return directory.user(id_) if users else directory.group(id_)


def _done(directory: Directory, it: Person | Group, status: HTTPStatus) -> dict[str, Any]:
    told = directory.told_group(it) if isinstance(it, Group) else directory.told(it)
    return {"location": directory.location(it), "version": told["meta"]["version"], "status": str(int(status))}


def _body(model: type[M], sent: BulkOperationSent, made: Mapping[str, str]) -> M:
    if sent.data is None:
        raise unfit("data: what is to be done is needed", "invalidSyntax")
    return model.model_validate(_resolved(sent.data, made))


def _resolved(value: Any, made: Mapping[str, str]) -> Any:
    """A value with what it refers to by ``bulkId:`` in its place. Raises WebexError for what was not made before."""
    if isinstance(value, dict):
        return {key: _resolved(each, made) for key, each in value.items()}
    if isinstance(value, list):
        return [_resolved(each, made) for each in value]
    if isinstance(value, str) and value.startswith(BULK_ID):
        name = value.removeprefix(BULK_ID)
        if name not in made:
            raise unfit(f"{value[:64]!r}: no earlier operation made it", "invalidValue")
        return made[name]
    return value


def _refused(error: WebexError | ScimError | ValidationError) -> WebexError:
    if isinstance(error, ScimError):
        return unfit(str(error), error.scim_type)
    if isinstance(error, ValidationError):
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        return unfit(f"data.{where[:256]}: {first['msg']}", "invalidValue")
    return error
