"""What was said is taken from RTP packets phrase by phrase, whatever the network did to them."""

from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest

from harness.errors import MediaError, ScenarioError
from harness.protocols.rtp.codecs import available_codecs, codec_named
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from harness.protocols.rtp.resample import converted
from harness.protocols.rtp.rtp import RtpPacket
from harness.scenario.record_speech import LEAD, MAX_SPEECH_S, Allowance, Phrase, Voice

FRAME = 160
PACKET_S = 0.02


def tone(seconds: float, level: int = 8_000) -> Samples:
    times = np.arange(round(seconds * SAMPLE_RATE))
    return np.rint(level * np.sin(2 * np.pi * 440 * times / SAMPLE_RATE)).astype(np.int16)


def silence(seconds: float) -> Samples:
    return np.zeros(round(seconds * SAMPLE_RATE), np.int16)


def packets(
    samples: Samples, *, sequence: int = 65_530, timestamp: int = (1 << 32) - 400, codec: str = "PCMA"
) -> list[tuple[float, RtpPacket]]:
    coder = codec_named(codec)
    encoder = coder.encoder(20)
    wide = converted(samples, SAMPLE_RATE, coder.rate)
    frame = round(coder.rate * PACKET_S)
    return [
        (
            100 + number * PACKET_S,
            RtpPacket(
                coder.payload_type,
                (sequence + number) % 65_536,
                (timestamp + number * round(coder.clock * PACKET_S)) % (1 << 32),
                7,
                encoder.encode(wide[number * frame : (number + 1) * frame]),
            ),
        )
        for number in range(len(wide) // frame)
    ]


def heard(rows: Sequence[tuple[float, RtpPacket]], codec: str = "PCMA") -> list[Phrase]:
    voice = Voice(Allowance())
    for time, packet in rows:
        voice.take(time, packet, codec)
    voice.finish()
    return voice.phrases


@pytest.mark.parametrize("codec", ["PCMA", "PCMU"])
def test_a_phrase_is_what_was_said_and_begins_when_it_came(codec: str) -> None:
    said = tone(0.8)
    (phrase,) = heard(packets(np.concatenate([silence(2), said, silence(3)]), codec=codec), codec)
    coder = codec_named(codec)
    assert phrase.time == pytest.approx(102 - LEAD * PACKET_S)
    lead = LEAD * FRAME
    assert len(phrase.samples) == len(said) + 2 * lead
    assert np.array_equal(
        phrase.samples[lead : lead + len(said)], coder.decoder().decode(coder.encoder(20).encode(said))
    )


def test_phrases_are_apart_by_a_pause_and_a_breath_is_none() -> None:
    line = [tone(0.5), silence(0.8), tone(0.5), silence(1.2), tone(0.02), silence(2)]
    first, second = heard(packets(np.concatenate(line)))
    assert len(first.samples) == (1.8 * SAMPLE_RATE) + LEAD * FRAME
    assert second.time == pytest.approx(103 - LEAD * PACKET_S)
    assert len(second.samples) == (2 * LEAD + 1) * FRAME


def test_what_is_quieter_than_a_line_is_no_phrase_and_a_whisper_is() -> None:
    assert heard(packets(tone(2, level=60))) == []
    assert len(heard(packets(tone(2, level=300)))) == 1


def test_lost_packets_are_silence_and_the_rest_stays_in_its_place() -> None:
    rows = packets(tone(1))
    lost = {10, 11, 30}
    (whole,) = heard(rows)
    (phrase,) = heard([row for number, row in enumerate(rows) if number not in lost])
    assert len(phrase.samples) == len(whole.samples)
    for number in range(50):
        frame = slice(number * FRAME, (number + 1) * FRAME)
        due = silence(PACKET_S) if number in lost else whole.samples[frame]
        assert np.array_equal(phrase.samples[frame], due), number


def test_packets_turned_round_and_captured_twice_make_the_same_phrase() -> None:
    rows = packets(tone(1))
    mixed = sorted([*rows, *rows[5:30]], key=lambda row: row[0] + random.Random(row[1].sequence).random() * 0.1)
    (whole,), (phrase,) = heard(rows), heard(mixed)
    assert np.array_equal(phrase.samples, whole.samples)


def test_a_pause_in_which_nothing_is_sent_lasts_as_long_as_the_timestamps_say() -> None:
    rows = packets(np.concatenate([tone(0.5), silence(0.5), tone(0.5), silence(30), tone(0.5)]))
    spoken = [row for row in rows if not 100.49 < row[0] < 100.99 and not 101.49 < row[0] < 131.49]
    first, second = heard(spoken)
    assert len(first.samples) == len(tone(1.5))
    assert second.time == pytest.approx(131.5)


def test_another_source_or_a_leap_of_the_timestamps_begins_anew() -> None:
    one = packets(tone(0.5))
    two = [(time + 0.5, RtpPacket(8, 1, each.timestamp, 99, each.payload)) for time, each in one[:1]]
    three = [(time + 1, each) for time, each in packets(tone(0.5), sequence=2, timestamp=1 << 31)]
    assert [round(each.time, 3) for each in heard([*one, *two, *three])] == [100.0, 100.5, 101.0]
    leap = [(time + 0.5, each) for time, each in packets(tone(0.5), sequence=65_530 + 25, timestamp=1 << 31)]
    assert [len(each.samples) for each in heard([*one, *leap])] == [4_000, 4_000]


def test_a_phrase_longer_than_a_clip_is_cut_and_nothing_is_lost() -> None:
    phrases = heard(packets(tone(400)))
    assert [round(each.time) for each in phrases] == [100, 399]
    assert sum(len(each.samples) for each in phrases) == 400 * SAMPLE_RATE


def test_there_is_an_end_to_what_is_taken() -> None:
    voice = Voice(Allowance(10.0))
    for time, packet in packets(tone(11)):
        voice.take(time, packet, "PCMA")
    with pytest.raises(ScenarioError, match=f"found more than {MAX_SPEECH_S:.0f} s of speech"):
        voice.finish()


@pytest.mark.parametrize("codec", available_codecs()[2:])
def test_wideband_speech_is_told_at_8_khz(codec: str) -> None:
    (phrase,) = heard(packets(np.concatenate([silence(1), tone(1), silence(1)]), codec=codec), codec)
    assert len(phrase.samples) == pytest.approx(SAMPLE_RATE, abs=(2 * LEAD + 4) * FRAME)
    spectrum = np.abs(np.fft.rfft(phrase.samples))
    assert np.argmax(spectrum) * SAMPLE_RATE / len(phrase.samples) == pytest.approx(440, abs=5)


def test_what_is_no_payload_of_the_codec_is_left_out() -> None:
    rows = packets(tone(1))
    rows[20] = rows[20][0], RtpPacket(8, rows[20][1].sequence, rows[20][1].timestamp, 7, b"")
    (phrase,) = heard(rows)
    assert not phrase.samples[20 * FRAME : 21 * FRAME].any()


def test_a_codec_that_nobody_has_is_named() -> None:
    with pytest.raises(MediaError, match="no codec 'G729'"):
        Voice(Allowance()).take(0.0, RtpPacket(18, 1, 1, 1, b"x"), "G729")
