"""The media of one side of one call: a port for speech, perhaps one for text, and what SDP agreed on for them."""

from __future__ import annotations

import asyncio

from harness.endpoints.media import MediaPort, MediaService, TextPort
from harness.endpoints.speech import join_speech, join_text
from harness.errors import SdpError
from harness.protocols.sdp import MediaSession, Negotiated, NegotiatedText, State, StreamPlan
from harness.protocols.sdp import parse as parse_sdp
from harness.protocols.sdp.streams import agree


class CallMedia:
    """One side's media. Use `open`. SIP carries what it writes; `join` has the ports follow."""

    def __init__(self, port: MediaPort, text: TextPort | None) -> None:
        self.port = port
        self.text = text
        self.speaks = False
        """Whether speech was agreed on, and the port has a peer."""
        self.writes = False
        """Whether text was."""
        self._joining = asyncio.Lock()
        plans = [StreamPlan(port.address[1])]
        if text is not None:
            plans.append(StreamPlan(text.address[1], "text"))
        self.session = MediaSession(port.address[0], plans, session_id=1)

    @classmethod
    async def open(cls, media: MediaService, name: str, *, host: str, text: bool, playout_ms: int = 40) -> CallMedia:
        """Bind the ports ``name`` and, for text, ``name text``. Raises MediaError.

        ``playout_ms``: the least depth of the speech's playout buffer, which grows with what arrives late.
        """
        port = await media.open_port(name, host=host, playout_ms=playout_ms)
        try:
            writing = await media.open_text(f"{name} text", host=host) if text else None
        except BaseException:
            await port.close()
            raise
        return cls(port, writing)

    @property
    def names(self) -> list[str]:
        """The names of the ports, which are their sources in the journal."""
        return [port.name for port in (self.port, self.text) if port is not None]

    @property
    def is_open(self) -> bool:
        """Whether an offer of ours has no answer yet."""
        return self.session.state is State.OURS_OPEN

    def offer(self) -> bytes:
        """Our offer. Raises SdpLocalError while another is open."""
        return self.session.offer()

    def answer(self, offered: bytes) -> bytes:
        """Our answer to an offer; our offer where the peer made none. Raises SdpError: a 488 is due."""
        if not offered:
            return self.session.offer()
        self.session.take_offer(offered)
        try:
            return self.session.answer()
        except SdpError:
            self.session.withdraw()
            raise

    def take_answer(self, answer: bytes) -> None:
        """Take the answer to our offer. One that is told again (early media, then the 200) is left. Raises SdpError."""
        if self.is_open:
            self.session.take_answer(answer)
        elif answer != self.session.remote:
            # One answer, told twice, is due (RFC 3264 section 4); but switches that forward a call tell two.
            self.session.agreed = tuple(agree(parse_sdp(self.session.local), parse_sdp(answer)))
            self.session.remote = answer

    async def join(self) -> None:
        """Connect the ports to what was agreed on. Raises MediaError."""
        async with self._joining:
            for agreed in self.session.agreed:
                if isinstance(agreed, Negotiated):
                    await join_speech(self.port, agreed)
                    self.speaks = True
                elif isinstance(agreed, NegotiatedText) and self.text is not None:
                    await join_text(self.text, agreed)
                    self.writes = True

    async def close(self) -> None:
        """Close the ports; again does nothing. Raises MediaError."""
        if self.text is not None:
            await self.text.close()
        await self.port.close()
