"""The media of one SIP call: its ports, what offer and answer agreed on for them, and what is played into it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

import numpy as np

from harness.endpoints.media import Impairment, MediaPort, MediaService, TextPort
from harness.endpoints.speech import join_speech, join_text, symmetry
from harness.errors import HarnessError, MediaError
from harness.journal import Journal
from harness.protocols import sdp
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from harness.transport.context import Context

CODECS = ("PCMA", "PCMU")
LastWords = Callable[[MediaPort], Awaitable[None]]


def check_offer(offered: bytes, *, text: bool) -> None:
    """Raise SdpError for an offer that a leg could not answer: a 488 is due, and before anything rings."""
    discard = 9  # a port that stands for those of a leg (RFC 863)
    session = sdp.MediaSession("127.0.0.1", _plans(discard, discard if text else None), session_id=0)
    session.take_offer(offered)
    session.answer()


def _plans(speech: int, text: int | None, direction: str = "sendrecv") -> list[sdp.StreamPlan]:
    """A leg's streams at its ports."""
    plans = [sdp.StreamPlan(speech, codecs=CODECS, direction=direction)]
    if text is not None:
        plans.append(sdp.StreamPlan(text, "text", codecs=(), direction=direction))
    return plans


class Leg:
    """One leg's media.

    At most one sound is played into it at a time: a new one cuts the one before. Where the other side does not want to
    be sent anything (hold, load without media) a sound takes its time and is not heard.
    """

    def __init__(self, context: Context, media: MediaService, host: str, name: str, *, silent: bool) -> None:
        """`silent`: streams are answered inactive and no RTP leaves."""
        self.name = name
        self._context = context
        self._journal: Journal = context.journal
        self._media = media
        self._host = host
        self._silent = silent
        self._session: sdp.MediaSession | None = None
        self._sound: asyncio.Task[None] | None = None
        self._work: set[asyncio.Task[None]] = set()
        self._joined = False
        self._dirty = False
        self._closed = False
        self._background = ""
        self.last_words: LastWords | None = None
        """Awaited with the speech port before it closes, where somebody records it."""
        self.signalled_from: Callable[[], str | None] = lambda: None
        """Tells the IP address that the other side's signalling comes from."""
        self.port: MediaPort | None = None
        """Its speech; None before `open`."""
        self.text: TextPort | None = None
        """Its real-time text; None where there is none."""

    async def open(self, number: int, *, text: bool = False) -> None:
        """Bind its ports. `number`: of the session, unique on this host. Raises MediaError."""
        port = await self._media.open_port(self.name, host=self._host)
        try:
            self.text = await self._media.open_text(f"{self.name} text", host=self._host) if text else None
        except MediaError:
            await port.close()
            raise
        self.port = port
        plans = _plans(
            port.address[1],
            self.text.address[1] if self.text is not None else None,
            direction="inactive" if self._silent else "sendrecv",
        )
        self._session = sdp.MediaSession(self._host, plans, session_id=number)

    @property
    def session(self) -> sdp.MediaSession:
        """Its descriptions."""
        assert self._session is not None, "a leg is opened first"
        return self._session

    @property
    def speech(self) -> sdp.Negotiated | None:
        """What is agreed for speech; None where there is none."""
        agreed = self.session.agreed[0] if self._session is not None and self.session.agreed else None
        return agreed if isinstance(agreed, sdp.Negotiated) else None

    @property
    def writing(self) -> sdp.NegotiatedText | None:
        """What is agreed for text; None where there is none."""
        agreed = self.session.agreed[1] if self._session is not None and len(self.session.agreed) > 1 else None
        return agreed if isinstance(agreed, sdp.NegotiatedText) else None

    @property
    def is_audible(self) -> bool:
        """Whether the other side hears what is said."""
        return self.speech is not None and self.speech.sends and self._joined

    @property
    def is_held(self) -> bool:
        """Whether the other side has put us on hold."""
        return self.speech is not None and not self.speech.sends and not self._silent

    @property
    def joins(self) -> MediaPort | None:
        """The port that others can be joined with; None where no speech goes either way."""
        return self.port if self._joined else None

    # Offer and answer

    def answer(self, offered: bytes) -> bytes:
        """Answer an offer of the other side's. Raises SdpError, and leaves what held before."""
        session = self.session
        session.take_offer(offered)
        try:
            return session.answer()
        except HarnessError:
            session.withdraw()
            raise

    async def join(self) -> None:
        """Connect the ports as agreed. Raises MediaError: a port is gone, or a codec is not to be had."""
        speech, writing = self.speech, self.writing
        assert self.port is not None
        if speech is not None and (self._joined or speech.direction != "inactive"):
            await join_speech(self.port, speech, symmetric=symmetry(speech, self.signalled_from()))
            self._joined = True
        if self.text is not None and writing is not None and writing.direction != "inactive":
            await join_text(self.text, writing, symmetric=symmetry(writing, self.signalled_from()))

    async def misbehave(self, impairment: Impairment | None) -> None:
        """Do wrong in what is sent. Raises MediaError."""
        if self.port is not None:
            await self.port.impair(impairment)

    # What is played into it

    def begin(self, clips: Sequence[Samples], *, loop: bool = False) -> asyncio.Task[None]:
        """Play clips in a row, in place of what is played now; the task is done when they are out, or cut."""
        self._background = ""
        if self._sound is not None:
            self._sound.cancel()
        self._sound = self._spawn(self._play(np.concatenate(list(clips)), loop))
        return self._sound

    def background(self, name: str, samples: Samples | None = None) -> None:
        """Play music or a tone without end, by its name, or nothing (empty); what is played already goes on."""
        if name == self._background:
            return
        self.hush()
        if samples is not None:
            self.begin([samples], loop=True)
            self._background = name

    def hush(self) -> None:
        """Cut what is played."""
        self._background = ""
        if self._sound is not None:
            self._sound.cancel()
            self._sound = self._spawn(self._stop())

    async def _play(self, samples: Samples, loop: bool) -> None:
        now = self._journal.now
        try:
            await self._stop()
            port = self.port
            if port is None or not self.is_audible:
                if not loop:
                    await asyncio.sleep(len(samples) / SAMPLE_RATE)
                return
            self._dirty = True
            start = await port.play(samples, loop=loop)
            if not loop:
                await asyncio.sleep(max(0.0, start + len(samples) / SAMPLE_RATE - now()))
                self._dirty = False
        except MediaError as error:  # the call ended, or the other side put us on hold meanwhile
            self._journal.record(self.name, "sound.cut", reason=str(error))

    async def _stop(self) -> None:
        if self._dirty and self.port is not None:
            self._dirty = False
            try:
                await self.port.stop_playing()
            except MediaError as error:
                self._journal.record(self.name, "sound.cut", reason=str(error))

    # Text

    async def write(self, text: str) -> None:
        """Type to the other side. Raises MediaError where there is no text stream."""
        if self.text is None or self.writing is None or not self.writing.sends:
            raise MediaError(f"{self.name} has no text stream that can be written on")
        await self.text.write(text)

    # The end

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._work.add(task)
        task.add_done_callback(self._work.discard)
        return task

    async def close(self) -> None:
        """Close the ports; twice is once."""
        if self._closed:
            return
        self._closed = True
        for task in tuple(self._work):
            task.cancel()
        await asyncio.gather(*self._work, return_exceptions=True)
        if self.last_words is not None and self.port is not None:
            await self.last_words(self.port)
        for port in (self.port, self.text):
            if port is not None:
                try:
                    await port.close()
                except MediaError as error:
                    self._journal.warn(port.name, "media.close_failed", reason=str(error))
