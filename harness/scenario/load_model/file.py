"""Writes the load model as a file, and reads such a file: a scenario that tells how much comes, not each thing."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from pydantic import ValidationError

from harness.errors import ScenarioError
from harness.scenario.load import invalid
from harness.scenario.load_model.model import LoadFile
from harness.source import read_tree

DAY: Final = (
    *(2.2, 1.8, 1.5, 1.3, 1.2, 1.3, 1.8, 2.8, 3.8, 4.4, 4.8, 5.0),
    *(5.2, 5.3, 5.4, 5.6, 5.8, 6.2, 6.8, 8.0, 7.0, 5.6, 4.2, 3.0),
)
"""Each hour's share of the day's calls, per cent. The busiest has 8 % [p]; the others are put forward here."""
CALLS: Final = {"999": 2_106, "101": 3_750}
"""A day's, derived from the public-contact paper of December 2024."""
_TEXT: Final = """\
# {title}. `iccs replay FILE --virtual` plays it. It tells how much comes; when each thing comes is drawn from `seed`.
# What is marked [p] is put forward, to be agreed: change it here.
id: {id}
title: {title}
load:
  seed: {seed}
  hours: [{hours}]    # each hour's share of the calls [p]
  calls:
    - {{number: "999", calls: {emergency}, talk_s: 420, patience_s: 300, incidents: 0.8}}    # seconds and share [p]
    - {{number: "101", calls: {other}, talk_s: 600, patience_s: 300}}    # seconds [p]
  radio:                   # evenly over the hours
    talkgroups: 60         # active dispatch groups [p]
    terminals: 4           # on each, besides the control room's gateway: one talks, three and the gateway hear
    presses_a_minute: 2    # on each [p]
    talk_s: 6              # mean [p]
    exchange: 4            # presses that answer each other, in one group call [p]
    pause_s: 1.5           # mean, before an answer [p]
"""


def day_text(seed: int, hour: int | None = None) -> str:
    """The load model's day as a file; or one hour of it, 0 to 23."""
    shares = DAY if hour is None else DAY[hour : hour + 1]
    counts = {number: round(calls * sum(shares) / sum(DAY)) for number, calls in CALLS.items()}
    return _TEXT.format(
        id="LOAD-C3-DAY" if hour is None else f"LOAD-C3-HOUR-{hour:02}",
        title="A C3 day" if hour is None else f"Hour {hour} of a C3 day",
        seed=seed,
        hours=", ".join(f"{share:g}" for share in shares),
        emergency=counts["999"],
        other=counts["101"],
    )


def read_load(path: Path) -> LoadFile | None:
    """Return the load that a file describes; None where it is a scenario with a timeline.

    Raises ScenarioError naming file, line, what was found and what is allowed.
    """
    tree, spot = read_tree(path)
    if "load" not in tree:
        return None
    try:
        return LoadFile.model_validate(tree)
    except ValidationError as error:
        raise invalid(spot, error) from error


def check_options(path: Path, *, virtual: bool, others: bool) -> None:
    """Raise ScenarioError for options of ``iccs replay`` that do not go with a load: ``others`` than its own."""
    if not virtual or others:
        raise ScenarioError(
            f"{path}: is a load: it goes with --virtual, --seed, --journal and --testbed alone; nobody has a seat in it"
        )
