"""A private call of a terminal: half duplex, with a floor, or full duplex, without (3GPP TS 24.379 clause 11.1)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from harness.endpoints.call_media import CallMedia
from harness.endpoints.mcptt.group_call import GroupCall
from harness.endpoints.media import MediaPort
from harness.endpoints.sip.call import Call
from harness.endpoints.speech import join_speech
from harness.errors import HarnessError, McpttError
from harness.protocols.mcptt.description import apart
from harness.protocols.mcptt.info import FloorTerms
from harness.protocols.rtp.g711 import Samples
from harness.protocols.sdp import Negotiated
from harness.transport.context import Context


class HalfDuplexCall(GroupCall):
    """A call of two with a floor: a group of two for as long as it lasts.

    Events as GroupCall's, with ``peer`` for ``group``, and ``private_call.up``, ``private_call.over``.
    """

    kind: ClassVar[str] = "private_call"
    key: ClassVar[str] = "peer"
    is_duplex: ClassVar[bool] = False


class FullDuplexCall:
    """A call of two in which both speak at once. Events: ``private_call.up`` and ``private_call.over`` {peer}."""

    is_duplex: ClassVar[bool] = True

    def __init__(self, context: Context, name: str, peer: str, media: CallMedia) -> None:
        self.group = peer
        """The other's MCPTT ID."""
        self.media = media
        self.sip: Call
        """Its dialog; set by the terminal."""
        self.is_up = False
        self.before_close: Callable[[MediaPort], Awaitable[None]] | None = None
        """Awaited with the port of its speech before that is closed."""
        self._is_over = False
        self._name = name
        self._journal = context.journal

    @property
    def told(self) -> dict[str, str]:
        """What all its events carry."""
        return {"peer": self.group}

    def offer(self, _terms: FloorTerms) -> bytes:
        """Our offer: speech alone, by which it is known to be full duplex. Raises SdpLocalError."""
        return self.media.offer()

    def answer(self, offered: bytes, _terms: FloorTerms) -> bytes:
        """Our answer to the server's offer. Raises SdpError and McpttError: a 488 is due."""
        return self.media.answer(_speech(offered))

    def take_answer(self, answer: bytes) -> None:
        """Take the answer to our offer. Raises SdpError, McpttError."""
        self.media.take_answer(_speech(answer))

    async def begin(self) -> None:
        """The call is up: join the media."""
        if self.is_up or self._is_over:
            return
        self.is_up = True
        try:
            for agreed in self.media.session.agreed:
                if isinstance(agreed, Negotiated):
                    await join_speech(self.media.port, agreed)
        except HarnessError as error:
            self._journal.warn(self._name, "private_call.media_failed", why=str(error), **self.told)
        self._journal.append(self._name, "private_call.up", self.told)

    async def say(self, samples: Samples) -> float:
        """Speak; returns the run time of the first packet."""
        return await self.media.port.play(samples)

    async def over(self) -> None:
        """The call is over, or never came up: nothing stays open. Again does nothing."""
        if self._is_over:
            return
        self._is_over = True
        if self.before_close is not None:
            await self.before_close(self.media.port)
        await self.media.close()
        if self.is_up:
            self.is_up = False
            ended = {**self.told, "status": self.sip.status, "reason": self.sip.reason}
            self._journal.append(self._name, "private_call.over", ended)


PrivateCall = HalfDuplexCall | FullDuplexCall


def _speech(description: bytes) -> bytes:
    """What speech is negotiated by. Raises McpttError where there is a floor: the call would be half duplex."""
    described = apart(description)
    if described.floor is not None:
        raise McpttError("a description with floor control in a call that has none")
    return described.speech
