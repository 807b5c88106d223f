"""What a person looks at: transcripts, waveforms, ladders, and which of them a test keeps."""

import base64
import io
import json
import math
import struct
import wave
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.evidence.audio import (
    LONGEST_S,
    SILENCE_DBFS,
    Sound,
    escape,
    heard,
    is_silent,
    level_dbfs,
    to_wav,
    waveform_svg,
)
from harness.evidence.capture_packets import read_capture
from harness.evidence.collect import ON_THE_WIRE, TEXT_BYTES, Evidence
from harness.evidence.ladder import COLUMNS, OTHERS, ROWS, WIDTH, Row, ladder_svg, rows, sip_label
from harness.evidence.on_the_wire import Failure
from harness.evidence.transcript import serial_lines, shown, transcript
from harness.journal import Event, Journal
from harness.protocols.rtp.codecs import codec_named
from harness.transport.tap import CaptureWriter, Crossing, Kind

A, B = "127.0.0.1:5060", "127.0.0.1:5070"
NAMES = {A: "999 network", B: "iccs"}
SVG = "{http://www.w3.org/2000/svg}"
TONE = (np.sin(np.arange(8000) * 2 * math.pi * 440 / 8000) * 16_384).astype(np.int16)


def serial(time, payload, *, to_equipment=True, line="officer"):
    kind = Kind.SERIAL_TO_EQUIPMENT if to_equipment else Kind.SERIAL_FROM_EQUIPMENT
    return Crossing(time, kind, line, line, payload)


def rtp(sequence, payload, *, timestamp=None, kind=8):
    return struct.pack("!BBHII", 0x80, kind, sequence & 0xFFFF, (timestamp or sequence * 160) & 0xFFFFFFFF, 7) + payload


def speech(samples, *, start=0.0, first=0, skip=()):
    code = codec_named("PCMA")
    return [
        Crossing(
            start + index * 0.02, Kind.DATAGRAM, A, B, rtp(first + index, code.encode(samples[index * 160 :][:160]))
        )
        for index in range(len(samples) // 160)
        if index not in skip
    ]


def texts(svg):
    return [element.text or "" for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_a_transcript_tells_time_direction_and_control_characters():
    told = transcript(
        [
            serial(1.0, b"AT+CS"),
            serial(1.01, b"TSP=1\r"),
            serial(1.2, b"\r\nOK\r\n", to_equipment=False),
            serial(1.25, b"\x1a\x00\xe9", to_equipment=False),
            serial(2.0, b"AT\r", line="other"),
        ],
        "officer",
    )
    assert [line.split("  ", 1) for line in map(str.strip, told.splitlines())] == [
        ["1.000000 s", "→ equipment  AT+CSTSP=1<CR>"],
        ["1.200000 s", "← equipment  <CR><LF>"],
        ["1.200000 s", "← equipment  OK<CR><LF>"],
        ["1.250000 s", "← equipment  <SUB><NUL><E9>"],
    ]


def test_lines_are_named_in_the_order_of_their_use():
    assert serial_lines([serial(0, b"x", line="b"), serial(1, b"y", line="a"), serial(2, b"z", line="b")]) == ["b", "a"]


@given(st.lists(st.tuples(st.binary(max_size=600), st.booleans()), max_size=12))
def test_no_byte_of_a_line_is_lost_and_no_row_is_endless(parts):
    told = transcript(
        [serial(index * 0.01, data, to_equipment=to) for index, (data, to) in enumerate(parts)], "officer"
    )
    assert all(c.isprintable() for line in told.split("\n") for c in line)
    rebuilt = "".join(line.split("equipment  ", 1)[1] for line in told.splitlines())
    assert rebuilt == shown(b"".join(data for data, _ in parts))


def test_speech_is_recovered_from_captured_rtp_with_gaps_as_silence():
    (sound,) = heard(speech(TONE, start=3.0, first=65_530, skip={10}), NAMES)
    assert (sound.name, sound.start, sound.cut) == ("999 network to iccs", 3.0, False)
    assert len(sound.samples) == 8000
    assert np.abs(sound.samples.astype(int) - TONE).max(initial=0, where=np.arange(8000) // 160 != 10) < 600
    assert not sound.samples[1600:1760].any()


def test_secured_speech_is_no_sound():
    secured = [
        Crossing(index * 0.02, Kind.DATAGRAM, A, B, rtp(index, bytes(range(160)) + bytes(10))) for index in range(20)
    ]
    assert heard(secured, NAMES) == []


def test_a_timestamp_from_far_away_neither_grows_memory_nor_hides_the_rest():
    crossed = speech(TONE)
    crossed.append(Crossing(1.0, Kind.DATAGRAM, A, B, rtp(50, bytes(160), timestamp=2_000_000_000)))
    (sound,) = heard(crossed, NAMES)
    assert sound.cut
    assert len(sound.samples) == 8000
    assert len(sound.samples) <= LONGEST_S * sound.rate


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=8))
def test_what_is_no_speech_is_no_sound(payloads):
    crossed = [Crossing(0.0, Kind.DATAGRAM, A, B, data) for data in payloads]
    heard(crossed, {})
    rows(crossed, [], {})


def test_a_wav_file_holds_the_samples():
    with wave.open(io.BytesIO(to_wav(Sound("x", TONE)))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 8000)
        assert np.array_equal(np.frombuffer(file.readframes(8000), "<i2"), TONE)


def test_levels_are_relative_to_full_scale():
    assert level_dbfs(TONE) == pytest.approx(-9.03, abs=0.05)
    assert level_dbfs(np.zeros(10, np.int16)) == SILENCE_DBFS
    assert level_dbfs(np.zeros(0, np.int16)) == SILENCE_DBFS


def test_a_waveform_shows_run_time_and_level():
    svg = waveform_svg(Sound("govan-12 & co", TONE, start=12.0))
    found = texts(svg)
    assert found[0] == "govan-12 & co · 1.00 s · level -9.0 dBFS"
    assert found[1] == "12.0 s"
    assert found[-1] == "13.0 s"
    assert texts(waveform_svg(Sound("nothing", np.zeros(0, np.int16))))[0].startswith("nothing · 0.00 s")


def sip(time, source, target, first, cseq=b"1 INVITE"):
    return Crossing(time, Kind.DATAGRAM, source, target, first + b"\r\nCSeq: " + cseq + b"\r\n\r\n")


def test_a_ladder_shows_sip_media_and_radio_between_named_columns():
    crossed = [
        sip(0.1, A, B, b"INVITE sip:999@x SIP/2.0"),
        sip(0.2, B, A, b"SIP/2.0 180 Ringing"),
        sip(0.3, B, A, b"SIP/2.0 486 Busy Here"),
        *speech(TONE, start=0.4),
    ]
    events = [
        Event(1, 0.25, "govan-31", "ptt.pressed", {"talkgroup": "GD-OPS-1"}),
        Event(2, 0.26, "x", "media.stats", {}),
    ]
    drawn = rows(crossed, events, NAMES)
    assert [(row.source, row.target, row.label, row.style) for row in drawn] == [
        ("999 network", "iccs", "INVITE", "sip"),
        ("iccs", "999 network", "180 Ringing (INVITE)", "sip"),
        ("govan-31", "govan-31", "ptt.pressed talkgroup GD-OPS-1", "event"),
        ("iccs", "999 network", "486 Busy Here (INVITE)", "error"),
        ("999 network", "iccs", "RTP payload type 8, 50 packets", "rtp"),
    ]
    found = texts(ladder_svg(drawn, title="A call"))
    for text in ("A call", "999 network", "iccs", "govan-31", "0.250 s", "ptt.pressed talkgroup GD-OPS-1"):
        assert text in found


def test_a_long_run_is_cut_in_the_middle_with_a_note_and_crowds_share_a_column():
    drawn = [Row(float(i), f"unit-{i % 30}", f"unit-{(i + 1) % 30}", f"row {i}", "sip") for i in range(1000)]
    svg = ladder_svg(drawn)
    found = texts(svg)
    assert {"row 0", "row 999"} <= set(found)
    assert "row 500" not in found
    assert f"… {1000 - ROWS} rows left out …" in found
    assert OTHERS in found
    assert sum(name.startswith("unit-") for name in found) == COLUMNS - 1
    assert f'width="{WIDTH}"' in svg


def test_components_have_columns_of_their_own_before_bare_addresses():
    drawn = [Row(float(i), f"127.0.0.1:{4000 + i}", f"127.0.0.1:{5000 + i}", "RTP", "rtp") for i in range(20)]
    drawn += [
        Row(30.0, "govan-12", "govan-12", "call.ringing", "event"),
        Row(31.0, "officer", "officer", "ptt", "event"),
    ]
    found = texts(ladder_svg(drawn))
    assert found[2:4] == ["govan-12", "officer"]
    assert found.count(OTHERS) == 1


def test_an_empty_ladder_says_that_nothing_crossed():
    assert "nothing crossed" in texts(ladder_svg([]))


@given(st.lists(st.tuples(st.text(max_size=60), st.text(max_size=60), st.text(max_size=200)), max_size=6), st.text())
def test_a_ladder_is_well_formed_whatever_the_names(given_rows, title):
    svg = ladder_svg([Row(0.0, a, b, label, "sip") for a, b, label in given_rows], title=title)
    svg.encode()
    ElementTree.fromstring(svg)


@given(st.text())
def test_escaped_text_is_always_xml(text):
    ElementTree.fromstring(f'<a b="{escape(text)}">{escape(text)}</a>')


@given(st.binary(max_size=300))
def test_any_datagram_has_a_label_or_none(data):
    sip_label(data)
    sip_label(b"SIP/2.0 200 " + data)


def filled(folder):
    with CaptureWriter(folder / "simulators" / "a.cap") as writer:
        for each in (sip(1.1, A, B, b"INVITE sip:999@x SIP/2.0"), *speech(TONE, start=1.2), serial(1.3, b"AT\r")):
            writer.write(each.time, each.kind, each.source, each.target, each.payload)
    clock = [0.0]
    journal = Journal(lambda: clock[0], origin=0.0)
    for clock[0] in (0.5, 1.5, 9.0):
        journal.record("govan-12", "call.ringing", at_second=clock[0])
    journal.record("bench", "measure", at=1.6, name="answer", value=0.4, unit="s")
    return Evidence((folder,), NAMES, 1.7e9), journal


def test_a_pass_keeps_journal_ladder_and_measures_of_its_window(tmp_path):
    evidence, journal = filled(tmp_path)
    kept = {each.name: each for each in evidence.attachments("t", journal, start=1.0, end=2.0, failed=None)}
    assert set(kept) == {"journal", "ladder", "measures"}
    assert b"at_second=1.5" in kept["journal"].body
    assert b"at_second=0.5" not in kept["journal"].body
    assert json.loads(kept["measures"].body)[0]["value"] == 0.4
    assert "INVITE" in texts(kept["ladder"].body)


def piece(time, source, target, payload, *, kind=Kind.STREAM):
    return Crossing(time, kind, source, target, payload)


OVER_TCP = (
    b"INVITE sip:999@x SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:5060;branch=z9hG4bK1\r\n"
    b"CSeq: 1 INVITE\r\nContent-Length: 3\r\n\r\nv=0"
)
REFUSED = b"SIP/2.0 486 Busy Here\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"


def test_sip_on_a_connection_is_drawn_message_by_message_between_the_components_that_speak():
    port = "127.0.0.1:41000"
    crossed = [
        piece(1.0, port, B, b"the rest of one that began before\r\n\r\n"),
        piece(1.5, port, B, OVER_TCP[:30]),
        piece(1.6, port, B, OVER_TCP[30:] + OVER_TCP.replace(b"INVITE", b"OPTIONS")),
        piece(1.7, B, port, REFUSED, kind=Kind.SECURED),
        piece(1.8, B, port, b"\x16\x03\x01"),
    ]
    assert rows(crossed, [], NAMES) == [
        Row(1.6, "999 network", "iccs", "INVITE", "sip"),
        Row(1.6, "999 network", "iccs", "OPTIONS", "sip"),
        Row(1.7, "iccs", "999 network", "486 Busy Here (INVITE)", "error"),
    ]


@pytest.mark.parametrize(
    ("kind", "note"), [(Kind.STREAM, ""), (Kind.SECURED, "what TLS carried is shown in the clear")]
)
def test_a_connection_is_part_of_the_capture_and_tls_is_said_to_be_in_the_clear(tmp_path, kind, note):
    with CaptureWriter(tmp_path / "run.cap") as writer:
        writer.write(1.5, kind, A, B, OVER_TCP)
    evidence = Evidence((tmp_path,), NAMES, 1.7e9)
    kept = {each.name: each for each in evidence.attachments("t", [], start=1.0, end=2.0, failed=Failure(2.0))}
    assert kept["capture"].note == note
    assert [(part.tcp, part.payload) for part in read_capture(kept["capture"].body)] == [(True, OVER_TCP)]
    assert "INVITE" in texts(kept["ladder"].body)


@pytest.mark.parametrize(("failed", "keep"), [(Failure(3.0), "failures"), (None, "all")])
def test_a_failure_or_a_wish_keeps_the_whole_set(tmp_path, failed, keep):
    evidence, journal = filled(tmp_path)
    evidence = Evidence(evidence.folders, NAMES, 1.7e9, keep)
    kept = {each.name: each for each in evidence.attachments("t", journal, start=1.0, end=3.0, failed=failed)}
    speech_name = "999 network to iccs"
    assert set(kept) - {ON_THE_WIRE} == {
        "journal",
        "ladder",
        "measures",
        "capture",
        "serial officer",
        f"audio {speech_name}",
        f"listen: {speech_name}",
    }
    assert len(read_capture(kept["capture"].body)) == 51
    assert b"AT<CR>" in kept["serial officer"].body
    recording = kept[f"audio {speech_name}"].body
    assert recording.startswith(b"RIFF")
    page = kept[f"listen: {speech_name}"].body
    assert base64.b64encode(recording) in page and b"<path d=" in page, "what is played is the recording, seen below"
    assert (ON_THE_WIRE in kept) == (failed is not None)


def test_of_silence_it_is_told_and_no_recording_kept(tmp_path):
    idle = np.tile(np.array([8, -8], np.int16), 4000)
    sounds = [Sound("gateway-1 to iccs", idle), Sound("officer", TONE), Sound("too short", TONE[:10])]
    kept = Evidence((tmp_path,), NAMES, 1.7e9).attachments(
        "t", [], start=0.0, end=1.0, failed=Failure(1.0), sounds=sounds
    )
    found = {each.name: each.body for each in kept}
    assert found["silent recordings"] == b"gateway-1 to iccs: 1.00 s\n"
    assert {name for name in found if "officer" in name} == {"audio officer", "listen: officer"}
    assert not any(name.startswith(("audio gateway", "listen: gateway")) for name in found)
    assert is_silent(Sound("none", np.zeros(0, np.int16))) and not is_silent(Sound("low", np.full(9, 9, np.int16)))


def test_where_a_test_failed_is_told_by_packet_and_by_line_before_the_nearest_event_and_the_failure(tmp_path):
    with CaptureWriter(tmp_path / "a.cap") as writer:
        for each in (
            *speech(TONE, start=1.0)[:3],
            serial(1.3, b"AT\r"),
            serial(1.8, b"ATD1001\r"),
            sip(2.0, A, B, b"INVITE sip:999@x SIP/2.0"),
            sip(2.1, B, A, REFUSED),
            *speech(TONE, start=2.2, first=100)[:3],
            sip(5.0, A, B, b"INFO sip:x SIP/2.0"),
            sip(5.1, B, A, b"SIP/2.0 200 OK\r\nCSeq: 2 INFO\r\n\r\n"),
            sip(6.0, A, B, b"OPTIONS sip:x SIP/2.0"),
            sip(9.5, A, B, b"BYE sip:x SIP/2.0"),
        ):
            writer.write(each.time, each.kind, each.source, each.target, each.payload)
    evidence = Evidence((tmp_path,), NAMES, 1.7e9)
    message = (
        "expected call.answered; it did not come. Nearest first, this did:\n       2.002 s  999 network call.refused"
    )
    for failure, due in (
        (Failure(9.0, message), [("INVITE", 4), ("486 Busy Here", 5), ("INFO", 9), ("200 OK", 10)]),
        (Failure(9.0), [("486 Busy Here", 5), ("INFO", 9), ("200 OK", 10)]),
    ):
        kept = {each.name: each for each in evidence.attachments("t", [], start=0.5, end=9.9, failed=failure)}
        told = [line for line in kept[ON_THE_WIRE].body.decode().splitlines() if "packet" in line]
        packets = read_capture(kept["capture"].body)
        assert len(told) == len(due)
        for line, (what, number) in zip(told, due, strict=True):
            assert what in line
            assert f"packet {number} of the capture: " in line
            assert what.encode() in packets[number - 1].payload, "the number is the one that dissectors show"
    (place,) = [
        line
        for line in {
            each.name: each for each in evidence.attachments("t", [], start=0.5, end=1.9, failed=Failure(1.9))
        }[ON_THE_WIRE]
        .body.decode()
        .splitlines()
        if "ATD1001" in line
    ]
    assert "line 2 of serial officer: to the equipment: ATD1001<CR>" in place


def test_a_long_journal_keeps_its_end_and_says_so(tmp_path):
    journal = Journal(lambda: 1.0, origin=0.0)
    for index in range(TEXT_BYTES // 1000 + 50):
        journal.record("noise", "tick", index=index, filling="x" * 1000)
    (kept, _) = Evidence((tmp_path,), {}, 0.0).attachments("t", journal, start=0.0, end=2.0, failed=None)
    assert len(kept.body) <= TEXT_BYTES
    assert "the last" in kept.note
    assert f"index={TEXT_BYTES // 1000 + 49} ".encode() in kept.body
    assert kept.body.startswith(b"     1.000 s")
