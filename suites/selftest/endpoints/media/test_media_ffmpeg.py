"""FFmpeg hears what our ports send: SRTP opened by its own implementation, G.722 and Opus as it reads them."""

import asyncio
import sys
from pathlib import Path

import numpy as np
import pytest

from harness.endpoints.media import open_media
from harness.measure.correlate import correlation
from harness.protocols.rtp.codecs import codec_named
from harness.protocols.sdp import SUITES, Crypto, Security
from harness.transport.context import Context
from suites.selftest.endpoints.media.test_media_service import CALLER
from suites.selftest.ports import free_port

pytestmark = pytest.mark.witness("ffmpeg")

LISTENER = Path(__file__).parent / "ffmpeg_listener.py"
SECONDS = 4.0
RTPMAPS = {"PCMA": "8 PCMA/8000", "G722": "9 G722/8000", "OPUS": "107 opus/48000/2"}
WITHIN_S = 40.0


async def heard(tmp_path, codec, *, security=None, ptime=20):
    """What FFmpeg hears of a port that plays speech."""
    port = free_port()
    payload_type = codec_named(codec).payload_type
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0"]
    profile = "RTP/AVP" if security is None else "RTP/SAVP"
    lines += [f"m=audio {port} {profile} {payload_type}", f"a=rtpmap:{RTPMAPS[codec]}"]
    if security is not None:
        lines.append(f"a=crypto:{Crypto(1, security.suite, security.local_key).value}")
    description, target = tmp_path / "stream.sdp", tmp_path / "heard.raw"
    description.write_text("\r\n".join([*lines, ""]))
    listener = await asyncio.create_subprocess_exec(
        sys.executable, str(LISTENER), str(description), str(SECONDS), str(target), stdout=asyncio.subprocess.PIPE
    )
    media = await open_media(Context.create(seed=5), in_process=False)
    try:
        async with asyncio.timeout(WITHIN_S):
            await listener.stdout.readline()
            out = await media.open_port("speaker")
            await out.connect(
                ("127.0.0.1", port), codec=codec, payload_type=payload_type, dtmf_payload_type=None, ptime=ptime,
                security=security,
            )  # fmt: skip
            while listener.returncode is None:
                await out.play(CALLER)
                await out.played()
            assert await listener.wait() == 0
    finally:
        await media.close()
        if listener.returncode is None:
            listener.kill()
            await listener.wait()
    return np.fromfile(target, "<i2")


@pytest.mark.parametrize("suite", ["AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"])
async def test_ffmpeg_opens_our_srtp(tmp_path, suite):
    pytest.importorskip("av")
    rng = Context.create(seed=8).rng
    security = Security(suite, rng.randbytes(SUITES[suite]), rng.randbytes(SUITES[suite]))
    samples = await heard(tmp_path, "PCMA", security=security)
    assert correlation(CALLER[:8000], samples) > 0.9


@pytest.mark.parametrize(("codec", "ptime"), [("PCMA", 30), ("G722", 20), ("OPUS", 40)])
async def test_ffmpeg_hears_our_codecs_at_their_lengths(tmp_path, codec, ptime):
    pytest.importorskip("av")
    samples = await heard(tmp_path, codec, ptime=ptime)
    assert correlation(CALLER[:8000], samples) > 0.9
