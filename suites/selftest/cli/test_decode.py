"""``iccs decode``: examples of every kind, a named error on nonsense, and nothing but that whatever the bytes."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from harness.cli.decoders import ALIASES, KINDS, decode, from_hex
from harness.cli.main import COMMANDS
from harness.cli.main import app as iccs
from harness.errors import HarnessError
from harness.protocols.location import gsm7

SIP = """OPTIONS sip:999@127.0.0.1 SIP/2.0
Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1
Max-Forwards: 70
From: <sip:+447700900123@127.0.0.1>;tag=1
To: <sip:999@127.0.0.1>
Call-ID: one
CSeq: 7 OPTIONS

"""
SDP = """v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio 40000 RTP/AVP 8 101
a=rtpmap:101 telephone-event/8000
a=sendonly
"""
CDR = (
    "cdrRecordType,globalCallID_callId,origLegCallIdentifier,dateTimeOrigination,dateTimeConnect,dateTimeDisconnect,"
    "origIpAddr,destCause_value,callingPartyNumber,pkid\n"
    '1,96004,28141535,1782909000,1782909005,1782909065,-1139627840,1174405137,"+447700900123","1"\n'
)
CMR = (
    "cdrRecordType,globalCallID_callId,callIdentifier,dateTimeStamp,numberPacketsSent,varVQMetrics,pkid\n"
    '2,96004,28141535,1782909065,3000,"MLQK=4.5;CS=0","1"\n'
)
GOOD: dict[str, tuple[str, dict[str, Any]]] = {
    "sip": (
        SIP,
        {"type": "request", "method": "OPTIONS", "call_id": "one", "cseq": {"number": 7, "method": "OPTIONS"}},
    ),
    "rtp": ("8008000100000000DEADBEEFD5D5", {"payload_type": 8, "sequence": 1, "ssrc": 0xDEADBEEF, "payload": "D5D5"}),
    "dtmf": ("058A0320", {"event": 5, "end": True, "volume": 10, "duration": 800}),
    "pei": ("AT+CTXD=1,0", {"direction": "command", "type": "KeyTransmit", "cc": 1}),
    "at": ("AT+CTXD=1,0", {"direction": "command", "type": "KeyTransmit", "cc": 1}),
    "sds": ("82040101 54455354", {"type": "TextTransfer", "text": "TEST", "reference": 1}),
    "lip": ("0A0088BD4247F737FFE810", {"longitude": 12.018099, "latitude": 51.325099}),
    "status": ("0x8005", {"value": 32773, "kind": "user"}),
    "ed137": (
        "907B000100000000DEADBEEF0167000120400000",
        {"layout": 2011, "ptt": "NORMAL", "ptt_id": 1, "squelch": False, "payload_length": 0},
    ),
    "aml": (
        'A"ML=1;lt=+55.74297;lg=-4.26880;rd=10;top=20130717175329;lc=95;pm=G;si=234302543446355;ei=356708041746734;'
        "mcc=234;mnc=30;ml=127",
        {"type": "text", "latitude": 55.74297, "method": "gnss", "length": 127, "time": "2013-07-17T17:53:29Z"},
    ),
    "pidf": (
        '<presence xmlns="urn:ietf:params:xml:ns:pidf" entity="pres:a@b"><tuple id="t"><status>'
        '<geopriv xmlns="urn:ietf:params:xml:ns:pidf:geopriv10"><location-info>'
        '<Point xmlns="http://www.opengis.net/gml" srsName="urn:ogc:def:crs:EPSG::4326"><pos>55.8 -4.2</pos></Point>'
        "</location-info></geopriv></status></tuple></presence>",
        {"entity": "pres:a@b", "findings": []},
    ),
    "msd": (
        "02251C0680E30A51439E2955D43800800437F80A3105669023F8A71166932185B004150043C040",
        {"vin": "ECALLEXAMPLE02013", "people": 2, "layout": "confirmed by public messages"},
    ),
    "cdr": (CDR, {"type": "cdr", "columns": 10, "has_types": False}),
    "cmr": (CMR, {"type": "cmr", "columns": 7, "has_types": False}),
    "message-summary": (
        "Messages-Waiting: yes\nVoice-Message: 2/8 (0/2)",
        {"waiting": True, "counts": {"voice-message": {"new": 2, "old": 8, "new_urgent": 0, "old_urgent": 2}}},
    ),
    "dialog-info": (
        '<dialog-info xmlns="urn:ietf:params:xml:ns:dialog-info" version="3" state="full" entity="sip:2001@pbx">'
        '<dialog id="1"><state>early</state></dialog></dialog-info>',
        {"entity": "sip:2001@pbx", "version": 3, "full": True},
    ),
}
NONSENSE = {
    "sip": ("hello", "SipRemoteError"),
    "sdp": ("hello", "SdpError"),
    "rtp": ("0800", "RtpError"),
    "rtcp": ("00000000", "RtpError"),
    "dtmf": ("05", "RtpError"),
    "pei": ("noise", "PeiRemoteError"),
    "at": ("AT+CTXD=1;D112", "CommandRefusedError"),
    "sds": ("82", "SdsError"),
    "lip": ("FF", "SdsError"),
    "status": ("99999", "SdsError"),
    "ed137": ("8008000100000000DEADBEEFD5D5", "Ed137Error"),
    "mcptt": ("80CB000100000001", "McpttError"),
    "aml": ("hello", "AmlError"),
    "pidf": ("<a/>", "PidfError"),
    "msd": ("0909", "MsdError"),
    "cdr": (CMR, "CdrError"),
    "cmr": ("hello", "CdrError"),
    "message-summary": ("hello", "SipRemoteError"),
    "dialog-info": ("<a/>", "SipRemoteError"),
}


def run(monkeypatch: pytest.MonkeyPatch, capsysbinary: Any, *words: str, stdin: bytes = b"") -> tuple[int, bytes, str]:
    """What the command returns and prints."""
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
    code: Any = 0
    try:
        iccs(["decode", *words], prog_name="iccs")
    except SystemExit as ended:
        code = ended.code or 0
    out, err = capsysbinary.readouterr()
    return int(code), out, err.decode()


@pytest.mark.parametrize("kind", GOOD)
def test_a_message_of_each_kind_is_shown(kind: str, monkeypatch: pytest.MonkeyPatch, capsysbinary: Any) -> None:
    text, wanted = GOOD[kind]
    code, out, err = run(monkeypatch, capsysbinary, kind, text)
    assert (code, err) == (0, "")
    shown = json.loads(out)
    assert {key: shown[key] for key in wanted} == wanted


def test_every_kind_is_tested() -> None:
    assert set(NONSENSE) == set(KINDS) | set(ALIASES)
    assert set(GOOD) | {"sdp", "rtcp", "mcptt"} == set(KINDS) | set(ALIASES)


def test_sdp_is_shown_with_direction_and_codecs(monkeypatch: pytest.MonkeyPatch, capsysbinary: Any) -> None:
    code, out, _ = run(monkeypatch, capsysbinary, "sdp", "-", stdin=SDP.encode())
    media = json.loads(out)["media"][0]
    assert code == 0
    assert (media["direction"], media["codecs"]) == ("sendonly", {"8": "PCMA", "101": "telephone-event"})


def test_a_handset_s_position_is_shown_packed_and_as_a_form(monkeypatch: pytest.MonkeyPatch, capsysbinary: Any) -> None:
    packed = gsm7.pack(GOOD["aml"][0]).hex()
    code, out, _ = run(monkeypatch, capsysbinary, "aml", packed)
    assert (code, json.loads(out)["latitude"]) == (0, 55.74297)
    code, out, _ = run(monkeypatch, capsysbinary, "aml", "location_latitude=55.8&location_longitude=x")
    shown = json.loads(out)
    assert (code, shown["type"], shown["latitude"]) == (0, "form", 55.8)
    assert shown["findings"][0]["name"] == "value"


def test_the_shape_of_a_location_is_named(monkeypatch: pytest.MonkeyPatch, capsysbinary: Any) -> None:
    _, out, _ = run(monkeypatch, capsysbinary, "pidf", GOOD["pidf"][0])
    shape = json.loads(out)["locations"][0]["shape"]
    assert shape == {"type": "Point", "latitude": 55.8, "longitude": -4.2, "altitude": None}


def test_call_records_are_shown_with_times_addresses_and_causes_in_words(
    monkeypatch: pytest.MonkeyPatch, capsysbinary: Any
) -> None:
    _, out, _ = run(monkeypatch, capsysbinary, "cdr", "-", stdin=CDR.encode())
    (record,) = json.loads(out)["records"]
    assert (record["calling"], record["duration"], record["origination"]) == (
        "+447700900123",
        60,
        "2026-07-01T12:30:00Z",
    )
    assert record["orig"]["address"] == "192.168.18.188"
    assert (record["dest"]["cause_name"], record["dest"]["sip_status"]) == ("SIP 486 Busy Here", 486)
    _, out, _ = run(monkeypatch, capsysbinary, "cmr", "-", stdin=CMR.encode())
    (record,) = json.loads(out)["records"]
    assert (record["packets_sent"], record["quality"]["mos"]) == (3000, 4.5)


def test_sdp_in_sip_is_shown_too(monkeypatch: pytest.MonkeyPatch, capsysbinary: Any) -> None:
    body = SDP.replace("\n", "\r\n")
    head = SIP.replace("\n\n", f"\nContent-Type: application/sdp\nContent-Length: {len(body)}\n\n").replace(
        "\n", "\r\n"
    )
    code, out, err = run(monkeypatch, capsysbinary, "sip", "-", stdin=(head + body).encode())
    assert (code, err) == (0, "")
    assert json.loads(out)["sdp"]["media"][0]["codecs"]["8"] == "PCMA"


def test_rtcp_is_shown_packet_by_packet(monkeypatch: pytest.MonkeyPatch, capsysbinary: Any) -> None:
    code, out, _ = run(monkeypatch, capsysbinary, "rtcp", "80C90001DEADBEEF 81CB0001DEADBEEF")
    assert code == 0
    assert [each["type"] for each in json.loads(out)] == ["ReceiverReport", "Bye"]


@pytest.mark.parametrize("kind", NONSENSE)
def test_nonsense_is_a_named_error_and_exit_1(kind: str, monkeypatch: pytest.MonkeyPatch, capsysbinary: Any) -> None:
    text, name = NONSENSE[kind]
    code, out, err = run(monkeypatch, capsysbinary, kind, text)
    assert (code, out) == (1, b"")
    assert err.startswith(f"{name}: ")
    assert len(err.splitlines()) == 1


def test_an_unknown_kind_is_told_with_what_there_is_and_exit_2(
    monkeypatch: pytest.MonkeyPatch, capsysbinary: Any
) -> None:
    code, _, err = run(monkeypatch, capsysbinary, "sipp", "x")
    assert code == 2
    assert err == (
        "unknown kind 'sipp'; there is sip, sdp, rtp, rtcp, dtmf, pei, sds, lip, status, ed137, mcptt, aml, pidf, msd, "
        "cdr, cmr, message-summary, dialog-info, at\n"
    )


def test_a_file_may_hold_bytes_or_hexadecimal(
    monkeypatch: pytest.MonkeyPatch, capsysbinary: Any, tmp_path: Path
) -> None:
    file = tmp_path / "a message"
    for content in (bytes.fromhex("058A0320"), b"05:8a:03:20\n"):
        file.write_bytes(content)
        code, out, _ = run(monkeypatch, capsysbinary, "dtmf", str(file))
        assert (code, json.loads(out)["duration"]) == (0, 800)


def test_too_much_input_is_refused(monkeypatch: pytest.MonkeyPatch, capsysbinary: Any) -> None:
    code, _, err = run(monkeypatch, capsysbinary, "sip", "-", stdin=b"x" * (2 * 1024 * 1024 + 1))
    assert (code, err) == (1, "HarnessError: more than 2097152 bytes\n")


def test_text_that_is_too_long_for_a_file_s_name_is_text(monkeypatch: pytest.MonkeyPatch, capsysbinary: Any) -> None:
    code, out, _ = run(monkeypatch, capsysbinary, "rtp", "8008000100000000DEADBEEF" + "D5" * 160)
    assert (code, json.loads(out)["payload_length"]) == (0, 160)


def test_what_is_not_utf_8_is_shown_escaped() -> None:
    message = SIP.replace("CSeq", "Subject: \udce9t\udce9\nCSeq")
    command = [sys.executable, "-m", "harness.cli", "decode", "sip", message]
    done = subprocess.run(command, capture_output=True, check=False, env={"PATH": "", "LC_ALL": "C"})
    assert done.returncode == 0, done.stderr
    assert "Subject" in json.loads(done.stdout)["headers"]


def test_half_an_octet_is_filled_up() -> None:
    assert from_hex(b"0x0A B") == b"\x0a\xb0"
    with pytest.raises(HarnessError, match="not hexadecimal"):
        from_hex(b"0xZZ")


@pytest.mark.parametrize("kind", [*KINDS, *ALIASES])
@given(data=st.binary(max_size=200), from_file=st.booleans(), lead=st.integers(0, 40))
@example(data=b"9" * 5000, from_file=False, lead=0)
@example(data=b"\xff", from_file=False, lead=0)
def test_whatever_the_bytes_nothing_but_a_named_error_is_raised(
    kind: str, data: bytes, from_file: bool, lead: int
) -> None:
    begun = GOOD.get(kind, (SDP, {}))[0].encode()[: lead * 8]
    try:
        shown = decode(kind, begun + data, from_file=from_file)
    except HarnessError:
        return
    json.dumps(shown, allow_nan=False)


@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS), ["testbed", "check"], ["crm", "import"]])
def test_help_teaches(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        iccs([*command, "--help"], prog_name="iccs")
    assert ended.value.code == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "Usage:" in told
    if not command:
        assert all(name in told for name in COMMANDS)
        assert "Start with" in told
    elif command not in (["testbed"], ["crm"]):  # groups: their commands teach
        assert "xample" in told
