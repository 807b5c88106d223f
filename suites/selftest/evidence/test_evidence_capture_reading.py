"""Captures are read by their headers alone: what scapy builds is read as it was meant, nothing crashes the reader."""

import contextlib
import io
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP, UDP, fragment
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop, fragment6
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Packet, Padding
from scapy.utils import RawPcapWriter

from harness.evidence.capture_file import MAX_INTERFACES, CaptureError
from harness.evidence.capture_packets import MAX_CUT, MAX_PIECES, Captured, read_capture

FOUR, SIX = IP(src="192.0.2.1", dst="192.0.2.2"), IPv6(src="2001:db8::1", dst="2001:db8::2")
HERE, THERE = ("192.0.2.1", 5060), ("192.0.2.2", 5070)
HERE_6, THERE_6 = ("2001:db8::1", 5060), ("2001:db8::2", 5070)
PORTS = {"sport": 5060, "dport": 5070}


def written(*frames: bytes, link: int = 1) -> bytes:
    class Kept(io.BytesIO):
        def close(self) -> None:
            return

    buffer = Kept()
    writer = RawPcapWriter(buffer, linktype=1)
    writer.write_header(None)
    for frame in frames:
        writer.write_packet(frame, sec=7, usec=500_000)
    writer.flush()
    body = buffer.getvalue()
    return body[:20] + struct.pack("<I", link) + body[24:]


def frame(packet: Packet) -> bytes:
    return bytes(Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / packet)


def test_what_is_tagged_padded_or_has_options_is_read_as_it_was_meant() -> None:
    options = [("MSS", 1460), ("NOP", None), ("WScale", 2)]
    frames = [
        frame(FOUR / UDP(**PORTS) / b"one"),
        frame(Dot1Q(vlan=7) / Dot1Q(vlan=8) / FOUR / UDP(**PORTS) / b"two"),
        frame(FOUR / UDP(**PORTS) / b"three" / Padding(b"\0" * 18)),
        frame(IP(src="192.0.2.1", dst="192.0.2.2", options=b"\x94\x04\0\0") / UDP(**PORTS) / b"four"),
        frame(FOUR / TCP(**PORTS, flags="PA", seq=77, options=options) / b"five" / Padding(b"\0" * 6)),
        frame(SIX / UDP(**PORTS) / b"six"),
        frame(SIX / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / TCP(**PORTS, flags="S", seq=9) / b"seven"),
        frame(Dot1Q(vlan=7, type=0x9100) / Dot1Q(vlan=8) / SIX / UDP(**PORTS) / b"eight"),
    ]
    assert read_capture(written(*frames)) == [
        Captured(7.5, HERE, THERE, b"one"),
        Captured(7.5, HERE, THERE, b"two"),
        Captured(7.5, HERE, THERE, b"three"),
        Captured(7.5, HERE, THERE, b"four"),
        Captured(7.5, HERE, THERE, b"five", tcp=True, sequence=77),
        Captured(7.5, HERE_6, THERE_6, b"six"),
        Captured(7.5, HERE_6, THERE_6, b"seven", tcp=True, sequence=9, opens=True),
        Captured(7.5, HERE_6, THERE_6, b"eight"),
    ]


def test_what_carries_no_whole_header_of_udp_or_tcp_is_left_out() -> None:
    whole = frame(FOUR / UDP(**PORTS) / b"x")
    frames = [
        frame(ARP()),
        frame(IP(src="192.0.2.1", dst="192.0.2.2", frag=20, proto=17) / b"the rest of a datagram, no header"),
        frame(IP(src="192.0.2.1", dst="192.0.2.2", proto=1) / b"ping, and more than eight bytes"),
        whole[:30],
        whole[:40],
        b"",
    ]
    assert read_capture(written(*frames)) == []


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=90), max_size=4), st.binary(max_size=60), st.integers(12, 80))
def test_any_bytes_are_read_or_refused(frames: list[bytes], junk: bytes, at: int) -> None:
    whole = frame(SIX / IPv6ExtHdrHopByHop() / UDP(**PORTS) / b"hello")
    broken = whole[:at] + junk + whole[at + len(junk) :]
    with contextlib.suppress(CaptureError):
        read_capture(written(*frames, broken))
    with contextlib.suppress(CaptureError):
        read_capture(junk)


@pytest.mark.parametrize(
    ("link", "before"),
    [
        (0, struct.pack("<I", 2)),
        (0, struct.pack(">I", 2)),
        (101, b""),
        (108, struct.pack(">I", 2)),
        (113, bytes(14) + b"\x08\x00"),
        (113, bytes(14) + b"\x81\x00\x00\x07\x08\x00"),
        (228, b""),
        (276, b"\x08\x00" + bytes(18)),
        (0x5000_0001, bytes(12) + b"\x08\x00"),
    ],
)
def test_links_are_told_by_their_numbers_and_headers(link: int, before: bytes) -> None:
    packet = bytes(FOUR / UDP(**PORTS) / b"hello")
    assert read_capture(written(before + packet, link=link)) == [Captured(7.5, HERE, THERE, b"hello")]


def test_ipv6_is_read_where_no_ethertype_tells_it_and_arp_is_not() -> None:
    packet = bytes(SIX / UDP(**PORTS) / b"hello")
    for link in (101, 229):
        assert read_capture(written(packet, link=link)) == [Captured(7.5, HERE_6, THERE_6, b"hello")]
    assert read_capture(written(b"\x08\x06" + bytes(18) + packet, link=276)) == []


def test_what_the_network_card_was_still_to_cut_has_no_length_and_is_read_whole() -> None:
    packet = bytearray(bytes(FOUR / TCP(**PORTS, flags="PA") / (b"x" * 3_000)))
    packet[2:4] = b"\0\0"
    (found,) = read_capture(written(bytes(packet), link=101))
    assert found.payload == b"x" * 3_000


LONG = bytes(range(256)) * 20
PIECES_OF_4 = [frame(each) for each in fragment(IP(src="192.0.2.1", dst="192.0.2.2", id=7) / UDP(**PORTS) / LONG, 1400)]
PIECES_OF_6 = [frame(each) for each in fragment6(SIX / IPv6ExtHdrFragment(id=7) / UDP(**PORTS, chksum=0) / LONG, 1280)]


@pytest.mark.parametrize(("pieces", "ends"), [(PIECES_OF_4, (HERE, THERE)), (PIECES_OF_6, (HERE_6, THERE_6))])
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_a_datagram_cut_by_the_network_is_whole_in_whatever_order_its_pieces_came(
    pieces: list[bytes], ends: tuple[Any, Any], data: st.DataObject
) -> None:
    order = data.draw(st.permutations(pieces))
    twice = data.draw(st.sampled_from(pieces[:-1]))
    lacks = data.draw(st.sampled_from(pieces))
    found = read_capture(written(twice, *order))
    assert [each for each in found if (each.source, each.target) == ends and each.payload == LONG] == found
    assert len(found) == 1
    assert read_capture(written(*(each for each in order if each != lacks))) == []


def test_pieces_that_never_become_whole_take_no_room() -> None:
    flood = [
        frame(IP(src="192.0.2.1", dst="192.0.2.2", id=number, flags="MF", proto=17) / bytes(1_400))
        for number in range(MAX_CUT + 5)
    ]
    # The oldest was given up for those after it, and its last piece makes nothing whole; the newest is waited for.
    last = [
        frame(IP(src="192.0.2.1", dst="192.0.2.2", id=number, frag=175, proto=17) / bytes(8))
        for number in (0, MAX_CUT + 4)
    ]
    assert [len(each.payload) for each in read_capture(written(*flood, *last))] == [1_400]


def test_a_datagram_in_more_pieces_than_any_network_makes_is_left() -> None:
    small = [
        frame(
            IP(src="192.0.2.1", dst="192.0.2.2", id=7, flags="MF" if at < MAX_PIECES else 0, frag=at, proto=17)
            / bytes(8)
        )
        for at in range(MAX_PIECES + 1)
    ]
    assert read_capture(written(*small)) == []


# pcapng


def block(kind: int, content: bytes, order: str = "<") -> bytes:
    content += bytes(-len(content) % 4)
    length = struct.pack(f"{order}I", 12 + len(content))
    return struct.pack(f"{order}I", kind) + length + content + length


def section(order: str = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(link: int, *options: tuple[int, bytes], order: str = "<") -> bytes:
    told = b"".join(
        struct.pack(f"{order}HH", code, len(value)) + value + bytes(-len(value) % 4) for code, value in options
    )
    return block(1, struct.pack(f"{order}HHI", link, 0, 0) + told, order)


def packet(octets: bytes, ticks: int, number: int = 0, order: str = "<") -> bytes:
    head = struct.pack(f"{order}IIIII", number, ticks >> 32, ticks & 0xFFFF_FFFF, len(octets), len(octets))
    return block(6, head + octets, order)


HELLO = frame(FOUR / UDP(**PORTS) / b"hello")
HELLO_ALONE = HELLO[14:]


def test_pcapng_is_read_with_its_sections_interfaces_and_resolutions() -> None:
    old = struct.pack("<HHIIII", 0, 3, 0, 7_500_000, len(HELLO), len(HELLO)) + HELLO
    body = b"".join(
        [
            section(),
            interface(1),
            interface(101, (2, b"any"), (9, b"\x09"), (14, struct.pack("<q", 100)), (0, b"")),
            interface(147),
            block(4, b"names of hosts, which are not read"),
            packet(HELLO, 7_500_000),
            packet(HELLO_ALONE, 7_500_000_000, 1),
            packet(b"of a link that nobody knows", 0, 2),
            block(2, old),
            section(">"),
            interface(1, (9, b"\x83"), order=">"),
            packet(HELLO, 60, order=">"),
        ]
    )
    found = read_capture(body)
    assert [each.time for each in found] == [7.5, 107.5, 7.5, 7.5]
    assert {each.payload for each in found} == {b"hello"}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"\x1f\x8b\x08\0", "found a file that gzip made"),
        (section()[:20], r"cut off|says that it has"),
        (
            section() + interface(1) + packet(HELLO, 0)[:-9],
            "cut off in block 3, 9 bytes are missing; 'editcap IN",
        ),
        (section() + b"\0" * 5, "cut off after its last block, 5 bytes"),
        (section() + struct.pack("<II", 6, 1 << 30) + bytes(40), r"cut off in block 2, 107374\d+ bytes are missing"),
        (section() + struct.pack("<II", 6, 8) + bytes(40), "says that it has 8 bytes, which no such block has"),
        (section() + struct.pack("<II", 9, 16) + bytes(8), "has 16 bytes by its beginning, and 0 by its end"),
        (section()[:12] + b"\x02\0" + section()[14:], "is of pcapng 2; this reads 1"),
        (section()[:8] + bytes(20), "whose order of bytes it does not tell"),
        (section() + packet(HELLO, 0), "is of interface 0; 0 were told before it"),
        (section() + interface(1) + block(6, bytes(12)), "tells of a packet, and is too short for it"),
        (section() + interface(1) + block(6, struct.pack("<IIIII", 0, 0, 0, 99, 99)), "says that it keeps 99 bytes"),
        (section() + interface(1) + block(3, struct.pack("<I", 5) + b"hello"), "is a simple packet, which has none"),
        (section() + block(1, b"abc"), "tells of an interface, and is too short"),
        (section() + block(1, struct.pack("<HHIHH", 1, 0, 0, 9, 500)), "has an option of 500 bytes"),
        (section() + interface(1, (9, b"ab")), "the resolution or offset of its times in a wrong length"),
        (section() + interface(1) * (MAX_INTERFACES + 1), "more than 1024 interfaces"),
        (section() + interface(147) + packet(HELLO, 0), r"found link type 147; this reads 0 \(loopback\), 1 \(Eth"),
    ],
)
def test_what_is_no_whole_pcapng_is_named(body: bytes, told: str) -> None:
    with pytest.raises(CaptureError, match=told):
        read_capture(body)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 300), st.binary(max_size=12))
def test_any_pcapng_is_read_or_refused(at: int, junk: bytes) -> None:
    whole = section() + interface(1, (9, b"\x09")) + packet(HELLO, 7) + packet(PIECES_OF_6[0], 8) + section(">")
    with contextlib.suppress(CaptureError):
        read_capture(whole[:at] + junk + whole[at + len(junk) :])
