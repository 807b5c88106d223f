"""Runs the project's own tests: those that judge by real time in front, all others behind them, on what time is left.

Exit code: 0 where every part passed, 130 where it was interrupted, else that of a part that did not pass (pytest's).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

PROJECT: Final = Path(__file__).resolve().parents[2]
TOLD: Final = Path("reports/out/selftest.txt")
"""What the part behind says, until it is its turn to be shown."""
BEHIND: Final = ("-m", "not real_wire", "-n", "2")
"""In virtual time, or work that may take as long as it takes."""
IN_FRONT: Final = (("-m", "real_wire and not alone", "-n", "2"), ("-m", "alone"))
STOPS_WITHIN_S: Final = 60
"""A part that we interrupt; its servers stop before it does."""
NO_TEST: Final = 5
"""Exit code of pytest that found none."""
LOOKS_EACH_S: Final = 0.5
"""Whether the part behind has said more."""


def last_in_line() -> None:
    """From now on this process and its children have the processor only while nobody else wants it."""
    if hasattr(os, "SCHED_IDLE"):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    else:
        os.nice(19)


@contextmanager
def started(
    part: Sequence[str], options: Sequence[str], told: IO[bytes] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """One part, which does not outlive the block however that is left; ``told``: where it speaks, else the terminal."""
    command = [sys.executable, "-m", "pytest", *part, "-q", *options]
    running = subprocess.Popen(
        command,
        cwd=PROJECT,
        stdout=told,
        stderr=subprocess.STDOUT if told else None,
        start_new_session=True,  # a terminal interrupts us alone, and we each part, once
        preexec_fn=last_in_line if told else None,  # noqa: PLW1509 - there is no thread yet
    )
    try:
        yield running
    finally:
        if running.poll() is None:
            running.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.wait(STOPS_WITHIN_S)
        if running.poll() is None:
            running.kill()
            running.wait()


def shown_to_its_end(running: subprocess.Popen[bytes], at: Path) -> int:
    """Show what the part behind has said and says, until it ends; its exit code."""
    with at.open("rb") as told:
        ended = False
        while not ended:
            with contextlib.suppress(subprocess.TimeoutExpired):
                running.wait(LOOKS_EACH_S)
                ended = True
            shutil.copyfileobj(told, sys.stdout.buffer)
            sys.stdout.buffer.flush()
    return running.returncode


def say(text: str) -> None:
    """Tell how far it is."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(tests: str, at: Path, options: Sequence[str]) -> int:
    """Run every part of ``tests``, a folder or file.

    ``at``: the file for what the part behind says; ``options`` go to each part's pytest.
    """
    options = [tests, *options]
    codes = []
    at.parent.mkdir(parents=True, exist_ok=True)
    with at.open("wb") as told, started(BEHIND, options, told) as behind:
        say(f"Tests that no clock judges go on behind the others; what they say is in {at}.")
        for part in IN_FRONT:
            say(f"\n{' '.join(part)}")
            with started(part, options) as running:
                codes.append(running.wait())
        say(f"\n{' '.join(BEHIND)}")
        codes.append(shown_to_its_end(behind, at))
    # A part without a test is no fault where few were asked for; where none has one, it is.
    some = [code for code in codes if code != NO_TEST]
    return next((code for code in some if code), 0) if some else NO_TEST


if __name__ == "__main__":
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    reader = argparse.ArgumentParser(
        prog="python -m suites.selftest",
        description=__doc__,
        epilog="Example: python -m suites.selftest --tests suites/selftest/protocols -x",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    reader.add_argument("--tests", default="suites/selftest", help="folder or file (default: %(default)s)")
    reader.add_argument("--told", type=Path, default=TOLD, help="what the part behind says (default: %(default)s)")
    chosen, rest = reader.parse_known_args()
    try:
        sys.exit(main(chosen.tests, chosen.told, rest))
    except KeyboardInterrupt:
        sys.exit(130)
