"""The radio floor as a dispatcher and an officer meet it: how long a permit takes, and whether texts arrive."""

from __future__ import annotations

import numpy as np
import pytest

from harness.evidence.requirements import catalogue
from harness.measure import times
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench

TALKGROUP = "GD-OPS-1"
PRESSES = 20
"""The fewest from which a 95th percentile is more than the worst but one."""
TEXTS = 20


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


@requirement("NICCS-RAD-022")
@pytest.mark.waits
async def test_texts_are_received_and_receipted(bench: Bench) -> None:
    """Of 20 texts, 99 % bring a receipt within the figure: with so few, every one must."""
    officer = await bench.terminal("officer")
    await bench.console("govan-31")
    gateway = bench.issi("gateway-1")
    limit = catalogue()["NICCS-RAD-022"].figure("receipt_s").value
    for number in range(TEXTS):
        after = bench.journal.position
        began = bench.journal.now()
        sent = await officer.send_text(f"Unit at checkpoint {number + 1}", to=gateway, report=True)
        report = await officer.expect("sds.report", within=limit, after=after, reference=sent.reference)
        waited = report.time - began
        bench.measured(f"receipt {number + 1}", waited, "s", requirement="NICCS-RAD-022", figure="receipt_s")
