"""A user's leg in a call at the MCPTT server: dialog, speech and floor, and how it is opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from harness.endpoints.call_media import CallMedia
from harness.endpoints.mcptt import FloorPort
from harness.endpoints.media import MediaService
from harness.endpoints.sip.call import Call
from harness.errors import HarnessError
from harness.protocols.mcptt.info import FloorTerms
from harness.protocols.mcptt.messages import FloorMessage
from harness.transport.context import Context

MAX_EARLY: Final = 8


class RefusedError(Exception):
    """A call that is not taken, with the status that says so."""

    def __init__(self, status: int, why: object) -> None:
        super().__init__(str(why))
        self.status = status


@dataclass(slots=True, eq=False)
class Leg:
    """One user in a call."""

    user: str
    media: CallMedia
    floor: FloorPort | None
    """None in a call that has no floor."""
    ssrc: int
    sip: Call | None = None
    """Its dialog; None until a user who is called is sent the INVITE."""
    terms: FloorTerms | None = None
    joined: bool = False
    wishes: bool = False
    """Whether the floor was asked for with the call."""
    emergency: bool = False
    packets: int = 0
    early: list[FloorMessage] = field(default_factory=list)
    """What it said before it was in the call; MAX_EARLY at most."""

    @property
    def floored(self) -> FloorPort:
        """Its floor's port, in a call that has a floor."""
        assert self.floor is not None
        return self.floor

    def hang_up(self) -> None:
        """End its dialog, where there is one."""
        if self.sip is not None:
            self.sip.hang_up()

    async def close(self) -> None:
        """Close its ports."""
        if self.floor is not None:
            self.floor.close()
        await self.media.close()


async def open_leg(
    context: Context,
    media: MediaService,
    name: str,
    user: str,
    *,
    host: str,
    take: Callable[[Leg, FloorMessage], None] | None,
) -> Leg:
    """Bind a leg's ports. ``name``: their journal source. ``take`` is given floor control; None: there is no floor.

    Raises RefusedError.
    """
    leg: Leg

    def received(message: FloorMessage) -> None:
        assert take is not None
        take(leg, message)

    try:
        speech = await CallMedia.open(media, name, host=host, text=False)
        try:
            floor = None if take is None else await FloorPort.open(context, name, received, host=host)
        except HarnessError:
            await speech.close()
            raise
    except HarnessError as error:
        raise RefusedError(500, error) from None
    leg = Leg(user, speech, floor, context.rng.getrandbits(32))
    return leg
