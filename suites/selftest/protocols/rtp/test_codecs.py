"""Codecs by name, with and without the extra, and the wideband ones on real speech; sampling rates between them."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.endpoints.media.wav import read_wav
from harness.errors import MediaError, RtpError
from harness.measure.correlate import find
from harness.protocols import sdp
from harness.protocols.rtp import available_codecs, codec_named, require_codec
from harness.protocols.rtp import codecs as codecs_module
from harness.protocols.rtp.g711 import CODECS
from harness.protocols.rtp.resample import Decimator, Doubler, converted, converter

SPEECH = read_wav(Path(__file__).parents[4] / "fixtures" / "audio" / "caller-999.wav")[:24_000]


@pytest.fixture
def without_av(monkeypatch):
    monkeypatch.setattr(codecs_module, "find_spec", lambda name: None)


def tone(frequency, rate, seconds=0.5, level=8000):
    return (np.sin(2 * np.pi * frequency * np.arange(round(seconds * rate)) / rate) * level).astype(np.int16)


def rms(samples):
    return float(np.sqrt(np.mean(samples.astype(float) ** 2)))


def test_g711_is_always_to_be_had(without_av):
    assert available_codecs() == ("PCMA", "PCMU")
    assert codec_named("pcma") is CODECS["PCMA"]


@pytest.mark.parametrize("name", ["G722", "opus"])
def test_what_needs_the_extra_says_how_to_get_it(without_av, name):
    for ask in (require_codec, codec_named):
        with pytest.raises(MediaError, match=r"pip install 'iccs-acceptance-harness\[codecs\]'"):
            ask(name)
    with pytest.raises(MediaError, match="codecs"):
        sdp.offer("127.0.0.1", 4000, codecs=(name.upper(), "PCMA"))


def test_what_nobody_speaks_is_named_with_what_is_spoken():
    with pytest.raises(MediaError, match="no codec 'G729'; known: PCMA, PCMU, G722, OPUS"):
        codec_named("G729")


# --- with PyAV ---


@pytest.mark.parametrize(("name", "clock", "octets"), [("G722", 8000, 160), ("OPUS", 48_000, None)])
def test_wideband_speech_crosses_its_codec(name, clock, octets):
    pytest.importorskip("av")
    codec = codec_named(name)
    assert (codec.clock, codec.rate) == (clock, 16_000)
    wide = converted(SPEECH, 8000, 16_000)
    encoder, decoder = codec.encoder(20), codec.decoder()
    heard = []
    for begin in range(0, len(wide) - 319, 320):
        payload = encoder.encode(wide[begin : begin + 320])
        assert octets is None or len(payload) == octets
        heard.append(decoder.decode(payload))
        assert len(heard[-1]) == 320
    match = find(wide, np.concatenate(heard))
    assert match.peak > 0.95
    assert 0 <= match.lag < 16_000 * 0.012  # the codec's own delay: 1.4 ms for G.722, 6.5 ms for Opus and our filter


def test_g722_carries_what_g711_can_not():
    pytest.importorskip("av")
    codec = codec_named("G722")
    encoder, decoder, high = codec.encoder(20), codec.decoder(), tone(6000, 16_000)
    heard = np.concatenate([decoder.decode(encoder.encode(high[b : b + 320])) for b in range(0, len(high), 320)])
    assert rms(heard[1600:]) > 0.8 * rms(high)


def test_opus_has_packets_of_its_own_lengths_alone():
    pytest.importorskip("av")
    codec = codec_named("OPUS")
    for ptime in (10, 20, 40, 60):
        payload = codec.encoder(ptime).encode(tone(400, 16_000, ptime / 1000))
        assert len(codec.decoder().decode(payload)) == 16 * ptime
    with pytest.raises(MediaError, match="30 ms"):
        codec.encoder(30)


@pytest.mark.parametrize("name", ["G722", "OPUS"])
@given(data=st.binary(min_size=1, max_size=400))
def test_any_octets_are_decoded_or_refused_by_name(name, data):
    pytest.importorskip("av")
    decoder = codec_named(name).decoder()
    try:
        assert decoder.decode(data).dtype == np.int16
    except RtpError as error:
        assert str(error)
    assert len(decoder.decode(codec_named(name).encoder(20).encode(tone(400, 16_000, 0.02)))) == 320


# --- sampling rates ---


@pytest.mark.parametrize(("source", "target"), [(8000, 16_000), (16_000, 8000), (48_000, 16_000)])
@pytest.mark.parametrize("frequency", [200, 1000, 3000])
def test_what_both_rates_can_carry_keeps_its_level_and_place(source, target, frequency):
    heard = converted(tone(frequency, source), source, target)
    due = tone(frequency, target)
    assert len(heard) == len(due)
    middle = slice(target // 50, -target // 50)
    assert np.abs(heard[middle].astype(int) - due[middle]).max() < 100


@pytest.mark.parametrize(("source", "target", "frequency"), [(16_000, 8000, 5000), (48_000, 16_000, 9000)])
def test_what_the_lower_rate_can_not_carry_is_gone_and_not_folded_back(source, target, frequency):
    heard = converted(tone(frequency, source), source, target)
    assert rms(heard[target // 50 : -target // 50]) < 8  # 60 dB under


@pytest.mark.parametrize("make", [Doubler, lambda: Decimator(2), lambda: Decimator(3)])
@given(cuts=st.lists(st.integers(1, 50), min_size=1, max_size=12), seed=st.integers(0, 2**32 - 1))
def test_frames_join_without_a_seam(make, cuts, seed):
    samples = np.random.default_rng(seed).integers(-20_000, 20_000, 6 * sum(cuts)).astype(np.int16)
    whole = make().convert(samples)
    stream, pieces, at = make(), [], 0
    for cut in cuts:
        pieces.append(stream.convert(samples[at : at + 6 * cut]))
        at += 6 * cut
    assert np.array_equal(np.concatenate(pieces), whole)


def test_other_rates_are_refused():
    assert converter(8000, 8000) is None
    with pytest.raises(MediaError, match="44100"):
        converter(44_100, 8000)


def test_loud_sound_is_clipped_and_not_wrapped():
    square = np.where(np.arange(4000) // 20 % 2, 32767, -32768).astype(np.int16)
    heard = converted(square, 8000, 16_000)
    assert np.sign(heard[2000:2010]).min() == np.sign(heard[2000:2010]).max()
