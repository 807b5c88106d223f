"""AT round trips a second over a pseudo-terminal: our terminal equipment against our terminal in another process.

Beside it, in the same run and against the same peer, pyserial as it is mostly used: blocking write, blocking read. Run
it alone (`python bench/at_round_trips.py`) or call `measure`. A round trip is `AT` CR LF out, CR LF `OK` CR LF back.

Both processes share one core, and spinners keep the others busy: the kernel moves a pseudo-terminal's bytes by a worker
of its own, and on a virtual machine a worker on another core, asleep or idle, costs several round trips for each.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import serial
import uvloop

from harness.endpoints.pei import TerminalEquipment
from harness.transport.context import Context

ROUND_TRIPS = 1_000
TARGET_PER_S = 15_000
ROUNDS = 40
"""Rounds of each way, in turns; the median of each counts."""
_BAUD = 115_200

_PEER = """
import asyncio, sys
import uvloop
from harness.endpoints.pei import MobileTerminal
from harness.protocols.pei.mobile_terminal import MobileTerminalMachine
from harness.protocols.tetra.identity import Tsi
from harness.transport.context import Context

async def main():
    machine = MobileTerminalMachine(Tsi(1, 1, 4001234), {"GD-OPS-1": 2001})
    terminal = await MobileTerminal.offer(
        Context.create(seed=1), "peer", machine, lambda request: None, baud=115200, virtual=False
    )
    print(terminal.url, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    terminal.close()

uvloop.run(main())
"""


async def _ours(url: str, count: int) -> float:
    context = Context.create(seed=1)
    equipment = await TerminalEquipment.open(context, "bench", url, baud=_BAUD)
    await equipment.command("AT")
    began = time.perf_counter()
    for _ in range(count):
        await equipment.command("AT")
    elapsed = time.perf_counter() - began
    equipment.close()
    return count / elapsed


def _blocking(url: str, count: int) -> float:
    with serial.Serial(url, _BAUD, timeout=5) as port:
        began = time.perf_counter()
        for _ in range(count):
            port.write(b"AT\r\n")
            if port.read(6) != b"\r\nOK\r\n":
                raise RuntimeError("the terminal answered something else than OK")
        return count / (time.perf_counter() - began)


def _share_core(core: int, peer: int) -> None:
    """Puts both processes on one core: they take turns anyway."""
    for process in (0, peer):
        os.sched_setaffinity(process, {core})


_SPIN = """
import os, sys
os.sched_setaffinity(0, {int(sys.argv[1])})
print(flush=True)
while os.getppid() == int(sys.argv[2]):
    for _ in range(1_000_000):
        pass
"""


@contextmanager
def _awake(cores: list[int]) -> Iterator[None]:
    """Keeps cores busy at ordinary priority, so that the kernel has no reason to move its worker there."""
    spinners = [
        subprocess.Popen([sys.executable, "-c", _SPIN, str(core), str(os.getpid())], stdout=subprocess.PIPE)
        for core in cores
    ]
    try:
        for spinner in spinners:
            assert spinner.stdout is not None
            spinner.stdout.readline()
        yield
    finally:
        for spinner in spinners:
            spinner.kill()
            spinner.communicate()


def measure(count: int = ROUND_TRIPS) -> dict[str, Any]:
    """Measures both ways; gives round trips a second, their ratio, and the target."""
    peer = subprocess.Popen([sys.executable, "-c", _PEER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert peer.stdin is not None
    assert peer.stdout is not None
    cores = sorted(os.sched_getaffinity(0))
    try:
        url = peer.stdout.readline().strip()
        ours, blocking = [], []
        with _awake(cores[1:]):
            _share_core(cores[0], peer.pid)
            for _ in range(ROUNDS):
                ours.append(uvloop.run(_ours(url, count)))
                blocking.append(_blocking(url, count))
    finally:
        os.sched_setaffinity(0, cores)
        peer.stdin.close()
        peer.wait(10)
        peer.stdout.close()
    return {
        "name": "at_round_trips",
        "round_trips": count,
        "ours_per_s": round(statistics.median(ours)),
        "ours_least_and_most_per_s": [round(min(ours)), round(max(ours))],
        "pyserial_blocking_per_s": round(statistics.median(blocking)),
        "ratio_to_pyserial": round(statistics.median(ours) / statistics.median(blocking), 2),
        "target_per_s": TARGET_PER_S,
        "met": statistics.median(ours) >= TARGET_PER_S,
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
