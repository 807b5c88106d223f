"""Hours of calls at one ICCS in a process of its own: whether its memory stays flat, and no call fails.

    python -m bench.soak [--minutes 30] [--rate 20] [--speaking 50]

Calls without speech come at a fixed rate, beside them so many callers speak at all times, each call of theirs a minute
long. The resident memory of the ICCS and of its media worker is sampled every second; a straight line is fitted to it
after the warm-up. Progress is on the terminal, Ctrl-C ends it and keeps what was measured.

Writes reports/out/soak.json and soak.svg. Exit codes: 0 flat and no call failed, 1 not so, 2 wrong use, 3 it could not
run, 130 ended by Ctrl-C.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import signal
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from math import ceil
from pathlib import Path
from typing import Any, Final

import numpy as np
from rich.console import Console
from rich.live import Live

from harness.drivers.call_load import CallLoad, LoadedCall, LoadPlan
from harness.errors import HarnessError
from harness.evidence.plot import Axis, Line, line_plot
from harness.measure.verdict import Due, judge
from harness.testbed.addresses import Addresses, Reached
from harness.testbed.bench import open_bench
from harness.testbed.clips import read_clip
from harness.testbed.load import load_testbed

PROJECT = Path(__file__).resolve().parent.parent
OUT = PROJECT / "reports" / "out"
TESTBED = PROJECT / "fixtures" / "testbeds" / "soak.yaml"

BYTES_A_CALL: Final = 85.0
"""Memory is flat while it grows by no more than this for each call, over both processes. It is less than any object
that a call could leave behind; the ICCS keeps the wait of each of its newest 100,000 answers, which is 8 bytes."""
SETTLING_KIB: Final = 1024.0
"""What the allocator may still take after the warm-up whatever the load, as its arenas fill unevenly. A run of minutes
is judged by it; over half an hour it is less than BYTES_A_CALL."""
WARM_UP_S: Final = 300.0
"""Until then bounded tables fill, 1,000 call records, 20,000 events, 5,000 rows of
advisers' states, 2,000 recordings of 16 MiB, transactions of 32 s, and the allocator settles. A
run of under 12.5 minutes has two fifths of its time for it."""
SAMPLE_S: Final = 1.0
HOLD_S: Final = 1.0
"""How long a call without speech is up."""
ROUND_S: Final = 60.0
"""How long one is that has speech, with the pause after it."""
SIGNALLING_ROUND_S: Final = 10.0
"""For so long calls without speech are planned at a time; they are counted when all of them are over."""
GAP_S: Final = 1.0
"""Between a speaking caller's call and its next one."""
ANSWER_S: Final = 0.1
"""After which positions answer by themselves."""
READY_S: Final = 60.0
ENDS_S: Final = 15.0
DUE: Final = Due(codec="PCMA", loss=0.01, mos=4.0)
"""What is due to each call with speech."""
FAILURES_TOLD: Final = 10


@dataclass(slots=True)
class Sizes:
    """The resident memory of each process, bytes, by the second."""

    at: list[float] = field(default_factory=list)
    by_process: dict[str, list[int]] = field(default_factory=dict)

    def sample(self, at: float, pids: Mapping[str, int]) -> None:
        """Look once. Raises OSError where a process is gone."""
        found = {name: resident(pid) for name, pid in pids.items()}
        self.at.append(at)
        for name, size in found.items():
            self.by_process.setdefault(name, []).append(size)

    @property
    def total(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """All processes together, bytes."""
        return np.sum(list(self.by_process.values()), axis=0, dtype=np.float64)


@dataclass(slots=True)
class Calls:
    """What became of the calls."""

    signalling: Counter[str] = field(default_factory=Counter)
    speaking: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    worst_loss: float = 0.0
    worst_mos: float = 5.0
    latest_answer_s: float = 0.0

    def take(self, calls: Sequence[LoadedCall], *, judged: bool) -> None:
        """Count calls that are over; with `judged`, hold each one's stream against DUE as well."""
        counts = self.speaking if judged else self.signalling
        for call in calls:
            findings = [call.problem] if call.problem else []
            if call.answered_at is None:
                findings.append(f"not answered: {call.status} {call.reason}")
            elif judged and call.stats is not None:
                verdict = judge(call.stats, since=call.answered_at, due=DUE)
                findings += verdict.findings
                self.worst_loss = max(self.worst_loss, verdict.loss)
                self.worst_mos = min(self.worst_mos, verdict.mos)
            self.latest_answer_s = max(self.latest_answer_s, call.answer_s or 0.0)
            counts["failed" if findings else "as due"] += 1
            if findings and len(self.failures) < FAILURES_TOLD:
                self.failures.append(f"{call.name}: {'; '.join(findings)}")

    @property
    def failed(self) -> int:
        """How many were not as due."""
        return self.signalling["failed"] + self.speaking["failed"]


def resident(pid: int) -> int:
    """A process's resident memory, bytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def children(pid: int) -> list[int]:
    """The processes that a process started, in the order of their ids."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        found += [int(each) for each in (task / "children").read_text(encoding="ascii").split()]
    return sorted(found)


def fit(at: Sequence[float], size: np.ndarray[Any, np.dtype[np.float64]], since: float) -> dict[str, float] | None:
    """The straight line through what was sampled from `since` on, and how sure it is; None for under ten samples."""
    later = np.asarray(at) >= since
    if later.sum() < 10:
        return None
    (slope, start), covariance = np.polyfit(np.asarray(at)[later], size[later], 1, cov=True)
    return {
        "kib_a_minute": float(slope) * 60 / 1024,
        "standard_error": float(np.sqrt(covariance[0, 0])) * 60 / 1024,
        "start_mib": float(start) / 2**20,
        "bytes_a_second": float(slope),
    }


class Soak:
    """One run."""

    def __init__(self, minutes: float, rate: float, speaking: int) -> None:
        self.seconds, self.rate, self.speaking = minutes * 60, rate, speaking
        self.warm_up = min(WARM_UP_S, 0.4 * self.seconds)
        self.sizes, self.calls = Sizes(), Calls()
        self.stopped = asyncio.Event()
        self.lasted = 0.0

    async def run(self, live: Live) -> None:
        """Start the ICCS, load it until the time is over or it is stopped. Raises HarnessError, OSError."""
        command = [sys.executable, "-m", "harness.cli", "simulate", "iccs", "--testbed", str(TESTBED), "--json"]
        command += ["--auto-answer", str(ANSWER_S), "--until-stdin-closes"]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, cwd=PROJECT, start_new_session=True
        )
        try:
            addresses = await _ready(process)
            async with open_bench(
                load_testbed(TESTBED),
                today=date.today(),  # noqa: DTZ011 - a permit is dated by the tester's calendar
                addresses=addresses,
                virtual=False,
            ) as bench:
                pids = {"ICCS": process.pid}
                pids |= {f"media worker {number}": pid for number, pid in enumerate(children(process.pid), 1)}
                signalling, speaking = await bench.call_load("signalling"), await bench.call_load("speaking")
                await self._load(signalling, speaking, pids, live)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            try:
                async with asyncio.timeout(ENDS_S):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()

    async def _load(self, signalling: CallLoad, speaking: CallLoad, pids: Mapping[str, int], live: Live) -> None:
        began = time.monotonic()
        loads = [
            asyncio.create_task(self._signals(signalling, began)),
            asyncio.create_task(self._speaks(speaking, began)),
        ]
        try:
            while (at := time.monotonic() - began) < self.seconds and not self.stopped.is_set():
                self.sizes.sample(at, pids)
                self.lasted = at
                live.update(self.progress())
                for load in loads:
                    if load.done():
                        load.result()
                await _until(began + SAMPLE_S * len(self.sizes.at), self.stopped)
        finally:
            for load in loads:
                load.cancel()
            await asyncio.gather(*loads, return_exceptions=True)

    async def _signals(self, load: CallLoad, began: float) -> None:
        """Calls without speech, round by round; a round's last calls are up while the next one begins."""
        calls = max(1, round(self.rate * SIGNALLING_ROUND_S))
        plan = LoadPlan(number="999", calls=calls, per_second=self.rate, hold_s=HOLD_S, speech=False)
        await self._rounds(load, plan, began, SIGNALLING_ROUND_S, judged=False)

    async def _speaks(self, load: CallLoad, began: float) -> None:
        """Callers who speak: each rings again a moment after its call."""
        if not self.speaking:
            return
        plan = LoadPlan(
            number="101",
            calls=self.speaking,
            per_second=max(1.0, self.speaking / 10),
            hold_s=ROUND_S - GAP_S - ANSWER_S,
            says=read_clip("caller-999"),
            record=False,
        )
        await self._rounds(load, plan, began, ROUND_S, judged=True)

    async def _rounds(self, load: CallLoad, plan: LoadPlan, began: float, every_s: float, *, judged: bool) -> None:
        async with asyncio.TaskGroup() as rounds:
            for number in range(ceil(self.seconds / every_s)):
                await _until(began + number * every_s)
                rounds.create_task(self._round(load, plan, judged=judged))

    async def _round(self, load: CallLoad, plan: LoadPlan, *, judged: bool) -> None:
        self.calls.take(await load.place(plan), judged=judged)

    # What is told

    def progress(self) -> str:
        """One line."""
        line = self.fitted()
        grows = f"{line['kib_a_minute']:+.0f} KiB a minute" if line else f"warming up until {self.warm_up:.0f} s"
        calls = self.calls
        return (
            f"{self.lasted:5.0f} of {self.seconds:.0f} s · {self.sizes.total[-1] / 2**20:.1f} MiB, {grows} · "
            f"{calls.signalling.total()} calls and {calls.speaking.total()} with speech over, {calls.failed} not as due"
        )

    def fitted(self) -> dict[str, float] | None:
        """The line through the whole size after the warm-up."""
        return fit(self.sizes.at, self.sizes.total, self.warm_up) if self.sizes.at else None

    @property
    def bound(self) -> float:
        """The most that the size may grow, KiB a minute."""
        calls = BYTES_A_CALL * (self.rate + self.speaking / ROUND_S) * 60 / 1024
        return max(calls, SETTLING_KIB / max(SAMPLE_S, self.lasted - self.warm_up) * 60)

    @property
    def bound_told(self) -> str:
        """The bound in words."""
        by_calls = f"{BYTES_A_CALL:g} bytes a call"
        return f"at most {self.bound:.1f} is due ({by_calls}, or {SETTLING_KIB:g} KiB in all)"

    def verdict(self) -> list[str]:
        """What was not as due."""
        found = []
        line = self.fitted()
        if line is None:
            found.append("too short to tell whether memory is flat")
        elif line["kib_a_minute"] > self.bound:
            found.append(
                f"memory is not flat: {line['kib_a_minute']:+.1f} ± {line['standard_error']:.1f} KiB a minute, "
                f"{self.bound_told}"
            )
        if self.calls.failed:
            found.append(f"{self.calls.failed} calls were not as due: {'; '.join(self.calls.failures)}")
        if not self.calls.signalling["as due"]:
            found.append("no call went through")
        return found

    def report(self) -> dict[str, Any]:
        """All of it as JSON."""
        calls, processes = self.calls, self.sizes.by_process
        return {
            "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()},
            "asked": {"seconds": self.seconds, "calls_per_s": self.rate, "speaking": self.speaking},
            "lasted_s": round(self.lasted, 1),
            "warm_up_s": self.warm_up,
            "growth": self.fitted(),
            "growth_by_process": {
                name: fit(self.sizes.at, np.asarray(sizes, np.float64), self.warm_up)
                for name, sizes in processes.items()
            },
            "bound_kib_a_minute": round(self.bound, 1),
            "bytes_a_call": BYTES_A_CALL,
            "settling_kib": SETTLING_KIB,
            "calls": dict(calls.signalling),
            "calls_with_speech": dict(calls.speaking),
            "worst_loss": calls.worst_loss,
            "worst_mos": calls.worst_mos,
            "latest_answer_s": round(calls.latest_answer_s, 3),
            "findings": self.verdict(),
            "samples": {"at_s": [round(at, 2) for at in self.sizes.at], "resident_bytes": processes},
        }

    def plot(self) -> bytes:
        """The sizes over time, and the line through their sum."""
        minutes = [at / 60 for at in self.sizes.at]
        lines = {name: Line(minutes, [size / 2**20 for size in sizes]) for name, sizes in self.sizes.by_process.items()}
        lines["both"] = Line(minutes, list(self.sizes.total / 2**20))
        note = f"{self.rate:g} calls a second, {self.speaking} with speech; "
        if (line := self.fitted()) is not None:
            ends = [self.warm_up, self.sizes.at[-1]]
            values = [line["start_mib"] + line["bytes_a_second"] * at / 2**20 for at in ends]
            lines["fit after the warm-up"] = Line([at / 60 for at in ends], values, "--")
            note += f"{line['kib_a_minute']:+.1f} KiB a minute, at most {self.bound:.0f} is due"
        else:
            note += "too short for a fit"
        return line_plot(
            lines, title="Memory under calls", x=Axis("time", "min"), y=Axis("resident memory", "MiB"), note=note
        )


async def _ready(process: asyncio.subprocess.Process) -> Addresses:
    """Where the ICCS is. Raises HarnessError where it does not come up."""
    assert process.stdout is not None
    addresses = Addresses()
    try:
        async with asyncio.timeout(READY_S):
            while line := await process.stdout.readline():
                entry = json.loads(line)
                if entry.get("ready"):
                    return addresses
                addresses.add(Reached(entry["name"], entry["role"], entry["kind"], entry["url"]))
    except TimeoutError:
        raise HarnessError(f"the ICCS was not ready after {READY_S:g} s") from None
    raise HarnessError(f"the ICCS ended with {await process.wait()}")


async def _until(when: float, stopped: asyncio.Event | None = None) -> None:
    """Sleep until a monotonic time, or until stopped."""
    left = max(0.0, when - time.monotonic())
    if stopped is None:
        await asyncio.sleep(left)
        return
    try:
        async with asyncio.timeout(left):
            await stopped.wait()
    except TimeoutError:
        return


async def _soak(arguments: argparse.Namespace, console: Console) -> int:
    soak = Soak(arguments.minutes, arguments.rate, arguments.speaking)
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, soak.stopped.set)
    code = 0
    try:
        with Live("starting the ICCS …", console=console, refresh_per_second=2) as live:
            await soak.run(live)
    except* (HarnessError, OSError) as errors:
        console.print(f"could not go on: {errors.exceptions[0]}", style="red", markup=False, soft_wrap=True)
        code = 3
    if not soak.sizes.at:
        return code
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "soak.json").write_text(json.dumps(soak.report(), indent=1) + "\n", encoding="utf-8")
    (OUT / "soak.svg").write_bytes(soak.plot())
    console.print(soak.progress(), highlight=False, soft_wrap=True)
    for finding in soak.verdict():
        console.print(finding, style="red", markup=False, highlight=False, soft_wrap=True)
    console.print("written to reports/out/soak.json and reports/out/soak.svg")
    if soak.stopped.is_set():
        console.print("Interrupted; this is what was measured.", style="yellow")
        return 130
    return code or (1 if soak.verdict() else 0)


def main() -> int:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0, help="how long (default: 30)")
    parser.add_argument("--rate", type=float, default=20.0, help="calls without speech a second (default: 20)")
    parser.add_argument("--speaking", type=int, default=50, help="callers who speak at all times (default: 50)")
    arguments = parser.parse_args()
    if not 0.5 <= arguments.minutes <= 24 * 60 or not 0 < arguments.rate <= 33 or not 0 <= arguments.speaking <= 100:
        parser.error("--minutes is 0.5 to 1440, --rate above 0 and at most 33, --speaking 0 to 100")
    return asyncio.run(_soak(arguments, Console()))


if __name__ == "__main__":
    sys.exit(main())
