"""Signs somebody in as a browser does: OAuth's code grant with PKCE, past an identity provider's pages, to a token.

Pages are forms without script, whose fields say what they are for by ``autocomplete`` (``username``,
``current-password``, ``one-time-code``: the tokens of the HTML standard). A provider whose pages need script, or an app
on a telephone, is for a person.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import httpx

from harness.errors import SignInRefusedError, WebexError, WebexGoneError
from harness.transport.https import http_client

ANSWERS_WITHIN_S: Final = 20.0
MAX_STEPS: Final = 20
"""Pages and redirections of one sign-in."""
MAX_PAGE: Final = 1024 * 1024
MAX_TOLD: Final = 200
PASSWORD: Final = "password"  # noqa: S105 - the name of a factor
ONE_TIME_CODE: Final = "one-time code"
_FACTORS: Final = {"current-password": PASSWORD, "one-time-code": ONE_TIME_CODE}


@dataclass(frozen=True, slots=True)
class Integration:
    """The application that asks for a token."""

    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who signs in."""

    email: str
    password: str = field(repr=False)
    code: Callable[[], str] = field(repr=False)
    """Makes a one-time code, when a page asks for one."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """What came of it."""

    factors: tuple[str, ...]
    """What was asked for, in its order: PASSWORD, ONE_TIME_CODE."""
    access_token: str = field(repr=False)


class _Page(HTMLParser):
    """What a page asks for: its one form, and what it tells who reads it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, tuple[str, str]] = {}
        """By its name, what a field is for and its value."""
        self.alert = ""
        self._in_alert = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = {name: value or "" for name, value in attrs}
        self._in_alert = told.get("role") == "alert"
        if tag == "form":
            self.action = told.get("action", "")
        elif tag == "input" and told.get("name"):
            self.fields[told["name"]] = (told.get("autocomplete", ""), told.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        self._in_alert = False

    def handle_data(self, data: str) -> None:
        if self._in_alert:
            self.alert += data


async def sign_in(
    service: str, integration: Integration, who: Credentials, *, tls: ssl.SSLContext | None = None
) -> SignedIn:
    """Sign somebody in at ``service`` (``https://webexapis.com``) and return their token and what they were asked for.

    Raises SignInRefusedError with what a page or Webex says, WebexGoneError where there is no answer, WebexError where
    what is answered makes no sense.
    """
    verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
    digest = hashlib.sha256(verifier.encode()).digest()
    query = {
        "client_id": integration.client_id,
        "redirect_uri": integration.redirect_uri,
        "response_type": "code",
        "scope": " ".join(integration.scopes),
        "state": state,
        "email": who.email,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    async with http_client(timeout=ANSWERS_WITHIN_S, tls=tls) as http:
        try:
            browser = _Browser(http, integration.redirect_uri, who)
            back = await browser.go(f"{service}/v1/authorize?{urlencode(query)}")
            code = _code_in(back, state)
            form = {
                "grant_type": "authorization_code",
                "client_id": integration.client_id,
                "client_secret": integration.client_secret,
                "code": code,
                "redirect_uri": integration.redirect_uri,
                "code_verifier": verifier,
            }
            answer = await http.post(f"{service}/v1/access_token", data=form)
            told = answer.json()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise WebexGoneError(f"no answer while {who.email} signed in: {type(error).__name__}") from None
        except ValueError:
            raise WebexError("the answer to a code was to be JSON with a token") from None
    if answer.is_error or not isinstance(told, dict) or not isinstance(told.get("access_token"), str):
        reason = str(told.get("message", "")) if isinstance(told, dict) else ""
        raise SignInRefusedError(f"Webex gives no token for the code: {answer.status_code} {reason[:MAX_TOLD]}")
    return SignedIn(tuple(browser.factors), told["access_token"])


def _code_in(back: str, state: str) -> str:
    told = {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}
    if told.get("state") != state:
        raise WebexError("Webex sends somebody back with another state than the one that was asked with")
    if "code" not in told:
        raise SignInRefusedError(f"Webex lets nobody in: {told.get('error', 'without a reason')[:MAX_TOLD]}")
    return told["code"]


class _Browser:
    """Goes where it is sent until that is the integration's own address."""

    def __init__(self, http: httpx.AsyncClient, until: str, who: Credentials) -> None:
        self._http, self._until, self._who = http, until, who
        self.factors: list[str] = []

    async def go(self, url: str) -> str:
        """Go from ``url`` on; return the address at which the integration is told."""
        answer = await self._http.get(url)
        for _step in range(MAX_STEPS):
            if answer.is_redirect:
                url = urljoin(url, answer.headers.get("location", ""))
                if urlsplit(url)[:3] == urlsplit(self._until)[:3]:
                    return url
                answer = await self._http.get(url)
                continue
            url, answer = await self._fill_in(url, answer)
        raise WebexError(f"signing in has not ended after {MAX_STEPS} pages")

    async def _fill_in(self, url: str, answer: httpx.Response) -> tuple[str, httpx.Response]:
        if len(answer.content) > MAX_PAGE or not answer.headers.get("content-type", "").startswith("text/html"):
            if answer.is_error:
                raise SignInRefusedError(f"signing in was refused with {answer.status_code}")
            raise WebexError(f"{urlsplit(url).path} is no page to sign in at")
        page = _Page(answer.text)
        if page.alert or answer.is_error:
            reason = " ".join(page.alert.split())[:MAX_TOLD] or "without a reason"
            raise SignInRefusedError(f"the identity provider says: {reason} ({answer.status_code})")
        if page.action is None:
            raise WebexError("the identity provider's page has no form: it needs a person, or a browser with script")
        action = urljoin(url, page.action)
        if urlsplit(action)[:2] != urlsplit(url)[:2]:
            raise WebexError(f"the page's form goes to {urlsplit(action).netloc[:MAX_TOLD]!r}, which is elsewhere")
        filled = {name: self._value(kind, given) for name, (kind, given) in page.fields.items()}
        return action, await self._http.post(action, data=filled)

    def _value(self, kind: str, given: str) -> str:
        if kind in _FACTORS:
            self.factors.append(_FACTORS[kind])
        return {
            "username": lambda: self._who.email,
            "current-password": lambda: self._who.password,
            "one-time-code": self._who.code,
        }.get(kind, lambda: given)()
