"""The soak's verdict: growth is found, noise is not taken for it, and a call that was not as due is told."""

from __future__ import annotations

import os

import numpy as np
import pytest

from bench.soak import BYTES_A_CALL, Soak, fit, resident
from harness.drivers.call_load import LoadedCall


def soaked(bytes_a_call: float, *, seconds: int = 1800, failed: bool = False) -> Soak:
    """A soak as if it had run: 20 calls a second, sizes with noise of some pages."""
    soak = Soak(seconds / 60, 20, 50)
    rng = np.random.default_rng(1)
    per_second = bytes_a_call * (20 + 50 / 60)
    for at in range(seconds):
        size = 120e6 + per_second * max(0, at - soak.warm_up) + 20e6 * min(1, at / soak.warm_up) + rng.normal(0, 40_000)
        soak.sizes.at.append(float(at))
        soak.sizes.by_process.setdefault("ICCS", []).append(int(size))
        soak.sizes.by_process.setdefault("media worker 1", []).append(40_000_000)
    soak.lasted = float(seconds)
    up = LoadedCall("load call-1", "a@b", "+447700900001", 200, "OK", 0.0, 0.2, None, None)
    gone = LoadedCall("load call-2", "c@d", "+447700900002", 503, "Service Unavailable", 0.0, None, None, None)
    soak.calls.take([up, gone] if failed else [up], judged=False)
    return soak


def test_flat_memory_with_noise_passes() -> None:
    assert soaked(0).verdict() == []
    assert soaked(BYTES_A_CALL / 2).verdict() == []


@pytest.mark.parametrize("leaks", [BYTES_A_CALL * 1.5, 200, 41_000])
def test_a_leak_of_one_small_object_a_call_is_found(leaks: float) -> None:
    (finding,) = soaked(leaks).verdict()
    assert finding.startswith("memory is not flat: +")
    assert "(85 bytes a call, or 1024 KiB in all)" in finding


def test_a_run_of_minutes_is_judged_by_what_it_can_tell() -> None:
    assert soaked(BYTES_A_CALL * 1.5, seconds=300).verdict() == []
    assert soaked(BYTES_A_CALL * 5, seconds=300).verdict() != []


def test_a_call_that_failed_is_told() -> None:
    (finding,) = soaked(0, failed=True).verdict()
    assert "1 calls were not as due: load call-2: not answered: 503 Service Unavailable" in finding


def test_too_short_a_run_says_so() -> None:
    assert "too short to tell whether memory is flat" in soaked(0, seconds=8).verdict()
    assert fit([0.0, 1.0], np.array([1.0, 2.0]), 0.0) is None


def test_report_and_plot_have_it_all() -> None:
    soak = soaked(200)
    report = soak.report()
    assert report["growth"]["kib_a_minute"] == pytest.approx(200 * (20 + 50 / 60) * 60 / 1024, rel=0.05)
    assert report["growth_by_process"]["media worker 1"]["kib_a_minute"] == pytest.approx(0, abs=0.1)
    assert len(report["samples"]["at_s"]) == 1800
    assert b"fit after the warm-up" in soak.plot()


def test_a_process_s_size_is_read() -> None:
    assert 10e6 < resident(os.getpid()) < 10e9
