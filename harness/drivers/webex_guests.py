"""Guests of an organisation: made by a service app, or by an older guest issuer's signature; accounts for a time.

A guest that was made is an account like those of the testbed file, by the name ``guest SUBJECT``.
"""

from __future__ import annotations

import base64
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from harness.drivers.webex_sign_in import WebexSignIn
from harness.endpoints.webex import WebexClient
from harness.errors import DriverError, WebexError
from harness.protocols.jwt import signed

SIGNED_FOR_S: Final = 300.0
"""Seconds for which what an issuer signs can be handed in, where nothing else is asked for."""


@dataclass(frozen=True, slots=True)
class GuestIssuer:
    """An application of the older kind that signs for guests."""

    id: str
    secret: Callable[[], str] = field(repr=False)
    """Its secret, in base64."""


@dataclass(frozen=True, slots=True)
class Guest:
    """A guest."""

    account: str
    """By which they act from now on: ``webex.account(guest.account)``."""
    id: str
    """Their personId."""
    email: str
    expires_in: int
    """Seconds for which their token serves."""


class WebexGuests(WebexSignIn):
    """The guests' part of Webex."""

    guest_issuer: GuestIssuer | None = None
    read_only: bool

    @abstractmethod
    async def _let_stay(self, name: str, email: str, token: str) -> None:
        """Let somebody be an account from now on."""

    async def make_guest(self, subject: str, name: str, *, by: str) -> Guest:
        """Make a guest, or know one again, as a service app does. Raises WebexError."""
        told = await (await self.account(by)).ask("POST", "/guests/token", {"subject": subject, "displayName": name})
        return await self._guest(subject, str(told["accessToken"]), int(told["expiresIn"]), by)

    async def sign_guest(
        self, subject: str, name: str, *, secret: str | None = None, signed_for_s: float = SIGNED_FOR_S
    ) -> Guest:
        """Make a guest as a guest issuer does: sign who they are, and have a token for it.

        ``secret``: signed with instead of the issuer's; ``signed_for_s``: how long what was signed is valid. Raises
        WebexRefusedError where Webex does not believe it, DriverError where there is no issuer.
        """
        if self.guest_issuer is None:
            raise DriverError(f"{self.name} has no guest issuer in the testbed file")
        try:
            key = base64.b64decode(self.guest_issuer.secret() if secret is None else secret, validate=True)
        except ValueError:
            raise WebexError(f"{self.name}: the guest issuer's secret is not base64") from None
        claims = {"sub": subject, "name": name, "iss": self.guest_issuer.id, "exp": int(self._clock() + signed_for_s)}
        client = WebexClient(
            f"{self.name} guest issuer", self._service, signed(claims, key), read_only=self.read_only, tls=self._tls
        )
        try:
            told = await client.ask("POST", "/jwt/login")
        finally:
            await client.close()
        return await self._guest(subject, str(told["token"]), int(told["expiresIn"]), self.guest_issuer.id)

    async def _guest(self, subject: str, token: str, expires_in: int, by: str) -> Guest:
        name = f"guest {subject}"
        await self._let_stay(name, "", token)
        me = await (await self.account(name)).ask("GET", "/people/me")
        guest = Guest(name, str(me["id"]), str(me["emails"][0]), expires_in)
        await self._let_stay(name, guest.email, token)
        self._journal.record(self.name, "webex.guest_made", guest=guest.id, by=by)
        return guest
