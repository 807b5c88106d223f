"""People and groups as directories see them by SCIM: told, made, replaced, patched and removed, in one people store.

Theory. What a directory sends is laid over the account that the people's interface tells, too: an address, a name, a
number are the same ones. What only SCIM has is kept beside it. Whatever is refused is refused before anything changed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Any, Final

from fastapi import Request
from pydantic import ValidationError

from harness.protocols.scim import Operation, patched
from simulators.webex.cloud import Cloud
from simulators.webex.errors import conflict, forbidden, unfit, unknown
from simulators.webex.filling import ROLES
from simulators.webex.front import Caller
from simulators.webex.ids import named, uuid_of
from simulators.webex.leaving import disable, remove_person
from simulators.webex.paging import base_url
from simulators.webex.scim_messages import MESSAGES, SCIM
from simulators.webex.scim_shapes import (
    CORE_GROUP,
    CORE_USER,
    ENTERPRISE,
    EXTENSION,
    GROUP,
    GROUP_SCHEMAS,
    USER,
    USER_SCHEMAS,
    WEBEX_GROUP,
    WEBEX_USER,
    Group,
    GroupSent,
    PatchSent,
    UserSent,
)
from simulators.webex.shapes import Person, PhoneNumber, SipAddress

PEOPLE: Final = "PEOPLE"
GROUPS: Final = "SCIM_GROUP"
ROLE_OF: Final = {"administrator": "id_full_admin", "read_only_administrator": "id_readonly_admin"}
"""What a role of `filling.ROLES` is called by SCIM."""
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_EXTENSION: Final = re.compile(r"[0-9]{1,10}")
_NAMES: Final = {"givenName": "first_name", "familyName": "last_name"}
_PLAIN: Final = {"nickName": "nick_name", "title": "title", "timezone": "timezone"}
"""Attributes that are an account's own fields."""


class Directory:
    """One organisation as a directory provisions it, by one request."""

    def __init__(self, cloud: Cloud, request: Request, caller: Caller, org: str) -> None:
        """``org``: the organisation's UUID. Raises WebexError, 404, for one that is not the caller's."""
        own = uuid_of(caller.person.org_id, "ORGANIZATION")
        assert own is not None
        if org.lower() != own:
            raise unknown("organization")
        self._cloud, self._store, self._caller, self._request = cloud, cloud.store, caller, request
        self._org, self._tenant = own, caller.person.org_id
        self.base = f"{base_url(request)}{SCIM}{own}/v2"

    # Users

    def users(self) -> list[Person]:
        """All, in the order in which they were made; bots and guests are none."""
        return [each for each in self._store.people.of(self._tenant) if each.type == "person"]

    def user(self, uuid: str) -> Person:
        """One. Raises WebexError, 404."""
        found = self._store.people.find(named(PEOPLE, uuid.lower()), self._tenant) if _UUID.fullmatch(uuid) else None
        if found is None or found.type != "person":
            raise unknown("user")
        return found

    def location(self, it: Person | Group) -> str:
        """Where one is reached."""
        return f"{self.base}/{'Groups' if isinstance(it, Group) else 'Users'}/{_uuid(it)}"

    def told(self, person: Person, *, groups: bool = False) -> dict[str, Any]:
        """A user, in SCIM's names; with the groups that they are in where ``groups``."""
        scim = person.scim
        email = person.emails[0]
        name = {**scim.get("name", {}), **{key: getattr(person, field) for key, field in _NAMES.items()}}
        enterprise = {**scim.get(ENTERPRISE, {}), "department": person.department}
        manager = enterprise.get("manager")
        if manager is not None:
            enterprise["manager"] = {**manager, "$ref": f"{self.base}/Users/{manager['value']}"}
        told: dict[str, Any] = {
            "schemas": list(USER_SCHEMAS),
            "id": _uuid(person),
            "userName": email,
            "active": person.login_enabled,
            "userType": scim.get("userType", "user"),
            "displayName": person.display_name,
            "name": _some(name),
            "emails": [{"value": email, "type": "work", "primary": True}, *scim.get("emails", ())],
            "phoneNumbers": _numbers(person),
            "roles": self._roles(person),
            ENTERPRISE: _some(enterprise),
            WEBEX_USER: {
                "accountStatus": ["active" if person.login_enabled else "inactive"],
                "sipAddresses": [each.told() for each in person.sip_addresses],
                "meta": {"organizationId": self._org},
            },
        }
        told |= {key: getattr(person, field) for key, field in _PLAIN.items()}
        kept = ("externalId", "preferredLanguage", "locale", "profileUrl", "addresses", "photos")
        told |= {key: scim.get(key) for key in kept}
        if groups:
            told["groups"] = [
                {"value": _uuid(each), "display": each.display_name, "$ref": self.location(each)}
                for each in self.groups()
                if person.id in each.members
            ]
        return _some(told) | {"meta": self._meta("User", person, told)}

    def make_user(self, sent: UserSent) -> Person:
        """Make an account. Raises WebexError."""
        fields, scim = self._fields(sent, None)
        self._store.people.need_room()
        now = self._store.stamp()
        made = Person(id=self._store.people.new_id(), org_id=self._tenant, created=now, last_modified=now, **fields)
        made.provisioned(scim)
        self._store.people.add(made, self._tenant)
        self._audit("created a user", "PERSON", made.id)
        return made

    def replace_user(self, person: Person, sent: UserSent) -> Person:
        """Let an account be as it is told: what is left out is emptied. Raises WebexError."""
        fields, scim = self._fields(sent, person)
        own = person is self._caller.person
        if own and (not fields["login_enabled"] or fields["roles"] != (person.roles or [])):
            raise forbidden("An administrator can't disable their own account, or change its roles.")
        ended = fields["roles"] != (person.roles or [])
        blocked = person.login_enabled and not fields["login_enabled"]
        for field, value in fields.items():
            setattr(person, field, value)
        person.provisioned(scim)
        person.last_modified = self._store.stamp()
        if blocked:
            disable(self._cloud, person)
        elif ended:
            self._cloud.tokens.revoke_person(person.id)
        self._audit("updated a user", "PERSON", person.id)
        return person

    def patch_user(self, person: Person, sent: PatchSent) -> Person:
        """Change single attributes of an account. Raises WebexError or ScimError; nothing is changed then."""
        return self.replace_user(person, _valid(UserSent, patched(self.told(person), _operations(sent), USER)))

    def remove_user(self, person: Person) -> None:
        """Remove an account. Raises WebexError for one's own."""
        if person is self._caller.person:
            raise forbidden("An administrator can't delete their own account.")
        remove_person(self._cloud, person)
        self._audit("deleted a user", "PERSON", person.id)

    def _fields(self, sent: UserSent, person: Person | None) -> tuple[dict[str, Any], dict[str, Any]]:
        """An account's own fields, and what only SCIM has of it."""
        need_schema(sent.schemas, CORE_USER)
        email = sent.user_name.lower()
        if any(email in each.emails for each in self._store.people if each is not person):
            raise conflict("A user with this userName exists already.")
        scim = sent.model_dump(by_alias=True, exclude_none=True, exclude={"schemas"})
        for key in ("userName", "active", "displayName", "phoneNumbers", "roles", *_PLAIN):
            scim.pop(key, None)
        name = sent.name
        for key in _NAMES:
            scim.get("name", {}).pop(key, None)
        enterprise = scim.get(ENTERPRISE, {})
        enterprise.pop("department", None)
        if "manager" in enterprise:
            self.user(enterprise["manager"]["value"])
        scim["emails"] = _others(sent, email)
        numbers = sent.phone_numbers or []
        scim["phoneNumbers"] = [each.model_dump(by_alias=True, exclude_none=True) for each in numbers]
        extensions = [each.value for each in numbers if each.type == EXTENSION]
        if len(extensions) > 1 or not all(_EXTENSION.fullmatch(each) for each in extensions):
            raise unfit(f"phoneNumbers: one {EXTENSION}, of 1 to 10 digits, is allowed", "invalidValue")
        words = [each for each in (name and name.given_name, name and name.family_name) if each]
        photo = next((each.value for each in sent.photos or () if each.type in {None, "photo"}), None)
        fields: dict[str, Any] = {
            "emails": [email],
            "display_name": sent.display_name or " ".join(words) or email,
            "first_name": name.given_name if name is not None else None,
            "last_name": name.family_name if name is not None else None,
            "department": sent.enterprise.department if sent.enterprise is not None else None,
            "phone_numbers": [
                PhoneNumber(type=each.type or "work", value=each.value) for each in numbers if each.type != EXTENSION
            ],
            "extension": extensions[0] if extensions else None,
            "avatar": photo,
            "roles": self._role_ids(sent),
            "login_enabled": sent.active if sent.active is not None else person is None or person.login_enabled,
            "sip_addresses": [SipAddress(type="personal-room", value=email, primary=True)],
        }
        return fields | {field: getattr(sent, field) for field in _PLAIN.values()}, scim

    def _role_names(self) -> dict[str, str]:
        """SCIM's names of the organisation's roles, by their ids."""
        names = {ROLES[kind]: value for kind, value in ROLE_OF.items()}
        return {each.id: names[each.name] for each in self._store.roles.of(self._tenant)}

    def _roles(self, person: Person) -> list[dict[str, str]]:
        names, displayed = self._role_names(), {value: ROLES[kind] for kind, value in ROLE_OF.items()}
        told = [names[each] for each in person.roles or ()]
        return [{"value": each, "type": "cirole", "display": displayed[each]} for each in told]

    def _role_ids(self, sent: UserSent) -> list[str]:
        ids = {value: id_ for id_, value in self._role_names().items()}
        wanted = list(dict.fromkeys(each.value for each in sent.roles or ()))
        if strange := [each for each in wanted if each not in ids]:
            raise unfit(f"roles: {strange[0]!r} can't be assigned; there is {', '.join(ids)}", "invalidValue")
        return [ids[each] for each in wanted]

    # Groups

    def groups(self) -> list[Group]:
        """All, in the order in which they were made."""
        return self._store.groups.of(self._tenant)

    def group(self, uuid: str) -> Group:
        """One. Raises WebexError, 404."""
        found = self._store.groups.find(named(GROUPS, uuid.lower()), self._tenant) if _UUID.fullmatch(uuid) else None
        if found is None:
            raise unknown("group")
        return found

    def members(self, group: Group) -> list[dict[str, Any]]:
        """Who is in a group."""
        people = [self._store.people.get(each, self._tenant) for each in group.members]
        return [
            {"value": _uuid(each), "type": "user", "display": each.display_name, "$ref": self.location(each)}
            for each in people
        ]

    def told_group(self, group: Group, *, members: bool = True) -> dict[str, Any]:
        """A group, in SCIM's names."""
        webex = {**group.scim.get(WEBEX_GROUP, {}), "meta": {"organizationId": self._org}}
        told = {
            "schemas": list(GROUP_SCHEMAS),
            "id": _uuid(group),
            "displayName": group.display_name,
            "externalId": group.scim.get("externalId"),
            "members": self.members(group) if members else None,
            WEBEX_GROUP: webex,
        }
        return _some(told) | {"meta": self._meta("Group", group, told)}

    def make_group(self, sent: GroupSent) -> Group:
        """Make a group. Raises WebexError."""
        fields, scim = self._group_fields(sent, None)
        self._store.groups.need_room()
        now = self._store.stamp()
        made = Group(id=self._store.groups.new_id(), created=now, last_modified=now, **fields)
        made.provisioned(scim)
        self._store.groups.add(made, self._tenant)
        self._audit("created a group", "GROUP", made.id)
        return made

    def replace_group(self, group: Group, sent: GroupSent) -> Group:
        """Let a group be as it is told. Raises WebexError."""
        fields, scim = self._group_fields(sent, group)
        group.display_name, group.members = fields["display_name"], fields["members"]
        group.provisioned(scim)
        group.last_modified = self._store.stamp()
        self._audit("updated a group", "GROUP", group.id)
        return group

    def patch_group(self, group: Group, sent: PatchSent) -> Group:
        """Change single attributes of a group. Raises WebexError or ScimError; nothing is changed then."""
        return self.replace_group(group, _valid(GroupSent, patched(self.told_group(group), _operations(sent), GROUP)))

    def remove_group(self, group: Group) -> None:
        """Remove a group; its members stay."""
        self._store.groups.remove(group)
        self._audit("deleted a group", "GROUP", group.id)

    def _group_fields(self, sent: GroupSent, group: Group | None) -> tuple[dict[str, Any], dict[str, Any]]:
        need_schema(sent.schemas, CORE_GROUP)
        wanted = sent.display_name.casefold()
        if any(each.display_name.casefold() == wanted for each in self.groups() if each is not group):
            raise conflict("A group with this displayName exists already.")
        people = []
        for each in sent.members or ():
            found = self._store.people.find(named(PEOPLE, each.value.lower()), self._tenant)
            if found is None or found.type != "person":
                raise unfit(f"members: {each.value[:64]!r} is no user of the organisation", "invalidValue")
            people.append(found.id)
        scim = sent.model_dump(by_alias=True, exclude_none=True, include={"external_id", "webex"})
        return {"display_name": sent.display_name, "members": list(dict.fromkeys(people))}, scim

    # Both

    def _meta(self, kind: str, it: Person | Group, told: dict[str, Any]) -> dict[str, Any]:
        version = hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()[:16]
        return {
            "resourceType": kind,
            "created": it.created,
            "lastModified": it.last_modified,
            "location": self.location(it),
            "version": f'W/"{version}"',
        }

    def _audit(self, text: str, target: str, id_: str) -> None:
        self._cloud.audit(self._request, self._caller, "USERS", text, target, id_)


def _uuid(it: Person | Group) -> str:
    uuid = uuid_of(it.id, GROUPS if isinstance(it, Group) else PEOPLE)
    assert uuid is not None, "the store named it"
    return uuid


def _some(told: dict[str, Any]) -> dict[str, Any]:
    """What has a value."""
    return {key: value for key, value in told.items() if value not in (None, [], {}, "")}


def _numbers(person: Person) -> list[dict[str, Any]]:
    """A person's numbers; what SCIM alone has of each is told while it is the same number."""
    told = [(each.type, each.value) for each in person.phone_numbers]
    told += [(EXTENSION, person.extension)] if person.extension else []
    known = {(each.get("type", "work"), each["value"]): each for each in person.scim.get("phoneNumbers", ())}
    return [{"value": value, "type": kind, **known.get((kind, value), {})} for kind, value in told]


def _others(sent: UserSent, email: str) -> list[dict[str, Any]]:
    """The addresses beside the primary one of work, which is to be the userName."""
    others = []
    for each in sent.emails or ():
        if each.primary and each.type in {None, "work"} and each.value.lower() != email:
            raise unfit("emails: the primary address of work is to be the userName", "invalidValue")
        if each.value.lower() != email:
            others.append(each.model_dump(by_alias=True, exclude_none=True))
    return others


def need_schema(schemas: Sequence[str], needed: str) -> None:
    """Raise WebexError, 400, where a message does not say that it is what it should be."""
    if needed.lower() not in {each.lower() for each in schemas}:
        raise unfit(f"schemas: {needed} is needed", "invalidSyntax")


def _operations(sent: PatchSent) -> list[Operation]:
    need_schema(sent.schemas, f"{MESSAGES}:PatchOp")
    return [Operation(each.op, each.path, each.value) for each in sent.operations]


def _valid(model: type[Any], document: dict[str, Any]) -> Any:
    """What a patch made, as if it had been sent whole. Raises WebexError."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(step) for step in first["loc"])
        raise unfit(f"{where[:256]}: {first['msg']}", "invalidValue") from None
