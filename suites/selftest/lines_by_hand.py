"""Simulated terminals' serial lines for a hand that knows bytes alone: the network runs in a process of its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import serial

WITHIN_S = 5.0
"""Of silence on a line, until what is waited for counts as not come: ``timeout`` of its port."""
_NETWORK = """
import asyncio, json, sys
from harness.transport.context import Context
from simulators.radio.config import RadioConfig, TerminalConfig
from simulators.radio.network import RadioNetwork

async def main():
    config = RadioConfig(talkgroups={{"GD-OPS-1": 2001}}, seed=3, {settings})
    network = await RadioNetwork.start(Context.create(seed=3), None, config, virtual=False)
    print(json.dumps({{each["name"]: each["url"] for each in network.addresses()}}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # until our standard input is closed
    await network.stop()

asyncio.run(main())
"""


@contextmanager
def network_lines(settings: str) -> Iterator[dict[str, str]]:
    """Paths of the terminals' lines; ``settings`` of the network are Python, as RadioConfig takes them."""
    command = [sys.executable, "-c", _NETWORK.format(settings=settings)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield json.loads(process.stdout.readline())
    finally:
        process.stdin.close()
        assert process.wait(10) == 0
        process.stdout.close()


def until(port: serial.Serial, pattern: bytes) -> bytes:
    """What comes up to and with `pattern`, within WITHIN_S of silence."""
    data = b""
    while not re.search(pattern, data):
        more = port.read(1)
        assert more, f"{pattern!r} did not come; this did: {data!r}"
        data += more + port.read(port.in_waiting)
    return data


def say(port: serial.Serial, data: bytes, pattern: bytes = rb"OK\r\n") -> bytes:
    """Writes bytes and returns what comes up to `pattern`."""
    port.write(data)
    return until(port, pattern)
