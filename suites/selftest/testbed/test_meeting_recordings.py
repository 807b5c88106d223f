"""What a recording holds is found word by word, wherever a mixer's playout moved it; what was not said is missed."""

from __future__ import annotations

import io
import wave

import numpy as np
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from harness.drivers.webex import Account, Webex
from harness.errors import ExpectationError, InterlockError
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from harness.testbed.clips import read_clip
from harness.testbed.meeting_recordings import holds
from harness.transport.context import Context
from simulators.web import WebServer

MOVED = 480
"""Samples of silence that a playout which becomes deeper puts in between: 60 ms."""


def _wav(samples: Samples) -> bytes:
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples.astype("<i2").tobytes())
    return written.getvalue()


def _nothing_is_dialled(number: str) -> None:
    raise InterlockError(number)


async def test_words_that_a_playout_moved_are_in_the_recording_and_others_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = read_clip("caller-999")
    half = len(said) // 2
    kept = _wav(np.concatenate([said[:half], np.zeros(MOVED, np.int16), said[half:]]))

    async def download(_request: Request) -> Response:
        return Response(kept, media_type="audio/wav")

    server = WebServer(Starlette(routes=[Route("/v1/download", download)]), "127.0.0.1", 0)
    url = f"http://127.0.0.1:{await server.start()}"
    monkeypatch.setenv("ICCS_WEBEX_HOST", "t")
    webex = await Webex.open(
        Context.create(seed=1),
        "webex",
        service=url,
        accounts={"host": Account("host@force.example", "ICCS_WEBEX_HOST", False)},
        prefix="iccs-test-",
        read_only=True,
        permit=_nothing_is_dialled,
        clock=lambda: 0.0,
        control=None,
    )
    try:
        await holds(webex, {"downloadUrl": f"{url}/v1/download"}, ["caller-999"], by="host")
        with pytest.raises(ExpectationError, match="lacks what was said: dispatch"):
            await holds(webex, {"downloadUrl": f"{url}/v1/download"}, ["caller-999", "dispatch"], by="host")
    finally:
        await webex.close()
        await server.stop()
