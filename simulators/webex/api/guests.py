"""How guests are made: by a service app's token, or by the older guest issuers with a token that they sign."""

from __future__ import annotations

import base64
from typing import Annotated, Final

from fastapi import Request
from fastapi.responses import JSONResponse
from pydantic import Field

from harness.errors import JwtError
from harness.protocols.jwt import believed, issuer_of
from simulators.routes import Routes
from simulators.webex.api.asking import Line, Sent, needs
from simulators.webex.cloud import Cloud
from simulators.webex.errors import unauthenticated
from simulators.webex.front import Caller
from simulators.webex.guests import guests_of, welcome
from simulators.webex.shapes import Part

Read = Annotated[Caller, needs("guest-issuer:read", "guest-issuer:write")]
Write = Annotated[Caller, needs("guest-issuer:write")]
GUEST_LIVES_S: Final = 64_799.0
"""Seconds for which a service app's guest's token serves, as the reference's example has it."""
JWT_GUEST_LIVES_S: Final = 21_599.0
"""Seconds for which the token of a guest issuer's guest serves: six hours."""
MAX_SUBJECT: Final = 256


class GuestSent(Sent):
    """A guest."""

    subject: Annotated[str, Field(min_length=1, max_length=MAX_SUBJECT, pattern=r"\S")]
    display_name: Line


class GuestTold(Part):
    """A guest, and a token of theirs."""

    id: str
    subject: str
    display_name: str
    email: str
    access_token: str
    expires_in: int


class GuestsCounted(Part):
    """How many guests there are; what the answer calls them is [unconfirmed]."""

    guest_count: int


def routes(cloud: Cloud) -> Routes:
    """The interface."""
    router = Routes(tags=["guests"])

    @router.post("/guests/token", response_model=GuestTold)
    async def guest(caller: Write, sent: GuestSent) -> JSONResponse:
        """Make a guest, or know one again, and hand out one more token of theirs."""
        app = caller.person
        person, issued = welcome(cloud, app.org_id, app.id, sent.subject, sent.display_name, GUEST_LIVES_S)
        told = GuestTold(
            id=person.id,
            subject=sent.subject,
            display_name=person.display_name,
            email=person.emails[0],
            access_token=issued.access_token,
            expires_in=issued.expires_in,
        )
        return JSONResponse(told.told())

    @router.get("/guests/count", response_model=GuestsCounted)
    async def count(caller: Read) -> JSONResponse:
        """How many guests the service app has."""
        own = guests_of(cloud, caller.person.org_id, caller.person.id)
        return JSONResponse(GuestsCounted(guest_count=len(own)).told())

    @router.post("/jwt/login", include_in_schema=False)
    async def login(request: Request) -> JSONResponse:
        """A token for what a guest issuer signed (deprecated by the service, and served still)."""
        token = request.headers.get("authorization", "").partition(" ")[2].strip()
        try:
            issuer = next((each for each in cloud.settings.guest_issuers if each.id == issuer_of(token)), None)
            if issuer is None:
                raise JwtError("the guest issuer is not known")
            claims = believed(token, base64.b64decode(issuer.secret.get_secret_value()), cloud.store.now())
            subject, name = claims.get("sub"), claims.get("name", "Guest")
            if not _short(subject) or not _short(name):
                raise JwtError(f"a guest has a 'sub' and a 'name' of 1 to {MAX_SUBJECT} characters")
        except JwtError as error:
            raise unauthenticated(f"The guest token is not valid: {error}.") from None
        org = next(iter(cloud.store.organizations)).id
        _, issued = welcome(cloud, org, issuer.id, str(subject), str(name), JWT_GUEST_LIVES_S)
        return JSONResponse({"token": issued.access_token, "expiresIn": issued.expires_in})

    return router


def _short(text: object) -> bool:
    return isinstance(text, str) and bool(text.strip()) and len(text) <= MAX_SUBJECT and text.isprintable()
