"""The emergency trunk driver in virtual time, against a telephone that the test holds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from harness.drivers import trunk as trunk_module
from harness.drivers.trunk import EmergencyTrunk
from harness.endpoints.media import open_media
from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.incoming import IncomingCall
from harness.errors import DriverError, InterlockError, SdpError, SipLocalError
from harness.transport.context import Context

pytestmark = pytest.mark.virtual_time
OTHER_CODEC = (
    b"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 40000 RTP/AVP 97\r\na=rtpmap:97 iLBC/8000\r\n"
)


def refuse(target: str) -> None:
    """A permit for nothing."""
    raise InterlockError(f"not {target}")


@asynccontextmanager
async def trunk_to(calls: list[IncomingCall], *, allowed: bool = True) -> AsyncIterator[tuple[EmergencyTrunk, Context]]:
    """A trunk that leads to an agent which puts what comes in `calls`."""
    context = Context.create(seed=1)
    media = await open_media(context, in_process=True)
    agent = await UserAgent.open(context, "room", on_invite=calls.append)
    host, port = agent.endpoint.local
    trunk = await EmergencyTrunk.open(
        context,
        media,
        "trunk",
        local=("127.0.0.1", 0),
        target=(host, port),
        permit=refuse if not allowed else lambda _target: None,
    )
    try:
        yield trunk, context
    finally:
        await trunk.close()
        await agent.close()
        await media.close()


async def test_the_number_and_the_caller_are_as_the_network_gives_them() -> None:
    calls: list[IncomingCall] = []
    async with trunk_to(calls) as (trunk, _):
        await trunk.dial("999", cli="+447700900123")
        await trunk.dial("101")
        await asyncio.sleep(0.1)
        shown, withheld = (call.request for call in calls)
        assert shown.uri.user_text == "999"
        assert shown.get("p-asserted-identity") == "<sip:+447700900123@127.0.0.1>"
        assert (shown.get("from") or "").startswith("<sip:+447700900123@127.0.0.1>;tag=")
        assert (withheld.get("from") or "").startswith("<sip:anonymous@anonymous.invalid>;tag=")
        assert (withheld.get("privacy"), withheld.get("p-asserted-identity")) == ("id", None)


@pytest.mark.parametrize(
    ("number", "cli"),
    [("999\r\nX: y", None), ("9 9 9", None), ("999", "+44\r\nX: y"), ("999", "a>b"), ("", None)],
)
async def test_what_is_no_number_is_refused_and_nothing_leaves(number: str, cli: str | None) -> None:
    calls: list[IncomingCall] = []
    async with trunk_to(calls) as (trunk, context):
        with pytest.raises(SipLocalError):
            await trunk.dial(number, cli=cli)
        await asyncio.sleep(0.1)
        assert calls == []
        assert [event.kind for event in context.journal if event.kind == "sip.sent"] == []
        with pytest.raises(DriverError, match="call 1 was never placed; there were 0"):
            trunk.call()


async def test_what_the_interlock_refuses_does_not_leave_and_holds_no_port() -> None:
    calls: list[IncomingCall] = []
    async with trunk_to(calls, allowed=False) as (trunk, context):
        with pytest.raises(InterlockError, match="not sip:999@127"):
            await trunk.dial("999")
        await asyncio.sleep(0.1)
        assert calls == []
        assert [event.source for event in context.journal if event.kind == "media.closed"] == ["trunk call 1"]


async def test_a_refusal_tells_its_status_and_an_answer_that_fits_nothing_is_an_error() -> None:
    calls: list[IncomingCall] = []
    async with trunk_to(calls) as (trunk, _):
        one, two = await trunk.dial("999"), await trunk.dial("999")
        await asyncio.sleep(0.1)
        calls[0].reject(503)
        with pytest.raises(SipLocalError, match="503"):
            await one.answered(within=1.0)
        with pytest.raises(SipLocalError):
            await one.ringing(within=1.0)
        calls[1].answer(OTHER_CODEC)
        with pytest.raises(SdpError):
            await two.answered(within=1.0)
        await one.hang_up()
        await one.hang_up()
        assert trunk.call(2) is two
        for number in (0, -1, 3):
            with pytest.raises(DriverError, match=f"call {number} was never placed; there were 2"):
                trunk.call(number)


async def test_closing_the_trunk_hangs_up_what_is_up_or_rings() -> None:
    calls: list[IncomingCall] = []
    async with trunk_to(calls) as (trunk, context):
        await trunk.dial("999")
        await asyncio.sleep(0.1)
        calls[0].ring()
        await asyncio.sleep(0.1)
        await trunk.close()
        await asyncio.sleep(0.1)
        assert calls[0].is_over
        assert context.journal.find("trunk call 1", "media.closed") is not None


async def test_calls_of_one_trunk_have_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trunk_module, "MAX_CALLS", 1)
    async with trunk_to([]) as (trunk, _):
        await trunk.dial("999")
        with pytest.raises(DriverError, match="1 calls were placed"):
            await trunk.dial("999")
