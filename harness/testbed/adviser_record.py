"""What a console's operator did by the harness's own journal, to be held against workforce management's record."""

from __future__ import annotations

import asyncio

from harness.drivers.workforce import WorkforceSystem
from harness.errors import ExpectationError
from harness.testbed.bench import Bench
from harness.transport.virtual_loop import VirtualLoop
from harness.workforce.adherence import Span, agreement, timeline
from simulators.calendar import epoch_of

_SHOWN = {
    "offline": "logged_out",
    "available": "ready",
    "offered": "ready",
    "busy": "in_call",
    "wrap_up": "wrap_up",
    "break": "break",
}
"""The states that consoles show, as workforce management calls them."""


def moment_of(bench: Bench, run_time: float) -> float:
    """Return the seconds since 1970 of a run time. In real time it is right where both sides' clocks are."""
    virtual = isinstance(asyncio.get_running_loop(), VirtualLoop)
    return epoch_of(bench.journal, virtual=virtual) + run_time


def console_record(bench: Bench, console: str, since: float, until: float, *, before: str) -> list[Span]:
    """Return what a console showed of its operator between two run times; ``before``: the state at ``since``."""
    changes = [
        (_ms(bench, event.time), _SHOWN[str(event.data["state"])])
        for event in bench.journal
        if event.source == console and event.kind == "adviser.state" and event.time >= since
    ]
    return timeline(changes, _ms(bench, since), _ms(bench, until), before=before)


async def agreement_on(
    bench: Bench, workforce: WorkforceSystem, adviser: str, console: str, since: float, until: float, *, before: str
) -> float:
    """Return for what share of the time both records tell the same state, per cent.

    Raises ExpectationError where states of that time are missing: what is not there agrees with nothing.
    """
    ours = console_record(bench, console, since, until, before=before)
    first, last = moment_of(bench, since), moment_of(bench, until)
    missing = (await workforce.gaps(first, last))["states"]
    if missing:
        raise ExpectationError(f"{workforce.name} lacks states of {', '.join(missing[:5])}")
    return 100 * agreement(ours, await workforce.states(adviser, first, last))


def _ms(bench: Bench, run_time: float) -> int:
    return round(moment_of(bench, run_time) * 1000)
