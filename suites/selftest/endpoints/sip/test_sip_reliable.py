"""Reliable provisional responses (RFC 3262) and UPDATE (RFC 3311) before and after the answer, in virtual time."""

from __future__ import annotations

import asyncio

import pytest
from virtual_sip import OFFER, Peer, answering, virtually

from harness.endpoints.sip.abilities import METHODS_SERVED, Abilities, Reliable
from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.call import Call, CallState
from harness.endpoints.sip.incoming import IncomingCall
from harness.endpoints.sip.outgoing import OutgoingCall
from harness.endpoints.sip.reliable import MAX_WAITING
from harness.errors import SdpError, SipLocalError
from harness.protocols import sdp
from harness.protocols.sip.message import Response
from harness.transport.context import Context

ANSWER = sdp.answer(OFFER, "127.0.0.1", 5000)[0]
OTHER = sdp.offer("127.0.0.1", 6000, version=2)
RELIABLY = "Supported: 100rel"


def methods(context: Context, source: str) -> list[str]:
    """The methods that an agent sent, in their order."""
    return [
        event.data["method"]
        for event in context.journal
        if event.kind == "sip.sent" and "method" in event.data and event.source == source
    ]


def refuse(call: Call, offer: bytes) -> bytes:
    raise SdpError("nothing that we speak")


def answer_later(call: Call, offer: bytes) -> bytes:
    """Answers a later offer; offers where there is none."""
    return sdp.answer(offer, "127.0.0.1", 7000, version=2)[0] if offer else OTHER


async def two(context: Context, ours: Abilities, theirs: Abilities) -> tuple[UserAgent, UserAgent, list[IncomingCall]]:
    """A trunk and a switch with these abilities, and the calls that the switch got."""
    taken: list[IncomingCall] = []
    switch = await UserAgent.open(context, "switch", on_invite=taken.append, abilities=theirs)
    return await UserAgent.open(context, "trunk", abilities=ours), switch, taken


async def ring(
    trunk: UserAgent, switch: UserAgent, taken: list[IncomingCall], offer: bytes = OFFER
) -> tuple[OutgoingCall, IncomingCall]:
    """Place a call and return both its ends as soon as it is there."""
    call = trunk.invite(switch.uri, offer=offer)
    await asyncio.sleep(0.1)
    return call, taken[-1]


def test_the_answer_in_a_reliable_183_holds_and_the_200_describes_nothing() -> None:
    async def work(context: Context) -> None:
        trunk, switch, taken = await two(context, Abilities(), Abilities())
        call, there = await ring(trunk, switch, taken)
        there.ring(183, sdp=ANSWER)
        await asyncio.sleep(0.1)
        assert call.remote_sdp == ANSWER
        assert methods(context, "trunk") == ["INVITE", "PRACK"]
        with pytest.raises(SipLocalError, match="described reliably already"):
            there.answer(OTHER)
        with pytest.raises(SipLocalError, match="described reliably already"):
            there.ring(183, sdp=OTHER)
        there.ring(180)
        there.answer(ANSWER)
        await call.answered(within=1)
        assert (call.remote_sdp, there.local_sdp) == (ANSWER, ANSWER)
        call.hang_up()
        await call.ended(within=1)
        assert context.journal.find("trunk", "sip.prack-refused") is None
        await trunk.close()
        await switch.close()

    virtually(work)


def test_a_200_waits_for_the_prack_of_a_session_description_and_not_for_others() -> None:
    async def work(context: Context) -> None:
        taken: list[IncomingCall] = []
        switch = await UserAgent.open(context, "switch", on_invite=taken.append)
        peer = await Peer.open(context)
        peer.port.send(peer.request("INVITE", switch, RELIABLY, branch="a", body=OFFER), switch.address)
        await asyncio.sleep(0.1)
        taken[0].ring(183, sdp=ANSWER)
        taken[0].answer(b"")
        with pytest.raises(SipLocalError, match="it is being answered"):
            taken[0].ring()
        await asyncio.sleep(0.1)
        got = peer.responses("INVITE")
        assert [response.status for response in got] == [100, 183]
        reliable = got[-1]
        assert (reliable.options("require"), reliable.body) == ({"100rel"}, ANSWER)
        rack = f"RAck: {reliable.number('rseq')} 1 INVITE"
        prack = peer.request("PRACK", switch, rack, branch="p", call_id="a", cseq=2, tag=taken[0].local_tag)
        assert (await peer.ask(switch, prack)).status == 200
        final = peer.responses("INVITE")[-1]
        assert (final.status, final.body) == (200, b"")
        assert taken[0].state is CallState.ANSWERED
        again = prack.replace(b"bKp", b"bKq").replace(b"CSeq: 2", b"CSeq: 3")
        assert (await peer.ask(switch, again)).status == 481, "it was acknowledged already"

        # A 180 without a description does not hold the 200 up, and its PRACK is taken even after it (RFC 3262 §3).
        peer.port.send(peer.request("INVITE", switch, RELIABLY, branch="b", body=OFFER), switch.address)
        await asyncio.sleep(0.1)
        taken[1].ring(180, reliable=True)
        taken[1].answer(ANSWER)
        await asyncio.sleep(0.1)
        last = peer.responses("INVITE")[-2:]
        assert [response.status for response in last] == [180, 200]
        rack = f"RAck: {last[0].number('rseq')} 1 INVITE"
        prack = peer.request("PRACK", switch, rack, branch="r", call_id="b", cseq=2, tag=taken[1].local_tag)
        assert (await peer.ask(switch, prack)).status == 200
        await switch.close()
        peer.port.close()

    virtually(work)


def test_it_is_repeated_until_its_prack_comes_and_refused_with_504_when_none_does() -> None:
    async def work(context: Context) -> None:
        taken: list[IncomingCall] = []
        switch = await UserAgent.open(context, "switch", on_invite=taken.append)
        peer = await Peer.open(context)
        peer.port.send(peer.request("INVITE", switch, RELIABLY, branch="a", body=OFFER), switch.address)
        await asyncio.sleep(0.1)
        taken[0].ring(183, sdp=ANSWER)
        taken[0].answer(b"")
        await asyncio.sleep(31.8)
        times = [event.time for event in context.journal if event.kind == "sip.sent" and event.data["status"] == 183]
        # T1, doubled without end: 0.5, 1.5, 3.5, 7.5, 15.5, 31.5 s after the first (RFC 3262 §3).
        assert [round(at - times[0], 1) for at in times] == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
        await asyncio.sleep(2)
        assert peer.responses("INVITE")[-1].status == 504
        assert taken[0].is_over
        assert context.journal.find("switch", "sip.no-prack") is not None
        await switch.close()
        peer.port.close()

    virtually(work)


def test_several_go_out_one_after_the_other() -> None:
    async def work(context: Context) -> None:
        trunk, switch, taken = await two(context, Abilities(), Abilities(reliable=Reliable.REQUIRED))
        call, there = await ring(trunk, switch, taken)
        there.ring(181)
        there.ring(183, sdp=ANSWER)
        there.ring(180)
        await asyncio.sleep(0.1)
        assert methods(context, "trunk") == ["INVITE", "PRACK", "PRACK", "PRACK"]
        numbers = [event.data["cseq"] for event in context.journal if event.data.get("method") == "PRACK"]
        assert numbers[0] == "2 PRACK"
        there.answer(ANSWER)
        await call.answered(within=1)
        _, other = await ring(trunk, switch, taken)
        trunk.endpoint.close()  # no PRACK comes any more
        for _ in range(MAX_WAITING + 1):
            other.ring(182)
        with pytest.raises(SipLocalError, match=f"{MAX_WAITING} provisional responses wait"):
            other.ring(182)
        await switch.close()

    virtually(work)


def test_the_peers_are_taken_in_order_once_and_for_each_fork() -> None:
    async def work(context: Context) -> None:
        trunk = await UserAgent.open(context, "trunk")
        peer = await Peer.open(context)
        host, port = peer.port.local
        call = trunk.invite(f"sip:b@{host}:{port}", offer=OFFER)
        await asyncio.sleep(0.1)
        (invite,) = peer.requests("INVITE")

        def reliable(tag: str, number: int) -> None:
            headers = [("Contact", f"<sip:{tag}@{host}:{port}>"), ("Require", "100rel"), ("RSeq", str(number))]
            peer.port.send(bytes(invite.response(183, to_tag=tag, headers=headers)), trunk.address)

        for tag, number in (("x", 7), ("x", 7), ("x", 9), ("y", 100), ("x", 8), ("x", 9), ("y", 101), ("x", 8)):
            reliable(tag, number)
            await asyncio.sleep(0.1)
        pracks = peer.requests("PRACK")
        first = {(prack.to_tag, prack.get("rack")): prack for prack in pracks}
        assert list(first) == [
            ("x", "7 1 INVITE"),
            ("y", "100 1 INVITE"),
            ("x", "8 1 INVITE"),
            ("x", "9 1 INVITE"),
            ("y", "101 1 INVITE"),
        ]
        assert first["y", "100 1 INVITE"].uri_text == f"sip:y@{host}:{port}"
        for prack in first.values():
            peer.port.send(bytes(prack.response(200)), trunk.address)
        assert call.dialog is not None
        assert set(call.early) == {"x", "y"}
        # One without RSeq can't be acknowledged, and is not taken for more than it is.
        headers = [("Contact", f"<sip:x@{host}:{port}>"), ("Require", "100rel")]
        peer.port.send(bytes(invite.response(180, to_tag="x", headers=headers)), trunk.address)
        await asyncio.sleep(0.1)
        assert call.state is CallState.INVITING
        call.abandon("over")
        await trunk.close()
        peer.port.close()

    virtually(work)


def test_a_delayed_offer_comes_in_the_183_and_is_answered_by_the_prack() -> None:
    async def work(context: Context) -> None:
        trunk, switch, taken = await two(context, Abilities(), Abilities())
        call = trunk.invite(switch.uri)
        call.on_offer(lambda call, offer: sdp.answer(offer, "127.0.0.1", 4000)[0])
        await asyncio.sleep(0.1)
        there = taken[0]
        assert (there.remote_sdp, there.offered) == (b"", False)
        there.ring(183, sdp=OFFER)
        await asyncio.sleep(0.1)
        assert sdp.negotiated(there.local_sdp, there.remote_sdp).port == 4000
        there.answer(b"")
        await call.answered(within=1)
        assert call.remote_sdp == OFFER
        assert call.local_sdp == there.remote_sdp
        there.hang_up()
        await call.ended(within=1)

        # The same, where the offer can't be answered: the call ends, on both sides.
        call = trunk.invite(switch.uri)
        call.on_offer(refuse)
        await asyncio.sleep(0.1)
        taken[1].ring(183, sdp=OFFER)
        await call.ended(within=1)
        await taken[1].ended(within=1)
        assert call.status in (487, 488)
        await trunk.close()
        await switch.close()

    virtually(work)


def test_an_offer_in_a_prack_is_answered_in_its_200_or_refused() -> None:
    async def work(context: Context) -> None:
        taken: list[IncomingCall] = []
        switch = await UserAgent.open(context, "switch", on_invite=taken.append)
        peer = await Peer.open(context)
        peer.port.send(peer.request("INVITE", switch, RELIABLY, branch="a", body=OFFER), switch.address)
        await asyncio.sleep(0.1)
        there = taken[0]
        there.on_offer(answer_later)
        there.ring(183, sdp=ANSWER)
        await asyncio.sleep(0.1)
        rack = f"RAck: {peer.responses('INVITE')[-1].number('rseq')} 1 INVITE"
        prack = peer.request("PRACK", switch, rack, branch="p", call_id="a", cseq=2, tag=there.local_tag, body=OTHER)
        answered = await peer.ask(switch, prack)
        assert answered.status == 200
        assert sdp.negotiated(OTHER, answered.body).port == 7000
        assert there.remote_sdp == OTHER
        there.on_offer(refuse)
        there.ring(180, reliable=True)
        await asyncio.sleep(0.1)
        rack = f"RAck: {peer.responses('INVITE')[-1].number('rseq')} 1 INVITE"
        prack = peer.request("PRACK", switch, rack, branch="q", call_id="a", cseq=3, tag=there.local_tag, body=OTHER)
        assert (await peer.ask(switch, prack)).status == 488
        assert there.state is CallState.RINGING
        bad = peer.request("PRACK", switch, "RAck: 1 INVITE", branch="r", call_id="a", cseq=4, tag=there.local_tag)
        assert (await peer.ask(switch, bad)).status == 400
        there.hang_up()
        await switch.close()
        peer.port.close()

    virtually(work)


def test_a_prack_that_does_not_answer_our_offer_ends_the_call() -> None:
    async def work(context: Context) -> None:
        taken: list[IncomingCall] = []
        switch = await UserAgent.open(context, "switch", on_invite=taken.append)
        peer = await Peer.open(context)
        peer.port.send(peer.request("INVITE", switch, RELIABLY, branch="a"), switch.address)
        await asyncio.sleep(0.1)
        taken[0].ring(183, sdp=OFFER)
        await asyncio.sleep(0.1)
        rack = f"RAck: {peer.responses('INVITE')[-1].number('rseq')} 1 INVITE"
        prack = peer.request("PRACK", switch, rack, branch="p", call_id="a", cseq=2, tag=taken[0].local_tag)
        assert (await peer.ask(switch, prack)).status == 200
        assert peer.responses("INVITE")[-1].status == 488
        assert taken[0].is_over
        assert context.journal.find("switch", "sip.no-answer") is not None
        await switch.close()
        peer.port.close()

    virtually(work)


@pytest.mark.parametrize(
    ("ours", "theirs", "status", "pracks"),
    [
        (Reliable.OFF, Reliable.SUPPORTED, 200, 0),
        (Reliable.SUPPORTED, Reliable.OFF, 200, 0),
        (Reliable.OFF, Reliable.REQUIRED, 200, 0),
        (Reliable.REQUIRED, Reliable.SUPPORTED, 200, 2),
        (Reliable.SUPPORTED, Reliable.REQUIRED, 200, 2),
        (Reliable.REQUIRED, Reliable.OFF, 420, 0),
    ],
)
def test_who_lacks_the_extension_really_lacks_it(ours: Reliable, theirs: Reliable, status: int, pracks: int) -> None:
    async def work(context: Context) -> None:
        trunk, switch, _ = await two(context, Abilities(reliable=ours), Abilities(reliable=theirs))
        switch.on_invite = _ring_and_answer
        call = trunk.invite(switch.uri, offer=OFFER)
        if status == 200:
            await call.answered(within=2)
        else:
            with pytest.raises(SipLocalError, match=str(status)):
                await call.answered(within=2)
            assert call.ended_by is not None and call.ended_by.get("unsupported") == "100rel"
        assert methods(context, "trunk").count("PRACK") == pracks
        await trunk.close()
        await switch.close()

    def _ring_and_answer(call: IncomingCall) -> None:
        call.ring(180)
        call.ring(183, sdp=ANSWER)
        call.answer(ANSWER)

    virtually(work)


def test_one_who_does_not_know_100rel_leaves_a_reliable_response_unacknowledged() -> None:
    async def work(context: Context) -> None:
        trunk = await UserAgent.open(context, "trunk", abilities=Abilities(reliable=Reliable.OFF))
        peer = await Peer.open(context)
        call = trunk.invite(f"sip:b@127.0.0.1:{peer.port.local[1]}", offer=OFFER)
        await asyncio.sleep(0.1)
        (invite,) = peer.requests("INVITE")
        assert "100rel" not in (invite.get("supported") or "")
        peer.answer(invite, trunk, 180, "Require: 100rel", "RSeq: 1")
        await call.ringing(within=1)
        await asyncio.sleep(1)
        assert peer.requests("PRACK") == []
        with pytest.raises(SipLocalError, match="PRACK is not served"):
            Abilities(methods=tuple(name for name in METHODS_SERVED if name != "PRACK"), reliable=Reliable.REQUIRED)
        call.abandon("over")
        await trunk.close()
        peer.port.close()

    virtually(work)


def test_a_caller_that_can_t_have_it_reliably_is_not_promised_it() -> None:
    async def work(context: Context) -> None:
        trunk, switch, taken = await two(context, Abilities(reliable=Reliable.OFF), Abilities())
        call, there = await ring(trunk, switch, taken)
        with pytest.raises(SipLocalError, match="does not support reliable"):
            there.ring(reliable=True)
        there.ring(reliable=False)
        await call.ringing(within=1)
        call.hang_up()
        await call.ended(within=1)
        await trunk.close()
        await switch.close()

    virtually(work)


def test_update_changes_the_session_before_the_answer_and_after_it() -> None:
    async def work(context: Context) -> None:
        trunk, switch, taken = await two(context, Abilities(), Abilities())
        call, there = await ring(trunk, switch, taken)
        for end in (call, there):
            end.on_offer(answer_later)
        there.ring(180, reliable=False)
        await call.ringing(within=1)
        with pytest.raises(SipLocalError, match="has an offer under way already"):
            await call.session.offer(OTHER, within=1, method="UPDATE")
        there.ring(183, sdp=ANSWER)
        await asyncio.sleep(0.1)
        assert sdp.negotiated(OTHER, await call.session.offer(OTHER, within=1, method="UPDATE")).port == 7000
        assert (there.remote_sdp, call.local_sdp) == (OTHER, OTHER)
        assert sdp.negotiated(OFFER, await there.session.offer(OFFER, within=1, method="UPDATE")).port == 7000
        there.answer(b"")
        await call.answered(within=1)
        assert await there.session.offer(b"", within=1, method="UPDATE") == b""
        assert sdp.negotiated(OTHER, await there.session.offer(OTHER, within=1, method="UPDATE")).port == 7000
        assert call.remote_sdp == OTHER
        call.on_offer(refuse)
        with pytest.raises(SipLocalError, match="488"):
            await there.session.offer(OFFER, within=1, method="UPDATE")
        assert (call.remote_sdp, there.local_sdp) == (OTHER, OTHER), "a refused offer changes nothing"
        there.hang_up()
        await call.ended(within=1)
        with pytest.raises(SipLocalError, match="can't be offered a new session while it is ended"):
            await call.session.offer(OTHER, within=1, method="UPDATE")
        await trunk.close()
        await switch.close()

    virtually(work)


def test_an_update_that_meets_an_open_offer_is_told_to_come_later() -> None:
    async def work(context: Context) -> None:
        taken: list[IncomingCall] = []
        agent = await UserAgent.open(context, "agent", on_invite=taken.append)
        peer = await Peer.open(context)

        async def update(call_id: str, tag: str, cseq: int) -> Response:
            data = peer.request(
                "UPDATE", agent, branch=f"{call_id}{cseq}", call_id=call_id, cseq=cseq, tag=tag, body=OTHER
            )
            return await peer.ask(agent, data)

        # Theirs is open: their INVITE's offer is unanswered (RFC 3311 §5.2).
        peer.port.send(peer.request("INVITE", agent, RELIABLY, branch="a", body=OFFER), agent.address)
        await asyncio.sleep(0.1)
        taken[0].ring()
        refused = await update("a", taken[0].local_tag, 2)
        assert (refused.status, 0 <= (refused.number("retry-after") or 0) <= 10) == (500, True)
        # Ours is open: in a 183 to an INVITE without one.
        peer.port.send(peer.request("INVITE", agent, RELIABLY, branch="b"), agent.address)
        await asyncio.sleep(0.1)
        taken[1].ring(183, sdp=OFFER)
        assert (await update("b", taken[1].local_tag, 2)).status == 491
        # Ours is open: in the 200 to an INVITE without one.
        peer.port.send(peer.request("INVITE", agent, branch="c"), agent.address)
        await asyncio.sleep(0.1)
        taken[2].answer(OFFER)
        assert (await update("c", taken[2].local_tag, 2)).status == 491
        # Ours is open: our INVITE's.
        call = agent.invite(f"sip:b@127.0.0.1:{peer.port.local[1]}", offer=OFFER)
        await asyncio.sleep(0.1)
        peer.answer(peer.requests("INVITE")[-1], agent, 180)
        await call.ringing(within=1)
        data = peer.request("UPDATE", agent, branch="d", call_id=call.id, tag=call.local_tag, body=OTHER)
        assert (await peer.ask(agent, data)).status == 491
        call.abandon("over")
        await agent.close()
        peer.port.close()

    virtually(work)


def test_without_update_it_is_405_and_not_told() -> None:
    async def work(context: Context) -> None:
        poor = Abilities(methods=tuple(name for name in METHODS_SERVED if name != "UPDATE"))
        trunk, switch, _ = await two(context, Abilities(), poor)
        switch.on_invite = answering
        call = trunk.invite(switch.uri, offer=OFFER)
        await call.answered(within=1)
        with pytest.raises(SipLocalError, match="405"):
            await call.session.offer(OTHER, within=1, method="UPDATE")
        response = await trunk.options(switch.uri)
        assert "UPDATE" not in response.values("allow")
        assert call.state is CallState.ANSWERED
        await trunk.close()
        await switch.close()

    virtually(work)


def test_early_media_of_several_forks_and_an_answer_of_one() -> None:
    async def work(context: Context) -> None:
        trunk = await UserAgent.open(context, "trunk")
        peer = await Peer.open(context)
        host, port = peer.port.local
        call = trunk.invite(f"sip:b@{host}:{port}", offer=OFFER)
        await asyncio.sleep(0.1)
        (invite,) = peer.requests("INVITE")

        def respond(status: int, tag: str, body: bytes, *extra: tuple[str, str]) -> None:
            headers = [("Contact", f"<sip:{tag}@{host}:{port}>"), *extra]
            response = invite.response(
                status, to_tag=tag, headers=headers, body=body, content_type="application/sdp" if body else ""
            )
            peer.port.send(bytes(response), trunk.address)

        answers = {tag: sdp.answer(OFFER, "127.0.0.1", media)[0] for tag, media in (("x", 5000), ("y", 6000))}
        respond(183, "x", answers["x"], ("Require", "100rel"), ("RSeq", "1"))
        respond(183, "y", answers["y"], ("Require", "100rel"), ("RSeq", "5"))
        await asyncio.sleep(0.1)
        for prack in peer.requests("PRACK"):
            peer.port.send(bytes(prack.response(200)), trunk.address)
        assert call.remote_sdp == answers["y"]
        # What x said reliably holds; what its 200 says besides is to be left (RFC 3261 §13.2.1).
        respond(200, "x", sdp.answer(OFFER, "127.0.0.1", 9999)[0])
        await call.answered(within=1)
        assert call.dialog is not None
        assert (call.dialog.remote_tag, call.remote_sdp) == ("x", answers["x"])
        await asyncio.sleep(0.1)
        acks = peer.requests("ACK")
        assert [(ack.to_tag, ack.uri_text) for ack in acks] == [("x", f"sip:x@{host}:{port}")]
        call.abandon("over")
        await trunk.close()
        peer.port.close()

    virtually(work)


def test_requests_of_nobody_are_refused_within_an_early_dialog_too() -> None:
    async def work(context: Context) -> None:
        taken: list[IncomingCall] = []
        switch = await UserAgent.open(context, "switch", on_invite=taken.append)
        peer = await Peer.open(context)
        peer.port.send(peer.request("INVITE", switch, branch="a", body=OFFER), switch.address)
        await asyncio.sleep(0.1)
        tag = taken[0].local_tag
        for at, (method, due) in enumerate((("PRACK", 481), ("INVITE", 500), ("PUBLISH", 405), ("FLY", 501))):
            line = "RAck: 1 1 INVITE" if method == "PRACK" else "Subject: x"
            data = peer.request(method, switch, line, branch=f"b{at}", call_id="a", cseq=2 + at, tag=tag)
            assert (await peer.ask(switch, data)).status == due, method
        late = peer.request("INFO", switch, branch="late", call_id="a", cseq=2, tag=tag)
        assert (await peer.ask(switch, late)).status == 500, "a number that is not higher (§12.2.2)"
        bye = peer.request("BYE", switch, branch="bye", call_id="a", cseq=20, tag=tag)
        assert (await peer.ask(switch, bye)).status == 200
        assert peer.responses("INVITE")[-1].status in (487, 500)
        assert taken[0].is_over
        await switch.close()
        peer.port.close()

    virtually(work)
