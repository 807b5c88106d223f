"""One leg's speech: its media port, its session descriptions, and what it hears and is played."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.endpoints.media import Impairment, MediaPort, MediaService, PortStats
from harness.endpoints.speech import join_speech, symmetry
from harness.errors import MediaError, SdpError
from harness.protocols import sdp
from harness.protocols.rtp.g711 import Samples
from harness.transport.context import Context
from simulators.switch.settings.base import SpeechSettings


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """Something that is played; one clip is itself alone."""

    samples: Samples
    loop: bool = True


class Speech:
    """The switch's end of one leg's speech. Use `open`."""

    def __init__(self, port: MediaPort, session: sdp.MediaSession) -> None:
        self.port = port
        self.session = session
        self.stats: PortStats | None = None
        """The last figures; None while it is open."""
        self.signalled_from: Callable[[], str | None] = lambda: None
        """Tells the IP address that the other end's signalling comes from."""
        self._lock = asyncio.Lock()
        self._hears: tuple[MediaPort, ...] = ()
        self._clip: Clip | None = None
        self._is_cut = False
        self._applied: sdp.Negotiated | None = None

    @classmethod
    async def open(cls, context: Context, media: MediaService, name: str, host: str, wants: SpeechSettings) -> Speech:
        """Open a port for a leg whose other end has `wants`. Raises MediaError, SdpLocalError."""
        port = await media.open_port(name, host=host)
        plan = sdp.StreamPlan(port.address[1], codecs=wants.codecs, secure=wants.secure)
        rng = context.rng
        session = sdp.MediaSession(host, [plan], session_id=rng.getrandbits(48), keys=rng.randbytes)
        return cls(port, session)

    @property
    def agreed(self) -> sdp.Negotiated | None:
        """What holds; None before anything was agreed."""
        found = self.session.agreed[0] if self.session.agreed else None
        return found if isinstance(found, sdp.Negotiated) else None

    @property
    def is_secured(self) -> bool:
        """Whether it is SRTP."""
        return self.agreed is not None and self.agreed.security is not None

    @property
    def is_held(self) -> bool:
        """Whether the other end has put us on hold: it wants to hear nothing (RFC 3264 section 8.4)."""
        return self.agreed is not None and not self.agreed.sends

    # Descriptions

    def answer(self, offer: bytes) -> bytes:
        """Answer an offer. Raises SdpError where nothing in it is to be had; all stays as it was then."""
        self.session.take_offer(offer)
        try:
            return self.session.answer()
        except SdpError:
            self.session.withdraw()
            raise

    def take_answer(self, answer: bytes) -> None:
        """Take the answer to our offer. Raises SdpError where it refuses, or does not fit."""
        self.session.take_answer(answer)
        if self.agreed is None:
            raise SdpError("the audio stream was refused")

    def take_early(self, answer: bytes) -> sdp.Negotiated:
        """What an answer that may change once more agrees on. Raises SdpError."""
        return sdp.negotiated(self.session.local, answer)

    # Media

    async def apply(self, early: sdp.Negotiated | None = None) -> None:
        """Connect the port as agreed. Raises MediaError."""
        agreed = early or self.agreed
        if agreed is None:
            return
        async with self._lock:
            self._applied = agreed
            if not agreed.sends and self._clip is not None:
                await self.port.stop_playing()
                self._clip = None
            await self._connect(agreed)

    async def _connect(self, agreed: sdp.Negotiated) -> None:
        if self._is_cut:
            agreed = agreed._replace(direction="inactive")
        await join_speech(self.port, agreed, symmetric=symmetry(agreed, self.signalled_from(), "port"))

    async def sound(self, *, hears: Sequence[MediaPort] = (), clip: Clip | None = None) -> None:
        """Have the other end hear these ports, and a clip instead of, or beside, them. Raises MediaError."""
        async with self._lock:
            if self.stats is not None:
                return
            if clip is not self._clip:
                if self._clip is not None:
                    await self.port.stop_playing()
                    self._clip = None
                if clip is not None and self._applied is not None and self._applied.sends and not self._is_cut:
                    await self.port.play(clip.samples, loop=clip.loop)
                    self._clip = clip
            if tuple(hears) != self._hears:
                self._hears = tuple(hears)
                await self.port.hear(*hears)

    async def say(self, samples: Samples) -> None:
        """Play something once, and return when it is out. Raises MediaError."""
        await self.sound()
        await self.port.play(samples)
        await self.port.played()

    async def cut(self, *, cut: bool) -> None:
        """Cut its wire, or mend it: nothing leaves and nothing is heard. Raises MediaError."""
        async with self._lock:
            self._is_cut = cut
            if self._applied is not None and self.stats is None:
                await self._connect(self._applied)

    async def impair(self, impairment: Impairment | None) -> None:
        """Misbehave so in what the other end is sent from now on; None: no more. Raises MediaError."""
        await self.port.impair(impairment)

    async def close(self) -> PortStats | None:
        """Close the port and return its last figures; None where the media service is gone. Twice is once."""
        async with self._lock:
            if self.stats is None:
                try:
                    self.stats = await self.port.close()
                except MediaError:
                    return None
            return self.stats
