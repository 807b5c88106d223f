"""The ports that tests and simulators hold, whichever host their engine runs in."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.endpoints.media.api import MediaPort, PortStats, Recording
from harness.endpoints.media.control import Reply
from harness.endpoints.media.events import MediaEvent
from harness.endpoints.media.impairment import Impairment
from harness.endpoints.media.sound import FRAME_S
from harness.endpoints.media.terms import Address, SpeechTerms, Symmetric, TextTerms
from harness.errors import MediaError
from harness.protocols.rtp.dtmf import DEFAULT_VOLUME
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from harness.protocols.rtp.security import Security

if TYPE_CHECKING:
    from harness.endpoints.media.service import EngineHost

GRACE_S = 5.0
"""How much longer than its length a clip or a row of digits may take before the wait is given up."""
MAX_TEXT = 100_000
"""Characters of received text that a port keeps; of a longer conversation the journal has the beginning."""


class EnginePort:
    """What every port on an engine does."""

    def __init__(self, host: EngineHost, number: int, name: str, address: Address) -> None:
        self.name = name
        self.address = address
        self.number = number
        self.host = host
        self._final: PortStats | None = None
        self._closing: asyncio.Task[PortStats] | None = None
        self._failed: str | None = None
        self._changed = asyncio.Event()

    async def impair(self, impairment: Impairment | None) -> None:
        """Misbehave so from now on, or (None) no more; see AnyPort.impair."""
        journal = self.host.context.journal
        what = None if impairment is None else impairment.as_json()
        await self._request("impair", {"impairment": what})
        journal.record(self.name, "media.impaired", **(what or {}))

    async def stats(self) -> PortStats:
        """What crossed so far."""
        if self._final is not None:
            return self._final
        reply, _ = await self._request("stats", {})
        return self._stats(reply)

    async def close(self) -> PortStats:
        """Say goodbye, close, journal the stats and return them; twice is once."""
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._close())
        return await asyncio.shield(self._closing)

    async def _close(self) -> PortStats:
        try:
            reply, _ = await self._request("close", {})
        finally:
            self.host.forget(self.number)
            self.fail(f"media port {self.name} is closed")
        self._final = self._stats(reply)
        self.host.context.journal.record(self.name, "media.closed", **self._final.as_json())
        return self._final

    def _stats(self, reply: dict[str, Any]) -> PortStats:
        """The engine's stats with its times as run times."""
        stats = PortStats.from_json(reply)
        return replace(
            stats, first_packet=self._run_time(stats.first_packet), first_voice=self._run_time(stats.first_voice)
        )

    def _run_time(self, time: float | None) -> float | None:
        return None if time is None else round(time - self.host.context.journal.origin, 6)

    def take_event(self, event: MediaEvent) -> None:
        """Note what the engine told of this port."""

    def fail(self, reason: str) -> None:
        """Wake who waits, with MediaError."""
        self._failed = self._failed or reason
        self._changed.set()

    async def _request(self, command: str, arguments: dict[str, Any], blob: bytes = b"") -> Reply:
        if self._failed is not None:
            raise MediaError(self._failed)
        return await self.host.request(command, self.number, arguments, blob)

    async def _until(self, done: Callable[[], bool], within: float, otherwise: str) -> None:
        try:
            async with asyncio.timeout(within):
                while not done():
                    if self._failed is not None:
                        raise MediaError(self._failed)
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise MediaError(f"{otherwise} on port {self.name} within {within:.1f} s") from None


class SpeechPort(EnginePort):
    """A MediaPort on an engine."""

    def __init__(self, host: EngineHost, number: int, name: str, address: Address) -> None:
        super().__init__(host, number, name, address)
        self._clip = 0
        self._clip_ended = 0
        self._clips_until = 0.0
        self._looping = False
        self._digits_sent = 0

    async def connect(
        self,
        remote: Address | None,
        *,
        payload_type: int = 8,
        codec: str = "PCMA",
        dtmf_payload_type: int | None = 101,
        send: bool = True,
        receive: bool = True,
        ptime: int = 20,
        comfort_noise_payload_type: int | None = None,
        incoming: Iterable[tuple[int, str]] = (),
        dtmf_clock: int = 8000,
        rtcp: Address | None = None,
        rtcp_mux: bool = False,
        security: Security | None = None,
        symmetric: Symmetric = "no",
        rests: bool = False,
    ) -> None:
        """Agree with a peer; see MediaPort.connect."""
        terms = SpeechTerms(
            remote=remote,
            payload_type=payload_type,
            codec=codec,
            dtmf_payload_type=dtmf_payload_type,
            send=send,
            receive=receive,
            ptime=ptime,
            comfort_noise_payload_type=comfort_noise_payload_type,
            incoming=tuple(incoming),
            dtmf_clock=dtmf_clock,
            rtcp=rtcp,
            rtcp_mux=rtcp_mux,
            security=security,
            symmetric=symmetric,
            rests=rests,
        )
        await self._request("connect", terms.as_json())

    async def play(self, samples: Samples, *, loop: bool = False, rate: int = SAMPLE_RATE) -> float:
        """Send samples; return the run time at which the first one goes out."""
        if samples.dtype != np.int16 or samples.ndim != 1:
            raise MediaError(f"a clip is a one-dimensional array of int16, not {samples.ndim} of {samples.dtype}")
        reply, _ = await self._request("play", {"loop": loop, "rate": rate}, np.ascontiguousarray(samples).tobytes())
        self._clip = max(self._clip, reply["clip"])
        self._looping = loop
        start = float(reply["at"]) - self.host.context.journal.origin
        self._clips_until = start + len(samples) / rate + FRAME_S
        return start

    async def stop_playing(self) -> None:
        """Cut what is being played and forget what is queued."""
        self._looping = False
        await self._request("stop", {})

    async def played(self) -> None:
        """Return when everything asked so far is out, or was cut."""
        if self._looping:
            raise MediaError(f"the clip on port {self.name} loops: it is never out; stop it")
        last = self._clip
        within = max(0.0, self._clips_until - self.host.context.journal.now()) + GRACE_S
        await self._until(lambda: self._clip_ended >= last, within, "the clip did not end")

    async def record(self) -> None:
        """Begin recording what is heard."""
        await self._request("record", {})

    async def recorded(self) -> Recording:
        """End the recording and return it."""
        reply, blob = await self._request("recorded", {})
        start = round(reply["start"] - self.host.context.journal.origin, 6)
        return Recording(start, np.frombuffer(blob, np.int16), reply["rate"])

    async def hear(self, *sources: MediaPort, gains_db: Mapping[MediaPort, float] | None = None) -> None:
        """Send on what these ports hear, mixed, each turned up or down; none: stop."""
        numbers = [self.host.number_of(source, f"port {self.name} can only hear ports") for source in sources]
        gains = [float((gains_db or {}).get(source, 0.0)) for source in sources]
        await self._request("hear", {"sources": numbers, "gains_db": gains})

    async def mute(self, *, outgoing: bool = False, incoming: bool = False) -> None:
        """Send silence in place of speech, let nobody hear what comes."""
        await self._request("mute", {"outgoing": outgoing, "incoming": incoming})

    async def send_dtmf(
        self, digits: str, *, duration_ms: int = 100, gap_ms: int = 100, volume: int = DEFAULT_VOLUME
    ) -> None:
        """Send telephone events; return when the last one's end is out."""
        reply, _ = await self._request(
            "dtmf", {"digits": digits, "duration_ms": duration_ms, "gap_ms": gap_ms, "volume": volume}
        )
        last = reply["last"]
        within = (last - self._digits_sent) * (duration_ms + gap_ms + 100) / 1000 + GRACE_S
        await self._until(lambda: self._digits_sent >= last, within, "the digits did not go out")

    def take_event(self, event: MediaEvent) -> None:
        """Note what the engine told of this port."""
        if event.kind == "clip.ended":
            self._clip_ended = max(self._clip_ended, event.data["clip"])
        elif event.kind == "dtmf.sent":
            self._digits_sent = max(self._digits_sent, event.data["number"])
        else:
            return
        self._changed.set()


class EngineTextPort(EnginePort):
    """A TextPort on an engine."""

    def __init__(self, host: EngineHost, number: int, name: str, address: Address) -> None:
        super().__init__(host, number, name, address)
        self._received = ""
        self._written = 0
        self._sent = 0
        self._cps = 30

    async def connect(
        self,
        remote: Address | None,
        *,
        payload_type: int = 98,
        redundant_payload_type: int | None = 100,
        generations: int = 2,
        cps: int = 30,
        send: bool = True,
        receive: bool = True,
        incoming: Iterable[tuple[int, str]] = (),
        rtcp: Address | None = None,
        rtcp_mux: bool = False,
        security: Security | None = None,
        symmetric: Symmetric = "no",
    ) -> None:
        """Agree with a peer; see TextPort.connect."""
        terms = TextTerms(
            remote=remote,
            payload_type=payload_type,
            redundant_payload_type=redundant_payload_type,
            generations=generations,
            cps=cps,
            send=send,
            receive=receive,
            incoming=tuple(incoming),
            rtcp=rtcp,
            rtcp_mux=rtcp_mux,
            security=security,
            symmetric=symmetric,
        )
        await self._request("connect text", terms.as_json())
        self._cps = cps

    async def write(self, text: str) -> None:
        """Type."""
        await self._request("write", {"text": text})
        self._written += len(text)

    async def written(self) -> None:
        """Return when everything typed so far has left."""
        due = self._written
        within = (due - self._sent) / self._cps + GRACE_S
        await self._until(lambda: self._sent >= due, within, "the text did not go out")

    def received(self) -> str:
        """All that came so far."""
        return self._received

    def take_event(self, event: MediaEvent) -> None:
        """Note what the engine told of this port."""
        if event.kind == "text.received":
            self._received = (self._received + event.data["text"])[-MAX_TEXT:]
        elif event.kind == "text.sent":
            self._sent += len(event.data["text"])
        else:
            return
        self._changed.set()


class EngineBridge:
    """A Bridge on an engine."""

    def __init__(self, host: EngineHost, number: int, name: str) -> None:
        self.name = name
        self._host = host
        self._number = number
        self._closed = False

    async def join(self, port: MediaPort, *, speak: bool = True, hear: bool = True) -> None:
        """Let a port in, or change what it may."""
        number = self._host.number_of(port, f"the bridge {self.name} joins ports")
        await self._host.request("join", number, {"bridge": self._number, "speak": speak, "hear": hear})
        self._host.context.journal.record(self.name, "bridge.joined", port=port.name, speak=speak, hear=hear)

    async def leave(self, port: MediaPort) -> None:
        """Let a port out."""
        number = self._host.number_of(port, f"the bridge {self.name} joins ports")
        await self._host.request("leave", number, {})
        self._host.context.journal.record(self.name, "bridge.left", port=port.name)

    async def close(self) -> None:
        """End the conference; twice is once."""
        if not self._closed:
            self._closed = True
            await self._host.request("close bridge", self._number, {})
