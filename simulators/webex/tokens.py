"""Access tokens: who acts with which scopes until when; refreshed, revoked, and had by OAuth 2.0's code grant."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from simulators.webex.errors import WebexError, full, unauthenticated, unfit
from simulators.webex.settings import IntegrationSettings

MAX_TOKENS: Final = 20_000
MAX_SECRET: Final = 1_024
"""Characters of a token that is looked at."""
REFRESH_LIVES_S: Final = 90 * 86_400.0
"""Seconds for which a refresh token serves; each use gives it as long again."""
CODE_LIVES_S: Final = 300.0
PERSONAL: Final = "personal"
"""The client of a token that no integration asked for."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token serves for."""

    person_id: str
    scopes: frozenset[str]
    client_id: str
    ends: float
    """Seconds since 1970."""
    family: str
    """The authorisation that it comes from: revoked with it."""


@dataclass(frozen=True, slots=True)
class Issued:
    """Tokens as they are handed out, once."""

    access_token: str
    expires_in: int
    refresh_token: str | None
    scopes: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Code:
    grant: Grant
    redirect_uri: str
    challenge: str | None


def _digest(secret: str) -> bytes:
    """Tokens are kept as digests: what is looked up does not tell by its time how much of it was right."""
    return hashlib.sha256(secret.encode(errors="replace")).digest()


class Tokens:
    """Every token, code and authorisation."""

    def __init__(self, now: Callable[[], float], lives_s: float, integrations: tuple[IntegrationSettings, ...]) -> None:
        """``now``: seconds since 1970."""
        self._now = now
        self._lives_s = lives_s
        self._integrations = {each.client_id: each for each in integrations}
        self._access: dict[bytes, Grant] = {}
        self._refresh: dict[bytes, Grant] = {}
        self._codes: dict[bytes, _Code] = {}

    def issue(
        self,
        person_id: str,
        scopes: frozenset[str],
        *,
        lives_s: float | None = None,
        client_id: str = PERSONAL,
        family: str | None = None,
        refreshable: bool = False,
    ) -> Issued:
        """Hand out an access token, and a refresh token where ``refreshable``. Raises WebexError when it is full."""
        self._forget_ended()
        if len(self._access) + len(self._refresh) >= MAX_TOKENS:
            raise full("tokens", MAX_TOKENS)
        lasting = self._lives_s if lives_s is None else lives_s
        family = family or secrets.token_hex(8)
        access = secrets.token_urlsafe(48)
        self._access[_digest(access)] = Grant(person_id, scopes, client_id, self._now() + lasting, family)
        refresh = secrets.token_urlsafe(48) if refreshable else None
        if refresh is not None:
            ends = self._now() + REFRESH_LIVES_S
            self._refresh[_digest(refresh)] = Grant(person_id, scopes, client_id, ends, family)
        return Issued(access, int(lasting), refresh, scopes)

    def look(self, secret: str) -> Grant:
        """What an access token serves for. Raises WebexError, 401, for one that was never, or is no longer, valid."""
        key = _digest(secret) if len(secret) <= MAX_SECRET else b""
        grant = self._access.get(key)
        if grant is None:
            raise unauthenticated()
        if grant.ends <= self._now():
            del self._access[key]
            raise unauthenticated("The access token has expired.")
        return grant

    def integration(self, client_id: str) -> IntegrationSettings:
        """An integration. Raises WebexError, 400."""
        found = self._integrations.get(client_id)
        if found is None:
            raise unfit("invalid_client: there is no such integration")
        return found

    def code(
        self, integration: IntegrationSettings, person_id: str, scopes: frozenset[str], challenge: str | None
    ) -> str:
        """A code with which an integration can have tokens once; ``challenge``: PKCE's, by S256 (RFC 7636)."""
        self._forget_ended()
        if len(self._codes) >= MAX_TOKENS:
            raise full("codes", MAX_TOKENS)
        code = secrets.token_urlsafe(32)
        grant = Grant(person_id, scopes, integration.client_id, self._now() + CODE_LIVES_S, secrets.token_hex(8))
        self._codes[_digest(code)] = _Code(grant, integration.redirect_uri, challenge)
        return code

    def redeem(self, client_id: str, client_secret: str, code: str, redirect_uri: str, verified: str | None) -> Issued:
        """Tokens for a code. Raises WebexError: 400 or 401."""
        self._authenticate(client_id, client_secret)
        found = self._codes.pop(_digest(code), None)
        if found is None or found.grant.ends <= self._now() or found.grant.client_id != client_id:
            raise unfit("invalid_grant: the code is unknown, was used before or has expired")
        if found.redirect_uri != redirect_uri:
            raise unfit("invalid_grant: the redirect_uri is not the one that the code was asked with")
        if found.challenge is not None and found.challenge != verified:
            raise unfit("invalid_grant: the code_verifier does not fit the code_challenge")
        grant = found.grant
        return self.issue(grant.person_id, grant.scopes, client_id=client_id, family=grant.family, refreshable=True)

    def refresh(self, client_id: str, client_secret: str, refresh_token: str) -> Issued:
        """A new access token; the refresh token stays as it is, and serves from now on as long as a new one."""
        self._authenticate(client_id, client_secret)
        key = _digest(refresh_token)
        grant = self._refresh.get(key)
        if grant is None or grant.ends <= self._now() or grant.client_id != client_id:
            raise unfit("invalid_grant: the refresh token is unknown, was revoked or has expired")
        issued = self.issue(grant.person_id, grant.scopes, client_id=client_id, family=grant.family)
        ends = self._now() + REFRESH_LIVES_S
        self._refresh[key] = Grant(grant.person_id, grant.scopes, client_id, ends, grant.family)
        return Issued(issued.access_token, issued.expires_in, refresh_token, issued.scopes)

    def revoke_person(self, person_id: str, client_id: str | None = None) -> int:
        """End every token of somebody, or those that one client has; return how many."""
        return self._end(lambda each: each.person_id == person_id and client_id in {None, each.client_id})

    def revoke_family(self, person_id: str, family: str) -> int:
        """End one authorisation of somebody; return how many tokens that were."""
        return self._end(lambda each: (each.person_id, each.family) == (person_id, family))

    def authorisations(self, person_id: str) -> list[Grant]:
        """What somebody has let act for them: each once."""
        self._forget_ended()
        found = [
            each for kept in (self._refresh, self._access) for each in kept.values() if each.person_id == person_id
        ]
        return list({each.family: each for each in reversed(found)}.values())

    def _end(self, which: Callable[[Grant], bool]) -> int:
        count = 0
        for kept in (self._access, self._refresh):
            for key in [key for key, grant in kept.items() if which(grant)]:
                del kept[key]
                count += 1
        for key in [key for key, code in self._codes.items() if which(code.grant)]:
            del self._codes[key]
        return count

    def _authenticate(self, client_id: str, client_secret: str) -> None:
        wanted = self.integration(client_id).client_secret.get_secret_value()
        if not hmac.compare_digest(wanted.encode(), client_secret.encode(errors="replace")):
            raise WebexError(unauthenticated().status, "invalid_client: the client_secret is wrong")

    def _forget_ended(self) -> None:
        if len(self._access) + len(self._refresh) + len(self._codes) < MAX_TOKENS:
            return
        now = self._now()
        for kept in (self._access, self._refresh):
            for key in [key for key, grant in kept.items() if grant.ends <= now]:
                del kept[key]
        for key in [key for key, code in self._codes.items() if code.grant.ends <= now]:
            del self._codes[key]
