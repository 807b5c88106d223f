"""What every request to a simulated Webex passes: tracking, faults, the token, its rate, the body's type and length.

It is the outermost part of the application, so that nothing is read of whoever has no token.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from fastapi import HTTPException
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from simulators.faults import Faults
from simulators.webex.errors import WebexError, forbidden, unauthenticated, unknown
from simulators.webex.ids import new_uuid
from simulators.webex.scim_messages import JSON, SCIM, SCIM_JSON, media_type_for, scim_refusal
from simulators.webex.scopes import ADMIN, ISSUING, holds
from simulators.webex.shapes import Person
from simulators.webex.tokens import Grant, Tokens

MAX_JSON: Final = 1024 * 1024
MAX_UPLOAD: Final = 100 * 1024 * 1024
"""Bytes of a file: Webex's own limit."""
MAX_MULTIPART: Final = MAX_UPLOAD + MAX_JSON
MAX_QUERY: Final = 32 * 1024
MAX_ETAG: Final = 1024 * 1024
"""Bytes of an answer that gets an ETag; files have none."""
MAX_CALLERS: Final = 20_000
"""Tokens whose rate is kept; of more, those are forgotten that were used longest ago."""
OPEN: Final = frozenset(
    {"/openapi.json", "/docs", "/v1/access_token", "/v1/authorize", "/v1/sso/callback", "/v1/jwt/login"}
)
"""Paths that ask for no access token."""
_FORMS: Final = frozenset({"/v1/access_token", "/v1/authorize"})
_MULTIPART: Final = frozenset({"/v1/messages"})
_PATCHES: Final = re.compile(r"/v1/devices/[^/]+")
_HOST: Final = re.compile(r"[A-Za-z0-9.:\[\]-]{1,255}")
_BODIED: Final = frozenset({"POST", "PUT", "PATCH"})
_CHANGING: Final = ("_write", "_rw")
"""How the scopes end with which something is changed."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks."""

    person: Person
    grant: Grant
    is_admin: bool
    may_change: bool
    """Whether it is an administrator who may do more than look."""

    def needs(self, *scopes: str) -> None:
        """Raise WebexError, 403, where the token has none of ``scopes``, or its owner may not use what it has."""
        for scope in scopes:
            if holds(self.grant.scopes, scope) and self._may(scope):
                return
        raise forbidden()

    def _may(self, scope: str) -> bool:
        if scope in ISSUING:
            return self.person.type == "appuser" and self.person.guest_of is None
        return scope not in ADMIN or (self.may_change if scope.endswith(_CHANGING) else self.is_admin)

    def has(self, scope: str) -> bool:
        """Whether a scope is there and can be used."""
        return holds(self.grant.scopes, scope) and self._may(scope)


class Bucket:
    """How many requests each token may still make now."""

    def __init__(self, per_s: float, burst: int, now: Callable[[], float]) -> None:
        self._per_s, self._burst, self._now = per_s, burst, now
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, whose: str) -> int:
        """Take one; return 0, or after how many whole seconds to try again."""
        now = self._now()
        left, since = self._left.pop(whose, (float(self._burst), now))
        left = min(self._burst, left + (now - since) * self._per_s)
        allowed = left >= 1
        self._left[whose] = (left - 1 if allowed else left, now)
        if len(self._left) > MAX_CALLERS:
            del self._left[next(iter(self._left))]
        return 0 if allowed else max(1, -int(-(1 - left) // self._per_s))


class Front:
    """The ASGI application before the application."""

    def __init__(
        self,
        app: ASGIApp,
        tokens: Tokens,
        who: Callable[[Grant], Caller | None],
        bucket: Bucket,
        faults: Faults,
        rng: random.Random,
        host: Callable[[], str],
    ) -> None:
        """``who``: the account of a grant, None where it is gone; ``host``: the ``host:port`` that is served."""
        self._app, self._tokens, self._who, self._bucket = app, tokens, who, bucket
        self._faults, self._rng, self._host = faults, rng, host
        self.busy_s = 0
        """Seconds that every client is told to come back after, 429; 0: nobody is."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = _Answer(scope, send, f"ROUTERGW_{new_uuid(self._rng)}")
        try:
            try:
                await self._faults.before()
                self._admit(scope)
            except WebexError as error:
                await answer.refuse(error)
                return
            await self._app(scope, self._bounded(scope, receive), answer.send)
            await self._faults.after()
            await answer.finish()
        except HTTPException as error:  # a fault that is on
            await answer.refuse(WebexError(HTTPStatus(error.status_code), str(error.detail)))

    def _admit(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        state = scope.setdefault("state", {})
        state["host"] = host if _HOST.fullmatch(host) else self._host()
        if len(scope["query_string"]) > MAX_QUERY:
            raise WebexError(HTTPStatus.REQUEST_URI_TOO_LONG, "The query is too long.")
        path = scope["path"]
        if path not in OPEN:
            if not path.startswith(("/v1/", SCIM)):
                raise unknown()
            state["caller"] = self._caller(headers)
            state["agent"] = headers.get("user-agent", "")[:256]
            state["from_"] = (scope.get("client") or ("",))[0]
        _fitting_body(scope["method"], path, headers)

    def _caller(self, headers: Headers) -> Caller:
        kind, _, secret = headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not secret.strip():
            raise unauthenticated()
        grant = self._tokens.look(secret.strip())
        caller = self._who(grant)
        if caller is None or not caller.person.login_enabled:
            raise unauthenticated()
        wait = self.busy_s or self._bucket.take(grant.person_id + grant.client_id)
        if wait:
            raise WebexError(
                HTTPStatus.TOO_MANY_REQUESTS,
                "Too many requests have been sent in a given amount of time.",
                headers={"Retry-After": str(wait)},
            )
        return caller

    def _bounded(self, scope: Scope, receive: Receive) -> Receive:
        most = MAX_MULTIPART if scope["path"] in _MULTIPART else MAX_JSON
        taken = 0

        async def bounded() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > most:
                raise HTTPException(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too long.")
            return message

        return bounded


def _fitting_body(method: str, path: str, headers: Headers) -> None:
    length = int(headers.get("content-length", "0"))  # the server takes digits only
    if length > (MAX_MULTIPART if path in _MULTIPART else MAX_JSON):
        raise WebexError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is too long.")
    if method not in _BODIED or (length == 0 and "transfer-encoding" not in headers):
        return
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    taken = {"application/x-www-form-urlencoded"} if path in _FORMS else {"application/json"}
    if path.startswith(SCIM):
        taken.add(SCIM_JSON)
    if path in _MULTIPART:
        taken.add("multipart/form-data")
    if method == "PATCH" and _PATCHES.fullmatch(path):
        taken.add("application/json-patch+json")
    if media_type not in taken:
        raise WebexError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
            "The request was made to a resource without specifying a media type or used a media type that is not "
            "supported.",
            f"Content-Type is to be {' or '.join(sorted(taken))}.",
        )


class _Answer:
    """One answer: gets its trackingId, and an ETag that a client may hold against the next."""

    def __init__(self, scope: Scope, send: Send, tracking_id: str) -> None:
        self._scope, self._send, self._tracking_id = scope, send, tracking_id
        scope.setdefault("state", {})["tracking_id"] = tracking_id
        self._head: Message | None = None
        self._body = bytearray()
        self._tagged = scope["method"] == "GET" and scope["path"].startswith("/v1/")
        self._begun = False
        self._kept: list[Message] = []

    async def send(self, message: Message) -> None:
        """Take a part of it; what is no small answer to GET goes on at once."""
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=message.setdefault("headers", []))
            headers["trackingId"] = self._tracking_id
            headers["Cache-Control"] = "no-cache, no-store"
            length = int(headers.get("content-length", "0"))
            is_json = headers.get("content-type", "").startswith("application/json")
            if not (self._tagged and message["status"] == HTTPStatus.OK and is_json and length <= MAX_ETAG):
                self._tagged = False
            self._kept.append(message)
            return
        if self._tagged:
            self._body += message.get("body", b"")
            self._kept.append(message)
            return
        self._kept.append(message)
        if message.get("more_body") or self._begun:
            await self._flush()

    async def finish(self) -> None:
        """Send what was kept, or that the client has it already."""
        if self._tagged and self._kept:
            headers = MutableHeaders(raw=self._kept[0]["headers"])
            tag = f'"{hashlib.sha256(self._body).hexdigest()[:32]}"'
            headers["ETag"] = tag
            asked = Headers(scope=self._scope).get("if-none-match", "")
            if tag in {each.strip().removeprefix("W/") for each in asked.split(",")}:
                for name in ("content-length", "content-type"):
                    del headers[name]
                self._kept[0]["status"] = int(HTTPStatus.NOT_MODIFIED)
                self._kept[1:] = [{"type": "http.response.body", "body": b""}]
        await self._flush()

    async def _flush(self) -> None:
        kept, self._kept = self._kept, []
        for message in kept:
            self._begun = True
            await self._send(message)

    async def refuse(self, error: WebexError) -> None:
        """Send a refusal, unless an answer has begun."""
        if self._begun:
            return
        told, media_type = refusal(self._scope, error, self._tracking_id)
        body = json.dumps(told).encode()
        headers = {**error.headers, "trackingId": self._tracking_id, "Content-Type": f"{media_type};charset=UTF-8"}
        headers["Content-Length"] = str(len(body))
        raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        self._begun = True
        await self._send({"type": "http.response.start", "status": int(error.status), "headers": raw})
        await self._send({"type": "http.response.body", "body": body})


def refusal(scope: Scope, error: WebexError, tracking_id: str) -> tuple[dict[str, Any], str]:
    """A refusal's body, in Webex's own shape or in SCIM's, and its media type."""
    if scope["path"].startswith(SCIM):
        return scim_refusal(error, tracking_id), media_type_for(Headers(scope=scope).get("accept", ""))
    described = [{"description": each} for each in error.described]
    return {"message": error.message, "errors": described, "trackingId": tracking_id}, JSON
