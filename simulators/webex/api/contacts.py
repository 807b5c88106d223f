"""Contacts of an organisation: made, changed and removed by administrators, one by one or many at once."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlencode

from fastapi import Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BeforeValidator, Field

from simulators.routes import Routes
from simulators.webex.api.asking import Email, Prose, Sent, answer, needs
from simulators.webex.cloud import Cloud
from simulators.webex.contact_shapes import (
    Contact,
    ContactAddress,
    ContactFailed,
    ContactMeta,
    ContactsFound,
    ContactsTaken,
    Reached,
)
from simulators.webex.errors import WebexError, forbidden, unfit, unknown
from simulators.webex.front import Caller
from simulators.webex.ids import named, new_uuid, uuid_of
from simulators.webex.paging import base_url
from simulators.webex.provisioning import GROUPS

Read = Annotated[Caller, needs("Identity:contact", "Identity:SCIM")]
MOST: Final = 1_000
"""Contacts of one request, or of one page. [p]"""
MAX_GROUPS: Final = 100
_LISTS: Final = ("emails", "phone_numbers", "sip_addresses", "ims")

Line = Annotated[str, Field(max_length=256)]
Uuid = Annotated[str, Field(min_length=1, max_length=128)]
_upper = BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value)
_lower = BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value)


class _ReachedSent(Sent):
    primary: bool | None = None
    operation: Literal["delete"] | None = None
    """In a change: this one is taken away."""


class EmailSent(_ReachedSent):
    """An address."""

    value: Email
    type: Annotated[Literal["WORK", "HOME", "ROOM", "OTHER"], _upper] | None = None


class NumberSent(_ReachedSent):
    """A telephone number, written as people do."""

    value: Annotated[str, Field(min_length=1, max_length=32, pattern=r"^\+?[0-9 ().-]+$")]
    type: (
        Annotated[
            Literal["work", "home", "mobile", "fax", "pager", "other", "work_extension", "alternate1", "alternate2"],
            _lower,
        ]
        | None
    ) = None


class SipSent(_ReachedSent):
    """A SIP address."""

    value: Annotated[str, Field(min_length=1, max_length=254, pattern=r"\S")]
    type: Annotated[Literal["enterprise", "cloud-calling", "personal-room"], _lower] | None = None


class ImSent(_ReachedSent):
    """An instant messaging address."""

    value: Annotated[str, Field(min_length=1, max_length=254, pattern=r"\S")]
    type: Line | None = None


class AddressSent(Sent):
    """Where a contact is."""

    city: Line | None = None
    country: Line | None = None
    state: Line | None = None
    street: Line | None = None
    zip_code: Line | None = None


class ContactChanged(Sent):
    """What a contact is to be."""

    schemas: Literal["urn:cisco:codev:identity:contact:core:1.0"] | None = None
    display_name: Line | None = None
    first_name: Line | None = None
    last_name: Line | None = None
    company_name: Line | None = None
    title: Line | None = None
    address: Prose | None = None
    address_info: AddressSent | None = None
    avatar_url: Annotated[str, Field(max_length=1_000)] | None = Field(None, alias="avatarURL")
    primary_contact_method: Literal["SIPADDRESS", "EMAIL", "PHONE", "IMS"] | None = None
    source: Literal["CH", "Webex4Broadworks"] | None = None
    emails: list[EmailSent] | None = Field(None, max_length=16)
    phone_numbers: list[NumberSent] | None = Field(None, max_length=16)
    sip_addresses: list[SipSent] | None = Field(None, max_length=16)
    ims: list[ImSent] | None = Field(None, max_length=16)
    group_ids: list[Uuid] | None = Field(None, max_length=MAX_GROUPS)


class ContactSent(ContactChanged):
    """A contact that is made."""

    schemas: Literal["urn:cisco:codev:identity:contact:core:1.0"]


class BulkContactSent(ContactChanged):
    """One of many; with an id, one that is changed."""

    contact_id: Uuid | None = None


class BulkContactsSent(Sent):
    """Many."""

    schemas: Literal["urn:cisco:codev:identity:contact:core:1.0"]
    contacts: list[BulkContactSent] = Field(min_length=1, max_length=MOST)


class BulkDeleteSent(Sent):
    """Many that go."""

    schemas: Literal["urn:cisco:codev:identity:contact:core:1.0"]
    object_ids: list[Uuid] = Field(min_length=1, max_length=MOST)


class AddressBook:
    """An organisation's contacts, as one caller may see and change them."""

    def __init__(self, cloud: Cloud, caller: Caller, org: str) -> None:
        """``org``: the organisation's UUID. Raises WebexError, 404, for one that is not the caller's."""
        own = uuid_of(caller.person.org_id, "ORGANIZATION")
        assert own is not None
        if org.lower() != own:
            raise unknown("organization")
        self._store, self._caller = cloud.store, caller
        self.org, self._tenant = own, caller.person.org_id

    def need_administrator(self) -> None:
        """Raise WebexError, 403, where the caller may only look."""
        if not self._caller.may_change:
            raise forbidden()

    def seen(self) -> list[Contact]:
        """Those that the caller sees, in the order in which they were made: of a group's, its members. [unconfirmed]"""
        found = self._store.contacts.of(self._tenant)
        if self._caller.is_admin:
            return found
        person = self._caller.person.id
        mine = {_group_uuid(each.id) for each in self._store.groups.of(self._tenant) if person in each.members}
        return [each for each in found if not each.group_ids or not mine.isdisjoint(each.group_ids)]

    def one(self, id_: str) -> Contact:
        """One. Raises WebexError, 404."""
        wanted = id_.lower()
        for each in self.seen():
            if each.id == wanted:
                return each
        raise unknown("contact")

    def make(self, sent: ContactChanged) -> Contact:
        """Make one. Raises WebexError."""
        source = sent.source or "CH"
        if source == "CH" and not any((sent.phone_numbers, sent.emails, sent.sip_addresses)):
            raise unfit("At least one of phoneNumbers, emails, sipAddresses is required.")
        if source != "CH" and not sent.display_name:
            raise unfit("displayName is required.")
        fields = self._fields(sent, None)
        now = self._store.stamp()
        made = Contact(
            id=new_uuid(self._store.rng),
            meta=ContactMeta(created=now, last_modified=now),
            org_id=self.org,
            **fields,
        )
        return self._store.contacts.add(made, self._tenant)

    def change(self, contact: Contact, sent: ContactChanged) -> Contact:
        """Change one: what is left out stays, and lists are laid over those that were, by value. Raises WebexError."""
        fields = self._fields(sent, contact)
        if contact.source == "CH" and not any(
            fields.get(name, getattr(contact, name)) for name in ("phone_numbers", "emails", "sip_addresses")
        ):
            raise unfit("At least one of phoneNumbers, emails, sipAddresses is required.")
        for name, value in fields.items():
            setattr(contact, name, value)
        contact.meta = ContactMeta(created=contact.meta.created, last_modified=self._store.stamp())
        return contact

    def remove(self, contact: Contact) -> None:
        """Remove one."""
        self._store.contacts.remove(contact)

    def _fields(self, sent: ContactChanged, contact: Contact | None) -> dict[str, Any]:
        for each in sent.group_ids or ():
            if self._store.groups.find(named(GROUPS, each.lower()), self._tenant) is None:
                raise unfit(f"groupIds: {each[:64]!r} is no group of the organization.")
        left_out = {"schemas", "contact_id", "address_info", "group_ids", *_LISTS}
        fields: dict[str, Any] = sent.model_dump(exclude_none=True, exclude=left_out)
        if sent.address_info is not None:
            fields["address_info"] = ContactAddress(**sent.address_info.model_dump())
        if sent.group_ids is not None:
            fields["group_ids"] = list(dict.fromkeys(each.lower() for each in sent.group_ids))
        for name in _LISTS:
            given: Sequence[_ReachedSent] | None = getattr(sent, name)
            if given is not None:
                fields[name] = _laid_over(getattr(contact, name) if contact is not None else (), given)
        return fields


def _laid_over(had: Sequence[Reached], sent: Sequence[Any]) -> list[Reached]:
    ways = {each.value: each for each in had}
    for each in sent:
        ways.pop(each.value, None)
        if each.operation is None:
            ways[each.value] = Reached(value=each.value, type=each.type, primary=each.primary)
    return list(ways.values())


def _group_uuid(id_: str) -> str:
    uuid = uuid_of(id_, GROUPS)
    assert uuid is not None, "the store named it"
    return uuid


def _names(contact: Contact) -> list[str]:
    """What a keyword is looked for in."""
    told = (contact.display_name, contact.first_name, contact.last_name, *(each.value for each in contact.emails))
    return [each.casefold() for each in told if each]


def routes(cloud: Cloud) -> Routes:
    """The interface."""
    router = Routes(prefix="/contacts/organizations/{org}/contacts", tags=["contacts"])
    _looking(router, cloud)
    _many(router, cloud)
    _changing(router, cloud)
    return router


def _looking(router: Routes, cloud: Cloud) -> None:
    @router.get("/search", response_model=ContactsFound)
    async def search(
        request: Request,
        caller: Read,
        org: str,
        keyword: Annotated[str, Query(max_length=256)] = "",
        source: Annotated[str | None, Query(max_length=64)] = None,
        groups: Annotated[str | None, Query(alias="groupIds", max_length=8_000)] = None,
        limit: Annotated[int, Query(ge=1, le=MOST)] = 100,
        start: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    ) -> JSONResponse:
        """Those whose names or addresses hold a keyword, by place and count."""
        wanted = {each.strip().lower() for each in (groups or "").split(",")} - {""}
        found = [
            each
            for each in AddressBook(cloud, caller, org).seen()
            if any(keyword.casefold() in name for name in _names(each) or [""])
            and source in {None, each.source}
            and (not wanted or not wanted.isdisjoint(each.group_ids))
        ]
        told = found[start : start + limit]
        headers = {}
        if start + limit < len(found):
            query = [(key, value) for key, value in request.query_params.multi_items() if key != "start"]
            query.append(("start", str(start + limit)))
            headers["Link"] = f'<{base_url(request)}{request.url.path}?{urlencode(query)}>; rel="next"'
        page = ContactsFound(result=told, start=start, limit=limit, total=len(found))
        return JSONResponse(page.told(), headers=headers)


def _many(router: Routes, cloud: Cloud) -> None:
    @router.post("/bulk", response_model=ContactsTaken)
    async def bulk(request: Request, caller: Read, org: str, sent: BulkContactsSent) -> JSONResponse:
        """Make and change many; each is taken or refused for itself, and what was taken stays."""
        book = AddressBook(cloud, caller, org)
        book.need_administrator()
        taken = ContactsTaken(org_id=book.org, contacts=[], failed_contacts=[])
        for place, each in enumerate(sent.contacts):
            try:
                known = book.one(each.contact_id) if each.contact_id is not None else None
                taken.contacts.append(book.make(each) if known is None else book.change(known, each))
            except WebexError as error:
                status = int(error.status)
                taken.failed_contacts.append(
                    ContactFailed(id=place, error_message=error.message, error_code=str(status), status_code=status)
                )
        cloud.audit(request, caller, "ORG_SETTINGS", "imported contacts", "ORG", caller.person.org_id)
        return JSONResponse(taken.told())

    @router.post("/bulk/delete", status_code=HTTPStatus.NO_CONTENT)
    async def bulk_delete(request: Request, caller: Read, org: str, sent: BulkDeleteSent) -> Response:
        """Remove many; those that are not there are none."""
        book = AddressBook(cloud, caller, org)
        book.need_administrator()
        wanted = {each.lower() for each in sent.object_ids}
        for contact in [each for each in book.seen() if each.id in wanted]:
            book.remove(contact)
        cloud.audit(request, caller, "ORG_SETTINGS", "deleted contacts", "ORG", caller.person.org_id)
        return Response(status_code=HTTPStatus.NO_CONTENT)


def _changing(router: Routes, cloud: Cloud) -> None:
    def audit(request: Request, caller: Caller, text: str, contact: Contact) -> None:
        cloud.audit(request, caller, "ORG_SETTINGS", text, "CONTACT", contact.id)

    @router.post("", response_model=Contact, status_code=HTTPStatus.CREATED)
    async def create(request: Request, caller: Read, org: str, sent: ContactSent) -> JSONResponse:
        """Make one."""
        book = AddressBook(cloud, caller, org)
        book.need_administrator()
        made = book.make(sent)
        audit(request, caller, "created a contact", made)
        return JSONResponse(made.told(), HTTPStatus.CREATED)

    @router.get("/{contact_id}", response_model=Contact)
    async def contact(caller: Read, org: str, contact_id: str) -> JSONResponse:
        """One."""
        return answer(AddressBook(cloud, caller, org).one(contact_id))

    @router.patch("/{contact_id}", status_code=HTTPStatus.NO_CONTENT)
    async def change(request: Request, caller: Read, org: str, contact_id: str, sent: ContactChanged) -> Response:
        """Change one."""
        book = AddressBook(cloud, caller, org)
        book.need_administrator()
        audit(request, caller, "updated a contact", book.change(book.one(contact_id), sent))
        return Response(status_code=HTTPStatus.NO_CONTENT)

    @router.delete("/{contact_id}", status_code=HTTPStatus.NO_CONTENT)
    async def delete(request: Request, caller: Read, org: str, contact_id: str) -> Response:
        """Remove one."""
        book = AddressBook(cloud, caller, org)
        book.need_administrator()
        found = book.one(contact_id)
        book.remove(found)
        audit(request, caller, "deleted a contact", found)
        return Response(status_code=HTTPStatus.NO_CONTENT)
