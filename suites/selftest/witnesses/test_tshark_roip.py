"""tshark reads a radio session on real wires: who keys and when the squelch is open, in every packet.

A dispatcher speaks to an officer and is answered, in real time over loopback: what each side's packets said is held
against what each side did.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

import pytest

from harness.evidence.capture import crossings
from harness.evidence.pcap import write_pcap
from harness.protocols.rtp.g711 import Samples
from harness.testbed.conversation import converse
from suites.selftest.witnesses.control_room import control_room, warnings
from suites.selftest.witnesses.tshark import Capture

pytestmark = [pytest.mark.real_wire, pytest.mark.witness("tshark")]

GROUP = "GD-ROIP-1"
FIELDS = ("udp.srcport", "rtp.p_type", "rtp.ext.ed137a.ptt_type", "rtp.ext.ed137a.ptt_id", "rtp.ext.ed137a.squ")


async def test_every_packet_of_a_radio_session_says_what_was_done(
    tmp_path: Path, speech: Callable[[str], Samples]
) -> None:
    async with control_room(tmp_path, "radio", "roip") as room:
        async with room.bench() as bench:
            radio, officer = await bench.roip_radio("roip-radio"), await bench.terminal("officer")
            await officer.select(GROUP)
            await radio.key()
            said = await converse(radio.jack, officer.jack, speech("dispatch"))
            await radio.unkey()
            await officer.key(GROUP)
            await radio.expect("squelch.opened", within=2)
            answered = await converse(officer.jack, radio.jack, speech("officer-reply"))
            await officer.unkey()
            await radio.expect("squelch.closed", within=2)
            await radio.measure_delay()
            await asyncio.sleep(0.3)
            port = radio.room.stream.address[1]
            stats = radio.room.stream.stats
            frames = -(-len(speech("dispatch")) // 160)
        ours = [{"kind": e.kind, "source": e.source, "data": dict(e.data)} for e in bench.journal]
        sip = room.addresses.host_port("roip", "sip")[1]
        theirs = await room.stop()
    assert said.correlation > 0.8
    assert answered.correlation > 0.8
    assert 0 < said.latency.ms < 300
    assert 0 < answered.latency.ms < 300
    assert warnings(ours) + warnings(theirs) == []
    assert stats.lost == stats.late == stats.duplicates == 0
    await asyncio.to_thread(held_against, tmp_path, sip, port, stats.sent, frames)


def held_against(folder: Path, sip: int, port: int, sent: int, frames: int) -> None:
    """What tshark reads, against what the dispatcher's side did."""
    pcap = write_pcap(crossings(sorted(folder.glob("*/*.cap")), 0.0, float("inf")), 1_700_000_000.0)
    assert pcap.left_out == 0
    (folder / "run.pcap").write_bytes(pcap.body)
    capture = Capture(folder / "run.pcap", {sip: "sip"})
    assert capture.rows("_ws.malformed", "frame.number", "_ws.col.Protocol") == []
    assert capture.rows('_ws.expert.severity == "Error"', "frame.number", "_ws.expert.message") == []

    invite = capture.rows('sip.Method == "INVITE"', "sip.Priority", "sip.Subject", "sdp.media_attr")
    ((priority, subject, attributes),) = invite
    assert (priority, subject) == ("normal", "radio")
    assert "type:Radio-TxRx" in attributes
    assert "rtpmap:123 R2S/8000" in attributes
    (answer,) = capture.rows('sip.Status-Code == 200 && sip.CSeq.method == "INVITE"', "sdp.media_attr")
    assert "ptt-id:1" in answer[0]

    rows = capture.rows(f"rtp && udp.port == {port}", *FIELDS)
    assert all(len(row) == len(FIELDS) and all(row) for row in rows), "a packet without the header extension"
    told = [(int(at), int(kind), int(ptt, 0), int(own), int(squ, 0)) for at, kind, ptt, own, squ in rows]
    room = [rest for at, *rest in told if at == port]
    radio = [rest for at, *rest in told if at != port]
    assert len(room) == sent
    # The dispatcher: off, keyed under id 1, off. It has no squelch of its own. All its speech was said while keyed.
    assert [key for key, _ in groupby((ptt, own, squ) for _, ptt, own, squ in room)] == [
        (0, 0, 0),
        (1, 1, 0),
        (0, 0, 0),
    ]
    assert [ptt for kind, ptt, _, _ in room if kind == 8] == [1] * frames
    # The radio: idle, keyed by id 1, idle, receiving, idle; and it spoke only while it was receiving.
    assert [key for key, _ in groupby((ptt, own, squ) for _, ptt, own, squ in radio)] == [
        (0, 0, 0),
        (1, 1, 0),
        (0, 0, 0),
        (0, 0, 1),
        (0, 0, 0),
    ]
    assert {squ for kind, _, _, squ in radio if kind == 8} == {1}
    assert {kind for kind, *_ in room + radio} == {8, 123}

    quality = capture.rows(f"rtp && udp.dstport == {port} && rtp.ext.ed137a.squ == 1", "rtp.ext.ed137a.ft.sqi.qidx")
    assert {row[0] for row in quality} == {"12"}
    asked = capture.rows(f"rtp && udp.srcport == {port}", "rtp.ext.ed137b.ft.climax_ddc.rmm_t1")
    answered = capture.rows(f"rtp && udp.dstport == {port}", "rtp.ext.ed137b.ft.climax_ddc.mam_t1")
    ((request,), (reply,)) = [[row[0] for row in told if row and row[0]] for told in (asked, answered)]
    assert request == reply, "the answer is to what was asked"
