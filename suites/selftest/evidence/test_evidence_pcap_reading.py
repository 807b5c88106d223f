"""Captures are read by their headers alone: what scapy builds is read as it was meant, nothing crashes the reader."""

import contextlib
import io

from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrHopByHop
from scapy.layers.l2 import ARP, Dot1Q, Ether
from scapy.packet import Packet, Padding
from scapy.utils import RawPcapWriter

from harness.evidence.pcap import Captured, CaptureError, read_pcap

FOUR, SIX = IP(src="192.0.2.1", dst="192.0.2.2"), IPv6(src="2001:db8::1", dst="2001:db8::2")
HERE, THERE = ("192.0.2.1", 5060), ("192.0.2.2", 5070)
HERE_6, THERE_6 = ("2001:db8::1", 5060), ("2001:db8::2", 5070)
PORTS = {"sport": 5060, "dport": 5070}


def written(*frames: bytes) -> bytes:
    class Kept(io.BytesIO):
        def close(self) -> None:
            return

    buffer = Kept()
    writer = RawPcapWriter(buffer, linktype=1)
    writer.write_header(None)
    for frame in frames:
        writer.write_packet(frame, sec=7, usec=500_000)
    writer.flush()
    return buffer.getvalue()


def frame(packet: Packet) -> bytes:
    return bytes(Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / packet)


def test_what_is_tagged_padded_or_has_options_is_read_as_it_was_meant() -> None:
    options = [("MSS", 1460), ("NOP", None), ("WScale", 2)]
    frames = [
        frame(FOUR / UDP(**PORTS) / b"one"),
        frame(Dot1Q(vlan=7) / Dot1Q(vlan=8) / FOUR / UDP(**PORTS) / b"two"),
        frame(FOUR / UDP(**PORTS) / b"three" / Padding(b"\0" * 18)),
        frame(IP(src="192.0.2.1", dst="192.0.2.2", options=b"\x94\x04\0\0") / UDP(**PORTS) / b"four"),
        frame(FOUR / TCP(**PORTS, options=options) / b"five" / Padding(b"\0" * 6)),
        frame(SIX / UDP(**PORTS) / b"six"),
        frame(SIX / IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / TCP(**PORTS) / b"seven"),
    ]
    assert read_pcap(written(*frames)) == [
        Captured(7.5, HERE, THERE, b"one"),
        Captured(7.5, HERE, THERE, b"two"),
        Captured(7.5, HERE, THERE, b"three"),
        Captured(7.5, HERE, THERE, b"four"),
        Captured(7.5, HERE, THERE, b"five", tcp=True),
        Captured(7.5, HERE_6, THERE_6, b"six"),
        Captured(7.5, HERE_6, THERE_6, b"seven", tcp=True),
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
    assert read_pcap(written(*frames)) == []


@settings(max_examples=200, deadline=None)
@given(st.lists(st.binary(max_size=90), max_size=4), st.binary(max_size=60), st.integers(12, 80))
def test_any_bytes_are_read_or_refused(frames: list[bytes], junk: bytes, at: int) -> None:
    whole = frame(SIX / IPv6ExtHdrHopByHop() / UDP(**PORTS) / b"hello")
    broken = whole[:at] + junk + whole[at + len(junk) :]
    with contextlib.suppress(CaptureError):
        read_pcap(written(*frames, broken))
    with contextlib.suppress(CaptureError):
        read_pcap(junk)
