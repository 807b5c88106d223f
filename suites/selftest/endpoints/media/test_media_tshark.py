"""What our ports send, as Wireshark's own dissectors read it: RTP, telephone events, RTCP."""

import asyncio
import subprocess

import pytest
from scapy.all import IP, UDP, PcapWriter

from harness.endpoints.media import open_media
from harness.transport.context import Context
from harness.transport.tap import CaptureTap, CaptureWriter, read_capture
from harness.transport.virtual_loop import VirtualLoop
from suites.selftest.witness import need

SECONDS = 6


async def call(capture):
    """Six seconds of a call with three digits; return its ports' addresses and stats, the capture written."""
    context = Context.create(seed=3)
    with CaptureWriter(capture) as writer:
        context.tap = CaptureTap(writer, context.journal.now)
        media = await open_media(context, in_process=True)
        near, far = await media.open_port("near"), await media.open_port("far")
        await near.connect(far.address)
        await far.connect(near.address)
        await near.send_dtmf("19#")
        await asyncio.sleep(SECONDS)
        ports = (near.address, far.address), (await near.close(), await far.close())
        await media.close()
    return ports


def fields(tshark, pcap, addresses, display, *names):
    kinds = [
        ("-d", f"udp.port=={port + offset},{kind}")
        for _, port in addresses
        for offset, kind in ((0, "rtp"), (1, "rtcp"))
    ]
    command = [tshark, "-r", str(pcap), *sum(kinds, ()), "-d", "rtp.pt==101,rtpevent", "-Y", display, "-T", "fields"]
    for name in names:
        command += ["-e", name]
    told = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout
    return [line.split("\t") for line in told.splitlines()]


@pytest.mark.witness("tshark")
def test_wireshark_reads_what_we_send_as_we_meant_it(tmp_path):
    tshark = need("tshark", package="tshark")
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        addresses, (near, far) = runner.run(call(tmp_path / "call.cap"))
    seen = set()
    with PcapWriter(str(tmp_path / "call.pcap"), linktype=101) as pcap:
        for crossing in read_capture(tmp_path / "call.cap"):
            key = (crossing.source, crossing.target, crossing.payload)
            if key in seen:
                continue  # both ends of a virtual wire are tapped
            seen.add(key)
            (host, port), (to_host, to_port) = crossing.addresses()
            packet = IP(src=host, dst=to_host) / UDP(sport=port, dport=to_port) / crossing.payload
            packet.time = crossing.time
            pcap.write(packet)

    def read(display, *names):
        return fields(tshark, tmp_path / "call.pcap", addresses, display, *names)

    assert read("_ws.malformed", "frame.number") == []
    rtp = read(f"rtp && udp.srcport == {addresses[0][1]}", "rtp.version", "rtp.seq", "rtp.p_type")
    assert len(rtp) == near.packets_sent
    numbers = [int(row[1]) for row in rtp]
    assert numbers == list(range(numbers[0], numbers[0] + len(rtp)))
    assert {(row[0], row[2]) for row in rtp} == {("2", "8"), ("2", "101")}
    ends = read("rtpevent.end_of_event == 1", "rtpevent.event_id", "rtpevent.duration")
    assert ends == [[event, "800"] for event in ("1", "9", "11") for _ in range(3)]
    reports = read("rtcp", "rtcp.pt", "rtcp.length_check", "rtcp.sdes.text")
    assert len(reports) == near.rtcp_sent + far.rtcp_sent
    assert {row[0] for row in reports} >= {"200,202", "200,202,203"}
    assert {row[1] for row in reports} == {"1"}
    assert {row[2] for row in reports} == {"near", "far"}
    (first, *_) = read("rtcp.pt == 200", "rtcp.ssrc.fraction", "rtcp.ssrc.cum_nr", "rtcp.sender.packetcount")
    assert first[0:2] == ["0", "0"]
