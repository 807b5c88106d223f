"""A SIP element in a process of its own, for tests of load: answers who calls 101, lets all others ring, registers.

    python -m suites.selftest.system.sip_element FOLDER

It prints its ports as one line of JSON, and ends when its standard input does. FOLDER holds `element.pem` and
`authority.pem`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.incoming import IncomingCall
from harness.endpoints.sip.transports import Listen, TlsSides
from harness.protocols import sdp
from harness.protocols.sip.registrar import Registrar
from harness.transport.context import Context
from harness.transport.tls import TlsFiles

PASSWORDS = {"2001": "s3cret"}
REALM = "element"


def take(call: IncomingCall) -> None:
    """Answer 101; let all others ring."""
    call.ring()
    if call.request.uri.user == "101":
        call.answer(sdp.answer(call.remote_sdp, "127.0.0.1", 40_000)[0])


async def serve(folder: Path) -> None:
    """Run until standard input ends."""
    context = Context.create(seed=1)
    files = TlsFiles(folder / "element.pem", authority=folder / "authority.pem")
    agent = await UserAgent.open(
        context,
        "element",
        listen=[Listen("UDP"), Listen("TCP"), Listen("TLS")],
        tls=TlsSides(files, files),
        on_invite=take,
        registrar=Registrar(),
        server_credentials=PASSWORDS,
        realm=REALM,
        trace=False,
    )
    locals_ = agent.endpoint.transports.locals
    print(json.dumps({kind: locals_[kind][1] for kind in ("UDP", "TCP", "TLS")}), flush=True)  # noqa: T201
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    for call in agent.calls:
        call.abandon("the element ends")
    warnings = [event for event in context.journal if event.data.get("severity") == "warning"]
    told = {"warnings": len(warnings), "handler_failed": sum(e.kind == "sip.handler-failed" for e in warnings)}
    print(json.dumps(told), flush=True)  # noqa: T201
    await agent.close()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
