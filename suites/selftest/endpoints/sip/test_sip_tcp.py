"""SIP over TCP in virtual time: framing, connections used again and made again, slow senders, keep-alives, bounds."""

from __future__ import annotations

import asyncio

import pytest
from virtual_sip import OFFER, Peer, answering, virtually
from virtual_stream import StreamPeer

from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.call import CallState
from harness.endpoints.sip.endpoint import UDP_LIMIT
from harness.endpoints.sip.flow import Hop, StreamFlow
from harness.endpoints.sip.incoming import IncomingCall
from harness.endpoints.sip.transports import MAX_CONNECTIONS, MESSAGE_S, SWEEP_S, Listen
from harness.errors import SipLocalError, TransportError
from harness.protocols import sdp
from harness.protocols.sip.message import Request, Response
from harness.protocols.sip.registrar import Registrar
from harness.transport.context import Context
from harness.transport.stream import listen_stream

TCP = [Listen("TCP")]
BOTH = [Listen("UDP"), Listen("TCP")]


def streams(agent: UserAgent) -> list[StreamFlow]:
    """The connections of an endpoint."""
    return list(agent.endpoint.transports._streams)


def test_a_free_port_is_one_that_udp_and_tcp_share() -> None:
    # RFC 3261 section 18.2.1: what listens on a port for UDP listens on it for TCP too.
    async def work(context: Context) -> None:
        probe = await UserAgent.open(context, "probe")
        host, port = probe.address
        taken = await listen_stream((host, port + 1), StreamPeer, tap=context.tap)
        both = await UserAgent.open(context, "both", listen=BOTH)
        locals_ = both.endpoint.transports.locals
        assert locals_["UDP"] == locals_["TCP"] == (host, port + 2), "the one that is free for both"
        await both.close()
        taken.close()
        await probe.close()

    virtually(work)


def test_a_call_over_tcp_is_placed_held_and_cleared_by_either_side_over_one_connection() -> None:
    async def work(context: Context) -> None:
        taken: list[IncomingCall] = []

        def take(call: IncomingCall) -> None:
            taken.append(call)
            call.on_offer(lambda call, offer: sdp.answer(offer, "127.0.0.1", 5000, version=2)[0])
            answering(call)

        switch = await UserAgent.open(context, "switch", listen=TCP, on_invite=take)
        trunk = await UserAgent.open(context, "trunk", listen=TCP)
        assert switch.uri.endswith(";transport=tcp")
        for hangs_up_there in (True, False):
            call = trunk.invite(switch.uri, offer=OFFER)
            await call.answered(within=1)
            assert call.request.via.transport == "TCP"
            assert b"recvonly" in await call.session.offer(sdp.offer("127.0.0.1", 4000, direction="sendonly"), within=1)
            (taken[-1] if hangs_up_there else call).hang_up()
            await call.ended(within=1)
            await taken[-1].ended(within=1)
        assert (len(streams(trunk)), len(streams(switch))) == (1, 1)
        assert context.journal.find("switch", "sip.flow-lost") is None
        await asyncio.sleep(40)
        assert (len(trunk.endpoint), len(switch.endpoint)) == (0, 0)
        await trunk.close()
        await asyncio.sleep(0.1)
        assert streams(switch) == []
        assert context.journal.find("switch", "sip.flow-lost") is None, "an orderly close is nothing odd"
        await switch.close()

    assert virtually(work) == virtually(work), "one seed, one journal"


@pytest.mark.parametrize("size", [1, 3, 7, 100, 10_000])
def test_messages_are_cut_alike_however_the_stream_is_chopped(size: int) -> None:
    async def work(context: Context) -> None:
        switch = await UserAgent.open(context, "switch", listen=TCP)
        peer = await StreamPeer.connect(context, switch)
        data = b"\r\n" + b"".join(peer.request("OPTIONS", branch=str(at)) for at in range(5))
        for at in range(0, len(data), size):
            peer.send(data[at : at + size])
            await asyncio.sleep(0.001)
        assert await peer.statuses() == [200] * 5
        assert [message.via.branch for message in peer.got] == [f"z9hG4bK{at}" for at in range(5)]
        peer.close()
        await switch.close()

    virtually(work)


def test_a_message_without_content_length_gets_400_and_the_connection_is_closed() -> None:
    async def work(context: Context) -> None:
        switch = await UserAgent.open(context, "switch", listen=TCP)
        peer = await StreamPeer.connect(context, switch)
        peer.send(
            peer.request("OPTIONS", branch="a")
            + peer.request("OPTIONS", branch="b").replace(b"Content-Length: 0\r\n", b"")
        )
        assert await peer.statuses() == [200, 400], "the one before it was whole"
        assert peer.lost_because is not None
        event = context.journal.find("switch", "sip.flow-lost")
        assert event is not None and "no Content-Length" in event.data["reason"]
        await switch.close()

    virtually(work)


def test_the_peer_closes_in_mid_call_and_the_next_request_connects_again() -> None:
    async def work(context: Context) -> None:
        switch = await UserAgent.open(context, "switch", listen=TCP, on_invite=answering)
        trunk = await UserAgent.open(context, "trunk", listen=TCP)
        call = trunk.invite(switch.uri, offer=OFFER)
        await call.answered(within=1)
        for flow in streams(switch):
            flow.close()
        await asyncio.sleep(0.1)
        assert streams(trunk) == []
        assert call.state is CallState.ANSWERED, "a call is not its connection"
        assert (await call.send("OPTIONS", within=1)).status == 200
        assert len(streams(trunk)) == 1
        # This time the connection breaks with the request already on its way.
        for flow in streams(switch):
            flow.close()
        call.hang_up()
        await call.ended(within=1)
        assert call.status == 200
        await trunk.close()
        await switch.close()

    virtually(work)


def test_an_answer_whose_connection_is_gone_goes_to_the_port_that_via_named() -> None:
    async def work(context: Context) -> None:
        taken: list[IncomingCall] = []
        switch = await UserAgent.open(context, "switch", listen=TCP, on_invite=taken.append)
        peer, back = await StreamPeer.connect(context, switch), StreamPeer()
        listener = await listen_stream(("127.0.0.1", 0), lambda: back, tap=context.tap)
        port = listener.local[1]
        invite = peer.request("INVITE", contact=f"sip:peer@127.0.0.1:{port};transport=tcp")
        peer.send(invite.replace(b"127.0.0.1:%d;branch" % peer.local[1], b"127.0.0.1:%d;branch" % port))
        assert await peer.statuses() == [100]
        peer.close()
        await asyncio.sleep(0.1)
        answering(taken[0])
        assert await back.statuses(0.1) == [180, 200], "§18.2.2"
        back.send(peer.request("ACK", call_id="1", tag=taken[0].local_tag, branch="a", body=OFFER))
        await asyncio.sleep(0.1)
        taken[0].hang_up()
        await asyncio.sleep(0.1)
        bye = back.got[-1]
        assert isinstance(bye, Request) and bye.method == "BYE"
        back.send(bytes(bye.response(200)))
        await taken[0].ended(within=1)
        assert len(streams(switch)) == 1
        listener.close()
        back.close()
        await switch.close()

    virtually(work)


def test_a_peer_that_only_connects_is_reached_over_its_own_connection() -> None:
    async def work(context: Context) -> None:
        taken: list[IncomingCall] = []
        switch = await UserAgent.open(context, "switch", listen=BOTH, on_invite=taken.append, registrar=Registrar())
        peer = await StreamPeer.connect(context, switch)
        nowhere = "sip:phone@127.0.0.1:9;transport=tcp"
        aor = "To: <sip:phone@127.0.0.1>"
        register = peer.request("REGISTER", "Expires: 60", branch="r", contact=nowhere)
        peer.send(register.replace(b"To: <sip:switch@127.0.0.1>", aor.encode()))
        assert await peer.statuses() == [200]
        assert switch.registry is not None
        (contact,) = switch.registry.contacts("sip:phone@127.0.0.1")
        call = switch.invite(contact, offer=OFFER)
        await asyncio.sleep(0.1)
        invite = peer.got[-1]
        assert isinstance(invite, Request)
        body = sdp.answer(OFFER, "127.0.0.1", 5000)[0]
        contacts = [("Contact", f"<{nowhere}>")]
        response = invite.response(200, to_tag="x", headers=contacts, body=body, content_type="application/sdp")
        peer.send(bytes(response))
        await call.answered(within=1)
        call.hang_up()
        await asyncio.sleep(0.1)
        methods = [message.method for message in peer.got if isinstance(message, Request)]
        assert methods == ["INVITE", "ACK", "BYE"]
        peer.send(bytes(peer.got[-1].response(200)))  # type: ignore[union-attr]
        await call.ended(within=1)
        # A call of the peer's own: what we send within it comes over its connection too.
        peer.send(peer.request("INVITE", branch="i", contact=nowhere))
        await asyncio.sleep(0.1)
        answering(taken[0])
        await asyncio.sleep(0.1)
        (ok,) = [m for m in peer.got if isinstance(m, Response) and m.status == 200 and m.cseq.method == "INVITE"]
        peer.send(peer.request("ACK", branch="k", contact=nowhere, tag=ok.to_tag, call_id="i", body=OFFER))
        await asyncio.sleep(0.1)
        taken[0].hang_up()
        await asyncio.sleep(0.1)
        bye = peer.got[-1]
        assert isinstance(bye, Request) and bye.method == "BYE"
        peer.send(bytes(bye.response(200)))
        await taken[0].ended(within=1)
        # Once it is gone, so is the phone.
        peer.close()
        await asyncio.sleep(0.1)
        call = switch.invite(contact, offer=OFFER)
        with pytest.raises(SipLocalError, match="503 can't connect"):
            await call.answered(within=10)
        await switch.close()

    virtually(work)


def test_a_port_where_nobody_listens_and_one_that_is_closed_say_so() -> None:
    async def work(context: Context) -> None:
        trunk = await UserAgent.open(context, "trunk", listen=TCP)
        with pytest.raises(SipLocalError, match=r"503 can't connect to 127\.0\.0\.1:9"):
            await trunk.invite("sip:b@127.0.0.1:9;transport=tcp", offer=OFFER).answered(within=10)
        response = await trunk.options("sip:127.0.0.1:9;transport=tcp")
        assert (response.status, "can't connect" in response.reason) == (503, True)
        only_udp = await UserAgent.open(context, "udp")
        call = only_udp.invite(trunk.uri, offer=OFFER)
        with pytest.raises(SipLocalError, match="480"):
            await call.answered(within=1)
        with pytest.raises(SipLocalError, match="no UDP port"):
            trunk.invite(only_udp.uri, offer=OFFER)
        with pytest.raises(TransportError, match="SCTP"):
            await UserAgent.open(context, "x", listen=[Listen("SCTP")])
        with pytest.raises(TransportError, match="two TCP ports"):
            await UserAgent.open(context, "x", listen=[*TCP, *TCP])
        with pytest.raises(TransportError, match="can't bind TCP"):
            await UserAgent.open(context, "x", listen=[Listen("TCP", "127.0.0.1", trunk.address[1])])
        await only_udp.close()
        await trunk.close()

    virtually(work)


def test_who_sends_half_a_message_and_no_more_is_given_up_and_a_line_end_is_no_message() -> None:
    async def work(context: Context) -> None:
        switch = await UserAgent.open(context, "switch", listen=TCP)
        slow, dribbling, idle = [await StreamPeer.connect(context, switch) for _ in range(3)]
        slow.send(b"OPTIONS sip:")
        idle.send(b"\r\n")
        data = dribbling.request("OPTIONS")
        started = asyncio.get_running_loop().time()
        while dribbling.lost_because is None:
            # A byte a second does not make it younger than it is.
            dribbling.send(data[:1])
            data = data[1:]
            await asyncio.sleep(1)
        waited = asyncio.get_running_loop().time() - started
        assert MESSAGE_S <= waited <= MESSAGE_S + SWEEP_S + 1
        assert slow.lost_because is not None
        await asyncio.sleep(300)
        assert idle.lost_because is None
        idle.send(idle.request("OPTIONS"))
        assert await idle.statuses() == [200]
        idle.close()
        await switch.close()

    virtually(work)


def test_keep_alives_are_answered_and_ours_find_out_who_is_gone() -> None:
    async def work(context: Context) -> None:
        switch = await UserAgent.open(context, "switch", listen=TCP)
        peer = await StreamPeer.connect(context, switch)
        peer.send(b"\r\n\r\n")
        await asyncio.sleep(0.1)
        assert peer.raw == b"\r\n"
        peer.send(b"\r\n")
        await asyncio.sleep(0.1)
        peer.send(b"\r\n\r\n\r\n")
        await asyncio.sleep(0.1)
        assert peer.raw == b"\r\n\r\n", "two keep-alives at once get one answer"
        peer.close()

        trunk = await UserAgent.open(context, "trunk", listen=TCP, keep_alive=10)
        assert (await trunk.options(switch.uri)).status == 200
        (flow,) = streams(trunk)
        await asyncio.sleep(600)
        assert streams(trunk) == [flow], "the other side answers"
        server = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
        silent = server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
        response = await trunk.options(f"sip:127.0.0.1:{silent};transport=tcp", within=80)
        assert (response.status, "keep-alive" in response.reason) == (503, True)
        server.close()
        await trunk.close()
        await switch.close()

    virtually(work)


def test_more_connections_than_the_bound_cost_the_one_longest_unused() -> None:
    async def work(context: Context) -> None:
        switch = await UserAgent.open(context, "switch", listen=TCP, on_invite=answering)
        trunk = await UserAgent.open(context, "trunk", listen=TCP)
        call = trunk.invite(switch.uri, offer=OFFER)
        await call.answered(within=1)
        first = await StreamPeer.connect(context, switch)
        peers = []
        for at in range(MAX_CONNECTIONS):
            peers.append(await StreamPeer.connect(context, switch))
            if at % 50 == 0:
                assert (await call.send("OPTIONS", within=1)).status == 200
        await asyncio.sleep(0.1)
        assert len(streams(switch)) == MAX_CONNECTIONS
        assert first.lost_because is not None
        assert sum(peer.lost_because is not None for peer in peers) == 1
        call.hang_up()
        await call.ended(within=1)
        await trunk.close()
        await switch.close()

    virtually(work)


def test_a_request_too_large_for_udp_goes_over_tcp_and_over_udp_where_that_is_refused() -> None:
    async def work(context: Context) -> None:
        large = [("Subject", "x" * UDP_LIMIT)]
        taken: list[IncomingCall] = []

        def take(call: IncomingCall) -> None:
            taken.append(call)
            answering(call)

        trunk = await UserAgent.open(context, "trunk", listen=BOTH)
        port = trunk.address[1] + 100
        switch = await UserAgent.open(
            context, "switch", listen=[Listen("UDP", port=port), Listen("TCP", port=port)], on_invite=take
        )
        call = trunk.invite(switch.uri, offer=OFFER, headers=large)
        await call.answered(within=1)
        assert taken[0].request.via.transport == "TCP"
        call.hang_up()
        await call.ended(within=1)
        # A peer that has UDP alone gets it by UDP all the same (§18.1.1).
        udp = await UserAgent.open(context, "udp", on_invite=take)
        call = trunk.invite(udp.uri, offer=OFFER, headers=large)
        await call.answered(within=1)
        assert taken[1].request.via.transport == "UDP"
        assert (await call.send("INFO", headers=large, within=2)).status == 200
        # And one who has no TCP itself sends it so at once.
        call = udp.invite(switch.uri, offer=OFFER, headers=large)
        await call.answered(within=1)
        assert taken[2].request.via.transport == "UDP"
        for agent in (trunk, udp, switch):
            await agent.close()

    virtually(work)


def test_a_response_comes_by_the_connection_even_when_via_names_another_port() -> None:
    async def work(context: Context) -> None:
        switch = await UserAgent.open(context, "switch", listen=TCP)
        peer = await StreamPeer.connect(context, switch)
        request = peer.request("OPTIONS")
        peer.send(request.replace(b"Via: SIP/2.0/TCP 127.0.0.1:%d" % peer.local[1], b"Via: SIP/2.0/TCP host.example:9"))
        assert await peer.statuses() == [200]
        via = peer.got[0].via
        assert (via.host, via.params.get("received")) == ("host.example", "127.0.0.1")
        peer.close()
        await switch.close()

    virtually(work)


def test_a_response_with_two_vias_or_of_nobody_is_dropped() -> None:
    async def work(context: Context) -> None:
        trunk = await UserAgent.open(context, "trunk")
        peer = await Peer.open(context)
        host, port = peer.port.local
        asking = asyncio.ensure_future(trunk.options(f"sip:{host}:{port}", within=2))
        await asyncio.sleep(0.1)
        request = peer.requests("OPTIONS")[0]
        response = bytes(request.response(200))
        first = response.replace(b"Via:", b"Via: SIP/2.0/UDP 127.0.0.1:5;branch=z9hG4bKx\r\nVia:", 1)
        peer.port.send(first, trunk.address)
        second = response.replace(b";rport", b";rport, SIP/2.0/UDP 127.0.0.1:5;branch=z9hG4bKx", 1)
        assert second != response
        peer.port.send(second, trunk.address)
        await asyncio.sleep(0.1)
        assert not asking.done()
        strays = [event for event in context.journal if event.kind == "sip.stray-response"]
        assert len(strays) == 2
        peer.port.send(response, trunk.address)
        assert (await asking).status == 200
        await trunk.close()
        peer.port.close()

    virtually(work)


def test_a_name_is_looked_up_and_one_without_an_address_fails() -> None:
    async def work(context: Context) -> None:
        trunk = await UserAgent.open(context, "trunk", listen=BOTH)
        response = await trunk.options("sip:switch.example", within=1)
        assert (response.status, response.reason.startswith("switch.example has no address")) == (503, True)
        with pytest.raises(SipLocalError, match="no UDP port over IPv6"):
            await trunk.options("sip:[::1]", within=1)
        with pytest.raises(SipLocalError, match="only an outbound proxy"):
            await trunk.options("urn:service:sos", within=1)
        with pytest.raises(SipLocalError, match="transport ws"):
            await trunk.options("sip:a.example;transport=ws", within=1)
        assert str(Hop("TCP", "::1", 5060)) == "[::1]:5060 over TCP"
        await trunk.close()

    virtually(work)
