"""Captures become pcap files that tshark finds no fault with, each datagram once, at the right time."""

import struct
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.evidence.capture import Captures, crossings
from harness.evidence.capture_file import CaptureError
from harness.evidence.capture_packets import read_capture
from harness.evidence.pcap import SEGMENT, write_pcap
from harness.transport.tap import CaptureWriter, Crossing, Kind, read_on
from suites.selftest.witness import need

EPOCH = 1_700_000_000.25
A, B, C = "127.0.0.1:5060", "127.0.0.1:5070", "127.0.0.1:40000"
INVITE = (
    b"INVITE sip:999@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bK1\r\n"
    b"From: <sip:07700900123@127.0.0.1>;tag=a\r\nTo: <sip:999@127.0.0.1>\r\nCall-ID: one\r\nCSeq: 1 INVITE\r\n"
    b"Max-Forwards: 70\r\nContact: <sip:a@127.0.0.1>\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%b"
)
SDP = b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8\r\n"


def datagram(time, source, target, payload):
    return Crossing(time, Kind.DATAGRAM, source, target, payload)


def rtp(sequence):
    return struct.pack("!BBHII", 0x80, 8, sequence, sequence * 160, 77) + bytes([0xD5]) * 160


def record(path, *rows):
    with CaptureWriter(path) as writer:
        for time, source, target, payload in rows:
            writer.write(time, Kind.DATAGRAM, source, target, payload)
    return path


addresses = st.tuples(
    st.ip_addresses(v=4).map(str) | st.ip_addresses(v=6).map(str).filter(lambda host: "." not in host),
    st.integers(1, 65535),
)


@settings(max_examples=60, deadline=None)
@given(source=addresses, port=st.integers(1, 65535), payload=st.binary(max_size=1500), micros=st.integers(0, 10**10))
def test_what_is_written_is_what_is_read(source, port, payload, micros):
    time = micros / 1e6
    here, there = f"{source[0]}:{source[1]}", f"{source[0]}:{port}"
    made = write_pcap([datagram(time, here, there, payload)], EPOCH)
    (found,) = read_capture(made.body)
    assert made.packets == 1
    assert found.payload == payload
    assert (found.source[1], found.target[1]) == (source[1], port)
    assert found.time == pytest.approx(EPOCH + time, abs=2e-6)


def test_what_fits_no_packet_or_no_room_is_counted():
    rows = [
        datagram(0.0, A, B, bytes(70_000)),
        datagram(0.1, "nowhere:1", B, b"x"),
        datagram(0.2, A, "::1:7", b"x"),
        datagram(0.3, A, B, bytes(100)),
        datagram(0.4, A, B, bytes(200)),
    ]
    made = write_pcap(rows, EPOCH, limit=300)
    assert (made.packets, made.left_out) == (1, 4)
    assert len(read_capture(made.body)) == 1


@pytest.mark.parametrize(
    "junk", [b"", b"\x00" * 24, b"\xd4\xc3\xb2\xa1", b"not a capture at all, but long enough to be read"]
)
def test_junk_is_no_capture(junk):
    with pytest.raises(CaptureError, match="not a capture"):
        read_capture(junk)


def test_a_datagram_seen_at_both_ends_is_shown_once_and_a_repeat_stays(tmp_path):
    ours = record(
        tmp_path / "a.cap",
        (0.0, A, B, b"INVITE x"),
        (0.5, A, B, b"INVITE x"),
        (0.52, A, C, rtp(1)),
        (0.54, A, C, rtp(2)),
        (0.56, A, C, rtp(3)),
    )
    theirs = record(
        tmp_path / "b.cap",
        (0.001, A, B, b"INVITE x"),
        (0.502, A, B, b"INVITE x"),
        (0.9, A, C, rtp(1)),
        (0.91, A, C, rtp(2)),
    )
    found = list(crossings([ours, theirs], 0.0, 1.0))
    assert [(c.time, c.payload) for c in found] == [
        (0.0, b"INVITE x"),
        (0.5, b"INVITE x"),
        (0.52, rtp(1)),
        (0.54, rtp(2)),
        (0.56, rtp(3)),
    ]


def test_only_the_window_is_taken_in_order_of_time(tmp_path):
    path = record(
        tmp_path / "a.cap", (3.0, A, B, b"\x80c"), (1.0, A, B, b"\x80a"), (2.0, A, B, b"\x80b"), (9.0, A, B, b"\x80d")
    )
    assert [c.payload for c in crossings([path], 1.0, 3.0)] == [b"\x80a", b"\x80b", b"\x80c"]


RECORD = bytes(range(200))


def test_a_file_that_grows_is_read_on_where_the_window_before_ended(tmp_path, monkeypatch):
    path, captures, places = tmp_path / "a.cap", Captures(), []
    monkeypatch.setattr(
        "harness.evidence.capture.read_on", lambda path, place: places.append(place) or read_on(path, place)
    )
    with CaptureWriter(path) as writer:
        for second in range(10):
            writer.write(float(second), Kind.DATAGRAM, A, B, RECORD)
            writer.flush()
            if second % 3 == 2:
                found = captures.window(path, second - 2.0, float(second))
                assert [c.time for c in found] == [second - 2.0, second - 1.0, float(second)]
    size = path.stat().st_size // 10
    assert places == [0, 3 * size, 6 * size]


def test_a_window_that_reaches_back_is_read_from_the_beginning(tmp_path):
    path, captures = record(tmp_path / "a.cap", *((float(at), A, B, RECORD) for at in range(10))), Captures()
    assert len(captures.window(path, 0.0, 9.0)) == 10
    assert [c.time for c in captures.window(path, 9.0, 20.0)] == [9.0]
    assert [c.time for c in captures.window(path, 2.5, 5.0)] == [3.0, 4.0, 5.0]


def test_a_record_of_which_half_was_written_is_there_when_the_rest_is(tmp_path):
    whole = record(tmp_path / "whole.cap", (1.0, A, B, RECORD), (2.0, A, B, RECORD)).read_bytes()
    path, captures = tmp_path / "a.cap", Captures()
    path.write_bytes(whole[: len(whole) * 3 // 4])
    assert [c.time for c in captures.window(path, 0.0, 1.5)] == [1.0]
    path.write_bytes(whole)
    assert [c.time for c in captures.window(path, 1.6, 3.0)] == [2.0]


@given(
    st.lists(st.floats(0, 100), max_size=30),
    st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100), st.integers(0, 30)), max_size=8),
)
def test_any_windows_of_a_growing_file_are_what_a_fresh_read_finds(times, windows):
    with tempfile.TemporaryDirectory() as folder, CaptureWriter(Path(folder, "a.cap")) as writer:
        captures, path, written = Captures(), Path(folder, "a.cap"), 0
        writer.flush()
        for start, end, count in windows:
            for time in times[written : written + count]:
                writer.write(time, Kind.DATAGRAM, A, B, RECORD)
            written += count
            writer.flush()
            assert captures.window(path, start, end) == Captures().window(path, start, end)


def test_of_a_line_that_two_processes_recorded_the_fuller_record_is_kept(tmp_path):
    for name, parts in (("a", [b"AT", b"\r"]), ("b", [b"AT\r", b"AT+CREG?\r"])):
        with CaptureWriter(tmp_path / f"{name}.cap") as writer:
            for index, part in enumerate(parts):
                writer.write(float(index), Kind.SERIAL_TO_EQUIPMENT, "officer", "officer", part)
    found = crossings(sorted(tmp_path.glob("*.cap")), 0.0, 9.0)
    assert b"".join(c.payload for c in found) == b"AT\rAT+CREG?\r"


def piece(time, source, target, payload, *, kind=Kind.STREAM):
    return Crossing(time, kind, source, target, payload)


@settings(max_examples=40, deadline=None)
@given(
    source=addresses,
    port=st.integers(1, 65535),
    pieces=st.lists(st.tuples(st.booleans(), st.binary(min_size=1, max_size=900)), min_size=1, max_size=8),
)
def test_a_connection_becomes_segments_whose_numbers_join_up(source, port, pieces):
    here, there = f"{source[0]}:{source[1]}", f"{source[0]}:{port}"
    crossed = [piece(0.1, *((here, there) if out else (there, here)), data) for out, data in pieces]
    made = write_pcap(crossed, EPOCH)
    found = read_capture(made.body)
    assert not made.secured
    assert [part.payload for part in found] == [data for _, data in pieces]
    assert all(part.tcp for part in found)


def test_a_long_piece_is_cut_and_tls_is_told():
    made = write_pcap([piece(0.0, A, B, bytes(2 * SEGMENT + 1), kind=Kind.SECURED)], EPOCH)
    assert made.secured
    assert [len(part.payload) for part in read_capture(made.body)] == [SEGMENT, SEGMENT, 1]


def test_of_a_connection_that_both_ends_recorded_one_record_is_kept(tmp_path):
    request, answer = b"OPTIONS one", b"SIP/2.0 200"
    with CaptureWriter(tmp_path / "a.cap") as writer:  # both ends in one process
        writer.write(0.1, Kind.STREAM, A, C, request)
        writer.write(0.2, Kind.STREAM, A, C, request[:4], told_by_target=True)
        writer.write(0.3, Kind.STREAM, A, C, request[4:], told_by_target=True)
        writer.write(0.4, Kind.STREAM, C, A, answer)
        writer.write(0.5, Kind.STREAM, C, A, answer, told_by_target=True)
    with CaptureWriter(tmp_path / "b.cap") as writer:  # and a connection that two processes recorded
        writer.write(0.6, Kind.SECURED, B, C, request)
    with CaptureWriter(tmp_path / "c.cap") as writer:
        writer.write(0.7, Kind.SECURED, B, C, request, told_by_target=True)
        writer.write(0.8, Kind.SECURED, C, B, answer)
    found = list(crossings(sorted(tmp_path.glob("*.cap")), 0.0, 9.0))
    assert [(c.time, c.payload) for c in found] == [(0.1, request), (0.5, answer), (0.7, request), (0.8, answer)]


@pytest.mark.witness("tshark")
def test_tshark_reads_sip_off_a_connection_and_finds_no_fault(tmp_path):
    tshark = need("tshark", package="tshark")
    invite = (INVITE % (len(SDP), SDP)).replace(b"SIP/2.0/UDP", b"SIP/2.0/TCP")
    answer = b"SIP/2.0 100 Trying\r\nCSeq: 1 INVITE\r\nContent-Length: 0\r\n\r\n"
    for index, (here, there, kind) in enumerate(
        [(C, A, Kind.STREAM), ("::1:40001", "::1:5061", Kind.SECURED), ("::1:40001", "::1:5060", Kind.STREAM)]
    ):
        path = tmp_path / f"{index}.pcap"
        rows = [
            piece(0.0, here, there, invite[:200], kind=kind),
            piece(0.1, here, there, invite[200:] + invite[:9], kind=kind),
            piece(0.2, there, here, answer, kind=kind),
            piece(0.3, here, there, invite[9:], kind=kind),
        ]
        path.write_bytes(write_pcap(rows, EPOCH).body)

        def fields(shown, *names, path=path):
            command = [tshark, "-r", path, "-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", "-Y", shown]
            command += ["-d", "tcp.port==5061,sip", "-T", "fields", *(part for name in names for part in ("-e", name))]
            ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
            return [line.split("\t") for line in ran.stdout.splitlines()]

        assert len(fields("tcp.checksum.status == 1", "frame.number")) == 4
        requests = fields("sip.Method == INVITE", "frame.number", "sip.Call-ID", "sdp.media.port")
        assert requests == [["2", "one", "40000"], ["4", "one", "40000"]]
        assert fields("sip.Status-Code", "sip.Status-Code") == [["100"]]
        assert fields("_ws.malformed || _ws.expert.severity == error", "frame.number") == []
        assert fields("tcp.analysis.flags", "frame.number", "tcp.analysis.flags") == []


@pytest.mark.witness("tshark")
def test_tshark_reads_sip_sdp_and_rtp_and_finds_no_fault(tmp_path):
    tshark = need("tshark", package="tshark")
    rows = [datagram(0.0, A, B, INVITE % (len(SDP), SDP))]
    rows += [datagram(0.1 + index * 0.02, B, C, rtp(index)) for index in range(50)]
    rows += [datagram(2.0, "::1:5060", "::1:5070", b"OPTIONS sip:x@[::1] SIP/2.0\r\nCSeq: 1 OPTIONS\r\n\r\n")]
    path = tmp_path / "run.pcap"
    path.write_bytes(write_pcap(rows, EPOCH).body)

    def fields(shown, *names):
        command = [tshark, "-r", path, "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-Y", shown]
        command += ["-T", "fields", *(part for name in names for part in ("-e", name))]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        return [line.split("\t") for line in ran.stdout.splitlines()]

    assert len(fields("udp.checksum.status == 1", "frame.number")) == 52
    assert len(fields("ip.checksum.status == 1", "frame.number")) == 51
    assert fields("sip.Method == INVITE", "sip.CSeq.method", "sdp.media.port") == [["INVITE", "40000"]]
    packets = fields("rtp", "rtp.seq", "frame.time_epoch")
    assert [int(sequence) for sequence, _ in packets] == list(range(50))
    assert float(packets[0][1]) == pytest.approx(EPOCH + 0.1, abs=1e-5)
    assert fields("_ws.malformed || _ws.expert.severity == error", "frame.number") == []
