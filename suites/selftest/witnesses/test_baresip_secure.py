"""baresip as a telephone that registers over TCP and TLS: called over its own connection, held, transferred, keyed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import trustme

from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.call import Call, CallState
from harness.endpoints.sip.flow import StreamFlow
from harness.endpoints.sip.incoming import IncomingCall
from harness.endpoints.sip.refer import Referral, refer
from harness.endpoints.sip.transports import Listen, TlsSides
from harness.protocols import sdp
from harness.protocols.rtp.g711 import SAMPLE_RATE
from harness.protocols.sip.registrar import Registrar
from harness.transport.context import Context
from harness.transport.tls import TlsFiles
from harness.transport.udp import open_udp
from suites.selftest.witnesses.baresip import Baresip, baresip, write_wav

pytestmark = [pytest.mark.real_wire, pytest.mark.alone, pytest.mark.witness("baresip")]

USER, PASSWORD = "2002", "s3cret"
WITHIN_S = 5.0
SILENCE_S = 60
DTMF = 101
KEYS = {str(digit): digit for digit in range(10)} | {"*": 10, "#": 11}


class Desk:
    """A switch of ours with a telephone's ear: it keeps the calls and the keys that are pressed."""

    def __init__(self, agent: UserAgent) -> None:
        self.agent = agent
        self.calls: asyncio.Queue[IncomingCall] = asyncio.Queue()
        self.keys: list[int] = []
        self.rtp = ("127.0.0.1", 0)
        self._ended: list[int] = []
        agent.on_invite = self.take

    def heard(self, data: bytes, _source: object) -> None:
        """One RTP packet: a key is taken when its end comes, which is sent three times (RFC 4733 section 2.5.1.4)."""
        if data[1] & 0x7F == DTMF and data[13] & 0x80:
            stamp = int.from_bytes(data[4:8], "big")
            if not self._ended or self._ended[-1] != stamp:
                self._ended.append(stamp)
                self.keys.append(data[12])

    def take(self, call: IncomingCall) -> None:
        call.on_offer(self.answer_to)
        call.ring()
        call.answer(self.answer_to(call, call.remote_sdp))
        self.calls.put_nowait(call)

    def answer_to(self, call: Call, offer: bytes) -> bytes:
        return sdp.answer(offer, *self.rtp, version=2)[0] if offer else sdp.offer(*self.rtp)

    async def came(self) -> IncomingCall:
        async with asyncio.timeout(WITHIN_S):
            return await self.calls.get()


@contextlib.asynccontextmanager
async def desk_and_telephone(folder: Path, transport: str) -> AsyncIterator[tuple[Desk, Baresip, Context]]:
    """A switch of ours and a baresip that has registered with it over one transport; both are gone afterwards."""
    context = Context.create(seed=1)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(folder / "switch.pem"))
    files = TlsFiles(folder / "switch.pem", authority=folder / "authority.pem")
    agent = await UserAgent.open(
        context,
        "switch",
        listen=[Listen("UDP"), Listen(transport)],
        tls=TlsSides(files, files),
        registrar=Registrar(),
        server_credentials={USER: PASSWORD},
        algorithms=["MD5"],
    )
    desk = Desk(agent)
    ear = await open_udp(("127.0.0.1", 0), desk.heard, tap=context.tap)
    desk.rtp = ear.local
    write_wav(folder / "silence.wav", np.zeros(SILENCE_S * SAMPLE_RATE, np.int16))
    port = agent.endpoint.transports.locals[transport][1]
    account = (
        f"<sip:{USER}@127.0.0.1:{port};transport={transport.lower()}>;auth_user={USER};auth_pass={PASSWORD};"
        "regint=60;audio_codecs=PCMA;answermode=manual"
    )
    more = f"sip_cafile {folder / 'authority.pem'}\n" if transport == "TLS" else ""
    try:
        async with baresip(folder / "baresip", account=account, speech=folder / "silence.wav", more=more) as telephone:
            await telephone.registered(within=WITHIN_S)
            yield desk, telephone, context
    finally:
        ear.close()
        await agent.close()


@pytest.mark.parametrize("transport", ["TCP", "TLS"])
async def test_it_calls_holds_resumes_and_presses_keys(tmp_path: Path, transport: str) -> None:
    async with desk_and_telephone(tmp_path, transport) as (desk, telephone, context):
        port = desk.agent.endpoint.transports.locals[transport][1]
        await telephone.do("dial", f"sip:999@127.0.0.1:{port};transport={transport.lower()}")
        call = await desk.came()
        await telephone.expect("CALL_ESTABLISHED", within=WITHIN_S)
        assert call.request.via.transport == transport
        for key in "19*#":
            await telephone.press(key)
            await asyncio.sleep(0.3)  # a person's finger: it sends one key after the other
        assert desk.keys == [KEYS[key] for key in "19*#"]

        after = context.journal.position
        await telephone.do("hold")
        held = await context.journal.expect("switch", "sip.received", within=WITHIN_S, after=after, method="INVITE")
        assert sdp.parse(call.remote_sdp).direction(sdp.parse(call.remote_sdp).media[0]) == "sendonly"
        await telephone.do("resume")
        await context.journal.expect("switch", "sip.received", within=WITHIN_S, after=held.seq, method="INVITE")
        assert sdp.parse(call.remote_sdp).direction(sdp.parse(call.remote_sdp).media[0]) == "sendrecv"

        # We hold it, too.
        offer = sdp.offer(*desk.rtp, direction="sendonly", version=7)
        assert b"a=recvonly" in await call.session.offer(offer, within=WITHIN_S)
        await call.session.offer(sdp.offer(*desk.rtp, version=8), within=WITHIN_S)
        call.hang_up()
        await telephone.expect("CALL_CLOSED", within=WITHIN_S)
        await call.ended(within=WITHIN_S)


@pytest.mark.parametrize("transport", ["TCP", "TLS"])
async def test_it_is_called_over_the_connection_that_it_registered_by(tmp_path: Path, transport: str) -> None:
    async with desk_and_telephone(tmp_path, transport) as (desk, telephone, _):
        assert desk.agent.registry is not None
        (contact,) = desk.agent.registry.contacts(f"sip:{USER}@127.0.0.1")
        for hangs_up_there in (False, True):
            after = len(telephone.events)
            call = desk.agent.invite(contact, offer=sdp.offer(*desk.rtp))
            await call.ringing(within=WITHIN_S)
            await telephone.expect("CALL_INCOMING", within=WITHIN_S, after=after)
            await telephone.do("accept")
            await call.answered(within=WITHIN_S)
            assert isinstance(call.flow, StreamFlow) and not call.flow.ours
            if hangs_up_there:
                await telephone.do("hangup")
            else:
                call.hang_up()
            await call.ended(within=WITHIN_S)
            await telephone.expect("CALL_CLOSED", within=WITHIN_S, after=after)


@pytest.mark.parametrize("transport", ["TCP", "TLS"])
async def test_it_transfers_us_and_we_transfer_it(tmp_path: Path, transport: str) -> None:
    async with desk_and_telephone(tmp_path, transport) as (desk, telephone, context):
        target = Desk(await UserAgent.open(context, "target"))
        target.rtp = desk.rtp
        port = desk.agent.endpoint.transports.locals[transport][1]
        await telephone.do("dial", f"sip:999@127.0.0.1:{port};transport={transport.lower()}")
        call = await desk.came()
        await telephone.expect("CALL_ESTABLISHED", within=WITHIN_S)
        placed: list[Call] = []

        def do(referral: Referral) -> None:
            referral.accept()
            placed.append(
                desk.agent.invite(str(referral.target), offer=sdp.offer(*desk.rtp), headers=referral.headers())
            )
            referral.follow(placed[0])

        desk.agent.on_refer = do
        await telephone.do("transfer", target.agent.uri)
        there = await target.came()
        await call.ended(within=WITHIN_S)  # it hangs up once it is told that the new call stands
        await placed[0].answered(within=WITHIN_S)
        assert there.state is CallState.ANSWERED
        placed[0].hang_up()
        await there.ended(within=WITHIN_S)

        # Now the other way: it places the call that we ask it for, and tells us of it.
        after = len(telephone.events)
        await telephone.do("dial", f"sip:999@127.0.0.1:{port};transport={transport.lower()}")
        call = await desk.came()
        await telephone.expect("CALL_ESTABLISHED", within=WITHIN_S, after=after)
        transfer = await refer(call, target.agent.uri)
        there = await target.came()
        assert there.request.from_.uri.user == USER
        await transfer.done(within=WITHIN_S)
        there.hang_up()
        await there.ended(within=WITHIN_S)
        call.hang_up()
        await call.ended(within=WITHIN_S)
        await target.agent.close()
