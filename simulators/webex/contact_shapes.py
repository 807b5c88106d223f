"""An organisation's contacts in the shapes of developer.webex.com: who is called, and has no account."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from simulators.webex.shapes import Part, Shape

CONTACT_SCHEMA: Final = "urn:cisco:codev:identity:contact:core:1.0"


class ContactMeta(Part):
    """When a contact was made and changed."""

    created: str
    last_modified: str


class Reached(Part):
    """One way in which a contact is reached."""

    value: str
    type: str | None = None
    primary: bool | None = None


class ContactAddress(Part):
    """Where a contact is."""

    city: str | None = None
    country: str | None = None
    state: str | None = None
    street: str | None = None
    zip_code: str | None = None


class Contact(Shape):
    """A contact. Its id, the organisation's and its groups' are UUIDs, as SCIM has them."""

    id: str = Field(serialization_alias="contactId")
    schemas: str = CONTACT_SCHEMA
    meta: ContactMeta
    org_id: str
    display_name: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    company_name: str | None = None
    title: str | None = None
    address: str | None = None
    address_info: ContactAddress | None = None
    avatar_url: str | None = Field(default=None, serialization_alias="avatarURL")
    primary_contact_method: str | None = None
    source: str = "CH"
    is_migration: bool = False
    emails: list[Reached] = Field(default_factory=list)
    phone_numbers: list[Reached] = Field(default_factory=list)
    sip_addresses: list[Reached] = Field(default_factory=list)
    ims: list[Reached] = Field(default_factory=list)
    group_ids: list[str] = Field(default_factory=list)


class ContactsFound(Part):
    """Contacts that were looked for."""

    result: list[Contact]
    start: int
    limit: int
    total: int


class ContactFailed(Part):
    """One of many that was not taken."""

    id: int
    """Its place in the request, from 0. [unconfirmed]"""
    error_message: str
    error_code: str
    status_code: int


class ContactsTaken(Part):
    """What became of many."""

    org_id: str
    contacts: list[Contact]
    failed_contacts: list[ContactFailed]
