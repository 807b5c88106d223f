"""mcptt-info and the floor's stream in SDP: what is written is read, strangers' spellings too, nonsense is named."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import McpttError, McpttLocalError
from harness.protocols.mcptt.info import (
    NAMESPACE,
    SESSION_TYPES,
    FloorTerms,
    Listening,
    McpttInfo,
    read_floor,
    read_info,
)
from harness.protocols.sdp.description import Media, parse

text = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=40)
flag = st.none() | st.booleans()
infos = st.builds(
    McpttInfo,
    st.just("") | st.sampled_from(SESSION_TYPES),
    *[text] * 5,
    *[flag] * 4,
    st.none() | st.sampled_from(Listening),
)
floors = st.builds(
    FloorTerms, st.integers(1, 0xFFFF), st.booleans(), st.none() | st.integers(0, 255), st.booleans(), st.booleans()
)


@given(infos)
def test_what_is_written_is_read(info: McpttInfo) -> None:
    assert read_info(bytes(info)) == info


@given(floors)
def test_a_floor_that_is_written_is_read(floor: FloorTerms) -> None:
    assert read_floor(floor.media()) == floor


def test_another_implementations_document_is_read() -> None:
    """With a prefix, values without their inner element, and parameters that we do not know."""
    document = f"""<?xml version="1.0"?><m:mcpttinfo xmlns:m="{NAMESPACE}" xmlns:x="urn:x"><m:mcptt-Params>
      <m:session-type>prearranged</m:session-type><x:more><x:inner>1</x:inner></x:more>
      <m:mcptt-request-uri type="Normal"><m:mcpttURI> sip:group-1@example.com </m:mcpttURI></m:mcptt-request-uri>
      <m:mcptt-client-id>urn:uuid:1</m:mcptt-client-id><m:emergency-ind>1</m:emergency-ind>
    </m:mcptt-Params></m:mcpttinfo>""".encode()
    assert read_info(document) == McpttInfo(
        "prearranged", "sip:group-1@example.com", client="urn:uuid:1", emergency=True
    )


def test_what_later_releases_say_is_read_beside_what_is_not_known() -> None:
    document = (
        f'<mcpttinfo xmlns="{NAMESPACE}"><mcptt-Params><anyExt><functional-alias-URI>x</functional-alias-URI>'
        "<ambient-listening-type>local-init</ambient-listening-type></anyExt></mcptt-Params></mcpttinfo>"
    )
    assert read_info(document.encode()) == McpttInfo(listening=Listening.LOCAL)


@pytest.mark.parametrize(
    ("document", "named"),
    [
        (b"<mcpttinfo/>", "no mcptt-Params"),
        (b"<other/>", "not mcpttinfo"),
        (b"<mcpttinfo>", "not well-formed"),
        (b"<mcpttinfo><mcptt-Params><emergency-ind>maybe</emergency-ind></mcptt-Params></mcpttinfo>", "'maybe'"),
        (
            b"<mcpttinfo><mcptt-Params><anyExt><ambient-listening-type>both</ambient-listening-type></anyExt>"
            b"</mcptt-Params></mcpttinfo>",
            "'both', not remote-init, local-init",
        ),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><mcpttinfo/>', "document type"),
    ],
)
def test_what_is_no_document_is_named(document: bytes, named: str) -> None:
    with pytest.raises(McpttError, match=named):
        read_info(document)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_by_name(octets: bytes) -> None:
    with contextlib.suppress(McpttError):
        read_info(octets)


def test_a_session_type_that_there_is_not_is_refused() -> None:
    with pytest.raises(McpttLocalError, match="prearranged, chat"):
        bytes(McpttInfo("group"))


def test_the_floor_of_a_peers_description_is_found() -> None:
    session = parse(
        b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"
        b"m=application 4002 udp MCPTT\r\na=fmtp:MCPTT mc_queueing; mc_priority=5;mc_granted;mc_implicit_request\r\n"
    )
    found = [read_floor(media) for media in session.media]
    assert found == [None, FloorTerms(4002, True, 5, True, True)]


@pytest.mark.parametrize("priority", ["256", "-1", "x", ""])
def test_a_priority_out_of_range_is_named(priority: str) -> None:
    media = Media("application", 4002, "udp", ["MCPTT"], attributes=[("fmtp", f"MCPTT mc_priority={priority}")])
    with pytest.raises(McpttError, match="it is 0-255"):
        read_floor(media)
