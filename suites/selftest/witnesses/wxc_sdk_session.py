"""What the SDK wxc-sdk does with a Webex in one go, in a process of its own: it blocks, and keeps its base global.

Reads ``{"base", "token", "part", "words"}`` from standard input, writes what it saw as JSON.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from wxc_sdk import WebexSimpleApi
from wxc_sdk.integration import Integration
from wxc_sdk.memberships import Membership
from wxc_sdk.people import Person
from wxc_sdk.rest import RestError, RestSession
from wxc_sdk.telephony.callqueue import CallQueue, CallQueueCallPolicies, OverflowSetting, QueueSettings
from wxc_sdk.telephony.callqueue.agents import AgentCallQueueSetting
from wxc_sdk.telephony.hg_and_cq import Agent
from wxc_sdk.tokens import Tokens

HOUR = timedelta(hours=1)

LOOKS = 200


def messaging(api: WebexSimpleApi, *_words: str) -> dict[str, Any]:
    room = api.rooms.create(title="SDK")
    joined = api.membership.create(room_id=room.id, person_email="operator@force.example")
    said = api.messages.create(room_id=room.id, markdown="**Hello**")
    reply = api.messages.create(room_id=room.id, parent_id=said.id, text="Reply")
    with TemporaryDirectory() as folder:
        file = Path(folder) / "note.txt"
        file.write_text("from the SDK", encoding="utf-8")
        sent = api.messages.create(room_id=room.id, text="File", files=[str(file)])
    url = sent.files[0]
    content = api.session.get(url, headers={"Authorization": f"Bearer {api.session.access_token}"})
    edited = api.messages.edit(message=reply.model_copy(update={"text": "Edited", "markdown": None, "html": None}))
    listed = [each.text for each in api.messages.list(room_id=room.id)]
    members = sorted(each.person_email for each in api.membership.list(room_id=room.id))
    own = next(iter(api.membership.list(room_id=room.id, person_email="admin@force.example")))
    moderator = api.membership.update(update=Membership(id=own.id, is_moderator=True, is_room_hidden=None))
    renamed = api.rooms.update(update=room.model_copy(update={"title": "Renamed"}))
    direct = api.messages.create(to_person_email="operator@force.example", text="Direct")
    directly = [each.text for each in api.messages.list_direct(person_email="operator@force.example")]
    api.messages.delete(message_id=said.id)
    api.membership.delete(membership_id=joined.id)
    mine = [each.title for each in api.rooms.list()]
    api.rooms.delete(room_id=room.id)
    return {
        "html": said.html,
        "parent": reply.parent_id == said.id,
        "content": content.text,
        "edited": edited.text,
        "listed": listed,
        "members": members,
        "moderator": moderator.is_moderator,
        "renamed": renamed.title,
        "direct": [direct.room_type, directly],
        "mine": mine,
        "left": [each.title for each in api.rooms.list()],
    }


def paging(api: WebexSimpleApi, *_words: str) -> dict[str, Any]:
    room = api.rooms.create(title="Pages")
    for number in range(25):
        api.messages.create(room_id=room.id, text=str(number))
    return {"seen": [each.text for each in api.messages.list(room_id=room.id, max=7)]}


def administering(api: WebexSimpleApi, *_words: str) -> dict[str, Any]:
    me = api.people.me()
    made = api.people.create(settings=Person(emails=["new@force.example"], display_name="New", first_name="New"))
    changed = api.people.update(person=made.model_copy(update={"title": "Constable"}))
    found = [each.display_name for each in api.people.list(email="new@force.example")]
    api.people.delete_person(person_id=made.person_id)
    location = next(iter(api.locations.list()))
    place = api.locations.create(
        name="Leith",
        time_zone="Europe/London",
        preferred_language="en_gb",
        announcement_language="en_gb",
        address1="1 Shore",
        city="Edinburgh",
        state="Scotland",
        postal_code="ZZ1 1AA",
        country="GB",
    )
    workspace = next(iter(api.workspaces.list()))
    device = next(iter(api.devices.list()))
    tagged = api.devices.modify_device_tags(device_id=device.device_id, op="replace", value=["a", "b"])
    now = datetime.now(tz=UTC)
    audited = list(api.admin_audit.list_events(org_id=me.org_id, from_=now - HOUR, to_=now + HOUR))
    return {
        "me": me.emails,
        "title": changed.title,
        "found": found,
        "location": location.name,
        "place": api.locations.details(location_id=place).name,
        "workspace": api.workspaces.details(workspace_id=workspace.workspace_id).display_name,
        "tags": tagged.tags,
        "organizations": [each.display_name for each in api.organizations.list()],
        "licenses": [each.total_units for each in api.licenses.list()],
        "roles": [each.name for each in api.roles.list()],
        "audit": [each.data.event_description for each in audited],
        "events": len(list(api.events.list())) > 0,
    }


def teams_and_webhooks(api: WebexSimpleApi, *words: str) -> dict[str, Any]:
    team = api.teams.create(name="Duty")
    joined = api.team_memberships.create(team_id=team.id, person_email="operator@force.example")
    members = sorted(each.person_email for each in api.team_memberships.list(team_id=team.id))
    hook = api.webhook.create(name="hook", target_url=words[0], resource="messages", event="created", secret="s3cret")
    room = next(iter(api.rooms.list(team_id=team.id)))
    card = {"contentType": "application/vnd.microsoft.card.adaptive", "content": {"type": "AdaptiveCard", "body": []}}
    said = api.messages.create(room_id=room.id, text="Card", attachments=[card])
    listed = [each.name for each in api.webhook.list()]
    api.webhook.webhook_delete(webhook_id=hook.webhook_id)
    api.team_memberships.delete(membership_id=joined.id)
    api.teams.delete(team_id=team.id)
    return {"members": members, "listed": listed, "card": bool(said.attachments)}


def refusals(api: WebexSimpleApi, *_words: str) -> dict[str, Any]:
    def told(act: Any, **given: Any) -> list[Any]:
        try:
            act(**given)
        except RestError as error:
            return [error.response.status_code, bool(error.description), bool(error.detail.tracking_id)]
        return []

    stranger = WebexSimpleApi(tokens="no-such-token")
    return {
        "unknown": told(api.rooms.details, room_id="no-such-room"),
        "stranger": told(stranger.people.me),
        "unfit": told(api.rooms.create, title=""),
        "conflict": told(api.people.create, settings=Person(emails=["admin@force.example"], display_name="Again")),
    }


def refreshing(api: WebexSimpleApi, *words: str) -> dict[str, Any]:
    client_id, client_secret, refresh_token = words
    integration = Integration(
        client_id=client_id,
        client_secret=client_secret,
        scopes="spark:all",
        redirect_url="http://127.0.0.1:9/done",
        token_service=f"{RestSession.BASE}/access_token",
    )
    tokens = Tokens(refresh_token=refresh_token)
    integration.refresh(tokens=tokens)
    me = WebexSimpleApi(tokens=tokens).people.me()
    return {"me": me.emails, "kept": tokens.refresh_token == refresh_token}


def calling(api: WebexSimpleApi, *words: str) -> dict[str, Any]:
    placed = api.telephony.calls.dial(destination=words[0])
    call = api.telephony.calls.call_details(call_id=placed.call_id)
    listed = [each.call_session_id for each in api.telephony.calls.list_calls()]
    api.telephony.calls.hangup(call_id=placed.call_id)
    return {
        "call": [str(call.personality), str(call.state), call.remote_party.number, str(call.remote_party.call_type)],
        "listed": listed == [placed.call_session_id],
        "left": _left(api),
    }


def _left(api: WebexSimpleApi) -> int:
    """The calls left, once the far end has answered the hang-up: at most LOOKS looks."""
    for _ in range(LOOKS):
        if not list(api.telephony.calls.list_calls()):
            return 0
    return len(list(api.telephony.calls.list_calls()))


def past_calls(api: WebexSimpleApi, *_words: str) -> dict[str, Any]:
    return {"history": [[str(each.call_type), each.number] for each in api.telephony.calls.call_history()]}


def call_queues(api: WebexSimpleApi, *_words: str) -> dict[str, Any]:
    queues, people = api.telephony.callqueue, list(api.people.list())
    who = next(each for each in people if each.extension == "2001")
    place = next(api.locations.list())
    told = CallQueue(
        name="Front desk",
        extension="2260",
        agents=[Agent(agent_id=who.person_id)],
        call_policies=CallQueueCallPolicies.default(),
        queue_settings=QueueSettings(queue_size=5, overflow=OverflowSetting.default()),
    )
    made = queues.create(location_id=place.location_id, settings=told)
    seen = queues.details(location_id=place.location_id, queue_id=made)
    queues.agents.update_call_queue_settings(who.person_id, [AgentCallQueueSetting(queue_id=made, join_enabled=False)])
    away = queues.details(location_id=place.location_id, queue_id=made)
    queues.update(location_id=place.location_id, queue_id=made, update=CallQueue(name="Back desk"))
    listed = [each.name for each in queues.list()]
    queues.delete_queue(location_id=place.location_id, queue_id=made)
    return {
        "made": [seen.name, seen.extension, seen.queue_settings.queue_size, seen.agents[0].join_enabled],
        "away": away.agents[0].join_enabled,
        "listed": listed,
        "left": [each.name for each in queues.list()],
    }


def main() -> None:
    told = json.load(sys.stdin)
    RestSession.BASE = told["base"]
    parts = (
        messaging,
        paging,
        administering,
        teams_and_webhooks,
        refusals,
        refreshing,
        calling,
        call_queues,
        past_calls,
    )
    part = next(each for each in parts if each.__name__ == told["part"])
    json.dump(part(WebexSimpleApi(tokens=told["token"]), *told["words"]), sys.stdout)


if __name__ == "__main__":
    main()
