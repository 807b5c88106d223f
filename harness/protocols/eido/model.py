"""The components of an EIDO that a link to command and control needs; JSON has their names in camel case.

Source: the public OpenAPI schema of NENA-STA-021.1b-2022. Components and keys that are not modelled are kept as they
came. Where drafts and the published schema name a key differently, the published name is written and both are read.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

Timestamp = Annotated[
    str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?$", max_length=40)
]
"""ISO 8601 (RFC 3339 date-time). The schema's own sample leaves the zone out once: it is taken as UTC."""
Text = Annotated[str, StringConstraints(max_length=8_192)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=512)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="allow", populate_by_name=True, frozen=True, alias_generator=to_camel)


class Reference(_Part):
    """A link to another component of the same object: its `$id`."""

    ref: Name = Field(validation_alias="$ref", serialization_alias="$ref")


class Prologue(_Part):
    """What every component begins with."""

    id: Name = Field(validation_alias="$id", serialization_alias="$id")
    last_update_time_stamp: Timestamp | None = None
    updated_by_agency_reference: Reference | None = None
    updated_by_agent_reference: Reference | None = None


class Agency(Prologue):
    """An organisation."""

    agency_role_description_registry_text: tuple[Text, ...] = ()
    agency_type: tuple[Text, ...] = ()


class Agent(Prologue):
    """A person or a system at work on the incident."""

    agency_reference: Reference | None = None
    agent_role_registry_text: tuple[Text, ...] = ()
    agent_workstation_position_identification: Text | None = None
    """The operator position."""


class Call(Prologue):
    """A call about the incident."""

    call_state_registry_text: Text = Field(
        validation_alias=AliasChoices("callStateRegistryText", "callStatusRegistryText")
    )
    standard_primary_call_type: Text = Field(
        validation_alias=AliasChoices("standardPrimaryCallType", "callTypeDescriptionRegistryText")
    )
    direction: Literal["incoming", "outgoing", "internal"] = "incoming"
    call_start_timestamp: Timestamp | None = None
    answer_date: Timestamp | None = None
    queue_identifier: Text | None = None
    call_back_reference: Reference | None = None
    agent_reference: tuple[Reference, ...] = ()
    location_reference: tuple[Reference, ...] = ()


class Callback(Prologue):
    """Where a caller can be rung."""

    call_back_information_uri: tuple[Text, ...] = ()


class Location(Prologue):
    """A place: by value as PIDF-LO, or in words."""

    location_type_description_registry_text: Text = "Caller"
    location_by_value: Any = None
    location_by_reference_url: Text | None = None
    location_address_text: Text | None = None


class Person(Prologue):
    """A person in the incident."""

    person_incident_role_registry_text: tuple[Text, ...] = ()
    call_back_reference: Reference | None = None


class Note(Prologue):
    """A line of the incident's log; the schema allows HTML, a reader is to escape it."""

    notes_action_comments: Text
    agent_reference: Reference | None = None


class Unit(Prologue):
    """A resource that responds (the schema's EmergencyResourceType)."""

    enforcement_unit_name: Name
    """The call sign."""
    emergency_resource_type_common_registry_text: Text = "Police"
    primary_unit_status_registry_text: Text
    secondary_unit_status_registry_text: tuple[Text, ...] = ()
    unit_status_internal: tuple[Text, ...] = ()
    agent_reference: tuple[Reference, ...] = ()
    unit_location_reference: Reference | None = None


class Dispatch(Prologue):
    """Who sends which resources."""

    agent_reference: Reference | None = None
    emergency_resource_reference: tuple[Reference, ...] = ()


class Incident(Prologue):
    """The incident itself."""

    incident_type_common_registry_text: Text
    incident_type_internal_text: Text | None = None
    incident_status_common_registry_text: tuple[Text, ...] | Text = ()
    internal_incident_id: Text | None = None
    incident_common_priority_number: int | None = Field(default=None, ge=-(2**31), lt=2**31)
    incident_priority_internal_text: Text | None = None
    beat_or_dispatch_group_text: Text | None = None
    agent_reference: tuple[Reference, ...] = ()
    location_reference: tuple[Reference, ...] | Reference = ()
    person_reference: tuple[Reference, ...] = ()


class Eido(Prologue):
    """One emergency incident data object."""

    eido_version: Text = "1.0"
    issuing_element_identification: Name
    incident_component: Incident | None = None
    """Required by the schema; the schema's own sample of a call's transfer has none."""
    call_component: tuple[Call, ...] = ()
    callback_component: tuple[Callback, ...] = ()
    agency_component: tuple[Agency, ...] = ()
    agent_component: tuple[Agent, ...] = ()
    location_component: tuple[Location, ...] = ()
    person_component: tuple[Person, ...] = ()
    notes_component: tuple[Note, ...] = ()
    emergency_resource_component: tuple[Unit, ...] = ()
    dispatch_component: tuple[Dispatch, ...] = ()

    def written(self) -> dict[str, Any]:
        """The object as JSON has it: without what was not given."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=False)
