"""Emergency incident data objects: what is read, what is refused, and that what is written is read again."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import EidoError
from harness.protocols.eido import MAX_BYTES, MAX_COMPONENTS, Eido, Incident, Note, Reference, Unit, read

TIME = "2026-11-25T09:30:00.500Z"


def transfer() -> dict[str, Any]:
    """A call's transfer, laid out as the schema's published sample is: shape and keys as there, values our own."""
    by = {"updatedByAgencyReference": {"$ref": "police.scot.invalid"}, "lastUpdateTimeStamp": TIME}
    return {
        "$id": "urn:emergency:uid:incidentid:a1:psap.invalid",
        **by,
        "eidoVersion": "1.0",
        "issuingElementIdentification": "iccs.invalid",
        "callComponent": [
            {
                "$id": "call-1",
                **by,
                "queueIdentifier": "emergency",
                "standardPrimaryCallType": "emergency",
                "direction": "incoming",
                "callStartTimestamp": TIME,
                "callStateRegistryText": "callAnswered",
                "callBackReference": {"$ref": "back-1"},
                "agentReference": [{"$ref": "govan-12"}],
                "locationReference": [{"$ref": "place-1"}],
            }
        ],
        "callbackComponent": [{"$id": "back-1", **by, "callBackInformationUri": ["tel:+447700900123"]}],
        "agentComponent": [{"$id": "govan-12", **by, "agentWorkstationPositionIdentification": "12"}],
        "locationComponent": [{"$id": "place-1", **by, "locationByReferenceUrl": "https://location.invalid/1"}],
        "@context": {"@vocab": "EIDO.jsonld"},
    }


def test_a_call_that_is_passed_on_is_read_with_all_that_it_refers_to() -> None:
    eido = read(json.dumps(transfer()))
    assert eido.call_component[0].call_state_registry_text == "callAnswered"
    assert eido.call_component[0].location_reference[0].ref == eido.location_component[0].id
    assert eido.incident_component is None


def test_what_is_not_modelled_is_kept() -> None:
    assert read(transfer()).written()["@context"] == {"@vocab": "EIDO.jsonld"}


def test_names_of_the_drafts_are_read_and_the_published_ones_written() -> None:
    tree = transfer()
    call = tree["callComponent"][0]
    call["callStatusRegistryText"] = call.pop("callStateRegistryText")
    assert read(tree).written()["callComponent"][0]["callStateRegistryText"] == "callAnswered"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"eidoVersion": 7}, "eidoVersion"),
        ({"$id": ""}, r"\$id"),
        ({"issuingElementIdentification": None}, "issuingElementIdentification"),
        ({"lastUpdateTimeStamp": "yesterday"}, "lastUpdateTimeStamp"),
        ({"callbackComponent": []}, "callComponent.callBackReference: refers to 'back-1'"),
        ({"personComponent": [{"$id": "call-1"}]}, "a second component with .id 'call-1'"),
        ({"incidentComponent": {"$id": "i"}}, "incidentComponent.incidentTypeCommonRegistryText"),
        ({"notesComponent": {"$id": "n", "notesActionComments": "one"}}, "notesComponent"),
        ({"callComponent": [{"$id": "c", "direction": "sideways"}]}, "callComponent"),
    ],
)
def test_an_object_that_is_not_as_the_schema_has_it_is_refused_with_the_place(change: Any, told: str) -> None:
    with pytest.raises(EidoError, match=told):
        read(transfer() | change)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{", b"\xff\xfe", b"1" * (MAX_BYTES + 1), b'{"a":' * 40 + b"1" + b"}" * 40]
)
def test_what_is_no_object_is_refused(data: bytes) -> None:
    with pytest.raises(EidoError):
        read(data)


def test_an_object_of_too_many_components_is_refused() -> None:
    notes = [{"$id": f"n{number}", "notesActionComments": ""} for number in range(MAX_COMPONENTS + 1)]
    with pytest.raises(EidoError, match=str(MAX_COMPONENTS)):
        read(transfer() | {"notesComponent": notes})


words = st.text(max_size=40)
names = st.text(min_size=1, max_size=20)


@given(title=words, notes=st.lists(words, max_size=5), sign=names, status=words)
def test_what_is_written_is_read_again(title: str, notes: list[str], sign: str, status: str) -> None:
    written = Eido(
        id="urn:emergency:uid:incidentid:1:iccs",
        last_update_time_stamp=TIME,
        issuing_element_identification="iccs",
        incident_component=Incident(
            id="i", incident_type_common_registry_text=title, agent_reference=(Reference(ref="a"),)
        ),
        notes_component=tuple(Note(id=f"n{number}", notes_action_comments=text) for number, text in enumerate(notes)),
        emergency_resource_component=(
            Unit(id="u", enforcement_unit_name=sign, primary_unit_status_registry_text=status),
        ),
    )
    assert read(json.dumps(written.written())) == written


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | words,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(words | st.sampled_from(list(transfer())), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.sampled_from(list(transfer())), json_values)
def test_whatever_stands_in_a_components_place_nothing_but_the_named_error_comes(key: str, value: Any) -> None:
    with contextlib.suppress(EidoError):
        read(json.dumps(transfer() | {key: value}))
