"""tshark takes the SIP that we write for MCPTT apart: headers, the parts of bodies, and the documents in them."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.protocols.mcdata.info import HEADERS, McdataInfo
from harness.protocols.mcdata.message import ShortData
from harness.protocols.mcdata.sds import Payload, Signalling, Wanted
from harness.protocols.mcptt.description import with_floor
from harness.protocols.mcptt.info import AMBIENT, CONTENT_TYPE, INVITE_HEADERS, FloorTerms, Listening, McpttInfo
from harness.protocols.mcptt.location import LOCATION_TYPE, Place, Report, write_location
from harness.protocols.mcptt.private import Commencement, private_body
from harness.protocols.mcptt.warnings import NO_PRIVATE_CALLS, header, why
from harness.protocols.sip import body
from harness.protocols.sip.message import Request
from suites.selftest.witness import need

pytestmark = pytest.mark.witness("tshark")

CALLED = "sip:officer-9@mcptt.example"
SDP = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"
HEAD = [
    ("Via", "SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1"),
    ("Max-Forwards", "70"),
    ("From", "<sip:officer-8@mcptt.example>;tag=1"),
    ("To", "<sip:mcptt@mcptt.example>"),
    ("Call-ID", "1"),
]


def dissected(folder: Path, message: bytes, *names: str) -> list[list[str]]:
    """The values that it finds of each field, in their order."""
    from scapy.layers.inet import IP, UDP  # noqa: PLC0415 (scapy takes most of a second to import)
    from scapy.utils import PcapWriter  # noqa: PLC0415

    with PcapWriter(str(folder / "one.pcap"), linktype=101) as pcap:
        pcap.write(IP(src="127.0.0.1", dst="127.0.0.1") / UDP(sport=5060, dport=5060) / message)
    fields = [word for name in (*names, "_ws.malformed") for word in ("-e", name)]
    command = [need("tshark", package="tshark"), "-n", "-r", str(folder / "one.pcap"), "-T", "fields"]
    told = subprocess.run(
        [*command, "-E", "separator=\t", "-E", "aggregator=|", *fields],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    *values, malformed = told.rstrip("\n").split("\t")
    assert malformed == ""
    return [value.split("|") if value else [] for value in values]


@pytest.mark.parametrize("duplex", [False, True])
def test_the_invite_of_a_private_call(tmp_path: Path, duplex: bool) -> None:
    description = SDP if duplex else with_floor(SDP, FloorTerms(4002, queueing=True, priority=5))
    info = McpttInfo("private", calling_user="sip:officer-8@mcptt.example", emergency=True)
    content, content_type = private_body(description, info, CALLED)
    headers = [*HEAD, ("CSeq", "1 INVITE"), *INVITE_HEADERS, Commencement.MANUAL.header]
    message = bytes(Request.build("INVITE", "sip:mcptt@mcptt.example", headers, content, content_type))
    names = ("sip.Method", "mime_multipart.header.content-type", "sdp.media.media", "xml.cdata", "xml.attribute")
    method, types, media, texts, attributes = dissected(tmp_path, message, *names)
    assert method == ["INVITE"]
    assert [each.lower() for each in types] == [
        "application/sdp",
        "application/vnd.3gpp.mcptt-info+xml",
        "application/resource-lists+xml",
    ]
    assert media == (["audio"] if duplex else ["audio", "application"])
    assert {"private", "sip:officer-8@mcptt.example", "true"} <= set(texts)
    assert f'uri="{CALLED}"' in attributes


def test_the_invite_of_an_ambient_listening_call(tmp_path: Path) -> None:
    description = with_floor(SDP, FloorTerms(4002, implicit_request=True))
    info = McpttInfo(AMBIENT, calling_user="sip:dispatcher@mcptt.example", listening=Listening.REMOTE)
    content, content_type = private_body(description, info, CALLED)
    headers = [*HEAD, ("CSeq", "1 INVITE"), *INVITE_HEADERS, Commencement.AUTO.header]
    message = bytes(Request.build("INVITE", "sip:mcptt@mcptt.example", headers, content, content_type))
    names = ("sdp.fmtp.parameter", "xml.cdata", "xml.tag")
    parameters, texts, tags = dissected(tmp_path, message, *names)
    assert "mc_implicit_request" in " ".join(parameters)
    assert {"ambient-listening", "remote-init"} <= set(texts)
    assert "<ambient-listening-type>" in " ".join(tags)


def test_the_warning_of_a_refusal(tmp_path: Path) -> None:
    request = Request.build("INVITE", "sip:mcptt@mcptt.example", [*HEAD, ("CSeq", "1 INVITE")])
    refused = request.response(403, to_tag="2", headers=[header("mcptt.example", why(NO_PRIVATE_CALLS))])
    status, text = dissected(tmp_path, bytes(refused), "sip.Status-Code", "sip.Warning")
    assert status == ["403"]
    assert text == ['399 mcptt.example "107 user not authorised to make private calls"']


def test_the_report_of_a_place(tmp_path: Path) -> None:
    report = write_location(Report(Place(45.0, -90.0), ("periodic",), "7", emergency=True))
    info = bytes(McpttInfo(calling_user="sip:officer-8@mcptt.example"))
    content, content_type = body.multipart([body.Part(CONTENT_TYPE, info), body.Part(LOCATION_TYPE, report)])
    headers = [*HEAD, ("CSeq", "1 MESSAGE"), *INVITE_HEADERS]
    message = bytes(Request.build("MESSAGE", "sip:mcptt@mcptt.example", headers, content, content_type))
    types, texts, attributes = dissected(
        tmp_path, message, "mime_multipart.header.content-type", "xml.cdata", "xml.attribute"
    )
    assert types == [CONTENT_TYPE, LOCATION_TYPE]
    assert texts[-3:] == ["periodic", str(0xC00000), str(0x400000)]
    assert {'ReportType="Emergency"', 'ReportID="7"'} <= set(attributes)


def test_the_parts_of_short_data(tmp_path: Path) -> None:
    """It takes the parts apart and reads the documents; of signalling and payloads it has the octets."""
    signalling = Signalling(bytes(range(16)), bytes(range(16, 32)), 5, Wanted.DELIVERY)
    data = ShortData(McdataInfo("one-to-one-sds"), signalling, (Payload.of_text("hi"),), (CALLED,))
    content, content_type = body.multipart(data.parts())
    headers = [*HEAD, ("CSeq", "1 MESSAGE"), *HEADERS]
    message = bytes(Request.build("MESSAGE", "sip:mcdata@mcptt.example", headers, content, content_type))
    names = ("mime_multipart.header.content-type", "xml.cdata", "xml.attribute", "media.type")
    types, texts, attributes, octets = dissected(tmp_path, message, *names)
    assert types == [
        "application/vnd.3gpp.mcdata-info+xml",
        "application/vnd.3gpp.mcdata-signalling",
        "application/vnd.3gpp.mcdata-payload",
        "application/resource-lists+xml",
    ]
    assert texts == ["one-to-one-sds"]
    assert f'uri="{CALLED}"' in attributes
    bare = [each.replace(":", "") for each in octets]
    assert bare == ["010000000005" + bytes(range(32)).hex() + "81", "03017800030168" + "69"]
