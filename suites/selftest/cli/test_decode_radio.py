"""`iccs decode` of the radio side: transcripts as terminals' logs hold them, location, ED-137, floor control."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.cli.decoders import KINDS, decode
from harness.cli.main import app as iccs
from harness.errors import HarnessError, McpttError, PeiRemoteError, SdsError
from harness.protocols.mcdata.info import McdataInfo
from harness.protocols.mcdata.message import ShortData
from harness.protocols.mcdata.sds import Notification, Payload, Signalling, Wanted
from harness.protocols.mcptt.location import Place, Report, write_location
from harness.protocols.sip import body

TRANSCRIPT = """\
2026-07-01 12:00:01.100 > AT+CTSP=1,3,130
12:00:01.2 < OK
[12:00:02] TX: AT+CTSDS=12,0,0,0,1
RX: OK
AT+CMGS=4000001,56
82042A014F4B21^Z
+CMGS: 1
OK
+CTXG:1,3,0,0,1,00010000104001234
+CTSDSR: 12,4001234,0,4000001,0,84
0A0088BD4247F737FFE81
+XYZ: 1
+CME ERROR: 35
+CTCR: 1,9
rubbish
"""


def lines_of(text: str) -> list[dict[str, Any]]:
    """What each line of a transcript means."""
    shown = decode("pei", text.encode(), from_file=True)
    assert isinstance(shown, list)
    return shown


def test_every_line_of_a_transcript_has_its_meaning_and_unknown_ones_are_told_as_such() -> None:
    shown = {row["number"]: row for row in lines_of(TRANSCRIPT)}
    assert [row["direction"] for row in shown.values()] == [
        "command",
        "final result",
        "command",
        "final result",
        "command",
        "code",
        "final result",
        "code",
        "code",
        "unknown",
        "final result",
        "code",
        "unknown",
    ]
    assert shown[1]["line"] == "AT+CTSP=1,3,130"
    assert shown[3]["service_means"] == "12 (SDS type 4)"
    assert shown[9]["grant_means"] == "3 (granted to another)"
    assert shown[13]["meaning"] == "35 (syntax error)"
    assert shown[14]["cause_means"].startswith("9 (")
    assert shown[12]["meaning"] == "not known to this tool"
    assert "rubbish" in shown[15]["why"]


def test_a_list_whose_lines_lack_their_name_is_read_and_no_field_takes_the_place_of_the_lines_number() -> None:
    shown = lines_of(
        "AT+CNUMS?\n+CNUMS: 2\n1,0901160010100998 ,Group 1\n1,0901160010102998 ,Group 3\nOK\n"
        "AT+CNUMF?\n+CNUMF: 6,0901160010000001\n0,0901160018280651\nOK\nATD4001235\n1,2\n"
    )
    assert [row["number"] for row in shown] == list(range(1, 12))
    assert shown[1]["entries"] == 2
    assert [(row["identity_type"], row["group"], row["name"]) for row in shown[2:4]] == [
        (1, "0901160010100998", "Group 1"),
        (1, "0901160010102998", "Group 3"),
    ]
    assert [(row["type"], row["identity_type_means"], row["identity"]) for row in shown[6:8]] == [
        ("Numbering", "6 (extended individual)", "0901160010000001"),
        ("Numbering", "0 (individual)", "0901160018280651"),
    ]
    assert (shown[9]["direction"], shown[9]["identity"]) == ("command", "4001235")
    assert shown[10]["direction"] == "unknown"


@pytest.mark.parametrize(
    "line",
    [
        r"\r\n+CTCR: 1,13\r\n",
        "<CR><LF>+CTCR: 1,13<CR><LF>",
        r"b'\r\n+CTCR: 1,13\r\n'",
        '"+CTCR: 1,13"',
        "Jan  5 10:22:33 host logic[123]: +CTCR: 1,13",
        "COM3 RX +CTCR: 1,13",
        "1614861181.123 < +CTCR: 1,13",
    ],
)
def test_a_line_is_found_whatever_a_log_writes_around_it(line: str) -> None:
    (shown, _) = lines_of(f"{line}\nOK\n")
    assert (shown["line"], shown["cause"]) == ("+CTCR: 1,13", 13)


def test_a_message_whose_hex_is_on_its_heads_line_is_read() -> None:
    shown = lines_of("+CTSDSR: 12,23404,0,23401,0,112, 82040801476A61746A616A676A61\n+CTCR: 1,13\n")
    assert (shown[0]["content"]["text"], shown[0]["calling"], shown[1]["cause"]) == ("Gjatjajgja", "23404", 13)


def test_a_message_in_a_transcript_is_read_with_the_line_after_it_whichever_way_it_went() -> None:
    shown = {row["number"]: row for row in lines_of(TRANSCRIPT)}
    assert (shown[5]["content"]["type"], shown[5]["content"]["text"]) == ("TextTransfer", "OK!")
    assert shown[10]["bits"] == 84
    assert shown[10]["content"]["longitude"] == 12.018099
    assert {6, 11}.isdisjoint(shown)


def test_the_parts_of_a_long_text_give_the_whole_with_the_last() -> None:
    first, last = "8A00010105000307020148656C", "8A000201050003070202" + "6C6F"
    text = "".join(f"+CTSDSR: 12,4001234,0,4000001,0,{4 * len(body)}\r\n{body}\r\n" for body in (first, last))
    shown = lines_of(text)
    assert "whole_text" not in shown[0]["content"]
    assert shown[1]["content"]["whole_text"] == "Hello"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "empty"),
        ("+CTSDSR: 12,4001234,0,4000001,0,84", "followed by a line of hexadecimal digits"),
        ("AT+CTSP=1,x", "x"),
        ("+CTXG: 1", "grant is missing"),
    ],
)
def test_a_single_line_that_is_not_understood_is_an_error_that_names_what_was_due(text: str, told: str) -> None:
    with pytest.raises(HarnessError, match=told):
        decode("pei", text.encode(), from_file=False)


def test_a_transcript_has_a_bound() -> None:
    with pytest.raises(PeiRemoteError, match="20000 is the most"):
        decode("pei", b"OK\n" * 20_001, from_file=True)


def test_a_head_whose_hex_is_missing_says_so_in_a_transcript() -> None:
    shown = lines_of("OK\r\n+CTSDSR: 12,4001234,0,4000001,0,84\r\nOK\r\n+CTSDSR: 12,4001234,0,4000001,0,84\r\n")
    assert [row.get("why") is not None for row in shown] == [False, True, False, True]


@given(st.lists(st.one_of(st.binary(max_size=60), st.sampled_from([b.encode() for b in TRANSCRIPT.split("\n")]))))
def test_any_transcript_is_listed_or_refused_by_a_named_error(lines: list[bytes]) -> None:
    with contextlib.suppress(HarnessError):
        json.dumps(decode("pei", b"\n".join(lines), from_file=True))


@pytest.mark.parametrize("kind", ["sds", "lip", "ed137", "mcptt"])
@given(data=st.binary(min_size=1, max_size=80))
def test_any_octets_are_read_or_refused_by_a_named_error(kind: str, data: bytes) -> None:
    with contextlib.suppress(HarnessError):
        json.dumps(KINDS[kind].decode(data))


def test_both_examples_of_a_location_give_degrees() -> None:
    for text, longitude, latitude in (
        ("0A0088BD4247F737FFE810", 12.018099, 51.325099),
        ("0A00893E12472C51026810", 12.062323, 51.255448),
    ):
        shown = decode("lip", text.encode(), from_file=False)
        assert isinstance(shown, dict)
        assert (shown["longitude"], shown["latitude"]) == (longitude, latitude)
        assert {"position_error_m", "speed_kmh", "direction_deg"} <= set(shown)


@pytest.mark.parametrize("text", ["65536", "-1", "0x", "five", ""])
def test_what_is_no_status_is_told_with_what_is(text: str) -> None:
    with pytest.raises(SdsError, match=r"65535|16 bits|status"):
        decode("status", text.encode(), from_file=False)


def test_a_short_report_is_a_status_with_its_reference() -> None:
    shown = decode("status", b"0x7E2A", from_file=False)
    assert isinstance(shown, dict)
    assert (shown["kind"], shown["report"], shown["reference"]) == ("short_report", "received", 42)


def test_floor_control_tells_who_may_talk_and_why_not() -> None:
    # Request of priority 5; deny, cause 1, asking for an acknowledgement: both in one datagram.
    text = "80CC0003 0000000A 4D435054 00020500  93CC0003 0000000B 4D435054 02020001"
    asked, denied = decode("mcptt", text.encode(), from_file=False)
    assert isinstance(asked, dict)
    assert isinstance(denied, dict)
    assert (asked["name"], asked["priority"], asked["ssrc"]) == ("floor request", 5, "0x0000000a")
    assert (denied["name"], denied["cause_means"], denied["wants_ack"]) == (
        "floor deny",
        "other has permission",
        True,
    )


def run(monkeypatch: pytest.MonkeyPatch, capsysbinary: Any, *words: str) -> tuple[int, bytes, str]:
    """What the command returns and prints."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    code: Any = 0
    try:
        iccs(["decode", *words], prog_name="iccs")
    except SystemExit as ended:
        code = ended.code or 0
    out, err = capsysbinary.readouterr()
    return int(code), out, err.decode()


def test_the_words_of_an_extension_are_read_by_their_profile(
    monkeypatch: pytest.MonkeyPatch, capsysbinary: Any
) -> None:
    code, out, _ = run(monkeypatch, capsysbinary, "ed137", "--profile", "0x0067", "21000000")
    assert (code, json.loads(out)["layout"], json.loads(out)["ptt_id"]) == (0, 2009, 1)
    code, out, _ = run(monkeypatch, capsysbinary, "ed137", "--profile", "0167", "20400000")
    assert (code, json.loads(out)["layout"], json.loads(out)["ptt"]) == (0, 2011, "NORMAL")
    code, _, err = run(monkeypatch, capsysbinary, "ed137", "--profile", "wide", "20400000")
    assert (code, err) == (2, "--profile is four hexadecimal digits, 0x0167 or 0x0067, not 'wide'\n")
    code, _, err = run(monkeypatch, capsysbinary, "sip", "--profile", "0167", "hello")
    assert (code, err) == (2, "--profile is for the kind ed137, not for sip\n")
    code, _, err = run(monkeypatch, capsysbinary, "ed137", "--profile", "BEDE", "20400000")
    assert (code, err.startswith("Ed137Error: header extension 0xbede")) == (1, True)


def test_a_transcript_comes_from_a_file(monkeypatch: pytest.MonkeyPatch, capsysbinary: Any, tmp_path: Path) -> None:
    file = tmp_path / "terminal.log"
    file.write_bytes(TRANSCRIPT.replace("\n", "\r\n").encode())
    code, out, _ = run(monkeypatch, capsysbinary, "pei", str(file))
    assert code == 0
    assert len(json.loads(out)) == 13


INVITE = """INVITE sip:mcptt@mcptt.example SIP/2.0
Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1
From: <sip:officer-8@mcptt.example>;tag=1
To: <sip:mcptt@mcptt.example>
Call-ID: 1
CSeq: 1 INVITE
Answer-Mode: Manual
Content-Type: multipart/mixed;boundary=b

--b
Content-Type: application/sdp

v=0
--b
Content-Type: application/vnd.3gpp.mcptt-info+xml

<mcpttinfo><mcptt-Params><session-type>private</session-type><emergency-ind>true</emergency-ind></mcptt-Params></mcpttinfo>
--b
Content-Type: application/resource-lists+xml

<resource-lists><list><entry uri="sip:officer-9@mcptt.example"/></list></resource-lists>
--b--
"""


def test_a_private_calls_invite_tells_what_mcptt_says_in_it() -> None:
    shown = decode("mcptt", INVITE.encode(), from_file=True)
    assert isinstance(shown, dict)
    assert (shown["method"], shown["commencement"]) == ("INVITE", "Manual")
    assert shown["parts"] == [
        {"content_type": "application/sdp", "length": 3},
        {"type": "mcptt-info", "session_type": "private", "emergency": True},
        {"type": "resource-lists", "users": ["sip:officer-9@mcptt.example"]},
    ]


def test_a_refusal_tells_its_warning_with_the_number() -> None:
    text = INVITE.partition("\n\n")[0].replace("INVITE sip:mcptt@mcptt.example SIP/2.0", "SIP/2.0 403 Forbidden")
    text = text.replace("Content-Type: multipart/mixed;boundary=b", 'Warning: 399 x "107 not so"') + "\n\n"
    shown = decode("mcptt", text.encode(), from_file=False)
    assert isinstance(shown, dict)
    assert (shown["status"], shown["warning"]) == (403, {"number": 107, "text": "not so"})


def test_ambient_listening_is_told_with_who_is_listened_to() -> None:
    kind = b"<session-type>ambient-listening</session-type>"
    listened = b"<anyExt><ambient-listening-type>remote-init</ambient-listening-type></anyExt>"
    document = b"<mcpttinfo><mcptt-Params>%s%s</mcptt-Params></mcpttinfo>" % (kind, listened)
    shown = decode("mcptt", document, from_file=False)
    assert shown == {"type": "mcptt-info", "session_type": "ambient-listening", "listening": "remote-init"}


def test_a_document_alone_is_known_by_its_root_and_another_is_named() -> None:
    shown = decode("mcptt", b' <resource-lists><list><entry uri="sip:a@b"/></list></resource-lists>', from_file=False)
    assert shown == {"type": "resource-lists", "users": ["sip:a@b"]}
    with pytest.raises(McpttError, match="a document 'a'; mcpttinfo, resource-lists"):
        decode("mcptt", b"<a/>", from_file=False)


def test_a_report_of_a_place_tells_degrees() -> None:
    document = write_location(Report(Place(55.8622, -4.3096), ("periodic",)))
    shown = decode("mcptt", document, from_file=True)
    assert isinstance(shown, dict)
    assert (shown["type"], shown["triggers"]) == ("location-info Report", ["periodic"])
    assert shown["place"] == {
        "latitude": pytest.approx(55.8622, abs=2e-5),
        "longitude": pytest.approx(-4.3096, abs=3e-5),
    }


@pytest.mark.parametrize(
    ("payload", "shown"),
    [
        (Payload.of_text("At scene"), {"content": "text", "text": "At scene"}),
        (Payload.of_status(32773), {"content": "enhanced status", "status": 32773}),
        (Payload(9, b"\x01"), {"content": "not known to this tool", "hex": "01"}),
    ],
)
def test_short_data_tells_its_payload_and_what_is_wanted(payload: Payload, shown: dict[str, object]) -> None:
    signalling = Signalling(bytes(16), bytes(range(16)), 5, Wanted.BOTH)
    data = ShortData(McdataInfo("one-to-one-sds"), signalling, (payload,), ("sip:a@b",))
    content, content_type = body.multipart(data.parts())
    head = INVITE.partition("Answer-Mode")[0].replace("INVITE", "MESSAGE").replace("\n", "\r\n")
    message = f"{head}Content-Type: {content_type}\r\n\r\n".encode() + content
    read = decode("mcptt", message, from_file=True)
    assert isinstance(read, dict)
    assert (read["short_data"]["wanted"], read["short_data"]["payloads"]) == ("both", [shown])
    assert {"request_type": "one-to-one-sds", "type": "mcdata-info"} in read["parts"]


def test_a_disposition_is_named() -> None:
    data = ShortData(McdataInfo(), Notification(bytes(16), bytes(16), 3), to=("sip:a@b",))
    content, content_type = body.multipart(data.parts())
    head = INVITE.partition("Answer-Mode")[0].replace("INVITE", "MESSAGE").replace("\n", "\r\n")
    read = decode("mcptt", f"{head}Content-Type: {content_type}\r\n\r\n".encode() + content, from_file=True)
    assert isinstance(read, dict)
    assert read["short_data"]["disposition"] == "read"
