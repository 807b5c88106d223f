"""baresip as telephones of the enterprise switch: registered, called, held, told of messages; SIPp as its trunk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import numpy as np
import pytest

from harness.endpoints.media import open_media
from harness.measure.correlate import correlation
from harness.measure.emodel import quality
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from harness.transport.context import Context
from simulators.switch.settings import SwitchSettings
from simulators.switch.simulator import SwitchSimulator
from simulators.switch.sounds import tune
from suites.selftest.ports import free_port
from suites.selftest.witnesses.baresip import Baresip, baresip, write_wav
from suites.selftest.witnesses.control_room import SCENARIOS, sipp, sipp_counts, sipp_errors

pytestmark = [pytest.mark.real_wire, pytest.mark.alone, pytest.mark.witness("baresip")]

PASSWORD = "test-telephone"
LEAST_LIKENESS = 0.8
OTHER_SPEECH = 0.35
REST_S = 60
WITHIN_S = 10.0


class Office:
    """A switch on loopback, and telephones at it."""

    def __init__(self, folder: Path, context: Context, switch: SwitchSimulator, stack: AsyncExitStack) -> None:
        self.context, self.switch = context, switch
        self._folder, self._stack = folder, stack

    @property
    def host(self) -> str:
        host, port = self.switch.sip_address
        return f"{host}:{port}"

    @property
    def secure_host(self) -> str:
        assert self.switch.sips_address is not None
        host, port = self.switch.sips_address
        return f"{host}:{port};transport=tls"

    async def telephone(self, number: str, says: Samples, *, secure: bool = False) -> Baresip:
        """A baresip that is registered as a line and speaks once it is connected; secure: by TLS, and by SRTP alone."""
        folder = self._folder / number
        folder.mkdir()
        write_wav(folder / "says.wav", np.concatenate([says, np.zeros(REST_S * SAMPLE_RATE, np.int16)]))
        host = self.secure_host if secure else self.host
        account = f"<sip:{number}@{host}>;auth_user={number};auth_pass={PASSWORD};regint=60;audio_codecs=PCMA"
        more = ""
        if secure:
            account += ";mediaenc=srtp-mand"
            more = f"module srtp.so\nsip_cafile {self.switch.authority}\n"
        telephone = await self._stack.enter_async_context(
            baresip(folder / "baresip", account=account, speech=folder / "says.wav", more=more)
        )
        await telephone.registered(within=WITHIN_S)
        return telephone


@pytest.fixture
def trunk_port() -> int:
    return free_port()


@pytest.fixture
async def office(tmp_path: Path, trunk_port: int) -> AsyncIterator[Office]:
    settings = SwitchSettings.model_validate(
        {
            "digest": ["MD5"],
            "tls": "generated",
            "lines": [
                {"number": "3101", "name": "Desk 3101", "password": PASSWORD},
                {"number": "3102", "name": "Desk 3102", "password": PASSWORD},
                {"number": "3103", "name": "Desk 3103", "password": PASSWORD, "secure": "required"},
            ],
            "voicemail": {"number": "3900"},
            "trunks": [{"name": "pstn", "peers": [{"address": f"127.0.0.1:{trunk_port}"}], "options": None}],
            "routes": [{"pattern": "9.!", "trunks": ["pstn"], "strip_pre_dot": True}],
        }
    )
    async with AsyncExitStack() as stack:
        context = Context.create(seed=1)
        stack.callback(context.close)
        media = await open_media(context, in_process=False)
        stack.push_async_callback(media.close)
        switch = await SwitchSimulator.start(
            context,
            media,
            settings,
            virtual=False,
            score=lambda codec, *, delay_ms, loss: quality(codec, delay_ms=delay_ms, loss=loss).mos,
        )
        stack.push_async_callback(switch.stop)
        yield Office(tmp_path, context, switch, stack)


async def test_two_call_each_other_and_one_holds_the_other_who_hears_music(
    office: Office, speech: Callable[[str], Samples]
) -> None:
    says, answers = speech("caller-999"), speech("call-taker")
    first, second = await office.telephone("3101", says), await office.telephone("3102", answers)
    await first.do("dial", f"sip:3102@{office.host}")
    await second.expect("CALL_INCOMING", within=WITHIN_S)
    await second.do("accept")
    await first.expect("CALL_ESTABLISHED", within=WITHIN_S)
    await second.expect("CALL_ESTABLISHED", within=WITHIN_S)
    await asyncio.sleep(len(says) / SAMPLE_RATE + 2)
    await first.do("hold")
    await office.context.journal.expect("call-1", "call.held", within=WITHIN_S)
    await asyncio.sleep(9)
    await first.do("resume")
    await office.context.journal.expect("call-1", "call.agreed", within=WITHIN_S)
    await first.do("hangup")
    await second.expect("CALL_CLOSED", within=WITHIN_S)
    await asyncio.sleep(1)
    heard = second.heard()
    assert correlation(says, heard) > LEAST_LIKENESS
    assert correlation(tune()[:SAMPLE_RATE], heard) > LEAST_LIKENESS
    assert correlation(answers, heard) < OTHER_SPEECH
    assert office.switch.switch.parties() == []


@pytest.mark.witness("sipp")
async def test_sipp_is_the_trunk_that_a_telephone_calls_out_by(
    office: Office, speech: Callable[[str], Samples], trunk_port: int, tmp_path: Path
) -> None:
    telephone = await office.telephone("3101", speech("caller-999"))
    folder = tmp_path / "trunk"
    async with sipp(folder, "-sn", "uas", "-i", "127.0.0.1", "-p", str(trunk_port), "-m", "1") as process:
        await telephone.do("dial", f"sip:901632960123@{office.host}")
        await telephone.expect("CALL_ESTABLISHED", within=WITHIN_S)
        await asyncio.sleep(1)
        await telephone.do("hangup")
        async with asyncio.timeout(WITHIN_S):
            assert await process.wait() == 0, sipp_errors(folder)
    assert sipp_counts(folder)["SuccessfulCall"] == 1


async def test_one_on_tls_and_srtp_and_one_on_neither_hear_each_other(
    office: Office, speech: Callable[[str], Samples]
) -> None:
    says, answers = speech("caller-999"), speech("call-taker")
    secured, plain = await office.telephone("3103", says, secure=True), await office.telephone("3102", answers)
    await secured.do("dial", f"sip:3102@{office.secure_host}")
    await plain.expect("CALL_INCOMING", within=WITHIN_S)
    await plain.do("accept")
    await secured.expect("CALL_ESTABLISHED", within=WITHIN_S)
    await asyncio.sleep(max(len(says), len(answers)) / SAMPLE_RATE + 2)
    await secured.do("hangup")
    await plain.expect("CALL_CLOSED", within=WITHIN_S)
    await asyncio.sleep(1)
    assert correlation(says, plain.heard()) > LEAST_LIKENESS
    assert correlation(answers, secured.heard()) > LEAST_LIKENESS
    assert "SRTP is Enabled (cryptosuite=AES_CM_128_HMAC_SHA1_80)" in secured.shown()


@pytest.mark.witness("sipp")
async def test_a_call_that_comes_in_without_an_offer_is_offered_speech_twice(
    office: Office, speech: Callable[[str], Samples], trunk_port: int, tmp_path: Path
) -> None:
    """SIPp on the trunk answers the switch's offer in its ACK, and does so again in a re-INVITE."""
    telephone = await office.telephone("3102", speech("call-taker"))
    folder = tmp_path / "trunk"
    where = (office.host, "-s", "3102", "-i", "127.0.0.1", "-p", str(trunk_port), "-mp", str(free_port()))
    async with sipp(folder, "-sf", str(SCENARIOS / "delayed_offer_calls.xml"), *where, "-m", "1") as process:
        await telephone.expect("CALL_INCOMING", within=WITHIN_S)
        await telephone.do("accept")
        await telephone.expect("CALL_ESTABLISHED", within=WITHIN_S)
        await telephone.expect("CALL_CLOSED", within=WITHIN_S)
        async with asyncio.timeout(WITHIN_S):
            assert await process.wait() == 0, sipp_errors(folder)
    assert sipp_counts(folder) == {"SuccessfulCall": 1, "FailedCall": 0, "Retransmissions": 0}
