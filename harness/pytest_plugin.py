"""The pytest side of the harness: options, real or virtual time, requirement markers, evidence of each test.

A test that takes the fixture ``bench`` runs on the real wire, in virtual time, or both, as ``--time`` says.
"""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from harness.errors import NotApplicableError, NotPlayedError, TestbedError
from harness.evidence.allure_adapter import RunDescription, attach
from harness.evidence.collect import told_on_the_wire
from harness.evidence.on_the_wire import Failure
from harness.evidence.pytest_side import RequirementsPlugin
from harness.testbed.bench import Bench
from harness.testbed.layouts import plays
from harness.testbed.load import load_testbed
from harness.testbed.model import Testbed
from harness.testbed.places import KEEP_VARIABLE, SEED, TESTBED_VARIABLE
from harness.testbed.run import Run, started_run
from harness.testbed.simulation import load_starters
from harness.transport.virtual_loop import VirtualLoop

PROJECT = Path(__file__).resolve().parents[1]
DEFAULT_TESTBED = PROJECT / "fixtures" / "testbeds" / "simulated.yaml"
RUN = pytest.StashKey[Run]()

requirement = pytest.mark.requirement
"""``@requirement("NICCS-TEL-006")``: the acceptance criteria that a test gives evidence for."""

LoopFactory = Callable[[], asyncio.AbstractEventLoop]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the harness's options."""
    group = parser.getgroup("iccs", "ICCS acceptance harness")
    group.addoption(
        "--testbed",
        type=Path,
        default=Path(os.environ.get(TESTBED_VARIABLE, DEFAULT_TESTBED)),
        help="testbed file: what stands behind each role (default: all simulated)",
    )
    group.addoption(
        "--time",
        choices=("real", "virtual", "both"),
        default="real",
        help="run bench tests over real wires, in virtual time, or both (default: real)",
    )
    group.addoption(
        "--seed", type=int, default=SEED, help=f"seed of virtual time's delays and identifiers (default: {SEED})"
    )
    group.addoption(
        "--keep-evidence",
        choices=("failures", "all"),
        default=os.environ.get(KEEP_VARIABLE, "failures"),
        help="attach captures, transcripts and audio to failed tests only, or to all (default: failures)",
    )
    group.addoption(
        "--journal-dir", type=Path, default=None, help="write each bench test's journal there, one JSON line an event"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Tie requirements to the catalogue, and tell Allure what was real."""
    config.pluginmanager.register(RequirementsPlugin(), "iccs-requirements")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Have there, before the first test, what its result tells of what was real, and what virtual time starts here."""
    if not any("bench" in getattr(item, "fixturenames", ()) for item in session.items):
        return
    testbed = _testbed_of(session.config)
    if testbed is not None:
        bindings = {name: each.binding.value for name, each in testbed.components.items()}
        os.environ.update(RunDescription(testbed.stage, bindings).environment())
    if session.config.getoption("--time") != "real":
        load_starters()


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> Mapping[str, LoopFactory]:
    """Run bench tests on the loops that ``--time`` names; marked ``virtual_time`` or ``testbed``, in virtual time.

    Marked ``testbed`` they run in real time where the run's testbed stands for that layout with real equipment.

    Those marked ``waits`` wait for people and clocks more than they work, and those marked ``loads`` would judge the
    machine that simulates both ends: beside real equipment they do so in real time, and where all is simulated in
    virtual time, unless both are asked for.
    """
    seed = config.getoption("--seed")
    virtual: LoopFactory = lambda: VirtualLoop(seed)  # noqa: E731 - a factory, as the hook wants one
    named = item.get_closest_marker("testbed")
    if named is not None and _plays(config, named.args[0]):
        return {"real": asyncio.new_event_loop}
    if any(item.get_closest_marker(name) is not None for name in ("virtual_time", "testbed")):
        return {"virtual": virtual}
    if "bench" not in getattr(item, "fixturenames", ()):
        return {"real": asyncio.new_event_loop}
    both: dict[str, LoopFactory] = {"real": asyncio.new_event_loop, "virtual": virtual}
    wanted = config.getoption("--time")
    rather_virtual = any(item.get_closest_marker(name) is not None for name in ("waits", "loads"))
    if wanted == "real" and rather_virtual and _is_simulated(config):
        wanted = "virtual"
    return both if wanted == "both" else {wanted: both[wanted]}


_testbed = pytest.StashKey[Testbed | None]()


def _testbed_of(config: pytest.Config) -> Testbed | None:
    """The run's testbed. A file that can't be read is for the fixture `run` to tell of."""
    if _testbed not in config.stash:
        try:
            config.stash[_testbed] = load_testbed(config.getoption("--testbed"))
        except TestbedError:
            config.stash[_testbed] = None
    return config.stash[_testbed]


def _is_simulated(config: pytest.Config) -> bool:
    """Whether nothing on the testbed is real."""
    testbed = _testbed_of(config)
    return testbed is not None and not testbed.real()


def _plays(config: pytest.Config, layout: str) -> bool:
    """Whether tests of a layout are played on the run's own testbed, in real time."""
    testbed = _testbed_of(config)
    return testbed is not None and plays(testbed, layout)


@pytest.fixture(scope="session")
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """The run: testbed, clock, folder and, unless only virtual time is wanted, simulators."""
    config = request.config
    with ExitStack() as stack:
        yield stack.enter_context(
            started_run(
                config.getoption("--testbed"),
                directory=tmp_path_factory.mktemp("run"),
                keep=config.getoption("--keep-evidence"),
                start=config.getoption("--time") != "virtual" or not _is_simulated(config),
            )
        )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Close the bench with the test, so that what closing shows belongs to it, then attach its evidence."""
    error = None
    try:
        return (yield)
    except BaseException as raised:
        error = raised
        raise
    finally:
        fixtures: dict[str, Any] = getattr(item, "funcargs", {})
        bench = fixtures.get("bench")
        if isinstance(bench, Bench):
            _end(item, bench, fixtures["run"], error)


def _end(item: pytest.Item, bench: Bench, run: Run, error: BaseException | None) -> None:
    """Close a test's bench; ``error``, where it failed, is told where on the wire that was."""
    failed = None
    if error is not None and not isinstance(error, pytest.skip.Exception | NotApplicableError | NotPlayedError):
        failed = Failure(bench.journal.now(), str(error))
    try:
        bench.loop.run_until_complete(bench.close())
    except BaseException as not_closed:
        failed = failed or Failure(bench.journal.now(), str(not_closed))
        raise
    finally:  # a bench that does not close fails the test, and its evidence is wanted all the more
        folder: Path | None = item.config.getoption("--journal-dir")
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / journal_name(item.nodeid)).write_text(bench.journal.lines(), encoding="utf-8")
        left = run.evidence(bench, item.name, failed=failed)
        attach(left)
        where = told_on_the_wire(left)
        if error is not None and where:
            error.add_note(where)


def journal_name(nodeid: str) -> str:
    """Return the name of the file that a test's journal goes to: of two tests with one name each has its own."""
    return re.sub(r"[^\w.-]+", "-", nodeid).strip("-") + ".jsonl"
