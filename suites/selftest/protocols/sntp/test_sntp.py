"""SNTP to the bit: packets there and back, eras, the offset's arithmetic, and nothing but the named error."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import SntpError, SntpLocalError
from harness.protocols import sntp
from harness.protocols.sntp import Packet, Sample

STAMP = st.integers(0, 2**64 - 1)
SHORT = st.integers(0, 2**32 - 1).map(lambda value: value / 65_536)
BYTE = st.integers(-128, 127)
PACKETS = st.builds(
    Packet,
    mode=st.integers(0, 7),
    version=st.integers(1, 7),
    leap=st.integers(0, 3),
    stratum=st.integers(0, 255),
    poll=BYTE,
    precision=BYTE,
    root_delay_s=SHORT,
    root_dispersion_s=SHORT,
    reference_id=st.binary(min_size=4, max_size=4),
    reference=STAMP,
    origin=STAMP,
    receive=STAMP,
    transmit=STAMP,
)
NOW = 1_767_225_600.0
NONCE = 0x0123_4567_89AB_CDEF
# An answer written out by RFC 5905, figure 8: leap 0, version 4, mode 4, stratum 2, poll 6, precision -20, 1.5 s and
# 0.25 s, 192.0.2.1, and 2026-01-01 00:00:00 (0xED003780) with fractions.
WRITTEN = bytes.fromhex(
    "240206ec 00018000 00004000 c0000201 ed00377f00000000 0123456789abcdef ed00378080000000 ed003780c0000000"
)


def answered(**changed: object) -> Packet:
    fields = {"stratum": 2, "origin": NONCE, "receive": sntp.to_stamp(NOW + 0.3), "transmit": sntp.to_stamp(NOW + 0.4)}
    return Packet(4, **{**fields, **changed})  # type: ignore[arg-type]


def test_a_packet_written_out_by_hand_is_read() -> None:
    found = sntp.decode(WRITTEN)
    assert (found.leap, found.version, found.mode, found.stratum, found.poll, found.precision) == (0, 4, 4, 2, 6, -20)
    assert (found.root_delay_s, found.root_dispersion_s, found.reference_id) == (1.5, 0.25, bytes((192, 0, 2, 1)))
    assert found.origin == NONCE
    times = [sntp.from_stamp(stamp, near=NOW) - NOW for stamp in (found.reference, found.receive, found.transmit)]
    assert times == [-1.0, 0.5, 0.75]
    assert found.encode() == WRITTEN


@given(PACKETS)
def test_what_is_written_is_read_again(packet: Packet) -> None:
    assert sntp.decode(packet.encode()) == packet


@given(st.binary(max_size=80))
def test_bytes_of_any_kind_are_read_or_named(data: bytes) -> None:
    try:
        found = sntp.decode(data)
    except SntpError:
        return
    assert found.encode() == data[: sntp.LENGTH]
    try:
        sntp.sample(found, nonce=found.origin, sent=NOW, received=NOW + 1)
    except SntpError:
        return


@pytest.mark.parametrize(
    "wrong",
    [
        {"mode": 8},
        {"version": 8},
        {"leap": 4},
        {"stratum": 256},
        {"poll": 128},
        {"reference_id": b"abc"},
        {"root_delay_s": -1.0},
        {"root_delay_s": float("nan")},
        {"transmit": 1 << 64},
    ],
)
def test_what_does_not_fit_is_not_written(wrong: dict[str, object]) -> None:
    with pytest.raises(SntpLocalError):
        Packet(**{"mode": 3, **wrong}).encode()  # type: ignore[arg-type]


@given(st.floats(-5e9, 2e10))
def test_a_time_in_any_era_comes_back(seconds: float) -> None:
    assert sntp.from_stamp(sntp.to_stamp(seconds), near=seconds + 1000) == pytest.approx(seconds, abs=1e-5)


def test_the_second_era_begins_in_2036() -> None:
    """2036-02-07 06:28:16 UTC (RFC 5905, figure 4): the seconds are 0 there, and just after it 1."""
    begins = 2_085_978_496.0
    assert sntp.to_stamp(begins) == 0
    assert sntp.to_stamp(begins + 1) == 1 << 32
    assert sntp.from_stamp(1 << 32, near=begins - 10) == begins + 1


@given(st.floats(-1e5, 1e5), st.floats(0, 2), st.floats(0, 2), st.floats(0, 1))
def test_the_true_offset_lies_within_the_uncertainty(ahead: float, there: float, back: float, thought: float) -> None:
    """However long either way takes: RFC 5905 section 8."""
    received = NOW + there + thought + back
    told = answered(receive=sntp.to_stamp(NOW + there + ahead), transmit=sntp.to_stamp(NOW + there + thought + ahead))
    found = sntp.sample(told, nonce=NONCE, sent=NOW, received=received)
    assert abs(found.offset_s - ahead) <= found.uncertainty_s + 2e-6
    assert found.delay_s == pytest.approx(there + back, abs=5e-6)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"origin": NONCE + 1}, "another question"),
        ({"stratum": 0, "reference_id": b"RATE"}, "kiss-o'-death RATE"),
        ({"stratum": 0, "reference_id": b"\xff\0\0\0"}, "kiss-o'-death ff"),
        ({"transmit": 0}, "no time"),
        ({"receive": sntp.to_stamp(NOW + 0.5)}, "make no sense"),
        ({"receive": sntp.to_stamp(NOW), "transmit": sntp.to_stamp(NOW + 9)}, "make no sense"),
    ],
)
def test_an_answer_that_tells_nothing_is_named(wrong: dict[str, object], told: str) -> None:
    with pytest.raises(SntpError, match=told):
        sntp.sample(answered(**wrong), nonce=NONCE, sent=NOW, received=NOW + 0.7)


def test_a_question_is_no_answer_and_an_answer_no_question() -> None:
    with pytest.raises(SntpError, match="mode 4, not 3"):
        sntp.sample(sntp.question(NONCE), nonce=NONCE, sent=NOW, received=NOW)
    with pytest.raises(SntpError, match="mode 3, not 4"):
        sntp.answer(answered(), received=NOW, sent=NOW, stratum=3, reference_id=b"LOCL")


@pytest.mark.parametrize(("changed", "right"), [({}, True), ({"leap": 3}, False), ({"stratum": 16}, False)])
def test_a_clock_that_follows_none_says_so(changed: dict[str, object], right: bool) -> None:
    found = sntp.sample(answered(**changed), nonce=NONCE, sent=NOW, received=NOW + 0.7)
    assert found.synchronised is right


def test_the_quickest_exchange_tells_most() -> None:
    slow, quick = Sample(0.3, 0.2, 0.1, 2, True), Sample(0.25, 0.02, 0.01, 2, True)
    assert sntp.best([slow, quick, slow]) is quick
    with pytest.raises(SntpLocalError):
        sntp.best([])


@pytest.mark.witness("scapy")
def test_scapy_reads_what_we_write_and_we_read_what_it_writes() -> None:
    from scapy.layers.ntp import NTPHeader  # noqa: PLC0415 (scapy takes most of a second to import)

    theirs = NTPHeader(sntp.decode(WRITTEN).encode())
    assert (theirs.leap, theirs.version, theirs.mode, theirs.stratum, theirs.poll) == (0, 4, 4, 2, 6)
    assert (theirs.delay, theirs.dispersion, theirs.id) == (1.5, 0.25, "192.0.2.1")
    assert [float(theirs.orig), float(theirs.recv)] == pytest.approx([NONCE / 2**32, 0xED003780 + 0.5])
    made = bytes(NTPHeader(leap=0, version=3, mode="server", stratum=1, ref_id=b"GPS\0", precision=-18))
    found = sntp.decode(made)
    assert (found.version, found.mode, found.stratum, found.reference_id) == (3, 4, 1, b"GPS\0")
    assert found.precision == -18
