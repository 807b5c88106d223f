"""Whether speech and signalling are encrypted, as the capture shows: not what the telephones say of themselves."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest

from harness.drivers.telephone import Telephone
from harness.drivers.telephone_call import TelephoneCall
from harness.evidence.capture import crossings
from harness.measure.correlate import correlation
from harness.protocols.rtp.g711 import CODECS, Samples
from harness.protocols.rtp.rtp import RtpPacket
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.clips import read_clip
from harness.transport.tap import Address, Crossing, Kind

pytestmark = pytest.mark.testbed("webex-calling")

TAG = 10
"""Octets that SRTP adds to each packet (RFC 3711: HMAC-SHA1-80)."""
LIKE, UNLIKE = 0.8, 0.1
"""Correlation of what was said with what is read on the wire: in the clear, and when it is noise to a reader."""


def captured(bench: Bench) -> list[Crossing]:
    bench.context.flush()
    files: list[Path] = sorted(bench.directory.glob("*/*.cap"))
    return list(crossings(files, 0.0, float("inf")))


def spoken(wire: Iterable[Crossing], source: Address) -> tuple[Samples, set[int]]:
    """What G.711 makes of the payloads that left an address, and how long the payloads are."""
    packets = [
        RtpPacket.parse(each.payload)
        for each in wire
        if each.kind is Kind.DATAGRAM and each.addresses()[0] == source and each.payload[:1] == b"\x80"
    ]
    unique = {packet.sequence: packet for packet in packets if packet.payload_type == CODECS["PCMA"].payload_type}
    decoded = [CODECS["PCMA"].decode(packet.payload[:160]) for packet in unique.values()]
    return np.concatenate(decoded), {len(packet.payload) for packet in unique.values()}


async def talk(caller: Telephone, called: Telephone) -> tuple[Address, TelephoneCall]:
    """One call with a clip said into it; the jack's address, and the call."""
    call = await caller.dial(called.number)
    rung = await called.rings()
    await rung.answer()
    await call.answered(within=5)
    jack = call.port.address
    await call.say(read_clip("caller-999"))
    await call.said()
    await asyncio.sleep(0.2)
    await call.hang_up()
    await rung.ended(within=2)
    return jack, call


@requirement("WBX-021")
async def test_speech_is_srtp_and_signalling_tls_in_the_capture(bench: Bench) -> None:
    desk, secure = await bench.telephone("desk-phone"), await bench.telephone("secure-phone")
    jack, call = await talk(desk, secure)
    wire = captured(bench)
    read, lengths = spoken(wire, jack)
    assert lengths == {160 + TAG} and call.is_secured
    assert correlation(read_clip("caller-999"), read) < UNLIKE, "who reads the wire hears the call"
    ends = {desk.address, secure.address}
    clear = [each for each in wire if each.kind is not Kind.SECURED and not ends.isdisjoint(each.addresses())]
    assert not [each for each in clear if b"SIP/2.0" in each.payload], "signalling crossed in the clear"
    sips = bench.addresses.host_port("switch", "sips")
    under_tls = [each for each in wire if each.kind is Kind.SECURED and sips in each.addresses()]
    assert any(b"INVITE sip" in each.payload for each in under_tls)


async def test_a_call_in_the_clear_is_found_out_by_the_same_look(bench: Bench) -> None:
    """Otherwise the look would prove nothing."""
    jack, call = await talk(await bench.telephone("operator-phone"), await bench.telephone("colleague-phone"))
    read, lengths = spoken(captured(bench), jack)
    assert lengths == {160} and not call.is_secured
    assert correlation(read_clip("caller-999"), read) > LIKE
