"""What an operator does at a console: calls, talkgroups, emergencies, patches, ambience listening."""

from __future__ import annotations

import contextlib
from typing import Literal

from pydantic import Field

from harness.drivers.waiting import first_of
from harness.errors import DriverError, ExpectationError
from harness.scenario.cast import Part
from harness.scenario.verbs.base import Arguments, Nothing, Seen, refused, verb

GRANT_S = 5.0
"""Seconds within which a console that keys is granted the floor or refused."""
RINGS_WITHIN_S = 1.0
"""For which a person who is to answer waits for the call to ring."""
RINGS_NO_MORE = frozenset({"call.connected", "call.cleared", "call.withdrawn", "call.taken"})
MAX_GROUPS = 50


class Answer(Arguments):
    """Which call."""

    queue: str | None = None
    call: str | None = None


class WhichCall(Arguments):
    """A call, else the latest."""

    call: str | None = None


class To(Arguments):
    """A position (or the actor who sits there), a queue or a number."""

    to: str = Field(min_length=1, max_length=80)


class MayBeTo(Arguments):
    """As `To`; left out: whom the enquiry reached."""

    to: str | None = None


class Number(Arguments):
    """A position, an extension or a number."""

    number: str = Field(min_length=1, max_length=80)


class Digits(Arguments):
    """Keys."""

    digits: str = Field(pattern=r"^[0-9A-D*#]{1,64}$")


class Text(Arguments):
    """Words."""

    text: str = Field(min_length=1, max_length=2_000)


class Talkgroup(Arguments):
    """A talkgroup."""

    talkgroup: str = Field(min_length=1, max_length=80)


class Talkgroups(Arguments):
    """Several talkgroups."""

    talkgroups: tuple[str, ...] = Field(min_length=1, max_length=MAX_GROUPS)


class TwoTalkgroups(Arguments):
    """Two talkgroups."""

    talkgroups: tuple[str, str]


class Patch(Arguments):
    """A patch, by the name that `patch` gave."""

    patch: str = Field(min_length=1, max_length=80)


class Refused(TwoTalkgroups):
    """Two talkgroups, and why they may not be patched."""

    because: str = ""
    """Words that the refusal has to hold."""


class Emergency(Arguments):
    """An emergency, by the name with which it is shown."""

    emergency: str = Field(min_length=1, max_length=80)


class Radio(Arguments):
    """An ISSI, or an actor with a radio."""

    radio: str | int


class TextRadio(Radio):
    """A text to a radio."""

    text: str = Field(min_length=1, max_length=2_000)


class Group(Arguments):
    """A group given over the air."""

    name: str = Field(min_length=1, max_length=80)
    units: tuple[str | int, ...] = Field(min_length=1, max_length=500)


class Plan(Arguments):
    """Which talkgroups a position works from now on."""

    of: str = Field(min_length=1, max_length=80)
    """A position, or the actor who sits there."""
    talkgroups: tuple[str, ...] = Field(max_length=MAX_GROUPS)
    approver: str = Field(min_length=1, max_length=80)
    """A position with the right to approve, or the actor who sits there."""
    why: str = Field(min_length=1, max_length=200)


class State(Arguments):
    """An adviser's state."""

    state: Literal["available", "break"]


class Where(Arguments):
    """Where the caller says it is."""

    text: str | None = None
    lat: float | None = Field(default=None, ge=-90, le=90)
    lon: float | None = Field(default=None, ge=-180, le=180)


# Calls


@verb("console", arguments=Answer, short="queue", seen=Seen("call.connected", "call"))
async def answer(part: Part, args: Answer) -> str:
    """Takes the call that rings here, or is about to: the oldest of a queue, the one named, else the first."""
    if not _rings(part):
        # Who is told when to answer, as a recorded scenario tells, is early where the call comes a moment later.
        with contextlib.suppress(ExpectationError):
            await part.driver.expect("call.ringing", within=RINGS_WITHIN_S, after=part.cast.bench.journal.position)
    return str(await part.driver.answer(queue=args.queue, call=args.call))


def _rings(part: Part) -> bool:
    """Whether a call rings at the console that nobody has answered and that is not over, by what it has shown."""
    ringing = set[object]()
    for event in part.cast.bench.journal.since(0):
        if event.source != part.component:
            continue
        if event.kind == "call.ringing":
            ringing.add(event.data.get("call"))
        elif event.kind in RINGS_NO_MORE:
            ringing.discard(event.data.get("call"))
    return bool(ringing)


@verb("console", arguments=Number, short="number", seen=Seen("call.alerting", "call"))
async def dial(part: Part, args: Number) -> str:
    """Calls a position, an extension or a number."""
    return str(await part.driver.dial(part.cast.position(args.number)))


@verb("console", seen=Seen("call.cleared", "call"))
async def hang_up(part: Part, _args: Nothing) -> None:
    """Clears the call."""
    await part.driver.clear()


@verb("console", seen=Seen("call.held", "call"))
async def hold(part: Part, _args: Nothing) -> str:
    """Puts the call on hold."""
    return str(await part.driver.hold())


@verb("console", arguments=WhichCall, short="call", seen=Seen("call.resumed", "call"))
async def resume(part: Part, args: WhichCall) -> str:
    """Takes a call off hold, the latest where none is named."""
    return str(await part.driver.resume(args.call))


@verb("console", arguments=To, short="to", seen=Seen("call.consulting", "call"))
async def consult(part: Part, args: To) -> str:
    """Puts the call on hold and rings somebody about it."""
    return str(await part.driver.consult(part.cast.position(args.to)))


@verb("console", arguments=MayBeTo, short="to", seen=Seen("call.transferred", "call"))
async def transfer(part: Part, args: MayBeTo) -> str:
    """Passes the call on, or to whom the enquiry reached."""
    return str(await part.driver.transfer(None if args.to is None else part.cast.position(args.to)))


@verb("console", arguments=MayBeTo, short="to", seen=Seen("call.conferenced", "call"))
async def conference(part: Part, args: MayBeTo) -> str:
    """Joins the enquiry with the call on hold, or rings somebody into the call."""
    return str(await part.driver.conference(None if args.to is None else part.cast.position(args.to)))


@verb("console", arguments=Digits, short="digits")
async def press(part: Part, args: Digits) -> None:
    """Sends keys to the other side of the call."""
    await part.driver.send_dtmf(args.digits)


@verb("console", arguments=Text, short="text")
async def type_(part: Part, args: Text) -> None:
    """Types to a caller by real-time text."""
    await part.driver.type_text(args.text)


@verb("console", arguments=State, short="state", seen=Seen("adviser.state", same=("state",)))
async def go(part: Part, args: State) -> None:
    """Goes available (which ends wrap-up), or on break."""
    await part.driver.go(args.state)


@verb("console", arguments=Where, short="text", seen=Seen("location.shown"))
async def enter_location(part: Part, args: Where) -> None:
    """Writes down where the caller says it is, in words or in degrees."""
    await part.driver.enter_location(args.text, latitude=args.lat, longitude=args.lon)


# Radio


@verb("console", arguments=Talkgroup, short="talkgroup", seen=Seen("ptt.granted", same=("talkgroup",)))
async def key(part: Part, args: Talkgroup) -> None:
    """Presses to talk on a talkgroup, and is done when the floor is had."""
    after = part.cast.bench.journal.position
    await part.driver.key(args.talkgroup)
    await _granted(part, after, args.talkgroup)


@verb("console", arguments=Talkgroups, short="talkgroups", seen=Seen("ptt.granted"))
async def key_groups(part: Part, args: Talkgroups) -> None:
    """Presses to talk on several talkgroups at once, and is done when all floors are had."""
    after = part.cast.bench.journal.position
    await part.driver.key_groups(*args.talkgroups)
    for talkgroup in args.talkgroups:
        await _granted(part, after, talkgroup)


async def _granted(part: Part, after: int, talkgroup: str) -> None:
    kinds = ("ptt.granted", "ptt.refused")
    found = await first_of(
        part.cast.bench.journal, part.component, kinds, within=GRANT_S, after=after, talkgroup=talkgroup
    )
    if found.kind == "ptt.refused":
        raise DriverError(f"{part.name} was refused {talkgroup}: {found.data.get('reason')}")


@verb("console", seen=Seen("ptt.released"))
async def unkey(part: Part, _args: Nothing) -> None:
    """Lets go of the key."""
    await part.driver.unkey()


@verb("console", arguments=TextRadio)
async def text(part: Part, args: TextRadio) -> None:
    """Sends a text to a radio."""
    await part.driver.send_text(part.cast.issi(args.radio), args.text)


@verb(
    "console",
    arguments=Emergency,
    short="emergency",
    seen=Seen("emergency.acknowledged", same=("emergency",), by="acknowledged_by", early=True),
)
async def acknowledge_emergency(part: Part, args: Emergency) -> None:
    """Acknowledges an officer's emergency."""
    await part.driver.acknowledge_emergency(args.emergency)


@verb("console", arguments=Emergency, short="emergency", seen=Seen("emergency.cleared", same=("emergency",)))
async def clear_emergency(part: Part, args: Emergency) -> None:
    """Clears an acknowledged emergency whose end the radio does not tell."""
    await part.driver.clear_emergency(args.emergency)


@verb("console", arguments=Talkgroup, short="talkgroup", seen=Seen("talkgroup.selected", same=("talkgroup",)))
async def select(part: Part, args: Talkgroup) -> None:
    """Hears a monitored talkgroup in the headset."""
    await part.driver.select(args.talkgroup)


@verb("console", arguments=TwoTalkgroups, short="talkgroups", seen=Seen("patch.made", "patch", by="by"))
async def patch(part: Part, args: TwoTalkgroups) -> str:
    """Patches two talkgroups; 'as' keeps the patch's name."""
    return str(await part.driver.patch(*args.talkgroups))


@verb("console", arguments=Refused, short="talkgroups")
async def is_refused_patch(part: Part, args: Refused) -> None:
    """Asks for a patch that has to be refused, with these words in the reason."""
    act = part.driver.patch(*args.talkgroups)
    await refused(act, args.because, instead=f"{' and '.join(args.talkgroups)} were patched", undo=part.driver.unpatch)


@verb("console", arguments=Patch, short="patch", seen=Seen("patch.ended", same=("patch",)))
async def unpatch(part: Part, args: Patch) -> None:
    """Takes a patch apart."""
    await part.driver.unpatch(args.patch)


@verb("console", arguments=Group, seen=Seen("dgna.given", "gssi", same=("name",)))
async def regroup(part: Part, args: Group) -> int:
    """Gives a talkgroup to radios over the air (DGNA); 'as' keeps its GSSI."""
    return int(await part.driver.regroup(args.name, [part.cast.issi(unit) for unit in args.units]))


@verb("console", arguments=Plan)
async def change_plan(part: Part, args: Plan) -> None:
    """Gives a position other talkgroups to work, with somebody else's approval."""
    of, approver = part.cast.position(args.of), part.cast.position(args.approver)
    await part.driver.change_plan(of, args.talkgroups, approver=approver, why=args.why)


@verb("console", arguments=Radio, short="radio", seen=Seen("ambience.begun", "ambience"))
async def begin_ambience(part: Part, args: Radio) -> None:
    """Opens a radio's microphone silently, with the password that the testbed tells of this console."""
    password = part.cast.bench.ambience_password(part.component)
    await part.driver.begin_ambience(part.cast.issi(args.radio), password)


@verb("console", arguments=Radio, short="radio", seen=Seen("ambience.ended"))
async def end_ambience(part: Part, args: Radio) -> None:
    """Closes it."""
    await part.driver.end_ambience(part.cast.issi(args.radio))


@verb("console", arguments=Radio, short="radio", seen=Seen("radio_call.connected", "radio_call"))
async def call_radio(part: Part, args: Radio) -> str:
    """Calls one radio."""
    return str(await part.driver.call_radio(part.cast.issi(args.radio)))


@verb("console", seen=Seen("radio_call.ended"))
async def clear_radio_call(part: Part, _args: Nothing) -> None:
    """Clears that call."""
    await part.driver.clear_radio_call()
