"""Webex as an identity provider's client: people are sent there to sign in, and are who the provider says.

OpenID Connect's code flow with PKCE (OpenID Connect Core section 3.1, RFC 7636); the ID token is signed with the
client's secret. Webex takes SAML 2.0 and OpenID Connect; this is the latter.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

import httpx

from harness.errors import JwtError
from harness.protocols.jwt import believed
from harness.transport.https import http_client
from simulators.webex.errors import unfit

CLIENT_ID: Final = "webex"
"""What Webex is called at the provider."""
PENDING_S: Final = 600.0
"""Seconds for which somebody who was sent to the provider may come back."""
MAX_PENDING: Final = 1_000
"""Who is away at the provider; of more the oldest are forgotten."""
ANSWERS_WITHIN_S: Final = 10.0
MAX_ANSWER: Final = 64 * 1024
CALLBACK: Final = "/v1/sso/callback"


@dataclass(frozen=True, slots=True)
class Asked:
    """What an integration asked for before somebody was sent to the provider."""

    client_id: str
    scopes: frozenset[str]
    challenge: str | None
    state: str | None
    nonce: str
    verifier: str
    ends: float


@dataclass(slots=True)
class SignOn:
    """The provider, and who is there now."""

    provider_url: Callable[[], str]
    own_url: Callable[[], str]
    """Where Webex itself is reached."""
    client_secret: str
    now: Callable[[], float]
    _pending: dict[str, Asked] = field(default_factory=dict)
    _http: httpx.AsyncClient | None = None

    @property
    def callback(self) -> str:
        """Where the provider sends people back to."""
        return f"{self.own_url()}{CALLBACK}"

    def send(self, client_id: str, scopes: frozenset[str], challenge: str | None, state: str | None, hint: str) -> str:
        """Where somebody is sent to sign in; ``hint``: whom the integration expects."""
        while len(self._pending) >= MAX_PENDING:
            del self._pending[next(iter(self._pending))]
        name, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        self._pending[name] = Asked(client_id, scopes, challenge, state, nonce, verifier, self.now() + PENDING_S)
        digest = hashlib.sha256(verifier.encode()).digest()
        query = {
            "client_id": CLIENT_ID,
            "redirect_uri": self.callback,
            "response_type": "code",
            "scope": "openid email",
            "state": name,
            "nonce": nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        } | ({"login_hint": hint} if hint else {})
        return f"{self.provider_url()}/authorize?{urlencode(query)}"

    def back(self, state: str) -> Asked:
        """What somebody who comes back had been sent for; once. Raises WebexError, 400."""
        found = self._pending.pop(state, None)
        if found is None or found.ends <= self.now():
            raise unfit("This sign-in was not begun here, was ended before, or took too long.")
        return found

    async def who(self, asked: Asked, code: str) -> str | None:
        """The address of who signed in, as the provider tells it; None where it is not to be believed, or is away."""
        form = {
            "grant_type": "authorization_code",
            "client_id": CLIENT_ID,
            "client_secret": self.client_secret,
            "code": code,
            "redirect_uri": self.callback,
            "code_verifier": asked.verifier,
        }
        if self._http is None:
            self._http = http_client(timeout=ANSWERS_WITHIN_S)
        try:
            answer = await self._http.post(f"{self.provider_url()}/token", data=form)
            told: Any = answer.json() if len(answer.content) <= MAX_ANSWER else None
            claims = believed(str(told["id_token"]), self.client_secret.encode(), self.now())
        except (httpx.HTTPError, ValueError, KeyError, TypeError, JwtError):
            return None
        wanted = {"iss": self.provider_url(), "aud": CLIENT_ID}
        if any(claims.get(name) != value for name, value in wanted.items()):
            return None
        nonce, email = claims.get("nonce"), claims.get("email")
        if not isinstance(nonce, str) or not hmac.compare_digest(nonce.encode(), asked.nonce.encode()):
            return None
        return email if isinstance(email, str) else None

    async def close(self) -> None:
        """Ask the provider no more."""
        if self._http is not None:
            await self._http.aclose()
