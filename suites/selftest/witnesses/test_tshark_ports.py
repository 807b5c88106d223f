"""A port that is registered for another protocol does not make tshark read our RTP as that protocol."""

from __future__ import annotations

from pathlib import Path

import pytest
from scapy.layers.inet import IP, UDP
from scapy.utils import PcapWriter

from harness.protocols.rtp.rtp import RtpPacket
from suites.selftest.witness import need
from suites.selftest.witnesses.tshark import Capture, registered

OURS = 40000


@pytest.mark.witness("tshark")
def test_rtp_at_a_port_of_another_protocol_is_read_as_rtp_or_as_plain_udp(tmp_path: Path) -> None:
    assert {"tzsp", "bvlc", "enip"} <= registered(need("tshark", package="tshark"))
    others = (37008, 47808, 44818)
    with PcapWriter(str(tmp_path / "one.pcap"), linktype=101) as pcap:
        for port in others:
            packet = RtpPacket(payload_type=8, sequence=1, timestamp=160, ssrc=7, payload=bytes(160)).build()
            pcap.write(IP(src="127.0.0.1", dst="127.0.0.1") / UDP(sport=port, dport=OURS) / packet)
    untold = Capture(tmp_path / "one.pcap", {})
    assert untold.rows("_ws.malformed", "frame.number") == []
    assert untold.rows("udp", "_ws.col.Protocol") == [["UDP"]] * len(others)
    assert Capture(tmp_path / "one.pcap", {OURS: "rtp"}).rows("udp", "_ws.col.Protocol") == [["RTP"]] * len(others)
