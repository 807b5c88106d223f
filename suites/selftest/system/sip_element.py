"""A SIP element in a process of its own, for tests of load: speaks to who calls 101, lets all others ring, registers.

    python -m suites.selftest.system.sip_element FOLDER

It prints its ports as one line of JSON, and ends when its standard input does. FOLDER holds `element.pem` and
`authority.pem`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from pathlib import Path

from harness.endpoints.media import MediaService, open_media
from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.incoming import IncomingCall
from harness.endpoints.sip.transports import Listen, TlsSides
from harness.endpoints.speech import join_speech
from harness.errors import SipLocalError
from harness.protocols import sdp
from harness.protocols.sip.registrar import Registrar
from harness.testbed.clips import read_clip
from harness.transport.context import Context
from harness.transport.tls import TlsFiles

PASSWORDS = {"2001": "s3cret"}
REALM = "element"
LONGEST_S = 300.0
"""For which a call is spoken to."""


CLIP = "dispatch"
"""What is said to callers of 101, over and over."""


class Speaker:
    """Answers 101 and speaks; lets all others ring."""

    def __init__(self, media: MediaService) -> None:
        self._media = media
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, call: IncomingCall) -> None:
        """A call comes."""
        call.ring()
        if call.request.uri.user == "101":
            task = asyncio.get_running_loop().create_task(self._speak(call))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _speak(self, call: IncomingCall) -> None:
        port = await self._media.open_port(f"speech {call.id}")
        answer, agreed = sdp.answer(call.remote_sdp, *port.address)
        call.answer(answer)
        await join_speech(port, agreed)
        await port.play(read_clip(CLIP), loop=True)
        with contextlib.suppress(SipLocalError):  # it is up for longer: it ends with the element
            await call.ended(within=LONGEST_S)
        await port.close()


async def serve(folder: Path) -> None:
    """Run until standard input ends."""
    context = Context.create(seed=1)
    files = TlsFiles(folder / "element.pem", authority=folder / "authority.pem")
    media = await open_media(context, in_process=False)
    agent = await UserAgent.open(
        context,
        "element",
        listen=[Listen("UDP"), Listen("TCP"), Listen("TLS")],
        tls=TlsSides(files, files),
        on_invite=Speaker(media).take,
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
    await media.close()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
