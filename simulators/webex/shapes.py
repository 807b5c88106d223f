"""What Webex keeps, in the shapes in which it answers: developer.webex.com's names, absent where there is nothing."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, JsonValue, PrivateAttr
from pydantic.alias_generators import to_camel


class Part(BaseModel):
    """A part of a resource."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, validate_by_alias=True)

    def told(self) -> dict[str, Any]:
        """As it is answered."""
        return self.model_dump(by_alias=True, exclude_none=True)


class Shape(Part):
    """A resource; ``number`` and ``tenant`` are the simulator's own and are not told."""

    id: str
    _number: int = PrivateAttr(0)
    _tenant: str = PrivateAttr("")

    @property
    def number(self) -> int:
        """In which order it was made, among all."""
        return self._number

    @property
    def tenant(self) -> str:
        """The organisation whose it is."""
        return self._tenant

    def placed(self, number: int, tenant: str) -> None:
        """Take its place; once."""
        self._number, self._tenant = number, tenant


class PhoneNumber(Part):
    """A person's number."""

    type: str
    value: str


class SipAddress(Part):
    """A person's SIP address."""

    type: str
    value: str
    primary: bool = False


class Person(Shape):
    """An account."""

    emails: list[str]
    phone_numbers: list[PhoneNumber] = []
    extension: str | None = None
    location_id: str | None = None
    sip_addresses: list[SipAddress] = []
    display_name: str
    nick_name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    avatar: str | None = None
    org_id: str
    roles: list[str] | None = None
    licenses: list[str] | None = None
    department: str | None = None
    title: str | None = None
    created: str
    last_modified: str
    timezone: str | None = None
    last_activity: str | None = None
    status: str = "unknown"
    invite_pending: bool = False
    login_enabled: bool = True
    type: Literal["person", "bot", "appuser"] = "person"
    _scim: dict[str, Any] = PrivateAttr(default_factory=dict)
    _guest_of: tuple[str, str] | None = PrivateAttr(None)
    _before_calling: tuple[str | None, str | None] | None = PrivateAttr(None)

    @property
    def guest_of(self) -> tuple[str, str] | None:
        """Whose guest they are: the id of who issued them, and the subject by which that knows them."""
        return self._guest_of

    def welcomed(self, issuer: str, subject: str) -> None:
        """Be somebody's guest; once."""
        self._guest_of = (issuer, subject)

    def at_line(self, location: str | None, extension: str | None, number: str | None) -> None:
        """Get a line with a licence for calling; what is None stays as it is."""
        if self._before_calling is None:
            self._before_calling = (self.location_id, number)
        self.location_id = location or self.location_id
        self.extension = extension or self.extension
        if number is not None:
            self.phone_numbers = [*self.phone_numbers, PhoneNumber(type="work", value=number)]

    def off_line(self) -> None:
        """Have no line any more: what came with the licence goes with it."""
        location, number = self._before_calling or (self.location_id, None)
        self._before_calling = None
        self.location_id, self.extension = location, None
        self.phone_numbers = [each for each in self.phone_numbers if each.value != number]

    @property
    def scim(self) -> dict[str, Any]:
        """What a directory told of them by SCIM beyond the above, in SCIM's own names."""
        return self._scim

    def provisioned(self, scim: dict[str, Any]) -> None:
        """Take what a directory told."""
        self._scim = scim


class Room(Shape):
    """A space."""

    title: str
    type: Literal["direct", "group"]
    is_locked: bool = False
    is_public: bool = False
    is_read_only: bool = False
    is_announcement_only: bool = False
    team_id: str | None = None
    classification_id: str | None = None
    description: str | None = None
    last_activity: str
    creator_id: str
    owner_id: str
    created: str
    made_public: str | None = None


class MeetingInfo(Part):
    """How a room's meeting is reached."""

    room_id: str
    meeting_link: str
    sip_address: str
    meeting_number: str
    meeting_id: str
    call_in_toll_free_number: str
    call_in_toll_number: str


class Membership(Shape):
    """That somebody is in a room."""

    room_id: str
    room_type: Literal["direct", "group"]
    person_id: str
    person_email: str
    person_display_name: str
    person_org_id: str
    is_moderator: bool = False
    is_monitor: bool = False
    is_room_hidden: bool = False
    created: str


class Attachment(Part):
    """An Adaptive Card."""

    content_type: str
    content: dict[str, JsonValue]


class Message(Shape):
    """A message."""

    parent_id: str | None = None
    room_id: str
    room_type: Literal["direct", "group"]
    to_person_id: str | None = None
    to_person_email: str | None = None
    text: str | None = None
    markdown: str | None = None
    html: str | None = None
    files: list[str] | None = None
    person_id: str
    person_email: str
    mentioned_people: list[str] | None = None
    mentioned_groups: list[str] | None = None
    attachments: list[Attachment] | None = None
    created: str
    updated: str | None = None
    is_voice_clip: bool | None = None
    _edits: int = PrivateAttr(0)

    @property
    def edits(self) -> int:
        """How often it was changed."""
        return self._edits

    def edited(self, when: str) -> None:
        """Note that it was changed."""
        self._edits += 1
        self.updated = when


class AttachmentAction(Shape):
    """What somebody filled into a card."""

    type: Literal["submit"]
    message_id: str
    inputs: dict[str, JsonValue]
    person_id: str
    room_id: str
    created: str


class RoomTab(Shape):
    """A shortcut to an address, shown as a tab of a room."""

    room_id: str
    room_type: Literal["direct", "group"]
    display_name: str
    content_url: str
    creator_id: str
    created: str


class Team(Shape):
    """A team."""

    name: str
    description: str | None = None
    creator_id: str
    created: str


class TeamMembership(Shape):
    """That somebody is in a team."""

    team_id: str
    person_id: str
    person_email: str
    person_display_name: str
    person_org_id: str
    is_moderator: bool = False
    created: str


class Webhook(Shape):
    """What is to be told of, and where."""

    name: str
    target_url: str
    resource: str
    event: str
    filter: str | None = None
    secret: str | None = None
    status: Literal["active", "inactive"] = "active"
    org_id: str
    created_by: str
    app_id: str
    owned_by: Literal["creator", "org"] = "creator"
    created: str


class Event(Shape):
    """What happened in an organisation."""

    resource: str
    type: str
    app_id: str
    actor_id: str
    org_id: str
    created: str
    data: dict[str, JsonValue]


class Organization(Shape):
    """A tenant."""

    display_name: str
    created: str


class License(Shape):
    """Of what an organisation has how many."""

    name: str
    total_units: int
    consumed_units: int
    consumed_by_users: int
    consumed_by_workspaces: int


class Role(Shape):
    """What an administrator can be."""

    name: str


class AuditEvent(Shape):
    """What an administrator did."""

    actor_id: str
    actor_org_id: str
    created: str
    data: dict[str, JsonValue]


class Address(Part):
    """A postal address."""

    address1: str | None = None
    address2: str | None = None
    city: str | None = None
    state: str | None = None
    postal_code: str | None = None
    country: str | None = None


class Location(Shape):
    """A place at which an organisation is."""

    name: str
    org_id: str
    time_zone: str
    preferred_language: str | None = None
    announcement_language: str | None = None
    address: Address = Address()
    latitude: str | None = None
    longitude: str | None = None
    notes: str | None = None


class Calling(Part):
    """How a workspace makes calls."""

    type: str


class Workspace(Shape):
    """A room with devices."""

    org_id: str
    location_id: str | None = None
    floor_id: str | None = None
    display_name: str
    capacity: int | None = None
    type: str = "notSet"
    sip_address: str
    created: str
    calling: Calling
    calendar: Calling
    notes: str | None = None
    hotdesking_status: str = "off"
    supported_devices: str = "collaborationDevices"
    _line: str = PrivateAttr("")

    @property
    def line(self) -> str:
        """The extension of its devices; empty where they have none."""
        return self._line

    def at_line(self, line: str) -> Workspace:
        """Give its devices an extension; return it."""
        self._line = line
        return self


class Device(Shape):
    """A device."""

    display_name: str
    place_id: str | None = None
    workspace_id: str | None = None
    person_id: str | None = None
    org_id: str
    capabilities: list[str] = ["xapi"]
    permissions: list[str] = ["xapi"]
    connection_status: str = "connected"
    product: str
    type: str = "roomdesk"
    tags: list[str] = []
    ip: str | None = None
    mac: str
    serial: str
    active_interface: str = "Wired"
    software: str = "RoomOS 11.14"
    upgrade_channel: str = "stable"
    primary_sip_url: str
    sip_urls: list[str] = []
    error_codes: list[str] = []
    created: str
    first_seen: str
    last_seen: str
