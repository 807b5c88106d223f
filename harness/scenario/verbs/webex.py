"""What people do in Webex beside calling: meetings, what is shared in them, and what is said in a space."""

from __future__ import annotations

from pydantic import Field

from harness.scenario.cast import Part
from harness.scenario.names import Name
from harness.scenario.values import Seconds
from harness.scenario.verbs.base import Arguments, verb


class MeetingMade(Arguments):
    """A meeting, and who need not wait in its lobby."""

    title: str = Field(min_length=1, max_length=128)
    by: Name
    """The account that is its host."""
    invite: tuple[Name, ...] = Field(default=(), max_length=50)
    """Accounts of the testbed file."""
    rooms: tuple[str, ...] = Field(default=(), max_length=50)
    """Rooms with devices, by name."""


class Participant(Arguments):
    """Who is at a meeting."""

    meeting: str = Field(min_length=1, max_length=256)
    """Its number."""
    by: Name
    number: str = Field(pattern=r"^\+?[0-9]{1,20}$")
    within: Seconds = 10.0


class Shared(Arguments):
    """A room device by its name."""

    device: str = Field(min_length=1, max_length=128)


class SharedIn(Shared):
    """Where a share is to be seen, and how soon."""

    within: Seconds


@verb("webex", arguments=MeetingMade)
async def make_meeting(part: Part, args: MeetingMade) -> str:
    """Makes a meeting; 'as' keeps the number at which it is joined."""
    made = await part.driver.make_meeting(args.title, by=args.by, invite=args.invite, rooms=args.rooms)
    return str(made["meetingNumber"])


@verb("webex", arguments=Participant)
async def has_participant(part: Part, args: Participant) -> None:
    """Waits until who calls from a number is in a meeting, as its host sees it."""
    meeting = await part.driver.meeting_at(args.meeting, by=args.by)
    await part.driver.expect_participant(meeting, "joined", number=args.number, by=args.by, within=args.within)


@verb("webex", arguments=Shared, short="device")
async def share(part: Part, args: Shared) -> None:
    """Shows something from a room device in the meeting that it is in."""
    await part.driver.share(args.device)


@verb("webex", arguments=SharedIn)
async def is_shared_at(part: Part, args: SharedIn) -> None:
    """Waits until a room device sees what another one shows, and fails where it does not in time."""
    await part.driver.expect_shared(args.device, within=args.within)
