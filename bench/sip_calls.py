"""Calls a second that our full stack answers and places, beside what SIPp's `-sn uas` answers in the same run.

Full stack: flows, transactions, dialogs, SDP offer and answer, journal events of each call; under uvloop in a process
of its own. SIPp is the other side over UDP, with a large socket buffer; over TLS, which Debian's SIPp lacks, both sides
are ours. A rate counts when no call failed and nothing was retransmitted by anybody.
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
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme
import uvloop

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.call import Call
from harness.endpoints.sip.flow import TLS, UDP, Hop
from harness.endpoints.sip.incoming import IncomingCall
from harness.endpoints.sip.transports import Listen, TlsSides
from harness.protocols import sdp
from harness.transport.context import Context
from harness.transport.tls import TlsFiles

BUFFER = "8388608"
SECONDS = 3
"""How long each rate is kept up."""
MAX_CALLS_UP = "40000"
PATIENCE_S = 8.0
"""Seconds after the last call was placed within which all must be over."""
USER, PASSWORD = "trunk", "bench-password"
DIGEST_SCENARIO = Path(__file__).resolve().parent.parent / "fixtures" / "sipp" / "digest_call.xml"


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of one rate."""

    successful: int
    failed: int
    retransmitted: int
    rate: int

    def clean(self, rate: int) -> bool:
        """Whether all calls went through at the first try."""
        return self.failed == self.retransmitted == 0 and self.successful == rate * SECONDS


def free_port(kind: int = socket.SOCK_DGRAM) -> int:
    """A port that nobody uses now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _settle() -> None:
    """What a process under load does with Python's collector: leave alone what lives for ever, and look rarely."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000_000, 50, 50)


# Our side, each in a process of its own


async def _open(transport: str, folder: str, **options: Any) -> UserAgent:
    context = Context.create()
    files = TlsFiles(Path(folder, "server.pem"), authority=Path(folder, "ca.pem")) if transport == TLS else None
    agent = await UserAgent.open(
        context,
        "bench",
        listen=[Listen(transport)],
        tls=TlsSides(server=files, client=files),
        trace=False,
        max_calls=100_000,
        max_transactions=100_000,
        **options,
    )
    _settle()
    return agent


async def _serve(transport: str, folder: str, digest: str) -> None:
    """Answer every call at once, print the port, and go on until standard input ends."""

    def answer(call: IncomingCall) -> None:
        call.ring()
        call.answer(sdp.answer(call.remote_sdp, "127.0.0.1", 40_000)[0])

    credentials: dict[str, Any] = {}
    if digest:
        credentials = {"server_credentials": {USER: PASSWORD}, "authenticate": ["INVITE"], "algorithms": [digest]}
    agent = await _open(transport, folder, on_invite=answer, **credentials)
    print(agent.address[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await agent.close()


async def _place(transport: str, folder: str, port: int, rate: int) -> None:
    """Place `rate` calls a second for SECONDS, clear each as it is answered, and print what became of them."""
    agent = await _open(transport, folder)
    loop = asyncio.get_running_loop()
    offer = sdp.offer("127.0.0.1", 40_000)
    hop = Hop(transport, "127.0.0.1", port)
    successful = failed = placed = 0
    over = loop.create_future()
    wanted = rate * SECONDS

    def changed(call: Call, what: str) -> None:
        nonlocal successful, failed
        if what == "answered":
            call.hang_up()
        elif what == "ended":
            successful += call.status == 200
            failed += call.status != 200
            if successful + failed == wanted and not over.done():
                over.set_result(None)

    began = loop.time()
    while placed < wanted:
        due = min(wanted, int((loop.time() - began) * rate) + 1)
        while placed < due:
            agent.invite(f"sip:service@127.0.0.1:{port}", offer=offer, to=hop).on_change(changed)
            placed += 1
        await asyncio.sleep(0.001)
    try:
        async with asyncio.timeout(PATIENCE_S):
            await over
    except TimeoutError:
        failed = wanted - successful
    elapsed = loop.time() - began
    print(json.dumps([successful, failed, agent.endpoint.repeated, round(successful / elapsed)]), flush=True)
    agent.endpoint.close()


class _Ours:
    """Our agent answering, in a process of its own."""

    def __init__(self, transport: str, folder: str, digest: str = "") -> None:
        arguments = [sys.executable, __file__, "serve", transport, folder, digest]
        self._process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())

    def __enter__(self) -> _Ours:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()


class _Sipp:
    """SIPp answering."""

    def __init__(self, sipp: str) -> None:
        self.port = free_port()
        arguments = [sipp, "-sn", "uas", "-i", "127.0.0.1", "-p", str(self.port), "-nostdin", "-buff_size", BUFFER]
        self._process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self) -> _Sipp:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()


def _sipp_calls(sipp: str, port: int, rate: int, scenario: list[str]) -> Counts:
    """Let SIPp place `rate` calls a second for SECONDS; its own counts."""
    with tempfile.TemporaryDirectory() as folder:
        stats = Path(folder) / "stats.csv"
        command = [sipp, *scenario, "-i", "127.0.0.1", "-p", str(free_port()), f"127.0.0.1:{port}", "-r", str(rate)]
        command += ["-m", str(rate * SECONDS), "-l", MAX_CALLS_UP, "-d", "0", "-nostdin", "-recv_timeout", "10000"]
        command += ["-buff_size", BUFFER, "-trace_stat", "-stf", str(stats), "-fd", "1"]
        subprocess.run(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=SECONDS * 10 + 30, check=False
        )
        with stats.open() as file:
            last = list(csv.DictReader(file, delimiter=";"))[-1]
    return Counts(
        int(last["SuccessfulCall(C)"]),
        int(last["FailedCall(C)"]),
        int(last["Retransmissions(C)"]),
        round(float(last["CallRate(C)"])),
    )


def _our_calls(port: int, rate: int, transport: str, folder: str) -> Counts:
    """Let our agent place `rate` calls a second for SECONDS, in a process of its own."""
    arguments = [sys.executable, __file__, "place", transport, folder, str(port), str(rate)]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=SECONDS * 10 + 60, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"our agent ended with {done.returncode}: {done.stderr[-500:]}")
    return Counts(*json.loads(done.stdout))


def _highest(what: str, low: int, step: int, call: Callable[[int], Counts]) -> int:
    """The highest rate that was really kept up with all calls clean, asking for `low` and `step` more each time.

    A rate that failed, or brought no more than the one before, is tried twice more, as the machine may have been busy.
    """
    print(what, file=sys.stderr)
    best, rate, failed = 0, low, 0
    while failed < 3:
        counts = call(rate)
        print(f"  {rate:6d} calls/s: {counts}", file=sys.stderr, flush=True)
        if counts.clean(rate) and counts.rate > best:
            best, rate, failed = counts.rate, rate + step, 0
        else:
            failed += 1
    return best


def _certificates(folder: str) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(Path(folder, "ca.pem")))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(Path(folder, "server.pem")))


def measure() -> dict[str, float]:
    """Measure all; needs SIPp (Debian's sip-tester)."""
    sipp = shutil.which("sipp")
    if sipp is None:
        raise SystemExit("sipp is not on PATH; get it with: apt-get install sip-tester")
    with tempfile.TemporaryDirectory() as folder:
        _certificates(folder)
        plain = ["-sn", "uac"]
        with _Sipp(sipp) as peer:
            theirs = _highest("sipp -sn uas", 14_000, 2_000, lambda rate: _sipp_calls(sipp, peer.port, rate, plain))

        def place(rate: int) -> Counts:
            with _Sipp(sipp) as fresh:  # one that was flooded keeps its dead calls, and answers nobody for a while
                return _our_calls(fresh.port, rate, UDP, folder)

        placing = _highest("our stack calling sipp -sn uas", 4_000, 500, place)
        with _Ours(UDP, folder) as ours:
            answering = _highest("our stack", 4_000, 500, lambda rate: _sipp_calls(sipp, ours.port, rate, plain))
        scenario = ["-sf", str(DIGEST_SCENARIO), "-s", USER, "-au", USER, "-ap", PASSWORD]
        with _Ours(UDP, folder, "MD5") as ours:
            digest = _highest(
                "our stack, each INVITE challenged (MD5)",
                1_000,
                500,
                lambda rate: _sipp_calls(sipp, ours.port, rate, scenario),
            )
        with _Ours(TLS, folder) as ours:
            tls = _highest(
                "our stack calling our stack over TLS",
                1_000,
                500,
                lambda rate: _our_calls(ours.port, rate, TLS, folder),
            )
    return {
        "sipp_calls_per_second": theirs,
        "answered_per_second": answering,
        "answered_ratio": round(answering / theirs, 2),
        "placed_per_second": placing,
        "placed_ratio": round(placing / theirs, 2),
        "answered_with_digest_per_second": digest,
        "both_sides_ours_over_tls_per_second": tls,
    }


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["serve", transport, folder, digest]:
            uvloop.run(_serve(transport, folder, digest))
        case ["place", transport, folder, port, rate]:
            uvloop.run(_place(transport, folder, int(port), int(rate)))
        case _:
            print(json.dumps(measure(), indent=1))
