"""The element that torture messages are sent to: a user agent on a real UDP port that answers calls and registers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from typing import Any

from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.incoming import IncomingCall
from harness.protocols import sdp
from harness.protocols.sip.registrar import Registrar
from harness.transport.context import Context

REALM = "torture.example"
OFFER = sdp.offer("127.0.0.1", 40_000).decode()
"""What the witness's own calls offer."""


def _answering(call: IncomingCall) -> None:
    call.ring()
    call.answer(sdp.answer(call.remote_sdp, "127.0.0.1", 40_002)[0] if call.remote_sdp else OFFER.encode())


@contextlib.asynccontextmanager
async def element(passwords: Mapping[str, str] | None = None) -> AsyncIterator[UserAgent]:
    """An element that answers every call; who registers needs one of the `passwords` (by user), where they are given.

    When it is left, no exception may have reached the loop, and no handler of ours have failed.
    """
    context = Context.create(seed=1)
    agent = await UserAgent.open(
        context,
        "element",
        on_invite=_answering,
        registrar=Registrar(),
        server_credentials=passwords,
        realm=REALM,
    )
    faults: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, fault: faults.append(fault))
    try:
        yield agent
    finally:
        await agent.close()
    assert faults == []
    assert [event for event in context.journal if event.kind == "sip.handler-failed"] == []
