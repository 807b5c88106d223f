"""Enters every act at the control interface in the audit trail: no route can be made that forgets to."""

from __future__ import annotations

import json
from typing import Any, Final

from fastapi import status
from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from harness.privacy import mask_text
from simulators.iccs.audit.record import ASKED, Asked, Audit

_LOOKS: Final = ("GET", "HEAD", "OPTIONS")
_LISTENS: Final = "/v1/recordings/"
_PLAYS: Final = "/recorded/"
"""A look at what lies under these is an act: somebody's speech is listened to."""
_NOBODY: Final = (status.HTTP_401_UNAUTHORIZED, status.HTTP_404_NOT_FOUND, status.HTTP_405_METHOD_NOT_ALLOWED)
"""Refusals that are no act of anybody here: without the token, or of what there is not. They would grow the trail at
a stranger's will."""
_REASON: Final = 200
"""Characters of a refusal's reason."""


class Audited:
    """Middleware around the whole control interface."""

    def __init__(self, app: ASGIApp, audit: Audit) -> None:
        self._app = app
        self._audit = audit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; what was done in it is entered before the answer leaves."""
        if scope["type"] != "http" or not _acts(scope):
            await self._app(scope, receive, send)
            return
        if not self._audit.takes:
            refusal = {"detail": "nothing is done that can't be audited: the trail can't be written"}
            await JSONResponse(refusal, status.HTTP_503_SERVICE_UNAVAILABLE)(scope, receive, send)
            return
        asked = Asked()
        begun: Message = {}

        async def entering(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = message
                return
            if begun:
                self._enter(scope, asked, begun["status"], message.get("body", b""))
                await send(begun)
                begun = {}
            await send(message)

        token = ASKED.set(asked)
        try:
            await self._app(scope, receive, entering)
        finally:
            ASKED.reset(token)

    def _enter(self, scope: Scope, asked: Asked, code: int, body: bytes) -> None:
        route = scope.get("route")
        if asked.entered or code in _NOBODY or route is None:
            return
        named: dict[str, Any] = scope.get("path_params", {})
        position = str(named.get("id_", "")) if "/positions/" in scope["path"] else ""
        target = " ".join(str(value) for key, value in named.items() if not (position and key == "id_"))
        refused = code >= status.HTTP_400_BAD_REQUEST
        outcome, reason = ("refused", _reason(code, body)) if refused else ("done", "")
        self._audit.enter(position, route.name, target, outcome, reason)


def _acts(scope: Scope) -> bool:
    return scope["method"] not in _LOOKS or scope["path"].startswith(_LISTENS) or _PLAYS in scope["path"]


def _reason(code: int, body: bytes) -> str:
    """What a refusal tells, numbers of persons masked; what was sent and does not fit is not told again."""
    try:
        told = json.loads(body).get("detail")
    except (ValueError, AttributeError, RecursionError):
        told = None
    return mask_text(told)[:_REASON] if isinstance(told, str) else f"HTTP {code}"
