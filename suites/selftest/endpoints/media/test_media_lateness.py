"""How late packets left and were read: percentiles of what was counted, counted anew after each look."""

from __future__ import annotations

import pytest

from harness.endpoints.media import open_media
from harness.endpoints.media.pacing import FOLD, Lateness, pacing_of
from harness.transport.context import Context


def test_percentiles_are_of_what_came_since_the_last_look() -> None:
    late = Lateness()
    for number in range(FOLD + 500):  # more than are gathered before they are counted
        late.add(0.001 if number % 100 else 0.050)
    assert late.take(0.5, 0.98, 0.999) == (FOLD + 500, 50.0, [1.01, 1.01, 50.01])
    assert late.take(0.5) == (0, 0.0, [0.0])


def test_what_is_later_than_the_last_bin_is_in_the_maximum() -> None:
    late = Lateness()
    late.add(3.0)
    total, latest, (most,) = late.take(0.99)
    assert (total, latest, most) == (1, 3000.0, 200.0)


def test_sent_and_read_are_told_apart() -> None:
    sent, read = Lateness(), Lateness()
    sent.add(0.002105)
    read.add(0.030105)
    pacing = pacing_of(sent, read, realtime=False, cpu_s=0.5)
    assert (pacing.packets, pacing.p99_ms, pacing.read_p99_ms, pacing.cpu_s) == (1, 2.11, 30.11, 0.5)


@pytest.mark.real_wire
async def test_a_worker_tells_how_long_it_took_to_read() -> None:
    context = Context.create(seed=1)
    media = await open_media(context, in_process=False)
    try:
        one, other = await media.open_port("one"), await media.open_port("other")
        await one.connect(other.address)
        await other.connect(one.address)
        await media.pacing()
        await context.journal.expect("other", "rtp.first_packet", within=10)
        assert (await media.pacing()).read_p99_ms > 0
    finally:
        await media.close()
