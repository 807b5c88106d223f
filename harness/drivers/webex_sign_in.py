"""How people get into Webex: single sign-on with a second factor, timed from the request to the token.

A simulated Webex has an identity provider whose pages a program can fill in. A real one's need script, an app or a key
in somebody's hand: there a person signs in and takes the time, and what is asked here is not applicable, never a pass.
"""

from __future__ import annotations

import asyncio
import ssl
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from harness.drivers.webex_directory import WebexDirectory
from harness.endpoints.webex import Credentials, Integration, WebexClient, sign_in
from harness.errors import DriverError, ExpectationError, NotApplicableError
from harness.protocols.totp import STEP_S, code_of, secret_of, step_of

BY_HAND: Final = (
    "a real identity provider's pages are for a person: sign in by hand with the second factor and take the time from "
    "the request to the first page of Webex (docs/webex.md)"
)


@dataclass(frozen=True, slots=True)
class Person:
    """By what somebody signs in at a simulated identity provider."""

    password: str = field(repr=False)
    totp_secret: str | None = field(repr=False, default=None)


@dataclass(frozen=True, slots=True)
class SigningIn:
    """The integration that asks for tokens, and who can sign in, by address."""

    integration: Integration
    people: Mapping[str, Person] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """How somebody got in."""

    seconds: float
    """From the request to the token."""
    factors: tuple[str, ...]
    """What they were asked for: ``password``, ``one-time code``."""


class WebexSignIn(WebexDirectory):
    """The signing-in part of Webex."""

    signing_in: SigningIn | None = None
    """None where nobody signs in here: a real Webex, or a simulated one without an identity provider."""
    _service: str
    _tls: ssl.SSLContext | None

    @abstractmethod
    def _last_steps(self) -> dict[str, int]:
        """The step of the last code that each account gave."""

    async def sign_in(
        self,
        account: str,
        *,
        password: str | None = None,
        code: str | None = None,
        code_age_s: float = 0.0,
        replay: bool = False,
    ) -> Entry:
        """Let an account sign in, and see that the token is theirs; journalled as ``webex.signed_in``.

        ``password``, ``code``: what is given instead of the right ones. ``code_age_s``: how old the right code is that
        is given. ``replay``: whether a code may be one that was given before; else the next one is waited for, before
        the time is taken.

        Raises SignInRefusedError with the reason where they are not let in, ExpectationError where somebody else is,
        NotApplicableError of a real Webex, DriverError where there is no identity provider.
        """
        if self._link is None:
            raise NotApplicableError(BY_HAND)
        email = self._email(account)
        person = self.signing_in.people.get(email) if self.signing_in is not None else None
        if self.signing_in is None or person is None:
            raise DriverError(f"{self.name}: {account} has no account at an identity provider ('sign_on' in the file)")
        if not replay:
            await self._next_code(account)

        def current() -> str:
            if code is not None or person.totp_secret is None:
                return code or ""
            step = step_of(self._clock() - code_age_s)
            self._last_steps()[account] = max(step, self._last_steps().get(account, 0))
            return code_of(secret_of(person.totp_secret), step)

        credentials = Credentials(email, person.password if password is None else password, current)
        began = self._journal.now()
        entered = await sign_in(self._service, self.signing_in.integration, credentials, tls=self._tls)
        took = round(self._journal.now() - began, 3)
        await self._is_theirs(account, email, entered.access_token)
        self._journal.record(self.name, "webex.signed_in", account=account, after=took, factors=list(entered.factors))
        return Entry(took, entered.factors)

    async def _is_theirs(self, account: str, email: str, token: str) -> None:
        client = WebexClient(f"{self.name} {account}", self._service, token, read_only=True, tls=self._tls)
        try:
            me = await client.ask("GET", "/people/me")
        finally:
            await client.close()
        if email not in me.get("emails", ()):
            raise ExpectationError(f"{self.name}: {account} signed in, and the token is somebody else's")

    async def _next_code(self, account: str) -> None:
        """Wait until the account's authenticator shows a code that was not given yet: STEP_S at most."""
        wait = (self._last_steps().get(account, -1) + 1) * STEP_S - self._clock()
        if wait > 0:
            await asyncio.sleep(wait)
