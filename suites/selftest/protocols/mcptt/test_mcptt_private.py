"""What a private call's INVITE carries: the list of who is called, how it begins, and why it is refused."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import McpttError, McpttLocalError, SipLocalError, SipRemoteError
from harness.protocols.mcptt.info import McpttInfo, read_info
from harness.protocols.mcptt.private import (
    LISTS_NAMESPACE,
    MAX_ENTRIES,
    Commencement,
    called_of,
    private_body,
    read_commencement,
    read_list,
    write_list,
)
from harness.protocols.mcptt.warnings import TEXTS, Why, header, read_why, why
from harness.protocols.sip import body
from harness.protocols.sip.message import Request

CALLED = "sip:officer-9@mcptt.example"
uris = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=40).map(lambda t: f"sip:{t}")


def invite(content: bytes = b"", content_type: str = "", *headers: tuple[str, str]) -> Request:
    return Request.build("INVITE", "sip:mcptt@mcptt.example", list(headers), content, content_type)


@given(st.lists(uris, min_size=1, max_size=MAX_ENTRIES))
def test_a_list_that_is_written_is_read(called: list[str]) -> None:
    assert read_list(write_list(called)) == tuple(called)


def test_another_implementations_list_is_read() -> None:
    """With a prefix, a list within the list, and the capacity of RFC 5364."""
    document = f"""<rl:resource-lists xmlns:rl="{LISTS_NAMESPACE}" xmlns:cp="urn:ietf:params:xml:ns:copycontrol">
      <rl:list><rl:list><rl:entry uri=" {CALLED} " cp:copyControl="to"><rl:display-name>9</rl:display-name></rl:entry>
      </rl:list></rl:list></rl:resource-lists>""".encode()
    assert read_list(document) == (CALLED,)


@pytest.mark.parametrize(
    ("document", "named"),
    [
        (b"<other/>", "not resource-lists"),
        (b"<resource-lists><list><entry/></list></resource-lists>", "names nobody"),
        (b"<resource-lists>" + b'<entry uri="sip:a@b"/>' * 65 + b"</resource-lists>", "65 users; 64 are read"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><resource-lists/>', "document type"),
        (b"", "not well-formed"),
    ],
)
def test_what_is_no_list_is_named(document: bytes, named: str) -> None:
    with pytest.raises(McpttError, match=named):
        read_list(document)


@pytest.mark.parametrize("called", [[], [CALLED] * 65, ["officer-9"], ["sip:a\n@b"], ["sip:" + "a" * 600]])
def test_a_list_that_would_be_none_is_refused(called: list[str]) -> None:
    with pytest.raises(McpttLocalError):
        write_list(called)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_by_name(octets: bytes) -> None:
    with contextlib.suppress(McpttError):
        read_list(octets)


def test_the_body_of_a_callers_invite_holds_session_information_and_who_is_called() -> None:
    request = invite(*private_body(b"v=0\r\n", McpttInfo("private"), CALLED))
    assert [part.content_type for part in body.parts_of(request)] == [
        "application/sdp",
        "application/vnd.3gpp.mcptt-info+xml",
        "application/resource-lists+xml",
    ]
    found = body.find(request, "application/vnd.3gpp.mcptt-info+xml")
    assert found is not None
    assert read_info(found).session_type == "private"
    assert called_of(request) == CALLED


@pytest.mark.parametrize("called", [0, 2])
def test_a_call_to_nobody_or_to_two_is_no_private_call(called: int) -> None:
    content = (write_list([CALLED] * called), "application/resource-lists+xml") if called else (b"", "")
    with pytest.raises(McpttError, match=f"to {called} users; it is for one"):
        called_of(invite(*content))


def test_a_body_that_can_not_be_read_is_refused() -> None:
    with pytest.raises(SipRemoteError):
        called_of(invite(b"--x\r\n", 'multipart/mixed;boundary="x"'))


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("Manual", Commencement.MANUAL),
        ("auto;require", Commencement.AUTO),
        (" MANUAL ", Commencement.MANUAL),
        ("Never", None),
        ("", None),
    ],
)
def test_how_it_begins_is_read_and_what_there_is_not_is_left(value: str, read: Commencement | None) -> None:
    assert read_commencement(invite(b"", "", ("Answer-Mode", value))) is read


def test_nothing_is_asked_where_no_header_says_so() -> None:
    assert read_commencement(invite()) is None
    assert Commencement.MANUAL.header == ("Answer-Mode", "Manual")


@pytest.mark.parametrize("number", TEXTS)
def test_a_text_is_written_with_its_number_and_read(number: int) -> None:
    name, value = header("mcptt.example", why(number))
    assert value == f'399 mcptt.example "{number} {TEXTS[number]}"'
    assert read_why(invite(b"", "", (name, value))) == Why(number, TEXTS[number])


@pytest.mark.parametrize(
    ("lines", "read"),
    [
        ([], None),
        (["junk"], None),
        (['399 a "no \\"number\\""'], Why(None, 'no "number"')),
        (["junk", '399 [2001:db8::1]:5060 "127 not allowed"'], Why(127, "not allowed")),
    ],
)
def test_strangers_warnings_are_read_or_left(lines: list[str], read: Why | None) -> None:
    assert read_why(invite(b"", "", *(("Warning", line) for line in lines))) == read


@given(st.text(max_size=300))
def test_any_warning_is_read_or_left(text: str) -> None:
    with contextlib.suppress(SipLocalError):
        request = invite(b"", "", ("Warning", text))
        told = read_why(request)
        assert told is None or len(told.text) <= 200
