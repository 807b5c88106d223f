"""RTP ports for speech and text: the engine, its two hosts, and `open_media`."""

from __future__ import annotations

from harness.endpoints.media.api import (
    Bridge,
    MediaPort,
    MediaService,
    Pacing,
    PortStats,
    Recording,
    TextPort,
)
from harness.endpoints.media.engine import MAX_SOURCES
from harness.endpoints.media.impairment import Impairment
from harness.endpoints.media.inprocess_service import InProcessMediaService
from harness.endpoints.media.process_service import ProcessMediaService
from harness.endpoints.media.terms import Address
from harness.transport.context import Context

__all__ = [
    "MAX_SOURCES",
    "Address",
    "Bridge",
    "Impairment",
    "MediaPort",
    "MediaService",
    "Pacing",
    "PortStats",
    "Recording",
    "TextPort",
    "open_media",
]


async def open_media(context: Context, *, in_process: bool, realtime: bool = False) -> MediaService:
    """Start a media service.

    `in_process`: the engine runs on the running loop (virtual time); else in a worker process (real time), under
    SCHED_FIFO when `realtime` is asked and permitted. Raises MediaError.
    """
    if in_process:
        return InProcessMediaService(context)
    return await ProcessMediaService.start(context, realtime=realtime)
