"""tshark reads the captures of a run: what Wireshark's dissectors make of our SIP, SDP, RTP, RTCP and telephone events.

Witness and journal are held against each other: as many RTP packets of each stream as its port says it sent and took.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from harness.evidence.capture import crossings
from harness.evidence.pcap import write_pcap
from harness.protocols.rtp.g711 import Samples
from harness.testbed.conversation import converse
from suites.selftest.witnesses.control_room import control_room, kinds, warnings
from suites.selftest.witnesses.tshark import Capture

pytestmark = [pytest.mark.real_wire, pytest.mark.witness("tshark")]

CLI = "+447700900123"
FROM_CALLER, FROM_OPERATOR = "1590#", "27*D"
EVENT_CODES = {**{str(digit): digit for digit in range(10)}, "*": 10, "#": 11, "A": 12, "B": 13, "C": 14, "D": 15}
"""RFC 4733 table 3."""
LATE_PACKETS = 25
"""Packets (half a second) that may reach a port that the other side has closed already."""


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


async def test_what_crossed_in_a_999_call_is_sound_and_is_all_in_the_journal(
    tmp_path: Path, speech: Callable[[str], Samples]
) -> None:
    async with control_room(tmp_path, "iccs") as room:
        async with room.bench() as drivers:
            console, trunk = await drivers.console("govan-12"), await drivers.trunk()
            call = await trunk.dial("999", cli=CLI)
            shown = await console.expect("call.ringing", within=5.0, cli=CLI)
            await console.answer(queue="emergency")
            await call.answered(within=5.0)
            await console.expect("call.connected", within=5.0)
            assert (await converse(call, console.headset, speech("caller-999"))).correlation > 0.8
            assert (await converse(console, call, speech("call-taker"))).correlation > 0.8
            await call.send_dtmf(FROM_CALLER)
            await console.expect("call.dtmf", within=5.0, digit=FROM_CALLER[-1])
            await console.send_dtmf(FROM_OPERATOR)
            await drivers.journal.expect(call.name, "dtmf.received", within=5.0, digit=FROM_OPERATOR[-1])
            await console.clear()
            await call.ended(within=5.0)
            await console.expect("call.cleared", within=5.0, call=shown.data["call"])
            async with room.client() as http:
                jack = (await http.get("/positions/govan-12")).json()["jack"]
        ours = [{"kind": e.kind, "source": e.source, "data": dict(e.data)} for e in drivers.journal]
        theirs = await room.stop()
    assert warnings(ours) + warnings(theirs) == []
    stats = {event["source"]: event["data"] for event in kinds(ours, "media.closed") + kinds(theirs, "media.closed")}
    await asyncio.to_thread(compare, tmp_path, room.sip[1], port_of(jack), call.name, shown.data["call"], stats)


def compare(folder: Path, sip: int, jack: int, caller: str, call: str, stats: Mapping[str, Mapping[str, Any]]) -> None:
    """Hold what tshark reads against what the ports of the call journalled when they were closed."""
    files = sorted(folder.glob("*/*.cap"))
    assert len(files) == 4  # two processes, each with its media worker
    pcap = write_pcap(crossings(files, 0.0, float("inf")), 1_700_000_000.0)
    assert pcap.left_out == 0
    (folder / "run.pcap").write_bytes(pcap.body)
    capture = Capture(folder / "run.pcap", {sip: "sip", jack: "rtp", jack + 1: "rtcp"})

    # Nothing is malformed and nothing is an error to an expert; every datagram is one of the protocols we speak.
    assert capture.rows("_ws.malformed or _ws.unreassembled", "frame.number", "_ws.col.Protocol") == []
    assert capture.rows('_ws.expert.severity == "Error"', "frame.number", "_ws.expert.message") == []
    assert capture.rows('_ws.expert.severity == "Warning"', "frame.number", "_ws.expert.message") == []
    spoken = Counter(row[0] for row in capture.rows("udp", "_ws.col.Protocol"))
    assert set(spoken) == {"SIP", "SIP/SDP", "RTP", "RTCP", "RTP EVENT"}
    assert sum(spoken.values()) == pcap.packets

    # The call, as any 999 call goes.
    # Apart from the watch on the trunk's peer, which may fall into the call.
    requests = [row[0] for row in capture.rows('sip.Method && sip.Method != "OPTIONS"', "sip.Method")]
    assert requests == ["INVITE", "ACK", "BYE"]
    statuses = capture.rows('sip.Status-Code && sip.CSeq.method != "OPTIONS"', "sip.Status-Code", "sip.CSeq.method")
    assert [row for row in statuses if row[0] != "100"] == [["180", "INVITE"], ["200", "INVITE"], ["200", "BYE"]]
    described = capture.rows("sdp", "sdp.connection_info.address", "sdp.media.port")
    assert [row[0] for row in described] == ["127.0.0.1"] * 2
    caller_port, switch_port = (int(row[1]) for row in described)

    # Every RTP packet that a port says it sent crossed, none is missing or out of place, and the other port took it.
    streams = {
        caller: (caller_port, switch_port, f"iccs {call}"),
        f"iccs {call}": (switch_port, caller_port, caller),
    }
    headset = next(row for row in capture.rows(f"rtp && udp.dstport == {jack}", "udp.srcport"))
    streams["govan-12 jack"] = (int(headset[0]), jack, "iccs govan-12 jack")
    streams["iccs govan-12 jack"] = (jack, int(headset[0]), "govan-12 jack")
    for source, (port, to, target) in streams.items():
        rows = capture.rows(
            f"rtp && udp.srcport == {port} && udp.dstport == {to}", "rtp.seq", "rtp.ssrc", "rtp.version"
        )
        assert len(rows) == stats[source]["packets_sent"], source
        assert len({row[1] for row in rows}) == 1
        assert {row[2] for row in rows} == {"2"}
        first = int(rows[0][0])
        assert [int(row[0]) for row in rows] == [(first + number) & 0xFFFF for number in range(len(rows))]
        # what reached a port before it was connected, or after it was closed, it did not take
        assert 0 <= len(rows) - stats[target]["packets_received"] <= stats[target]["discarded"] + LATE_PACKETS, target
        assert stats[target]["lost"] == stats[target]["malformed"] == stats[target]["strangers"] == 0
        reports = capture.rows(f"rtcp && udp.srcport == {port + 1}", "rtcp.length_check")
        assert len(reports) == stats[source]["rtcp_sent"] > 0, source
        assert {row[0] for row in reports} == {"1"}

    # The keys that were pressed, each ended three times (RFC 4733 section 2.5.1.4).
    for port, digits in ((caller_port, FROM_CALLER), (switch_port, FROM_OPERATOR)):
        ends = capture.rows(f"rtpevent.end_of_event == 1 && udp.srcport == {port}", "rtpevent.event_id")
        assert [int(row[0]) for row in ends] == [EVENT_CODES[digit] for digit in digits for _ in range(3)]
