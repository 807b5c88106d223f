"""What the SDK wxc-sdk does with a Webex in one go, in a process of its own: it blocks, and keeps its base global.

Reads ``{"base", "token", "part", "words"}`` from standard input, writes what it saw as JSON.
"""

from __future__ import annotations

import base64
import hmac
import json
import struct
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import requests
from wxc_sdk import WebexSimpleApi
from wxc_sdk.base import webex_id_to_uuid
from wxc_sdk.integration import Integration
from wxc_sdk.licenses import LicenseProperties, LicenseRequest, LicenseRequestOperation
from wxc_sdk.meetings import InviteeForCreateMeeting
from wxc_sdk.memberships import Membership
from wxc_sdk.org_contacts import Contact, ContactEmail, ContactPhoneNumber, EmailType
from wxc_sdk.people import Person
from wxc_sdk.rest import RestError, RestSession
from wxc_sdk.scim.bulk import BulkMethod, BulkOperation
from wxc_sdk.scim.child import ScimApiChild
from wxc_sdk.scim.groups import ScimGroup, ScimGroupMember
from wxc_sdk.scim.users import (
    EnterpriseUser,
    NameObject,
    PatchUserOperation,
    PatchUserOperationOp,
    ScimPhoneNumberType,
    ScimUser,
    UserPhoneNumber,
    UserTypeObject,
)
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


def signing_in(_api: WebexSimpleApi, *words: str) -> dict[str, Any]:
    email, password, secret = words
    integration = Integration(
        client_id="C1",
        client_secret="s3cret",
        scopes="spark:all",
        redirect_url="http://127.0.0.1:9/done",
        auth_service=f"{RestSession.BASE}/authorize",
        token_service=f"{RestSession.BASE}/access_token",
    )
    browser = requests.Session()
    page = browser.get(integration.auth_url("mine"))
    page = browser.post(urljoin(page.url, "/password"), data={"username": email, "password": password})
    answer = browser.post(urljoin(page.url, "/code"), data={"code": _code(secret)}, allow_redirects=False)
    back = browser.get(answer.headers["location"], allow_redirects=False).headers["location"]
    told = dict(parse_qsl(urlsplit(back).query))
    me = WebexSimpleApi(tokens=integration.tokens_from_code(told["code"])).people.me()
    return {"me": me.emails, "state": told["state"]}


def _code(secret: str) -> str:
    """A one-time code, written from RFC 6238 anew: neither side's own."""
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", int(time.time()) // 30), "sha1")
    return f"{(struct.unpack_from('>I', digest, digest[19] & 15)[0] & 0x7FFFFFFF) % 1_000_000:06d}"


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


def directory(api: WebexSimpleApi, *_words: str) -> dict[str, Any]:
    ScimApiChild.ep = _beside  # type: ignore[method-assign]  # the SDK has SCIM at the service's own host only
    org = webex_id_to_uuid(api.people.me().org_id)
    assert org is not None
    users, groups = api.scim.users, api.scim.groups
    user = ScimUser(
        user_name="eilidh@force.example",
        user_type=UserTypeObject.user,
        name=NameObject(given_name="Eilidh", family_name="Kerr"),
        external_id="E7",
        active=True,
        phone_numbers=[UserPhoneNumber(value="2077", type=ScimPhoneNumberType.work_extension)],
        enterprise_user=EnterpriseUser(department="Control", employee_number="7"),
    )
    made = users.create(org, user)
    assert made.id is not None
    person = next(iter(api.people.list(email="eilidh@force.example")))
    found = users.search(org, filter='userName eq "eilidh@force.example"', attributes="userName")
    everybody = [each.user_name for each in users.search_all(org, count=2)]
    left = users.patch(
        org, made.id, [PatchUserOperation(op=PatchUserOperationOp.replace, path="active", value="false")]
    )
    back = users.update(org, left.model_copy(update={"active": True, "title": "Sergeant"}))
    group = groups.create(org, ScimGroup(display_name="Early", members=[ScimGroupMember(value=made.id, type="user")]))
    assert group.id is not None
    members = [each.display for each in groups.members_all(org, group.id, count=1)]
    listed = [each.display_name for each in groups.search_all(org, count=1, include_members=True)]
    second = ScimUser(user_name="ewan@force.example", user_type=UserTypeObject.user, display_name="Ewan")
    operations = [
        BulkOperation(method=BulkMethod.post, path="/Users", bulk_id="1", data=second.create_update()),
        BulkOperation(method=BulkMethod.post, path="/Users", bulk_id="2", data=user.create_update()),
        BulkOperation(method=BulkMethod.delete, path=f"/Groups/{group.id}"),
    ]
    bulk = api.scim.bulk.bulk_request(org, operations, fail_on_errors=2).operations or []
    users.delete(org, made.id)
    errors = [each.response.error for each in bulk if each.response is not None]
    return {
        "made": [made.user_name, made.display_name, made.external_id],
        "work": [each.department for each in (made.enterprise_user, back.enterprise_user) if each is not None],
        "person": [person.extension, person.display_name],
        "found": [found.total_results, [each.id == made.id for each in found.resources or ()]],
        "everybody": len(everybody) == len(set(everybody)) and "eilidh@force.example" in everybody,
        "left": left.active,
        "back": [back.active, back.title],
        "groups": [members, listed],
        "bulk": [each.status for each in bulk],
        "second": bulk[0].user_id is not None,
        "refused": [each.error_code for each in errors if each is not None],
        "gone": [each.user_name for each in users.search_all(org, filter='userName eq "eilidh@force.example"')],
    }


def _beside(self: ScimApiChild, path: str | None = None) -> str:
    """Where SCIM is: beside ``/v1`` of the service that is tried."""
    return f"{RestSession.BASE.removesuffix('/v1')}/{self.base}/{path or ''}"


def guests(api: WebexSimpleApi, *_words: str) -> dict[str, Any]:
    first, again = [api.guests.create("visitor", name) for name in ("Ann", "Anna")]
    me = WebexSimpleApi(tokens=first.access_token or "").people.me()
    return {
        "same": first.id == again.id,
        "me": [me.display_name, me.emails == [first.email]],
        "lives": first.expires_in,
    }


def room_tabs(api: WebexSimpleApi, *_words: str) -> dict[str, Any]:
    room = api.rooms.create(title="Tabs")
    assert room.id is not None
    tabs = [api.room_tabs.create_tab(room.id, f"https://{each}.force.example", each) for each in ("log", "wiki", "map")]
    first = tabs[0]
    assert first.id is not None
    changed = api.room_tabs.update_tab(first.id, room.id, "https://diary.force.example", "diary")
    listed = [each.display_name for each in api.room_tabs.list_tabs(room.id, max=2)]
    same = api.room_tabs.tab_details(first.id) == changed
    api.room_tabs.delete_tab(first.id)
    left = [each.content_url for each in api.room_tabs.list_tabs(room.id)]
    api.rooms.delete(room_id=room.id)
    return {
        "mine": first.creator_id == api.people.me().person_id,
        "changed": [changed.display_name, changed.content_url, changed.room_type],
        "listed": listed,
        "same": same,
        "left": left,
    }


def contacts(api: WebexSimpleApi, *_words: str) -> dict[str, Any]:
    org = webex_id_to_uuid(api.people.me().org_id)
    assert org is not None
    book = api.org_contacts
    clerk = Contact(
        display_name="Clerk",
        company_name="Court",
        emails=[ContactEmail(value="clerk@court.example", type=EmailType.work, primary=True)],
        phone_numbers=[ContactPhoneNumber(value="01632960220", type=ScimPhoneNumberType.work)],
    )
    made = book.create(org, clerk)
    assert made.contact_id is not None
    book.update(org, made.contact_id, Contact(title="Sheriff clerk"))
    gate = ContactPhoneNumber(value="01632960221", type=ScimPhoneNumberType.mobile)
    many = [Contact(display_name=f"C{each}", phone_numbers=[gate]) for each in range(3)]
    taken = book.bulk_create_or_update(org, [*many, Contact(display_name="Unreachable")])
    told = book.get(org, made.contact_id)
    listed = [each.display_name for each in book.list(org, limit=2)]
    found = [each.contact_id == made.contact_id for each in book.list(org, keyword="clerk@court")]
    book.delete(org, made.contact_id)
    book.bulk_delete(org, [str(each.contact_id) for each in taken.contacts if each is not None])
    return {
        "told": [told.title, told.company_name, [each.value for each in told.emails or ()]],
        "taken": [len(taken.contacts), [each.status_code for each in taken.failed_contacts]],
        "listed": listed,
        "found": found,
        "left": [each.display_name for each in book.list(org)],
    }


def licences(api: WebexSimpleApi, *_words: str) -> dict[str, Any]:
    made = api.people.create(settings=Person(emails=["eilidh@force.example"], display_name="Eilidh Kerr"))
    calling = next(each for each in api.licenses.list() if each.webex_calling)
    place = next(api.locations.list())
    line = LicenseProperties(location_id=place.location_id, extension="2077")
    given = api.licenses.assign_licenses_to_users(
        person_id=made.person_id, licenses=[LicenseRequest(id=calling.license_id, properties=line)]
    )
    has = api.people.details(person_id=made.person_id, calling_data=True)
    taken = api.licenses.assign_licenses_to_users(
        email="eilidh@force.example",
        licenses=[LicenseRequest(id=calling.license_id, operation=LicenseRequestOperation.remove)],
    )
    api.people.delete_person(person_id=made.person_id)
    return {
        "given": [given.licenses == [calling.license_id], given.email],
        "line": [has.extension, has.location_id == place.location_id],
        "taken": taken.licenses,
    }


def hosted_meeting(api: WebexSimpleApi, *_words: str) -> dict[str, Any]:
    made = api.meetings.create(
        title="Handover",
        start="2031-01-06T06:45:00Z",
        end="2031-01-06T07:00:00Z",
        timezone="Europe/London",
        recurrence="FREQ=WEEKLY;INTERVAL=1;BYDAY=MO,TH",
        host_email="operator@force.example",
        send_email=False,
        invitees=[InviteeForCreateMeeting(email="officer@force.example", panelist=False)],
    )
    theirs = [each.title for each in api.meetings.list(host_email="operator@force.example")]
    own = [each.title for each in api.meetings.list()]
    api.meetings.delete(meeting_id=made.id)
    left = [each.title for each in api.meetings.list(host_email="operator@force.example")]
    return {"made": [made.host_email, made.recurrence], "theirs": theirs, "own": own, "left": left}


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
        signing_in,
        calling,
        call_queues,
        directory,
        guests,
        past_calls,
        room_tabs,
        contacts,
        licences,
        hosted_meeting,
    )
    part = next(each for each in parts if each.__name__ == told["part"])
    json.dump(part(WebexSimpleApi(tokens=told["token"]), *told["words"]), sys.stdout)


if __name__ == "__main__":
    main()
