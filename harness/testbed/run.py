"""One run of a suite: its testbed, clock and folder, and the simulators that were started for it or that it starts."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import TestbedError
from harness.evidence.capture import Captures
from harness.evidence.collect import Attachment, Evidence, Keep
from harness.evidence.on_the_wire import Failure
from harness.testbed.addresses import Addresses
from harness.testbed.bench import Bench
from harness.testbed.child import simulators
from harness.testbed.load import load_testbed
from harness.testbed.model import Testbed
from harness.testbed.places import ADDRESSES_VARIABLE, ORIGIN_VARIABLE, RUN_DIR_VARIABLE, SIMULATORS_CAPTURE
from harness.testbed.simulation import startable


@dataclass(slots=True)
class Run:
    """What the tests of one run share."""

    path: Path
    """The testbed file."""
    testbed: Testbed
    directory: Path
    """Where captures go."""
    origin: float
    """Monotonic time that counts as run time 0."""
    epoch: float
    """Calendar time of run time 0, seconds since 1970."""
    addresses: Addresses | None
    """Where the simulators are, or None when none were started (virtual time, or nothing simulated)."""
    keep: Keep
    captures: Captures = field(default_factory=Captures)
    """How far the run's record files were read for the tests before."""

    def evidence(self, bench: Bench, title: str, *, failed: Failure | None) -> list[Attachment]:
        """Return what a test left, once its bench is closed.

        In real time the simulators' own captures, such as that of the gateway's serial line, are in the run's folder;
        they may lack the last moment. In virtual time they are in the bench's.
        """
        bench.context.flush()
        virtual = (bench.directory / SIMULATORS_CAPTURE).exists()
        folders = (bench.directory,) if virtual else (bench.directory, self.directory / SIMULATORS_CAPTURE)
        return Evidence(folders, bench.context.names, self.epoch, self.keep, self.captures).attachments(
            title,
            bench.journal,
            start=bench.opened,
            end=bench.journal.now(),
            failed=failed,
            measures=[dict(event.data) for event in bench.journal if event.kind == "measure"],
        )


@contextmanager
def started_run(path: Path, *, directory: Path, keep: Keep, start: bool, seed: int | None = None) -> Iterator[Run]:
    """Yield the run of this process.

    Under ``iccs accept`` the simulators are there already and the environment says where; else they are started (where
    ``start`` says so and the testbed has any) and end with the block. Raises TestbedError.
    """
    testbed = load_testbed(path)
    # What was imported lives as long as the run: a full collection that goes through it takes 0.1 s and more each time.
    gc.collect()
    gc.freeze()
    directory = Path(os.environ.get(RUN_DIR_VARIABLE, directory))
    now = time.monotonic()
    try:
        origin = float(os.environ.get(ORIGIN_VARIABLE, now))
    except ValueError as error:
        raise TestbedError(f"{ORIGIN_VARIABLE} is no number: {error}") from error
    with ExitStack() as stack:
        addresses: Addresses | None = None
        if ADDRESSES_VARIABLE in os.environ:
            addresses = Addresses.load(Path(os.environ[ADDRESSES_VARIABLE]))
        elif start and startable(testbed):
            addresses = stack.enter_context(simulators(path, origin=origin, run_dir=directory, seed=seed))
        epoch = time.time() - (time.monotonic() - origin)
        yield Run(path, testbed, directory, origin, epoch, addresses, keep)
