"""The radio floor as a dispatcher meets it at a console, through the ICCS's gateway: how long a permit takes."""

from __future__ import annotations

import numpy as np

from harness.measure import times
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench

TALKGROUP = "GD-OPS-1"
PRESSES = 20
"""The fewest from which a 95th percentile is more than the worst but one."""


@requirement("NICCS-RAD-001")
async def test_push_to_talk_is_permitted_in_time(bench: Bench) -> None:
    """Of 20 presses, the first of which sets the call up, 95 % are permitted within the figure."""
    dispatcher, officer = await bench.console("govan-31"), await bench.terminal("officer")
    waits = []
    for _ in range(PRESSES):
        after = bench.journal.position
        await dispatcher.key(TALKGROUP)
        await dispatcher.expect("ptt.granted", within=2.0, after=after, talkgroup=TALKGROUP)
        waits.append(1000 * times.console_grant_time(bench.journal, dispatcher.name, after=after))
        await officer.expect("talker.shown", within=2.0, after=after, talkgroup=TALKGROUP)
        await dispatcher.unkey()
        await officer.expect("talker.ended", within=2.0, after=after, talkgroup=TALKGROUP)
    percentile = float(np.percentile(waits, 95, method="higher"))
    bench.measured("ptt_grant p95", percentile, "ms", requirement="NICCS-RAD-001", figure="permit_p95_ms")
