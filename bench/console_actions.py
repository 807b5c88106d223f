"""How long an operator waits for the console to show what was done, with 120 positions logged in and at work.

    python -m bench.console_actions [--positions N] [--seconds S]

The ICCS is that of `iccs simulate`, in a process of its own. Each position has its console open: the control interface
over HTTP, its events over a WebSocket, its headset's audio jack over RTP. Two by two they call each other, hold, take
off hold, open an incident, clear, go on break and come back, a step every three seconds or so each. An action's time is
from the moment at which it is asked for to the event that shows it, at every console that is to show it. The peer, in
the same run: requests to the same interface that do nothing but read a position.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from random import Random
from typing import Any

import httpx
import numpy as np
import uvloop

from harness.drivers.console import Console
from harness.endpoints.media import open_media
from harness.transport.context import Context

POSITIONS, SECONDS = 120, 20.0
STEP_EVERY_S = 3.0
SHOWN_WITHIN_S = 10.0
TARGET_MS = 300.0
"""NICCS-NFR-008: p95 of a console's actions."""

Step = tuple[str, Callable[[Console, Console], Awaitable[object]], str, bool]
"""Name, what is done, the event that shows it, and whether the other console shows it too."""
STEPS: tuple[Step, ...] = (
    ("dial", lambda one, other: one.dial(other.position), "call.ringing", True),
    ("answer", lambda _one, other: other.answer(), "call.connected", True),
    ("hold", lambda one, _other: one.hold(), "call.held", True),
    ("resume", lambda one, _other: one.resume(), "call.resumed", True),
    ("open incident", lambda one, _other: one.open_incident("A bench's incident"), "incident.opened", False),
    ("clear", lambda one, _other: one.clear(), "call.cleared", True),
    ("break", lambda one, _other: one.go("break"), "adviser.state", False),
    ("available", lambda one, _other: one.go("available"), "adviser.state", False),
)


def measure(positions: int = POSITIONS, seconds: float = SECONDS) -> dict[str, Any]:
    """Return p50, p95 and p99 of all actions and of each kind, and of the peer's requests, milliseconds."""
    with tempfile.TemporaryDirectory() as folder:
        testbed = Path(folder) / "testbed.yaml"
        testbed.write_text(
            "name: bench\nstage: FAT\ncomponents:\n  iccs:\n    role: iccs\n    simulator:\n"
            f"      positions: [{{site: desk, first: 1, last: {positions}}}]\n",
            encoding="utf-8",
        )
        command = [sys.executable, "-m", "harness.cli", "simulate", "--testbed", str(testbed), "--json"]
        with subprocess.Popen(
            [*command, "--until-stdin-closes"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as server:
            assert server.stdin is not None
            assert server.stdout is not None
            try:
                return uvloop.run(_measure(_control(server.stdout), positions, seconds))
            finally:
                server.stdin.close()
                server.wait(30)


def _control(lines: Any) -> str:
    found = ""
    for line in lines:
        entry = json.loads(line)
        if entry.get("ready"):
            return found
        if entry["kind"] == "http":
            found = entry["url"]
    raise RuntimeError("the simulator did not come up")


async def _measure(control: str, positions: int, seconds: float) -> dict[str, Any]:
    context = Context.create(seed=1)
    rng = Random(1)
    took: dict[str, list[float]] = {name: [] for name, *_ in STEPS}
    bare: list[float] = []
    async with AsyncExitStack() as stack:
        media = await open_media(context, in_process=False)
        stack.push_async_callback(media.close)
        consoles = []
        for number in range(1, positions + 1):
            name = f"desk-{number:02d}"
            console = await Console.open(
                context, media, name, control=control, position=name, permit_dial=_any, permit_radio=_any
            )
            stack.push_async_callback(console.close)
            consoles.append(console)
        until = time.perf_counter() + seconds
        pairs = zip(consoles[::2], consoles[1::2], strict=False)
        at_work = [_work(context, Random(rng.random()), one, other, took, until) for one, other in pairs]
        await asyncio.gather(*at_work, _ask(control, bare, until))
    every = [each for times in took.values() for each in times]
    return {
        "positions": positions,
        "actions": len(every),
        "actions_per_s": round(len(every) / seconds, 1),
        "all": _spread(every),
        "by_action": {name: _spread(times) for name, times in took.items()},
        "reading_alone": _spread(bare),
    }


async def _work(
    context: Context, rng: Random, one: Console, other: Console, took: dict[str, list[float]], until: float
) -> None:
    """Two consoles at work, until the time is up and their call is cleared."""
    await asyncio.sleep(rng.uniform(0, STEP_EVERY_S))
    while time.perf_counter() < until:
        for name, act, shown, both in STEPS:
            after, began = context.journal.position, context.journal.now()
            await act(one, other)
            seen = []
            for console in (one, other) if both and name != "dial" else (other,) if name == "dial" else (one,):
                seen.append(await console.expect(shown, within=SHOWN_WITHIN_S, after=after))
            took[name].append(1000 * (max(event.time for event in seen) - began))
            await asyncio.sleep(rng.expovariate(1 / STEP_EVERY_S) if time.perf_counter() < until else 0)


async def _ask(control: str, bare: list[float], until: float) -> None:
    async with httpx.AsyncClient(base_url=control, trust_env=False, timeout=SHOWN_WITHIN_S) as http:
        while time.perf_counter() < until:
            began = time.perf_counter()
            (await http.get("/v1/positions/desk-01")).raise_for_status()
            bare.append(1000 * (time.perf_counter() - began))
            await asyncio.sleep(0.1)


def _any(*_asked: object) -> None:
    """A permit for all: nothing here reaches anybody."""


def _spread(times: list[float]) -> dict[str, float]:
    if not times:
        return {}
    found = np.percentile(times, (50, 95, 99))
    return {name: round(float(value), 1) for name, value in zip(("p50_ms", "p95_ms", "p99_ms"), found, strict=True)}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--positions", type=int, default=POSITIONS)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    given = parser.parse_args()
    print(json.dumps(measure(given.positions, given.seconds), indent=1))
