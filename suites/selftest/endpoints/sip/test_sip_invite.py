"""INVITE at its edges in virtual time: CANCEL races, redirection, forks, routes, refusals, ringing for long."""

from __future__ import annotations

import asyncio

import pytest
from virtual_sip import OFFER, Peer, answering, virtually

from harness.endpoints.sip.abilities import Abilities
from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.call import CallState
from harness.endpoints.sip.flow import Hop
from harness.endpoints.sip.incoming import MAX_RINGING_S, IncomingCall
from harness.endpoints.sip.outgoing import OutgoingCall
from harness.errors import InterlockError, SipLocalError
from harness.protocols import sdp
from harness.protocols.sip.message import Request
from harness.transport.context import Context

ANSWER = sdp.answer(OFFER, "127.0.0.1", 5000)[0]
GONE = [("Reason", 'SIP;cause=200;text="Call completed elsewhere"')]


async def placed(context: Context, agent: UserAgent, peer: Peer) -> tuple[OutgoingCall, Request]:
    """A call of the agent's to a peer driven by hand, and its INVITE."""
    call = agent.invite(f"sip:b@127.0.0.1:{peer.port.local[1]}", offer=OFFER)
    await asyncio.sleep(0.1)
    return call, peer.requests("INVITE")[-1]


# CANCEL


def test_a_cancel_that_crosses_the_answer_ends_in_a_bye_with_its_reason() -> None:
    async def work(context: Context) -> None:
        agent, peer = await UserAgent.open(context, "agent"), await Peer.open(context)
        call, invite = await placed(context, agent, peer)
        peer.answer(invite, agent, 180)
        await call.ringing(within=1)
        call.hang_up(GONE)
        peer.answer(invite, agent, 200, body=ANSWER)
        await asyncio.sleep(0.1)
        cancel, ack, bye = [m for m in peer.got[1:] if isinstance(m, Request)]
        assert [cancel.method, ack.method, bye.method] == ["CANCEL", "ACK", "BYE"]
        assert cancel.via.branch == invite.via.branch
        assert (cancel.cseq.number, cancel.uri_text) == (invite.cseq.number, invite.uri_text)
        assert (cancel.get("reason"), bye.get("reason")) == (GONE[0][1], GONE[0][1])
        peer.answer(cancel, agent, 481)
        peer.answer(bye, agent, 200)
        await call.ended(within=1)
        assert call.reason == "cancelled, but answered first"
        await agent.close()
        peer.port.close()

    virtually(work)


def test_a_cancel_waits_for_a_provisional_response_and_the_call_for_its_end() -> None:
    async def work(context: Context) -> None:
        agent, peer = await UserAgent.open(context, "agent"), await Peer.open(context)
        call, invite = await placed(context, agent, peer)
        call.hang_up()
        call.hang_up()
        await asyncio.sleep(1)
        assert peer.requests("CANCEL") == []
        peer.answer(invite, agent, 183)
        peer.answer(invite, agent, 183)
        await asyncio.sleep(0.1)
        (cancel,) = peer.requests("CANCEL")
        peer.answer(cancel, agent, 200)
        await asyncio.sleep(31)
        assert call.state is CallState.ENDING
        await asyncio.sleep(1.5)
        assert (call.state, call.status, call.reason) == (CallState.ENDED, 408, "CANCEL not answered")
        assert len(agent.endpoint) == 0, "the INVITE was given up too (§9.1)"
        # A 200 that comes after all is nobody's.
        peer.answer(invite, agent, 200, body=ANSWER)
        await asyncio.sleep(0.1)
        assert context.journal.find("agent", "sip.stray-response") is not None
        await agent.close()
        peer.port.close()

    virtually(work)


def test_a_call_that_is_given_up_before_it_was_challenged_is_not_placed_again() -> None:
    async def work(context: Context) -> None:
        agent = await UserAgent.open(context, "agent", credentials=("agent", "pw"))
        peer = await Peer.open(context)
        call, invite = await placed(context, agent, peer)
        call.hang_up()
        peer.answer(invite, agent, 401, 'WWW-Authenticate: Digest realm="r", nonce="n", algorithm=MD5, qop="auth"')
        await call.ended(within=1)
        assert {request.via.branch for request in peer.requests("INVITE")} == {invite.via.branch}
        ended = context.journal.find("agent", "call.ended")
        assert ended is not None and ended.data["by"] == "local"
        await agent.close()
        peer.port.close()

    virtually(work)


def test_the_called_side_takes_a_cancel_once_and_only_before_its_answer() -> None:
    async def work(context: Context) -> None:
        taken: list[IncomingCall] = []
        agent = await UserAgent.open(context, "agent", on_invite=taken.append)
        peer = await Peer.open(context)
        invite = peer.request("INVITE", agent, branch="a", body=OFFER)
        peer.port.send(invite, agent.address)
        await asyncio.sleep(0.1)
        taken[0].ring()
        cancel = peer.request("CANCEL", agent, f"Reason: {GONE[0][1]}", branch="a")
        answered = await peer.ask(agent, cancel)
        assert [(r.status, r.cseq.method) for r in peer.got if r.via.branch == "z9hG4bKa"][-2:] in (
            [(200, "CANCEL"), (487, "INVITE")],
            [(487, "INVITE"), (487, "INVITE")],
        )
        assert answered.to_tag == taken[0].local_tag
        assert (taken[0].is_over, taken[0].reason) == (True, "cancelled")
        assert taken[0].ended_by is not None and taken[0].ended_by.get("reason") == GONE[0][1]
        peer.port.send(peer.request("ACK", agent, branch="a", tag=taken[0].local_tag), agent.address)
        await asyncio.sleep(0.1)
        assert (await peer.ask(agent, peer.request("CANCEL", agent, branch="none"))).status == 481
        # After the answer a CANCEL changes nothing (§9.2).
        peer.port.send(peer.request("INVITE", agent, branch="b", body=OFFER), agent.address)
        await asyncio.sleep(0.1)
        taken[1].answer(ANSWER)
        peer.port.send(peer.request("CANCEL", agent, branch="b"), agent.address)
        await asyncio.sleep(0.1)
        assert peer.responses("CANCEL")[-1].status == 200
        assert taken[1].state is CallState.ANSWERED
        taken[1].abandon("over")
        await agent.close()
        peer.port.close()

    virtually(work)


# Redirection


def test_contacts_of_a_redirection_are_tried_by_their_q_and_within_the_bound() -> None:
    async def work(context: Context) -> None:
        abilities = Abilities(redirects=3)
        agent = await UserAgent.open(context, "agent", abilities=abilities)
        peer = await Peer.open(context)
        port = peer.port.local[1]
        call, invite = await placed(context, agent, peer)
        where = ", ".join(
            f"<sip:{name}@127.0.0.1:{port}{more}>{q}"
            for name, more, q in (
                ("low", "", ";q=0.1"),
                ("none", ";method=BYE?Replaces=x", ""),
                ("high", "", ";q=0.9"),
                ("bad", "", ";q=nonsense"),
                ("late", "", ";q=0.05"),
            )
        )
        # One that leads where the call has been already leads nowhere.
        itself = [("Contact", f"<{invite.uri_text}>")]
        peer.port.send(bytes(invite.response(302, to_tag="x", headers=itself)), agent.address)
        await call.ended(within=1)
        assert call.status == 302
        call, invite = await placed(context, agent, peer)
        response = invite.response(300, to_tag="x", headers=[("Contact", f"{where}, <tel:+441414960123>")])
        peer.port.send(bytes(response), agent.address)
        tried: list[Request] = []
        for _ in range(3):
            await asyncio.sleep(0.1)
            tried.append(peer.requests("INVITE")[-1])
            peer.port.send(bytes(tried[-1].response(404, to_tag="y")), agent.address)
        await call.ended(within=1)
        assert [request.uri_text for request in tried] == [
            f"sip:{name}@127.0.0.1:{port}" for name in ("none", "high", "low")
        ]
        assert {request.call_id for request in tried} == {call.id}
        assert [request.cseq.number for request in tried] == [2, 3, 4]
        assert {request.get("to") for request in tried} == {f"<sip:b@127.0.0.1:{port}>"}, "§8.1.3.4"
        assert call.status == 404
        events = [event.data["uri"] for event in context.journal if event.kind == "call.redirected"]
        assert len(events) == 3
        await agent.close()
        peer.port.close()

    virtually(work)


def test_two_that_redirect_to_each_other_don_t_go_round_for_ever() -> None:
    async def work(context: Context) -> None:
        agent = await UserAgent.open(context, "agent", abilities=Abilities(redirects=30))
        a, b = await UserAgent.open(context, "a"), await UserAgent.open(context, "b")
        asked = 0

        def to(uri: str, call: IncomingCall) -> None:
            nonlocal asked
            asked += 1
            call.reject(302, headers=[("Contact", f"<{uri}>")])

        a.on_invite, b.on_invite = (lambda call: to(b.uri, call)), (lambda call: to(a.uri, call))
        call = agent.invite(a.uri, offer=OFFER)
        await call.ended(within=5)
        assert (call.status, asked) == (302, 2)
        # Ever new ones are bounded by the number that the agent allows.
        b.on_invite = lambda call: to(f"sip:{asked}@127.0.0.1:{b.address[1]}", call)
        call = agent.invite(b.uri, offer=OFFER)
        await call.ended(within=5)
        assert asked == 2 + 31
        for each in (agent, a, b):
            await each.close()

    virtually(work)


def test_a_redirection_is_followed_only_where_the_interlock_permits_the_new_target() -> None:
    async def work(context: Context) -> None:
        taken: list[str] = []
        target = await UserAgent.open(context, "target", on_invite=answering)
        other = await UserAgent.open(context, "other", on_invite=lambda call: taken.append(call.id))
        switch = await UserAgent.open(context, "switch")
        contacts = [("Contact", f"<{other.uri}>;q=0.9"), ("Contact", f"<{target.uri}>;q=0.5")]
        switch.on_invite = lambda call: call.reject(302, headers=contacts)

        def permit(uri: str) -> None:
            if uri == other.uri:
                raise InterlockError(f"{uri} is not on the allow-list")

        agent = await UserAgent.open(context, "agent", abilities=Abilities(redirects=5), permit=permit)
        call = agent.invite(switch.uri, offer=OFFER)
        await call.answered(within=1)
        assert taken == []
        refused = context.journal.find("agent", "sip.redirection-refused")
        assert refused is not None and refused.data["uri"] == other.uri
        call.hang_up()
        await call.ended(within=1)
        none = await UserAgent.open(context, "none")
        call = none.invite(switch.uri, offer=OFFER)
        with pytest.raises(SipLocalError, match="302"):
            await call.answered(within=1)
        for each in (agent, none, switch, other, target):
            await each.close()

    virtually(work)


# Routes


@pytest.mark.parametrize("loose", [True, False], ids=["loose", "strict"])
@pytest.mark.parametrize("calling", [True, False], ids=["calling", "called"])
def test_recorded_routes_lead_every_later_request(loose: bool, calling: bool) -> None:
    async def work(context: Context) -> None:
        taken: list[IncomingCall] = []
        agent = await UserAgent.open(context, "agent", on_invite=taken.append)
        far, near = await Peer.open(context), await Peer.open(context)
        lr = ";lr" if loose else ""
        # `near` is the proxy next to us; the far peer's Contact is not where our requests go.
        routes = [f"<sip:near@127.0.0.1:{near.port.local[1]}{lr}>", f"<sip:middle@192.0.2.9{lr}>"]
        recorded = routes[::-1] if calling else routes
        if calling:
            call, invite = await placed(context, agent, far)
            body_, lines = ANSWER, [f"Record-Route: {route}" for route in recorded]
            far.answer(invite, agent, 200, *lines, body=body_)
            await call.answered(within=1)
            await asyncio.sleep(0.1)
            (ack,) = near.requests("ACK")
            assert ack.values("route") == (
                routes if loose else [routes[1], f"<sip:peer@127.0.0.1:{far.port.local[1]}>"]
            )
            up = call
        else:
            lines = [f"Record-Route: {', '.join(recorded)}"]
            far.port.send(far.request("INVITE", agent, *lines, branch="a", body=OFFER), agent.address)
            await asyncio.sleep(0.1)
            taken[0].answer(ANSWER)
            await asyncio.sleep(0.1)
            assert far.responses("INVITE")[-1].values("record-route") == recorded, "given back as it came (§12.1.1)"
            ack_ = far.request("ACK", agent, branch="k", call_id="a", tag=taken[0].local_tag)
            far.port.send(ack_, agent.address)
            await asyncio.sleep(0.1)
            up = taken[0]
        target = f"sip:peer@127.0.0.1:{far.port.local[1]}"
        up.hang_up()
        await asyncio.sleep(0.1)
        (bye,) = near.requests("BYE")
        if loose:
            assert (bye.uri_text, bye.values("route")) == (target, routes)
        else:
            assert (bye.uri_text, bye.values("route")) == (routes[0][1:-1], [routes[1], f"<{target}>"])
        near.answer(bye, agent, 200)
        await up.ended(within=1)
        await agent.close()
        for peer in (far, near):
            peer.port.close()

    virtually(work)


def test_all_requests_outside_dialogs_go_by_the_outbound_proxy() -> None:
    async def work(context: Context) -> None:
        proxy = await Peer.open(context)
        agent = await UserAgent.open(context, "agent", outbound=Hop("UDP", *proxy.port.local))
        call = agent.invite("urn:service:sos", offer=OFFER, headers=[("Route", "<sip:ecscf.example;lr>")])
        await asyncio.sleep(0.1)
        (invite,) = proxy.requests("INVITE")
        assert (invite.uri_text, invite.values("route")) == ("urn:service:sos", ["<sip:ecscf.example;lr>"])
        proxy.answer(invite, agent, 200, body=ANSWER)
        await call.answered(within=1)
        call.abandon("over")
        await agent.close()
        proxy.port.close()

    virtually(work)


# Refusals


def test_what_an_invite_may_ask_and_carry() -> None:
    async def work(context: Context) -> None:
        abilities = Abilities(resource_priorities=("esnet", "q735"), demands=())
        agent = await UserAgent.open(context, "agent", on_invite=answering, abilities=abilities)
        peer = await Peer.open(context)
        text = ("Content-Type: text/plain", "Content-Length: 2")
        optional = ("Content-Disposition: session; handling = optional",)
        cases: list[tuple[tuple[str, ...], bytes, int, tuple[str, str] | None]] = [
            (("Accept: text/plain",), b"", 406, None),
            (("Accept: application/sdp, text/plain",), b"", 200, None),
            (("Accept: */*",), b"", 200, None),
            (text, b"hi", 415, ("accept", "application/sdp, multipart/mixed")),
            ((*text, *optional), b"hi", 200, None),
            (("Content-Encoding: gzip", *text), b"hi", 415, ("accept-encoding", "identity")),
            (("Content-Encoding: identity",), b"", 200, None),
            (("Require: 100rel, made-up",), b"", 420, ("unsupported", "made-up")),
            (("Require: replaces, norefersub, timer, 100rel",), b"", 200, None),
            (("Require: path",), b"", 420, ("unsupported", "path")),
            (("Proxy-Require: made-up",), b"", 200, None),
            (("Require: resource-priority", "Resource-Priority: wps.0"), b"", 417, None),
            (("Require: resource-priority", "Resource-Priority: ESNET.0, wps.1"), b"", 200, None),
            (("Resource-Priority: wps.0",), b"", 200, None),
            (("Max-Forwards: 0",), b"", 200, None),
            (("Expires: 0",), b"", 200, None),
            (("Expires: nonsense",), b"", 200, None),
        ]
        for at, (lines, body_, due, told) in enumerate(cases):
            response = await peer.ask(agent, peer.request("INVITE", agent, *lines, branch=f"i{at}") + body_)
            assert response.status == due, lines
            if told is not None:
                assert response.get(told[0]) == told[1]
        other = peer.request("INVITE", agent, branch="m").replace(b"INVITE sip:", b"INVITE mailto:")
        assert (await peer.ask(agent, other)).status == 416
        for call in agent.calls:
            call.abandon("over")
        await agent.close()
        peer.port.close()

    virtually(work)


def test_one_who_lacks_what_is_demanded_gets_421() -> None:
    async def work(context: Context) -> None:
        abilities = Abilities(demands=("100rel", "timer"))
        strict = await UserAgent.open(context, "strict", on_invite=answering, abilities=abilities)
        peer = await Peer.open(context)
        response = await peer.ask(strict, peer.request("INVITE", strict, "Supported: timer", body=OFFER))
        assert (response.status, response.get("require")) == (421, "100rel")
        agent = await UserAgent.open(context, "agent")
        call = agent.invite(strict.uri, offer=OFFER)
        await call.answered(within=2)
        await agent.close()
        await strict.close()
        peer.port.close()

    virtually(work)


def test_a_second_copy_of_an_invite_by_another_branch_is_a_loop() -> None:
    async def work(context: Context) -> None:
        taken: list[IncomingCall] = []
        agent = await UserAgent.open(context, "agent", on_invite=taken.append)
        peer = await Peer.open(context)
        assert (await peer.ask(agent, peer.request("INVITE", agent, branch="a", call_id="c"))).status == 100
        assert (await peer.ask(agent, peer.request("INVITE", agent, branch="b", call_id="c"))).status == 482
        assert len(taken) == 1
        # A higher CSeq is a new try, after a challenge for example.
        assert (await peer.ask(agent, peer.request("INVITE", agent, branch="d", call_id="c", cseq=2))).status == 100
        for call in taken:
            call.reject(486)
        assert (await peer.ask(agent, peer.request("INVITE", agent, branch="e", call_id="c"))).status == 100
        taken[-1].reject(486)
        await agent.close()
        peer.port.close()

    virtually(work)


# Ringing


def test_an_invite_that_expires_is_refused_and_one_that_was_answered_is_not() -> None:
    async def work(context: Context) -> None:
        taken: list[IncomingCall] = []
        agent = await UserAgent.open(context, "agent", on_invite=taken.append)
        peer = await Peer.open(context)
        for branch in "ab":
            peer.port.send(peer.request("INVITE", agent, "Expires: 5", branch=branch, body=OFFER), agent.address)
        await asyncio.sleep(1)
        taken[0].ring()
        taken[1].answer(ANSWER)
        peer.port.send(peer.request("ACK", agent, branch="k", call_id="b", tag=taken[1].local_tag), agent.address)
        await asyncio.sleep(5)
        assert (taken[0].is_over, taken[0].status, taken[1].state) == (True, 487, CallState.ANSWERED)
        assert [r.status for r in peer.responses("INVITE") if r.via.branch == "z9hG4bKa"][-1] == 487
        taken[1].abandon("over")
        await agent.close()
        peer.port.close()

    virtually(work)


def test_a_call_that_rings_for_long_is_told_so_every_minute_and_not_for_ever() -> None:
    async def work(context: Context) -> None:
        taken: list[IncomingCall] = []
        agent = await UserAgent.open(context, "agent", on_invite=taken.append)
        peer = await Peer.open(context)
        for branch, line in (("a", "Subject: x"), ("b", "Require: 100rel"), ("c", "Subject: silent")):
            peer.port.send(peer.request("INVITE", agent, line, branch=branch, body=OFFER), agent.address)
        await asyncio.sleep(0.1)
        taken[0].ring()
        taken[1].ring(183, sdp=ANSWER)
        seen = 0  # of the provisional responses, each of which is to be acknowledged once
        for _ in range(200):
            for response in peer.responses("INVITE")[seen:]:
                seen += 1
                if response.get("rseq") is not None:
                    rack = f"RAck: {response.number('rseq')} 1 INVITE"
                    tag = response.to_tag
                    data = peer.request("PRACK", agent, rack, branch=f"p{seen}", call_id="b", cseq=1 + seen, tag=tag)
                    peer.port.send(data, agent.address)
            await asyncio.sleep(1)
        sent = {
            branch: [response for response in peer.responses("INVITE") if response.via.branch == f"z9hG4bK{branch}"]
            for branch in "abc"
        }
        assert [response.status for response in sent["a"]] == [100] + [180] * 6
        reliable = {response.get("rseq"): response for response in sent["b"][1:]}
        assert [response.status for response in reliable.values()] == [183] * 6, "each is a new one"
        assert [bool(response.body) for response in reliable.values()] == [True] + [False] * 5
        assert [response.status for response in sent["c"]] == [100]
        await asyncio.sleep(MAX_RINGING_S)
        assert all(call.is_over for call in taken)
        assert taken[0].status == taken[2].status == 480
        assert context.journal.find("agent", "sip.rang-too-long") is not None
        await agent.close()
        peer.port.close()

    virtually(work)


def test_a_provisional_response_of_many_forks_is_bounded() -> None:
    async def work(context: Context) -> None:
        agent, peer = await UserAgent.open(context, "agent"), await Peer.open(context)
        call, invite = await placed(context, agent, peer)
        contact = [("Contact", "<sip:x@127.0.0.1:9>")]
        for at in range(20):
            peer.port.send(bytes(invite.response(180, to_tag=f"t{at}", headers=contact)), agent.address)
        await asyncio.sleep(0.1)
        assert len(call.early) == 16
        assert context.journal.find("agent", "sip.too-many-forks") is not None
        peer.port.send(bytes(invite.response(199, to_tag="t1", headers=contact)), agent.address)
        peer.port.send(bytes(invite.response(603, to_tag="t2")), agent.address)
        await call.ended(within=1)
        assert call.status == 603
        await agent.close()
        peer.port.close()

    virtually(work)


def test_answers_that_lack_what_makes_a_dialog_are_acknowledged_all_the_same() -> None:
    async def work(context: Context) -> None:
        agent, peer = await UserAgent.open(context, "agent"), await Peer.open(context)
        call, invite = await placed(context, agent, peer)
        peer.port.send(
            bytes(invite.response(200, to_tag="x", body=ANSWER, content_type="application/sdp")), agent.address
        )
        await call.answered(within=1)
        await asyncio.sleep(0.1)
        assert len(peer.requests("ACK")) == 1
        assert context.journal.find("agent", "sip.bad-answer") is not None
        call.abandon("over")
        await agent.close()
        peer.port.close()

    virtually(work)
