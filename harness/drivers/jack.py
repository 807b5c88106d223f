"""Audio jacks, where a headset or a terminal's loudspeaker is plugged in: RTP, or a sound device."""

from __future__ import annotations

import re
from typing import Protocol

from harness.endpoints.media import MediaPort, MediaService, Recording
from harness.errors import DriverError
from harness.protocols.rtp.g711 import Samples
from harness.transport.context import Context

RTP_SCHEME = "rtp://"
SOUND_SCHEME = "sound:"
_PORT = re.compile(r"[0-9]{1,5}\Z")


class AudioJack(Protocol):
    """One end of a lead: what is said goes in, what is heard comes out. Samples are 8 kHz, 16 bits, mono."""

    async def say(self, samples: Samples) -> float:
        """Send samples; return the run time at which the first one goes out."""

    async def said(self) -> None:
        """Return when all that was to be said is out."""

    async def hush(self) -> None:
        """Say no more of what was to be said."""

    async def record(self) -> None:
        """Begin to keep what is heard."""

    async def recorded(self) -> Recording:
        """Return what was heard since ``record``."""

    async def close(self) -> None:
        """Pull the plug."""


class RtpJack:
    """A jack that is an RTP address: connected at once, so that the other side learns whom to send to."""

    def __init__(self, port: MediaPort, remote: tuple[str, int]) -> None:
        self.port = port
        self.remote = remote
        """The other end's address."""

    async def say(self, samples: Samples) -> float:
        """Send samples; return the run time at which the first one goes out."""
        return await self.port.play(samples)

    async def said(self) -> None:
        """Return when all that was to be said is out."""
        await self.port.played()

    async def hush(self) -> None:
        """Say no more of what was to be said."""
        await self.port.stop_playing()

    async def record(self) -> None:
        """Begin to keep what is heard."""
        await self.port.record()

    async def recorded(self) -> Recording:
        """Return what was heard since ``record``."""
        return await self.port.recorded()

    async def close(self) -> None:
        """Close the port."""
        await self.port.close()


async def open_jack(context: Context, media: MediaService, name: str, url: str) -> AudioJack:
    """Open the jack at ``url``: ``rtp://host:port``, or ``sound:DEVICE`` (needs the extra ``sound``).

    Raises DriverError when the URL is neither, or the device is not to be had.
    """
    if url.startswith(SOUND_SCHEME):
        from harness.drivers.sound_jack import SoundJack  # noqa: PLC0415 - an extra that few have

        return SoundJack.open(context, name, url.removeprefix(SOUND_SCHEME))
    host, _, number = url.removeprefix(RTP_SCHEME).rpartition(":")
    if not url.startswith(RTP_SCHEME) or not host or not _PORT.match(number) or not 0 < int(number) < 65536:
        raise DriverError(f"{name}: no audio jack at {url!r}; a jack is rtp://host:port or sound:DEVICE")
    remote = host, int(number)
    port = await media.open_port(f"{name} jack", host=_this_side(host))
    try:
        await port.connect(remote, dtmf_payload_type=None, rests=True)
    except BaseException:
        await port.close()
        raise
    context.called(port.address, name)
    return RtpJack(port, remote)


def _this_side(host: str) -> str:
    """Return the address to bind for a peer: loopback for loopback, else any (the kernel picks the way out)."""
    return "127.0.0.1" if host.startswith("127.") or host == "localhost" else "0.0.0.0"  # noqa: S104 - a real jack is on another machine
