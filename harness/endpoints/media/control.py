"""The commands of a media engine, in the form that crosses to a worker: a name, JSON arguments, samples as bytes."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.endpoints.media.engine import MediaEngine
from harness.endpoints.media.impairment import Impairment
from harness.endpoints.media.sending import Outgoing
from harness.endpoints.media.sound import FRAME_S
from harness.endpoints.media.terms import SpeechTerms, TextTerms
from harness.errors import MediaError

Reply = tuple[dict[str, Any], bytes]


class Control:
    """Carries out a port's commands on an engine; opening and closing sockets is the host's."""

    def __init__(self, engine: MediaEngine) -> None:
        self.engine = engine

    def execute(  # noqa: PLR0912 - one line a command
        self, command: str, number: int, arguments: dict[str, Any], blob: bytes, now: float
    ) -> Reply:
        """Carry out one command. Raises MediaError when it can't be, and for one that does not exist."""
        engine = self.engine
        engine.now = now
        match command:
            case "connect":
                engine.connect(number, SpeechTerms.from_json(arguments), now)
            case "connect text":
                engine.connect(number, TextTerms.from_json(arguments), now)
            case "play":
                return self._play(number, blob, **arguments), b""
            case "stop":
                engine.speech(number).stop_clips(now)
            case "record":
                engine.speech(number).listener.recorder.begin(now)
            case "recorded":
                recorder = engine.speech(number).listener.recorder
                start, samples = recorder.end()
                return {"start": start, "rate": recorder.rate}, samples.tobytes()
            case "hear":
                engine.hear(number, arguments["sources"], arguments["gains_db"])
            case "mute":
                engine.speech(number).mute(**arguments)
            case "dtmf":
                port = engine.speech(number)
                port.require_sending()
                return {"last": port.talker.press(**arguments)}, b""
            case "write":
                engine.text(number).write(arguments["text"])
            case "impair":
                what = arguments["impairment"]
                engine.port(number).impair(None if what is None else Impairment.from_json(what), now)
            case "stats":
                return engine.port(number).stats().as_json(), b""
            case "open bridge":
                return {"number": engine.add_bridge(**arguments).number}, b""
            case "join":
                bridge = engine.bridge(arguments.pop("bridge"))
                engine.speech(number).join(bridge, **arguments)
            case "leave":
                engine.speech(number).leave()
            case "close bridge":
                engine.remove_bridge(number)
            case _:
                raise MediaError(f"a media engine has no command {command!r}")
        return {}, b""

    def close(self, number: int, now: float) -> tuple[Reply, list[Outgoing]]:
        """Close a port; return its last stats and its goodbye."""
        stats, outgoing = self.engine.remove_port(number, now)
        return (stats.as_json(), b""), outgoing

    def _play(self, number: int, blob: bytes, *, loop: bool, rate: int) -> dict[str, Any]:
        port = self.engine.speech(number)
        clip, ahead, lag = port.play(np.frombuffer(blob, np.int16), rate, loop=loop)
        return {"at": self.engine.next_frame_of(number) + ahead * FRAME_S + lag, "clip": clip}
