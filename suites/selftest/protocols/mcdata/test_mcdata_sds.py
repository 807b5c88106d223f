"""Short data: written and read octet by octet as others have it; what is not known is left, nonsense named."""

from __future__ import annotations

import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import McpttError, McpttLocalError
from harness.protocols.mcdata.info import NAMESPACE, McdataInfo, read_info
from harness.protocols.mcdata.message import ShortData, short_data_in
from harness.protocols.mcdata.sds import (
    MAX_PAYLOADS,
    MAX_TEXT,
    Content,
    Disposition,
    Notification,
    Payload,
    Signalling,
    Wanted,
    read_payloads,
    read_signalling,
    write_payloads,
)
from harness.protocols.sip import body
from harness.protocols.sip.message import Request

CONVERSATION, MESSAGE = bytes(range(16)), bytes(range(240, 256))
ids = st.binary(min_size=16, max_size=16)
times = st.integers(0, (1 << 40) - 1)
said = st.one_of(
    st.builds(
        Signalling,
        ids,
        ids,
        times,
        st.none() | st.sampled_from(Wanted),
        st.just(b"") | ids,
        st.none() | st.integers(0, 255),
    ),
    st.builds(Notification, ids, ids, st.integers(0, 255), times),
)
payloads = st.builds(Payload, st.integers(0, 255), st.binary(max_size=100))
text = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), max_size=40)


@given(said)
def test_signalling_that_is_written_is_read(message: Signalling | Notification) -> None:
    assert read_signalling(bytes(message)) == message


@given(st.lists(payloads, min_size=1, max_size=MAX_PAYLOADS))
def test_payloads_that_are_written_are_read(written: list[Payload]) -> None:
    assert read_payloads(write_payloads(*written)) == tuple(written)


@given(st.builds(McdataInfo, text, text, text, text))
def test_a_document_that_is_written_is_read(info: McdataInfo) -> None:
    assert read_info(bytes(info)) == info


def test_a_text_with_a_receipt_wanted_octet_by_octet() -> None:
    signalling = Signalling(CONVERSATION, MESSAGE, 0x0102030405, Wanted.DELIVERY)
    assert bytes(signalling) == b"\x01\x01\x02\x03\x04\x05" + CONVERSATION + MESSAGE + b"\x81"
    assert write_payloads(Payload.of_text("hi")) == b"\x03\x01\x78\x00\x03\x01hi"


def test_a_notification_octet_by_octet() -> None:
    delivered = Notification(CONVERSATION, MESSAGE, Disposition.DELIVERED, 5)
    assert bytes(delivered) == b"\x05\x02\x00\x00\x00\x00\x05" + CONVERSATION + MESSAGE


def test_a_status_is_two_octets() -> None:
    payload = Payload.of_status(32773)
    assert (payload.content, payload.data.hex()) == (Content.ENHANCED_STATUS, "8005")
    assert read_payloads(write_payloads(payload))[0].status == 32773
    assert (payload.text, Payload.of_text("5").status, Payload(6, b"\x05").status) == (None, None, None)


def test_spare_bits_of_the_type_and_elements_that_are_not_known_are_left() -> None:
    """A location of the sender, an application's container, and a disposition of a later release."""
    octets = b"\xc1" + bytes(5) + CONVERSATION + MESSAGE
    octets += b"\x7e\x00\x02ab" + b"\x21" + MESSAGE + b"\x22\x07" + b"\x8f" + b"\x53\x00\x00"
    assert read_signalling(octets) == Signalling(CONVERSATION, MESSAGE, 0, None, MESSAGE, 7)
    assert read_payloads(b"\x03\x01\x79\x00\x01x\x78\x00\x03\x01hi") == (Payload(Content.TEXT, b"hi"),)


def test_octets_that_are_no_utf_8_are_replaced() -> None:
    assert Payload(Content.TEXT, b"\xff!").text == "\ufffd!"


@pytest.mark.parametrize(
    ("octets", "named"),
    [
        (b"", "type 0"),
        (b"\x02" + bytes(37), "type 2"),
        (b"\x01" + bytes(36), "37 octets; 38 at least"),
        (b"\x05" + bytes(37), "38 octets; 39 at least"),
        (b"\x01" + bytes(37) + b"\x21\x00", "0x21 of 16 octets is cut short"),
        (b"\x01" + bytes(37) + b"\x7e\x00\x09a", "0x7e of 9 octets is cut short"),
    ],
)
def test_what_is_no_signalling_is_named(octets: bytes, named: str) -> None:
    with pytest.raises(McpttError, match=named):
        read_signalling(octets)


@pytest.mark.parametrize(
    ("octets", "named"),
    [
        (b"\x03", "no DATA PAYLOAD"),
        (b"\x01\x01", "no DATA PAYLOAD"),
        (b"\x03\x02\x78\x00\x03\x01hi", "2 payloads are told, 1 are there"),
        (b"\x03\x01\x78\x00\x09\x01hi", "cut short"),
        (b"\x03\x11" + b"\x78\x00\x01\x01" * 17, "17 payloads; 16 are read"),
    ],
)
def test_what_is_no_payload_is_named(octets: bytes, named: str) -> None:
    with pytest.raises(McpttError, match=named):
        read_payloads(octets)


@given(st.binary(max_size=120))
def test_any_octets_are_read_or_refused_by_name(octets: bytes) -> None:
    for read in (read_signalling, read_payloads, read_info):
        with contextlib.suppress(McpttError):
            read(octets)


@pytest.mark.parametrize("text", ["", "x" * (MAX_TEXT + 1), "\ud800"])
def test_a_text_that_does_not_fit_is_refused(text: str) -> None:
    with pytest.raises(McpttLocalError):
        Payload.of_text(text)


def test_values_that_do_not_fit_are_refused() -> None:
    for wrong in (
        lambda: bytes(Signalling(b"", MESSAGE)),
        lambda: bytes(Signalling(CONVERSATION, MESSAGE, 1 << 40)),
        lambda: bytes(Signalling(CONVERSATION, MESSAGE, application=256)),
        lambda: bytes(Notification(CONVERSATION, MESSAGE, 256)),
        lambda: Payload.of_status(65536),
        write_payloads,
        lambda: bytes(McdataInfo("x" * 600)),
    ):
        with pytest.raises(McpttLocalError):
            wrong()


def test_another_implementations_document_is_read() -> None:
    document = f"""<m:mcdatainfo xmlns:m="{NAMESPACE}"><m:mcdata-Params><m:request-type> group-sds </m:request-type>
      <m:mcdata-client-id>urn:uuid:1</m:mcdata-client-id>
      <m:mcdata-request-uri><m:mcdataURI>sip:GD-OPS-1@mcptt.example</m:mcdataURI></m:mcdata-request-uri>
    </m:mcdata-Params></m:mcdatainfo>""".encode()
    assert read_info(document) == McdataInfo("group-sds", "sip:GD-OPS-1@mcptt.example")


@pytest.mark.parametrize(
    ("document", "named"),
    [(b"<a/>", "not mcdatainfo"), (b"<mcdatainfo/>", "no mcdata-Params"), (b"<", "not well-formed")],
)
def test_what_is_no_document_is_named(document: bytes, named: str) -> None:
    with pytest.raises(McpttError, match=named):
        read_info(document)


@pytest.mark.parametrize("encoding", ["base64", " BASE64 "])
def test_parts_in_base64_are_read(encoding: str) -> None:
    data = ShortData(McdataInfo("group-sds"), Signalling(CONVERSATION, MESSAGE), (Payload.of_text("hi"),))
    parts = [
        body.Part(part.content_type, base64.encodebytes(part.body), {"content-transfer-encoding": encoding})
        for part in data.parts()
    ]
    content, content_type = body.multipart(parts)
    assert short_data_in(Request.build("MESSAGE", "sip:mcdata@b", [], content, content_type)) == data


def test_parts_that_are_said_to_be_in_base64_and_are_not_are_refused() -> None:
    part = body.Part("application/vnd.3gpp.mcdata-signalling", b"A", {"content-transfer-encoding": "base64"})
    with pytest.raises(McpttError, match="base64"):
        short_data_in(Request.build("MESSAGE", "sip:mcdata@b", [], *body.multipart([part])))


def test_a_message_without_signalling_is_no_short_data() -> None:
    assert short_data_in(Request.build("MESSAGE", "sip:mcdata@b", [], b"hello", "text/plain")) is None
