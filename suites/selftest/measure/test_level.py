"""Levels against what is known of them."""

from __future__ import annotations

import numpy as np
import pytest

from harness.endpoints.media.sound import turned
from harness.measure.level import SILENCE_DB, level_db


def test_a_sine_of_half_scale_lies_nine_decibels_under_full_scale() -> None:
    sine = (16384 * np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)).astype(np.int16)
    assert level_db(sine) == pytest.approx(-9.03, abs=0.01)
    assert level_db(turned(sine, -12.0)) == pytest.approx(-21.03, abs=0.02)
    assert level_db(turned(sine, 6.0)) == pytest.approx(-3.03, abs=0.02)


def test_what_is_turned_up_too_far_is_clipped_and_not_wrapped() -> None:
    loud = np.array([30000, -30000], np.int16)
    assert turned(loud, 12.0).tolist() == [32767, -32768]


def test_silence_has_a_level_and_nothing_has_none() -> None:
    assert level_db(np.zeros(10, np.int16)) == SILENCE_DB
    with pytest.raises(ValueError, match="no samples have no level"):
        level_db(np.zeros(0, np.int16))
