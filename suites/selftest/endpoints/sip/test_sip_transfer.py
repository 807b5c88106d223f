"""Transfers between three agents (RFC 3515, 3891, 3892, 4488) and Replaces by hand, in virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest
from virtual_sip import OFFER, Peer, answering, virtually

from harness.endpoints.sip.abilities import METHODS_SERVED, Abilities
from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.call import Call, CallState
from harness.endpoints.sip.incoming import IncomingCall
from harness.endpoints.sip.refer import TRANSFER_LIFE, Referral, refer, refer_outside
from harness.errors import InterlockError, SipLocalError
from harness.protocols import sdp
from harness.transport.context import Context


@dataclass
class Phone:
    """An agent that answers, and does what it is referred to."""

    agent: UserAgent
    taken: list[IncomingCall] = field(default_factory=list)
    placed: list[Call] = field(default_factory=list)
    referrals: list[Referral] = field(default_factory=list)

    @classmethod
    async def open(cls, context: Context, name: str, abilities: Abilities | None = None) -> Phone:
        phone = cls(await UserAgent.open(context, name, abilities=abilities or Abilities()))
        phone.agent.on_invite = phone.take
        phone.agent.on_refer = phone.do
        return phone

    def take(self, call: IncomingCall) -> None:
        self.taken.append(call)
        answering(call)

    def do(self, referral: Referral) -> None:
        self.referrals.append(referral)
        referral.accept()
        call = self.agent.invite(str(referral.target), offer=OFFER, headers=referral.headers())
        self.placed.append(call)
        referral.follow(call)


async def three(context: Context) -> tuple[Phone, Phone, Phone]:
    return (
        await Phone.open(context, "alice"),
        await Phone.open(context, "bob"),
        await Phone.open(context, "carol"),
    )


async def close(*phones: Phone) -> None:
    for phone in phones:
        await phone.agent.close()


async def up(caller: Phone, called: Phone) -> Call:
    call = caller.agent.invite(called.agent.uri, offer=OFFER)
    await call.answered(within=1)
    await asyncio.sleep(0.1)
    return call


def statuses(context: Context) -> list[int]:
    """What the transferring side was told of the call."""
    return [event.data["status"] for event in context.journal if event.kind == "call.transfer"]


def test_a_blind_transfer_places_the_call_and_tells_how_it_goes() -> None:
    async def work(context: Context) -> None:
        alice, bob, carol = await three(context)
        call = await up(alice, bob)
        transfer = await refer(call, carol.agent.uri)
        await transfer.done(within=2)
        assert statuses(context) == [100, 180, 200]
        assert (transfer.status, transfer.is_over, dict(call.transfers)) == (200, True, {})
        invite = carol.taken[0].request
        assert invite.get("referred-by") == f"<{alice.agent.uri}>"
        assert invite.get("replaces") is None
        assert bob.placed[0].state is CallState.ANSWERED
        call.hang_up()
        await call.ended(within=1)
        assert carol.taken[0].state is CallState.ANSWERED
        await close(alice, bob, carol)

    virtually(work)


def test_an_attended_transfer_replaces_the_consultation_call() -> None:
    async def work(context: Context) -> None:
        alice, bob, carol = await three(context)
        first, second = await up(alice, bob), await up(alice, carol)
        transfer = await refer(first, replaces=second)
        await transfer.done(within=2)
        await second.ended(within=1)
        assert second.reason == "Replaced"
        assert second.ended_by is not None and "cause=200" in (second.ended_by.get("reason") or "")
        new = carol.taken[1]
        assert new.replaces is carol.taken[0]
        assert (carol.taken[0].is_over, new.state) == (True, CallState.ANSWERED)
        assert carol.agent.calls == (new,)
        first.hang_up()
        await first.ended(within=1)
        assert len(bob.agent.calls) == 1
        await close(alice, bob, carol)

    virtually(work)


def test_the_transferring_side_may_hang_up_at_once_and_still_learns_the_outcome() -> None:
    async def work(context: Context) -> None:
        alice, bob, carol = await three(context)
        call = await up(alice, bob)
        transfer = await refer(call, carol.agent.uri)
        call.hang_up()
        await call.ended(within=1)
        await transfer.done(within=2)
        assert transfer.status == 200
        # Where nothing more is told, it does not wait for ever.
        bob.agent.on_refer = lambda referral: referral.accept()
        call = await up(alice, bob)
        transfer = await refer(call, carol.agent.uri)
        call.hang_up()
        await call.ended(within=1)
        with pytest.raises(SipLocalError, match="not over within 5 s"):
            await transfer.done(within=5)
        await asyncio.sleep(TRANSFER_LIFE)
        assert transfer.is_over
        with pytest.raises(SipLocalError, match="failed: 100"):
            await transfer.done(within=1)
        await close(alice, bob, carol)

    virtually(work)


@pytest.mark.parametrize("status", [486, 603, 404])
def test_a_transfer_that_fails_leaves_the_call_as_it_was(status: int) -> None:
    async def work(context: Context) -> None:
        alice, bob, carol = await three(context)
        carol.agent.on_invite = lambda call: call.reject(status)
        call = await up(alice, bob)
        transfer = await refer(call, carol.agent.uri)
        with pytest.raises(SipLocalError, match=f"failed: {status}"):
            await transfer.done(within=2)
        assert call.state is bob.taken[0].state is CallState.ANSWERED
        transfer = await refer(call, "sip:nobody@127.0.0.1:9")
        with pytest.raises(SipLocalError, match="failed: 408"):
            await transfer.done(within=40)
        await close(alice, bob, carol)

    virtually(work)


def test_a_refer_is_refused_and_says_so() -> None:
    async def work(context: Context) -> None:
        alice, bob, carol = await three(context)
        call = await up(alice, bob)
        bob.agent.on_refer = lambda referral: referral.reject(403)
        with pytest.raises(SipLocalError, match="403 Forbidden to REFER"):
            await refer(call, carol.agent.uri)
        bob.agent.on_refer = None
        with pytest.raises(SipLocalError, match="603"):
            await refer(call, carol.agent.uri)
        with pytest.raises(SipLocalError, match="501"):
            await refer(call, f"{carol.agent.uri};method=BYE")
        with pytest.raises(SipLocalError, match="not a URI"):
            await refer(call, "carol")
        assert dict(call.transfers) == {}
        poor = await Phone.open(context, "poor", Abilities(methods=tuple(m for m in METHODS_SERVED if m != "REFER")))
        call = await up(alice, poor)
        with pytest.raises(SipLocalError, match="405"):
            await refer(call, carol.agent.uri)
        ended = await up(alice, carol)
        ended.hang_up()
        await ended.ended(within=1)
        with pytest.raises(SipLocalError, match="no dialog"):
            await refer(ended, bob.agent.uri)
        with pytest.raises(SipLocalError, match="no dialog that could be replaced"):
            await refer(call, replaces=ended)
        await close(alice, bob, carol, poor)

    virtually(work)


def test_the_interlock_is_asked_for_the_target_and_by_the_one_who_calls_it() -> None:
    async def work(context: Context) -> None:
        alice, bob, carol = await three(context)
        call = await up(alice, bob)

        def refuse(uri: str) -> None:
            raise InterlockError(f"{uri} is not on the allow-list")

        alice.agent.routes.permit = refuse
        with pytest.raises(InterlockError):
            await refer(call, carol.agent.uri)
        with pytest.raises(InterlockError):
            await refer_outside(alice.agent, bob.agent.uri, carol.agent.uri)
        assert bob.referrals == []
        alice.agent.routes.permit = None
        bob.agent.routes.permit = refuse
        refused: list[InterlockError] = []

        def careful(referral: Referral) -> None:
            try:
                bob.agent.invite(str(referral.target), offer=OFFER)
            except InterlockError as error:
                refused.append(error)
                referral.reject()

        bob.agent.on_refer = careful
        with pytest.raises(SipLocalError, match="603"):
            await refer(call, carol.agent.uri)
        assert (len(refused), carol.taken) == (1, [])
        await close(alice, bob, carol)

    virtually(work)


def test_without_a_subscription_nothing_is_told() -> None:
    async def work(context: Context) -> None:
        alice, bob, carol = await three(context)
        call = await up(alice, bob)
        transfer = await refer(call, carol.agent.uri, headers=[("Refer-Sub", "false"), ("Supported", "norefersub")])
        await transfer.done(within=1)
        assert transfer.reason == "nothing is told (RFC 4488)"
        await asyncio.sleep(1)
        assert len(carol.taken) == 1
        assert [event for event in context.journal if event.data.get("method") == "NOTIFY"] == []
        await close(alice, bob, carol)

    virtually(work)


def test_two_transfers_of_one_call_are_told_apart_by_their_id() -> None:
    async def work(context: Context) -> None:
        alice, bob, carol = await three(context)
        call = await up(alice, bob)
        waiting: list[Referral] = []

        def later(referral: Referral) -> None:
            waiting.append(referral)
            referral.accept()

        bob.agent.on_refer = later
        first, second = await refer(call, carol.agent.uri), await refer(call, "sip:other@127.0.0.1")
        assert (first.cseq, second.cseq) == (2, 3)
        waiting[1].notify(404, "Not Found")
        waiting[1].notify(200, "too late")
        await asyncio.sleep(0.1)
        assert (first.is_over, second.is_over, second.status) == (False, True, 404)
        waiting[0].notify(200, "OK")
        await first.done(within=1)
        await close(alice, bob, carol)

    virtually(work)


def test_a_refer_outside_any_dialog_makes_one_of_its_own() -> None:
    async def work(context: Context) -> None:
        alice, bob, carol = await three(context)
        transfer = await refer_outside(alice.agent, bob.agent.uri, carol.agent.uri)
        await transfer.done(within=2)
        assert (statuses(context), transfer.status) == ([100, 180, 200], 200)
        assert carol.taken[0].request.get("referred-by") == f"<{alice.agent.uri}>"
        bob.agent.on_refer = None
        with pytest.raises(SipLocalError, match="603"):
            await refer_outside(alice.agent, bob.agent.uri, carol.agent.uri)
        assert alice.agent._usages == {}
        await close(alice, bob, carol)

    virtually(work)


def notify(peer: Peer, agent: UserAgent, call: Call, branch: str, cseq: int, event: str, body: bytes = b"") -> bytes:
    """A NOTIFY by hand within a call of the agent's."""
    lines = [f"Event: {event}", "Subscription-State: active;expires=60"]
    if body:
        lines += ["Content-Type: message/sipfrag", f"Content-Length: {len(body)}"]
    return peer.request("NOTIFY", agent, *lines, branch=branch, call_id=call.id, cseq=cseq, tag=call.local_tag) + body


def test_notifies_that_make_no_sense_are_refused_and_change_nothing() -> None:
    async def work(context: Context) -> None:
        agent = await UserAgent.open(context, "agent")
        peer = await Peer.open(context)
        call = agent.invite(f"sip:b@127.0.0.1:{peer.port.local[1]}", offer=OFFER)
        await asyncio.sleep(0.1)
        peer.answer(peer.requests("INVITE")[0], agent, 200, body=sdp.answer(OFFER, "127.0.0.1", 5000)[0])
        await call.answered(within=1)
        assert (await peer.ask(agent, notify(peer, agent, call, "a", 1, "refer"))).status == 481
        asking = asyncio.ensure_future(refer(call, "sip:c@127.0.0.1"))
        await asyncio.sleep(0.1)
        # It may outrun the answer to its REFER.
        assert (
            await peer.ask(agent, notify(peer, agent, call, "b", 2, "refer", b"SIP/2.0 100 Trying\r\n"))
        ).status == 200
        request = peer.requests("REFER")[0]
        assert (request.get("refer-to"), request.get("contact") is None) == ("<sip:c@127.0.0.1>", False)
        peer.answer(request, agent, 202)
        transfer = await asking
        for at, (event, body, due) in enumerate(
            (
                ("refer;id=99", b"SIP/2.0 200 OK\r\n", 481),
                ("presence", b"", 481),
                ("refer", b"INVITE sip:a@b SIP/2.0\r\n", 400),
                ("refer", b"nonsense", 400),
                ("refer", b"\r\n\r\n", 200),
                (f"refer;id={transfer.cseq}", b"SIP/2.0 183 Session Progress\r\nContact: <sip:x@y>\r\n", 200),
            )
        ):
            response = await peer.ask(agent, notify(peer, agent, call, f"n{at}", 3 + at, event, body))
            assert response.status == due, (event, body)
        assert (transfer.status, transfer.is_over) == (183, False)
        call.abandon("over")
        await agent.close()
        peer.port.close()

    virtually(work)


def test_what_a_refer_must_carry_is_asked_for() -> None:
    async def work(context: Context) -> None:
        bob = await Phone.open(context, "bob")
        peer = await Peer.open(context)
        for at, (lines, due) in enumerate(
            (
                ((), 400),
                (("Refer-To: <sip:a@b>", "Refer-To: <sip:c@d>"), 400),
                (("Refer-To: sip:",), 400),
                (("Refer-To: <sip:a@127.0.0.1:9>", "Require: norefersub"), 202),
                (("Refer-To: <sip:a@127.0.0.1:9>", "Require: multiple-refer"), 420),
            )
        ):
            response = await peer.ask(bob.agent, peer.request("REFER", bob.agent, *lines, branch=f"r{at}"))
            assert response.status == due, lines
        await asyncio.sleep(1)
        first = peer.requests("NOTIFY")[0]
        assert (first.get("event"), first.body) == ("refer;id=1", b"SIP/2.0 100 Trying\r\n")
        assert (first.get("subscription-state") or "").startswith("active;expires=")
        # Who says that it knows no such subscription is told nothing more.
        peer.answer(first, bob.agent, 481)
        await asyncio.sleep(0.1)
        for call in bob.placed:
            call.abandon("over")
        await asyncio.sleep(1)
        assert {request.cseq.number for request in peer.requests("NOTIFY")} == {1}
        await close(bob)
        peer.port.close()

    virtually(work)


# Replaces, as it comes


async def with_replaces(peer: Peer, agent: UserAgent, value: str, branch: str, *more: str, status: int) -> None:
    invite = peer.request("INVITE", agent, f"Replaces: {value}", *more, branch=branch, body=OFFER)
    assert (await peer.ask(agent, invite)).status == status, value


def test_replaces_finds_the_one_call_that_it_may_replace() -> None:
    async def work(context: Context) -> None:
        alice, bob = await Phone.open(context, "alice"), await Phone.open(context, "bob")
        peer = await Peer.open(context)
        call = await up(alice, bob)
        there = bob.taken[0]
        good = f"{call.id};to-tag={there.local_tag};from-tag={call.local_tag}"
        await with_replaces(peer, bob.agent, f"x{good}", "a", status=481)
        await with_replaces(peer, bob.agent, good.replace("from-tag=", "from-tag=x"), "b", status=481)
        await with_replaces(peer, bob.agent, good.replace("to-tag=", "to-tag=x"), "c", status=481)
        await with_replaces(peer, bob.agent, f"{good};early-only", "d", status=486)
        await with_replaces(peer, bob.agent, call.id, "e", status=400)
        await with_replaces(peer, bob.agent, "", "n", status=400)
        await with_replaces(peer, bob.agent, good, "f", f"Replaces: {good}", status=400)
        assert there.state is CallState.ANSWERED
        # A ringing call that came in may not be taken so (RFC 3891 §3); one that we place may.
        bob.agent.on_invite = bob.taken.append
        ringing = alice.agent.invite(bob.agent.uri, offer=OFFER)
        await asyncio.sleep(0.1)
        bob.taken[-1].ring()
        early = f"{ringing.id};to-tag={bob.taken[-1].local_tag};from-tag={ringing.local_tag}"
        await with_replaces(peer, bob.agent, early, "g", status=481)
        mirrored = f"{ringing.id};to-tag={ringing.local_tag};from-tag={bob.taken[-1].local_tag};early-only"
        await with_replaces(peer, alice.agent, mirrored, "h", status=200)
        await bob.taken[-1].ended(within=1)
        assert (ringing.state, bob.taken[-1].reason) == (CallState.ENDED, "cancelled")
        # Refused by the application, it leaves the call alone.
        bob.agent.on_invite = lambda new: new.reject(486)
        await with_replaces(peer, bob.agent, good, "i", status=486)
        assert there.state is CallState.ANSWERED
        bob.agent.on_invite = answering
        await with_replaces(peer, bob.agent, good, "j", "Require: replaces", status=200)
        await there.ended(within=1)
        for each in (*alice.agent.calls, *bob.agent.calls):
            each.abandon("over")
        await close(alice, bob)
        peer.port.close()

    virtually(work)


def test_who_does_not_know_replaces_takes_a_new_call_or_refuses_what_requires_it() -> None:
    async def work(context: Context) -> None:
        bob = await Phone.open(context, "bob", Abilities(replaces=False))
        alice = await Phone.open(context, "alice")
        peer = await Peer.open(context)
        call = await up(alice, bob)
        good = f"{call.id};to-tag={bob.taken[0].local_tag};from-tag={call.local_tag}"
        await with_replaces(peer, bob.agent, good, "a", "Require: replaces", status=420)
        await with_replaces(peer, bob.agent, good, "b", status=200)
        assert bob.taken[0].state is CallState.ANSWERED
        assert bob.taken[1].replaces is None
        for each in (*alice.agent.calls, *bob.agent.calls):
            each.abandon("over")
        await close(alice, bob)
        peer.port.close()

    virtually(work)
