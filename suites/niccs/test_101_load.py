"""101 with many callers at once: each one's call is judged by itself, speech and words included."""

from __future__ import annotations

import pytest

from harness.drivers.call_load import LoadPlan
from harness.errors import ExpectationError
from harness.evidence.requirements import catalogue
from harness.measure.verdict import Due
from harness.protocols.rtp.g711 import SAMPLE_RATE
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench
from harness.testbed.clips import read_clip
from harness.testbed.verdicts import all_passed, verdicts

LEADS_TO_101 = "+441414960101"
ID = "NICCS-TEL-016"
PACED_MS = 5.0
"""How late the harness's own packets may leave, 99th percentile, for a verdict to tell of the other side."""
READ_MS = 20.0
"""The same of how late packets may be read."""
ATTEMPTS = 3
"""Times that the load is placed where the machine did not keep that."""


@pytest.mark.loads
@requirement(ID)
async def test_each_of_many_callers_at_once_hears_the_menu_as_it_is_due(bench: Bench) -> None:
    """All are in the menu at one time; each is judged by first audio, codec, loss, jitter, delay, MOS and words."""
    due = {name: float(figure.value) for name, figure in catalogue()[ID].figures.items()}
    calls = int(due["callers"])
    # What of the menu each has the time to hear.
    menu = read_clip("announcements/ivr-main")[: round((due["listen_s"] - due["first_audio_s"]) * SAMPLE_RATE)]
    load = await bench.call_load()
    plan = LoadPlan(
        number=LEADS_TO_101, calls=calls, per_second=due["callers_per_s"], hold_s=due["listen_s"], answer_within_s=10.0
    )
    for attempt in range(ATTEMPTS):
        await bench.pacing()
        placed = await load.place(plan)
        pacing = await bench.pacing()
        bench.measured(f"own packets left late, p99, attempt {attempt + 1}", pacing.p99_ms, "ms")
        bench.measured(f"packets were read late, p99, attempt {attempt + 1}", pacing.read_p99_ms, "ms")
        paced = pacing.p99_ms <= PACED_MS and pacing.read_p99_ms <= READ_MS
        if paced:
            break
    up = [call.answered_at for call in placed if call.answered_at is not None]
    at_once = max((sum(each <= at < each + plan.hold_s for each in up) for at in up), default=0)
    bench.measured("callers up at once", at_once, "calls")
    found = verdicts(
        bench.journal,
        load.name,
        placed,
        Due(
            codec="PCMA",
            first_audio_s=due["first_audio_s"],
            loss=due["loss"] / 100,
            jitter_ms=due["jitter_ms"],
            delay_ms=due["delay_ms"],
            mos=due["mos"],
            reference=menu,
        ),
    )
    try:
        all_passed(found)
    except ExpectationError as error:
        if paced:
            raise
        raise ExpectationError(
            f"this machine was too busy to judge: packets left up to {pacing.p99_ms:g} ms late, {PACED_MS:g} allowed; "
            f"they were read up to {pacing.read_p99_ms:g} ms late, {READ_MS:g} allowed (99th percentiles); {error}"
        ) from None
    if at_once < calls:
        raise ExpectationError(f"{calls} callers were due at once, {at_once} were: place them faster, or hold longer")
