"""openssl as a TLS peer of the SIP engine: what it makes of our port, shown a certificate and not, and of old TLS."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import trustme

from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.transports import Listen, TlsSides
from harness.transport.context import Context
from harness.transport.tls import TlsFiles
from suites.selftest.ports import free_port
from suites.selftest.witness import need

pytestmark = [pytest.mark.real_wire, pytest.mark.witness("openssl")]

WITHIN_S = 15.0
OPTIONS = (
    "OPTIONS sip:999@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TLS 127.0.0.1:9;branch=z9hG4bK1;rport\r\n"
    "From: <sip:openssl@127.0.0.1>;tag=1\r\nTo: <sip:999@127.0.0.1>\r\nCall-ID: openssl\r\nCSeq: 1 OPTIONS\r\n"
    "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)


class Chain:
    """Root, an authority below it, and leaves: the chain has to be shown whole."""

    def __init__(self, folder: Path) -> None:
        root = trustme.CA()
        between = root.create_child_ca()
        self.root = folder / "root.pem"
        root.cert_pem.write_to_path(str(self.root))
        self.server, self.client = folder / "server.pem", folder / "client.pem"
        for path, name in ((self.server, "127.0.0.1"), (self.client, "trunk.example")):
            between.issue_cert(name).private_key_and_cert_chain_pem.write_to_path(str(path))
        self.stranger = folder / "stranger.pem"
        trustme.CA().issue_cert("trunk.example").private_key_and_cert_chain_pem.write_to_path(str(self.stranger))


@pytest.fixture
def chain(tmp_path: Path) -> Chain:
    return Chain(tmp_path)


async def s_client(port: int, chain: Chain, *arguments: str) -> str:
    """Let `openssl s_client` ask OPTIONS over TLS; returns all that it says until an answer or its end."""
    openssl = need("openssl", package="openssl")
    process = await asyncio.create_subprocess_exec(
        *(openssl, "s_client", "-connect", f"127.0.0.1:{port}", "-CAfile", str(chain.root), "-verify_return_error"),
        *("-verify_ip", "127.0.0.1", "-showcerts", "-nocommands", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    assert process.stdin is not None and process.stdout is not None
    told = b""
    try:
        process.stdin.write(OPTIONS.encode())
        async with asyncio.timeout(WITHIN_S):
            while b"Content-Length: 0\r\n\r\n" not in told and (part := await process.stdout.read(65_536)):
                told += part
    finally:
        process.stdin.close()
        if process.returncode is None:
            process.kill()
        await process.wait()
    return told.decode(errors="replace")


async def opened(chain: Chain, *, mutual: bool = False) -> tuple[Context, UserAgent]:
    context = Context.create(seed=1)
    files = TlsFiles(chain.server, authority=chain.root, mutual=mutual)
    agent = await UserAgent.open(
        context, "switch", listen=[Listen("TLS")], tls=TlsSides(files, TlsFiles(chain.client, authority=chain.root))
    )
    return context, agent


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
async def test_the_chain_is_shown_whole_and_options_is_answered(chain: Chain, version: str) -> None:
    _, agent = await opened(chain)
    told = await s_client(agent.address[1], chain, version)
    assert "Verify return code: 0 (ok)" in told or "Verification: OK" in told, told
    assert told.count("BEGIN CERTIFICATE") >= 2, "the authority between is shown too"
    assert "SIP/2.0 200 OK" in told
    await agent.close()


async def test_old_versions_of_tls_are_refused(chain: Chain) -> None:
    context, agent = await opened(chain)
    # SECLEVEL=0 lets openssl itself offer them.
    told = await s_client(agent.address[1], chain, "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0")
    assert "SIP/2.0 200 OK" not in told
    lost = await context.journal.expect("switch", "sip.flow-lost", within=WITHIN_S)
    assert "TLS handshake failed" in lost.data["reason"]
    await agent.close()


async def test_a_client_has_to_show_a_certificate_of_the_right_authority(chain: Chain) -> None:
    _, agent = await opened(chain, mutual=True)
    port = agent.address[1]
    shown = await s_client(
        port, chain, "-cert", str(chain.client), "-cert_chain", str(chain.client), "-key", str(chain.client)
    )
    assert "SIP/2.0 200 OK" in shown, shown
    for arguments in ((), ("-cert", str(chain.stranger), "-key", str(chain.stranger))):
        told = await s_client(port, chain, *arguments)
        assert "SIP/2.0 200 OK" not in told
        assert "alert" in told, told
    await agent.close()


async def answer(server: asyncio.subprocess.Process) -> None:
    """Answer what openssl's server got, by its standard input."""
    assert server.stdin is not None and server.stdout is not None
    request = (await server.stdout.readuntil(b"\r\n\r\n")).decode()
    head = [line for line in request.split("\r\n") if line.startswith(("Via", "From", "To", "Call", "CSeq"))]
    server.stdin.write("\r\n".join(["SIP/2.0 200 OK", *head, "Content-Length: 0", "", ""]).encode())


@pytest.mark.parametrize(
    ("shown", "told"),
    [("server", "OK"), ("client", "IP address mismatch"), ("stranger", "unable to get local issuer certificate")],
)
async def test_we_check_whom_openssl_says_that_it_is(chain: Chain, shown: str, told: str) -> None:
    openssl, port, certificate = need("openssl", package="openssl"), free_port(), getattr(chain, shown)
    server = await asyncio.create_subprocess_exec(
        *(openssl, "s_server", "-accept", f"127.0.0.1:{port}", "-cert", str(certificate), "-key", str(certificate)),
        *(
            "-cert_chain",
            str(certificate),
            "-CAfile",
            str(chain.root),
            "-Verify",
            "1",
            "-verify_return_error",
            "-quiet",
        ),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    _, agent = await opened(chain)
    answering = asyncio.create_task(answer(server))
    try:
        async with asyncio.timeout(WITHIN_S):
            while True:
                response = await agent.options(f"sip:127.0.0.1:{port};transport=tls", within=WITHIN_S)
                if "can't connect" not in response.reason:  # else it does not listen yet
                    break
                await asyncio.sleep(0.05)
        assert (response.status, told in response.reason) == (200 if shown == "server" else 503, True), response.reason
    finally:
        answering.cancel()
        await asyncio.gather(answering, return_exceptions=True)
        await agent.close()
        if server.returncode is None:
            server.kill()
        await server.wait()
