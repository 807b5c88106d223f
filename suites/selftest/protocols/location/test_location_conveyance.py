"""Location in SIP: Geolocation and its kin, and a location beside a session description."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import PidfError
from harness.protocols.location import geolocation
from harness.protocols.location.conveyance import location_of, with_location
from harness.protocols.location.geolocation import LocationUri
from harness.protocols.location.pidf import Location, Presence
from harness.protocols.location.shapes import Circle, Point
from harness.protocols.sip.body import Part, multipart, opened
from harness.protocols.sip.grammar import MAX_MESSAGE

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
    parts = opened(conveyed.content_type, conveyed.body)
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
    body, content_type = multipart([Part("text/plain", b"here", {"content-id": "<a@b>"})])
    with pytest.raises(PidfError, match="the location is 'text/plain'"):
        location_of(content_type, body, "<cid:a@b>")


@pytest.mark.parametrize(
    ("content_type", "body"), [("application/sdp", b"v=0"), ("multipart/mixed;boundary=x", b"--x\r\n\r\nbody")]
)
def test_a_location_in_a_body_that_is_none_or_broken_is_told(content_type: str, body: bytes) -> None:
    with pytest.raises(PidfError, match=r"no part has the Content-ID|does not end"):
        location_of(content_type, body, "<cid:a@b>")


@pytest.mark.parametrize("content_id", ["no at", "a@b\r\nEvil: 1", ""])
def test_what_is_no_content_id_is_not_written(content_id: str) -> None:
    with pytest.raises(PidfError, match="is no Content-ID"):
        with_location(SDP, HERE, content_id)


def test_more_than_a_message_holds_is_not_written() -> None:
    with pytest.raises(PidfError, match="a message has 65535 at most"):
        with_location(b"x" * MAX_MESSAGE, HERE, "a@b")


@given(st.text(max_size=80), st.binary(max_size=200))
def test_whatever_the_octets_nothing_but_the_named_error_comes(text: str, octets: bytes) -> None:
    for content_type in (text, "multipart/mixed;boundary=x", f"multipart/mixed;boundary={text}"):
        try:
            location_of(content_type, b"--x\r\n" + octets, "<cid:a@b>")
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
