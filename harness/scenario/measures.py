"""What a scenario can measure: mouth to ear, the time to an event, and times between two events of the journal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from harness.errors import ExpectationError, LocalError
from harness.journal import Journal
from harness.measure.times import between
from harness.scenario.values import Limit
from harness.testbed.bench import Bench


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure."""

    does: str
    unit: str
    between: tuple[str, str] | None = None
    """The kinds of the actor's events from the first to the second of which it runs; None: measured otherwise."""
    least: bool = False
    """Whether a requirement's figure is the least that is allowed, and not the most."""


MEASURES: Final[dict[str, Measure]] = {
    "mouth_to_ear": Measure("in an expectation: how late its actor heard what was said in the step before", "ms"),
    "time": Measure("in an expectation: how long after the step done last (or 'after') it came", "s"),
    "share": Measure("in an expectation with 'of': what share of so many came in the window", "%", least=True),
    "answer_time": Measure(
        "in the outcome: from a call's ringing at a console to its being through",
        "s",
        ("call.ringing", "call.connected"),
    ),
    "grant_time": Measure(
        "in the outcome: from a radio's pressing its key to the permit", "s", ("ptt.pressed", "ptt.granted")
    ),
    "console_grant_time": Measure(
        "in the outcome: from a console's pressing its key to the permit", "s", ("console.key", "ptt.granted")
    ),
    "acknowledge_time": Measure(
        "in the outcome: from an emergency's showing at a console to its acknowledgement",
        "s",
        ("emergency.shown", "emergency.acknowledged"),
    ),
}
"""Measures by name."""


def elapsed(journal: Journal, name: str, source: str) -> float:
    """Return a measure between two events of one source, in seconds. Raises ExpectationError where one did not come."""
    kinds = MEASURES[name].between
    assert kinds is not None, "the file's reader saw to it"
    try:
        return between(journal, (source, kinds[0]), (source, kinds[1]))
    except LocalError as error:
        raise ExpectationError(str(error)) from error


def hold(
    bench: Bench,
    name: str,
    value: float,
    unit: str,
    *,
    limit: Limit | None,
    requirement: str | None,
    figure: str | None,
    at_least: bool = False,
) -> None:
    """Journal a measure and hold it against its limit, or a figure of the catalogue, with ``at_least`` from below.

    Raises ExpectationError where it is not kept.
    """
    if limit is None:
        bench.measured(name, value, unit, requirement=requirement, figure=figure, at_least=at_least)
        return
    bound = limit.within(value, unit)
    least = limit.compare.startswith(">")
    bench.measured(name, value, unit, limit=bound, requirement=requirement, at_least=least)
    if not limit.holds(value, unit):
        raise ExpectationError(f"{name} is {value:.3f} {unit}; {limit} is due")
