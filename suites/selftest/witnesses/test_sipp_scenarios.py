"""SIPp with scenarios of our own (fixtures/sipp) against one user agent of ours: each extension, calling and called."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from harness.endpoints.sip.abilities import Abilities
from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.call import Call, CallState
from harness.endpoints.sip.incoming import IncomingCall
from harness.endpoints.sip.outgoing import OutgoingCall
from harness.endpoints.sip.refer import Referral, refer
from harness.endpoints.sip.transports import Listen
from harness.protocols import sdp
from harness.transport.context import Context
from suites.selftest.ports import free_port
from suites.selftest.witnesses.control_room import SCENARIOS, sipp, sipp_counts, sipp_errors, until

pytestmark = [pytest.mark.real_wire, pytest.mark.witness("sipp")]

WITHIN_S = 20.0
OFFER = sdp.offer("127.0.0.1", 40_000)
BOTH = (Listen("UDP"), Listen("TCP"))


def answer_it(call: Call, offer: bytes) -> bytes:
    """Answers a later offer, and offers where there is none."""
    return sdp.answer(offer, "127.0.0.1", 40_002, version=2)[0] if offer else sdp.offer("127.0.0.1", 40_002, version=2)


class Switch:
    """An agent of ours that rings and answers, and keeps what came."""

    def __init__(self, agent: UserAgent) -> None:
        self.agent = agent
        self.taken: list[IncomingCall] = []
        self.early_media = False
        self.answers = True
        agent.on_invite = self.take

    def take(self, call: IncomingCall) -> None:
        self.taken.append(call)
        call.on_offer(answer_it)
        described = sdp.answer(call.remote_sdp, "127.0.0.1", 40_000)[0] if call.remote_sdp else OFFER
        if self.early_media:
            call.ring(183, sdp=described)
        else:
            call.ring()
        if self.answers:
            call.answer(described)

    async def ended(self, count: int = 1) -> None:
        """Return when so many calls have come and ended, in order."""
        await until(lambda: len(self.taken) >= count, within=WITHIN_S, what=f"{count} calls")
        for call in self.taken:
            await call.ended(within=WITHIN_S)


@contextlib.asynccontextmanager
async def switch(**options: Any) -> AsyncIterator[Switch]:
    """A switch of ours; when it is left, it holds no call and has warned of nothing."""
    context = Context.create(seed=1)
    agent = await UserAgent.open(context, "switch", listen=BOTH, **options)
    try:
        yield Switch(agent)
        assert agent.calls == ()
        assert [event for event in context.journal if event.data.get("severity") == "warning"] == []
    finally:
        await agent.close()


async def run(folder: Path, *arguments: str, calls: int = 1) -> None:
    """Let SIPp run its scenario to the end, and hold it to that no call failed."""
    many = ("-max_socket", "1000") if "tn" in arguments else ()
    async with sipp(folder, *arguments, *many, "-m", str(calls), "-p", str(free_port())) as process:
        await finished(process, folder, calls)


async def finished(process: asyncio.subprocess.Process, folder: Path, calls: int = 1) -> None:
    async with asyncio.timeout(WITHIN_S):
        code = await process.wait()
    counts = sipp_counts(folder)
    assert (code, counts["SuccessfulCall"], counts["FailedCall"]) == (0, calls, 0), sipp_errors(folder)


def scenario(name: str) -> tuple[str, str]:
    return "-sf", str(SCENARIOS / f"{name}.xml")


def to(there: Switch, kind: str = "UDP") -> tuple[str, ...]:
    host, port = there.agent.endpoint.transports.locals[kind]
    return f"{host}:{port}", "-s", "999"


# SIPp calls


@pytest.mark.parametrize("transport", ["u1", "t1", "tn"])
@pytest.mark.parametrize("name", ["update_calls", "hold_calls", "info_calls"])
async def test_what_a_caller_does_within_a_call_is_answered(tmp_path: Path, name: str, transport: str) -> None:
    async with switch() as there:
        kind = "UDP" if transport == "u1" else "TCP"
        await run(tmp_path, *scenario(name), *to(there, kind), "-t", transport, "-r", "5", calls=3)
        await there.ended(3)
        assert {call.request.via.transport for call in there.taken} == {kind}


async def test_a_caller_that_needs_100rel_gets_it(tmp_path: Path) -> None:
    async with switch() as there:
        there.early_media = True
        await run(tmp_path, *scenario("prack_calls"), *to(there))
        await there.ended()


async def test_an_offer_that_is_left_to_us_is_made_and_its_answer_taken(tmp_path: Path) -> None:
    async with switch() as there:
        await run(tmp_path, *scenario("delayed_offer_calls"), *to(there))
        await there.ended()
        (call,) = there.taken
        assert sdp.negotiated(OFFER, call.remote_sdp).codec == "PCMA"


@pytest.mark.parametrize("name", ["cancel_calls", "early_bye_calls"])
async def test_a_caller_that_gives_up_gets_487(tmp_path: Path, name: str) -> None:
    async with switch() as there:
        there.answers = False
        await run(tmp_path, *scenario(name), *to(there))
        await there.ended()
        reason = {"cancel_calls": "cancelled", "early_bye_calls": "BYE"}[name]
        assert there.taken[0].reason == reason


async def test_a_caller_takes_the_place_of_a_call_that_is_up(tmp_path: Path) -> None:
    context = Context.create(seed=1)
    async with switch() as there:
        trunk = await UserAgent.open(context, "trunk")
        call = trunk.invite(there.agent.uri, offer=OFFER)
        await call.answered(within=2)
        assert call.dialog is not None
        replaces = f"{call.id};to-tag={call.dialog.remote_tag};from-tag={call.local_tag}"
        await run(tmp_path, *scenario("replaces_calls"), *to(there), "-key", "replaces", replaces)
        await call.ended(within=2)
        assert call.reason == "Replaced"
        await there.ended(2)
        await trunk.close()


async def test_a_caller_transfers_us_and_is_told_how_it_went(tmp_path: Path) -> None:
    context = Context.create(seed=1)
    async with switch() as there:
        target = Switch(await UserAgent.open(context, "target"))

        def do(referral: Referral) -> None:
            referral.accept()
            call = there.agent.invite(str(referral.target), offer=OFFER, headers=referral.headers())
            placed.append(call)
            referral.follow(call)

        placed: list[OutgoingCall] = []
        there.agent.on_refer = do
        await run(tmp_path, *scenario("refer_calls"), *to(there), "-key", "target", target.agent.uri)
        await there.ended()
        assert placed[0].state is CallState.ANSWERED
        assert (target.taken[0].request.get("referred-by") or "").startswith("<sip:sipp@")
        placed[0].hang_up()
        await target.ended()
        await placed[0].ended(within=2)
        await target.agent.close()


@pytest.mark.parametrize(("password", "works"), [("s3cret", True), ("wrong", False)])
async def test_a_caller_is_let_in_by_its_password(tmp_path: Path, password: str, works: bool) -> None:
    context = Context.create(seed=1)
    agent = await UserAgent.open(
        context, "switch", server_credentials={"trunk": "s3cret"}, authenticate=["INVITE"], algorithms=["MD5"]
    )
    there = Switch(agent)
    arguments = (
        *scenario("digest_call"),
        *to(there),
        "-au",
        "trunk",
        "-ap",
        password,
        "-m",
        "1",
        "-recv_timeout",
        "2000",
    )
    async with sipp(tmp_path, *arguments, "-p", str(free_port())) as process:
        async with asyncio.timeout(WITHIN_S):
            await process.wait()
    assert sipp_counts(tmp_path)["SuccessfulCall"] == works, sipp_errors(tmp_path)
    assert len(there.taken) == works
    await agent.close()


@pytest.mark.parametrize("transport", ["t1", "tn"])
async def test_a_hundred_calls_over_tcp_on_one_connection_or_on_one_each(tmp_path: Path, transport: str) -> None:
    async with switch(trace=False) as there:
        await run(tmp_path, "-sn", "uac", *to(there, "TCP"), "-t", transport, "-r", "50", "-d", "100", calls=100)
        await there.ended(100)
        assert sipp_counts(tmp_path)["Retransmissions"] == 0
        connections = {call.flow for call in there.taken}
        assert len(connections) == (1 if transport == "t1" else 100)


# We call SIPp


@contextlib.asynccontextmanager
async def called(
    folder: Path, name: str, *arguments: str, transport: str = "u1", **options: Any
) -> AsyncIterator[tuple[UserAgent, str]]:
    """A SIPp that is called once, and an agent to call it; its scenario has to go to its end."""
    context = Context.create(seed=1)
    agent = await UserAgent.open(context, "trunk", listen=BOTH, **options)
    port = free_port()
    over = "" if transport == "u1" else ";transport=tcp"
    command = (*(("-sn", name) if name == "uas" else scenario(name)), *arguments, "-t", transport)
    try:
        async with sipp(folder, *command, "-m", "1", "-p", str(port)) as process:
            yield agent, f"sip:service@127.0.0.1:{port}{over}"
            await finished(process, folder)
        # SIPp tells nobody when it begins to listen: over TCP the first tries may be refused.
        warned = [event.data for event in context.journal if event.data.get("severity") == "warning"]
        assert [data for data in warned if "can't connect" not in data["reason"]] == []
    finally:
        await agent.close()


async def call(agent: UserAgent, uri: str, offer: bytes = OFFER) -> OutgoingCall:
    """Call SIPp and return once it has answered; over TCP it may not listen yet."""
    async with asyncio.timeout(WITHIN_S):
        while True:
            placed = agent.invite(uri, offer=offer)
            placed.on_offer(answer_it)
            try:
                await placed.answered(within=WITHIN_S)
            except Exception:
                if placed.status != 503:
                    raise
                await asyncio.sleep(0.05)
            else:
                return placed


async def cleared(placed: Call) -> None:
    placed.hang_up()
    await placed.ended(within=5)


@pytest.mark.parametrize("transport", ["u1", "t1"])
async def test_we_hold_and_resume(tmp_path: Path, transport: str) -> None:
    async with called(tmp_path, "hold_answers", transport=transport) as (agent, uri):
        placed = await call(agent, uri)
        held = await placed.session.offer(sdp.offer("127.0.0.1", 40_000, direction="sendonly", version=2), within=5)
        assert b"a=recvonly" in held
        await placed.session.offer(sdp.offer("127.0.0.1", 40_000, version=3), within=5)
        await cleared(placed)


async def test_we_acknowledge_what_rings_reliably(tmp_path: Path) -> None:
    async with called(tmp_path, "prack_answers") as (agent, uri):
        placed = await call(agent, uri)
        assert sdp.negotiated(OFFER, placed.remote_sdp).codec == "PCMA"
        await cleared(placed)


async def test_we_change_the_session_by_update(tmp_path: Path) -> None:
    async with called(tmp_path, "update_answers") as (agent, uri):
        placed = await call(agent, uri)
        offer = sdp.offer("127.0.0.1", 40_000, direction="sendonly", version=2)
        assert b"a=recvonly" in await placed.session.offer(offer, within=5, method="UPDATE")
        await cleared(placed)


async def test_we_leave_the_offer_to_the_other_side(tmp_path: Path) -> None:
    async with called(tmp_path, "delayed_offer_answers") as (agent, uri):
        placed = await call(agent, uri, offer=b"")
        assert sdp.negotiated(placed.remote_sdp, placed.local_sdp).port == 40_002
        await cleared(placed)


async def test_we_transfer_and_are_told_how_it_went(tmp_path: Path) -> None:
    async with called(tmp_path, "refer_answers") as (agent, uri):
        placed = await call(agent, uri)
        transfer = await refer(placed, "sip:07700900123@127.0.0.1")
        await transfer.done(within=5)
        assert transfer.status == 200
        await cleared(placed)


async def test_we_answer_a_challenge_and_it_is_right(tmp_path: Path) -> None:
    async with called(tmp_path, "digest_answers", credentials=("trunk", "s3cret")) as (agent, uri):
        await cleared(await call(agent, uri))


async def test_we_send_a_key_by_info(tmp_path: Path) -> None:
    async with called(tmp_path, "info_answers") as (agent, uri):
        placed = await call(agent, uri)
        content = b"Signal=7\r\nDuration=160\r\n"
        response = await placed.send("INFO", content=content, content_type="application/dtmf-relay", within=5)
        assert response.status == 200
        await cleared(placed)


async def test_we_follow_a_redirection_to_the_best_contact(tmp_path: Path) -> None:
    context = Context.create(seed=1)
    first = Switch(await UserAgent.open(context, "target"))
    keys = ("-key", "target", first.agent.uri, "-key", "other", "sip:nobody@127.0.0.1:9")
    async with called(tmp_path, "redirect_answers", *keys, abilities=Abilities(redirects=2)) as (agent, uri):
        placed = await call(agent, uri)
        assert first.taken[0].id == placed.id
        await cleared(placed)
    await first.agent.close()


async def test_we_give_up_while_it_rings(tmp_path: Path) -> None:
    async with called(tmp_path, "cancel_answers") as (agent, uri):
        placed = agent.invite(uri, offer=OFFER)
        await placed.ringing(within=WITHIN_S)
        placed.hang_up([("Reason", 'SIP;cause=487;text="Gave up"')])
        await placed.ended(within=5)
        assert placed.status == 487


async def test_we_call_over_tcp(tmp_path: Path) -> None:
    async with called(tmp_path, "uas", transport="t1") as (agent, uri):
        await cleared(await call(agent, uri))
