"""Webhooks: what is to be told of, and where."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Final, Literal
from urllib.parse import parse_qsl, urlsplit

from fastapi import Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, Field

from simulators.routes import Routes
from simulators.webex.api.asking import Cursor, Items, Line, Most, Sent, after_number, answer, by_number, needs
from simulators.webex.cloud import Cloud
from simulators.webex.errors import conflict, unfit, unknown
from simulators.webex.front import Caller
from simulators.webex.happenings import CALLS
from simulators.webex.ids import named
from simulators.webex.shapes import Webhook

Known = Annotated[Caller, needs("spark:people_read", "spark-admin:people_read")]
FILTERS: Final = {
    "messages": {"roomId", "roomType", "personId", "personEmail", "mentionedPeople", "hasFiles", "hasAttachments"},
    "memberships": {"roomId", "personId", "personEmail", "isModerator"},
    "rooms": {"type", "isLocked"},
    "attachmentActions": {"roomId", "personId"},
    "telephony_calls": {"personality", "state"},
}
"""By what a webhook of each resource can be narrowed."""
EVENTS: Final = {
    "messages": {"created", "updated", "deleted"},
    "memberships": {"created", "updated", "deleted"},
    "rooms": {"created", "updated"},
    "attachmentActions": {"created"},
    "telephony_calls": {"created", "updated", "deleted"},
}
_SCOPES: Final = {
    "messages": "spark:messages_read",
    "memberships": "spark:memberships_read",
    "rooms": "spark:rooms_read",
    "attachmentActions": "spark:messages_read",
    "telephony_calls": "spark:calls_read",
}


def _target(url: str) -> str:
    try:
        parts = urlsplit(url)
        fits = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        fits = False
    if not fits or not url.isprintable() or " " in url:
        raise ValueError("a targetUrl is http:// or https://, and a host")
    return url


Target = Annotated[str, Field(min_length=8, max_length=2_000), AfterValidator(_target)]
Secret = Annotated[str, Field(min_length=1, max_length=256)]


class WebhookSent(Sent):
    """A webhook that is made."""

    name: Line
    target_url: Target
    resource: Literal["messages", "memberships", "rooms", "attachmentActions", "telephony_calls", "all"]
    event: Literal["created", "updated", "deleted", "all"]
    filter: Annotated[str, Field(max_length=2_000)] | None = None
    secret: Secret | None = None
    owned_by: Literal["creator", "org"] | None = None


class WebhookChanged(Sent):
    """What a webhook is to be."""

    name: Line
    target_url: Target
    secret: Secret | None = None
    owned_by: Literal["creator", "org"] | None = None
    status: Literal["active", "inactive"] | None = None


def routes(cloud: Cloud) -> Routes:
    """The interface."""
    router = Routes(prefix="/webhooks", tags=["webhooks"])
    store = cloud.store

    def own(caller: Caller, webhook_id: str) -> Webhook:
        webhook = store.webhooks.get(webhook_id, caller.person.org_id)
        theirs = webhook.created_by == caller.person.id
        if not theirs and not (webhook.owned_by == "org" and caller.is_admin):
            raise unknown("webhook")
        return webhook

    def may_be_orgs(caller: Caller, owned_by: str | None) -> None:
        if owned_by == "org":
            caller.needs("spark-compliance:events_read")

    @router.get("", response_model=Items[Webhook])
    async def webhooks(
        request: Request,
        caller: Known,
        owned_by: Annotated[Literal["creator", "org"] | None, Query(alias="ownedBy")] = None,
        max: Most = 100,
        cursor: Cursor = None,
    ) -> JSONResponse:
        """The caller's webhooks; with ownedBy=org an administrator's, the organisation's."""
        wanted = owned_by or "creator"
        may_be_orgs(caller, owned_by)
        found = [
            each
            for each in store.webhooks.of(caller.person.org_id)
            if each.owned_by == wanted and (wanted == "org" or each.created_by == caller.person.id)
        ]
        return cloud.pager.page(request, after_number(found, cloud.pager.after(request, cursor)), by_number, max)

    @router.post("", response_model=Webhook)
    async def create(caller: Known, sent: WebhookSent) -> JSONResponse:
        """Make one, of what the token may read."""
        for scope in [_SCOPES[sent.resource]] if sent.resource != "all" else set(_SCOPES.values()) - {_SCOPES[CALLS]}:
            caller.needs(scope)
        may_be_orgs(caller, sent.owned_by)
        if sent.resource == "all" and (sent.event != "all" or sent.filter):
            raise unfit("A webhook of all resources is of all events, and has no filter.")
        if sent.resource != "all" and sent.event not in EVENTS[sent.resource] | {"all"}:
            raise unfit(f"{sent.resource} have no event {sent.event!r}.")
        narrowed = parse_qsl(sent.filter or "")
        if sent.filter and not narrowed:
            raise unfit("A filter is written key=value&key=value.")
        for key, _value in narrowed:
            if key not in FILTERS[sent.resource]:
                raise unfit(f"A webhook of {sent.resource} has no filter {key!r}.")
        same = (caller.person.id, sent.target_url, sent.resource, sent.event, sent.filter)
        for each in store.webhooks.of(caller.person.org_id):
            if (each.created_by, each.target_url, each.resource, each.event, each.filter) == same:
                raise conflict("A webhook of the same target, resource, event and filter is there already.")
        webhook = Webhook(
            id=store.webhooks.new_id(),
            org_id=caller.person.org_id,
            created_by=caller.person.id,
            app_id=named("APPLICATION", "simulated"),
            created=store.stamp(),
            **{"owned_by": "creator"} | sent.model_dump(exclude_none=True),
        )
        store.webhooks.add(webhook, caller.person.org_id)
        return answer(webhook)

    @router.get("/{webhook_id}", response_model=Webhook)
    async def webhook(caller: Known, webhook_id: str) -> JSONResponse:
        """One of the caller's."""
        return answer(own(caller, webhook_id))

    @router.put("/{webhook_id}", response_model=Webhook)
    async def update(caller: Known, webhook_id: str, sent: WebhookChanged) -> JSONResponse:
        """Change one, or switch one on again that was switched off."""
        webhook = own(caller, webhook_id)
        may_be_orgs(caller, sent.owned_by)
        for name, value in sent.model_dump(exclude_none=True).items():
            setattr(webhook, name, value)
        return answer(webhook)

    @router.delete("/{webhook_id}", status_code=HTTPStatus.NO_CONTENT)
    async def delete(caller: Known, webhook_id: str) -> Response:
        """Delete one: nothing more is sent."""
        webhook = own(caller, webhook_id)
        cloud.deliveries.forget(webhook)
        store.webhooks.remove(webhook)
        return Response(status_code=HTTPStatus.NO_CONTENT)

    return router
