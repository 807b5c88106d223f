"""eCall's minimum set of data: two messages that are public with their meaning, round trips, and damaged ones."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import MsdError
from harness.protocols.location.ecall_control import Ack, Control, Request, Result
from harness.protocols.location.ecall_control import build as build_control
from harness.protocols.location.ecall_control import parse as parse_control
from harness.protocols.location.msd import MAX_ADDITIONAL, MAX_MSD, Additional, Delta, Msd, Place, decode
from harness.protocols.location.msd_schema import STORAGES, VEHICLE_TYPES, VIN_ALPHABET

# Public with their values written out: in a modem framework's sample (Legato, QMI eCall configuration) and in a
# telematics framework's eCall test application. Neither was made by us.
FIRST = "02251C0680E30A51439E2955D43800800437F80A3105669023F8A71166932185B004150043C040"
SECOND = "02251C0680E30A51439E2955D43800800837F80C9FD707F09A94BDD30E55E080000001FFFFE040"


def test_the_first_public_message_reads_as_it_says() -> None:
    assert decode(bytes.fromhex(FIRST)) == Msd(
        vin="ECALLEXAMPLE02013",
        message_id=1,
        automatic=True,
        test_call=False,
        position_trusted=True,
        vehicle_type="passengerVehicleClassM1",
        storages=frozenset({"gasolineTankPresent"}),
        timestamp=1367878452,
        place=Place(18859320, 187996428),
        direction=90,
        recent_1=Delta(0, 10),
        recent_2=Delta(0, 30),
        people=2,
        version=2,
    )


def test_the_second_public_message_reads_as_it_says() -> None:
    message = decode(bytes.fromhex(SECOND))
    assert (message.vin, message.timestamp, message.direction) == ("ECALLEXAMPLE02023", 1694414911, 0)
    assert message.place == Place(81044974, 410169092)
    assert (message.recent_1, message.recent_2, message.people) == (Delta(-512, -512), Delta(511, 511), 2)
    assert message.place is not None
    assert (round(message.place.latitude, 4), round(message.place.longitude, 4)) == (22.5125, 113.9359)


@pytest.mark.parametrize("octets", [FIRST, SECOND])
def test_public_messages_are_written_bit_by_bit(octets: str) -> None:
    message = decode(bytes.fromhex(octets))
    assert message.encode().hex().upper() == octets
    assert message.confirmed


def test_padding_is_no_finding_and_anything_else_is() -> None:
    octets = bytes.fromhex(FIRST)
    assert decode(octets.ljust(MAX_MSD, b"\0")) == decode(octets)
    assert decode(octets + b"\1").findings == ("1 octets after the message, which are not padding",)


def test_versions_that_no_public_message_confirms_say_so() -> None:
    for version, confirmed in ((1, False), (2, True), (3, False)):
        message = replace(decode(bytes.fromhex(FIRST)), version=version, not_told=frozenset())
        assert decode(message.encode()).confirmed is confirmed


def test_what_is_not_known_is_none() -> None:
    message = Msd(vin="ECALLEXAMPLE02013")
    read = decode(message.encode())
    assert (read.place, read.direction, read.recent_1, read.recent_2, read.people) == (None, None, None, None, None)


def test_a_vehicle_class_beyond_those_known_is_a_finding() -> None:
    bits = bin(int("1" + FIRST, 16))[3:]
    at = 16 + 6 + 8 + 3  # two octets, presence bits, identifier, three flags: then the class's extension bit
    extended = bits[:at] + "1" + "0" * 7 + bits[at + 5 :]
    octets = int(extended + "0" * (-len(extended) % 8), 2).to_bytes((len(extended) + 7) // 8, "big")
    message = decode(octets[:1] + bytes((len(octets) - 2,)) + octets[2:])
    assert message.vehicle_type is None
    assert message.vin == "ECALLEXAMPLE02013"
    assert message.findings == ("a vehicle class beyond L7e, whose number is not confirmed",)


@pytest.mark.parametrize(
    ("octets", "told"),
    [
        (b"", "an MSD has 2 to 140 octets; 0 came"),
        (b"\2" * 141, "an MSD has 2 to 140 octets; 141 came"),
        (b"\x09\0", "MSD version 9; 1, 2, 3 can be read"),
        (b"\2\x20\1", "cut short: 32 octets are announced and 1 came"),
        (b"\2\xc0\1", "length octet 0xc0 announces more"),
        (b"\2\1\1", "not an MSD of version 2 in unaligned PER"),
    ],
)
def test_what_is_no_message_is_told(octets: bytes, told: str) -> None:
    with pytest.raises(MsdError) as error:
        decode(octets)
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"vin": "SHORT"}, "a VIN has 17"),
        ({"vin": "IOQ00000000000000"}, "a VIN has 17"),
        ({"version": 4}, "MSD version 4"),
        ({"vehicle_type": None}, "vehicle type None"),
        ({"direction": 45}, "not even"),
        ({"direction": 360}, "not 0 to 358"),
        ({"people": 255}, "people 255"),
        ({"timestamp": 2**32}, "timestamp"),
        ({"place": Place(324_000_001, 0)}, "latitude"),
        ({"recent_1": Delta(512, 0)}, "recent location 512"),
        ({"storages": frozenset({"coal"})}, "storages are of"),
        ({"version": 3}, "version 3 has two recent locations"),
        ({"version": 1, "storages": frozenset({"otherStorage"})}, "version 1 has no otherStorage"),
        ({"additional": Additional("1.4.1", b"x" * 95)}, "94 is the most"),
        ({"additional": Additional("one", b"")}, "no object identifier"),
    ],
)
def test_what_can_not_be_held_is_not_written(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(MsdError) as error:
        replace(Msd(vin="ECALLEXAMPLE02013"), **wrong).encode()  # type: ignore[arg-type]
    assert told in str(error.value)


deltas = st.builds(Delta, st.integers(-512, 511), st.integers(-512, 511))
messages = st.builds(
    Msd,
    vin=st.text(VIN_ALPHABET, min_size=17, max_size=17),
    message_id=st.integers(0, 255),
    automatic=st.booleans(),
    test_call=st.booleans(),
    position_trusted=st.booleans(),
    vehicle_type=st.sampled_from(VEHICLE_TYPES),
    storages=st.frozensets(st.sampled_from(STORAGES[:-1])),
    timestamp=st.integers(0, 2**32 - 1),
    place=st.none() | st.builds(Place, st.integers(-324_000_000, 324_000_000), st.integers(-648_000_000, 648_000_000)),
    direction=st.none() | st.integers(0, 179).map(lambda step: step * 2),
    recent_1=deltas,
    recent_2=deltas,
    people=st.none() | st.integers(0, 254),
    additional=st.none()
    | st.builds(
        Additional,
        st.lists(st.integers(0, 99_999), min_size=1, max_size=6).map(lambda arcs: ".".join(map(str, arcs))),
        st.binary(max_size=60),
    ),
    version=st.sampled_from([1, 2, 3]),
)


@given(messages)
def test_what_is_written_is_read(message: Msd) -> None:
    octets = message.encode()
    assert len(octets) <= MAX_MSD
    assert decode(octets) == message


def test_a_message_of_more_than_127_octets_has_a_length_of_two() -> None:
    message = Msd(vin="ECALLEXAMPLE02013", additional=Additional("1.4.1", b"x" * MAX_ADDITIONAL))
    octets = message.encode()
    assert octets[1] & 0xC0 == 0x80
    assert decode(octets) == message


@given(st.sampled_from([FIRST, SECOND]), st.lists(st.tuples(st.integers(0, 45), st.integers(0, 255)), max_size=8))
def test_a_damaged_message_is_read_or_told(octets: str, damage: list[tuple[int, int]]) -> None:
    damaged = bytearray(bytes.fromhex(octets).ljust(46, b"\0"))
    for at, value in damage:
        damaged[at] = value
    try:
        decode(bytes(damaged))
    except MsdError:
        return


@given(st.integers(0, 4), st.binary(max_size=160))
def test_whatever_the_octets_nothing_but_the_named_error_comes(version: int, octets: bytes) -> None:
    for each in (octets, bytes((version,)) + octets, bytes((version, len(octets) & 0x7F)) + octets):
        try:
            decode(each)
        except MsdError:
            continue


# -- the control block -----------------------------------------------------------------------------------------------

RFC_8147_REQUEST = (
    b'<?xml version="1.0" encoding="UTF-8"?>\r\n'
    b'<EmergencyCallData.Control xmlns="urn:ietf:params:xml:ns:EmergencyCallData:control">\r\n'
    b'<request action="send-data" datatype="eCall.MSD"/>\r\n'
    b"</EmergencyCallData.Control>\r\n"
)
"""RFC 8147's own example of a request for a new MSD."""
THIRD_GENERATION_ACK = RFC_8147_REQUEST.replace(
    b'<request action="send-data" datatype="eCall.MSD"/>', b'<ack received="true" ref="1234567890@example.com"/>'
).replace(b"Data.Control", b"Data.control")
"""An acknowledgement as 3GPP's test procedures write it: with a small letter."""


def test_the_rfc_s_example_is_a_request_for_data() -> None:
    assert parse_control(RFC_8147_REQUEST) == Control(requests=(Request("send-data", "eCall.MSD"),))


def test_an_acknowledgement_with_a_small_letter_is_read_and_told() -> None:
    control = parse_control(THIRD_GENERATION_ACK)
    assert control.acks == (Ack("1234567890@example.com", True),)
    assert control.findings == (
        "the document is 'EmergencyCallData.control'; EmergencyCallData.Control is how it is written",
    )


@pytest.mark.parametrize(
    "control",
    [
        Control(acks=(Ack("1@example.com", True),)),
        Control(acks=(Ack("1@example.com", False),)),
        Control(acks=(Ack("1@example.com", None, (Result("send-data", False, "unsupported", "no"),)),)),
        Control(requests=(Request("send-data", "eCall.MSD"),)),
        Control(capabilities=(Request("send-data", supported_values="eCall.MSD"),)),
    ],
)
def test_what_is_written_as_control_is_read(control: Control) -> None:
    assert parse_control(build_control(control)) == control


@pytest.mark.parametrize(
    "control",
    [
        Control(),
        Control(acks=(Ack(""),)),
        Control(requests=(Request("a b"),)),
        Control(acks=(Ack("1@x"),), requests=(Request(),)),
        Control(requests=(Request(datatype="\n"),)),
        Control(capabilities=(Request(),) * 100),
    ],
)
def test_what_is_no_control_block_is_not_written(control: Control) -> None:
    with pytest.raises(MsdError):
        build_control(control)


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"<a/>",
        b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>',
        RFC_8147_REQUEST.replace(b"<request", b"<request/>" * 70 + b"<request"),
    ],
)
def test_what_is_no_control_block_is_told(octets: bytes) -> None:
    with pytest.raises(MsdError):
        parse_control(octets)


@given(st.binary(max_size=200))
def test_whatever_the_control_octets_nothing_but_the_named_error_comes(octets: bytes) -> None:
    for each in (octets, RFC_8147_REQUEST.replace(b"send-data", octets)):
        try:
            parse_control(each)
        except MsdError:
            continue
