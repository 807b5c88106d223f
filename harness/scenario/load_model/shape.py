"""When the things of a load come: calls by the hours' shares, keys pressed in exchanges; drawn from a seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from harness.scenario.load_model.model import RadioLoad


def by_the_hour(count: int, shares: Sequence[float]) -> list[int]:
    """How many of ``count`` fall into each hour: as the shares say, and together exactly ``count``."""
    total = sum(shares)
    due = [count * share / total for share in shares]
    found = [int(each) for each in due]
    left = count - sum(found)
    for hour in sorted(range(len(due)), key=lambda each: (found[each] - due[each], each))[:left]:
        found[hour] += 1
    return found


def exchanges(rng: Random, presses: int, lasts_s: float, load: RadioLoad) -> Iterator[float]:
    """When each key of one talkgroup is pressed, seconds, in order: exactly ``presses`` of them.

    They come in exchanges; each has an even share of the time and begins somewhere in it. A press whose time comes
    while the one before is still held is made when that is over.
    """
    count = max(1, round(presses / load.exchange))
    share_s, left = lasts_s / count, presses
    for number in range(count):
        here = left // (count - number)
        left -= here
        at = number * share_s + rng.random() * max(0.0, share_s - here * (load.talk_s + load.pause_s))
        for _ in range(here):
            yield at
            at += load.talk_s + rng.uniform(0.5, 1.5) * load.pause_s
