"""What a caller does at a telephone, and the 999 operators and those who run their network do."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from harness.drivers.phone_call import PhoneCall
from harness.errors import DriverError
from harness.scenario.cast import Part
from harness.scenario.values import Seconds
from harness.scenario.verbs.base import Arguments, Nothing, verb


class Dial(Arguments):
    """A number."""

    number: str = Field(default="999", min_length=1, max_length=40)
    withheld: bool = False
    """Ask that the number is not shown."""


class Within(Arguments):
    """A time."""

    within: Seconds = 10.0


class Press(Arguments):
    """Keys."""

    digits: str = Field(pattern=r"^[0-9A-D*#]{1,64}$")


class Text(Arguments):
    """Words."""

    text: str = Field(min_length=1, max_length=2_000)


class SendText(Text):
    """A text message."""

    number: str = Field(default="999", max_length=40)


class Connect(Arguments):
    """Where the caller goes."""

    authority: str | None = None
    route: str | None = None
    silent: Literal["55", "noise", "unresolved"] | None = None
    """How the caller was heard, told with the call."""


class Fault(Arguments):
    """A fault of the network's."""

    fault: str
    seconds: Seconds = 10.0


class Operators(Arguments):
    """How automatic operators work."""

    automatic: int | None = Field(default=None, ge=0, le=1_000)
    """How many there are; 0: none but those at desks."""


@verb("emergency_caller", arguments=Dial, short="number")
async def dial(part: Part, args: Dial) -> str:
    """Dials a number, 999 where none is told; what is said next waits for the answer."""
    call = await part.driver.dial(args.number, withheld=args.withheld)
    part.dials(call)
    return str(call.id)


@verb("emergency_caller")
async def lift(part: Part, _args: Nothing) -> None:
    """Lifts the receiver of a landline again, whose circuit is kept."""
    part.dials(await part.driver.lift())


@verb("emergency_caller", arguments=Within, short="within")
async def pick_up(part: Part, args: Within) -> None:
    """Answers a call that rings (a ring-back), or comes in time."""
    part.call = await part.driver.pick_up(within=args.within)
    part.answering = None


@verb("emergency_caller", "trunk_caller")
async def hang_up(part: Part, _args: Nothing) -> None:
    """Puts the receiver down."""
    call = part.dialled()
    await part.close()
    await call.hang_up()


@verb("emergency_caller", "trunk_caller", arguments=Press, short="digits")
async def press(part: Part, args: Press) -> None:
    """Presses keys of the telephone."""
    call = await part.on_call()
    await (call.press(args.digits) if isinstance(call, PhoneCall) else call.send_dtmf(args.digits))


@verb("emergency_caller", "trunk_caller", arguments=Within, short="within")
async def is_answered(part: Part, args: Within) -> None:
    """Waits until the call is answered, and fails where it is not in time."""
    await part.dialled().answered(within=args.within)


@verb("emergency_caller")
async def send_location(part: Part, _args: Nothing) -> None:
    """Sends the actor's 'location' as a handset does by itself (AML, by text)."""
    place = getattr(part.actor, "location", None)
    if place is None:
        raise DriverError(f"{part.name} has no 'location' to send")
    await part.driver.send_position(place.lat, place.lon, place.radius_m)


@verb("emergency_caller", arguments=SendText, short="text")
async def text(part: Part, args: SendText) -> None:
    """Sends a text message, to 999 where no number is told."""
    await part.driver.send_text(args.text, number=args.number)


# The 999 operator


class WhichCall(Arguments):
    """A call."""

    call: str | None = None


@verb("emergency_operator", arguments=WhichCall, short="call")
async def answer(part: Part, args: WhichCall) -> str:
    """Answers the call that waits longest, or the one named."""
    return str(await part.driver.answer(args.call))


@verb("emergency_operator", arguments=Connect, short="authority")
async def connect(part: Part, args: Connect) -> None:
    """Connects the caller to the control room."""
    await part.driver.connect(args.authority, route=args.route, silent=args.silent)


@verb("emergency_operator")
async def silent_solution(part: Part, _args: Nothing) -> None:
    """Puts a caller who does not speak through the announcement."""
    await part.driver.silent_solution()


@verb("emergency_operator")
async def leave(part: Part, _args: Nothing) -> None:
    """Leaves the call: caller and control room go on alone."""
    await part.driver.leave()


@verb("emergency_operator")
async def clear(part: Part, _args: Nothing) -> None:
    """Ends the call."""
    await part.driver.clear()


@verb("emergency_operator", arguments=Text, short="text")
async def write(part: Part, args: Text) -> None:
    """Writes to caller and control room."""
    await part.driver.write(args.text)


# Whoever runs the network


@verb("emergency_network", arguments=Operators, short="automatic")
async def operators(part: Part, args: Operators) -> None:
    """Sets how many automatic operators there are."""
    await part.driver.set_operators(**args.model_dump(exclude_none=True))


@verb("emergency_network", arguments=Fault, short="fault")
async def fail(part: Part, args: Fault) -> None:
    """Begins a fault: no_answer, slow_answer, drop_operator, room_hears_nothing, caller_hears_nothing."""
    await part.driver.fail(args.fault, seconds=args.seconds)


@verb("emergency_network", arguments=Fault, short="fault")
async def recover(part: Part, args: Fault) -> None:
    """Ends a fault."""
    await part.driver.recover(args.fault)
