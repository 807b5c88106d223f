"""What tests and simulators do with ports, on both hosts: SRTP by offer and answer, text, conferences, faults, IPv6."""

import asyncio
import random

import numpy as np
import pytest

from harness.endpoints.media import Impairment, open_media
from harness.endpoints.speech import join_speech, join_text
from harness.errors import MediaError
from harness.measure.correlate import correlation
from harness.protocols.rtp.resample import converted
from harness.protocols.sdp import MediaSession, StreamPlan
from harness.transport.context import Context
from harness.transport.tap import read_capture
from harness.transport.virtual_loop import VirtualLoop
from suites.selftest.endpoints.media.test_media_service import CALLER, REPLY, in_real_time, in_virtual_time

both_hosts = pytest.mark.parametrize(
    "host",
    [in_virtual_time, pytest.param(in_real_time, marks=[pytest.mark.real_wire, pytest.mark.alone])],
    ids=["virtual", "real"],
)


async def call(context, media, near_plan, far_plan, *, host="127.0.0.1"):
    """Two ports joined by an offer and its answer; the ports and what each side agreed to."""
    near, far = await media.open_port("near", host=host), await media.open_port("far", host=host)
    keys = context.rng.randbytes
    calling = MediaSession(host, [near_plan._replace(port=near.address[1])], session_id=1, keys=keys)
    called = MediaSession(host, [far_plan._replace(port=far.address[1])], session_id=2, keys=keys)
    called.take_offer(calling.offer())
    calling.take_answer(called.answer())
    (mine,), (theirs,) = calling.agreed, called.agreed
    await join_speech(far, theirs)
    await join_speech(near, mine)
    await context.journal.expect("near", "rtp.first_packet", within=2)
    await context.journal.expect("far", "rtp.first_packet", within=2)
    return near, far, mine, theirs


async def heard_over(context, media, *plans, rate=8000, samples=CALLER, **where):
    near, far, mine, _ = await call(context, media, *plans, **where)
    await far.record()
    await near.play(samples, rate=rate)
    await near.played()
    await context.journal.expect("far", "voice.ended", within=2)
    recording = await far.recorded()
    return recording, mine, await near.close(), await far.close()


@both_hosts
@pytest.mark.parametrize("suite", ["AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32", "AEAD_AES_256_GCM"])
def test_a_call_that_was_agreed_secured_is_heard_and_is_secured(host, suite):
    plan = StreamPlan(1, secure="required", suites=(suite,), rtcp_mux=True)
    (recording, agreed, _, far), journal = host(heard_over, plan, plan)
    assert agreed.security.suite == suite
    assert correlation(CALLER, recording.samples) > 0.9
    assert (far.srtp_failed, far.lost, far.malformed) == (0, 0, 0)
    text = "".join(event.line() for event in journal)
    assert "inline" not in text
    assert repr(agreed.security.local_key)[2:-1] not in text


@both_hosts
@pytest.mark.parametrize("codec", ["G722", "OPUS"])
def test_wideband_is_recorded_at_its_own_rate(host, codec):
    pytest.importorskip("av")
    plan = StreamPlan(1, codecs=(codec, "PCMA"))
    wide = converted(CALLER, 8000, 16_000)
    (recording, agreed, _, far), _ = host(
        lambda context, media: heard_over(context, media, plan, plan, rate=16_000, samples=wide)
    )
    assert (agreed.codec, recording.rate, far.codec) == (codec, 16_000, codec)
    assert correlation(wide, recording.samples) > 0.9


@both_hosts
def test_a_call_over_ipv6_is_heard(host):
    plan = StreamPlan(1)
    (recording, agreed, near, far), _ = host(lambda context, media: heard_over(context, media, plan, plan, host="::1"))
    assert agreed.host == "::1"
    assert correlation(CALLER, recording.samples) > 0.9
    assert (near.strangers, far.strangers) == (0, 0)


@both_hosts
def test_packets_of_30_and_60_ms_with_comfort_noise_are_heard(host):
    near, far = StreamPlan(1, ptime=30, comfort_noise=True), StreamPlan(1, ptime=60, comfort_noise=True)
    (recording, agreed, sent, received), _ = host(heard_over, near, far)
    assert (agreed.ptime, agreed.comfort_noise_payload_type) == (60, 13)
    assert correlation(CALLER, recording.samples) > 0.9
    assert sent.comfort_noise_sent > 0
    assert (received.lost, received.unexpected_payload) == (0, 0)


async def text_call(context, media, secure):
    keys = context.rng.randbytes
    near, far = await media.open_text("near"), await media.open_text("far")
    plans = [StreamPlan(port.address[1], "text", secure=secure) for port in (near, far)]
    calling, called = (
        MediaSession("127.0.0.1", [plan], session_id=number, keys=keys) for number, plan in enumerate(plans)
    )
    called.take_offer(calling.offer())
    calling.take_answer(called.answer())
    await join_text(far, called.agreed[0])
    await join_text(near, calling.agreed[0])
    await context.journal.expect("far", "rtp.first_packet", within=2)
    await near.write("Intruder at 07700 900123")
    await near.written()
    await context.journal.expect("far", "text.received", within=2)
    await asyncio.sleep(1.0)
    await far.write("On our way")
    await far.written()
    await asyncio.sleep(1.0)
    with pytest.raises(MediaError, match="not text"):
        await near.write("\ud800")
    return near.received(), far.received(), await near.close(), await far.close()


@both_hosts
@pytest.mark.parametrize("secure", ["no", "required"])
def test_text_is_written_and_read(host, secure):
    (near_read, far_read, near, far), journal = host(text_call, secure)
    assert (near_read, far_read) == ("On our way", "Intruder at 07700 900123")
    assert (near.characters_sent, far.characters_received) == (24, 24)
    sent = [event.data["text"] for event in journal if (event.source, event.kind) == ("near", "text.sent")]
    assert "".join(sent) == "Intruder at 07700 900123"


async def conference(context, media):
    bridge = await media.open_bridge("conference")
    legs, people = [], []
    for name in ("ann", "bob", "cat"):
        leg, person = await media.open_port(f"leg {name}"), await media.open_port(name)
        await leg.connect(person.address)
        await person.connect(leg.address)
        await bridge.join(leg)
        legs.append(leg)
        people.append(person)
    for person in people:
        await context.journal.expect(person.name, "rtp.first_packet", within=2)
    ann, bob, cat = people
    await bob.record()
    await cat.record()
    await ann.record()
    await ann.play(CALLER)
    await ann.played()
    await context.journal.expect("bob", "voice.ended", within=2)
    first = [await person.recorded() for person in (ann, bob, cat)]
    await bridge.join(legs[1], speak=False)
    await bridge.leave(legs[2])
    await ann.record()
    await cat.record()
    await bob.play(REPLY)
    await bob.played()
    await asyncio.sleep(0.5)
    second = [await person.recorded() for person in (ann, cat)]
    await bridge.close()
    await bridge.close()
    with pytest.raises(MediaError, match="bridge is closed"):
        await bridge.join(legs[0])
    return first, second


@both_hosts
def test_three_parties_hear_each_other_and_who_may_not_speak_is_not_heard(host):
    ((ann, bob, cat), muted), journal = host(conference)
    assert correlation(CALLER, bob.samples) > 0.9
    assert correlation(CALLER, cat.samples) > 0.9
    assert correlation(CALLER, ann.samples) < 0.3
    assert all(np.abs(each.samples).max() < 50 for each in muted)
    joined = [event.data for event in journal if event.kind == "bridge.joined"]
    assert joined[-1] == {"port": "leg bob", "speak": False, "hear": True}


async def misbehaving(context, media):
    near, far, _, _ = await call(context, media, StreamPlan(1), StreamPlan(1))
    await near.impair(Impairment(loss=0.2, jitter_ms=15))
    await asyncio.sleep(2.0)
    await near.impair(None)
    await near.mute(outgoing=True)
    await far.record()
    await near.play(CALLER[:8000])
    await near.played()
    await asyncio.sleep(0.3)
    muted = await far.recorded()
    with pytest.raises(MediaError, match="loss"):
        await near.impair(Impairment(loss=7))
    return muted, await far.stats(), await far.close()


@both_hosts
def test_faults_are_journalled_and_their_effect_is_in_the_stats(host):
    (muted, stats, closed), journal = host(misbehaving)
    assert stats.lost == closed.lost > 5
    assert 0 < stats.first_packet < 5
    assert np.abs(muted.samples[-4000:]).max() < 50
    told = [event.data for event in journal if event.kind == "media.impaired"]
    assert told == [{"loss": 0.2, "jitter_ms": 15}, {}]


async def foreign(context, media):
    other = await open_media(context, in_process=True)
    port, bridge = await other.open_port("foreign"), await media.open_bridge("ours")
    with pytest.raises(MediaError, match="of its own service"):
        await bridge.join(port)
    await other.close()


def test_a_port_of_another_service_can_not_be_joined():
    in_virtual_time(foreign)


def test_keys_are_in_no_capture_and_speech_is_in_it_only_secured(tmp_path):
    async def main():
        context = Context.create(seed=3, capture_dir=tmp_path)
        media = await open_media(context, in_process=True)
        plan = StreamPlan(1, secure="required")
        _, agreed, *_ = await heard_over(context, media, plan, plan)
        await media.close()
        context.tap.writer.close()
        return agreed.security

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        security = runner.run(main())
    (file,) = tmp_path.glob("*.cap")
    data = file.read_bytes()
    assert len(list(read_capture(file))) > 400
    for key in (security.local_key, security.remote_key):
        assert key not in data
    assert b"\xd5" * 100 not in data  # a silent packet in clear


def test_one_seed_gives_one_journal_whatever_is_asked_of_the_ports():
    def run():
        plan = StreamPlan(1, secure="required", comfort_noise=True, ptime=30)

        async def everything(context, media):
            near, far, _, _ = await call(context, media, plan, plan)
            await near.impair(Impairment(loss=0.1, burst=2, jitter_ms=60, reorder=0.1, duplicate=0.1))
            await near.play(CALLER)
            await near.send_dtmf("12")
            await near.played()
            await far.close()

        return in_virtual_time(everything)[1].lines()

    assert run() == run()


def test_rng_of_the_run_is_where_keys_come_from():
    def keys(seed):
        session = MediaSession(
            "127.0.0.1", [StreamPlan(4000, secure="required")], session_id=1, keys=random.Random(seed).randbytes
        )
        return session.offer()

    assert keys(1) == keys(1) != keys(2)
