"""Several bodies in one message, checked against Python's own MIME parser; what is no multipart, and any octets."""

from __future__ import annotations

import email
import email.policy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import SipLocalError, SipRemoteError
from harness.protocols.location.msd import CONTENT_TYPE as MSD
from harness.protocols.sip.body import (
    MAX_HEAD,
    MAX_PARTS,
    Part,
    by_content_id,
    find,
    multipart,
    opened,
    parts_of,
)
from harness.protocols.sip.grammar import MAX_MESSAGE
from harness.protocols.sip.message import Message

SDP = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n"
_DEEPER = b"--%c\r\nContent-Type: multipart/mixed;boundary=%c\r\n\r\n"
NESTED = (
    b"".join(_DEEPER % pair for pair in zip(b"abcd", b"bcde", strict=True))
    + b"--e\r\n\r\n\r\n--e--"
    + b"".join(b"\r\n--%c--" % letter for letter in b"dcba")
)


def test_the_rfc_s_ecall_example_is_read() -> None:
    """RFC 8147 section 9, figure 9."""
    body = (
        b"--boundaryZZZ\r\nContent-Disposition: by-reference\r\n"
        b"Content-Type: application/EmergencyCallData.Control+xml\r\nContent-ID: <3456789012@atlanta.example.com>\r\n"
        b"\r\n<x/>\r\n--boundaryZZZ--\r\n"
    )
    (part,) = opened("multipart/mixed; boundary=boundaryZZZ", body)
    assert (part.content_type, part.body) == ("application/emergencycalldata.control+xml", b"<x/>")
    assert part.content_id == "3456789012@atlanta.example.com"
    assert part.headers["content-disposition"] == "by-reference"
    assert not part.is_optional


def test_a_part_is_found_in_a_message_by_its_type_and_a_body_alone_as_well() -> None:
    body, content_type = multipart([Part(MSD, b"\x02"), Part("application/sdp", SDP)])
    message = Message([("Content-Type", content_type)], body)
    assert find(message, "application/sdp") == SDP
    assert find(message, "text/plain") is None
    assert find(Message([("c", "application/SDP")], SDP), "application/sdp") == SDP
    assert find(Message([("c", "text/plain")], b"x"), "application/sdp") is None
    assert parts_of(Message([], b"")) == []


def test_a_multipart_in_a_multipart_is_opened_though_their_boundaries_begin_alike() -> None:
    inner, inner_type = multipart([Part("a/b", b"1"), Part("a/c", b"2")], "xy")
    outer, outer_type = multipart([Part("application/sdp", SDP), Part(inner_type, inner)], "xyz")
    assert [part.body for part in opened(outer_type, outer)] == [SDP, b"1", b"2"]
    # The other way about the writer refuses, as its boundary is in the part; others write so (RFC 2046 section 5.1.2).
    longer = inner.replace(b"--xy", b"--xyz")
    body = b"--xy\r\nContent-Type: multipart/mixed;boundary=xyz\r\n\r\n" + longer + b"\r\n--xy--"
    assert [part.body for part in opened("multipart/mixed;boundary=xy", body)] == [b"1", b"2"]


@pytest.mark.parametrize(
    ("body", "bodies"),
    [
        (b"--x\r\n\r\nbody\r\n--x--", [b"body"]),
        (b"--x  \r\n\r\n\r\nbody\r\n--x--\t", [b"\r\nbody"]),
        (b"before\r\n--x\r\n\r\nbody\r\n--x--\r\nafter", [b"body"]),
        (b"--x\r\nA: b\r\n--x--", [b""]),
        (b"--x\r\n--x--", [b""]),
        (b"--x\r\n\r\n\r\n--x\r\n--x--", [b"", b""]),
        (b"--x\r\nContent-Type: a/b;\r\n\tc=d\r\n\r\n--xy\r\n--x--", [b"--xy"]),
        (b"--x--", []),
    ],
)
def test_odd_but_right_multiparts_are_read(body: bytes, bodies: list[bytes]) -> None:
    assert [part.body for part in opened('multipart/related;type="a/b";boundary="x"', body)] == bodies


@pytest.mark.parametrize(
    ("content_type", "body", "told"),
    [
        ("multipart/mixed", b"", "boundary ''"),
        ('multipart/mixed;boundary=""', b"", "boundary ''"),
        (f"multipart/mixed;boundary={'x' * 71}", b"", "characters of RFC 2046"),
        ('multipart/mixed;boundary="x ', b"", "can't be read"),
        ("multipart/mixed;boundary=x", b"--y--", "its boundary does not stand"),
        ("multipart/mixed;boundary=x", b"--x\r\n\r\nbody", "does not end"),
        ("multipart/mixed;boundary=x", b"--x\r\nno header\r\n\r\nbody\r\n--x--", "is no name: value"),
        ("multipart/mixed;boundary=x", b"--x\r\nA: " + b"b" * MAX_HEAD + b"\r\n\r\n\r\n--x--", "read at most"),
        ("multipart/mixed;boundary=x", b"--x\r\n\r\n\r\n" * (MAX_PARTS + 1) + b"--x--", "more than 32 parts"),
        (
            "multipart/mixed;boundary=a",
            NESTED,
            "nested more than 4 deep",
        ),
    ],
)
def test_what_is_no_multipart_is_told(content_type: str, body: bytes, told: str) -> None:
    with pytest.raises(SipRemoteError) as error:
        opened(content_type, body)
    assert told in str(error.value)


@pytest.mark.parametrize(
    ("parts", "boundary"),
    [
        ([], ""),
        ([Part("a/b", b"")] * (MAX_PARTS + 1), ""),
        ([Part("a/b\r\nEvil: 1", b"")], ""),
        ([Part("a/b", b"", {"x\r\nevil": "1"})], ""),
        ([Part("a/b", b"", {"x": "\ud800"})], ""),
        ([Part("a/b", b"x" * MAX_MESSAGE)], ""),
        ([Part("a/b", b"")], "ends with a blank "),
        ([Part("a/b", b"")], "\r\n"),
        ([Part("a/b", b"--here")], "here"),
    ],
    ids=range(9),
)
def test_what_can_not_be_carried_is_not_written(parts: list[Part], boundary: str) -> None:
    with pytest.raises(SipLocalError):
        multipart(parts, boundary)


bodies = st.binary(max_size=120) | st.sampled_from([b"\r\n", b"--", b"\r\n--x", b"\r\n\r\n", SDP])
part_lists = st.lists(
    st.builds(
        Part,
        st.sampled_from([MSD.lower(), "application/sdp"]),
        bodies,
        st.sampled_from([{}, {"content-id": "<a@b>"}, {"content-disposition": "by-reference;handling=optional"}]),
    ),
    min_size=1,
    max_size=5,
)


@given(part_lists)
def test_any_octets_come_back_and_python_s_mime_parser_agrees(parts: list[Part]) -> None:
    body, content_type = multipart(parts)
    assert opened(content_type, body) == [
        Part(part.content_type, part.body, {"content-type": part.content_type, **part.headers}) for part in parts
    ]
    whole = f"Content-Type: {content_type}\r\n\r\n".encode() + body
    theirs = email.message_from_bytes(whole, policy=email.policy.HTTP)
    assert [part.get_content_type().lower() for part in theirs.iter_parts()] == [part.content_type for part in parts]
    assert [part.get_payload(decode=True) for part in theirs.iter_parts()] == [part.body for part in parts]


@given(part_lists)
def test_the_same_parts_give_the_same_octets(parts: list[Part]) -> None:
    assert multipart(parts) == multipart(list(parts))
    for part in parts:
        if part.content_id:
            assert by_content_id(parts, part.content_id) is not None
    assert by_content_id(parts, "nobody@b") is None


@given(st.text(max_size=80), st.binary(max_size=200))
def test_whatever_the_octets_nothing_but_the_named_error_comes(text: str, octets: bytes) -> None:
    for content_type in (text, "multipart/mixed;boundary=x", f"multipart/mixed;boundary={text}"):
        try:
            opened(content_type, b"--x\r\n" + octets)
        except SipRemoteError as error:
            assert str(error)
