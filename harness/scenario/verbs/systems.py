"""What command and control's operator and a supervisor do, and whoever makes command and control fail."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.errors import DriverError
from harness.scenario.cast import Part
from harness.scenario.values import Seconds
from harness.scenario.verbs.base import Arguments, Nothing, verb


class Fault(Arguments):
    """A fault."""

    fault: Literal["down", "silent", "loses_answers", "errors", "slow"] = "down"
    seconds: Seconds = 1.0
    """How long a slow one takes."""


class UnitState(Arguments):
    """A unit's state."""

    unit: str = Field(min_length=1, max_length=80)
    """Its call sign."""
    state: str = Field(min_length=1, max_length=80)


class Incident(Arguments):
    """An incident of the control room's."""

    incident: str = Field(min_length=1, max_length=80)


class Line(Incident):
    """A line of its log."""

    text: str = Field(min_length=1, max_length=2_000)


class Log(Incident):
    """Lines that its log has to hold, in order, each once."""

    lines: tuple[str, ...] = Field(min_length=1, max_length=1_000)


class Within(Arguments):
    """A time."""

    within: Seconds = 30.0


class Reconciled(Arguments):
    """What the reconciliation has to tell."""

    orphans: int = Field(default=0, ge=0)
    """Answered calls that nothing accounts for."""


class Locations(Arguments):
    """Sources of locations that a call record has to hold, in order."""

    record: str = Field(min_length=1, max_length=80)
    sources: tuple[str, ...] = Field(min_length=1, max_length=50)


async def _shared_as(part: Part, incident: str) -> str:
    """The name under which the control room told of an incident."""
    told = (await (await part.cast.bench.supervisor()).incident(incident)).get("shared_as")
    if told is None:
        raise DriverError(f"{incident} was never told to command and control")
    return str(told)


@verb("command_control", arguments=Fault, short="fault")
async def fail(part: Part, args: Fault) -> None:
    """Makes it fail: down, silent, loses_answers, errors, slow."""
    await part.driver.fail(args.fault, seconds=args.seconds)


@verb("command_control")
async def recover(part: Part, _args: Nothing) -> None:
    """Ends the fault."""
    await part.driver.recover()


@verb("command_control", arguments=UnitState)
async def set_unit_state(part: Part, args: UnitState) -> None:
    """Sets a unit's state; control rooms are told."""
    await part.driver.set_unit_state(args.unit, args.state)


@verb("command_control", arguments=Line)
async def write(part: Part, args: Line) -> None:
    """Writes a line into an incident's log; control rooms are told."""
    await part.driver.write(await _shared_as(part, args.incident), args.text)


@verb("command_control", arguments=Log)
async def has_log(part: Part, args: Log) -> None:
    """Looks whether an incident's log holds these lines, in this order and each once."""
    log = [str(line["text"]) for line in (await part.driver.incident(await _shared_as(part, args.incident)))["log"]]
    kept = [line for line in log if line in args.lines]
    if kept != list(args.lines):
        raise DriverError(
            f"the log of {args.incident} at command and control is {log}; due, in order and once: {list(args.lines)}"
        )


@verb("supervisor", arguments=Within, short="within")
async def sees_all_told(part: Part, args: Within) -> None:
    """Waits until nothing waits for command and control any more."""
    await part.driver.all_told(within=args.within)


@verb("supervisor", arguments=Reconciled, short="orphans")
async def reconciles(part: Part, args: Reconciled) -> None:
    """Looks whether every call that was answered since the start has an incident or a reason."""
    assert part.since is not None, "who casts a supervisor notes when the scenario began"
    orphaned = [each["record"] for each in await part.since.orphaned()]
    if len(orphaned) != args.orphans:
        raise DriverError(
            f"{len(orphaned)} answered calls have neither incident nor reason: {orphaned}; due: {args.orphans}"
        )


@verb("supervisor", arguments=Locations)
async def finds_locations(part: Part, args: Locations) -> None:
    """Looks whether a call record keeps all its locations, by source, in order."""
    found = [each["source"] for each in (await part.driver.record(args.record))["locations"]]
    if found != list(args.sources):
        raise DriverError(f"record {args.record} has locations from {found}; due: {list(args.sources)}")
