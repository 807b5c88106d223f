"""``iccs replay``: plays a scenario in real or virtual time, all seats by the harness or one by a person."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from harness.cli.places import LOAD_TESTBED, SIMULATED_TESTBED
from harness.errors import HarnessError, ScenarioError, TestbedError

if TYPE_CHECKING:
    from harness.scenario.load_model.model import LoadFile
    from harness.scenario.model import Scenario, Step
    from harness.source import Spot
    from harness.testbed.run import Run

EXIT_FAILED, EXIT_USAGE, EXIT_ENVIRONMENT, EXIT_INTERRUPTED = 1, 2, 3, 130


def replay(
    file: Annotated[Path, typer.Argument(help="Scenario file (YAML).")],
    testbed: Annotated[
        Path | None,
        typer.Option(
            help="Testbed file: what stands behind each actor.",
            show_default="the scenario's own, else fixtures/testbeds/simulated.yaml",
        ),
    ] = None,
    virtual: Annotated[bool, typer.Option("--virtual", help="In virtual time: as fast as this machine can.")] = False,
    seed: Annotated[int | None, typer.Option(help="Seed of delays and identifiers.", show_default="1")] = None,
    speed: Annotated[
        float | None, typer.Option(help="So many times as fast as a wall clock; everything simulated.")
    ] = None,
    step: Annotated[bool, typer.Option("--step", help="Ask for Enter before each step.")] = False,
    journal: Annotated[Path | None, typer.Option(help="Write the journal here, one JSON line an event.")] = None,
    seat: Annotated[
        list[str] | None, typer.Option(help="Leave this actor's console to a person; may be given more than once.")
    ] = None,
) -> None:
    """Play a scenario and tell each step as it ends.

    In real time simulators that the testbed names are started for the run and ended after it, over loopback sockets
    and serial lines. With --virtual or --speed all of it runs in this process on a clock of its own: with --virtual
    one seed gives one journal, byte for byte.

    Exit codes: 0 passed, 1 failed, 2 wrong use, scenario or testbed, 3 something the run needs is missing, 130
    interrupted (what was reached is told).

    Examples:

      iccs replay fixtures/scenarios/01-domestic-in-progress.yaml

      iccs replay fixtures/scenarios/03-officer-emergency.yaml --virtual --seed 7 --journal journal.jsonl

      iccs replay fixtures/scenarios/01-domestic-in-progress.yaml --seat call_taker

      iccs load-model --day --out day.yaml && iccs replay day.yaml --virtual
    """
    seats = tuple(seat or ())
    plan = _Plan(file, testbed, virtual, 1 if seed is None else seed, speed, step, journal, seats)
    try:
        plan.check(seeded=seed is not None)
        load = _load_of(plan)
        passed = _played(plan) if load is None else _played_load(plan, load)
    except (ScenarioError, TestbedError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        raise typer.Exit(EXIT_USAGE) from error
    except (HarnessError, OSError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        raise typer.Exit(EXIT_ENVIRONMENT) from error
    except KeyboardInterrupt:
        raise typer.Exit(EXIT_INTERRUPTED) from None
    if not passed:
        print(f"Again: {plan.command()}", file=sys.stderr)  # noqa: T201
        raise typer.Exit(EXIT_FAILED)


@dataclass(frozen=True, slots=True)
class _Plan:
    file: Path
    testbed: Path | None
    """None: the one that the scenario names, or the simulated one."""
    virtual: bool
    seed: int
    speed: float | None
    step: bool
    journal: Path | None
    seats: tuple[str, ...]

    @property
    def in_process(self) -> bool:
        """Whether simulators run in this process, on a clock of their own."""
        return self.virtual or self.speed is not None

    def check(self, *, seeded: bool) -> None:
        """Raise ScenarioError for options that do not go together."""
        if self.virtual and self.speed is not None:
            raise ScenarioError("--virtual is as fast as can be, --speed at a pace: one of the two")
        if self.in_process and self.seats:
            raise ScenarioError("--seat needs real time: a person reaches no console that runs on a clock of its own")
        if seeded and not self.in_process:
            raise ScenarioError("--seed goes with --virtual or --speed: in real time no seed settles what happens")

    def command(self) -> str:
        """The command that plays this again."""
        words = ["iccs replay", str(self.file)]
        words += [] if self.testbed is None else ["--testbed", str(self.testbed)]
        words += ["--virtual"] if self.virtual else []
        words += ["--speed", f"{self.speed:g}"] if self.speed is not None else []
        words += ["--seed", str(self.seed)] if self.in_process else []
        words += [word for seat in self.seats for word in ("--seat", seat)]
        return " ".join(words)


def _load_of(plan: _Plan) -> LoadFile | None:
    """The load that the file holds; None where it is a scenario with a timeline."""
    from harness.scenario.load_model.file import check_options, read_load  # noqa: PLC0415 - help must come at once

    load = read_load(plan.file)
    if load is not None:
        check_options(plan.file, virtual=plan.virtual, others=bool(plan.seats) or plan.step)
    return load


def _played_load(plan: _Plan, load: LoadFile) -> bool:
    from harness.cli.replay_load import replay_load  # noqa: PLC0415 - help must come at once

    return replay_load(load, plan.testbed or LOAD_TESTBED, seed=plan.seed, journal=plan.journal)


def _played(plan: _Plan) -> bool:
    from harness.scenario.cast import named_testbed  # noqa: PLC0415 - help must come at once
    from harness.scenario.load import load_with_lines  # noqa: PLC0415
    from harness.scenario.seats import check_seats  # noqa: PLC0415
    from harness.testbed.run import started_run  # noqa: PLC0415
    from harness.transport.paced_loop import PacedLoop  # noqa: PLC0415
    from harness.transport.virtual_loop import VirtualLoop  # noqa: PLC0415

    scenario, lines = load_with_lines(plan.file)
    check_seats(scenario, plan.seats)
    testbed = plan.testbed or named_testbed(scenario, lines) or SIMULATED_TESTBED
    loops: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
    if plan.virtual:
        loops = lambda: VirtualLoop(plan.seed)  # noqa: E731
    elif plan.speed is not None:
        speed = plan.speed
        loops = lambda: PacedLoop(plan.seed, speed)  # noqa: E731
    print(f"{scenario.id}: {scenario.title}", flush=True)  # noqa: T201
    if scenario.brief and plan.seats:
        print(scenario.brief, flush=True)  # noqa: T201
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="iccs-replay-")))
        run = stack.enter_context(started_run(testbed, directory=folder, keep="failures", start=not plan.in_process))
        runner = stack.enter_context(asyncio.Runner(loop_factory=loops))
        return runner.run(_play(plan, scenario, lines, run))


async def _play(plan: _Plan, scenario: Scenario, lines: Spot, run: Run) -> bool:
    from harness.scenario.player import Onlooker, Player  # noqa: PLC0415
    from harness.testbed.bench import open_bench  # noqa: PLC0415

    def begins(step: Step, told: str) -> None:
        theirs = [actor for actor in step.acts if actor in plan.seats]
        if theirs:
            within = f" ({step.within:g} s)" if step.within is not None else ""
            print(f"  your turn, {', '.join(theirs)}{within}: {step.hint or told}", flush=True)  # noqa: T201

    onlooker = Onlooker(
        begins=begins,
        ended=lambda step: print(step.line(), flush=True),  # noqa: T201
        gate=_ask if plan.step else None,
    )
    async with open_bench(
        run.testbed,
        today=date.today(),  # noqa: DTZ011 - a permit is dated by the tester's calendar
        addresses=run.addresses,
        virtual=plan.in_process,
        seed=plan.seed if plan.in_process else None,
        origin=None if plan.in_process else run.origin,
    ) as bench:
        player = Player(scenario, bench, lines=lines, seats=plan.seats, onlooker=onlooker)
        with ExitStack() as stack:
            if plan.journal is not None:
                file = stack.enter_context(plan.journal.open("w", encoding="utf-8"))
                for event in bench.journal:
                    file.write(event.line() + "\n")
                stack.callback(bench.journal.subscribe(lambda event: _write(file, event.line())))
            try:
                result = await player.play()
            finally:
                print(player.result.told(), flush=True)  # noqa: T201
            await bench.close()
    return result.outcome == "passed"


def _write(file: TextIO, line: str) -> None:
    file.write(line + "\n")


async def _ask(told: str) -> None:
    """Wait for Enter: on a clock of its own the clock stands, in real time calls and speech go on."""
    from harness.transport.virtual_loop import VirtualLoop  # noqa: PLC0415

    print(f"  next: {told}  [Enter]", end="", flush=True)  # noqa: T201
    loop = asyncio.get_running_loop()
    if isinstance(loop, VirtualLoop):
        sys.stdin.readline()
        return
    pressed: asyncio.Future[None] = loop.create_future()
    try:
        loop.add_reader(sys.stdin.fileno(), _settle, pressed)
    except PermissionError:  # a file, which can't be waited for: it is read at once
        sys.stdin.readline()
        return
    try:
        await pressed
        sys.stdin.readline()
    finally:
        loop.remove_reader(sys.stdin.fileno())


def _settle(pressed: asyncio.Future[None]) -> None:
    if not pressed.done():
        pressed.set_result(None)
