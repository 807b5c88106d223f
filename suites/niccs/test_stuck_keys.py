"""Keys that stick: a console's and an officer's are timed out, the talkgroup is free again, and all are told."""

from __future__ import annotations

import pytest

from harness.evidence.requirements import catalogue
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench

TALKGROUP = "GD-OPS-1"
SLACK_S = 1.0
"""By how much a key may be timed out sooner or later than agreed: signalling, and a way over the control interface."""


def in_time(bench: Bench, name: str, seconds: float) -> None:
    """Hold the time from the press to the time-out against the figure: neither much before nor much after it."""
    limit = catalogue()["NICCS-RAD-024"].figure("stuck_s").value
    assert seconds >= limit - SLACK_S, f"{name} was timed out after {seconds:.2f} s already, due {limit} s"
    bench.measured(f"{name} timed out after its time", max(0.0, seconds - limit), "s", limit=SLACK_S)


@requirement("NICCS-RAD-024")
@pytest.mark.waits
async def test_a_console_key_that_sticks_is_timed_out_and_alarmed(bench: Bench) -> None:
    """The position and the supervisor are told, the officers' terminals are free, and the officer can talk at once."""
    dispatcher, supervisor = await bench.console("govan-31"), await bench.console("govan-50")
    officer = await bench.terminal("officer")
    limit = catalogue()["NICCS-RAD-024"].figure("stuck_s").value
    after = bench.journal.position
    pressed = bench.journal.now()
    await dispatcher.key(TALKGROUP)
    await dispatcher.expect("ptt.granted", within=2.0, after=after)
    timed_out = await dispatcher.expect("ptt.timed_out", within=limit + 2 * SLACK_S, after=after)
    in_time(bench, "a console's key", timed_out.time - pressed)
    assert timed_out.data["talkgroups"] == [TALKGROUP]
    alarm = await supervisor.expect("alarm.raised", within=SLACK_S, after=after, what="stuck_ptt")
    assert alarm.data["console"] == "govan-31"
    await officer.expect("talker.ended", within=SLACK_S, after=after)
    await officer.key()
    await officer.unkey()


@requirement("NICCS-RAD-024")
@pytest.mark.waits
async def test_an_officers_key_that_sticks_is_timed_out_and_alarmed(bench: Bench) -> None:
    """The network ends the transmission; console and supervisor are told whose; the dispatcher can talk at once."""
    dispatcher, supervisor = await bench.console("govan-31"), await bench.console("govan-50")
    officer = await bench.terminal("officer")
    limit = catalogue()["NICCS-RAD-024"].figure("stuck_s").value
    after = bench.journal.position
    await officer.key()
    granted = bench.journal.now()
    ended = await officer.expect("talker.ended", within=limit + 2 * SLACK_S, after=after)
    in_time(bench, "an officer's key", ended.time - granted)
    stuck = await dispatcher.expect("talker.stuck", within=SLACK_S, after=after, talkgroup=TALKGROUP)
    assert (stuck.data["issi"], stuck.data["alias"]) == (bench.issi("officer"), "GB 214")
    await supervisor.expect("alarm.raised", within=SLACK_S, after=after, what="stuck_talker")
    await supervisor.expect("alarm.ended", within=SLACK_S, after=after, what="stuck_talker")
    after = bench.journal.position
    await dispatcher.key(TALKGROUP)
    await dispatcher.expect("ptt.granted", within=2.0, after=after)
    await dispatcher.unkey()
