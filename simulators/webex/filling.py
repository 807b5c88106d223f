"""Fills a simulated Webex with the organisations of its settings."""

from __future__ import annotations

from typing import Final

from simulators.webex.cloud import Cloud
from simulators.webex.ids import named, new_uuid
from simulators.webex.settings import OrganisationSettings, PersonSettings, WorkspaceSettings
from simulators.webex.shapes import (
    Address,
    Calling,
    Device,
    License,
    Location,
    Organization,
    Person,
    PhoneNumber,
    Role,
    SipAddress,
    Workspace,
)

ROLES: Final = {"administrator": "Full Administrator", "read_only_administrator": "Read-only Administrator"}


def fill(cloud: Cloud) -> Person:
    """Make every organisation with its people and places; return the first one's first administrator."""
    firsts = [_organisation(cloud, each) for each in cloud.settings.organisations]
    first = firsts[0]
    assert first is not None, "the settings' reader saw to it"
    store = cloud.store
    for app in cloud.settings.service_apps:
        now = store.stamp()
        made = Person(
            id=store.people.new_id(),
            emails=[app.email.lower()],
            display_name=app.name,
            org_id=first.org_id,
            created=now,
            last_modified=now,
            type="appuser",
        )
        store.people.add(made, first.org_id)
    return first


def _organisation(cloud: Cloud, settings: OrganisationSettings) -> Person | None:
    store = cloud.store
    now = store.stamp()
    id_ = store.organizations.new_id()
    store.organizations.add(Organization(id=id_, display_name=settings.name, created=now), id_)
    roles = {kind: Role(id=store.roles.new_id(), name=name) for kind, name in ROLES.items()}
    for role in roles.values():
        store.roles.add(role, id_)
    cloud.admin_roles.add(roles["administrator"].id)
    licences = []
    for name, count in settings.licences.items():
        licence = License(
            id=named("LICENSE", f"{new_uuid(cloud.rng)}:{name}"),
            name=name,
            total_units=count,
            consumed_units=0,
            consumed_by_users=0,
            consumed_by_workspaces=0,
        )
        licences.append(store.licenses.add(licence, id_).id)
    places = {}
    for each in settings.locations:
        address = Address(address1=each.address, city=each.city, postal_code=each.postcode, country="GB")
        location = Location(
            id=store.locations.new_id(),
            name=each.name,
            org_id=id_,
            time_zone=each.time_zone,
            preferred_language="en_gb",
            announcement_language="en_gb",
            address=address,
        )
        places[each.name] = store.locations.add(location, id_).id
    people = [_person(cloud, id_, each, roles, licences, places) for each in settings.people]
    for workspace in settings.workspaces:
        _workspace(cloud, id_, workspace, places)
    return next((each for each in people if roles["administrator"].id in (each.roles or ())), None)


def _person(
    cloud: Cloud,
    org: str,
    settings: PersonSettings,
    roles: dict[str, Role],
    licences: list[str],
    places: dict[str, str],
) -> Person:
    store = cloud.store
    now = store.stamp()
    first, _, last = settings.name.partition(" ")
    email = settings.email.lower()
    person = Person(
        id=store.people.new_id(),
        emails=[email],
        phone_numbers=[PhoneNumber(type="work", value=settings.number)] if settings.number is not None else [],
        extension=settings.extension,
        location_id=places[settings.location] if settings.location is not None else None,
        sip_addresses=[SipAddress(type="personal-room", value=email, primary=True)],
        display_name=settings.name,
        nick_name=first,
        first_name=first,
        last_name=last or None,
        org_id=org,
        roles=[roles[settings.role].id] if settings.role in roles else [],
        licenses=list(licences) if settings.role != "bot" else [],
        created=now,
        last_modified=now,
        timezone="Europe/London",
        type="bot" if settings.role == "bot" else "person",
    )
    return store.people.add(person, org)


def _workspace(cloud: Cloud, org: str, settings: WorkspaceSettings, places: dict[str, str]) -> None:
    store = cloud.store
    now = store.stamp()
    address = f"workspace-{len(store.workspaces) + 1}@force.example"
    workspace = Workspace(
        id=store.workspaces.new_id(),
        org_id=org,
        location_id=places[settings.location] if settings.location is not None else None,
        display_name=settings.name,
        capacity=settings.capacity,
        type="meetingRoom",
        sip_address=address,
        created=now,
        calling=Calling(type="freeCalling"),
        calendar=Calling(type="none"),
    )
    store.workspaces.add(workspace, org).at_line(settings.extension or "")
    for product in settings.devices:
        number = len(store.devices) + 1
        device = Device(
            id=store.devices.new_id(),
            display_name=settings.name,
            place_id=workspace.id,
            workspace_id=workspace.id,
            org_id=org,
            product=product,
            mac=f"02:00:00:00:{number // 256:02X}:{number % 256:02X}",
            serial=f"SIM{number:08d}",
            primary_sip_url=address,
            sip_urls=[address],
            created=now,
            first_seen=now,
            last_seen=now,
        )
        store.devices.add(device, org)
