"""How each scenario last ended at each site: the board's picture of what was played where.

A testbed stands at the site that the plan names for it. One that the plan does not know is shown by its own name where
it is the run's. Within one run a failure outweighs any pass, as for criteria; a run that did not play a scenario says
nothing of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import groupby

from harness.evidence.results import Standing, TestOutcome, Verdict, standing
from harness.evidence.run_store import Play

UNPLAYED = (Standing.NOT_RUN, Standing.NOT_APPLICABLE)


@dataclass(frozen=True, slots=True)
class Cell:
    """One scenario at one site."""

    standing: Standing
    on: date | None = None
    """Day of the run in which it was last played, UTC; None where it never was."""


@dataclass(frozen=True, slots=True)
class SiteLine:
    """One site."""

    name: str
    cells: tuple[Cell, ...]
    """One for each scenario, in the order asked for."""


def plays_of(tests: Iterable[TestOutcome], testbed: str, began: float) -> list[Play]:
    """Return how a run's own tests played scenarios, for a run that no store has."""
    return [Play(testbed, began, each.scenario, each.verdict.value, each.binding) for each in tests if each.scenario]


def by_site(
    sites: Mapping[str, Sequence[str]], plays: Iterable[Play], scenarios: Sequence[str], testbed: str
) -> list[SiteLine]:
    """Return a line for each site of the plan, and one for the run's testbed where that stands at none.

    ``sites``: names of testbeds by site; ``scenarios``: ids, in the order of the cells.
    """
    where = {name: site for site, names in sites.items() for name in names}
    shown = [*sites, *([] if testbed in where else [testbed])]
    found: dict[tuple[str, str], Cell] = {}
    ordered = sorted(plays, key=lambda play: (play.began, play.testbed, play.scenario))
    for (began, bed, scenario), those in groupby(ordered, key=lambda play: (play.began, play.testbed, play.scenario)):
        how = standing(TestOutcome("", Verdict(each.verdict), (), each.binding) for each in those)
        if how not in UNPLAYED:
            found[where.get(bed, bed), scenario] = Cell(how, datetime.fromtimestamp(began, UTC).date())
    never = Cell(Standing.NOT_RUN)
    return [SiteLine(site, tuple(found.get((site, name), never) for name in scenarios)) for site in shown]
