"""Wireshark counts what we count, of streams that were made bad on purpose: loss, jitter, reports, keys, noise, text.

Packets go to tshark with the times at which the hearing port had them, so that both judge the same stream.
"""

import subprocess
from collections import Counter

import numpy as np
import pytest
from scapy.all import IP, UDP, PcapWriter

from harness.endpoints.media.impairment import Impairment
from harness.endpoints.media.sending import RTCP, RTP
from harness.protocols.rtp.g711 import CODECS
from suites.selftest.endpoints.media.engine_bench import Bench
from suites.selftest.endpoints.media.test_media_srtp import keys
from suites.selftest.witness import need

pytestmark = pytest.mark.witness("tshark")

NEAR, FAR = ("10.0.0.1", 4000), ("10.0.0.2", 5000)
WITHIN_S = 60


class Watched(Bench):
    """A bench that keeps what was delivered, and what our own statistics said after each packet."""

    def __init__(self):
        super().__init__()
        self.crossed = []
        self.jitters = {}

    def deliver(self, sender, kind, data, to):
        source = self._addresses[sender]
        self.crossed.append((self.now, (source[0], source[1] + (kind == RTCP)), to, data))
        super().deliver(sender, kind, data, to)
        receiver, control = self._wires.get(to, (None, True))
        if not control and receiver.reception.source is not None:
            self.jitters.setdefault(receiver, []).append(receiver.reception.source.jitter_ms)

    def write(self, path):
        with PcapWriter(str(path), linktype=101) as pcap:
            for now, (host, port), (to_host, to_port), data in self.crossed:
                packet = IP(src=host, dst=to_host) / UDP(sport=port, dport=to_port) / data
                packet.time = now
                pcap.write(packet)
        return path


def tshark(pcap, *arguments):
    command = [need("tshark", package="tshark"), "-n", "-r", str(pcap)]
    for _, port in (NEAR, FAR):
        command += ["-d", f"udp.port=={port},rtp", "-d", f"udp.port=={port + 1},rtcp"]
    command += arguments
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=WITHIN_S).stdout


def streams(pcap):
    """`-z rtp,streams`, by the sender's port."""
    found = {}
    for line in tshark(pcap, "-q", "-z", "rtp,streams").splitlines():
        words = line.split()
        if "0x" in line and words[2] in (NEAR[0], FAR[0]):
            after = words[words.index(next(word for word in words if word.startswith("0x"))) + 1 :]
            percent = next(index for index, word in enumerate(after) if word.startswith("("))
            found[int(words[3])] = {
                "payload": " ".join(after[: percent - 2]),
                "packets": int(after[percent - 2]),
                "lost": int(after[percent - 1]),
                # after the percentage: three deltas, then three jitters
                "mean_jitter_ms": float(after[percent + 5]),
                "max_jitter_ms": float(after[percent + 6]),
            }
    return found


def rows(pcap, display, *fields):
    arguments = ["-Y", display, "-T", "fields"]
    for field in fields:
        arguments += ["-e", field]
    return [line.split("\t") for line in tshark(pcap, *arguments).splitlines()]


@pytest.mark.parametrize(
    "faults",
    [
        {},
        {"loss": 0.03},
        {"loss": 0.05, "burst": 4},
        {"jitter_ms": 8},
        {"jitter_ms": 60, "loss": 0.02},
        {"reorder": 0.05, "loss": 0.01},
    ],
    ids=lambda faults: " ".join(faults) or "sound",
)
def test_loss_is_exactly_and_jitter_nearly_what_wireshark_says(tmp_path, faults):
    bench = Watched()
    near, far = bench.pair()
    bench.run(0.2)
    near.impair(Impairment(**faults), bench.now)
    bench.run(30.0)
    told = streams(bench.write(tmp_path / "call.pcap"))
    ours, witness = far.stats(), told[NEAR[1]]
    assert witness["packets"] == ours.packets_received
    assert witness["lost"] == ours.lost
    jitters = bench.jitters[far]
    assert np.mean(jitters) == pytest.approx(witness["mean_jitter_ms"], rel=0.05, abs=0.02)
    assert np.max(jitters) == pytest.approx(witness["max_jitter_ms"], rel=0.05, abs=0.02)
    # the other direction, which nothing was done to
    assert (told[FAR[1]]["packets"], told[FAR[1]]["lost"]) == (near.stats().packets_received, 0)


def test_duplicates_count_for_wireshark_as_for_our_reports(tmp_path):
    """Both follow RFC 3550 A.3 there: a duplicate makes up for a loss."""
    bench = Watched()
    near, far = bench.pair()
    near.impair(Impairment(loss=0.04, duplicate=0.1), bench.now)
    bench.run(30.0)
    witness, ours = streams(bench.write(tmp_path / "call.pcap"))[NEAR[1]], far.stats()
    assert witness["packets"] == ours.packets_received + ours.duplicates
    assert witness["lost"] == far.reception.source.reported_lost == ours.lost - ours.duplicates


def test_the_reports_fields_are_read_as_they_were_meant(tmp_path):
    bench = Watched()
    near, far = bench.pair()
    near.impair(Impairment(loss=0.1, jitter_ms=20), bench.now)
    bench.run(40.0)
    pcap = bench.write(tmp_path / "call.pcap")
    fields = ("cum_nr", "fraction", "jitter", "ext_high", "lsr", "dlsr", "identifier")
    told = rows(pcap, f"rtcp && udp.srcport == {FAR[1] + 1}", *(f"rtcp.ssrc.{field}" for field in fields))
    assert len(told) == far.stats().rtcp_sent >= 5
    lost, fraction, jitter, highest, last_sr, delay, source = told[-1]
    assert int(lost) == near.stats().peer_lost
    assert int(fraction) / 256 == pytest.approx(near.stats().peer_fraction_lost, abs=0.001)
    assert 1000 * int(jitter) / 8000 == pytest.approx(near.stats().peer_jitter_ms, abs=0.01)
    assert int(highest) > 65_536  # the stream began at 65535, and has wrapped
    assert [int(each, 0) for each in source.split(",")] == [near._ssrc, far._ssrc]  # reported on, and described
    assert int(last_sr) > 0
    assert 0 <= int(delay) / 65_536 < 10
    checks = rows(pcap, "rtcp", "rtcp.length_check", "rtcp.sdes.text")
    assert {row[0] for row in checks} == {"1"}
    assert {row[1] for row in checks} == {"near", "far"}


def test_keys_of_every_length_are_read_with_their_segments(tmp_path):
    bench = Watched()
    near, _ = bench.pair()
    near.talker.press("5", duration_ms=10_000, gap_ms=80, volume=20)
    near.talker.press("#", duration_ms=90, gap_ms=80)
    bench.run(12.0)
    pcap = bench.write(tmp_path / "call.pcap")
    told = rows(
        pcap,
        "rtpevent",
        "rtpevent.event_id",
        "rtpevent.end_of_event",
        "rtpevent.volume",
        "rtpevent.duration",
        "rtp.marker",
    )
    assert Counter(row[0] for row in told if row[1] == "1") == {"5": 3, "11": 3}
    assert {row[2] for row in told if row[0] == "5"} == {"20"}
    assert [row[3] for row in told if row[0] == "5"].count("65535") == 1
    assert [row[0] for row in told if row[4] == "1"] == ["5", "11"]
    assert rows(pcap, '_ws.malformed or _ws.expert.severity == "Error"', "frame.number") == []


def test_comfort_noise_is_comfort_noise_and_no_loss(tmp_path):
    bench = Watched()
    near, far = bench.pair(comfort_noise_payload_type=13)
    speech = (np.sin(np.arange(8000) * 0.3) * 8000).astype(np.int16)
    for _ in range(3):
        near.play(speech, 8000, loop=False)
        bench.run(4.0)
    pcap = bench.write(tmp_path / "call.pcap")
    noise = rows(pcap, f"rtp.p_type == 13 && udp.srcport == {NEAR[1]}", "rtp.marker", "_ws.col.Info")
    assert len(noise) == near.stats().comfort_noise_sent
    assert {row[0] for row in noise} == {"0"}
    assert all("Comfort noise" in row[1] for row in noise)
    spurts = rows(pcap, f"rtp.marker == 1 && udp.srcport == {NEAR[1]}", "rtp.p_type")
    assert [row[0] for row in spurts] == ["8"] * 3
    witness = streams(pcap)[NEAR[1]]
    assert witness["lost"] == far.stats().lost == 0
    assert (witness["packets"], far.stats().concealed) == (far.stats().packets_received, 0)


def test_secured_streams_are_counted_alike_though_nobody_can_read_them(tmp_path):
    bench = Watched()
    ours, theirs = keys()
    near, far = bench.pair(near={"security": ours}, far={"security": theirs})
    near.impair(Impairment(loss=0.05), bench.now)
    bench.run(20.0)
    pcap = bench.write(tmp_path / "call.pcap")
    witness, stats = streams(pcap)[NEAR[1]], far.stats()
    assert (witness["packets"], witness["lost"]) == (stats.packets_received, stats.lost)
    payloads = {row[0].replace(":", "") for row in rows(pcap, f"rtp && udp.srcport == {NEAR[1]}", "rtp.payload")}
    assert len(payloads) == witness["packets"]  # silence over and over, and no two alike
    assert CODECS["PCMA"].encode(np.zeros(160, np.int16)).hex() not in "".join(payloads)


def test_redundant_text_has_its_blocks_where_wireshark_looks_for_them(tmp_path):
    bench = Watched()
    near, far = bench.pair(kind="text")
    for letter in "Fire at 12 Oak Road":
        near.write(letter)
        bench.run(0.15)
    bench.run(2.0)
    pcap = bench.write(tmp_path / "text.pcap")
    decode = ["-d", "rtp.pt==100,rtp_rfc2198"]
    told = tshark(
        pcap, *decode, "-Y", f"rtp.p_type == 100 && udp.srcport == {NEAR[1]}", "-T", "fields",
        "-e", "rtp.block-length", "-e", "rtp.timestamp-offset", "-e", "rtp.timestamp",
    ).splitlines()  # fmt: skip
    out = [each for each in bench.sent if each.stream is near and each.kind == RTP]
    assert len(told) == len(out) == far.stats().packets_received
    stamps = [int(line.split("\t")[2]) for line in told]
    for number, line in enumerate(told[2:], 2):
        lengths, offsets, _ = line.split("\t")
        assert len(lengths.split(",")) == 2
        assert [int(each) for each in offsets.split(",")] == [
            stamps[number] - stamps[number - 2],
            stamps[number] - stamps[number - 1],
        ]
    assert tshark(pcap, *decode, "-Y", "_ws.malformed") == ""
