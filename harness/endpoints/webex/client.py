"""One account's requests to Webex's REST API, at whatever base URL; waits and retries on the loop's own clock."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from harness.endpoints.webex.ids import uuid_in
from harness.errors import NotPlayedError, WebexError, WebexGoneError, WebexRefusedError
from harness.transport.https import http_client

ANSWERS_WITHIN_S: Final = 20.0
MAX_RETRY_AFTER_S: Final = 60.0
"""Longest wait that the service's Retry-After is followed for; a longer one is given up."""
MAX_TRIES: Final = 5
"""How often one request is made that is answered 429."""
MAX_ANSWER: Final = 8 * 1024 * 1024
"""Bytes of one answer."""
MAX_PAGES: Final = 10_000
AT_ONCE: Final = 4
"""Requests of one account that are under way at once: more only brings 429 sooner."""
MAX_TOLD: Final = 300
"""Characters of a refusal that are passed on."""
EXPIRED: Final = ": the account's token serves no more (a personal one is valid for 12 hours), or never did"
"""What is told beside a refusal with 401."""
SCIM_PAGE: Final = 100
"""Resources of SCIM that are asked for at once."""
IDENTITY: Final = "/identity/"
"""How paths begin that lie beside ``/v1``: SCIM's."""
_READS: Final = frozenset({"GET", "HEAD"})


class WebexClient:
    """A connection to Webex with one account's token, which no error, journal or representation tells."""

    def __init__(
        self, name: str, service: str, token: str, *, read_only: bool, tls: ssl.SSLContext | None = None
    ) -> None:
        """``name``: what errors call it; ``service``: ``https://webexapis.com``, without ``/v1``.

        ``read_only``: whatever would change something is refused here, before a byte is sent. ``tls``: by what the
        service is checked; left out: whom the public web trusts.
        """
        self.name = name
        self.service = service
        """Where it is asked, without ``/v1``."""
        self._read_only = read_only
        self._http = http_client(timeout=ANSWERS_WITHIN_S, token=token, tls=tls)
        self._turns = asyncio.Semaphore(AT_ONCE)
        self.held_off_s = 0.0
        """For how long the service had this account wait, since it was too busy (429)."""
        self._told: tuple[float, float] | None = None
        """A moment of the loop's clock, and what the service's showed then."""

    def __repr__(self) -> str:
        return f"WebexClient({self.name!r}, {self.service!r})"

    async def close(self) -> None:
        """Give the connection up; again does nothing."""
        await self._http.aclose()

    def service_time(self, moment: float) -> float | None:
        """What the service's clock showed at a moment of the loop's, to a second: seconds since 1970, by its answers.

        None where it told none in its latest one (RFC 9110 section 6.6.1, ``Date``).
        """
        return None if self._told is None else self._told[1] + moment - self._told[0]

    async def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str | int] | None = None,
    ) -> Any:
        """Make one request to ``path`` (``/rooms``, ``/identity/scim/…``) and return its JSON, if any.

        Raises NotPlayedError before anything is sent where only reading is allowed, WebexRefusedError with what the
        service says against it, WebexGoneError where it can't be reached or stays too busy.
        """
        beside = path.startswith(IDENTITY)
        answer = await self._answer(method, f"{self.service}{'' if beside else '/v1'}{path}", body, query)
        return self._read(method, path, answer)

    async def listed(
        self, path: str, *, query: Mapping[str, str | int] | None = None, most: int = 100_000, key: str = "items"
    ) -> AsyncIterator[dict[str, Any]]:
        """The items of a list, page by page, ``most`` of them; ``key``: what it is called. Raises as `ask` does."""
        url, sent, count = f"{self.service}/v1{path}", query, 0
        for _page in range(MAX_PAGES):
            answer = await self._answer("GET", url, None, sent)
            for item in self._read("GET", path, answer).get(key, ()):
                if count == most:
                    return
                count += 1
                yield item
            following = answer.links.get("next", {}).get("url")
            if following is None:
                return
            url, sent = self._own(following), None
        raise WebexError(f"{self.name}: {path} has more than {MAX_PAGES} pages")

    async def found(self, path: str, looked_for: str = "", *, most: int = 100_000) -> AsyncIterator[dict[str, Any]]:
        """The resources of SCIM at ``path`` that a filter finds, by place and count. Raises as `ask` does."""
        query: dict[str, str | int] = {"filter": looked_for} if looked_for else {}
        place = 1
        while place <= most:
            told = await self.ask("GET", path, query={**query, "startIndex": place, "count": min(SCIM_PAGE, most)})
            for each in told["Resources"]:
                yield each
            place += len(told["Resources"])
            if not told["Resources"] or place > told["totalResults"]:
                return

    async def scim(self) -> str:
        """Where SCIM of the account's organisation is: ``/identity/scim/{org}/v2``. Raises as `ask` does."""
        me = await self.ask("GET", "/people/me")
        return f"{IDENTITY}scim/{uuid_in(str(me.get('orgId', '')))}/v2"

    async def fetch(self, url: str, *, too: str | None = None) -> str:
        """The text at an address that the service told.

        ``too``: another host of the service's, ``https://…``, that may have the token. Raises as `ask` does, and where
        it is somebody else's.
        """
        return (await self.fetch_bytes(url, too=too)).decode(errors="replace")

    async def fetch_bytes(self, url: str, *, too: str | None = None) -> bytes:
        """What is at an address that the service told. Raises as `fetch` does."""
        own = too is not None and urlsplit(url)[:2] == urlsplit(too)[:2]
        answer = await self._answer("GET", url if own else self._own(url), None, None)
        if answer.is_error:
            self._read("GET", urlsplit(url).path, answer)
        return answer.content

    def _own(self, url: str) -> str:
        # The token goes where it was meant for, wherever a page points.
        if urlsplit(url)[:2] != urlsplit(self.service)[:2]:
            raise WebexError(f"{self.name}: a page points to {urlsplit(url).netloc[:MAX_TOLD]!r}, which is elsewhere")
        return url

    async def _answer(
        self, method: str, url: str, body: Mapping[str, Any] | None, query: Mapping[str, str | int] | None
    ) -> httpx.Response:
        if self._read_only and method not in _READS:
            raise NotPlayedError(
                f"{self.name} is read-only, and {method} {urlsplit(url).path} was not sent: where tests may change it, "
                "the testbed file says 'read_only: false'"
            )
        for _try in range(MAX_TRIES):
            async with self._turns:
                answer = await self._once(method, url, body, query)
            if answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
                return answer
            wait = self._wait(answer)
            self.held_off_s += wait
            await asyncio.sleep(wait)
        raise WebexGoneError(f"{self.name}: {method} {urlsplit(url).path}: still too busy after {MAX_TRIES} tries")

    async def _once(
        self, method: str, url: str, body: Mapping[str, Any] | None, query: Mapping[str, str | int] | None
    ) -> httpx.Response:
        path = urlsplit(url).path
        try:
            request = self._http.build_request(method, url, json=None if body is None else dict(body), params=query)
            answer = await self._http.send(request, stream=True)
            content = bytearray()
            async with contextlib.aclosing(answer):
                async for part in answer.aiter_bytes():
                    content += part
                    if len(content) > MAX_ANSWER:
                        raise WebexError(f"{self.name}: {method} {path} is answered by more than {MAX_ANSWER} bytes")
            with contextlib.suppress(ValueError):
                date = parsedate_to_datetime(answer.headers.get("date", ""))
                self._told = asyncio.get_running_loop().time(), date.timestamp()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            told = str(error) or type(error).__name__
            raise WebexGoneError(f"{self.name}: no answer to {method} {path}: {told}") from None
        return httpx.Response(answer.status_code, headers=_plain(answer.headers), content=bytes(content))

    def _wait(self, answer: httpx.Response) -> float:
        told = answer.headers.get("retry-after", "")
        seconds = float(told) if told.isdecimal() else 1.0
        if seconds > MAX_RETRY_AFTER_S:
            raise WebexGoneError(
                f"{self.name}: too busy for {seconds:g} s, and {MAX_RETRY_AFTER_S:g} s are waited at most"
            )
        return max(1.0, seconds)

    def _read(self, method: str, path: str, answer: httpx.Response) -> Any:
        try:
            said = answer.json() if answer.content else None
        except ValueError:
            raise WebexError(f"{self.name}: {method} {path} was answered with what is not JSON") from None
        if answer.is_error:
            told = said if isinstance(said, dict) else {}
            message = str(told.get("message", told.get("detail", "")))[:MAX_TOLD]
            tracking = str(told.get("trackingId", answer.headers.get("trackingid", "")))[:MAX_TOLD]
            ended = EXPIRED if answer.status_code == httpx.codes.UNAUTHORIZED else ""
            raise WebexRefusedError(
                f"{self.name}: {method} {path} was refused with {answer.status_code}: {message} [{tracking}]{ended}",
                status=answer.status_code,
                tracking=tracking,
            )
        return said


def _plain(headers: httpx.Headers) -> httpx.Headers:
    """Headers of an answer whose content is unpacked."""
    kept = httpx.Headers(headers)
    for name in ("content-encoding", "transfer-encoding", "content-length"):
        kept.pop(name, None)
    return kept
