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
from harness.errors import HarnessError, PeiRemoteError, SdsError

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
