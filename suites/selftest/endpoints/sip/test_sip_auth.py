"""Digest between agents and a peer driven by hand (RFC 3261 §22, RFC 7616, RFC 8760), in virtual time."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from virtual_sip import OFFER, Peer, answering, virtually

from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.call import CallState
from harness.errors import SipLocalError
from harness.protocols import sdp
from harness.protocols.sip.digest import MAX_NONCES, Authenticator, Challenge, Verdict, authorization, parse_digest
from harness.protocols.sip.message import Request
from harness.protocols.sip.registrar import Registrar
from harness.transport.context import Context

PASSWORDS = {"trunk": "pw"}


async def guarded(context: Context, *methods: str, **options: Any) -> UserAgent:
    return await UserAgent.open(
        context, "switch", on_invite=answering, server_credentials=PASSWORDS, authenticate=methods, **options
    )


def refused(context: Context) -> int:
    """How many challenges were sent."""
    return len([event for event in context.journal if event.kind == "sip.sent" and event.data.get("status") == 401])


@pytest.mark.parametrize("algorithms", [("MD5",), ("SHA-256",), ("SHA-256", "MD5")])
def test_each_algorithm_lets_the_right_one_in_and_no_other(algorithms: tuple[str, ...]) -> None:
    async def work(context: Context) -> None:
        switch = await guarded(context, "INVITE", "OPTIONS", algorithms=algorithms)
        trunk = await UserAgent.open(context, "trunk", credentials=("trunk", "pw"))
        call = trunk.invite(switch.uri, offer=OFFER)
        await call.answered(within=1)
        used = parse_digest(call.request.get("authorization") or "")
        assert (used["algorithm"], used["qop"], used["nc"]) == (algorithms[0], "auth", "00000001")
        for who in (("trunk", "wrong"), ("stranger", "pw"), None):
            other = await UserAgent.open(context, "other", credentials=who)
            assert (await other.options(switch.uri)).status == 401
            await other.close()
        await trunk.close()
        await switch.close()

    virtually(work)


def test_a_nonce_is_used_again_without_being_asked_and_each_use_is_counted() -> None:
    async def work(context: Context) -> None:
        switch = await guarded(context, "INVITE", "OPTIONS", "BYE")
        trunk = await UserAgent.open(context, "trunk", credentials=("trunk", "pw"))
        for _ in range(3):
            assert (await trunk.options(switch.uri)).status == 200
        call = trunk.invite(switch.uri, offer=OFFER)
        await call.answered(within=1)
        assert call.request.cseq.number == 1, "it was not challenged"
        assert parse_digest(call.request.get("authorization") or "")["nc"] == "00000004"
        await call.session.offer(OFFER, within=1)
        call.hang_up()
        await call.ended(within=1)
        assert call.status == 200
        assert refused(context) == 1
        # Too old, it is renewed with the same password (stale).
        await asyncio.sleep(301)
        assert (await trunk.options(switch.uri)).status == 200
        assert refused(context) == 2
        await trunk.close()
        await switch.close()

    virtually(work)


def test_requests_within_a_call_are_challenged_too_where_their_method_is() -> None:
    async def work(context: Context) -> None:
        switch = await guarded(context, "BYE", "INFO")
        trunk = await UserAgent.open(context, "trunk", credentials=("trunk", "pw"))
        stranger = await UserAgent.open(context, "stranger")
        call = trunk.invite(switch.uri, offer=OFFER)
        await call.answered(within=1)
        assert (await call.send("INFO", within=1)).status == 200
        call.hang_up()
        await call.ended(within=1)
        call = stranger.invite(switch.uri, offer=OFFER)
        await call.answered(within=1)
        assert (await call.send("INFO", within=1)).status == 401
        call.hang_up()
        await call.ended(within=1)
        assert switch.calls != (), "a BYE of somebody else ends no call"
        await trunk.close()
        await switch.close()
        await stranger.close()

    virtually(work)


def challenge(realm: str, *, stale: bool = False, nonce: str = "n", qop: str = "auth") -> str:
    return str(Challenge(realm, nonce, "SHA-256", qop, stale=stale))


async def asked(context: Context, answers: list[tuple[int, list[str]]]) -> tuple[int, list[Request]]:
    """An OPTIONS to a peer that gives these answers in turn; the final status, and what was sent."""
    agent = await UserAgent.open(context, "agent", credentials=("agent", "pw"))
    peer = await Peer.open(context)
    asking = asyncio.ensure_future(agent.options(f"sip:127.0.0.1:{peer.port.local[1]}", within=2))
    for status, lines in answers:
        await asyncio.sleep(0.1)
        peer.answer(peer.requests("OPTIONS")[-1], agent, status, *lines)
    response = await asking
    await agent.close()
    peer.port.close()
    return response.status, peer.requests("OPTIONS")


def test_a_proxy_s_challenge_and_then_the_server_s_are_both_answered() -> None:
    async def work(context: Context) -> None:
        status, sent = await asked(
            context,
            [
                (407, [f"Proxy-Authenticate: {challenge('proxy', nonce='p')}"]),
                (401, [f"WWW-Authenticate: {challenge('server', nonce='s')}"]),
                (200, []),
            ],
        )
        assert (status, len(sent)) == (200, 3)
        assert [request.cseq.number for request in sent] == [1, 2, 3]
        proxy, server = (parse_digest(sent[2].get(name) or "") for name in ("proxy-authorization", "authorization"))
        assert (proxy["realm"], proxy["nc"], server["realm"], server["nc"]) == (
            "proxy",
            "00000002",
            "server",
            "00000001",
        )
        assert parse_digest(sent[1].get("proxy-authorization") or "")["nc"] == "00000001"

    virtually(work)


def test_a_wrong_password_is_not_tried_again_and_a_stale_nonce_is() -> None:
    async def work(context: Context) -> None:
        again = f"WWW-Authenticate: {challenge('r')}"
        status, sent = await asked(context, [(401, [again]), (401, [again])])
        assert (status, len(sent)) == (401, 2)
        told = context.journal.find("agent", "sip.challenge-unanswered")
        assert told is not None and "credentials of agent were refused" in told.data["reason"]
        stale = f"WWW-Authenticate: {challenge('r', stale=True, nonce='new')}"
        status, sent = await asked(context, [(401, [again]), (401, [stale]), (200, [])])
        assert (status, len(sent)) == (200, 3)
        status, sent = await asked(context, [(401, [stale])] * 4)
        assert (status, len(sent)) == (401, 4), "not for ever"

    virtually(work)


def test_challenges_that_can_t_be_answered_are_told() -> None:
    async def work(context: Context) -> None:
        for line in (
            "WWW-Authenticate: Basic realm=x",
            'WWW-Authenticate: Digest realm="x", nonce="n", algorithm=SHA-512-256',
            'WWW-Authenticate: Digest realm="x", nonce="n", qop="auth-conf"',
            "WWW-Authenticate: Digest nonce=",
            "Subject: no challenge",
        ):
            status, sent = await asked(context, [(401, [line])])
            assert (status, len(sent)) == (401, 1)
        assert len([event for event in context.journal if event.kind == "sip.challenge-unanswered"]) == 5

    virtually(work)


def test_the_strongest_of_several_challenges_is_answered_and_a_body_is_guarded() -> None:
    async def work(context: Context) -> None:
        weak, strong = str(Challenge("r", "n", "MD5", "auth")), challenge("r", qop="auth-int")
        status, sent = await asked(
            context, [(401, [f"WWW-Authenticate: {weak}", f"WWW-Authenticate: {strong}"]), (200, [])]
        )
        found = parse_digest(sent[1].get("authorization") or "")
        assert (status, found["algorithm"], found["qop"]) == (200, "SHA-256", "auth-int")

    virtually(work)


def test_credentials_are_good_for_one_request() -> None:
    async def work(context: Context) -> None:
        switch = await guarded(context, "OPTIONS")
        peer = await Peer.open(context)
        first = await peer.ask(switch, peer.request("OPTIONS", switch, branch="a"))
        made = Challenge.parse(first.lines("www-authenticate")[0])
        for branch, count, due in (("b", 1, 200), ("c", 1, 401), ("d", 2, 200), ("e", 7, 200), ("f", 6, 401)):
            value = authorization(made, "OPTIONS", switch.uri, "trunk", "pw", cnonce="c", count=count)
            line = f"Authorization: {value}"
            response = await peer.ask(switch, peer.request("OPTIONS", switch, line, branch=branch))
            assert response.status == due, branch
            if due == 401:
                assert Challenge.parse(response.lines("www-authenticate")[0]).stale, "the password was right"
        forged = authorization(Challenge("127.0.0.1", "1.000.1.abc"), "OPTIONS", switch.uri, "trunk", "pw", cnonce="c")
        for at, line in enumerate((f"Authorization: {forged}", "Authorization: Basic eA==", "Authorization: Digest x")):
            response = await peer.ask(switch, peer.request("OPTIONS", switch, line, branch=f"g{at}"))
            assert response.status == (400 if at == 2 else 401)
        await switch.close()
        peer.port.close()

    virtually(work)


def test_who_only_asks_makes_nobody_s_nonce_stale_and_costs_no_memory() -> None:
    asking = Authenticator("r", PASSWORDS.get, b"secret")
    ours = Challenge.parse(asking.challenges(0.0)[0])
    for at in range(3 * MAX_NONCES):
        asking.challenges(1.0 + at / 1000)
    assert asking._used == {}
    value = authorization(ours, "OPTIONS", "sip:a@b", "trunk", "pw", cnonce="c", count=1)
    assert asking.check(value, "OPTIONS", 20.0)[0] is Verdict.GOOD
    assert asking.check(value, "OPTIONS", 20.0)[0] is Verdict.STALE


def test_a_nonce_whose_count_was_forgotten_can_t_be_played_again() -> None:
    asking = Authenticator("r", PASSWORDS.get, b"secret")
    values = []
    for at in range(MAX_NONCES + 10):
        made = Challenge.parse(asking.challenges(at / 100)[0])
        values.append(authorization(made, "OPTIONS", "sip:a@b", "trunk", "pw", cnonce="c", count=1))
        assert asking.check(values[-1], "OPTIONS", at / 100)[0] is Verdict.GOOD
    assert len(asking._used) == MAX_NONCES
    assert {asking.check(value, "OPTIONS", 60.0)[0] for value in values} == {Verdict.STALE}


def test_an_ack_carries_the_credentials_of_its_invite() -> None:
    async def work(context: Context) -> None:
        agent = await UserAgent.open(context, "agent", credentials=("agent", "pw"))
        peer = await Peer.open(context)
        call = agent.invite(f"sip:b@127.0.0.1:{peer.port.local[1]}", offer=OFFER)
        await asyncio.sleep(0.1)
        peer.answer(peer.requests("INVITE")[-1], agent, 407, f"Proxy-Authenticate: {challenge('p')}")
        await asyncio.sleep(0.1)
        invite = peer.requests("INVITE")[-1]
        peer.answer(invite, agent, 200, body=sdp.answer(OFFER, "127.0.0.1", 5000)[0])
        await call.answered(within=1)
        await asyncio.sleep(0.1)
        shown = invite.get("proxy-authorization")
        assert shown is not None and peer.requests("ACK")[-1].get("proxy-authorization") == shown
        assert call.state is CallState.ANSWERED
        call.abandon("over")
        await agent.close()
        peer.port.close()

    virtually(work)


def test_one_may_register_only_oneself() -> None:
    async def work(context: Context) -> None:
        switch = await UserAgent.open(
            context, "switch", registrar=Registrar(), server_credentials={"a": "pw", "b": "pw"}, realm="ccc"
        )
        phone = await UserAgent.open(context, "phone")
        registrar = f"sip:127.0.0.1:{switch.address[1]}"
        with pytest.raises(SipLocalError, match="401"):
            await phone.register(registrar, "a", "not it")
        response = await phone.request(
            "REGISTER",
            registrar,
            aor="sip:b@127.0.0.1",
            headers=[("Contact", f"<{phone.uri}>")],
            credentials=("a", "pw"),
        )
        assert response.status == 403
        assert switch.registry is not None
        assert switch.registry.contacts("sip:b@127.0.0.1") == []
        await phone.close()
        await switch.close()

    virtually(work)
