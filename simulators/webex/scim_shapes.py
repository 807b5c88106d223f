"""Users and groups as directories send them by SCIM, and which attributes they have: RFC 7643, and Webex's own."""

from __future__ import annotations

import types
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, model_validator

from harness.protocols.scim import Attribute, Layout
from simulators.bodies import Body
from simulators.webex.shapes import Shape

CORE_USER: Final = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
WEBEX_USER: Final = "urn:scim:schemas:extension:cisco:webexidentity:2.0:User"
CORE_GROUP: Final = "urn:ietf:params:scim:schemas:core:2.0:Group"
WEBEX_GROUP: Final = "urn:scim:schemas:extension:cisco:webexidentity:2.0:Group"
USER_SCHEMAS: Final = (CORE_USER, ENTERPRISE, WEBEX_USER)
GROUP_SCHEMAS: Final = (CORE_GROUP, WEBEX_GROUP)
EXTENSION: Final = "work_extension"
"""The type of telephone number that is a person's extension."""
MAX_OPERATIONS: Final = 100
"""Of one bulk request."""
MAX_MEMBERS: Final = 1_000
"""Of a group. [p]"""

Line = Annotated[str, Field(max_length=256)]
Named = Annotated[str, Field(min_length=1, max_length=256, pattern=r"\S")]
Email = Annotated[str, Field(min_length=3, max_length=254, pattern=r"^[^@\s]+@[^@\s]+$")]
Uuid = Annotated[str, Field(min_length=1, max_length=128)]
Number = Annotated[str, Field(min_length=1, max_length=32, pattern=r"^\+?[0-9 ().-]+$")]


class ScimSent(Body):
    """What a directory sends; attributes that the schema does not know are left aside."""

    model_config = ConfigDict(extra="ignore", strict=True, validate_by_name=False, validate_by_alias=True)


class NameSent(ScimSent):
    """The parts of a name."""

    given_name: Line | None = Field(None, alias="givenName")
    family_name: Line | None = Field(None, alias="familyName")
    middle_name: Line | None = Field(None, alias="middleName")
    formatted: Line | None = None
    honorific_prefix: Line | None = Field(None, alias="honorificPrefix")
    honorific_suffix: Line | None = Field(None, alias="honorificSuffix")


class EmailSent(ScimSent):
    """An address."""

    value: Email
    type: Literal["work", "home", "room", "other"] | None = None
    display: Line | None = None
    primary: bool | None = None


class NumberSent(ScimSent):
    """A telephone number."""

    value: Number
    type: (
        Literal["mobile", "work", "home", "fax", "pager", "other", "work_extension", "alternate1", "alternate2"] | None
    ) = None
    display: Line | None = None
    primary: bool | None = None


class PhotoSent(ScimSent):
    """A picture, by its address."""

    value: Annotated[str, Field(min_length=1, max_length=1_000)]
    type: Literal["photo", "thumbnail", "resizable"] | None = None
    display: Line | None = None
    primary: bool | None = None


class AddressSent(ScimSent):
    """A postal address."""

    type: Line | None = None
    street_address: Line | None = Field(None, alias="streetAddress")
    locality: Line | None = None
    region: Line | None = None
    postal_code: Line | None = Field(None, alias="postalCode")
    country: Line | None = None


class RoleSent(ScimSent):
    """An administrator's role."""

    value: Named
    type: Line | None = None
    display: Line | None = None


class ManagerSent(ScimSent):
    """Whom somebody reports to: a user of the organisation."""

    value: Uuid
    display_name: Line | None = Field(None, alias="displayName")
    ref: Line | None = Field(None, alias="$ref")


class EnterpriseSent(ScimSent):
    """Where somebody works in the organisation."""

    employee_number: Line | None = Field(None, alias="employeeNumber")
    cost_center: Line | None = Field(None, alias="costCenter")
    organization: Line | None = None
    division: Line | None = None
    department: Line | None = None
    manager: ManagerSent | None = None


class UserSent(ScimSent):
    """A user."""

    schemas: list[Named] = Field(min_length=1, max_length=16)
    user_name: Email = Field(alias="userName")
    """The primary address, which no other account of any organisation has."""
    user_type: Literal["user", "room", "external_calling", "calling_service"] = Field(alias="userType")
    active: bool | None = None
    """Whether they may sign in; left out, it stays as it is."""
    display_name: Named | None = Field(None, alias="displayName")
    nick_name: Line | None = Field(None, alias="nickName")
    name: NameSent | None = None
    title: Line | None = None
    external_id: Line | None = Field(None, alias="externalId")
    preferred_language: Line | None = Field(None, alias="preferredLanguage")
    locale: Line | None = None
    timezone: Line | None = None
    profile_url: Annotated[str, Field(max_length=1_000)] | None = Field(None, alias="profileUrl")
    emails: list[EmailSent] | None = Field(None, max_length=16)
    phone_numbers: list[NumberSent] | None = Field(None, alias="phoneNumbers", max_length=16)
    photos: list[PhotoSent] | None = Field(None, max_length=16)
    addresses: list[AddressSent] | None = Field(None, max_length=16)
    roles: list[RoleSent] | None = Field(None, max_length=16)
    enterprise: EnterpriseSent | None = Field(None, alias=ENTERPRISE)

    @model_validator(mode="before")
    @classmethod
    def _by_any_case(cls, value: Any) -> Any:
        return USER.canonical(value) if isinstance(value, dict) else value


class MemberSent(ScimSent):
    """A member of a group: a user of the organisation."""

    value: Uuid
    type: Literal["user"] | None = None
    display: Line | None = None
    ref: Line | None = Field(None, alias="$ref")


class OwnerSent(ScimSent):
    """Whose group it is."""

    value: Uuid


class WebexGroupSent(ScimSent):
    """What Webex adds to a group."""

    usage: Line | None = None
    provision_source: Line | None = Field(None, alias="provisionSource")
    owners: list[OwnerSent] | None = Field(None, max_length=100)


class GroupSent(ScimSent):
    """A group."""

    schemas: list[Named] = Field(min_length=1, max_length=16)
    display_name: Named = Field(alias="displayName")
    external_id: Line | None = Field(None, alias="externalId")
    members: list[MemberSent] | None = Field(None, max_length=MAX_MEMBERS)
    webex: WebexGroupSent | None = Field(None, alias=WEBEX_GROUP)

    @model_validator(mode="before")
    @classmethod
    def _by_any_case(cls, value: Any) -> Any:
        return GROUP.canonical(value) if isinstance(value, dict) else value


class MessageSent(ScimSent):
    """A message of SCIM's protocol, by names whose case does not matter."""

    @model_validator(mode="before")
    @classmethod
    def _by_any_case(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        names = {(each.alias or name).lower(): each.alias or name for name, each in cls.model_fields.items()}
        return {names.get(key.lower(), key): item for key, item in value.items()}


class OperationSent(MessageSent):
    """One change of a patch."""

    op: Annotated[str, Field(max_length=16)]
    path: Annotated[str, Field(max_length=4_096)] | None = None
    value: Any = None


class PatchSent(MessageSent):
    """A patch (RFC 7644 section 3.5.2)."""

    schemas: list[Named] = Field(min_length=1, max_length=16)
    operations: list[OperationSent] = Field(alias="Operations", min_length=1, max_length=100)


class Group(Shape):
    """A group as it is kept."""

    display_name: str
    members: list[str] = Field(default_factory=list)
    """Ids of people."""
    created: str
    last_modified: str
    _scim: dict[str, Any] = PrivateAttr(default_factory=dict)

    @property
    def scim(self) -> dict[str, Any]:
        """What a directory told of it beyond the above, in SCIM's own names."""
        return self._scim

    def provisioned(self, scim: dict[str, Any]) -> None:
        """Take what a directory told."""
        self._scim = scim


_EXACT: Final = frozenset({"externalId", "employeeNumber"})


def _parts(model: type[BaseModel]) -> dict[str, Attribute]:
    found = {}
    for key, field in model.model_fields.items():
        name = field.alias or key
        kinds = list(_kinds(field.annotation))
        inner = next((each for each in kinds if isinstance(each, type) and issubclass(each, BaseModel)), None)
        found[name.lower()] = Attribute(
            name,
            _parts(inner) if inner is not None else {},
            multiple=list in kinds,
            exact=name in _EXACT,
            boolean=bool in kinds,
            required=field.is_required(),
            values=tuple(value for kind in kinds if get_origin(kind) is Literal for value in get_args(kind)),
            description=((inner.__doc__ if inner is not None else field.description) or "").partition("\n")[0],
        )
    return found


def _kinds(annotation: Any) -> list[Any]:
    """The types that an annotation is made of."""
    origin = get_origin(annotation)
    if origin in {Union, types.UnionType, Annotated}:
        return [kind for each in get_args(annotation) for kind in _kinds(each)]
    if origin is list:
        return [list, *_kinds(get_args(annotation)[0])]
    return [annotation]


def _fixed(name: str, *parts: str, multiple: bool = False) -> dict[str, Attribute]:
    """An attribute that the service alone sets."""
    inner = {each.lower(): Attribute(each, exact=True, fixed=True, boolean=each == "primary") for each in parts}
    return {name.lower(): Attribute(name, inner, multiple=multiple, exact=True, fixed=True)}


_META: Final = _fixed("meta", "resourceType", "created", "lastModified", "location", "version")
_OF_WEBEX: Final = {
    **_fixed("accountStatus", multiple=True),
    **_fixed("sipAddresses", "value", "type", "primary", multiple=True),
    **_fixed("meta", "organizationId"),
}
USER: Final = Layout(
    CORE_USER,
    Attribute(
        "User",
        {
            **_parts(UserSent),
            **_fixed("id"),
            **_META,
            **_fixed("groups", "value", "display", "$ref", multiple=True),
            WEBEX_USER.lower(): Attribute(WEBEX_USER, _OF_WEBEX),
        },
    ),
)
_GROUP_PARTS: Final = _parts(GroupSent)
GROUP: Final = Layout(
    CORE_GROUP,
    Attribute(
        "Group",
        {
            **_GROUP_PARTS,
            **_fixed("id"),
            **_META,
            WEBEX_GROUP.lower(): Attribute(
                WEBEX_GROUP, {**_GROUP_PARTS[WEBEX_GROUP.lower()].parts, **_fixed("meta", "organizationId")}
            ),
        },
    ),
)
