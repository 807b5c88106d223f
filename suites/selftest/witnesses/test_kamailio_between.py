"""kamailio as proxy, with Record-Route, and as registrar, between agents of ours: over UDP, TCP and TLS."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.call import Call, CallState
from harness.endpoints.sip.incoming import IncomingCall
from harness.endpoints.sip.keepalive import KeepAlive
from harness.endpoints.sip.registration import Registration
from harness.endpoints.sip.transports import Listen
from harness.errors import SipLocalError
from harness.protocols import sdp
from harness.protocols.sip.digest import parse_digest
from harness.transport.context import Context
from suites.selftest.witnesses.kamailio import PASSWORD, Kamailio, kamailio

pytestmark = [pytest.mark.real_wire, pytest.mark.witness("kamailio")]

OFFER = sdp.offer("127.0.0.1", 40_000)
ANSWER = sdp.answer(OFFER, "127.0.0.1", 40_002)[0]
TRANSPORTS = ("UDP", "TCP", "TLS")
WITHIN_S = 5.0


def answer_it(call: Call, offer: bytes) -> bytes:
    return sdp.answer(offer, "127.0.0.1", 40_002, version=2)[0] if offer else OFFER


class Phone:
    """A registered agent of ours."""

    def __init__(self, agent: UserAgent, registration: Registration, transport: str) -> None:
        self.agent = agent
        self.registration = registration
        self.transport = transport
        self.taken: asyncio.Queue[IncomingCall] = asyncio.Queue()
        agent.on_invite = self.take

    def take(self, call: IncomingCall) -> None:
        call.on_offer(answer_it)
        call.ring()
        self.taken.put_nowait(call)

    async def came(self) -> IncomingCall:
        async with asyncio.timeout(WITHIN_S):
            return await self.taken.get()


@pytest.fixture
async def proxy(tmp_path: Path) -> AsyncIterator[Kamailio]:
    async with kamailio(tmp_path / "kamailio") as running:
        yield running
        # What of ours it could not read, it would have complained of.
        assert [line for line in running.said.splitlines() if "ERROR" in line and "pars" in line] == []


@pytest.fixture
async def phones(proxy: Kamailio) -> AsyncIterator[contextlib.AsyncExitStack]:
    async with contextlib.AsyncExitStack() as stack:
        yield stack


async def phone(proxy: Kamailio, opened: contextlib.AsyncExitStack, user: str, transport: str, name: str = "") -> Phone:
    """Register a user over a transport."""
    context = Context.create(seed=None)
    agent = await UserAgent.open(
        context,
        name or user,
        user=user,
        listen=[Listen(transport)],
        tls=proxy.sides,
        credentials=(user, PASSWORD),
    )
    opened.push_async_callback(agent.close)
    registration = await agent.register(proxy.uri("", transport), user, PASSWORD, expires=60)
    assert registration.expires == 60
    return Phone(agent, registration, transport)


@pytest.mark.parametrize("calling", TRANSPORTS)
@pytest.mark.parametrize("called", TRANSPORTS)
async def test_a_call_through_a_proxy_that_stays_in_the_path(
    proxy: Kamailio, phones: contextlib.AsyncExitStack, calling: str, called: str
) -> None:
    a, b = await phone(proxy, phones, "alice", calling), await phone(proxy, phones, "bob", called)
    for hangs_up_there in (False, True):
        call = a.agent.invite(proxy.uri("bob", calling), offer=OFFER)
        there = await b.came()
        await call.ringing(within=WITHIN_S)
        there.answer(ANSWER)
        await call.answered(within=WITHIN_S)
        assert there.request.via.transport == called
        assert call.dialog is not None and there.dialog is not None
        # Two routes where the transport changes on the way (RFC 5658).
        assert len(call.dialog.route_set) == len(there.dialog.route_set) == (1 if calling == called else 2)
        assert there.request.get("authorization") is there.request.get("proxy-authorization") is None
        held = await call.session.offer(
            sdp.offer("127.0.0.1", 40_000, direction="sendonly", version=2), within=WITHIN_S
        )
        assert b"a=recvonly" in held
        call.on_offer(answer_it)
        await there.session.offer(sdp.offer("127.0.0.1", 40_002, version=3), within=WITHIN_S)
        assert (await there.send("INFO", within=WITHIN_S)).status == 200
        (there if hangs_up_there else call).hang_up()
        await call.ended(within=WITHIN_S)
        await there.ended(within=WITHIN_S)
        assert call.status == there.status == 200


async def test_digest_is_asked_by_the_proxy_and_its_nonce_count_is_held_to(
    proxy: Kamailio, phones: contextlib.AsyncExitStack
) -> None:
    a, b = await phone(proxy, phones, "alice", "UDP"), await phone(proxy, phones, "bob", "UDP")
    seen: list[str] = []
    for _ in range(3):
        call = a.agent.invite(proxy.uri("bob", "UDP"), offer=OFFER)
        (await b.came()).answer(ANSWER)
        await call.answered(within=WITHIN_S)
        used = parse_digest(call.request.get("proxy-authorization") or "")
        assert (used["username"], used["realm"], used["qop"]) == ("alice", "127.0.0.1", "auth")
        seen.append(used["nonce"] + used["nc"])
        call.hang_up()
        await call.ended(within=WITHIN_S)
    assert len(set(seen)) == 3
    with pytest.raises(SipLocalError, match="401"):
        await b.agent.register(proxy.uri("", "UDP"), "bob", "wrong")
    stranger = await UserAgent.open(Context.create(seed=1), "stranger", credentials=("stranger", "wrong"))
    phones.push_async_callback(stranger.close)
    with pytest.raises(SipLocalError, match="407"):
        await stranger.invite(proxy.uri("bob", "UDP"), offer=OFFER).answered(within=WITHIN_S)


async def test_an_invite_that_is_forked_rings_everywhere_and_is_answered_once(
    proxy: Kamailio, phones: contextlib.AsyncExitStack
) -> None:
    a = await phone(proxy, phones, "alice", "UDP")
    desk, mobile = await phone(proxy, phones, "bob", "UDP", "desk"), await phone(proxy, phones, "bob", "TCP", "mobile")
    call = a.agent.invite(proxy.uri("bob", "UDP"), offer=OFFER)
    at_desk, at_mobile = await desk.came(), await mobile.came()
    await call.ringing(within=WITHIN_S)
    at_mobile.answer(ANSWER)
    await call.answered(within=WITHIN_S)
    await at_desk.ended(within=WITHIN_S)
    assert (at_desk.status, at_mobile.state) == (487, CallState.ANSWERED)
    assert call.dialog is not None and call.dialog.remote_tag == at_mobile.local_tag
    assert len(call.early) == 2
    call.hang_up()
    await at_mobile.ended(within=WITHIN_S)
    # Given up by the caller, it stops everywhere; refused everywhere, it is refused.
    call = a.agent.invite(proxy.uri("bob", "UDP"), offer=OFFER)
    everywhere = [await desk.came(), await mobile.came()]
    await call.ringing(within=WITHIN_S)
    call.hang_up()
    await call.ended(within=WITHIN_S)
    for there in everywhere:
        await there.ended(within=WITHIN_S)
    assert call.status == 487
    call = a.agent.invite(proxy.uri("bob", "UDP"), offer=OFFER)
    (await desk.came()).reject(486)
    (await mobile.came()).reject(603)
    await call.ended(within=WITHIN_S)
    assert call.status == 603


async def test_reliable_early_media_crosses_the_proxy(proxy: Kamailio, phones: contextlib.AsyncExitStack) -> None:
    a, b = await phone(proxy, phones, "alice", "TLS"), await phone(proxy, phones, "bob", "UDP")
    call = a.agent.invite(proxy.uri("bob", "TLS"), offer=OFFER)
    there = await b.came()
    there.ring(183, sdp=ANSWER)
    there.answer(b"")
    await call.answered(within=WITHIN_S)
    assert call.remote_sdp == ANSWER
    call.hang_up()
    await there.ended(within=WITHIN_S)


async def test_a_registration_is_refreshed_and_taken_back(proxy: Kamailio, phones: contextlib.AsyncExitStack) -> None:
    a, b = await phone(proxy, phones, "alice", "UDP"), await phone(proxy, phones, "bob", "TLS")
    await b.registration.register(within=WITHIN_S)
    await b.registration.unregister()
    call = a.agent.invite(proxy.uri("bob", "UDP"), offer=OFFER)
    with pytest.raises(SipLocalError, match="404 Not Found"):
        await call.answered(within=WITHIN_S)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_the_watch_on_a_trunk_sees_it_come_and_go(tmp_path: Path, transport: str) -> None:
    context = Context.create(seed=1)
    async with kamailio(tmp_path / "kamailio") as proxy:
        agent = await UserAgent.open(context, "trunk", listen=[Listen(transport)], tls=proxy.sides)
        watch = KeepAlive(agent, proxy.uri("", transport), interval=0.2, answer_within=0.5, down_after=2)
        watch.start()
        up = await context.journal.expect("trunk", "keepalive.up", within=WITHIN_S)
        assert up.data["status"] == 200
    await context.journal.expect("trunk", "keepalive.down", within=WITHIN_S)
    await watch.stop()
    await agent.close()
