"""Location in SIP: Geolocation and its kin, and bodies side by side, checked against Python's own MIME parser."""

from __future__ import annotations

import email
import email.policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import PidfError
from harness.protocols.location import geolocation
from harness.protocols.location.geolocation import LocationUri
from harness.protocols.location.msd import CONTENT_TYPE as MSD
from harness.protocols.location.multipart import (
    MAX_BODY,
    MAX_PARTS,
    Part,
    build,
    by_content_id,
    location_of,
    parse,
    with_location,
)
from harness.protocols.location.pidf import Location, Presence
from harness.protocols.location.shapes import Circle, Point

SDP = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n"
HERE = Presence("pres:+447700900123@example.com", (Location(shape=Circle(Point(55.8642, -4.2518), 30.0)),))


def test_the_rfc_s_values_are_read() -> None:
    assert geolocation.parse("<cid:target123@atlanta.example.com>")[0].content_id == "target123@atlanta.example.com"
    two = geolocation.parse('<sips:3sdefrhy2jj7@lis.atlanta.example.com>, <cid:a@b> ;inserted-by="c"')
    assert [value.content_id for value in two] == [None, "a@b"]
    assert two[1].parameters == ';inserted-by="c"'
    assert all(map(geolocation.known_scheme, two))


@pytest.mark.parametrize("text", ["", "cid:a@b", "<>", "<a@b>", "<cid:a@b", "<cid:a b>", "<cid:a@b>" * 2, "x" * 9000])
def test_what_is_no_geolocation_is_told(text: str) -> None:
    with pytest.raises(PidfError):
        geolocation.parse(text)


def test_more_uris_than_are_read_are_told() -> None:
    with pytest.raises(PidfError, match="more than 16 location URIs"):
        geolocation.parse(", ".join(["<cid:a@b>"] * 17))


@pytest.mark.parametrize(
    ("text", "allowed"), [(None, False), ("yes", True), ("YES", True), ("no", False), ("x", False)]
)
def test_only_yes_lets_proxies_route_by_it(text: str | None, allowed: bool) -> None:
    assert geolocation.parse_routing(text) is allowed


def test_errors_have_the_registered_reasons() -> None:
    assert geolocation.error_value(100) == '100;code="Cannot Process Location"'
    assert geolocation.parse_error('100;code="Cannot Process Location"') == (100, "Cannot Process Location")
    assert geolocation.parse_error("300") == (300, "Dereference Failure")
    assert geolocation.parse_error(geolocation.error_value(200, 'a "b" \\c')) == (200, 'a "b" \\c')
    for wrong in ("", "yes", "1000"):
        with pytest.raises(PidfError):
            geolocation.parse_error(wrong)
    with pytest.raises(PidfError):
        geolocation.error_value(99)
    with pytest.raises(PidfError):
        geolocation.error_value(100, "a\r\nEvil: 1")
    with pytest.raises(PidfError):
        geolocation.parse_routing("<no>")


def test_a_location_stands_beside_the_session_and_is_found_by_its_uri() -> None:
    conveyed = with_location(SDP, HERE, "loc-1@trunk.example")
    assert conveyed.geolocation == "<cid:loc-1@trunk.example>"
    parts = parse(conveyed.content_type, conveyed.body)
    assert [part.content_type for part in parts] == ["application/sdp", "application/pidf+xml"]
    assert parts[0].body == SDP
    assert location_of(conveyed.content_type, conveyed.body, conveyed.geolocation) == HERE


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("<cid:other@trunk.example>", "no part has the Content-ID"),
        ("<https://lis.example/1>", "no cid: URI"),
    ],
)
def test_a_location_that_is_elsewhere_is_told(value: str, told: str) -> None:
    conveyed = with_location(SDP, HERE, "loc-1@trunk.example")
    with pytest.raises(PidfError, match=told):
        location_of(conveyed.content_type, conveyed.body, value)


def test_a_location_of_another_type_is_told() -> None:
    content_type, body = build([Part("text/plain", b"here", "a@b")])
    with pytest.raises(PidfError, match="the location is 'text/plain'"):
        location_of(content_type, body, "<cid:a@b>")


@pytest.mark.parametrize(
    ("content_type", "body", "told"),
    [
        ("application/sdp", b"", "and not multipart"),
        ("multipart/mixed", b"", "no boundary"),
        ('multipart/mixed;boundary=""', b"", "boundary ''"),
        (f"multipart/mixed;boundary={'x' * 71}", b"", "characters of RFC 2046"),
        ("multipart/mixed;boundary=x", b"--y--", "the boundary is not in the body"),
        ("multipart/mixed;boundary=x", b"--x\r\n\r\nbody", "cut short"),
        ("multipart/mixed;boundary=x", b"--x\r\nno header\r\n\r\nbody\r\n--x--", "is no name: value"),
        ("multipart/mixed;boundary=x", b"--x\r\nA: " + b"b" * 5000 + b"\r\n\r\n\r\n--x--", "read at most"),
        ("multipart/mixed;boundary=x", b"--x\r\n\r\n\r\n" * (MAX_PARTS + 1) + b"--x--", "more than 16 parts"),
        ("multipart/mixed;boundary=x", b"x" * (MAX_BODY + 1), "are read at most"),
    ],
)
def test_what_is_no_multipart_is_told(content_type: str, body: bytes, told: str) -> None:
    with pytest.raises(PidfError) as error:
        parse(content_type, body)
    assert told in str(error.value)


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [Part("a/b", b"")] * (MAX_PARTS + 1),
        [Part("a/b\r\nEvil: 1", b"")],
        [Part("a/b", b"", "no at")],
        [Part("a/b", b"x" * MAX_BODY)],
    ],
    ids=range(5),
)
def test_what_can_not_be_carried_is_not_written(parts: list[Part]) -> None:
    with pytest.raises(PidfError):
        build(parts)


def test_the_rfc_s_ecall_example_is_read() -> None:
    body = (
        b"--boundaryZZZ\r\nContent-Disposition: by-reference\r\n"
        b"Content-Type: application/EmergencyCallData.Control+xml\r\nContent-ID: <3456789012@atlanta.example.com>\r\n"
        b"\r\n<x/>\r\n--boundaryZZZ--\r\n"
    )
    (part,) = parse("multipart/mixed; boundary=boundaryZZZ", body)
    assert part == Part(
        "application/EmergencyCallData.Control+xml", b"<x/>", "3456789012@atlanta.example.com", "by-reference"
    )


bodies = st.binary(max_size=120) | st.sampled_from([b"\r\n", b"--", b"\r\n--x", b"\r\n\r\n", SDP])
part_lists = st.lists(
    st.builds(Part, st.sampled_from([MSD, "application/sdp"]), bodies, st.sampled_from(["", "a@b", "c@d"])),
    min_size=1,
    max_size=5,
)


@given(part_lists)
def test_any_octets_come_back_and_python_s_mime_parser_agrees(parts: list[Part]) -> None:
    content_type, body = build(parts)
    assert parse(content_type, body) == parts
    whole = f"Content-Type: {content_type}\r\n\r\n".encode() + body
    theirs = email.message_from_bytes(whole, policy=email.policy.HTTP)
    assert [part.get_content_type().lower() for part in theirs.iter_parts()] == [
        part.content_type.lower() for part in parts
    ]
    assert [part.get_payload(decode=True) for part in theirs.iter_parts()] == [part.body for part in parts]


@given(part_lists)
def test_the_same_parts_give_the_same_octets(parts: list[Part]) -> None:
    assert build(parts) == build(list(parts))
    for part in parts:
        if part.content_id:
            assert by_content_id(parts, part.content_id) is not None


@given(st.text(max_size=80), st.binary(max_size=200))
def test_whatever_the_octets_nothing_but_the_named_error_comes(text: str, octets: bytes) -> None:
    for content_type in (text, "multipart/mixed;boundary=x", f"multipart/mixed;boundary={text}"):
        try:
            parse(content_type, b"--x\r\n" + octets)
        except PidfError:
            continue
    for read in (geolocation.parse, geolocation.parse_error, geolocation.parse_routing):
        try:
            read(text)
        except PidfError:
            continue


@given(st.lists(st.sampled_from(["cid:a@b", "sip:x@y", "https://l.example/1?a=b"]), min_size=1, max_size=5))
def test_what_is_written_as_geolocation_is_read(uris: list[str]) -> None:
    values = [LocationUri(uri) for uri in uris]
    assert geolocation.parse(geolocation.build(values)) == values
