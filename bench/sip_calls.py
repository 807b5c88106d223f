"""Calls a second that SIPp gets answered by its own `-sn uas` and by our full stack, side by side in one run.

Full stack: UDP endpoint, transactions, dialogs, SDP answer, journal events of each call; under uvloop in a process of
its own. Both are driven by `sipp -sn uac` with a large socket buffer. A rate counts when no call failed and nothing was
retransmitted.
"""

from __future__ import annotations

import asyncio
import csv
import gc
import json
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.call import Call
from harness.protocols import sdp
from harness.transport.context import Context

BUFFER = "8388608"
SECONDS = 3
"""How long each rate is kept up."""
MAX_CALLS_UP = "40000"


def free_port() -> int:
    """A UDP port that nobody uses now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _serve() -> None:
    """Answer every call at once, print the port, and go on until standard input ends."""

    def answer(call: Call) -> None:
        call.ring()
        call.answer(sdp.answer(call.remote_sdp, "127.0.0.1", 40_000)[0])

    context = Context.create(seed=1)
    agent = await UserAgent.open(
        context, "bench", on_invite=answer, trace=False, max_calls=100_000, max_transactions=100_000
    )
    print(agent.address[1], flush=True)
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000_000, 50, 50)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await agent.close()


def _call(sipp: str, port: int, rate: int) -> dict[str, int]:
    """Let SIPp place `rate` calls a second for SECONDS; returns its own counts."""
    with tempfile.TemporaryDirectory() as folder:
        stats = Path(folder) / "stats.csv"
        command = [sipp, "-sn", "uac", "-i", "127.0.0.1", "-p", str(free_port()), f"127.0.0.1:{port}", "-r", str(rate)]
        command += ["-m", str(rate * SECONDS), "-l", MAX_CALLS_UP, "-d", "0", "-nostdin", "-recv_timeout", "10000"]
        command += ["-buff_size", BUFFER, "-trace_stat", "-stf", str(stats), "-fd", "1"]
        subprocess.run(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=SECONDS * 10 + 30, check=False
        )
        with stats.open() as file:
            last = list(csv.DictReader(file, delimiter=";"))[-1]
    return {
        "successful": int(last["SuccessfulCall(C)"]),
        "failed": int(last["FailedCall(C)"]),
        "retransmitted": int(last["Retransmissions(C)"]),
        "rate": round(float(last["CallRate(C)"])),
    }


def _highest(sipp: str, port: int, low: int, step: int) -> int:
    """The highest rate, climbing from `low` by `step`, at which all was clean.

    A rate that failed is tried once more, as the machine may have been busy with something else.
    """
    best, rate, failed = 0, low, False
    while True:
        counts = _call(sipp, port, rate)
        clean = counts["failed"] == counts["retransmitted"] == 0 and counts["successful"] == rate * SECONDS
        print(f"  {rate:6d} calls/s: {counts}", file=sys.stderr, flush=True)
        if clean:
            best, rate, failed = rate, rate + step, False
        elif failed:
            return best
        else:
            failed = True


def measure() -> dict[str, float]:
    """Measure both; needs SIPp (Debian's sip-tester)."""
    sipp = shutil.which("sipp")
    if sipp is None:
        raise SystemExit("sipp is not on PATH; get it with: apt-get install sip-tester")
    port = free_port()
    print("sipp -sn uas", file=sys.stderr)
    yardstick = subprocess.Popen(
        [sipp, "-sn", "uas", "-i", "127.0.0.1", "-p", str(port), "-nostdin", "-buff_size", BUFFER],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        theirs = _highest(sipp, port, 14_000, 2_000)
    finally:
        yardstick.kill()
        yardstick.wait()
    print("our stack", file=sys.stderr)
    own = subprocess.Popen(
        [sys.executable, __file__, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert own.stdout is not None
        ours = _highest(sipp, int(own.stdout.readline()), 4_000, 500)
    finally:
        own.communicate()
    return {"sipp_calls_per_second": theirs, "our_calls_per_second": ours, "ratio": round(ours / theirs, 2)}


if __name__ == "__main__":
    if "--serve" in sys.argv:
        uvloop.run(_serve())
    else:
        print(json.dumps(measure()))
