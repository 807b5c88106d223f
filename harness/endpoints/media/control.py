"""The commands of a media engine, in the form that crosses to a worker: a name, JSON arguments, samples as bytes."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.endpoints.media.engine import MediaEngine
from harness.endpoints.media.sound import FRAME_S
from harness.endpoints.media.streams import Outgoing
from harness.errors import MediaError
from harness.protocols.rtp.g711 import SAMPLE_RATE

Reply = tuple[dict[str, Any], bytes]


class Control:
    """Carries out a port's commands on an engine; opening and closing sockets is the host's."""

    def __init__(self, engine: MediaEngine) -> None:
        self.engine = engine

    def execute(self, command: str, number: int, arguments: dict[str, Any], blob: bytes, now: float) -> Reply:
        """Carry out one command. Raises MediaError when it can't be, and for one that does not exist."""
        match command:
            case "connect":
                remote = arguments.pop("remote")
                address = None if remote is None else (str(remote[0]), int(remote[1]))
                self.engine.connect(number, address, now, **arguments)
                return {}, b""
            case "play":
                return self._play(number, blob, loop=bool(arguments["loop"])), b""
            case "stop":
                self.engine.port(number).stop_clips(now)
                return {}, b""
            case "record":
                self.engine.port(number).recorder.begin(now)
                return {}, b""
            case "recorded":
                start, samples = self.engine.port(number).recorder.end()
                return {"start": start}, samples.tobytes()
            case "hear":
                self.engine.hear(number, arguments["sources"])
                return {}, b""
            case "dtmf":
                return self._dtmf(number, **arguments), b""
            case "stats":
                return self.engine.port(number).stats().as_json(), b""
        raise MediaError(f"a media engine has no command {command!r}")

    def close(self, number: int, now: float) -> tuple[Reply, list[Outgoing]]:
        """Close a port; return its last stats and its goodbye."""
        stats, outgoing = self.engine.remove_port(number, now)
        return (stats.as_json(), b""), outgoing

    def _play(self, number: int, blob: bytes, *, loop: bool) -> dict[str, Any]:
        port = self.engine.port(number)
        port.require_sending()
        clip, ahead = port.clips.add(np.frombuffer(blob, np.int16), loop=loop)
        return {"at": self.engine.next_frame_of(number) + ahead * FRAME_S, "clip": clip}

    def _dtmf(self, number: int, *, digits: str, duration_ms: int, gap_ms: int) -> dict[str, Any]:
        port = self.engine.port(number)
        port.require_sending()
        if port.dtmf_payload_type is None:
            raise MediaError(f"no telephone-event payload type was agreed on port {port.name}")
        duration, gap = duration_ms * SAMPLE_RATE // 1000, gap_ms * SAMPLE_RATE // 1000
        port.digits_queued += len(digits)
        try:
            port.dtmf.queue(digits, duration=duration, gap=gap)
        except MediaError:
            port.digits_queued -= len(digits)
            raise
        return {"last": port.digits_queued}
