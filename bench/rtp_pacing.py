"""How late RTP packets leave, and what they cost: streams from the media worker, and from a plain event loop as a peer.

    python -m bench.rtp_pacing [--streams N] [--seconds S] [--json]

The worker is driven through the public API; every packet's send error is measured against its absolute deadline. One
measure keeps this process busy with Python meanwhile: the worker, being a process of its own, must not notice. One has
every stream speak instead of sending silence; one runs under SCHED_FIFO, where that is permitted. The last sends the
same packets from asyncio, all streams of a frame in one burst.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import threading
import time

import numpy as np

from harness.endpoints.media import Pacing, open_media
from harness.protocols.rtp.rtp import build_plain
from harness.transport.context import Context

WARM_UP_S = 0.5
PLAIN = "plain event loop"
FIFO = "worker, SCHED_FIFO"
BUSY = "worker, this process busy"
SPEAKING = "worker, every stream speaking"


async def worker(
    streams: int, seconds: float, *, realtime: bool = False, busy: bool = False, speaking: bool = False
) -> Pacing:
    """Send errors of the media worker."""
    media = await open_media(Context.create(seed=1), in_process=False, realtime=realtime)
    sink = _sink()
    ended = threading.Event()
    speech = np.random.default_rng(1).normal(0, 2000, 8000).astype(np.int16)
    try:
        for number in range(streams):
            port = await media.open_port(f"stream {number}")
            await port.connect(sink.getsockname())
            if speaking:
                await port.play(speech, loop=True)
        await asyncio.sleep(WARM_UP_S)
        await media.pacing()
        if busy:
            threading.Thread(target=_burn, args=(ended,), daemon=True).start()
        await asyncio.sleep(seconds)
        return await media.pacing()
    finally:
        ended.set()
        await media.close()
        sink.close()


async def plain(streams: int, seconds: float) -> Pacing:
    """Send errors of an event loop that sends every stream's packet when its 20 ms timer fires."""
    loop = asyncio.get_running_loop()
    sink, sender = _sink(), _sink()
    errors: list[float] = []
    payload, begin, cpu = b"\xd5" * 160, loop.time(), time.process_time()
    for frame in range(int(seconds / 0.02)):
        due = begin + (frame + 1) * 0.02
        await asyncio.sleep(due - loop.time())
        for number in range(streams):
            packet = build_plain(8, frame & 0xFFFF, frame * 160, number, payload, marker=False)
            sender.sendto(packet, sink.getsockname())
            errors.append(time.monotonic() - due)
    sink.close()
    sender.close()
    p50, p99, p999 = np.percentile(np.array(errors) * 1000, [50, 99, 99.9]).round(3)
    used = time.process_time() - cpu
    return Pacing(len(errors), float(p50), float(p99), float(p999), round(max(errors) * 1000, 3), False, used)


def _sink() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))
    return sock


def _burn(ended: threading.Event) -> None:
    while not ended.is_set():
        sum(range(1000))


async def measure(streams: int, seconds: float) -> dict[str, object]:
    """Every way, one after the other."""
    ways = {
        "worker": await worker(streams, seconds),
        BUSY: await worker(streams, seconds, busy=True),
        SPEAKING: await worker(streams, seconds, speaking=True),
        FIFO: await worker(streams, seconds, realtime=True),
        PLAIN: await plain(streams, seconds),
    }
    if not ways[FIFO].realtime:
        del ways[FIFO]  # not permitted here
    return {
        "streams": streams,
        "seconds": seconds,
        "ways": {
            way: {
                "packets": p.packets,
                "p50_ms": p.p50_ms,
                "p99_ms": p.p99_ms,
                "p999_ms": p.p999_ms,
                "max_ms": p.max_ms,
                "core": round(p.cpu_s / seconds, 3),
            }
            for way, p in ways.items()
        },
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--streams", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    options = parser.parse_args()
    result = asyncio.run(measure(options.streams, options.seconds))
    if options.json:
        print(json.dumps(result))
        return
    print(f"{options.streams} RTP streams, send error in ms")
    print(f"{'':32}{'p50':>8}{'p99':>8}{'p99.9':>8}{'max':>8}{'core':>8}{'packets':>10}")
    for way, figures in result["ways"].items():  # type: ignore[attr-defined]
        row = [figures[key] for key in ("p50_ms", "p99_ms", "p999_ms", "max_ms")]
        print(f"{way:32}" + "".join(f"{v:8.2f}" for v in row) + f"{figures['core']:8.0%}{figures['packets']:10d}")


if __name__ == "__main__":
    main()
