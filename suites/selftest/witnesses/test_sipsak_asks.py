"""sipsak asks OPTIONS, registers and floods: an old, plain client that this project did not write."""

from __future__ import annotations

import asyncio

import pytest

from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.transports import Listen
from harness.protocols.sip.registrar import Registrar
from harness.transport.context import Context
from suites.selftest.witness import need

pytestmark = [pytest.mark.real_wire, pytest.mark.witness("sipsak")]

WITHIN_S = 20.0
FLOOD = 500


async def sipsak(*arguments: str) -> tuple[int, str]:
    """Run it; returns its exit code and what it said."""
    program = need("sipsak", package="sipsak")
    process = await asyncio.create_subprocess_exec(
        program, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    try:
        async with asyncio.timeout(WITHIN_S):
            told, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return process.returncode, told.decode(errors="replace")


async def opened(**options: object) -> tuple[Context, UserAgent]:
    context = Context.create(seed=1)
    return context, await UserAgent.open(context, "switch", **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_options_is_answered(transport: str) -> None:
    _, agent = await opened(listen=[Listen(transport.upper())])
    code, told = await sipsak("-E", transport, "-vv", "-s", f"sip:999@127.0.0.1:{agent.address[1]}")
    assert code == 0, told
    assert "SIP/2.0 200 OK" in told
    assert "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS" in told
    await agent.close()


@pytest.mark.parametrize(("password", "works"), [("s3cret", True), ("wrong", False)])
async def test_it_registers_with_digest(password: str, works: bool) -> None:
    _, agent = await opened(registrar=Registrar(), server_credentials={"2001": "s3cret"}, algorithms=["MD5"])
    address = f"127.0.0.1:{agent.address[1]}"
    code, told = await sipsak(
        *(
            "-U",
            "-vv",
            "-C",
            "sip:2001@127.0.0.1:9",
            "-x",
            "60",
            "-u",
            "2001",
            "-a",
            password,
            "-i",
            "-s",
            f"sip:2001@{address}",
        )
    )
    assert (code == 0) is works, told
    assert agent.registry is not None
    assert agent.registry.contacts("sip:2001@127.0.0.1") == (["sip:2001@127.0.0.1:9"] if works else [])
    await agent.close()


async def test_a_flood_is_answered_and_the_next_question_too() -> None:
    context, agent = await opened(trace=False)
    uri = f"sip:999@127.0.0.1:{agent.address[1]}"
    await sipsak("-F", "-e", str(FLOOD), "-s", uri)
    code, told = await sipsak("-vv", "-s", uri)
    assert code == 0, told
    assert len(agent.endpoint) >= FLOOD, "each was answered, and lingers for its copies"
    assert [event for event in context.journal if event.data.get("severity") == "warning"] == []
    await agent.close()
