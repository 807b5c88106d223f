"""Callers' telephones for the tests beside it: they dial, press keys, hear, and can be called back."""

from __future__ import annotations

import asyncio

from control_room_in_virtual_time import Room

from harness.endpoints.media import MediaPort, Recording
from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.call import Call
from harness.endpoints.sip.incoming import IncomingCall
from harness.endpoints.speech import join_speech
from harness.measure.correlate import find
from harness.protocols import sdp
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from harness.testbed.clips import read_clip

HEARD = 0.8
"""Normalised correlation from which an announcement counts as heard."""


def announcement(name: str) -> Samples:
    """One of the project's announcements."""
    return read_clip(f"announcements/{name}")


def seconds(name: str) -> float:
    """How long an announcement lasts."""
    return len(announcement(name)) / SAMPLE_RATE


def likeness(name: str, heard: Recording) -> float:
    """How well an announcement is found in what was heard, 0-1."""
    return find(announcement(name), heard.samples).peak


class Talk:
    """One call of a telephone's."""

    def __init__(self, sip: Call, port: MediaPort, offer: bytes) -> None:
        self.sip, self.port = sip, port
        self._offer = offer

    async def join(self) -> None:
        """Let speech flow as agreed so far, early media too."""
        await join_speech(self.port, sdp.negotiated(self._offer, self.sip.remote_sdp))

    async def answered(self, *, within: float = 60.0) -> None:
        """Return when it was answered and speech flows."""
        await self.sip.answered(within=within)
        await self.join()

    async def press(self, digits: str) -> None:
        """Press keys."""
        await self.port.send_dtmf(digits)

    async def hears(self, for_s: float) -> Recording:
        """Return what is heard in the next so many seconds."""
        await self.port.record()
        await asyncio.sleep(for_s)
        return await self.port.recorded()

    async def record(self) -> None:
        """Begin to keep what is heard."""
        await self.port.record()

    async def recorded(self) -> Recording:
        """Return what was heard since."""
        return await self.port.recorded()

    async def say(self, samples: Samples) -> float:
        """Speak."""
        return await self.port.play(samples)

    async def hang_up(self) -> None:
        """Put the receiver down."""
        self.sip.hang_up()
        await self.port.close()


class Line:
    """One telephone, or the network behind a trunk, on a SIP port of its own."""

    def __init__(self, room: Room, name: str, answers: bool) -> None:
        self.room, self.name = room, name
        self.answers = answers
        """Whether it answers when it is rung; else it rings."""
        self.agent: UserAgent
        self.rung: list[IncomingCall] = []
        """Calls that came to it."""
        self.talks: list[Talk] = []
        """Those that it answered."""
        self._talking: set[asyncio.Task[None]] = set()

    def _invited(self, sip: IncomingCall) -> None:
        self.rung.append(sip)
        sip.ring()
        if self.answers:
            task = asyncio.get_running_loop().create_task(self._answer(sip))
            self._talking.add(task)
            task.add_done_callback(self._talking.discard)

    async def _answer(self, sip: IncomingCall) -> None:
        port = await self.room.media.open_port(f"{self.name} rung {len(self.rung)}")
        body, agreed = sdp.answer(sip.remote_sdp, *port.address)
        await join_speech(port, agreed)
        sip.answer(body)
        self.talks.append(Talk(sip, port, body))

    async def dial(
        self, number: str, *, cli: str | None = None, to: tuple[str, int] | None = None, described_at: str | None = None
    ) -> Talk:
        """Call a number at the control room; ``described_at``: the address that the telephone believes it has."""
        port = await self.room.media.open_port(f"{self.name} call {len(self.agent.calls) + 1}")
        offer = sdp.offer(described_at or port.address[0], port.address[1])
        host, at = to or self.room.iccs.sip_address
        user, headers = (cli, [("P-Asserted-Identity", f"<sip:{cli}@127.0.0.1>")]) if cli else ("anonymous", [])
        sip = self.agent.invite(
            f"sip:{number}@{host}:{at}", offer=offer, caller=f"<sip:{user}@127.0.0.1>", headers=headers
        )
        return Talk(sip, port, offer)


async def line(room: Room, name: str = "line", *, answers: bool = True, port: int = 0) -> Line:
    """A telephone; it is taken away with the room."""
    found = Line(room, name, answers)
    found.agent = await UserAgent.open(
        room.context, name, local=("127.0.0.1", port), user=name, on_invite=found._invited
    )
    room.at_the_end(found.agent.close)
    return found
