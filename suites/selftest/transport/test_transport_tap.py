"""Capture taps: what is written is what is read, masked, bounded, and safe from a writer that was cut off."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.transport import tap as tap_module
from harness.transport.tap import CaptureTap, CaptureWriter, Crossing, Kind, NullTap, read_capture

records = st.lists(
    st.tuples(
        st.floats(0, 1e6),
        st.sampled_from(Kind),
        st.text(min_size=1, max_size=20),
        st.text(min_size=1, max_size=20),
        st.binary(max_size=50).map(lambda data: b"\x80\x00" + data),
    ),
    max_size=12,
)


@settings(max_examples=50)
@given(written=records)
def test_records_come_back_as_they_were(tmp_path_factory, written):
    path = tmp_path_factory.mktemp("tap") / "a.cap"
    with CaptureWriter(path) as writer:
        for record in written:
            writer.write(*record)
    assert list(read_capture(path)) == [Crossing(*record) for record in written]


@given(cut=st.integers(1, 60))
def test_a_record_cut_off_ends_the_file_without_an_error(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("tap") / "a.cap"
    with CaptureWriter(path) as writer:
        writer.write(1.0, Kind.DATAGRAM, "127.0.0.1:1", "127.0.0.1:2", b"\x80whole")
        whole = writer.path.stat().st_size
        writer.write(2.0, Kind.DATAGRAM, "127.0.0.1:1", "127.0.0.1:2", b"\x80cut off")
        assert whole == 0
    data = path.read_bytes()
    path.write_bytes(data[: len(data) - min(cut, len(data) // 2)])
    assert [crossing.time for crossing in read_capture(path)] == [1.0]


def test_a_full_file_counts_what_it_leaves_out(tmp_path, monkeypatch):
    monkeypatch.setattr(tap_module, "CAPTURE_LIMIT", 200)
    with CaptureWriter(tmp_path / "a.cap") as writer:
        for _ in range(10):
            writer.write(0.0, Kind.DATAGRAM, "a:1", "b:2", bytes(50))
        assert writer.dropped == 8
    assert len(list(read_capture(tmp_path / "a.cap"))) == 2


def test_personal_numbers_and_credentials_never_reach_the_file(tmp_path):
    with CaptureWriter(tmp_path / "a.cap") as writer:
        tap = CaptureTap(writer, lambda: 0.0)
        tap.datagram(
            ("127.0.0.1", 1), ("127.0.0.1", 2), b"INVITE sip:02079460958@x SIP/2.0\r\nAuthorization: Digest abc\r\n"
        )
        tap.serial("officer", b"ATD07911123456;\r", to_equipment=True)
    data = (tmp_path / "a.cap").read_bytes()
    for secret in (b"02079460958", b"abc", b"07911123456"):
        assert secret not in data


def test_a_writer_appends_to_what_is_there(tmp_path):
    for time in (1.0, 2.0):
        with CaptureWriter(tmp_path / "a.cap") as writer:
            writer.write(time, Kind.DATAGRAM, "a:1", "b:2", b"\x80")
    assert [c.time for c in read_capture(tmp_path / "a.cap")] == [1.0, 2.0]


def test_the_null_tap_keeps_nothing():
    tap = NullTap()
    tap.datagram(("a", 1), ("b", 2), b"x")
    tap.serial("a", b"x", to_equipment=True)
    tap.stream(("a", 1), ("b", 2), b"x", sent=True, secured=False)


def test_a_secret_cut_in_two_by_a_stream_is_masked_and_the_two_directions_are_told_apart(tmp_path):
    here, there = ("127.0.0.1", 1), ("127.0.0.1", 2)
    with CaptureWriter(tmp_path / "a.cap") as writer:
        tap = CaptureTap(writer, lambda: 0.0)
        tap.stream(here, there, b"INVITE sip:0207946", sent=True, secured=True)
        tap.stream(here, there, b"ACK sip:0770", sent=False, secured=True)
        tap.stream(here, there, b"0958@x SIP/2.0\r\nAuthorization: Dig", sent=True, secured=True)
        tap.stream(here, there, b"0900123@x", sent=False, secured=True)
        tap.stream(here, there, b'est response="beef"', sent=True, secured=True)
        tap.stream(here, there, b', nonce="cafe"\r\nCSeq: 1', sent=True, secured=True)
    found = list(read_capture(tmp_path / "a.cap"))
    assert {c.kind for c in found} == {Kind.SECURED}
    ours = b"".join(c.payload for c in found if not c.told_by_target)
    theirs = [c for c in found if c.told_by_target]
    assert {(c.source, c.target) for c in theirs} == {("127.0.0.1:2", "127.0.0.1:1")}
    assert b"".join(c.payload for c in theirs) == b"ACK sip:07700900123@x"
    assert ours.startswith(b"INVITE sip:02xxxxxxx58@x SIP/2.0\r\nAuthorization: ")
    assert not any(secret in ours for secret in (b"beef", b"cafe", b"7946", b"0958"))
    assert ours.endswith(b"\r\nCSeq: 1")


def test_only_so_many_directions_are_remembered(tmp_path, monkeypatch):
    monkeypatch.setattr(tap_module, "DIRECTIONS", 2)
    with CaptureWriter(tmp_path / "a.cap") as writer:
        for port in range(5):
            writer.write(0.0, Kind.STREAM, f"a:{port}", "b:2", b"x")
        assert len(writer._masks) == 2


def test_a_malformed_address_is_an_error_to_who_asks_for_it():
    with pytest.raises(ValueError, match="invalid literal"):
        Crossing(0.0, Kind.DATAGRAM, "nowhere", "b:2", b"").addresses()
