"""How tokens are had and given back: OAuth 2.0's code grant with PKCE, refresh, and the authorisations of a person."""

from __future__ import annotations

import base64
import hashlib
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from fastapi import Query, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from simulators.routes import Routes
from simulators.webex.api.asking import needs
from simulators.webex.cloud import Cloud
from simulators.webex.errors import unfit, unknown
from simulators.webex.front import Caller
from simulators.webex.ids import named, uuid_of
from simulators.webex.settings import IntegrationSettings
from simulators.webex.shapes import Person
from simulators.webex.tokens import REFRESH_LIVES_S, Issued

Known = Annotated[Caller, needs("spark:people_read", "spark-admin:people_read", "spark:all")]


def told(issued: Issued) -> dict[str, Any]:
    """Tokens as they are answered."""
    answer: dict[str, Any] = {
        "access_token": issued.access_token,
        "expires_in": issued.expires_in,
        "token_type": "Bearer",
        "scope": " ".join(sorted(issued.scopes)),
    }
    if issued.refresh_token is not None:
        answer |= {"refresh_token": issued.refresh_token, "refresh_token_expires_in": int(REFRESH_LIVES_S)}
    return answer


def _one(form: dict[str, list[str]], name: str) -> str:
    values = form.get(name, [])
    if len(values) != 1 or not values[0]:
        raise unfit(f"invalid_request: {name} is needed, once")
    return values[0]


def _client(request: Request, form: dict[str, list[str]]) -> tuple[str, str]:
    """Which integration asks, and its secret: by HTTP Basic or in the form (RFC 6749 section 2.3.1)."""
    scheme, _, told = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return _one(form, "client_id"), _one(form, "client_secret")
    try:
        client, _, secret = base64.b64decode(told.strip(), validate=True).decode().partition(":")
    except ValueError as error:
        raise unfit("invalid_request: the Authorization header can't be read") from error
    return unquote_plus(client), unquote_plus(secret)


def routes(cloud: Cloud) -> Routes:
    """The interface."""
    router = Routes(tags=["authorisation"])
    _tokens(router, cloud)
    _authorisations(router, cloud)
    return router


def _tokens(router: Routes, cloud: Cloud) -> None:
    """Integrations have tokens."""

    @router.post("/access_token", include_in_schema=False)
    async def access_token(request: Request) -> JSONResponse:
        """Tokens for a code or a refresh token; a form."""
        text = (await request.body()).decode(errors="replace")
        try:
            form = parse_qs(text, max_num_fields=32)
        except ValueError as error:
            raise unfit("invalid_request: the form can't be read") from error
        client, secret = _client(request, form)
        grant = _one(form, "grant_type")
        if grant == "refresh_token":
            return JSONResponse(told(cloud.tokens.refresh(client, secret, _one(form, "refresh_token"))))
        if grant != "authorization_code":
            raise unfit("unsupported_grant_type: authorization_code or refresh_token")
        verifier = form.get("code_verifier", [None])[0]
        verified = None
        if verifier is not None:
            digest = hashlib.sha256(verifier.encode(errors="replace")).digest()
            verified = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        code, redirect = _one(form, "code"), _one(form, "redirect_uri")
        return JSONResponse(told(cloud.tokens.redeem(client, secret, code, redirect, verified)))

    @router.get("/authorize", include_in_schema=False)
    async def authorize(
        client_id: Annotated[str, Query(max_length=128)],
        redirect_uri: Annotated[str, Query(max_length=500)],
        scope: Annotated[str, Query(max_length=4_000)],
        response_type: Annotated[str, Query(pattern="^code$")],
        state: Annotated[str | None, Query(max_length=1_000)] = None,
        email: Annotated[str | None, Query(max_length=254)] = None,
        code_challenge: Annotated[str | None, Query(max_length=128)] = None,
        code_challenge_method: Annotated[str | None, Query(max_length=16)] = None,
    ) -> Response:
        """Let an integration act for somebody, who is sent to the identity provider where there is one.

        Without one there is no sign-in page: ``email`` names who agrees, at once.
        """
        integration = cloud.tokens.integration(client_id)
        if redirect_uri != integration.redirect_uri:
            raise unfit("The redirect_uri is not the integration's.")
        if code_challenge is not None and code_challenge_method != "S256":
            raise unfit("invalid_request: the code_challenge_method is to be S256")
        asked = frozenset(scope.split())
        if asked - set(integration.scopes) or not asked:
            return _sent_back(redirect_uri, state, {"error": "invalid_scope"})
        if cloud.sign_on is not None:
            there = cloud.sign_on.send(client_id, asked, code_challenge, state, email or "")
            return RedirectResponse(there, HTTPStatus.FOUND)
        return agreed(integration, email, asked, code_challenge, state)

    def agreed(
        integration: IntegrationSettings,
        email: str | None,
        scopes: frozenset[str],
        challenge: str | None,
        state: str | None,
    ) -> Response:
        """Send somebody back with a code, or with the reason why there is none."""
        person = next((each for each in cloud.store.people if email is not None and email.lower() in each.emails), None)
        if person is None or not person.login_enabled or person.type == "appuser":
            return _sent_back(integration.redirect_uri, state, {"error": "access_denied"})
        code = cloud.tokens.code(integration, person.id, scopes, challenge)
        return _sent_back(integration.redirect_uri, state, {"code": code})

    @router.get("/sso/callback", include_in_schema=False)
    async def signed_in(
        state: Annotated[str, Query(max_length=256)],
        code: Annotated[str, Query(max_length=1_000)] = "",
    ) -> Response:
        """Take somebody back from the identity provider."""
        if cloud.sign_on is None:
            raise unknown()
        asked = cloud.sign_on.back(state)
        integration = cloud.tokens.integration(asked.client_id)
        email = await cloud.sign_on.who(asked, code)
        return agreed(integration, email, asked.scopes, asked.challenge, asked.state)


def _sent_back(redirect_uri: str, state: str | None, answer: dict[str, str]) -> Response:
    told = ({"state": state} if state is not None else {}) | answer
    joined = "&" if urlsplit(redirect_uri).query else "?"
    return RedirectResponse(f"{redirect_uri}{joined}{urlencode(told)}", HTTPStatus.FOUND)


def _authorisations(router: Routes, cloud: Cloud) -> None:
    """People look at what acts for them, and end it."""

    def whose(caller: Caller, person_id: str | None, email: str | None) -> Person:
        if person_id is None and email is None:
            return caller.person
        person = cloud.whom(caller, person_id, email)
        if person is not caller.person:
            caller.needs("spark-admin:people_read")
        return person

    @router.get("/authorizations", include_in_schema=False)
    async def authorizations(
        caller: Known,
        person_id: Annotated[str | None, Query(alias="personId", max_length=512)] = None,
        person_email: Annotated[str | None, Query(alias="personEmail", max_length=254)] = None,
    ) -> JSONResponse:
        """What somebody has let act for them; of others for an administrator."""
        person = whose(caller, person_id, person_email)
        items = [
            {
                "id": named("AUTHORIZATION", each.family),
                "applicationId": named("APPLICATION", each.client_id),
                "applicationName": each.client_id,
                "scope": sorted(each.scopes),
                "created": cloud.store.stamp(),
                "type": "refresh" if each.client_id != "personal" else "access",
            }
            for each in cloud.tokens.authorisations(person.id)
        ]
        return JSONResponse({"items": items})

    @router.delete("/authorizations/{authorization_id}", include_in_schema=False)
    async def revoke(caller: Known, authorization_id: str) -> Response:
        """End one's own authorisation: its tokens serve no more."""
        family = uuid_of(authorization_id, "AUTHORIZATION")
        if family is None or not cloud.tokens.revoke_family(caller.person.id, family):
            raise unknown("authorization")
        return Response(status_code=HTTPStatus.NO_CONTENT)

    @router.delete("/authorizations", include_in_schema=False)
    async def revoke_client(
        caller: Known, client_id: Annotated[str, Query(alias="clientId", max_length=128)]
    ) -> Response:
        """End all of one's own authorisations of one integration."""
        if not cloud.tokens.revoke_person(caller.person.id, client_id):
            raise unknown("authorization")
        return Response(status_code=HTTPStatus.NO_CONTENT)
