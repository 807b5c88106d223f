"""What happened: into the organisation's events, to whoever looks on, and to the webhooks that ask for it."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qsl

from simulators.events import Events
from simulators.webex.delivery import Deliveries
from simulators.webex.ids import named, new_uuid
from simulators.webex.shapes import AuditEvent, Event, Person, Webhook
from simulators.webex.store import Store

FIREHOSE: Final = "all"
CALLS: Final = "telephony_calls"
"""Only a webhook of its own hears of these."""
ROOMED: Final = frozenset({"messages", "memberships", "rooms", "attachmentActions"})
"""Of these the members of the room hear."""


class Happenings:
    """Tells what happened."""

    def __init__(self, store: Store, events: Events, deliveries: Deliveries) -> None:
        self._store, self._events, self._deliveries = store, events, deliveries

    def tell(
        self, resource: str, event: str, actor: Person, data: dict[str, Any], seen_by: frozenset[str] = frozenset()
    ) -> None:
        """Tell of it; ``seen_by``: the people whose webhooks hear of it, beside those that an administrator made."""
        org = actor.org_id
        stamp = self._store.stamp()
        app = named("APPLICATION", "simulated")
        self._store.events.add(
            Event(
                id=self._store.events.new_id(),
                resource=resource,
                type=event,
                app_id=app,
                actor_id=actor.id,
                org_id=org,
                created=stamp,
                data=data,
            ),
            org,
        )
        self.notify(resource, event, actor, data, seen_by)

    def notify(
        self, resource: str, event: str, actor: Person, data: dict[str, Any], seen_by: frozenset[str] = frozenset()
    ) -> None:
        """Tell whoever looks on and webhooks of it, and leave it out of the organisation's events."""
        self._events.tell(f"{resource}.{event}", id=data.get("id"), actor=actor.id)
        for webhook in self._store.webhooks.of(actor.org_id):
            if self._wants(webhook, resource, event, data, seen_by):
                told = webhook.told() | {"resource": resource, "event": event, "actorId": actor.id, "data": data}
                told.pop("secret", None)
                self._deliveries.send(webhook, told)

    def _wants(
        self, webhook: Webhook, resource: str, event: str, data: dict[str, Any], seen_by: frozenset[str]
    ) -> bool:
        if webhook.status != "active" or webhook.resource not in {resource, FIREHOSE}:
            return False
        if webhook.resource == FIREHOSE and resource == CALLS:
            return False
        if webhook.event not in {event, FIREHOSE}:
            return False
        if webhook.owned_by != "org" and webhook.created_by not in seen_by:
            return False
        return all(_fits(key, wanted, data, webhook.created_by) for key, wanted in parse_qsl(webhook.filter or ""))

    def audit(
        self,
        actor: Person,
        category: str,
        text: str,
        target: str,
        target_id: str,
        *,
        agent: str,
        ip: str,
        tracking: str,
    ) -> None:
        """Note what an administrator did: ``category`` and ``target`` in the words of the audit events' reference."""
        organization = self._store.organizations.get(actor.org_id, actor.org_id)
        names = [role.name for role in self._store.roles if role.id in (actor.roles or ())]
        data: dict[str, Any] = {
            "actorOrgName": organization.display_name,
            "targetName": target_id,
            "eventDescription": text,
            "actorName": actor.display_name,
            "actorEmail": actor.emails[0],
            "adminRoles": names,
            "trackingId": tracking,
            "targetType": target,
            "targetId": target_id,
            "eventCategory": category,
            "actorUserAgent": agent,
            "actorIp": ip,
            "targetOrgId": actor.org_id,
            "targetOrgName": organization.display_name,
            "actionText": f"{actor.display_name} {text}",
        }
        event = AuditEvent(
            id=named("ADMIN_EVENT", new_uuid(self._store.rng)),
            actor_id=actor.id,
            actor_org_id=actor.org_id,
            created=self._store.stamp(),
            data=data,
        )
        self._store.audit.add(event, actor.org_id)
        self._events.tell("audit", category=category, target=target_id, actor=actor.id)


def _fits(key: str, wanted: str, data: dict[str, Any], owner: str) -> bool:
    if key == "hasFiles":
        return bool(data.get("files")) == (wanted == "true")
    if key == "hasAttachments":
        return bool(data.get("attachments")) == (wanted == "true")
    if key == "mentionedPeople":
        return (owner if wanted == "me" else wanted) in data.get("mentionedPeople", ())
    found = data.get(key)
    return str(found).lower() == wanted.lower() if isinstance(found, bool) else found == wanted
