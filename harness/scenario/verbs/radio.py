"""What an officer does with a radio, and what whoever runs networks and gateways does to them."""

from __future__ import annotations

from pydantic import Field

from harness.errors import DriverError
from harness.protocols.tetra.lip import ShortLocation
from harness.scenario.actors import RadioTerminalActor
from harness.scenario.cast import Part
from harness.scenario.verbs.base import Arguments, Nothing, verb

RADIOS = ("radio_terminal", "roip_radio")


class Press(Arguments):
    """How the key is pressed."""

    talkgroup: str | None = None
    priority: int = Field(default=0, ge=0, le=15)


class PressRoip(Arguments):
    """How the key is pressed."""

    priority: int = Field(default=0, ge=0, le=15)


class Talkgroup(Arguments):
    """A talkgroup."""

    talkgroup: str = Field(min_length=1, max_length=80)


class Status(Arguments):
    """A status by the force's number, and to whom."""

    status: int = Field(ge=0, le=999)
    to: str | int | None = None
    """An actor with a radio, or an ISSI; left out: the control room, on the talkgroup in use."""


class Text(Arguments):
    """A text, and to whom."""

    text: str = Field(min_length=1, max_length=2_000)
    to: str | int | None = None
    """As of a status."""


class To(Arguments):
    """To whom."""

    to: str | int | None = None


class Site(Arguments):
    """A site of the radio network."""

    site: str = Field(min_length=1, max_length=80)


class WhichRadio(Arguments):
    """A radio of the gateway."""

    radio: str = Field(min_length=1, max_length=80)


def _to(part: Part, to: str | int | None) -> int:
    if to is not None:
        return part.cast.issi(to)
    if part.driver.talkgroup is None:
        raise DriverError(f"{part.name} is on no talkgroup: say 'to' whom it goes")
    return part.cast.gateway(part.driver.talkgroup)


def _place(part: Part) -> ShortLocation | None:
    place = part.actor.location if isinstance(part.actor, RadioTerminalActor) else None
    return None if place is None else ShortLocation(longitude=place.lon, latitude=place.lat)


@verb("radio_terminal", arguments=Press, short="talkgroup")
async def press(part: Part, args: Press) -> None:
    """Presses the key on the talkgroup in use or another, and is done when the floor is had."""
    await part.driver.key(args.talkgroup, priority=args.priority)


@verb(*RADIOS)
async def release(part: Part, _args: Nothing) -> None:
    """Lets go of the key."""
    await part.driver.unkey()


@verb("radio_terminal", arguments=Talkgroup, short="talkgroup")
async def select(part: Part, args: Talkgroup) -> None:
    """Turns to a talkgroup."""
    await part.driver.select(args.talkgroup)


@verb("radio_terminal")
async def emergency(part: Part, _args: Nothing) -> None:
    """Presses the emergency key: call, status 0 and the actor's 'location'; the floor is kept until it is released."""
    await part.driver.raise_emergency(location=_place(part))


@verb("radio_terminal", arguments=Status, short="status")
async def status(part: Part, args: Status) -> None:
    """Sends a status by the force's number."""
    await part.driver.send_status(part.cast.bench.status_value(args.status), to=_to(part, args.to))


@verb("radio_terminal", arguments=Text, short="text")
async def text(part: Part, args: Text) -> None:
    """Sends a text."""
    await part.driver.send_text(args.text, to=_to(part, args.to))


@verb("radio_terminal", arguments=To, short="to")
async def send_location(part: Part, args: To) -> None:
    """Sends the actor's 'location'."""
    place = _place(part)
    if place is None:
        raise DriverError(f"{part.name} has no 'location' to send")
    await part.driver.send_location(place, to=_to(part, args.to))


@verb("roip_radio", arguments=PressRoip, short="priority")
async def press_(part: Part, args: PressRoip) -> None:
    """Presses the key, and is done when it is permitted."""
    await part.driver.key(priority=args.priority)


@verb("radio_network", arguments=Site, short="site")
async def cut_site(part: Part, args: Site) -> None:
    """Cuts a site's link to the network."""
    await part.driver.cut_site(args.site)


@verb("radio_network", arguments=Site, short="site")
async def restore_site(part: Part, args: Site) -> None:
    """Restores it."""
    await part.driver.restore_site(args.site)


@verb("roip_gateway", arguments=WhichRadio, short="radio")
async def fail(part: Part, args: WhichRadio) -> None:
    """Lets a radio of the gateway fail as if its power were gone."""
    await part.driver.fail(args.radio)


@verb("roip_gateway", arguments=WhichRadio, short="radio")
async def restore(part: Part, args: WhichRadio) -> None:
    """Lets it be well again."""
    await part.driver.restore(args.radio)
