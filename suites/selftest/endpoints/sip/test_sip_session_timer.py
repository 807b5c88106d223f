"""Session timers (RFC 4028) in virtual time: both refreshers, both methods, 422 both ways, and the end of a session."""

from __future__ import annotations

import asyncio

import pytest
from virtual_sip import OFFER, Peer, answering, virtually

from harness.endpoints.sip.abilities import METHODS_SERVED, Abilities
from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.call import Call, CallState
from harness.endpoints.sip.incoming import IncomingCall
from harness.endpoints.sip.session_timer import SessionExpires
from harness.errors import SipLocalError, SipRemoteError
from harness.protocols import sdp
from harness.protocols.sip.message import Request, Response
from harness.transport.context import Context

ANSWER = sdp.answer(OFFER, "127.0.0.1", 5000)[0]
NO_UPDATE = tuple(name for name in METHODS_SERVED if name != "UPDATE")


def sent(context: Context, source: str, method: str) -> list[float]:
    """When an agent sent requests of a method."""
    return [
        event.time
        for event in context.journal
        if event.kind == "sip.sent" and event.source == source and event.data.get("method") == method
    ]


async def call_between(
    context: Context, ours: Abilities, theirs: Abilities, headers: list[tuple[str, str]] | None = None
) -> tuple[UserAgent, UserAgent, Call, IncomingCall]:
    taken: list[IncomingCall] = []

    def take(call: IncomingCall) -> None:
        taken.append(call)
        answering(call)

    switch = await UserAgent.open(context, "switch", on_invite=take, abilities=theirs)
    trunk = await UserAgent.open(context, "trunk", abilities=ours)
    call = trunk.invite(switch.uri, offer=OFFER, headers=headers or ())
    await call.answered(within=2)
    await asyncio.sleep(0.1)
    return trunk, switch, call, taken[-1]


@pytest.mark.parametrize("methods", [METHODS_SERVED, NO_UPDATE], ids=["UPDATE", "re-INVITE"])
@pytest.mark.parametrize("refresher", ["uac", "uas", ""])
def test_the_refresher_refreshes_at_half_the_interval(methods: tuple[str, ...], refresher: str) -> None:
    async def work(context: Context) -> None:
        asked = [("Session-Expires", f"100;refresher={refresher}" if refresher else "100")]
        trunk, switch, call, there = await call_between(
            context, Abilities(methods=methods), Abilities(methods=methods), asked
        )
        assert call.session_timer is not None and there.session_timer is not None
        ours = refresher != "uas"
        assert (call.session_timer.ours, there.session_timer.ours) == (ours, not ours)
        first = len(sent(context, "trunk", "INVITE"))
        await asyncio.sleep(1_000)
        refreshes = sent(context, "trunk" if ours else "switch", "UPDATE" if methods is METHODS_SERVED else "INVITE")
        if ours and methods is NO_UPDATE:
            refreshes = refreshes[first:]
        assert 19 <= len(refreshes) <= 20
        assert 50 <= refreshes[1] - refreshes[0] <= 50.1
        other = "switch" if ours else "trunk"
        assert sent(context, other, "UPDATE") == []
        assert call.state is there.state is CallState.ANSWERED
        call.hang_up()
        await call.ended(within=1)
        count = len(context.journal)
        await asyncio.sleep(500)
        assert len(context.journal) == count, "nothing is refreshed any more"
        await trunk.close()
        await switch.close()

    virtually(work)


def test_a_session_that_is_not_refreshed_is_ended_before_it_runs_out() -> None:
    async def work(context: Context) -> None:
        taken: list[IncomingCall] = []
        agent = await UserAgent.open(context, "agent", on_invite=taken.append)
        peer = await Peer.open(context)
        for at, (interval, waited) in enumerate(((90, 60), (1_800, 1_768))):  # a third, or 32 s, before its end (§10)
            line = f"Session-Expires: {interval};refresher=uac"
            invite = peer.request("INVITE", agent, line, "Supported: timer", branch=f"a{at}", body=OFFER)
            peer.port.send(invite, agent.address)
            await asyncio.sleep(0.1)
            taken[-1].answer(ANSWER)
            await asyncio.sleep(0.1)
            ok = peer.responses("INVITE")[-1]
            assert (ok.get("session-expires"), ok.options("require")) == (f"{interval};refresher=uac", {"timer"})
            tag = taken[-1].local_tag
            peer.port.send(peer.request("ACK", agent, branch=f"k{at}", call_id=f"a{at}", tag=tag), agent.address)
            peer.got.clear()
            began = context.journal.now()
            await asyncio.sleep(waited - 1)
            assert peer.requests("BYE") == []
            await asyncio.sleep(2)
            bye = peer.requests("BYE")[-1]
            assert "Session timer expired" in (bye.get("reason") or "")
            assert context.journal.now() - began < waited + 2
            peer.answer(bye, agent, 200)
            await taken[-1].ended(within=1)
        assert context.journal.find("agent", "sip.session-expired") is not None
        await agent.close()
        peer.port.close()

    virtually(work)


def test_a_refresher_whose_refresh_fails_ends_the_session_in_time() -> None:
    async def work(context: Context) -> None:
        agent = await UserAgent.open(context, "agent", abilities=Abilities(session_expires=90))
        peer = await Peer.open(context)
        call = agent.invite(f"sip:b@127.0.0.1:{peer.port.local[1]}", offer=OFFER)
        await asyncio.sleep(0.1)
        (invite,) = peer.requests("INVITE")
        assert invite.get("session-expires") == "90"
        peer.answer(invite, agent, 200, "Session-Expires: 90;refresher=uac", "Allow: INVITE, ACK, BYE", body=ANSWER)
        await call.answered(within=1)
        await asyncio.sleep(45.1)
        again = peer.requests("INVITE")[-1]
        assert (again.cseq.number, again.get("session-expires"), again.body) == (2, "90;refresher=uac", OFFER)
        peer.answer(again, agent, 500)
        await asyncio.sleep(14)
        assert peer.requests("BYE") == []
        await asyncio.sleep(1)
        peer.answer(peer.requests("BYE")[-1], agent, 200)
        await call.ended(within=1)
        assert context.journal.find("agent", "sip.refresh-failed") is not None
        await agent.close()
        peer.port.close()

    virtually(work)


def test_too_short_an_interval_is_refused_with_422_and_asked_for_again_longer() -> None:
    async def work(context: Context) -> None:
        ours, theirs = Abilities(session_expires=120), Abilities(min_se=300)
        trunk, switch, call, there = await call_between(context, ours, theirs)
        assert call.session_timer is not None and there.session_timer is not None
        assert call.session_timer.seconds == there.session_timer.seconds == 300
        assert (there.request.get("session-expires"), there.request.get("min-se")) == ("300", "300")
        # Within the call too, both ways.
        for method in ("INVITE", "UPDATE"):
            await call.session.offer(OFFER, within=1, method=method, headers=[("Session-Expires", "100;refresher=uac")])
            assert call.session_timer.seconds == there.session_timer.seconds == 300
        refused = [event for event in context.journal if event.kind == "sip.sent" and event.data.get("status") == 422]
        assert len(refused) == 3
        await trunk.close()
        await switch.close()

    virtually(work)


def test_a_422_that_asks_for_nothing_longer_is_the_end_of_it() -> None:
    async def work(context: Context) -> None:
        agent = await UserAgent.open(context, "agent", abilities=Abilities(session_expires=120))
        peer = await Peer.open(context)
        for line in ("Min-SE: 300", "Subject: none", "Min-SE: soon"):
            call = agent.invite(f"sip:b@127.0.0.1:{peer.port.local[1]}", offer=OFFER)
            for _ in range(2):
                await asyncio.sleep(0.1)
                peer.answer(peer.requests("INVITE")[-1], agent, 422, line)
            if line == "Min-SE: soon":
                call.abandon("can't be read")
            await call.ended(within=1)
        assert len(peer.requests("INVITE")) == 4, "once each, and once more where there was a longer one"
        await agent.close()
        peer.port.close()

    virtually(work)


def test_a_peer_without_session_timers_has_a_call_without_one() -> None:
    async def work(context: Context) -> None:
        poor = Abilities(timers=False)
        trunk, switch, call, there = await call_between(context, Abilities(session_expires=90), poor)
        assert call.session_timer is there.session_timer is None
        await asyncio.sleep(1_000)
        assert call.state is CallState.ANSWERED
        assert (sent(context, "trunk", "UPDATE"), len(sent(context, "trunk", "INVITE"))) == ([], 1)
        await trunk.close()
        await switch.close()
        # The other way round the side that was called refreshes (§9); an answer without a timer turns it off (§7.2).
        trunk, switch, call, there = await call_between(context, poor, Abilities(session_expires=90))
        assert call.session_timer is None
        assert there.session_timer is not None and there.session_timer.ours
        await asyncio.sleep(200)
        assert len(sent(context, "switch", "UPDATE")) == 1
        assert there.session_timer is None
        assert there.state is CallState.ANSWERED
        with pytest.raises(SipLocalError, match="there are none"):
            Abilities(timers=False, session_expires=90)
        await trunk.close()
        await switch.close()

    virtually(work)


def test_require_timer_is_refused_where_it_is_not_understood() -> None:
    async def work(context: Context) -> None:
        switch = await UserAgent.open(context, "switch", on_invite=answering, abilities=Abilities(timers=False))
        peer = await Peer.open(context)
        response = await peer.ask(switch, peer.request("INVITE", switch, "Require: timer", body=OFFER))
        assert (response.status, response.get("unsupported")) == (420, "timer")
        await switch.close()
        capable = await UserAgent.open(context, "capable", on_invite=answering)
        for at, value in enumerate(("soon", "90;refresher=both", "-1", "99999999999")):
            line = f"Session-Expires: {value}"
            response = await peer.ask(capable, peer.request("INVITE", capable, line, branch=f"v{at}", body=OFFER))
            assert response.status == 400, value
        await capable.close()
        peer.port.close()

    virtually(work)


def test_a_session_timer_begins_in_a_later_invite_and_ends_in_one() -> None:
    async def work(context: Context) -> None:
        trunk, switch, call, there = await call_between(context, Abilities(), Abilities())
        assert call.session_timer is there.session_timer is None
        await call.session.offer(OFFER, within=1, headers=[("Session-Expires", "90")])
        assert call.session_timer is not None and there.session_timer is not None
        await asyncio.sleep(100)
        assert len(sent(context, "trunk", "UPDATE")) == 2
        # A hold that says nothing of it keeps it as it is, whoever holds.
        await there.session.offer(sdp.offer("127.0.0.1", 5000, direction="sendonly", version=2), within=1)
        assert call.session_timer.ours and not there.session_timer.ours
        await asyncio.sleep(100)
        assert len(sent(context, "trunk", "UPDATE")) == 4
        await trunk.close()
        await switch.close()

    virtually(work)


def test_a_peer_that_forgets_the_timer_in_a_re_invite_is_told_it_again_and_one_who_lost_it_has_none() -> None:
    async def work(context: Context) -> None:
        taken: list[IncomingCall] = []
        agent = await UserAgent.open(context, "agent", on_invite=taken.append)
        peer = await Peer.open(context)
        line = "Session-Expires: 90;refresher=uas"
        peer.port.send(peer.request("INVITE", agent, line, "Supported: timer", branch="a", body=OFFER), agent.address)
        await asyncio.sleep(0.1)
        taken[0].answer(ANSWER)
        await asyncio.sleep(0.1)
        tag = taken[0].local_tag
        peer.port.send(peer.request("ACK", agent, branch="k", call_id="a", tag=tag), agent.address)
        await asyncio.sleep(0.1)
        update = peer.request("UPDATE", agent, "Supported: timer", branch="u", call_id="a", cseq=2, tag=tag)
        assert (await peer.ask(agent, update)).get("session-expires") == "90;refresher=uas"
        update = peer.request("UPDATE", agent, branch="v", call_id="a", cseq=3, tag=tag)
        assert (await peer.ask(agent, update)).get("session-expires") is None
        assert taken[0].session_timer is None
        taken[0].abandon("over")
        await agent.close()
        peer.port.close()

    virtually(work)


def test_an_interval_below_the_least_does_not_make_us_refresh_without_end() -> None:
    async def work(context: Context) -> None:
        agent = await UserAgent.open(context, "agent")
        peer = await Peer.open(context)
        call = agent.invite(f"sip:b@127.0.0.1:{peer.port.local[1]}", offer=OFFER)
        await asyncio.sleep(0.1)
        peer.answer(peer.requests("INVITE")[-1], agent, 200, "Session-Expires: 0;refresher=uac", body=ANSWER)
        await call.answered(within=1)
        await asyncio.sleep(44)
        assert len(peer.requests("INVITE")) == 1
        call.abandon("over")
        await agent.close()
        peer.port.close()

    virtually(work)


def test_the_header_is_read_and_written() -> None:
    def of(value: str) -> SessionExpires | None:
        message = Request("INVITE", "sip:a@b", [("Session-Expires", value)])
        return SessionExpires.of(message)

    assert of("1800 ; refresher=UAS") == SessionExpires(1800, "uas")
    assert str(SessionExpires(90, "uac")) == "90;refresher=uac"
    assert SessionExpires.of(Response(200, "OK", [("x", "100")])) == SessionExpires(100), "the compact form"
    with pytest.raises(SipRemoteError):
        of("1800;refresher=me")
