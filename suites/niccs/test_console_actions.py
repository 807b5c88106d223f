"""How long an operator waits for the console to show what was done."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import numpy as np

from harness.drivers.console import Console
from harness.pytest_plugin import requirement
from harness.testbed.bench import Bench

CYCLES = 5
"""Of the steps: 45 actions at two consoles."""
SHOWN_WITHIN_S = 10.0
"""What is shown later is not waited for."""

Step = tuple[str, Callable[[Console, Console, str], Awaitable[object]], str, str]
"""What is done, with two consoles and the incident that is open; the event that shows it, and at whose console."""
STEPS: tuple[Step, ...] = (
    ("dial", lambda one, other, _incident: one.dial(other.position), "call.ringing", "other"),
    ("answer", lambda _one, other, _incident: other.answer(), "call.connected", "both"),
    ("hold", lambda one, _other, _incident: one.hold(), "call.held", "one"),
    ("resume", lambda one, _other, _incident: one.resume(), "call.resumed", "one"),
    ("open an incident", lambda one, _other, _incident: one.open_incident("Console actions"), "incident.opened", "one"),
    ("clear", lambda one, _other, _incident: one.clear(), "call.cleared", "both"),
    ("close the incident", lambda one, _other, incident: one.close_incident(incident), "incident.closed", "one"),
    ("go on break", lambda one, _other, _incident: one.go("break"), "adviser.state", "one"),
    ("be available", lambda one, _other, _incident: one.go("available"), "adviser.state", "one"),
)


@requirement("NFR-008")
async def test_what_an_operator_does_is_shown_in_time(bench: Bench) -> None:
    """From the moment at which something is asked for to the last event that shows it, where it is to be shown."""
    one, other = await bench.console("govan-12"), await bench.console("govan-13")
    took: dict[str, list[float]] = {name: [] for name, *_ in STEPS}
    incident = ""
    for _ in range(CYCLES):
        for name, act, shown, where in STEPS:
            after, began = bench.journal.position, bench.journal.now()
            done = await act(one, other, incident)
            consoles = {"one": (one,), "other": (other,), "both": (one, other)}[where]
            seen = [await each.expect(shown, within=SHOWN_WITHIN_S, after=after) for each in consoles]
            if shown == "incident.opened":
                incident = str(done)
            took[name].append(1000 * (max(event.time for event in seen) - began))
    for name, times in took.items():
        bench.measured(f"longest: {name}", max(times), "ms")
    every = [each for times in took.values() for each in times]
    p95 = float(np.percentile(every, 95, method="higher"))
    bench.measured("console actions, p95", p95, "ms", requirement="NFR-008", figure="action_p95_ms")
