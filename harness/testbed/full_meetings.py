"""Meetings and webinars with as many in them as are agreed: joined, held for their time, judged by the catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from harness.drivers.telephone_call import TelephoneCall
from harness.drivers.webex import Webex
from harness.errors import ExpectationError
from harness.evidence.requirements import catalogue
from harness.measure.stability import Limits, Stability
from harness.testbed.bench import Bench
from harness.testbed.clips import read_clip
from harness.testbed.stability import Party, Turn, hold, stable

EVERY_S: Final = 60.0
"""Between two turns of a few seconds."""
JOIN_PER_S: Final = 20
LISTEN_AT_ONCE: Final = 10
"""Of a webinar, so that in an hour each of its attendees is listened at once."""
SAID: Final = 9_600
"""Samples of the clip that are said in a turn: 1.2 s."""


def media_s() -> float:
    """Seconds within which somebody who joins has media."""
    return catalogue()["WBX-013"].figure("media_s").value


async def telephones_join(bench: Bench, number: str, names: Sequence[str]) -> list[TelephoneCall]:
    """Telephones that are in a meeting, without audio until it is their turn."""
    calls = []
    for name in names:
        call = await (await bench.telephone(name)).dial(number)
        await call.answered(within=media_s())
        await call.leave_audio()
        calls.append(call)
    return calls


async def held(
    bench: Bench,
    webex: Webex,
    meeting: dict[str, Any],
    parties: Sequence[Party],
    turns: Iterator[Turn],
    *,
    by: str,
    lasts_s: float,
    judges: str,
    figure: str,
    beside: int = 0,
) -> Stability:
    """Hold it for its time; ``by``: its host; ``judges``: the requirement that is judged.

    ``figure``: how many are to be in it, ``beside`` those who don't count: of a webinar, its panel. What was measured
    is held against what is agreed of calls (WBX-006, WBX-008). Raises ExpectationError.
    """
    agreed = catalogue()
    limits = Limits(
        delay_ms=agreed["WBX-006"].figure("delay_ms").value, loss_share=agreed["WBX-008"].figure("loss_share").value
    )

    async def counted() -> int:
        there = await webex.participants(meeting["id"], by=by)
        return sum(each["state"] == "joined" for each in there)

    bench.has_time_for(lasts_s)
    said = read_clip("caller-999")[:SAID]
    found = await hold(bench.journal, meeting["title"], parties, turns, said, counted, lasts_s=lasts_s, every_s=EVERY_S)
    bench.measured("rejoined after a drop", found.rejoined, "parties", requirement=judges)
    bench.measured("parties whose media were sampled", found.sampled, "parties", requirement=judges)
    stable(found, limits)  # first, for it names who, when and what
    bench.measured("dropped", found.drops, "parties", limit=0, requirement=judges)
    delay, loss = found.worst_delay_ms or 0.0, found.worst_loss_share
    bench.measured("one_way_delay, worst sample", delay, "ms", limit=limits.delay_ms, requirement=judges)
    bench.measured("loss, worst sample", loss, "%", limit=limits.loss_share, requirement=judges)
    least = min(count for _, count in found.counted) - beside
    bench.measured(figure, least, "", requirement=judges, figure=figure, at_least=True)
    bench.measured("held", found.lasted_s / 60, "min", limit=lasts_s / 60, requirement=judges, at_least=True)
    if found.sampled != len(parties):
        raise ExpectationError(f"the media of {found.sampled} of {len(parties)} were sampled")
    return found
