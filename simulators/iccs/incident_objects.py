"""Incidents and units of this control room as emergency incident data objects, for command and control."""

from __future__ import annotations

from harness.protocols.eido import Agent, Call, Callback, Eido, Incident, Location, Note, Reference, Unit
from harness.protocols.times import to_iso
from simulators.iccs import incidents
from simulators.iccs.records import CallRecord

TYPE = "Other"
"""What an incident counts as until command and control grades it; the registry's word for none of the others."""


def incident_object(
    incident: incidents.Incident,
    entry: incidents.LogEntry,
    *,
    shared_as: str,
    element: str,
    epoch: float,
    record: CallRecord | None = None,
    to: str | None = None,
) -> Eido:
    """An incident with one line of its log, and with the call that it was opened from where ``record`` is given.

    ``element`` names this control room, ``epoch`` is run time 0 in seconds since 1970, ``to`` the force that an
    incident is transferred to.
    """
    at = to_iso(epoch + entry.time)
    agent = Agent(
        id=incident.owner, last_update_time_stamp=at, agent_workstation_position_identification=incident.owner
    )
    note = Note(
        id=f"{shared_as}:note", last_update_time_stamp=at, notes_action_comments=entry.text, agent_reference=_to(agent)
    )
    called = _callers(incident, record, epoch) if record is not None else ((), (), ())
    calls, callbacks, locations = called
    return Eido(
        id=f"urn:emergency:uid:incidentid:{shared_as}:{element}",
        last_update_time_stamp=at,
        issuing_element_identification=element,
        incident_component=Incident(
            id=shared_as,
            last_update_time_stamp=at,
            incident_type_common_registry_text=TYPE,
            incident_type_internal_text=incident.title,
            incident_status_common_registry_text=(incident.state,),
            incident_priority_internal_text=incident.grade,
            internal_incident_id=incident.id,
            beat_or_dispatch_group_text=to,
            agent_reference=(_to(agent),),
            location_reference=tuple(_to(each) for each in locations),
        ),
        agent_component=(agent,),
        notes_component=(note,),
        call_component=calls,
        callback_component=callbacks,
        location_component=locations,
    )


def _callers(
    incident: incidents.Incident, record: CallRecord, epoch: float
) -> tuple[tuple[Call, ...], tuple[Callback, ...], tuple[Location, ...]]:
    locations = tuple(
        Location(
            id=f"{record.id}:location:{number}",
            last_update_time_stamp=to_iso(epoch + location["time"]),
            location_type_description_registry_text="Caller",
            location_address_text=_words(location),
        )
        for number, location in enumerate(record.locations)
    )
    callback = Callback(id=f"{record.id}:callback", call_back_information_uri=(f"tel:{incident.cli}",))
    call = Call(
        id=f"urn:emergency:uid:callid:{record.reference or record.id}",
        call_state_registry_text="callAnswered",
        standard_primary_call_type="emergency" if record.queue == "emergency" else "nonEmergency",
        call_start_timestamp=to_iso(epoch + record.since),
        answer_date=to_iso(epoch + record.answered) if record.answered is not None else None,
        queue_identifier=record.queue,
        call_back_reference=_to(callback) if incident.cli else None,
        location_reference=tuple(_to(each) for each in locations),
    )
    return (call,), (callback,) if incident.cli else (), locations


def _words(location: dict[str, object]) -> str:
    where = [str(location[key]) for key in ("text", "lines", "postcode") if location.get(key)]
    if "latitude" in location:
        where.append(f"{location['latitude']}, {location['longitude']} ± {location.get('radius')} m")
    return f"{location.get('source', '')}: {'; '.join(where)}"


def unit_object(radio: str, state: str, *, element: str, at: float) -> Eido:
    """A unit's state as its radio (a URI) told it; ``at`` in seconds since 1970."""
    unit = Unit(
        id=radio,
        last_update_time_stamp=to_iso(at),
        enforcement_unit_name=radio,
        primary_unit_status_registry_text=state,
    )
    return Eido(
        id=f"urn:emergency:uid:unit:{radio.partition(':')[2]}:{element}",
        last_update_time_stamp=to_iso(at),
        issuing_element_identification=element,
        emergency_resource_component=(unit,),
    )


def _to(component: Agent | Callback | Location) -> Reference:
    return Reference(ref=component.id)
