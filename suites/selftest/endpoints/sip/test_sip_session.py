"""Offers after the first (RFC 3261 §14, RFC 3264 §8) and offers that come late, in virtual time."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from virtual_sip import OFFER, Peer, answering, network, virtually

from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.call import Call, CallState
from harness.endpoints.sip.incoming import IncomingCall
from harness.errors import SdpError, SipLocalError
from harness.protocols import sdp
from harness.protocols.sip.body import Part, multipart
from harness.protocols.sip.message import Request
from harness.transport.context import Context

ANSWER = sdp.answer(OFFER, "127.0.0.1", 5000)[0]


def hold(direction: str, version: int) -> bytes:
    return sdp.offer("127.0.0.1", 4000, direction=direction, version=version)


def answer_it(call: Call, offer: bytes) -> bytes:
    """Answers what is offered, and offers where nothing is."""
    return sdp.answer(offer, "127.0.0.1", 5000, version=2)[0] if offer else sdp.offer("127.0.0.1", 5002, version=3)


def refuse(call: Call, offer: bytes) -> bytes:
    raise SdpError("nothing that we speak")


async def established(context: Context) -> tuple[UserAgent, UserAgent, Call, IncomingCall]:
    taken: list[IncomingCall] = []

    def take(call: IncomingCall) -> None:
        taken.append(call)
        answering(call)
        call.on_offer(answer_it)

    switch = await UserAgent.open(context, "switch", on_invite=take)
    trunk = await UserAgent.open(context, "trunk")
    call = trunk.invite(switch.uri, offer=OFFER)
    call.on_offer(answer_it)
    await call.answered(within=1)
    await asyncio.sleep(0.1)
    return trunk, switch, call, taken[0]


async def raw_call(context: Context, agent: UserAgent) -> tuple[Peer, Call, Request]:
    """A call of the agent's that a peer driven by hand has answered."""
    peer = await Peer.open(context)
    call = agent.invite(f"sip:b@127.0.0.1:{peer.port.local[1]}", offer=OFFER)
    call.on_offer(answer_it)
    await asyncio.sleep(0.1)
    (invite,) = peer.requests("INVITE")
    peer.answer(invite, agent, 200, body=ANSWER)
    await call.answered(within=1)
    await asyncio.sleep(0.1)
    return peer, call, invite


def test_either_side_holds_and_resumes_and_both_see_what_was_agreed() -> None:
    async def work(context: Context) -> None:
        trunk, switch, call, there = await established(context)
        for near, far in ((call, there), (there, call)):
            for direction, answered in (
                ("sendonly", b"a=recvonly"),
                ("inactive", b"a=inactive"),
                ("sendrecv", b"a=sendrecv"),
            ):
                offer = hold(direction, 5)
                assert answered in await near.session.offer(offer, within=1)
                assert (near.local_sdp, far.remote_sdp) == (offer, offer)
                assert near.remote_sdp == far.local_sdp
        call.hang_up()
        await there.ended(within=1)
        await trunk.close()
        await switch.close()

    virtually(work)


def test_a_re_invite_without_a_description_asks_the_peer_to_offer() -> None:
    async def work(context: Context) -> None:
        trunk, switch, call, there = await established(context)
        offered = await call.session.offer(b"", within=1)
        assert sdp.parse(offered).media[0].port == 5002
        await asyncio.sleep(0.1)
        assert call.remote_sdp == there.local_sdp == offered
        assert there.remote_sdp == call.local_sdp
        assert sdp.parse(call.local_sdp).media[0].port == 5000
        # What the peer offers can't be taken: the 2xx is acknowledged, and the call ended (§13.2.1).
        call.on_offer(refuse)
        await call.session.offer(b"", within=1)
        await call.ended(within=1)
        await there.ended(within=1)
        await trunk.close()
        await switch.close()

    virtually(work)


def test_offers_that_meet_are_both_made_in_the_end_the_call_id_s_owner_last() -> None:
    async def work(context: Context) -> None:
        trunk, switch, call, there = await established(context)
        ours, theirs = hold("sendonly", 7), hold("inactive", 8)
        answers = await asyncio.gather(call.session.offer(ours, within=10), there.session.offer(theirs, within=10))
        assert [b"a=recvonly" in answers[0], b"a=inactive" in answers[1]] == [True, True]
        refused = [
            event for event in context.journal if event.kind == "sip.received" and event.data.get("status") == 491
        ]
        assert {event.source for event in refused} == {"trunk", "switch"}
        assert (there.remote_sdp, call.local_sdp) == (ours, ours), "the owner's came last (§14.1: 2.1 to 4 s)"
        with pytest.raises(SipLocalError, match="has an offer under way already"):
            await asyncio.gather(call.session.offer(ours, within=1), call.session.offer(ours, within=1))
        await trunk.close()
        await switch.close()

    for seed in range(4):
        virtually(work, seed)


def test_a_peer_that_always_answers_491_is_tried_a_few_times_only() -> None:
    async def work(context: Context) -> None:
        agent = await UserAgent.open(context, "agent")
        peer, call, _ = await raw_call(context, agent)
        asking = asyncio.ensure_future(call.session.offer(hold("sendonly", 2), within=60))
        seen = 1
        while not asking.done():
            await asyncio.sleep(0.05)
            for request in peer.requests("INVITE")[seen:]:
                seen += 1
                peer.answer(request, agent, 491)
        with pytest.raises(SipLocalError, match="491 to a new offer, 4 times"):
            await asking
        times = [
            event.time for event in context.journal if event.data.get("method") == "INVITE" and event.kind == "sip.sent"
        ]
        waits = [later - earlier for earlier, later in pairwise(times[1:])]
        assert all(2.1 <= wait <= 4.2 for wait in waits)
        assert call.state is CallState.ANSWERED
        await end_raw(call, peer, agent)

    virtually(work)


async def end_raw(call: Call, peer: Peer, agent: UserAgent) -> None:
    call.hang_up()
    await asyncio.sleep(0.1)
    peer.answer(peer.requests("BYE")[-1], agent, 200)
    await call.ended(within=1)
    await agent.close()
    peer.port.close()


@pytest.mark.parametrize("provisional", [False, True])
def test_a_re_invite_that_nobody_answers_in_time_is_cancelled(provisional: bool) -> None:
    async def work(context: Context) -> None:
        agent = await UserAgent.open(context, "agent")
        peer, call, _ = await raw_call(context, agent)
        asking = asyncio.ensure_future(call.session.offer(hold("sendonly", 2), within=2))
        await asyncio.sleep(0.1)
        again = peer.requests("INVITE")[-1]
        if provisional:
            peer.answer(again, agent, 100)
        with pytest.raises(SipLocalError, match="no answer to a new offer within 2 s"):
            await asking
        await asyncio.sleep(0.1)
        assert len(peer.requests("CANCEL")) == provisional
        if not provisional:
            peer.answer(again, agent, 180)
            await asyncio.sleep(0.1)
            assert len(peer.requests("CANCEL")) == 1, "it waits for a provisional response (§9.1)"
        (cancel,) = peer.requests("CANCEL")
        assert cancel.via.branch == again.via.branch
        peer.answer(cancel, agent, 200)
        peer.answer(again, agent, 487)
        await asyncio.sleep(0.1)
        assert peer.requests("ACK")[-1].cseq.number == again.cseq.number
        assert call.state is CallState.ANSWERED
        assert call.local_sdp == OFFER
        # One that is answered all the same counts.
        asking = asyncio.ensure_future(call.session.offer(hold("sendonly", 3), within=1))
        await asyncio.gather(asking, return_exceptions=True)
        peer.answer(peer.requests("INVITE")[-1], agent, 200, body=ANSWER)
        await asyncio.sleep(0.1)
        assert call.local_sdp == hold("sendonly", 3)
        await end_raw(call, peer, agent)

    virtually(work)


@pytest.mark.parametrize("status", [481, 408, 0])
def test_a_peer_that_knows_the_call_no_more_ends_it(status: int) -> None:
    async def work(context: Context) -> None:
        agent = await UserAgent.open(context, "agent")
        for method in ("INVITE", "INFO"):
            peer, call, _ = await raw_call(context, agent)
            doing = (
                call.session.offer(hold("sendonly", 2), within=40)
                if method == "INVITE"
                else call.send("INFO", within=40)
            )
            asking = asyncio.ensure_future(doing)
            await asyncio.sleep(0.1)
            if status:
                peer.answer(peer.requests(method)[-1], agent, status)
            (found,) = await asyncio.gather(asking, return_exceptions=True)
            assert isinstance(found, SipLocalError) or method == "INFO"
            await asyncio.sleep(0.1)
            peer.answer(peer.requests("BYE")[-1], agent, 481)
            await call.ended(within=1)
            assert call.reason.startswith(str(status) if status else "no answer")
            peer.port.close()
        await agent.close()

    virtually(work)


def test_a_peer_s_re_invite_meets_what_is_under_way() -> None:
    async def work(context: Context) -> None:
        taken: list[IncomingCall] = []
        agent = await UserAgent.open(context, "agent", on_invite=taken.append)
        peer = await Peer.open(context)

        async def reinvite(call_id: str, tag: str, cseq: int, body: bytes = OFFER) -> int:
            data = peer.request(
                "INVITE", agent, branch=f"{call_id}-{cseq}", call_id=call_id, cseq=cseq, tag=tag, body=body
            )
            return (await peer.ask(agent, data)).status

        def acknowledge(call_id: str, tag: str, cseq: int, body: bytes = b"") -> None:
            data = peer.request(
                "ACK", agent, branch=f"k{call_id}{cseq}", call_id=call_id, cseq=cseq, tag=tag, body=body
            )
            peer.port.send(data, agent.address)

        # The first INVITE is unanswered (§14.2), then answered with an offer that is not.
        peer.port.send(peer.request("INVITE", agent, branch="a"), agent.address)
        await asyncio.sleep(0.1)
        tag = taken[0].local_tag
        assert await reinvite("a", tag, 2) == 500
        taken[0].answer(OFFER)
        assert await reinvite("a", tag, 3) == 491
        acknowledge("a", tag, 1, ANSWER)
        await asyncio.sleep(0.1)
        assert taken[0].remote_sdp == ANSWER
        assert await reinvite("a", tag, 4) == 200
        # The ACK of that is lost, and the next re-INVITE shows that the 200 was not (RFC 5407 §3.1.5).
        assert await reinvite("a", tag, 5) == 200
        acknowledge("a", tag, 5)
        await asyncio.sleep(40)
        assert taken[0].state is CallState.ANSWERED
        # An offer that can't be read, or is no description, is refused and changes nothing.
        taken[0].on_offer(refuse)
        assert await reinvite("a", tag, 6, b"v=0\r\n") == 488
        text = peer.request(
            "INVITE", agent, "Content-Type: text/plain", "Content-Length: 2", branch="t", call_id="a", cseq=7, tag=tag
        )
        assert (await peer.ask(agent, text + b"hi")).status == 415
        assert taken[0].state is CallState.ANSWERED
        # Our own is under way.
        asking = asyncio.ensure_future(taken[0].session.offer(hold("sendonly", 2), within=1))
        await asyncio.sleep(0.1)
        assert await reinvite("a", tag, 8) == 491
        await asyncio.gather(asking, return_exceptions=True)
        # Once we are ending it, there is nothing to change any more.
        taken[0].hang_up()
        assert await reinvite("a", tag, 9) == 481
        taken[0].abandon("over")
        await agent.close()
        peer.port.close()

    virtually(work)


def test_a_delayed_offer_is_answered_in_the_ack_by_us_and_to_us() -> None:
    async def work(context: Context) -> None:
        taken: list[IncomingCall] = []
        switch = await UserAgent.open(context, "switch", on_invite=taken.append)
        trunk = await UserAgent.open(context, "trunk")
        confirmed: list[str] = []
        call = trunk.invite(switch.uri)
        call.on_offer(answer_it)
        await asyncio.sleep(0.1)
        taken[0].on_change(lambda _, what: confirmed.append(what))
        taken[0].ring()
        taken[0].answer(OFFER)
        await call.answered(within=1)
        await asyncio.sleep(0.1)
        assert confirmed == ["ringing", "answered", "confirmed"]
        assert call.remote_sdp == OFFER
        assert call.local_sdp == taken[0].remote_sdp != b""
        assert sdp.negotiated(OFFER, taken[0].remote_sdp).port == 5000
        call.hang_up()
        await call.ended(within=1)

        # An offer that we can't answer: ACK without a description, then BYE.
        call = trunk.invite(switch.uri)
        call.on_offer(refuse)
        await asyncio.sleep(0.1)
        taken[1].answer(OFFER)
        await call.ended(within=1)
        await taken[1].ended(within=1)
        assert context.journal.find("trunk", "sip.offer-refused") is not None
        methods = [
            event.data["method"] for event in context.journal if event.kind == "sip.sent" and event.data.get("method")
        ]
        assert methods[-2:].count("BYE") >= 1
        await trunk.close()
        await switch.close()

    virtually(work)


def test_an_offer_that_nobody_makes_or_answers_ends_the_call() -> None:
    async def work(context: Context) -> None:
        taken: list[IncomingCall] = []
        agent = await UserAgent.open(context, "agent", on_invite=taken.append)
        peer = await Peer.open(context)
        # Our 200 offers, and the ACK brings no answer.
        peer.port.send(peer.request("INVITE", agent, branch="a"), agent.address)
        await asyncio.sleep(0.1)
        taken[0].answer(OFFER)
        await asyncio.sleep(0.1)
        ack = peer.request("ACK", agent, branch="b", call_id="a", tag=taken[0].local_tag)
        peer.port.send(ack, agent.address)
        await asyncio.sleep(0.1)
        peer.answer(peer.requests("BYE")[-1], agent, 200)
        await taken[0].ended(within=1)
        assert context.journal.find("agent", "sip.no-answer") is not None
        # We leave the offer to the peer, and its 200 makes none.
        call = agent.invite(f"sip:b@127.0.0.1:{peer.port.local[1]}")
        await asyncio.sleep(0.1)
        peer.answer(peer.requests("INVITE")[-1], agent, 200)
        await asyncio.sleep(0.1)
        assert [request.method for request in peer.got[-2:] if isinstance(request, Request)] == ["ACK", "BYE"]
        peer.answer(peer.requests("BYE")[-1], agent, 200)
        await call.ended(within=1)
        assert context.journal.find("agent", "sip.no-offer") is not None
        await agent.close()
        peer.port.close()

    virtually(work)


def test_an_offer_within_a_multipart_is_found_and_answered() -> None:
    async def work(context: Context) -> None:
        taken: list[IncomingCall] = []

        def take(call: IncomingCall) -> None:
            taken.append(call)
            answering(call)

        switch = await UserAgent.open(context, "switch", on_invite=take)
        trunk = await UserAgent.open(context, "trunk")
        location = Part("application/pidf+xml", b"<presence/>", {"content-id": "<here@example>"})
        content = multipart([Part("application/sdp", OFFER), location], "bound")
        call = trunk.invite(switch.uri, content=content, headers=[("Geolocation", "<cid:here@example>")])
        assert (call.local_sdp, call.offered) == (OFFER, True)
        await call.answered(within=1)
        assert taken[0].remote_sdp == OFFER
        assert sdp.negotiated(call.local_sdp, call.remote_sdp).port == 5000
        call.hang_up()
        await call.ended(within=1)
        # Without a description in it, it is not what an INVITE may carry, unless the part is optional.
        needed = trunk.invite(switch.uri, content=multipart([location], "bound"))
        with pytest.raises(SipLocalError, match="415"):
            await needed.answered(within=1)
        optional = Part("application/pidf+xml", b"<presence/>", {"content-disposition": "render;handling=optional"})
        call = trunk.invite(switch.uri, content=multipart([optional], "bound"))
        call.on_offer(answer_it)
        await call.answered(within=1)
        assert call.remote_sdp == OFFER, "there was no offer, so the 200 made one"
        await trunk.close()
        await switch.close()

    virtually(work)


@pytest.mark.parametrize("seed", range(4))
def test_holding_survives_a_network_that_loses_and_doubles(seed: int) -> None:
    async def work(context: Context) -> None:
        trunk, switch, call, there = await established(context)
        network(loss=0.25, duplicate=0.2, jitter_s=0.1)
        for version in range(10, 16):
            offer = hold("sendonly" if version % 2 else "sendrecv", version)
            await call.session.offer(offer, within=33)
            assert there.remote_sdp == offer
            await asyncio.sleep(5)
        network()
        call.hang_up()
        await there.ended(within=33)
        await asyncio.sleep(70)
        assert (len(trunk.endpoint), len(switch.endpoint)) == (0, 0)
        await trunk.close()
        await switch.close()

    virtually(work, seed)


def test_what_is_told_of_the_media_goes_into_bye_and_its_answer() -> None:
    async def work(context: Context) -> None:
        trunk, switch, call, there = await established(context)
        call.bye_headers = lambda: [("P-RTP-Stat", "PS=10,OS=1600,PR=9,OR=1440,PL=1,JI=3")]
        there.bye_headers = lambda: [("P-RTP-Stat", "PS=9,OS=1440,PR=10,OR=1600,PL=0,JI=1")]
        call.hang_up([("Reason", 'Q.850;cause=16;text="Normal call clearing"')])
        await call.ended(within=1)
        await there.ended(within=1)
        assert there.ended_by is not None and call.ended_by is not None
        assert there.ended_by.get("P-RTP-Stat") == "PS=10,OS=1600,PR=9,OR=1440,PL=1,JI=3"
        assert call.ended_by.get("p-rtp-stat") == "PS=9,OS=1440,PR=10,OR=1600,PL=0,JI=1"
        assert there.reason == "Normal call clearing"
        await trunk.close()
        await switch.close()

    virtually(work)
