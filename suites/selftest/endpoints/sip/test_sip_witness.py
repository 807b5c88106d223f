"""Outside witnesses of the SIP engine over real loopback sockets: SIPp calls us, and is called by us."""

from __future__ import annotations

import asyncio
import contextlib
import csv
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from witness import need

from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.flow import Hop
from harness.endpoints.sip.incoming import IncomingCall
from harness.protocols import sdp
from harness.transport.context import Context
from suites.selftest.ports import free_port

pytestmark = [pytest.mark.real_wire, pytest.mark.witness("sipp")]


@contextlib.asynccontextmanager
async def sipp(*arguments: str, folder: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run SIPp headless; it is gone afterwards, whatever happened."""
    program = need("sipp", package="sip-tester")
    process = await asyncio.create_subprocess_exec(
        program,
        *arguments,
        *("-i", "127.0.0.1", "-nostdin", "-trace_stat", "-stf", str(folder / "stats.csv"), "-fd", "1"),
        cwd=folder,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def counts(folder: Path) -> dict[str, int]:
    with (folder / "stats.csv").open() as file:
        last = list(csv.DictReader(file, delimiter=";"))[-1]
    return {name: int(last[f"{name}(C)"]) for name in ("SuccessfulCall", "FailedCall", "Retransmissions")}


async def test_sipp_calls_us_two_hundred_times_and_none_fails(tmp_path: Path) -> None:
    def answer(call: IncomingCall) -> None:
        call.ring()
        call.answer(sdp.answer(call.remote_sdp, "127.0.0.1", 40_000)[0])

    context = Context.create(seed=1)
    agent = await UserAgent.open(context, "switch", on_invite=answer)
    port = str(agent.address[1])
    arguments = ("-sn", "uac", "-s", "999", f"127.0.0.1:{port}", "-p", str(free_port()))
    async with sipp(*arguments, *("-r", "20", "-m", "200", "-d", "200"), folder=tmp_path) as process:
        async with asyncio.timeout(60):
            assert await process.wait() == 0
    assert counts(tmp_path) == {"SuccessfulCall": 200, "FailedCall": 0, "Retransmissions": 0}
    ended = [event for event in context.journal if event.kind == "call.ended"]
    assert len(ended) == 200
    assert {event.data["by"] for event in ended} == {"remote"}
    assert not [event for event in context.journal if event.data.get("severity") == "warning"]
    await agent.close()


async def test_we_call_sipp_and_clear_each_call(tmp_path: Path) -> None:
    context = Context.create(seed=1)
    agent = await UserAgent.open(context, "trunk")
    port = free_port()
    async with sipp("-sn", "uas", "-p", str(port), folder=tmp_path):
        # SIPp tells nobody when it listens; OPTIONS goes unanswered by its scenario, so the INVITE's timer A does it.
        for _ in range(20):
            call = agent.invite(f"sip:service@127.0.0.1:{port}", offer=sdp.offer("127.0.0.1", 40_000))
            await call.answered(within=10)
            assert sdp.negotiated(call.local_sdp, call.remote_sdp).codec == "PCMU"
            call.hang_up()
            await call.ended(within=5)
            assert call.status == 200
        await context.journal.expect("trunk", "call.ended", within=1)
    assert len([event for event in context.journal if event.kind == "call.answered"]) == 20
    await agent.close()


async def test_two_agents_over_real_sockets() -> None:
    def answer(call: IncomingCall) -> None:
        call.ring()
        call.answer(sdp.answer(call.remote_sdp, "127.0.0.1", 40_000)[0])

    context = Context.create(seed=1)
    switch = await UserAgent.open(context, "switch", on_invite=answer)
    trunk = await UserAgent.open(context, "trunk")
    for data in (b"\x00" * 60_000, b"INVITE", b"\xff" * 100):
        trunk.endpoint.flow_to(Hop("UDP", *switch.address)).send(data)
    call = trunk.invite(switch.uri, offer=sdp.offer("127.0.0.1", 40_002))
    await call.answered(within=5)
    await trunk.close()
    assert call.is_over
    assert switch.calls == ()
    await switch.close()
