"""Two user agents in virtual time: calls, refusals, registrations, loss, forks, overload and the interlock."""

from __future__ import annotations

import asyncio

import pytest
from virtual_sip import OFFER, Peer, answering, network, virtually

from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.call import Call, CallState
from harness.endpoints.sip.incoming import IncomingCall
from harness.endpoints.sip.notes import MAX_WARNINGS
from harness.errors import InterlockError, SdpError, SipLocalError
from harness.protocols import sdp
from harness.protocols.sip.message import Request, Response
from harness.protocols.sip.registrar import Registrar
from harness.transport.context import Context
from harness.transport.udp import open_udp


def test_a_call_is_placed_held_resumed_and_cleared() -> None:
    async def work(context: Context) -> None:
        seen: list[str] = []
        incoming: list[IncomingCall] = []

        def take(call: IncomingCall) -> None:
            incoming.append(call)
            call.on_change(lambda _, what: seen.append(what))
            call.on_offer(lambda call, offer: sdp.answer(offer, "127.0.0.1", 5000, version=2)[0])
            answering(call)

        switch = await UserAgent.open(context, "switch", on_invite=take)
        trunk = await UserAgent.open(context, "trunk", display="Trunk")
        call = trunk.invite(
            switch.uri,
            offer=OFFER,
            caller='"Caller" <sip:+447700900123@127.0.0.1>',
            headers=[("P-Asserted-Identity", "<tel:+447700900123>"), ("Priority", "emergency")],
        )
        assert (call.state, call.direction) == (CallState.INVITING, "outgoing")
        await call.ringing(within=1)
        await call.answered(within=1)
        there = incoming[0]
        assert there.remote_identity.user == "+447700900123"
        assert (there.id, there.request.get("priority"), call.status) == (call.id, "emergency", 200)
        assert sdp.negotiated(call.local_sdp, call.remote_sdp).port == 5000
        held = await call.session.offer(sdp.offer("127.0.0.1", 4000, direction="sendonly", version=2), within=1)
        assert b"a=recvonly" in held
        there.hang_up()
        await call.ended(within=1)
        await there.ended(within=1)
        # The ACK of the first 200, then the new offer and the ACK of its 200, each once.
        assert sorted(seen) == sorted(["ringing", "answered", "confirmed", "offered", "confirmed", "ended"])
        assert (seen[:3], seen[-1]) == (["ringing", "answered", "confirmed"], "ended")
        assert (trunk.calls, switch.calls) == ((), ())
        kinds = [event.kind for event in context.journal if event.source == "trunk" and event.kind.startswith("call.")]
        assert kinds == ["call.inviting", "call.ringing", "call.answered", "call.ended"]
        await trunk.close()
        await switch.close()

    assert virtually(work) == virtually(work), "one seed, one journal"


def test_a_call_is_refused_cancelled_and_not_answered_and_says_so() -> None:
    async def work(context: Context) -> None:
        taken: list[IncomingCall] = []
        switch = await UserAgent.open(context, "switch", on_invite=taken.append)
        trunk = await UserAgent.open(context, "trunk")
        call = trunk.invite(switch.uri, offer=OFFER)
        await asyncio.sleep(0.1)
        with pytest.raises(SipLocalError, match=r"not ringing within 1 s: it is inviting, latest status 100"):
            await call.ringing(within=1)
        taken[0].reject(486, "Busy Here")
        with pytest.raises(SipLocalError, match="ended before it was answered: 486 Busy Here"):
            await call.answered(within=1)
        await call.ended(within=1)
        with pytest.raises(SipLocalError, match="it is ended"):
            taken[0].answer(OFFER)

        call = trunk.invite(switch.uri, offer=OFFER)
        await asyncio.sleep(0.1)
        taken[1].ring()
        await call.ringing(within=1)
        call.hang_up()
        await call.ended(within=1)
        await taken[1].ended(within=1)
        assert (call.status, taken[1].reason) == (487, "cancelled")

        call = trunk.invite("sip:nobody@127.0.0.1:9", offer=OFFER)
        with pytest.raises(SipLocalError, match="408"):
            await call.answered(within=40)

        call = trunk.invite(switch.uri, offer=OFFER)
        call.hang_up()  # before any provisional response: the CANCEL has to wait for one
        await call.ended(within=1)
        assert (call.status, call.state) == (487, CallState.ENDED)
        await trunk.close()
        await switch.close()

    virtually(work)


@pytest.mark.parametrize("seed", range(6))
def test_calls_survive_a_network_that_loses_doubles_and_reorders(seed: int) -> None:
    async def work(context: Context) -> None:
        network(loss=0.3, duplicate=0.2, jitter_s=0.2)
        taken: list[IncomingCall] = []

        def take(call: IncomingCall) -> None:
            taken.append(call)
            answering(call)

        switch = await UserAgent.open(context, "switch", on_invite=take)
        trunk = await UserAgent.open(context, "trunk")
        for _ in range(8):
            call = trunk.invite(switch.uri, offer=OFFER)
            await call.answered(within=32)
            call.hang_up()
            await call.ended(within=33)
        await asyncio.sleep(70)
        assert len({call.id for call in taken}) == 8
        assert len(taken) == 8, "no repeated INVITE was taken for a new call"
        assert (len(trunk.endpoint), len(switch.endpoint)) == (0, 0), "every transaction has ended"
        assert (trunk.calls, switch.calls) == ((), ())
        await trunk.close()
        await switch.close()

    virtually(work, seed)


def test_an_answer_that_is_never_acknowledged_ends_the_call_after_64_t1() -> None:
    async def work(context: Context) -> None:
        switch = await UserAgent.open(context, "switch", on_invite=answering)
        peer = await Peer.open(context)
        peer.port.send(peer.request("INVITE", switch, "Content-Type: application/sdp") + OFFER, switch.address)
        await asyncio.sleep(31)
        answers = [m for m in peer.got if isinstance(m, Response) and m.status == 200]
        # T1 doubled up to T2: at 0, 0.5, 1.5, 3.5, then every 4 s up to 27.5.
        assert len(answers) == 10
        await asyncio.sleep(3)
        byes = [m for m in peer.got if isinstance(m, Request)]
        assert byes[0].method == "BYE"
        assert byes[0].to_tag == "p"
        peer.port.send(bytes(byes[0].response(200)), switch.address)
        await context.journal.expect("switch", "call.ended", within=1, reason="no ACK")
        assert context.journal.find("switch", "sip.no-ack") is not None
        await switch.close()
        peer.port.close()

    virtually(work)


def test_registration_with_digest_is_made_refreshed_and_taken_back() -> None:
    async def work(context: Context) -> None:
        changed: list[str] = []
        switch = await UserAgent.open(
            context,
            "switch",
            registrar=Registrar(min_expires=60),
            on_register=changed.append,
            server_credentials={"govan-12": "s3cret"},
        )
        desk = await UserAgent.open(context, "desk", user="govan-12")
        registrar = f"sip:127.0.0.1:{switch.address[1]}"
        with pytest.raises(SipLocalError, match="401"):
            await desk.register(registrar, "govan-12", "wrong")
        with pytest.raises(SipLocalError, match="401"):
            await desk.register(registrar, "stranger", "s3cret")
        registration = await desk.register(registrar, "govan-12", "s3cret", expires=30)
        assert registration.expires == 60, "423 named the least"
        assert switch.registry is not None
        assert switch.registry.contacts("sip:govan-12@127.0.0.1") == [desk.uri]
        await asyncio.sleep(600)
        assert switch.registry.contacts("sip:govan-12@127.0.0.1") == [desk.uri], "refreshed, past the nonce's life too"
        await registration.unregister()
        assert switch.registry.contacts("sip:govan-12@127.0.0.1") == []
        again = await desk.register(registrar, "govan-12", "s3cret", expires=60)
        desk.endpoint.close()
        await asyncio.sleep(61)
        assert again.expires == 60
        assert switch.registry.contacts("sip:govan-12@127.0.0.1") == []
        assert context.journal.find("switch", "registration.lapsed") is not None
        assert set(changed) == {"sip:govan-12@127.0.0.1"}
        assert "s3cret" not in context.journal.lines()
        await switch.close()

    virtually(work)


def test_calls_are_challenged_where_the_switch_wants_it() -> None:
    async def work(context: Context) -> None:
        switch = await UserAgent.open(
            context, "switch", on_invite=answering, server_credentials={"trunk": "pw"}, authenticate=["INVITE"]
        )
        trunk = await UserAgent.open(context, "trunk", credentials=("trunk", "pw"))
        call = trunk.invite(switch.uri, offer=OFFER)
        await call.answered(within=2)
        await trunk.close()
        stranger = await UserAgent.open(context, "stranger")
        call = stranger.invite(switch.uri, offer=OFFER)
        with pytest.raises(SipLocalError, match="401"):
            await call.answered(within=2)
        await stranger.close()
        await switch.close()

    virtually(work)


def test_options_tells_what_we_can_do() -> None:
    async def work(context: Context) -> None:
        switch = await UserAgent.open(context, "switch")
        trunk = await UserAgent.open(context, "trunk")
        response = await trunk.options(switch.uri)
        assert (response.status, "application/sdp" in response.values("accept")) == (200, True)
        assert set(response.values("allow")) >= {"INVITE", "PRACK", "UPDATE", "REFER"}
        assert set(response.values("supported")) == {"100rel", "timer", "replaces", "norefersub"}
        with pytest.raises(SipLocalError, match=r"no answer|no final"):
            await trunk.options("sip:127.0.0.1:9", within=40)
        call = trunk.invite("sip:999@switch.example")
        with pytest.raises(SipLocalError, match=r"503 switch\.example has no address"):
            await call.answered(within=1)
        await trunk.close()
        await switch.close()

    virtually(work)


@pytest.mark.parametrize("registers", [False, True])
@pytest.mark.parametrize("texts", [False, True])
def test_allow_names_what_is_served_and_nothing_else(texts: bool, registers: bool) -> None:
    # RFC 3261 sections 20.5 and 21.4.6: a 405 that names the method refused sends its sender round in circles.
    async def work(context: Context) -> None:
        registrar = Registrar() if registers else None
        switch = await UserAgent.open(context, "switch", on_invite=answering, registrar=registrar)
        switch.on_message = (lambda _request: 200) if texts else None
        peer = await Peer.open(context)
        for at, method in enumerate(("OPTIONS", "INVITE", "MESSAGE", "REGISTER", "PUBLISH")):
            response = await peer.ask(switch, peer.request(method, switch, branch=f"a{at}"))
            allowed = {"MESSAGE": texts, "REGISTER": registers, "PUBLISH": False}.get(method, True)
            assert (response.status != 405) == allowed, method
            told = set(response.values("allow"))
            if method in ("OPTIONS", "INVITE", "PUBLISH") or not allowed:
                assert ("MESSAGE" in told, "REGISTER" in told) == (texts, registers), method
        await switch.close()
        peer.port.close()

    virtually(work)


def test_an_event_that_nobody_knows_is_refused_with_those_that_are_known() -> None:
    # RFC 6665 section 8.3.2 and its table: a 489 names events, and one that has no others tells of its own referrals.
    async def work(context: Context) -> None:
        switch = await UserAgent.open(context, "switch")
        peer = await Peer.open(context)
        response = await peer.ask(switch, peer.request("SUBSCRIBE", switch, "Event: presence"))
        assert (response.status, response.reason, response.get("allow-events")) == (489, "Bad Event", "refer")
        await switch.close()
        peer.port.close()

    virtually(work)


def test_what_we_do_not_serve_gets_the_answer_that_is_due() -> None:
    async def work(context: Context) -> None:
        switch = await UserAgent.open(context, "switch", on_invite=answering)
        peer = await Peer.open(context)
        cases = [
            ("BYE", (), "", 481),
            ("BYE", (), "gone", 481),
            ("INFO", (), "", 481),
            ("MESSAGE", (), "", 405),
            ("REGISTER", (), "", 405),
            ("FROBNICATE", (), "", 501),
            ("CANCEL", (), "", 481),
            ("INVITE", ("Require: 100rel, x, y",), "", 420),
            ("INVITE", ("Content-Type: text/plain", "Content-Length: 0"), "", 200),
        ]
        for at, (method, lines, tag, due) in enumerate(cases):
            response = await peer.ask(switch, peer.request(method, switch, *lines, branch=f"c{at}", tag=tag))
            assert response.status == due, method
            if due == 405:
                assert "INVITE" in response.values("allow")
            if due == 420:
                assert response.get("unsupported") == "x, y"
        broken = peer.request("INVITE", switch, "Content-Type: application/sdp", branch="s") + b"v=0\r\n"
        assert (await peer.ask(switch, broken)).status == 488
        text = peer.request("INVITE", switch, "Content-Type: text/plain", branch="t") + b"hello"
        assert (await peer.ask(switch, text)).status == 415
        other = peer.request("INVITE", switch, branch="u").replace(b"INVITE sip:", b"INVITE http:")
        assert (await peer.ask(switch, other)).status == 416
        for bad, due in [
            (peer.request("INVITE", switch, branch="m").replace(b"1 INVITE", b"1 BYE"), 400),
            (peer.request("INVITE", switch, branch="n").replace(b"Contact", b"X-Contact"), 400),
            (peer.request("INVITE", switch, "Content-Length: 99", branch="o"), 400),
            (peer.request("INVITE", switch, "Subject: a\x00b", branch="p"), 400),
        ]:
            response = await peer.ask(switch, bad)
            assert response.status == due
            assert "399" in (response.get("warning") or "")
        await switch.close()
        peer.port.close()

    virtually(work)


def test_garbage_brings_a_bounded_number_of_warnings_and_the_next_call_works() -> None:
    async def work(context: Context) -> None:
        switch = await UserAgent.open(context, "switch", on_invite=answering)
        trunk = await UserAgent.open(context, "trunk")
        peer = await Peer.open(context)
        valid = peer.request("INVITE", switch, "Content-Type: application/sdp") + OFFER
        nonsense = [
            b"",
            b"\x00",
            b"\r\n\r\n",
            b"\x00" * 1_000_000,
            b"\xff" * 500,
            b"x" * 65_535,
            b"SIP/2.0 200 OK\r\n\r\n",
        ]
        nonsense += [valid[:cut] for cut in range(0, len(valid) - len(OFFER) - 4, 7)]
        nonsense += [bytes(context.rng.randrange(256) for _ in range(300)) for _ in range(100)]
        for data in nonsense:
            peer.port.send(data, switch.address)
        await asyncio.sleep(1)
        warnings = [event for event in context.journal if event.data.get("severity") == "warning"]
        assert 10 < len(warnings) <= MAX_WARNINGS
        assert switch.endpoint.notes.refused > len(nonsense) // 2
        assert len(switch.endpoint) == 0
        call = trunk.invite(switch.uri, offer=OFFER)
        await call.answered(within=1)
        await trunk.close()
        await switch.close()
        peer.port.close()

    virtually(work)


def test_a_full_table_is_answered_with_503_and_what_lingers_makes_room() -> None:
    async def work(context: Context) -> None:
        taken: list[IncomingCall] = []
        switch = await UserAgent.open(context, "switch", on_invite=taken.append, max_transactions=5)
        peer = await Peer.open(context)
        for at in range(20):  # each ends at once and only lingers
            assert (await peer.ask(switch, peer.request("OPTIONS", switch, branch=f"o{at}"))).status == 200
        assert len(switch.endpoint) == 5
        for at in range(5):
            assert (await peer.ask(switch, peer.request("INVITE", switch, branch=f"i{at}"))).status == 100
        refused = await peer.ask(switch, peer.request("INVITE", switch, branch="i5"))
        assert (refused.status, refused.number("retry-after")) == (503, 10)
        taken[0].reject(486)
        assert (await peer.ask(switch, peer.request("OPTIONS", switch, branch="last"))).status == 200
        for call in switch.calls:
            call.hang_up()
        await switch.close()
        few = await UserAgent.open(context, "few", on_invite=taken.append, max_calls=1)
        assert (await peer.ask(few, peer.request("INVITE", few, branch="a"))).status == 100
        assert (await peer.ask(few, peer.request("INVITE", few, branch="b"))).status == 503
        await few.close()
        peer.port.close()

    virtually(work)


def test_the_interlock_is_asked_before_anything_leaves() -> None:
    async def work(context: Context) -> None:
        asked: list[str] = []

        def refuse(uri: str) -> None:
            asked.append(uri)
            raise InterlockError(f"{uri} is not on the allow-list")

        peer = await Peer.open(context)
        came: list[bytes] = []
        wire = await open_udp(("127.0.0.1", 0), lambda data, _: came.append(data), tap=context.tap)
        agent = await UserAgent.open(context, "trunk", permit=refuse, outbound=wire.local)
        with pytest.raises(InterlockError):
            agent.invite("sip:999@127.0.0.1", offer=OFFER)
        with pytest.raises(InterlockError):
            await agent.options("sip:999@127.0.0.1")
        with pytest.raises(InterlockError):
            await agent.register("sip:127.0.0.1", "a", "b")
        with pytest.raises(InterlockError):
            await agent.request("MESSAGE", "sip:101@127.0.0.1", body=b"x")
        await asyncio.sleep(40)
        assert asked == ["sip:999@127.0.0.1", "sip:999@127.0.0.1", "sip:127.0.0.1", "sip:101@127.0.0.1"]
        assert (came, peer.got) == ([], [])
        assert agent.calls == ()
        await agent.close()
        wire.close()
        peer.port.close()

    virtually(work)


def test_of_two_forks_that_answer_the_second_is_acknowledged_and_ended() -> None:
    async def work(context: Context) -> None:
        trunk = await UserAgent.open(context, "trunk")
        peer = await Peer.open(context)
        host, port = peer.port.local
        call = trunk.invite(f"sip:b@{host}:{port}", offer=OFFER)
        await asyncio.sleep(0.1)
        invite = peer.got[0]
        assert isinstance(invite, Request)
        contact = [("Contact", f"<sip:b@{host}:{port}>")]
        body = sdp.answer(OFFER, "127.0.0.1", 5000)[0]
        for status, tag in ((180, "one"), (180, "two"), (200, "two"), (200, "one"), (200, "two")):
            response = invite.response(status, to_tag=tag, headers=contact, body=body, content_type="application/sdp")
            peer.port.send(bytes(response), trunk.address)
            await asyncio.sleep(0.1)
        sent = [(m.method, m.to_tag) for m in peer.got[1:] if isinstance(m, Request)]
        assert sent == [("ACK", "two"), ("ACK", "one"), ("BYE", "one"), ("ACK", "two")]
        assert call.state is CallState.ANSWERED
        assert call.dialog is not None
        assert call.dialog.remote_tag == "two"
        await trunk.close()
        peer.port.close()

    virtually(work)


def test_offers_that_the_application_refuses_leave_the_call_as_it_was() -> None:
    async def work(context: Context) -> None:
        taken: list[Call] = []

        def refuse(call: Call, offer: bytes) -> bytes:
            raise SdpError("nothing that we speak")

        def take(call: IncomingCall) -> None:
            taken.append(call)
            call.on_offer(refuse)
            answering(call)

        switch = await UserAgent.open(context, "switch", on_invite=take)
        trunk = await UserAgent.open(context, "trunk")
        call = trunk.invite(switch.uri, offer=OFFER)
        await call.answered(within=1)
        await asyncio.sleep(0.1)
        with pytest.raises(SipLocalError, match="488"):
            await call.session.offer(OFFER, within=1)
        assert taken[0].state is call.state is CallState.ANSWERED
        assert taken[0].remote_sdp == OFFER
        await switch.close()
        assert call.is_over
        await trunk.close()

    virtually(work)


def test_a_handler_that_fails_gives_the_caller_an_answer_and_the_tester_the_error() -> None:
    async def work(context: Context) -> None:
        told: list[object] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, found: told.append(found["exception"]))

        def fail(call: IncomingCall) -> None:
            raise KeyError("a fault of ours")

        switch = await UserAgent.open(context, "switch", on_invite=fail)
        trunk = await UserAgent.open(context, "trunk")
        call = trunk.invite(switch.uri, offer=OFFER)
        with pytest.raises(SipLocalError, match="500"):
            await call.answered(within=1)
        assert isinstance(told[0], KeyError)

        def fail_too(request: Request) -> int:
            raise KeyError("another")

        switch.on_message = fail_too
        assert (await trunk.request("MESSAGE", switch.uri, body=b"x", content_type="text/plain")).status == 500
        assert len(told) == 2
        assert context.journal.find("switch", "sip.handler-failed") is not None
        await trunk.close()
        await switch.close()

    virtually(work)
