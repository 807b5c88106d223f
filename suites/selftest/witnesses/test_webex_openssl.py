"""openssl as a client of a simulated Webex by https: what it makes of the certificate, and of old TLS."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
import trustme

from harness.drivers.webex import Account, Webex
from harness.errors import WebexGoneError
from harness.transport.context import Context
from harness.transport.tls import TlsFiles, client_context
from simulators.webex.settings import WebexSettings
from simulators.webex.simulator import WebexSimulator
from suites.selftest.witness import need

pytestmark = [pytest.mark.real_wire, pytest.mark.witness("openssl")]

WITHIN_S = 15.0
REQUEST = b"GET /v1/people/me HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"


async def s_client(simulator: WebexSimulator, authority: Path, *arguments: str) -> tuple[int, str]:
    """Let `openssl s_client` ask over TLS; its exit code, and all that it says."""
    process = await asyncio.create_subprocess_exec(
        *(need("openssl", package="openssl"), "s_client", "-connect", simulator.server.address, "-quiet"),
        *("-CAfile", str(authority), "-verify_return_error", "-verify_ip", "127.0.0.1", *arguments),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(WITHIN_S):
            told, _ = await process.communicate(REQUEST)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return process.returncode, told.decode(errors="replace")


async def test_openssl_trusts_it_by_the_runs_authority_alone_and_old_tls_is_refused(tmp_path: Path) -> None:
    simulator = await WebexSimulator.start(Context.create(seed=1), WebexSettings(tls="generated"), virtual=False)
    stranger = tmp_path / "stranger.pem"
    trustme.CA().cert_pem.write_to_path(str(stranger))
    try:
        assert simulator.url.startswith("https://") and simulator.authority is not None
        _, told = await s_client(simulator, simulator.authority)
        assert "HTTP/1.1 401" in told and "trackingId" in told
        code, told = await s_client(simulator, stranger)
        assert code != 0 and "verify error" in told and "HTTP/1.1" not in told
        code, told = await s_client(simulator, simulator.authority, "-tls1_1")
        assert code != 0 and "HTTP/1.1" not in told
    finally:
        await simulator.stop()
    assert not simulator.authority.exists(), "keys of a run are gone with it"


async def test_the_driver_asks_nothing_of_a_service_whose_certificate_it_does_not_trust() -> None:
    context = Context.create(seed=1)
    simulator = await WebexSimulator.start(context, WebexSettings(tls="generated"), virtual=False)
    accounts = {"administrator": Account("admin@force.example", None, False)}
    try:
        for authority in (simulator.authority, None):
            webex = await Webex.open(
                context,
                "webex",
                service=simulator.url,
                accounts=accounts,
                prefix="iccs-test-",
                read_only=True,
                permit=lambda _number: None,
                clock=lambda: 0.0,
                control=simulator.control_url,
                tls=client_context(TlsFiles(authority=authority)) if authority is not None else None,
            )
            me = (await webex.account()).ask("GET", "/people/me")
            if authority is not None:
                assert (await me)["emails"] == ["admin@force.example"]
            else:
                with pytest.raises(WebexGoneError, match="CERTIFICATE_VERIFY_FAILED"):
                    await me
            await webex.close()
    finally:
        await simulator.stop()
