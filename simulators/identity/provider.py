"""Who may sign in: passwords, one-time codes taken once, accounts locked after failures, and codes for Webex.

Theory, one sign-in:

| state    | what comes         | next                                                             |
|----------|--------------------|------------------------------------------------------------------|
| begun    | right password     | known (a second factor is due), or done where none is asked for   |
| begun    | wrong password     | begun; the account's failures + 1                                 |
| known    | right code         | done: a grant for Webex, once, GRANT_LIVES_S long                 |
| known    | wrong or old code  | known; the account's failures + 1                                 |
| any      | SIGN_IN_LIVES_S    | gone                                                             |

A wrong address and a wrong password are told alike.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from harness.errors import LocalError
from harness.protocols.jwt import signed
from harness.protocols.totp import CodeCheck, secret_of
from simulators.identity.settings import IdentityAccount, IdentitySettings

SIGN_IN_LIVES_S: Final = 300.0
"""Seconds for which a sign-in that was begun can be gone on with."""
GRANT_LIVES_S: Final = 60.0
TOKEN_LIVES_S: Final = 300.0
MAX_SIGN_INS: Final = 1_000
"""Sign-ins under way; of more the oldest are forgotten."""
WRONG: Final = "The address or the password is wrong."


class RefusedError(LocalError):
    """Somebody is not let in; the text is for them."""


@dataclass(slots=True)
class SignIn:
    """One sign-in under way."""

    client_id: str
    redirect_uri: str
    state: str
    nonce: str
    challenge: str
    ends: float
    account: IdentityAccount | None = None
    """Who has given the right password."""


@dataclass(slots=True)
class _Known:
    """What is remembered of an account."""

    account: IdentityAccount
    check: CodeCheck | None
    failures: int = 0
    locked_until: float = 0.0


@dataclass(frozen=True, slots=True)
class _Grant:
    email: str
    factors: tuple[str, ...]
    sign_in: SignIn
    ends: float


@dataclass(slots=True)
class Provider:
    """One identity provider; ``client_id`` and ``client_secret`` are those of Webex at it."""

    settings: IdentitySettings
    now: Callable[[], float]
    client_id: str
    client_secret: bytes
    redirect_uris: set[str] = field(default_factory=set)
    """Where Webex is told."""
    _people: dict[str, _Known] = field(init=False)
    _sign_ins: dict[str, SignIn] = field(default_factory=dict)
    _grants: dict[str, _Grant] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._people = {each.email.lower(): _Known(each, _check(each)) for each in self.settings.accounts}

    def begin(self, client_id: str, redirect_uri: str, state: str, nonce: str, challenge: str) -> str:
        """Begin a sign-in; return its name. Raises RefusedError for an application that is not known."""
        if client_id != self.client_id or redirect_uri not in self.redirect_uris or not challenge:
            raise RefusedError("This application is not known here.")
        while len(self._sign_ins) >= MAX_SIGN_INS:
            del self._sign_ins[next(iter(self._sign_ins))]
        name = secrets.token_urlsafe(24)
        ends = self.now() + SIGN_IN_LIVES_S
        self._sign_ins[name] = SignIn(client_id, redirect_uri, state, nonce, challenge, ends)
        return name

    def password(self, name: str, email: str, password: str) -> str | None:
        """Take a password; return the grant where no second factor is asked for. Raises RefusedError."""
        sign_in = self._sign_in(name)
        known = self._people.get(email.lower())
        wanted = known.account.password.get_secret_value() if known is not None else secrets.token_hex(8)
        right = hmac.compare_digest(wanted.encode(), password.encode(errors="replace"))
        if known is None:
            raise RefusedError(WRONG)
        self._not_locked(known)
        if not right:
            self._failed(known)
            raise RefusedError(WRONG)
        if self.settings.second_factor == "off":
            known.failures = 0
            return self._done(name, sign_in, known, ("pwd",))
        if known.check is None:
            raise RefusedError("A second factor is needed, and this account has none.")
        sign_in.account = known.account
        return None

    def code(self, name: str, code: str) -> str:
        """Take a one-time code after the password; return the grant. Raises RefusedError."""
        sign_in = self._sign_in(name)
        if sign_in.account is None:
            raise RefusedError("The password comes first.")
        known = self._people[sign_in.account.email.lower()]
        self._not_locked(known)
        assert known.check is not None, "without a second factor nobody comes so far"
        if not known.check.take(code.strip(), self.now()):
            self._failed(known)
            raise RefusedError("The code is wrong, has expired, or was used before.")
        known.failures = 0
        return self._done(name, sign_in, known, ("pwd", "otp", "mfa"))

    def asked_by(self, name: str) -> SignIn:
        """A sign-in under way. Raises RefusedError."""
        return self._sign_in(name)

    def identity_token(self, client_id: str, client_secret: str, given: tuple[str, str, str], issuer: str) -> str:
        """Who a grant is of, as Webex has it: an ID token (OpenID Connect Core section 2). Raises RefusedError.

        ``given``: the grant, where it was sent, and PKCE's verifier.
        """
        grant, redirect_uri, verifier = given
        right = hmac.compare_digest(self.client_secret, client_secret.encode(errors="replace"))
        found = self._grants.pop(grant, None)
        if client_id != self.client_id or not right:
            raise RefusedError("invalid_client")
        digest = hashlib.sha256(verifier.encode(errors="replace")).digest()
        verified = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            found is None
            or found.ends <= self.now()
            or found.sign_in.redirect_uri != redirect_uri
            or not hmac.compare_digest(found.sign_in.challenge.encode(errors="replace"), verified.encode())
        ):
            raise RefusedError("invalid_grant")
        now = int(self.now())
        claims = {
            "iss": issuer,
            "aud": self.client_id,
            "sub": hashlib.sha256(found.email.encode()).hexdigest()[:32],
            "email": found.email,
            "amr": list(found.factors),
            "nonce": found.sign_in.nonce,
            "iat": now,
            "exp": now + int(TOKEN_LIVES_S),
        }
        return signed(claims, self.client_secret)

    def _sign_in(self, name: str) -> SignIn:
        found = self._sign_ins.get(name)
        if found is None or found.ends <= self.now():
            self._sign_ins.pop(name, None)
            raise RefusedError("This sign-in is over: begin again.")
        return found

    def _done(self, name: str, sign_in: SignIn, known: _Known, factors: tuple[str, ...]) -> str:
        del self._sign_ins[name]
        while len(self._grants) >= MAX_SIGN_INS:
            del self._grants[next(iter(self._grants))]
        grant = secrets.token_urlsafe(32)
        self._grants[grant] = _Grant(known.account.email.lower(), factors, sign_in, self.now() + GRANT_LIVES_S)
        return grant

    def _not_locked(self, known: _Known) -> None:
        if known.locked_until > self.now():
            raise RefusedError("This account is locked for now: too many tries failed.")

    def _failed(self, known: _Known) -> None:
        known.failures += 1
        if known.failures >= self.settings.failures:
            known.failures, known.locked_until = 0, self.now() + self.settings.locked_s


def _check(account: IdentityAccount) -> CodeCheck | None:
    secret = account.totp_secret
    return CodeCheck(secret_of(secret.get_secret_value())) if secret is not None else None
