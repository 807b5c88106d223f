"""Whatever is asked of ports, in whatever order, with whatever comes meanwhile: named errors, and ports that work."""

import random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.endpoints.media.impairment import Impairment
from harness.endpoints.media.text_stream import TextStream
from harness.errors import MediaError
from harness.protocols.rtp import Bye, ReceiverReport, RtpPacket, build_compound
from harness.protocols.rtp.comfort_noise import Noise
from harness.protocols.sdp import SUITES, Security
from suites.selftest.endpoints.media.engine_bench import LOUD, Bench

ADDRESSES = [("10.0.0.1", 4000), ("10.0.0.2", 5000), ("10.0.0.3", 6000)]
SUITE = "AES_CM_128_HMAC_SHA1_80"
CLIP = (np.sin(np.arange(1000) * 0.3) * 8000).astype(np.int16)


def security(which):
    if not which:
        return None
    rng = random.Random(which)
    return Security(SUITE, rng.randbytes(SUITES[SUITE]), rng.randbytes(SUITES[SUITE]))


TERMS = st.fixed_dictionaries(
    {
        "send": st.booleans(),
        "receive": st.booleans(),
        "rtcp_mux": st.booleans(),
        "symmetric": st.sampled_from(["no", "port", "any"]),
        "security": st.integers(0, 2).map(security),
        "ptime": st.integers(1, 20).map(lambda tens: 10 * tens),
        "comfort_noise_payload_type": st.none() | st.just(13),
        "codec": st.sampled_from(["PCMA", "PCMU"]),
    }
)
FAULTS = st.none() | st.builds(
    Impairment,
    loss=st.sampled_from([0, 0.3, 1]),
    duplicate=st.sampled_from([0, 0.5]),
    reorder=st.sampled_from([0, 0.5]),
    jitter_ms=st.sampled_from([0, 80]),
    corrupt=st.sampled_from([0, 0.5]),
    nothing=st.booleans(),
    silent=st.booleans(),
    payload_type=st.none() | st.integers(0, 127),
    ptime=st.none() | st.integers(1, 20).map(lambda tens: 10 * tens),
    new_ssrc=st.booleans(),
    timestamp_jump=st.sampled_from([0, -5000, 2**31]),
    sequence_jump=st.sampled_from([0, -100, 100, 30_000]),
    to=st.none() | st.sampled_from(ADDRESSES),
)
PACKETS = st.one_of(
    st.binary(max_size=60),
    st.builds(
        lambda *fields: RtpPacket(*fields).build(),
        st.sampled_from([0, 8, 13, 98, 100, 101]),
        st.integers(0, 65_535),
        st.integers(0, 2**32 - 1),
        st.integers(0, 5),
        st.sampled_from([b"", LOUD, Noise(60).build(), bytes([5, 138, 3, 32]), b"\xe0\x00\x05\x62hello", b"text"]),
    ),
    st.builds(lambda ssrc: build_compound([ReceiverReport(ssrc), Bye((ssrc,))]), st.integers(0, 5)),
)
WHO = st.integers(0, 2)
STEPS = st.one_of(
    st.tuples(st.just("agree"), WHO, st.none() | st.sampled_from(ADDRESSES), TERMS),
    st.tuples(st.just("impair"), WHO, FAULTS),
    st.tuples(st.just("play"), WHO, st.booleans()),
    st.tuples(st.just("stop"), WHO),
    st.tuples(st.just("press"), WHO, st.integers(20, 9000)),
    st.tuples(st.just("hear"), WHO, st.lists(WHO, max_size=2)),
    st.tuples(st.just("join"), WHO, st.booleans(), st.booleans()),
    st.tuples(st.just("leave"), WHO),
    st.tuples(st.just("mute"), WHO, st.booleans(), st.booleans()),
    st.tuples(st.just("record"), WHO),
    st.tuples(st.just("write"), st.text(max_size=20)),
    st.tuples(st.just("text"), st.booleans(), st.integers(0, 2)),
    st.tuples(st.just("packet"), st.integers(0, 3), st.booleans(), st.sampled_from(ADDRESSES), PACKETS),
    st.tuples(st.just("late"), st.floats(0, 5)),
    st.tuples(st.just("run"), st.integers(1, 40)),
)


class Room:
    """Three audio ports and a text port on one network, and a conference."""

    def __init__(self):
        self.bench = Bench()
        self.ports = [
            self.bench.at(self.bench.port(str(n), connect=False, playout_max_ms=200), address)
            for n, address in enumerate(ADDRESSES)
        ]
        self.text = self.bench.port("text", kind="text", connect=False)
        self.bridge = self.bench.engine.add_bridge("bridge", 8000)

    def port(self, who):
        return self.bench.engine.speech(self.ports[who].number)

    def step(self, what, *arguments):
        getattr(self, what)(*arguments)

    def agree(self, who, remote, terms):
        terms = dict(terms)
        terms["payload_type"] = {"PCMA": 8, "PCMU": 0}[terms["codec"]]
        self.bench.agree(self.port(who), remote, **terms)

    def impair(self, who, fault):
        self.port(who).impair(fault, self.bench.now)

    def play(self, who, loop):
        self.port(who).play(CLIP, 8000, loop=loop)

    def stop(self, who):
        self.port(who).stop_clips(self.bench.now)

    def press(self, who, duration_ms):
        self.port(who).talker.press("1#", duration_ms=duration_ms, gap_ms=40)

    def hear(self, who, sources):
        self.bench.engine.hear(self.ports[who].number, [self.ports[each].number for each in sources])

    def join(self, who, speak, hear):
        self.port(who).join(self.bridge, speak=speak, hear=hear)

    def leave(self, who):
        self.port(who).leave()

    def mute(self, who, outgoing, incoming):
        self.port(who).mute(outgoing=outgoing, incoming=incoming)

    def record(self, who):
        recorder = self.port(who).listener.recorder
        if recorder.running:
            _, samples = recorder.end()
            assert len(samples) % 160 == 0
        else:
            recorder.begin(self.bench.now)

    def write(self, text):
        self.bench.engine.text(self.text.number).write(text)

    def text_(self, redundant, which):
        terms = {"redundant_payload_type": 100 if redundant else None, "security": security(which)}
        self.bench.agree(self.text, ADDRESSES[0], **terms)

    def packet(self, who, control, source, data):
        port = self.text if who == 3 else self.ports[who]
        (port.control if control else port.datagram)(data, source, self.bench.now)

    def late(self, seconds):
        self.bench.engine.catch_up(self.bench.now + seconds)

    def run(self, frames):
        self.bench.run(frames * 0.02)


@settings(max_examples=150, deadline=None)
@given(st.lists(STEPS, max_size=40))
def test_any_row_of_steps_leaves_sound_ports_behind(steps):
    room = Room()
    for what, *arguments in steps:
        try:
            room.step("text_" if what == "text" else what, *arguments)
        except MediaError as error:
            assert str(error)
    bench = room.bench
    near, far, other = room.ports
    for port in room.ports:
        port.impair(None, bench.now)
        port.mute(outgoing=False, incoming=False)
        port.leave()
        port.hear([])
        port.stop_clips(bench.now)
    bench.run(12.0)  # what was pressed and held back has left
    for port, to in ((near, ADDRESSES[1]), (far, ADDRESSES[0])):
        bench.agree(port, ("192.0.2.1", 9))
        bench.agree(port, to)
    bench.engine.remove_port(other.number, bench.now)
    bench.run(2.0)
    while near.talker.presses:  # keys that were pressed before it was put on hold go out now
        bench.run(1.0)
    before, spoken = far.stats(), bench.now
    bench.engine.speech(near.number).play(np.tile(CLIP, 8), 8000, loop=False)
    bench.run(2.0)
    after = far.stats()
    assert after.packets_received - before.packets_received == 100
    assert after.lost == before.lost
    assert [event for event in bench.of("voice.started", far) if event.time >= spoken]
    for port in (near, far, room.text):
        stats, _ = bench.engine.remove_port(port.number, bench.now)
        assert stats.as_json()
    assert isinstance(room.text, TextStream)
