"""RTP speech ports: the engine, its two hosts, and `open_media`."""

from __future__ import annotations

from harness.endpoints.media.api import Address, MediaPort, MediaService, Pacing, PortStats, Recording
from harness.endpoints.media.inprocess_service import InProcessMediaService
from harness.endpoints.media.process_service import ProcessMediaService
from harness.transport.context import Context

__all__ = ["Address", "MediaPort", "MediaService", "Pacing", "PortStats", "Recording", "open_media"]


async def open_media(context: Context, *, in_process: bool, realtime: bool = False) -> MediaService:
    """Start a media service.

    `in_process`: the engine runs on the running loop (virtual time); else in a worker process (real time), under
    SCHED_FIFO when `realtime` is asked and permitted. Raises MediaError.
    """
    if in_process:
        return InProcessMediaService(context)
    return await ProcessMediaService.start(context, realtime=realtime)
