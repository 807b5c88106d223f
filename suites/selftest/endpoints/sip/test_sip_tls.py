"""SIP over TLS in virtual time: who is trusted and who is not, and what half-open handshakes cost."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from pathlib import Path

import pytest
from virtual_sip import OFFER, answering, virtually
from virtual_stream import Papers, StreamPeer

from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.flow import StreamFlow
from harness.endpoints.sip.incoming import IncomingCall
from harness.endpoints.sip.transports import Listen, TlsSides
from harness.errors import SipLocalError, TransportError
from harness.protocols.sip.registrar import Registrar
from harness.transport.context import Context
from harness.transport.stream import HANDSHAKE_S, MAX_SHAKING, connect_stream
from harness.transport.tls import TlsFiles, client_context

TLS = [Listen("TLS")]
LONG_AGO = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


@pytest.fixture
def papers(tmp_path: Path) -> Papers:
    return Papers(tmp_path)


async def refused(trunk: UserAgent, switch: UserAgent, why: str) -> None:
    """A call over TLS fails, and the reason tells why."""
    call = trunk.invite(switch.uri, offer=OFFER)
    with pytest.raises(SipLocalError, match=why):
        await call.answered(within=20)


def test_a_call_over_tls_with_both_sides_known_to_each_other(papers: Papers) -> None:
    async def work(context: Context) -> None:
        certificate, shown = papers.signed("127.0.0.1"), papers.signed("trunk.example", "127.0.0.1")
        taken: list[IncomingCall] = []

        def take(call: IncomingCall) -> None:
            taken.append(call)
            answering(call)

        switch = await UserAgent.open(
            context, "switch", listen=TLS, tls=papers.sides(certificate, mutual=True), on_invite=take
        )
        trunk = await UserAgent.open(context, "trunk", listen=TLS, tls=papers.sides(shown, shown=shown))
        assert switch.uri.endswith(";transport=tls")
        call = trunk.invite(switch.uri, offer=OFFER)
        await call.answered(within=2)
        flow = taken[0].flow
        assert isinstance(flow, StreamFlow) and flow.connection is not None and flow.connection.session is not None
        assert flow.connection.session.version == "TLSv1.3"
        assert set(flow.connection.session.peer_names) == {"trunk.example", "127.0.0.1"}
        assert taken[0].request.via.transport == "TLS"
        taken[0].hang_up()
        await call.ended(within=2)
        await trunk.close()
        await switch.close()

    virtually(work)


def test_a_sips_uri_goes_over_tls_and_gets_sips_contacts(papers: Papers) -> None:
    async def work(context: Context) -> None:
        sides = papers.sides(papers.signed("127.0.0.1"))
        taken: list[IncomingCall] = []
        switch = await UserAgent.open(
            context, "switch", listen=TLS, tls=sides, on_invite=taken.append, registrar=Registrar()
        )
        trunk = await UserAgent.open(context, "trunk", listen=TLS, tls=sides)
        port = switch.address[1]
        call = trunk.invite(f"sips:999@127.0.0.1:{port}", offer=OFFER)
        await asyncio.sleep(0.1)
        contact = taken[0].request.contact
        assert contact is not None and contact.uri.scheme == "sips"
        answering(taken[0])
        await call.answered(within=2)
        assert call.dialog is not None and call.dialog.target.startswith("sips:")
        call.hang_up()
        await call.ended(within=2)
        registration = await trunk.register(f"sips:127.0.0.1:{port}", "trunk", "", expires=60)
        assert switch.registry is not None
        assert switch.registry.contacts("sips:trunk@127.0.0.1") == [f"sips:trunk@127.0.0.1:{trunk.address[1]}"]
        assert registration.expires == 60
        await trunk.close()
        await switch.close()

    virtually(work)


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("another name", "IP address mismatch"),
        ("another authority", "unable to get local issuer certificate"),
        ("expired", "certificate has expired"),
    ],
)
def test_a_server_whose_certificate_does_not_hold_is_not_spoken_to(papers: Papers, kind: str, why: str) -> None:
    async def work(context: Context) -> None:
        match kind:
            case "another name":
                bad = papers.signed("switch.example", "127.0.0.2")
            case "another authority":
                bad = papers.stranger("127.0.0.1")
            case _:
                bad = papers.signed("127.0.0.1", not_before=LONG_AGO, not_after=LONG_AGO + datetime.timedelta(days=1))
        good = papers.signed("127.0.0.1")
        switch = await UserAgent.open(context, "switch", listen=TLS, tls=papers.sides(bad), on_invite=answering)
        trunk = await UserAgent.open(context, "trunk", listen=TLS, tls=papers.sides(good))
        await refused(trunk, switch, f"503 TLS handshake failed: certificate verify failed: .*{why}")
        assert context.journal.find("switch", "call.incoming") is None
        # The side that was refused tells it too: an alert says why.
        await context.journal.expect("switch", "sip.flow-lost", within=1, reason=lambda told: "alert" in told)
        await trunk.close()
        await switch.close()

    virtually(work)


def test_a_self_signed_certificate_is_taken_where_it_is_named_and_only_there(papers: Papers, tmp_path: Path) -> None:
    async def work(context: Context) -> None:
        # An authority's own certificate stands for one that signed itself.
        alone, other = Papers(_folder(tmp_path, "a")), Papers(_folder(tmp_path, "b"))
        certificate = alone.signed("127.0.0.1")
        switch = await UserAgent.open(context, "switch", listen=TLS, tls=alone.sides(certificate), on_invite=answering)
        trusting = await UserAgent.open(
            context, "trusting", tls=TlsSides(client=TlsFiles(authority=alone.authority, check_name=False))
        )
        call = trusting.invite(switch.uri, offer=OFFER)
        await call.answered(within=2)
        await trusting.close()
        wary = await UserAgent.open(context, "wary", tls=TlsSides(client=TlsFiles(authority=other.authority)))
        await refused(wary, switch, "certificate verify failed")
        system = await UserAgent.open(context, "system")
        await refused(system, switch, "certificate verify failed")
        for agent in (wary, system, switch):
            await agent.close()

    virtually(work)


def _folder(parent: Path, name: str) -> Path:
    path = parent / name
    path.mkdir()
    return path


def test_a_client_without_a_certificate_or_with_a_strangers_is_turned_away_where_one_is_asked_for(
    papers: Papers,
) -> None:
    async def work(context: Context) -> None:
        good = papers.signed("127.0.0.1")
        switch = await UserAgent.open(
            context, "switch", listen=TLS, tls=papers.sides(good, mutual=True), on_invite=answering
        )
        for name, shown in (("nothing", None), ("stranger", papers.stranger("127.0.0.1"))):
            trunk = await UserAgent.open(context, name, listen=TLS, tls=papers.sides(good, shown=shown))
            await refused(trunk, switch, "503 (TLS|the peer)")
            await trunk.close()
        assert context.journal.find("switch", "call.incoming") is None
        reasons = [event.data["reason"] for event in context.journal if event.kind == "sip.flow-lost"]
        assert any("peer did not return a certificate" in reason for reason in reasons)
        assert any("certificate verify failed" in reason for reason in reasons)
        await switch.close()

    virtually(work)


def test_what_can_t_be_used_is_said_when_the_port_is_opened(papers: Papers, tmp_path: Path) -> None:
    async def work(context: Context) -> None:
        bad = tmp_path / "not.pem"
        bad.write_text("not a certificate")
        for tls, told in (
            (None, "needs a certificate"),
            (TlsSides(TlsFiles(tmp_path / "missing.pem")), "there is no file"),
            (TlsSides(TlsFiles(bad)), "can't be used"),
            (TlsSides(TlsFiles(papers.signed("a"), mutual=True)), "needs the authority"),
        ):
            with pytest.raises(TransportError, match=told):
                await UserAgent.open(context, "switch", listen=TLS, tls=tls)
        trunk = await UserAgent.open(context, "trunk", tls=TlsSides(client=TlsFiles(authority=bad)))
        with pytest.raises(SipLocalError, match="can't be used"):
            trunk.invite("sips:a@127.0.0.1:5061")
        await trunk.close()

    virtually(work)


def test_a_half_open_handshake_is_given_up_and_plain_text_is_refused(papers: Papers) -> None:
    async def work(context: Context) -> None:
        switch = await UserAgent.open(context, "switch", listen=TLS, tls=papers.sides(papers.signed("127.0.0.1")))
        silent = await StreamPeer.connect(context, switch, kind="TLS")
        plain = await StreamPeer.connect(context, switch, kind="TLS")
        plain.send(plain.request("OPTIONS"))
        await asyncio.sleep(0.1)
        assert plain.lost_because is not None, "SIP in plain text to a TLS port"
        assert plain.got == []
        assert silent.lost_because is None
        await asyncio.sleep(HANDSHAKE_S)
        assert silent.lost_because is not None
        reasons = [event.data["reason"] for event in context.journal if event.kind == "sip.flow-lost"]
        assert any("no TLS handshake within 10 s" in reason for reason in reasons)
        assert any("TLS handshake failed" in reason for reason in reasons)
        await switch.close()

    virtually(work)


def test_more_handshakes_than_the_bound_cost_the_oldest_and_a_call_that_is_up_goes_on(papers: Papers) -> None:
    async def work(context: Context) -> None:
        sides = papers.sides(papers.signed("127.0.0.1"))
        switch = await UserAgent.open(context, "switch", listen=TLS, tls=sides, on_invite=answering)
        trunk = await UserAgent.open(context, "trunk", listen=TLS, tls=sides)
        call = trunk.invite(switch.uri, offer=OFFER)
        await call.answered(within=2)
        peers = [await StreamPeer.connect(context, switch, kind="TLS") for _ in range(MAX_SHAKING + 50)]
        await asyncio.sleep(0.1)
        assert [peer.lost_because is not None for peer in peers] == [True] * 50 + [False] * MAX_SHAKING
        assert (await call.send("OPTIONS", within=1)).status == 200
        call.hang_up()
        await call.ended(within=2)
        await trunk.close()
        await switch.close()

    virtually(work)


def test_messages_of_one_record_and_of_many_are_read_alike(papers: Papers) -> None:
    async def work(context: Context) -> None:
        sides = papers.sides(papers.signed("127.0.0.1"))
        switch = await UserAgent.open(context, "switch", listen=TLS, tls=sides)
        peer = StreamPeer()
        address = switch.endpoint.transports.locals["TLS"]
        assert sides.client is not None
        await connect_stream(address, peer, tap=context.tap, tls=client_context(sides.client))
        await asyncio.sleep(0.1)
        data = b"".join(peer.request("OPTIONS", branch=str(at)) for at in range(4))
        peer.send(data)
        for at in range(0, len(data), 50):
            peer.send(data.replace(b"z9hG4bK", b"z9hG4bKx")[at : at + 50])
        assert await peer.statuses() == [200] * 8
        peer.send(b"\r\n\r\n")
        await asyncio.sleep(0.1)
        assert peer.raw.endswith(b"\r\n\r\n\r\n"), "a keep-alive is answered over TLS too"
        peer.close()
        await asyncio.sleep(0.1)
        assert context.journal.find("switch", "sip.flow-lost") is None
        await switch.close()

    virtually(work)


def test_nothing_older_than_tls_1_2_is_spoken(papers: Papers) -> None:
    files = TlsFiles(papers.signed("127.0.0.1"), authority=papers.authority)
    assert client_context(files).minimum_version == ssl.TLSVersion.TLSv1_2
