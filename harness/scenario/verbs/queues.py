"""What many callers do at once, what one does who is rung back, and what a supervisor sees of queues and callbacks."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from harness.drivers.call_load import MAX_CALLS, LoadPlan, Moment
from harness.drivers.scripted_phone import ScriptedCall
from harness.errors import DriverError
from harness.scenario import measures
from harness.scenario.cast import Part
from harness.scenario.model import Due
from harness.scenario.values import Seconds
from harness.scenario.verbs.base import Arguments, Nothing, verb
from harness.testbed.clips import read_clip
from harness.testbed.conversation import hears as heard
from harness.testbed.since import Since


class Load(Arguments):
    """Calls by the dozen."""

    number: str = Field(pattern=r"^[0-9]{2,15}$")
    calls: int = Field(ge=1, le=MAX_CALLS)
    at_once: int = Field(default=0, ge=0, le=MAX_CALLS)
    """So many of them at the beginning; the others evenly over the time."""
    over: Seconds
    holds: Seconds
    """For so long each talks, once it is answered."""
    patience: Seconds = 1_800.0
    """For so long each waits."""


class Answered(Arguments):
    """How soon the calls of a load are to have been answered."""

    within: Seconds
    share: Due
    """Of all that were placed, what share was answered within the time, in %."""
    mean: Due
    """The mean time to the answer, in seconds."""
    measured_in: ClassVar[Mapping[str, str]] = {"share": "%", "mean": "s"}


class Number(Arguments):
    """Whom to call."""

    number: str = Field(default="101", pattern=r"^[0-9]{2,15}$")


class Digits(Arguments):
    """Keys."""

    digits: str = Field(pattern=r"^[0-9A-D*#]{1,64}$")


class Words(Arguments):
    """What is to be heard."""

    clip: str = Field(min_length=1, max_length=200)
    within: Seconds = 10.0


class Within(Arguments):
    """A time."""

    within: Seconds = 10.0


class Figure(Arguments):
    """A figure of a queue's on the wallboard, and what it has to be."""

    queue: str = Field(min_length=1, max_length=80)
    figure: str = Field(min_length=1, max_length=80)
    least: float | None = None
    most: float | None = None
    within: Seconds = 10.0


class Callbacks(Arguments):
    """What has to have become of a queue's callbacks: all that were accepted reached somebody."""

    queue: str = Field(min_length=1, max_length=80)
    accepted: int = Field(ge=0, le=10_000)


@verb("call_load", arguments=Load)
async def begin(part: Part, args: Load) -> None:
    """Begins to place calls, each of which talks for a time; the timeline goes on."""
    if part.load is not None and not part.load.done():
        raise DriverError(f"{part.name} has a load under way already")
    even = args.calls - min(args.at_once, args.calls)
    times = [0.0] * (args.calls - even) + [args.over * number / even for number in range(1, even + 1)]
    plan = LoadPlan(
        number=args.number,
        calls=args.calls,
        per_second=args.calls / max(args.over, 1.0),
        hold_s=args.holds,
        answer_within_s=args.patience,
        speech=False,
        moments=tuple(Moment(at, args.holds) for at in times),
    )
    part.load = asyncio.create_task(part.driver.place(plan))
    part.load.add_done_callback(lambda task: None if task.cancelled() else task.exception())


@verb("call_load", arguments=Answered)
async def has_answered(part: Part, args: Answered) -> None:
    """Waits until all calls of the load are over, and looks how soon they were answered, as their network sees it."""
    if part.load is None:
        raise DriverError(f"{part.name} has begun no load")
    calls = await asyncio.shield(part.load)
    waits = [call.answer_s for call in calls if call.answer_s is not None]
    share = 100.0 * sum(wait <= args.within for wait in waits) / len(calls)
    if not waits:
        raise DriverError(
            f"{part.name}: none of {len(calls)} calls was answered: {calls[0].reason or calls[0].problem}"
        )
    for name, due, value, unit, at_least in (
        (f"answered within {args.within:g} s, {part.name}", args.share, share, "%", True),
        (f"mean time to answer, {part.name}", args.mean, sum(waits) / len(waits), "s", False),
    ):
        measures.hold(
            part.cast.bench,
            name,
            value,
            unit,
            limit=due.limit,
            requirement=due.requirement,
            figure=due.figure,
            at_least=at_least,
        )


def _latest(part: Part) -> ScriptedCall:
    if not part.driver.calls:
        raise DriverError(f"{part.name} has no call")
    call: ScriptedCall = part.driver.calls[-1]
    return call


@verb("scripted_phone", arguments=Number, short="number")
async def dial(part: Part, args: Number) -> str:
    """Dials a number, 101 where none is told, showing the actor's own."""
    number = getattr(part.actor, "number", None)
    caller = f"<sip:{number}@{part.driver.address[0]}>" if number else ""
    return str((await part.driver.dial(args.number, caller=caller)).sip.id)


@verb("scripted_phone", arguments=Within, short="within")
async def is_answered(part: Part, args: Within) -> None:
    """Waits until the call is answered, by an adviser or for who waits, and fails where it is not in time."""
    await _latest(part).answered(within=args.within)


@verb("scripted_phone", arguments=Words, short="clip")
async def hears(part: Part, args: Words) -> None:
    """Waits until these words were heard, and fails where they are not in time."""
    await heard(_latest(part), read_clip(args.clip), within=args.within)


@verb("scripted_phone", arguments=Digits, short="digits")
async def press(part: Part, args: Digits) -> None:
    """Presses keys of the telephone."""
    await _latest(part).press(args.digits)


@verb("scripted_phone", arguments=Within, short="within")
async def is_called(part: Part, args: Within) -> None:
    """Waits until it is rung back; it answers by itself."""
    await part.driver.called(within=args.within)


@verb("scripted_phone")
async def hang_up(part: Part, _args: Nothing) -> None:
    """Puts the receiver down."""
    _latest(part).hang_up()


@verb("scripted_phone", arguments=Within, short="within")
async def is_over(part: Part, args: Within) -> None:
    """Waits until the other side has ended the call."""
    await _latest(part).ended(within=args.within)


def _since(part: Part) -> Since:
    assert part.since is not None, "who casts a supervisor notes when the scenario began"
    return part.since


@verb("supervisor", arguments=Figure)
async def sees(part: Part, args: Figure) -> None:
    """Waits until a figure of a queue on the wallboard is at least, or at most, so much; counts are since the start."""
    before = _since(part).before(args.queue, args.figure)
    least, most = (None if bound is None else before + bound for bound in (args.least, args.most))
    await part.driver.wait_until(args.queue, args.figure, least=least, most=most, within=args.within)


@verb("supervisor", arguments=Callbacks)
async def has_callbacks(part: Part, args: Callbacks) -> None:
    """Looks whether so many callbacks were accepted in a queue, all of them reached, and none is due still."""
    told = _since(part).more(args.queue, await part.driver.queue(args.queue), "callbacks")
    due = len(await part.driver.callbacks())
    if (told["accepted"], told["reached"], told["not reached"], due) != (args.accepted, args.accepted, 0, 0):
        raise DriverError(f"callbacks of {args.queue} are {told}, {due} due still; due: {args.accepted}, all reached")
