"""A gateway's serial line that vanishes, or brings nothing but noise, under a running control room.

The gateway is out of service and its talkgroup can't be keyed; it is back by itself once the line is. The line is a
pseudo-terminal of socat's between the room and a simulated terminal, as an adapter with a cable would be.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pty
import tempfile
import tty
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from harness.drivers.console import Console
from harness.errors import DriverError
from harness.journal import Journal
from suites.selftest.witness import need
from suites.selftest.witnesses.control_room import (
    POLL_S,
    SIMULATED,
    control_room,
    ended,
    kinds,
    until,
    warnings,
)

pytestmark = [pytest.mark.real_wire, pytest.mark.witness("socat")]

TALKGROUP = "GD-OPS-1"
WITHIN_S = 20.0
NOISE = b"\x00\xff\xfe garbage \r\n+CTXG: what\r\n+CMS ERROR: -1\r\n+CTSDSR: 12,x\r\n" * 20 + b"A" * 100_000 + b"\r\n"
MAY_GROW = 20 * 1024 * 1024
MAX_WARNINGS = 500
"""Some 10,000 lines of noise are sent."""
TIMES = 100


@pytest.fixture
def line() -> Iterator[Path]:
    """Where the room finds its gateway; a testbed file wants a path under /dev."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        yield Path(folder) / "gateway"


@contextlib.asynccontextmanager
async def cable(equipment: str, end: Path) -> AsyncIterator[None]:
    """Join a terminal's line to a pseudo-terminal whose path is `end`; it is gone with the block."""
    socat = need("socat", package="socat")
    process = await asyncio.create_subprocess_exec(
        socat, f"PTY,link={end},raw,echo=0", f"{equipment},raw,echo=0", stderr=asyncio.subprocess.DEVNULL
    )
    try:
        await until(end.exists, within=WITHIN_S, what="socat's pseudo-terminal")
        yield
    finally:
        await ended(process)


def write_testbed(path: Path, line: Path, audio: str) -> Path:
    """The simulated testbed, its gateway a real one at `line`."""
    simulated = (
        "    binding: simulated\n    issi: 4009001\n    talkgroup: GD-OPS-1\n    serial: {url: pty, baud: 38400}"
    )
    text = SIMULATED.read_text()
    assert simulated in text
    real = simulated.replace("simulated", "real").replace("pty", str(line)) + f"\n    audio: {audio}"
    path.write_text(text.replace(simulated, real) + f"\nsafety:\n  key: [{TALKGROUP}]\n")
    return path


async def keyed(console: Console, journal: Journal) -> None:
    """Key the talkgroup once its gateway is in service, be granted the floor, and give it back."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + WITHIN_S
    after = journal.position
    while True:
        try:
            await console.key(TALKGROUP)
            break
        except DriverError as error:
            assert "no gateway in service" in str(error)
            assert loop.time() < deadline, error
            await asyncio.sleep(POLL_S)
    await console.expect("ptt.granted", within=WITHIN_S, after=after, talkgroup=TALKGROUP)
    await console.unkey()
    await console.expect("ptt.released", within=WITHIN_S, after=after, talkgroup=TALKGROUP)


async def refused(console: Console) -> None:
    """Return once the talkgroup can't be keyed for want of a gateway."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + WITHIN_S
    while True:
        try:
            await console.key(TALKGROUP)
        except DriverError as error:
            if "no gateway in service" in str(error):
                return
            raise
        await console.unkey()
        assert loop.time() < deadline, "the gateway stays in service"
        await asyncio.sleep(POLL_S)


@contextlib.contextmanager
def deaf(end: Path) -> Iterator[int]:
    """A pseudo-terminal that answers nothing; yields the descriptor to write noise to."""
    master, slave = pty.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    end.symlink_to(os.ttyname(slave))
    os.close(slave)
    try:
        yield master
    finally:
        end.unlink()
        os.close(master)


async def blurt(master: int, data: bytes) -> None:
    """Write all of it as fast as the reader takes it, and drop what it says."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + WITHIN_S
    while data:
        with contextlib.suppress(OSError):  # full, or nobody has opened the other end yet
            data = data[os.write(master, data[:4096]) :]
        with contextlib.suppress(OSError):
            os.read(master, 65_536)
        assert loop.time() < deadline, f"{len(data)} bytes are not taken"
        await asyncio.sleep(0)


async def test_a_line_that_vanishes_or_brings_noise_comes_back(tmp_path: Path, line: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        radio = await stack.enter_async_context(control_room(tmp_path / "radio", "radio"))
        equipment = radio.serial("gateway-1")
        testbed = write_testbed(tmp_path / "real.yaml", line, radio.addresses.url("gateway-1", "rtp"))
        plugged = await stack.enter_async_context(contextlib.AsyncExitStack())
        await plugged.enter_async_context(cable(equipment, line))
        room = await stack.enter_async_context(control_room(tmp_path / "room", "iccs", testbed=testbed))
        drivers = await stack.enter_async_context(room.bench())
        console, journal = await drivers.console("govan-31"), drivers.journal
        await keyed(console, journal)

        # Pulled while the floor is held: the dispatcher is told, and told again when the key is tried.
        after = journal.position
        await console.key(TALKGROUP)
        held = await console.expect("ptt.granted", within=WITHIN_S, after=after, talkgroup=TALKGROUP)
        await plugged.aclose()
        lost = await console.expect("ptt.lost", within=WITHIN_S, after=held.seq, talkgroup=TALKGROUP)
        assert "line is gone" in lost.data["reason"]
        await refused(console)
        async with cable(equipment, line):
            await keyed(console, journal)
        await refused(console)

        # Something else is plugged in, which talks nonsense and answers nothing.
        before = room.memory()
        with deaf(line) as master:
            for _ in range(TIMES):
                await blurt(master, NOISE)
            await refused(console)
        grown = room.memory() - before
        assert grown < MAY_GROW, f"{TIMES * len(NOISE)} bytes of noise made it grow by {grown} bytes"
        async with cable(equipment, line):
            await keyed(console, journal)
            await drivers.close()
            told = await room.stop()
        await radio.stop()
    services = [event["kind"] for event in told if event["kind"].startswith("gateway.")]
    assert services[0] == services[-1] == "gateway.in_service"
    assert services.count("gateway.in_service") == 3
    assert len(kinds(told, "pei.lost")) == 3
    assert kinds(told, "pei.bad_line")
    assert len(warnings(told)) < MAX_WARNINGS
