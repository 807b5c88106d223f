"""G.711: the standard's own values, an implementation that is not ours, and the error it may make."""

import warnings

import numpy as np
import pytest

from harness.errors import MediaError
from harness.protocols.rtp import CODECS, codec_named

EVERY_SAMPLE = np.arange(-32768, 32768).astype(np.int16)
EVERY_OCTET = bytes(range(256))


@pytest.mark.parametrize(
    ("law", "sample", "octet"),
    [
        # ITU-T G.711 tables 1a to 2b: the ends and the middle, even bits of A-law inverted, µ-law inverted
        ("PCMA", 0, 0xD5),
        ("PCMA", -1, 0x55),
        ("PCMA", 32767, 0xAA),
        ("PCMA", -32768, 0x2A),
        ("PCMU", 0, 0xFF),
        ("PCMU", 32767, 0x80),
        ("PCMU", -32768, 0x00),
    ],
)
def test_known_values(law, sample, octet):
    assert CODECS[law].encode(np.array([sample], np.int16)) == bytes([octet])


@pytest.mark.parametrize(("law", "loudest"), [("PCMA", 32256), ("PCMU", 32124)])
def test_the_loudest_value_is_the_standards(law, loudest):
    decoded = CODECS[law].decode(EVERY_OCTET)
    assert decoded.max() == loudest
    assert decoded.min() == -loudest


@pytest.mark.parametrize(
    ("law", "encode", "decode"), [("PCMA", "lin2alaw", "alaw2lin"), ("PCMU", "lin2ulaw", "ulaw2lin")]
)
def test_every_sample_and_octet_as_the_interpreters_own_implementation_has_it(law, encode, decode):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        audioop = pytest.importorskip("audioop", reason="gone in Python 3.13")
    codec = CODECS[law]
    assert codec.encode(EVERY_SAMPLE) == getattr(audioop, encode)(EVERY_SAMPLE.tobytes(), 2)
    assert codec.decode(EVERY_OCTET).tobytes() == getattr(audioop, decode)(EVERY_OCTET, 2)


@pytest.mark.parametrize("law", sorted(CODECS))
def test_decoding_and_encoding_again_changes_nothing_one_can_hear(law):
    codec = CODECS[law]
    again = codec.encode(codec.decode(EVERY_OCTET))
    # µ-law has two zeros, which decode alike
    assert np.array_equal(codec.decode(again), codec.decode(EVERY_OCTET))
    assert codec.decode(bytes([codec.silence]) * 3).tolist() == ([8, 8, 8] if law == "PCMA" else [0, 0, 0])


@pytest.mark.parametrize("law", sorted(CODECS))
def test_the_error_stays_within_half_a_step(law):
    codec = CODECS[law]
    inside = EVERY_SAMPLE[np.abs(EVERY_SAMPLE.astype(int)) < 32000]
    error = np.abs(codec.decode(codec.encode(inside)).astype(int) - inside)
    assert np.all(error <= np.maximum(16, np.abs(inside.astype(int)) / 16))


def test_a_codec_is_found_in_any_case_and_an_unknown_one_named():
    assert codec_named("pcmu").payload_type == 0
    assert codec_named("PCMA").payload_type == 8
    with pytest.raises(MediaError, match="G729"):
        codec_named("G729")
