"""kamailio, headless: a proxy and registrar that this project did not write, between agents of ours."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import trustme

from harness.endpoints.sip.transports import TlsSides
from harness.transport.tls import TlsFiles
from suites.selftest.ports import free_port
from suites.selftest.witness import need
from suites.selftest.witnesses.control_room import FIXTURES, POLL_S, ended

STARTS_WITHIN_S = 15.0
CONFIG = FIXTURES / "kamailio" / "proxy.cfg"
PASSWORD = "s3cret"

_TLS = """
[server:default]
method = TLSv1.2+
verify_certificate = no
require_certificate = no
private_key = {folder}/proxy.pem
certificate = {folder}/proxy.pem
[client:default]
method = TLSv1.2+
verify_certificate = yes
require_certificate = yes
ca_list = {folder}/authority.pem
private_key = {folder}/proxy.pem
certificate = {folder}/proxy.pem
"""


@dataclass
class Kamailio:
    """One running kamailio."""

    folder: Path
    sip: int
    """Its UDP and TCP port."""
    tls: int
    sides: TlsSides
    """Certificates for agents of ours, which it trusts."""

    def uri(self, user: str, transport: str) -> str:
        """A user of its domain, or (without a user) itself, as reached over a transport."""
        port = self.tls if transport == "TLS" else self.sip
        at = f"{user}@" if user else ""
        return f"sip:{at}127.0.0.1:{port}" + ("" if transport == "UDP" else f";transport={transport.lower()}")

    @property
    def said(self) -> str:
        """What it has written."""
        return (self.folder / "screen.txt").read_text(errors="replace")


@contextlib.asynccontextmanager
async def kamailio(folder: Path) -> AsyncIterator[Kamailio]:
    """Run it in a folder of its own; it is gone afterwards, whatever happened."""
    program = need("kamailio", package="kamailio")
    found = _lay_out(folder)
    command = [program, "-f", str(folder / "kamailio.cfg"), "-DD", "-E", "-Y", str(folder), "-w", str(folder)]
    with (folder / "screen.txt").open("wb") as screen:
        process = await asyncio.create_subprocess_exec(
            *command,
            *("-m", "64", "-M", "8"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=screen,
            stderr=screen,
            start_new_session=True,
        )
    try:
        await _listens(process, found)
        yield found
    finally:
        # What it has forked does not always go with it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        await ended(process)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _lay_out(folder: Path) -> Kamailio:
    modules = _modules()
    folder.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    for name in ("proxy", "agent"):
        leaf = authority.issue_cert("127.0.0.1")
        leaf.private_key_and_cert_chain_pem.write_to_path(str(folder / f"{name}.pem"))
    files = TlsFiles(folder / "agent.pem", authority=folder / "authority.pem")
    found = Kamailio(folder, free_port(), free_port(), TlsSides(files, files))
    (folder / "tls.cfg").write_text(_TLS.format(folder=folder))
    text = CONFIG.read_text()
    for mark, value in (("SIP", found.sip), ("TLS", found.tls), ("FOLDER", folder), ("MODULES", modules)):
        text = text.replace(f"@{mark}@", str(value))
    (folder / "kamailio.cfg").write_text(text)
    return found


def _modules() -> Path:
    """Where its modules are; TLS is a package of its own."""
    for path in Path("/usr").glob("lib*/**/kamailio/modules"):
        if (path / "tls.so").exists():
            return path
    return Path(need("kamailio with tls.so", package="kamailio-tls-modules"))


async def _listens(process: asyncio.subprocess.Process, kamailio: Kamailio) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + STARTS_WITHIN_S
    for port in (kamailio.sip, kamailio.tls):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                assert process.returncode is None, kamailio.said
                assert loop.time() < deadline, kamailio.said
                await asyncio.sleep(POLL_S)
            else:
                writer.close()
                await writer.wait_closed()
                break
