"""A control room on simulators in a process of its own, as an outside client meets it, and SIPp to meet it."""

from __future__ import annotations

import asyncio
import contextlib
import csv
import json
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable
from datetime import date
from pathlib import Path
from typing import Any, BinaryIO

import httpx

from harness.testbed.addresses import Addresses, Reached
from harness.testbed.bench import Bench, open_bench
from harness.testbed.load import load_testbed
from suites.selftest.witness import need

READY_WITHIN_S = 40.0
ENDS_WITHIN_S = 15.0
POLL_S = 0.02
FIXTURES = Path(__file__).resolve().parents[3] / "fixtures"
SCENARIOS = FIXTURES / "sipp"
SIMULATED = FIXTURES / "testbeds" / "simulated.yaml"


class ControlRoom:
    """A running ``iccs simulate``."""

    def __init__(
        self, process: asyncio.subprocess.Process, addresses: Addresses, run_dir: Path, testbed: Path, origin: float
    ) -> None:
        self.origin = origin
        """Monotonic time at which the run began, for both sides: their captures are put together by it."""
        self.process = process
        self.testbed = testbed
        self.addresses = addresses
        self.run_dir = run_dir

    @property
    def sip(self) -> tuple[str, int]:
        """Where the switch takes calls."""
        return self.addresses.host_port("iccs", "sip")

    @property
    def http(self) -> str:
        """Where the control interface is."""
        return self.addresses.url("iccs", "http")

    def client(self) -> httpx.AsyncClient:
        """A plain HTTP client of the control interface."""
        return httpx.AsyncClient(base_url=f"{self.http}/v1", timeout=10.0, trust_env=False)

    @contextlib.asynccontextmanager
    async def bench(self) -> AsyncIterator[Bench]:
        """Our own drivers on the other side; what they capture is put beside the simulators'."""
        async with open_bench(
            load_testbed(self.testbed),
            today=date(2026, 1, 1),
            addresses=self.addresses,
            virtual=False,
            seed=1,
            origin=self.origin,
            capture_dir=self.run_dir,
        ) as opened:
            yield opened

    async def status(self) -> dict[str, Any]:
        """What a supervisor sees."""
        async with self.client() as http:
            shown: dict[str, Any] = (await http.get("/status")).raise_for_status().json()
        return shown

    def serial(self, name: str) -> str:
        """The path of a terminal's serial line."""
        return self.addresses.url(name, "serial").removeprefix("serial:")

    def memory(self) -> int:
        """Resident bytes of the simulators' process and of its media worker."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return sum(resident(int(pid)) for pid in (self.process.pid, *children))

    @property
    def said(self) -> str:
        """What it has written to its standard error."""
        return (self.run_dir / "stderr.txt").read_text()

    async def stop(self) -> list[dict[str, Any]]:
        """End it as a service manager does and return its journal; it must go at once, say nothing and return 0."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(ENDS_WITHIN_S):
            code = await self.process.wait()
        assert (code, self.said) == (0, "")
        lines = (self.run_dir / "simulators" / "journal.jsonl").read_text().splitlines()
        return [json.loads(line) for line in lines]


def resident(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


@contextlib.asynccontextmanager
async def control_room(
    run_dir: Path,
    *names: str,
    auto_answer: float | None = None,
    auto_advisers: bool = False,
    testbed: Path = SIMULATED,
) -> AsyncIterator[ControlRoom]:
    """Start ``iccs simulate``: all of the testbed, or those named. It is gone afterwards, whatever happened."""
    command = ["-m", "harness.cli", "simulate", *names, "--json", "--until-stdin-closes", "--run-dir", str(run_dir)]
    origin = time.monotonic()
    command += ["--testbed", str(testbed), "--origin", repr(origin)]
    command += ["--auto-answer", str(auto_answer)] if auto_answer is not None else []
    command += ["--auto-advisers"] if auto_advisers else []
    with _new_file(run_dir, "stderr.txt") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable, *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=errors
        )
    try:
        addresses = Addresses()
        assert process.stdout is not None
        async with asyncio.timeout(READY_WITHIN_S):
            while True:
                line = await process.stdout.readline()
                assert line, f"the simulators did not come up: {(run_dir / 'stderr.txt').read_text()}"
                entry = json.loads(line)
                if entry.get("ready"):
                    break
                addresses.add(Reached(**entry))
        yield ControlRoom(process, addresses, run_dir, testbed, origin)
    finally:
        await ended(process)


async def ended(process: asyncio.subprocess.Process) -> None:
    """See to it that a process is gone and its pipes are closed."""
    if process.stdin is not None:
        process.stdin.close()
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            async with asyncio.timeout(ENDS_WITHIN_S):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
    # the transport closes its pipes only once it is asked to, and warns when it is collected before
    process._transport.close()  # type: ignore[attr-defined]


def _new_file(folder: Path, name: str) -> BinaryIO:
    folder.mkdir(parents=True, exist_ok=True)
    return (folder / name).open("wb")


async def until(true: Callable[[], bool], *, within: float, what: str) -> None:
    """Return once ``true()``; fail when that takes longer than ``within`` seconds."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while not true():
        assert loop.time() < deadline, f"{what}: not within {within:g} s"
        await asyncio.sleep(POLL_S)


@contextlib.asynccontextmanager
async def sipp(folder: Path, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run SIPp headless in a folder of its own; it is gone afterwards, whatever happened."""
    program = need("sipp", package="sip-tester")
    with _new_file(folder, "screen.txt") as screen:
        process = await asyncio.create_subprocess_exec(
            program,
            *arguments,
            *("-i", "127.0.0.1", "-nostdin", "-trace_err", "-error_file", str(folder / "errors.txt")),
            *("-trace_stat", "-stf", str(folder / "stats.csv"), "-fd", "1"),
            cwd=folder,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=screen,
            stderr=screen,
        )
    try:
        yield process
    finally:
        await ended(process)


def sipp_counts(folder: Path) -> dict[str, int]:
    """What SIPp counted: calls that succeeded and failed, messages sent again."""
    with (folder / "stats.csv").open() as file:
        last = list(csv.DictReader(file, delimiter=";"))[-1]
    return {name: int(last[f"{name}(C)"]) for name in ("SuccessfulCall", "FailedCall", "Retransmissions")}


def sipp_errors(folder: Path) -> str:
    """What SIPp complained of."""
    path = folder / "errors.txt"
    return path.read_text(errors="replace") if path.exists() else ""


def kinds(journal: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """The events of one kind."""
    return [event for event in journal if event["kind"] == kind]


def warnings(journal: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The events that a reader should look at."""
    return [event for event in journal if event["data"].get("severity") == "warning"]
