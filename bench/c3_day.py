"""A C3 day in virtual time: 24 hours of the load model, as `iccs load-model` writes and `iccs replay` plays them.

    python -m bench.c3_day [--hour H] [--seed N] [--json]

**What it goes through.** 2,106 calls to 999 and 3,750 to 101 are placed by SIP at the ICCS simulator's trunk, queue for
60 advisers and are answered; of four fifths of the 999s an incident is opened and closed through the control interface.
172,800 presses on 60 talkgroups go from terminal equipment over a serial line at its speed to a terminal and the
network, and each is heard, by its codes, on the line of the gateway and of three terminals. All of it is journalled and
hashed. **What it does not go through:** speech (nobody would listen), consoles with a headset (each is 50 packets a
second), and the link to command and control (a request a second).

The day is cut into the same parts on every machine and played by as many processes as there are cores
(harness.scenario.load_model.play). The processor's time is that of all processes together: on cores that are shared
with others the wall clock tells less than that does.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any

from harness.cli.places import LOAD_TESTBED
from harness.scenario.load_model.file import day_text, read_load
from harness.scenario.load_model.play import play

TARGET_S = 60.0
"""On two cores."""
FLAT_MIB = 16.0
"""Growth of any process from a quarter of the day on that still counts as flat: 500 call records, and incidents."""


def measure(seed: int = 1, hour: int | None = None) -> dict[str, Any]:
    """Play the day, or one hour of it. Raises RuntimeError where something of it did not come about."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "day.yaml"
        path.write_text(day_text(1, hour), encoding="utf-8")
        file = read_load(path)
    assert file is not None
    began = time.perf_counter()
    result = play(file, LOAD_TESTBED, seed=seed, workers=os.cpu_count() or 1)
    wall_s = time.perf_counter() - began
    if problems := result.problems(file.load):
        raise RuntimeError("; ".join(problems))
    return {
        "hours": len(file.load.hours),
        "wall_s": round(wall_s, 1),
        "cpu_s": round(sum(part.cpu_s for part in result.parts), 1),
        "cpu_s_of_parts": {part.name: round(part.cpu_s, 1) for part in result.parts},
        "times_real": round(file.load.lasts_s / wall_s),
        "came": dict(sorted(result.came.items())),
        "events": result.events,
        "journal_sha256": result.sha256,
        "grown_mib": result.grown_mib,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hour", type=int, help="only this hour of the day, 0 to 23")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="one JSON object on one line")
    options = parser.parse_args()
    result = measure(options.seed, options.hour)
    print(json.dumps(result, indent=None if options.json else 1))


if __name__ == "__main__":
    main()
