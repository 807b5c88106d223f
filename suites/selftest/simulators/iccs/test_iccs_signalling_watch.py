"""A flood of broken signalling is one alarm, from its fiftieth message in five seconds to its first quiet window."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from simulators.iccs.fault_alarms import FaultAlarms
from simulators.iccs.signalling_watch import LEAST, WINDOW_S, SignallingWatch

pytestmark = pytest.mark.virtual_time


class Heard:
    """What an alarm desk is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def failed(self, what: str, which: str, severity: str, impact: str, cause: str) -> None:
        self.told.append("failed")

    def well(self, what: str, which: str) -> None:
        self.told.append("well")


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def watch(heard: Heard) -> SignallingWatch:
    return SignallingWatch("the SIP port of primary", cast(FaultAlarms, heard))


async def test_a_telephone_that_is_wrong_now_and_then_is_no_flood(watch: SignallingWatch, heard: Heard) -> None:
    for _ in range(5):
        for _ in range(LEAST - 1):
            watch.odd()
        await asyncio.sleep(WINDOW_S + 0.1)
    assert "failed" not in heard.told


async def test_a_flood_is_told_once_and_is_over_with_a_quiet_window(watch: SignallingWatch, heard: Heard) -> None:
    for _ in range(20 * LEAST):
        watch.odd()
        await asyncio.sleep(WINDOW_S / (2 * LEAST))
    assert "well" not in heard.told and "failed" in heard.told
    await asyncio.sleep(2 * WINDOW_S + 0.1)
    assert heard.told[-1] == "well"
