"""The public's side: the form and its receipt as plain pages, and the REST intake beside them."""

from __future__ import annotations

import base64
import binascii
import dataclasses
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from fastapi import Depends, FastAPI, Header, HTTPException, Request, Response, status
from fastapi import Path as PathParameter
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from pydantic import Field

from harness.errors import DatabaseError
from harness.protocols.times import to_iso
from harness.transport.context import Context
from simulators.bodies import Body
from simulators.contact_us.attachments import (
    MAX_FILE,
    MAX_FILES,
    TAKEN,
    Attachment,
    AttachmentError,
    attached,
    check_together,
)
from simulators.contact_us.intake import FloodError, Intake, KeyReusedError
from simulators.contact_us.store import Had, Store
from simulators.contact_us.submission import (
    FORM_TEXT,
    KINDS,
    MAX_EMAIL,
    MAX_NAME,
    MAX_PLACE,
    MAX_TEXT,
    Channel,
    Kind,
    Problem,
    UnfitError,
    checked,
)
from simulators.contact_us.uploads import MAX_UPLOAD, Filled, UploadError, read_form
from simulators.guard import bearer, guard
from simulators.routes import Routes, add_routes
from simulators.store_refusals import tell_of_the_store

FORM: Final = "/contact"
INTAKE: Final = "/v1/submissions"
PAGES: Final = Path(__file__).with_name("pages")
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
HONEYPOT: Final = "website"
"""A field that people don't see; whoever fills it in is a machine."""
MAX_KEY: Final = 100
LOCAL: Final = ZoneInfo("Europe/London")
"""Whose time the public reads."""
REFERENCE: Final = r"^CU-[23456789BCDFGHJKMNPQRSTVWXZ]{4}-[23456789BCDFGHJKMNPQRSTVWXZ]{4}$"
_FIELDS: Final = ("kind", "text", "place", "name", "email", "telephone", "form_key")
Reference = Annotated[str, PathParameter(pattern=REFERENCE, description="As it was given with the receipt")]
Key = Annotated[str, Header(alias="Idempotency-Key", pattern=r"^[\x21-\x7e]{1,100}$")]


class FileBody(Body):
    """A file."""

    name: str = Field(default="", max_length=500)
    content: str = Field(max_length=MAX_FILE * 4 // 3 + 8, json_schema_extra={"contentEncoding": "base64"})
    """Base64 (RFC 4648 section 4)."""


class SubmissionBody(Body):
    """What somebody tells, as another system hands it on."""

    kind: Kind = Field(default=Kind.OTHER, strict=False)
    text: str = Field(min_length=1, max_length=MAX_TEXT)
    place: str = Field(default="", max_length=MAX_PLACE)
    name: str = Field(default="", max_length=MAX_NAME)
    email: str = Field(default="", max_length=MAX_EMAIL)
    telephone: str = Field(default="", max_length=60)
    address: str = Field(default="", max_length=MAX_PLACE)
    attachments: list[FileBody] = Field(default=[], max_length=MAX_FILES)


class ReceiptBody(Body):
    """What is answered."""

    reference: str
    received: str
    """ISO 8601, UTC."""
    repeated: bool
    """Whether it was had before under this key."""


def make_public(context: Context, intake: Intake, store: Store, intake_token: str | None) -> FastAPI:
    """Return the application of the public's side."""
    app = FastAPI(title="Contact Us", version="1", docs_url=None, redoc_url=None)
    guard(app, larger=dict.fromkeys((FORM, INTAKE), MAX_UPLOAD * 4 // 3))
    tell_of_the_store(app)
    _add_headers(app)
    add_routes(app, _intake_routes(intake, store), dependencies=[Depends(bearer(intake_token))])
    add_routes(app, _Pages(context, intake, store).routes())
    return app


def _add_headers(app: FastAPI) -> None:
    """Put HEADERS on every answer."""

    @app.middleware("http")
    async def with_headers(request: Request, call_next: Callable[[Request], Awaitable[Response]]) -> Response:
        answer = await call_next(request)
        answer.headers.update(HEADERS)
        return answer


def _sender(request: Request) -> str:
    return f"ip:{request.client.host}" if request.client is not None else "ip:"


def _intake_routes(intake: Intake, store: Store) -> Routes:
    router = Routes(prefix="/v1", tags=["intake"])
    refusals: dict[int | str, dict[str, Any]] = {
        200: {"model": ReceiptBody, "description": "Had before under this key"},
        401: {"description": "No bearer token, where one is asked for"},
        422: {"description": "Unfit, or the key came before with something else"},
        429: {"description": "Too much came; Retry-After says when to come again"},
        503: {"description": "The store is gone"},
        507: {"description": "Nothing more is kept"},
    }

    @router.post("/submissions", status_code=status.HTTP_201_CREATED, responses=refusals)
    async def submit(request: Request, response: Response, body: SubmissionBody, key: Key) -> ReceiptBody:
        """Hand a submission in. With the same key and content again it is the same submission."""
        try:
            files = _files(body.attachments)
            submission = checked(
                Channel.REST,
                kind=body.kind.value,
                text=body.text,
                name=body.name,
                email=body.email,
                telephone=body.telephone,
                address=body.address,
                place=body.place,
                attachments=files,
                key=key,
            )
            had = await intake.take(submission, _sender(request))
        except (UnfitError, AttachmentError, KeyReusedError) as error:
            raise HTTPException(status.HTTP_422_UNPROCESSABLE_CONTENT, _shown(str(error))) from error
        except FloodError as error:
            raise HTTPException(429, "too many submissions", {"Retry-After": str(error.wait)}) from error
        response.status_code = status.HTTP_200_OK if had.repeated else status.HTTP_201_CREATED
        return ReceiptBody(reference=had.reference, received=to_iso(round(had.received, 3)), repeated=had.repeated)

    @router.get(
        "/submissions/{reference}",
        responses={401: refusals[401], 404: {"description": "None of that name"}, 503: refusals[503]},
    )
    async def receipt(reference: Reference) -> ReceiptBody:
        """The receipt of a submission, and nothing of what it says."""
        kept = await store.one(reference)
        if kept is None:
            raise HTTPException(status.HTTP_404_NOT_FOUND, "no submission has this reference")
        return ReceiptBody(reference=reference, received=to_iso(round(kept["received"], 3)), repeated=True)

    return router


def _shown(text: str) -> str:
    return text.encode(errors="replace").decode()[:1_000]


def _files(bodies: list[FileBody]) -> tuple[Attachment, ...]:
    found = []
    for number, each in enumerate(bodies, 1):
        try:
            content = base64.b64decode(each.content, validate=True)
        except (binascii.Error, ValueError) as error:
            raise AttachmentError(f"attachment {number} is not base64") from error
        found.append(attached(each.name, content, number))
    check_together(found)
    return tuple(found)


class _Pages:
    """The form and its receipt. No script: nothing is lost where there is none, and nothing can be put into one."""

    def __init__(self, context: Context, intake: Intake, store: Store) -> None:
        self._rng = context.rng
        self._intake, self._store = intake, store
        self._templates = Environment(
            loader=FileSystemLoader(PAGES), autoescape=select_autoescape(default=True), undefined=StrictUndefined
        )

    def routes(self) -> Routes:
        router = Routes(include_in_schema=False)

        @router.get("/")
        async def start() -> Response:
            return RedirectResponse(FORM, status.HTTP_303_SEE_OTHER)

        @router.get(FORM)
        async def form() -> Response:
            return self._form({}, ())

        @router.post(FORM)
        async def send(request: Request) -> Response:
            return await self._sent(request)

        @router.get(f"{FORM}/received/{{reference}}")
        async def received(reference: str) -> Response:
            kept = await self._store.one(reference[:20])
            if kept is None:
                return self._page("missing.html", status.HTTP_404_NOT_FOUND)
            when = datetime.fromtimestamp(kept["received"], LOCAL)
            return self._page(
                "received.html",
                reference=kept["reference"],
                files=kept["attachments"],
                received=f"{when.day} {when:%B %Y at %H:%M}",
                by_mail=bool(kept["person"].get("email")),
            )

        @router.get("/assets/contact-us.css")
        async def style() -> Response:
            return Response((PAGES / "contact-us.css").read_bytes(), media_type="text/css")

        return router

    async def _sent(self, request: Request) -> Response:
        try:
            filled = await read_form(request)
        except UploadError as error:
            problem = Problem("files", "Your files were too big to send together, or the form did not arrive whole")
            code = status.HTTP_413_CONTENT_TOO_LARGE if "at most" in str(error) else status.HTTP_400_BAD_REQUEST
            return self._form({}, (problem,), code)
        fields = {name: filled.fields.get(name, "") for name in _FIELDS}
        try:
            had = await self._take(request, filled, fields)
        except UnfitError as error:
            return self._form(fields, error.problems, status.HTTP_422_UNPROCESSABLE_CONTENT, lost=bool(filled.files))
        except FloodError as error:
            wait = f"{-(-error.wait // 60)} minutes" if error.wait > 90 else f"{error.wait} seconds"
            problem = Problem("text", f"We are getting many messages just now. Please send yours again in {wait}")
            answer = self._form(fields, (problem,), status.HTTP_429_TOO_MANY_REQUESTS, lost=bool(filled.files))
            answer.headers["Retry-After"] = str(error.wait)
            return answer
        except DatabaseError:
            problem = Problem("text", "We can't take your message just now. Please send it again in a few minutes")
            return self._form(fields, (problem,), status.HTTP_503_SERVICE_UNAVAILABLE, lost=bool(filled.files))
        return RedirectResponse(f"{FORM}/received/{had.reference}", status.HTTP_303_SEE_OTHER)

    async def _take(self, request: Request, filled: Filled, fields: dict[str, str]) -> Had:
        submission = checked(
            Channel.FORM,
            kind=fields["kind"],
            text=fields["text"],
            name=fields["name"],
            email=fields["email"],
            telephone=fields["telephone"],
            place=fields["place"],
            attachments=filled.files,
            problems=tuple(Problem("files", each) for each in filled.wrong),
            suspect="a field that people don't see was filled in" if filled.fields.get(HONEYPOT) else "",
            most=FORM_TEXT,
        )
        key = fields["form_key"][:MAX_KEY]
        if key:
            # With the content in it: who goes back, changes what they wrote and sends it again has told something new.
            submission = dataclasses.replace(submission, key=f"{key}\n{submission.fingerprint()}")
        return await self._intake.take(submission, _sender(request))

    def _form(
        self,
        fields: dict[str, str],
        problems: tuple[Problem, ...],
        code: int = status.HTTP_200_OK,
        *,
        lost: bool = False,
    ) -> Response:
        filled = {name: fields.get(name, "")[: 2 * FORM_TEXT] for name in _FIELDS}
        filled["form_key"] = filled["form_key"][:MAX_KEY] or f"{self._rng.getrandbits(128):032x}"
        says: dict[str, str] = {}
        for each in problems:
            says.setdefault(each.field, each.says)
        return self._page(
            "form.html", code, kinds=KINDS, fields=filled, problems=says, lost=lost, taken=TAKEN, most=FORM_TEXT
        )

    def _page(self, template: str, code: int = status.HTTP_200_OK, **values: Any) -> Response:
        return HTMLResponse(self._templates.get_template(template).render(**values), code)
