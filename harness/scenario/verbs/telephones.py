"""What a user of a telephone does, how good the call was, and what whoever runs the switch lets fail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from harness.errors import DriverError
from harness.measure.emodel import quality
from harness.scenario import measures
from harness.scenario.cast import Part
from harness.scenario.model import Due
from harness.scenario.values import Seconds
from harness.scenario.verbs.base import Arguments, Nothing, verb


class PhoneNumber(Arguments):
    """Whom to call."""

    number: str = Field(pattern=r"^\+?[0-9*#]{1,20}$")


class Within(Arguments):
    """A time."""

    within: Seconds = 10.0


class Sounded(Arguments):
    """How good the call that a telephone has is to have been so far."""

    mos: Due
    """What a listener would give it, 1 to 5, by the E-model (ITU-T G.107) from losses, codec and delay."""
    delay_ms: float = Field(default=0.0, ge=0, le=1_000)
    """What its speech took one way; a network's promise where it is not measured."""
    measured_in: ClassVar[Mapping[str, str]] = {"mos": ""}


class TrunkFault(Arguments):
    """A trunk, and how it fails."""

    trunk: str = Field(min_length=1, max_length=40)
    fault: Literal["refusing", "silent"] = "silent"
    """``silent``: a cut wire; ``refusing``: 503 to every call."""


class OfTrunk(Arguments):
    """A trunk."""

    trunk: str = Field(min_length=1, max_length=40)


@verb("telephone", arguments=PhoneNumber, short="number")
async def dial(part: Part, args: PhoneNumber) -> str:
    """Dials a number; 'as' keeps the SIP Call-ID."""
    return str((await part.driver.dial(args.number)).id)


@verb("telephone", arguments=Within, short="within")
async def is_ringing_there(part: Part, args: Within) -> None:
    """Waits until the call that was dialled rings where it goes, and fails where it does not in time."""
    await part.driver.current.ringing(within=args.within)


@verb("telephone", arguments=Within, short="within")
async def is_answered(part: Part, args: Within) -> None:
    """Waits until the call that was dialled is answered, and fails where it is not in time."""
    await part.driver.current.answered(within=args.within)


@verb("telephone", arguments=Within, short="within")
async def answer(part: Part, args: Within) -> str:
    """Answers the call that rings here, or comes in time; 'as' keeps the number that is shown."""
    call = await part.driver.rings(within=args.within)
    await call.answer()
    return str(call.number)


@verb("telephone")
async def hang_up(part: Part, _args: Nothing) -> None:
    """Puts the receiver down."""
    await part.driver.current.hang_up()


@verb("telephone", arguments=Sounded)
async def sounded(part: Part, args: Sounded) -> None:
    """Looks how good the call sounded here so far; fails where nothing was heard at all."""
    call = part.driver.current
    stats = await call.stats()
    sent = stats.packets_received + stats.lost
    if not sent:
        raise DriverError(f"{part.name} was sent no speech: there is nothing to judge")
    mos = quality(stats.codec or call.codec, delay_ms=args.delay_ms, loss=stats.lost / sent).mos
    due = args.mos
    measures.hold(
        part.cast.bench,
        f"MOS {part.name}",
        mos,
        "",
        limit=due.limit,
        requirement=due.requirement,
        figure=due.figure,
        at_least=True,
    )


@verb("enterprise_switch", arguments=TrunkFault, short="trunk")
async def fail_trunk(part: Part, args: TrunkFault) -> None:
    """Lets a trunk fail."""
    await part.driver.fail_trunk(args.trunk, args.fault)


@verb("enterprise_switch", arguments=OfTrunk, short="trunk")
async def mend_trunk(part: Part, args: OfTrunk) -> None:
    """Lets a trunk be well again."""
    await part.driver.mend_trunk(args.trunk)
