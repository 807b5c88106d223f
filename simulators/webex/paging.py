"""Pages of a list: a ``Link`` to the next one with a cursor that is signed, is one person's, and grows stale.

A cursor names the last item that was told by its place in the order of the list, so that what is made or deleted
meanwhile moves nothing that is still to come.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import JSONResponse

from simulators.webex.errors import unfit
from simulators.webex.shapes import Part

T = TypeVar("T", bound=Part)
_SIGNED_BYTES: Final = 16
MAX_CURSOR: Final = 1_024


class Pager:
    """Makes pages, and knows its own cursors again."""

    def __init__(self, key: bytes, now: Callable[[], float], lives_s: float) -> None:
        """``key``: the run's secret; ``now``: seconds since 1970."""
        self._key, self._now, self._lives_s = key, now, lives_s

    def after(self, request: Request, cursor: str | None) -> list[Any] | None:
        """The place after which a page begins; None for the first. Raises WebexError, 400, for one not to be used."""
        if cursor is None:
            return None
        bare = cursor.rstrip("=")
        padded = bare + "=" * (-len(bare) % 4)
        try:
            raw = base64.b64decode(padded, b"-_", validate=True) if len(bare) <= MAX_CURSOR else b""
        except ValueError:
            raw = b""
        signature, text = raw[:_SIGNED_BYTES], raw[_SIGNED_BYTES:]
        if not hmac.compare_digest(signature, self._signature(request, text)):
            raise unfit("The cursor is not one of this list, or not yours.")
        place, ends = json.loads(text)
        if ends <= self._now():
            raise unfit("The cursor is stale: begin the list again.")
        return list(place)

    def page(
        self,
        request: Request,
        items: Sequence[T],
        place: Callable[[T], list[Any]],
        most: int,
        *,
        shown: Callable[[T], dict[str, Any]] = Part.told,
        key: str = "items",
    ) -> JSONResponse:
        """Answer the first ``most`` of ``items``, which begin where the page does; ``place``: an item's in order.

        ``key``: what the list is called in the answer.
        """
        told = items[:most]
        headers = {}
        if len(items) > len(told) and told:
            query = [(key, value) for key, value in request.query_params.multi_items() if key != "cursor"]
            query.append(("cursor", self._cursor(request, place(told[-1]))))
            headers["Link"] = f'<{base_url(request)}{request.url.path}?{urlencode(query)}>; rel="next"'
        return JSONResponse({key: [shown(each) for each in told]}, headers=headers)

    def _cursor(self, request: Request, place: list[Any]) -> str:
        text = json.dumps([place, self._now() + self._lives_s]).encode()
        return base64.urlsafe_b64encode(self._signature(request, text) + text).rstrip(b"=").decode()

    def _signature(self, request: Request, text: bytes) -> bytes:
        whose = f"{request.url.path}\n{request.state.caller.person.id}\n".encode()
        return hmac.new(self._key, whose + text, hashlib.sha256).digest()[:_SIGNED_BYTES]


def base_url(request: Request) -> str:
    """``http://host:port`` as the client named it, which its next request will reach again."""
    return f"{request.url.scheme}://{request.state.host}"
