"""The media API on both its hosts: the running loop in virtual time, and the worker process over loopback."""

import asyncio
import os
import select
import signal
import socket
import subprocess
import sys
import time
import wave
from pathlib import Path

import numpy as np
import pytest

from harness.endpoints.media import PortStats, open_media
from harness.endpoints.media import process_service as service_module
from harness.endpoints.media.process_service import ProcessMediaService
from harness.endpoints.media.wav import read_wav, write_wav
from harness.errors import MediaError
from harness.measure.correlate import correlation
from harness.measure.latency import mouth_to_ear
from harness.protocols.rtp import RtpPacket
from harness.transport.context import Context
from harness.transport.tap import read_capture
from harness.transport.udp import open_udp
from harness.transport.virtual_loop import VirtualLoop

AUDIO = Path(__file__).parents[4] / "fixtures" / "audio"
CALLER = read_wav(AUDIO / "caller-999.wav")[:20000]
REPLY = read_wav(AUDIO / "officer-reply.wav")[:16000]


def in_virtual_time(scenario, *args):
    """Run a scenario on the virtual loop; return its result and the journal."""

    async def main():
        context = Context.create(seed=7)
        media = await open_media(context, in_process=True)
        try:
            return await scenario(context, media, *args), context.journal
        finally:
            await media.close()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(main())


def in_real_time(scenario, *args):
    """Run a scenario with a worker process."""

    async def main():
        context = Context.create(seed=7)
        media = await open_media(context, in_process=False)
        try:
            return await scenario(context, media, *args), context.journal
        finally:
            await media.close()

    with asyncio.Runner() as runner:
        return runner.run(main())


both_hosts = pytest.mark.parametrize(
    "host",
    [in_virtual_time, pytest.param(in_real_time, marks=[pytest.mark.real_wire, pytest.mark.alone])],
    ids=["virtual", "real"],
)


async def pair(media, **agreed):
    near, far = await media.open_port("near"), await media.open_port("far")
    await far.connect(None, **agreed)
    await near.connect(far.address, **agreed)
    return near, far


async def call(context, media, law, payload_type):
    near, far = await pair(media, codec=law, payload_type=payload_type)
    await context.journal.expect("near", "rtp.first_packet", within=2)
    await far.record()
    start = await near.play(CALLER)
    await near.played()
    await context.journal.expect("far", "voice.ended", within=2)
    return start, await far.recorded(), await near.close(), await far.close()


@both_hosts
@pytest.mark.parametrize(("law", "payload_type"), [("PCMA", 8), ("PCMU", 0)])
def test_what_is_said_on_one_port_is_heard_on_the_other(host, law, payload_type):
    (start, heard, sent, received), journal = host(call, law, payload_type)
    latency = mouth_to_ear(CALLER, start, heard)
    # In real time a machine that halts for longer than the playout delay moves what is said after it by whole frames.
    assert latency.confidence > (0.9 if host is in_virtual_time else 0.5)
    assert 39.9 <= latency.ms < (41 if host is in_virtual_time else 70)
    assert received.packets_received == sent.packets_sent
    assert (received.lost, received.malformed, received.strangers) == (0, 0, 0)
    (started,) = [e for e in journal if (e.source, e.kind) == ("far", "voice.started")]
    assert started.time == pytest.approx(start + latency.ms / 1000, abs=0.06)
    closed = [e for e in journal if e.kind == "media.closed"]
    assert [PortStats.from_json(e.data) for e in closed] == [sent, received]


async def bridge(context, media):
    caller, leg = await media.open_port("caller"), await media.open_port("leg")
    headset, ear = await media.open_port("headset"), await media.open_port("ear")
    await leg.connect(caller.address)
    await caller.connect(leg.address)
    await headset.connect(None)
    await ear.connect(headset.address)
    await headset.hear(leg)
    await leg.hear(headset)
    await context.journal.expect("ear", "rtp.first_packet", within=2)
    await ear.record()
    await caller.record()
    spoken = await caller.play(CALLER)
    await ear.play(REPLY)
    await caller.played()
    await context.journal.expect("ear", "voice.ended", within=2)
    await headset.hear()
    answer = await caller.recorded()
    heard = await ear.recorded()
    await ear.record()
    await caller.play(REPLY)
    await caller.played()
    await context.journal.expect("leg", "voice.ended", within=2, after=context.journal.position)
    return spoken, heard, answer, await ear.recorded()


@both_hosts
def test_a_switch_connects_a_call_to_a_headset_both_ways_and_cuts_it(host):
    (spoken, heard, answer, after), _ = host(bridge)
    assert correlation(CALLER, heard.samples) > 0.9
    assert correlation(REPLY, answer.samples) > 0.9
    assert mouth_to_ear(CALLER, spoken, heard).ms < 150  # two buffers of 40 ms and the bridge's frame
    assert len(after.samples) > len(REPLY)
    assert np.abs(after.samples).max() < 50


async def tones(context, media):
    near, far = await pair(media)
    await context.journal.expect("near", "rtp.first_packet", within=2)
    await near.send_dtmf("12#", duration_ms=80, gap_ms=60)
    await context.journal.expect("far", "dtmf.received", within=1, digit="#")
    with pytest.raises(MediaError, match="not a string of DTMF keys"):
        await near.send_dtmf("x")
    await near.connect(far.address, dtmf_payload_type=None)
    with pytest.raises(MediaError, match="no telephone-event"):
        await near.send_dtmf("1")


@both_hosts
def test_tones_arrive_once_each_with_their_length(host):
    _, journal = host(tones)
    received = [(e.data["digit"], e.data["duration_ms"]) for e in journal if e.kind == "dtmf.received"]
    assert received == [("1", 80), ("2", 80), ("#", 80)]


async def intruders(context, media):
    near, far = await pair(media)
    await context.journal.expect("far", "rtp.first_packet", within=2)
    stranger = await open_udp(("127.0.0.1", 0), lambda data, source: None, tap=context.tap)
    for number in range(20):
        stranger.send(RtpPacket(8, number, number * 160, 1, bytes(160)).build(), far.address)
        stranger.send(b"\xff" * 2000, near.address)
    await context.journal.expect("far", "rtp.stranger", within=2)
    await context.journal.expect("near", "rtp.stranger", within=2)
    # junk from the right address: through the peer's own socket it can't come, so a third port latches on the stranger
    jack = await media.open_port("jack")
    await jack.connect(None)
    stranger.send(b"\x80", jack.address)
    stranger.send(b"\x80\x08" + bytes(5000), jack.address)
    await context.journal.expect("jack", "rtp.malformed", within=2)
    stranger.send(RtpPacket(8, 0, 0, 9, bytes(160)).build(), jack.address)
    await context.journal.expect("jack", "rtp.first_packet", within=2)
    await far.record()
    await near.play(CALLER[:16000])
    await near.played()
    await context.journal.expect("far", "voice.ended", within=2)
    stranger.close()
    return await far.recorded(), await far.stats(), await jack.stats()


@both_hosts
def test_strangers_and_nonsense_are_told_and_the_call_goes_on(host):
    (heard, far, jack), journal = host(intruders)
    assert correlation(CALLER[:16000], heard.samples) > 0.9
    assert (far.strangers, jack.malformed) == (20, 2)
    assert all(e.data["severity"] == "warning" for e in journal if e.kind in ("rtp.stranger", "rtp.malformed"))
    assert len([e for e in journal if e.kind == "rtp.stranger"]) == 2


async def misuse(context, media):
    port = await media.open_port("lone")
    refusals = [
        (port.play(CALLER), "not sending"),
        (port.send_dtmf("1"), "not sending"),
        (port.recorded(), "nothing is being recorded"),
        (port.connect(("127.0.0.1", 9), codec="G729"), "G729"),
        (media.open_port("deep", playout_ms=5000), "playout depth"),
        (media.open_port("taken", port=port.address[1]), "taken"),
        (media.open_port("odd law", codec="gsm"), "gsm"),
        (port.play(CALLER.astype(float)), "int16"),
    ]
    for attempt, told in refusals:
        with pytest.raises(MediaError, match=told):
            await attempt
    await port.connect(None)
    with pytest.raises(MediaError, match="nobody has sent"):
        await port.play(CALLER)
    await port.connect(("127.0.0.1", 9))
    await port.play(CALLER[:800], loop=True)
    with pytest.raises(MediaError, match="loops"):
        await port.played()
    await port.stop_playing()
    await port.played()
    first = await port.close()
    assert await port.close() == first == await port.stats()
    with pytest.raises(MediaError, match="closed"):
        await port.record()


@both_hosts
def test_what_can_not_be_done_is_told_and_nothing_breaks(host):
    host(misuse)


async def closed_while_waiting(context, media):
    near, _ = await pair(media)
    await near.play(CALLER, loop=False)
    waiting = asyncio.ensure_future(near.played())
    await asyncio.sleep(0)
    assert not waiting.done()
    await near.close()
    async with asyncio.timeout(0.5):
        await waiting


@both_hosts
def test_closing_a_port_cuts_its_clip_and_ends_the_wait_for_it(host):
    _, journal = host(closed_while_waiting)
    assert [e.data["whole"] for e in journal if e.kind == "clip.ended"] == [False]


def test_one_seed_gives_one_journal_in_virtual_time_and_takes_no_time():
    began = time.monotonic()
    runs = [in_virtual_time(call, "PCMA", 8)[1].lines() for _ in range(2)]
    assert runs[0] == runs[1]
    assert "rtp.first_packet" in runs[0]
    assert time.monotonic() - began < 3


@pytest.mark.real_wire
@pytest.mark.alone
async def test_a_killed_worker_is_a_media_error_to_everybody_and_never_a_hang():
    context = Context.create()
    media = await ProcessMediaService.start(context)
    near, far = await pair(media)
    await context.journal.expect("near", "rtp.first_packet", within=2)
    await near.play(CALLER)
    waiting = asyncio.ensure_future(near.played())
    await asyncio.sleep(0)
    os.kill(media.pid, signal.SIGKILL)
    async with asyncio.timeout(5):
        with pytest.raises(MediaError, match="worker ended"):
            await waiting
        with pytest.raises(MediaError, match="worker ended"):
            await far.stats()
        with pytest.raises(MediaError):
            await media.open_port("late")
        await context.journal.expect("media", "media.worker_lost", within=1)
        await media.close()


@pytest.mark.real_wire
@pytest.mark.alone
async def test_a_worker_that_hangs_is_a_media_error_too(monkeypatch):
    media = await ProcessMediaService.start(Context.create())
    monkeypatch.setattr(service_module, "REQUEST_TIMEOUT_S", 0.3)
    monkeypatch.setattr(service_module, "END_TIMEOUT_S", 0.3)
    os.kill(media.pid, signal.SIGSTOP)
    with pytest.raises(MediaError, match="did not answer"):
        await media.open_port("never")
    await media.close()
    with pytest.raises(ProcessLookupError):
        os.kill(media.pid, 0)


@pytest.mark.real_wire
@pytest.mark.alone
async def test_a_dying_worker_says_why(monkeypatch):
    monkeypatch.setenv("PYTHONHOME", "/nonexistent")
    with pytest.raises(MediaError, match="exit status 1"):
        await ProcessMediaService.start(Context.create())


@pytest.mark.real_wire
@pytest.mark.alone
def test_a_worker_does_not_outlive_a_parent_that_is_killed():
    program = """
import asyncio, sys
from harness.endpoints.media.process_service import ProcessMediaService
from harness.transport.context import Context
async def main():
    media = await ProcessMediaService.start(Context.create())
    port = await media.open_port("a")
    await port.connect(("127.0.0.1", 9))
    print(media.pid, flush=True)
    await asyncio.Event().wait()
asyncio.run(main())
"""
    root = str(Path(__file__).parents[4])
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=root) as parent:
        worker = int(parent.stdout.readline())
        ended = os.pidfd_open(worker)
        parent.kill()
    try:
        assert select.select([ended], [], [], 5)[0], "the worker still runs"
    finally:
        os.close(ended)


@pytest.mark.real_wire
@pytest.mark.alone
async def test_an_idle_worker_uses_no_processor():
    media = await open_media(Context.create(), in_process=False)
    await media.open_port("idle")
    await media.pacing()
    await asyncio.sleep(0.5)
    assert (await media.pacing()).cpu_s < 0.005
    await media.close()


@pytest.mark.real_wire
@pytest.mark.alone
async def test_the_worker_captures_every_packet_it_counts(tmp_path):
    context = Context.create(capture_dir=tmp_path)
    media = await open_media(context, in_process=False)
    near, far = await pair(media)
    await context.journal.expect("near", "rtp.first_packet", within=2)
    await near.send_dtmf("5")
    sent, received = await near.close(), await far.close()
    await media.close()
    context.tap.writer.close()
    (file,) = tmp_path.glob("media-*.cap")
    crossings = list(read_capture(file))
    out = [c for c in crossings if c.addresses() == (near.address, far.address)]
    # each crosses both ends of the worker's own loopback: as sent, and as received
    assert len(out) == sent.packets_sent + received.packets_received
    assert all(RtpPacket.parse(c.payload).payload_type in (8, 101) for c in out)
    assert 0 <= out[0].time <= out[-1].time < 10


@pytest.mark.real_wire
@pytest.mark.alone
async def test_rtp_has_an_even_port_and_rtcp_the_next():
    media = await open_media(Context.create(), in_process=False)
    ports = [await media.open_port(str(number)) for number in range(5)]
    assert all(port.address[1] % 2 == 0 for port in ports)
    for port in ports:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken,
            pytest.raises(OSError, match="in use"),
        ):
            taken.bind(("127.0.0.1", port.address[1] + 1))
    await media.close()


def test_speech_files_round_trip_and_other_files_are_named(tmp_path):
    write_wav(tmp_path / "copy.wav", CALLER)
    assert np.array_equal(read_wav(tmp_path / "copy.wav"), CALLER)
    (tmp_path / "junk.wav").write_bytes(b"RIFFjunk")
    for name in ("junk.wav", "absent.wav"):
        with pytest.raises(MediaError, match=name):
            read_wav(tmp_path / name)
    with wave.open(str(tmp_path / "wide.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(48000)
        file.writeframes(bytes(400))
    with pytest.raises(MediaError, match="48000 Hz, 2 channel"):
        read_wav(tmp_path / "wide.wav")
