"""What is read on the wire of a call is told as no secret, finding by finding."""

from __future__ import annotations

import numpy as np
import pytest

from harness.testbed.clips import read_clip
from harness.testbed.wire_secrecy import PAYLOAD, TAG, OnTheWire

SAID = read_clip("caller-999")
NOISE = np.random.default_rng(5).integers(-8000, 8000, len(SAID)).astype(np.int16)
SECRET = OnTheWire(NOISE, frozenset({PAYLOAD + TAG}), clear=0, under_tls=3)


def test_noise_of_srtps_length_with_its_signalling_under_tls_is_a_secret() -> None:
    assert SECRET.findings(SAID) == []


@pytest.mark.parametrize(
    ("wire", "told"),
    [
        (OnTheWire(NOISE[:0], frozenset(), 0, 3), "no packet of its speech was captured"),
        (OnTheWire(NOISE, frozenset({PAYLOAD, PAYLOAD + TAG}), 0, 3), "payloads of [160, 170] octets"),
        (OnTheWire(SAID, frozenset({PAYLOAD + TAG}), 0, 3), "who reads the wire hears the call"),
        (OnTheWire(NOISE, frozenset({PAYLOAD + TAG}), 2, 3), "2 SIP messages crossed in the clear"),
        (OnTheWire(NOISE, frozenset({PAYLOAD + TAG}), 0, 0), "no INVITE crossed under TLS"),
    ],
)
def test_each_way_to_read_a_call_is_a_finding_by_itself(wire: OnTheWire, told: str) -> None:
    [finding] = wire.findings(SAID)
    assert told in finding
