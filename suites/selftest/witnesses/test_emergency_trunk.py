"""SIPp and baresip as control rooms on the emergency trunk, baresip as the caller: neither shares our stack."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path

import numpy as np
import pytest

from harness.endpoints.media import open_media
from harness.measure.correlate import correlation
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from harness.testbed.clips import AUDIO
from harness.transport.context import Context
from simulators.emergency.announcements import Announcements
from simulators.emergency.settings import EmergencySettings
from simulators.emergency.simulator import EmergencyNetwork
from suites.selftest.ports import free_port
from suites.selftest.witnesses.baresip import Baresip, baresip, write_wav
from suites.selftest.witnesses.control_room import SCENARIOS, sipp, sipp_counts, sipp_errors

pytestmark = [pytest.mark.real_wire, pytest.mark.alone, pytest.mark.witness("baresip")]

CLI = "+447700900123"
LEAST_LIKENESS = 0.8
REST_S = 60
WITHIN_S = 10.0
ASKED_S, HANDOVER_S, QUIET_S = 3, 5, 12
"""In how long the operator's question and hand-over are over; how long the caller is quiet for others."""
CONNECTS_WITHIN_S = 20.0


class Country:
    """An emergency network on loopback whose one route leads to a port, and a caller."""

    def __init__(self, folder: Path, context: Context, network: EmergencyNetwork, room_port: int) -> None:
        self.context, self.network = context, network
        self.room_port = room_port
        self._folder = folder

    def ended(self) -> list[tuple[str, str]]:
        """What became of the network's calls, and who ended each."""
        told = [event.data for event in self.context.journal if event.kind == "call.ended" and "outcome" in event.data]
        return [(data["outcome"], data["by"]) for data in told]

    def speech(self, name: str, says: Samples) -> Path:
        """A microphone: what is said, then silence."""
        path = self._folder / f"{name}.wav"
        write_wav(path, np.concatenate([says, np.zeros(REST_S * SAMPLE_RATE, np.int16)]))
        return path

    def telephone(self, name: str, says: Samples) -> AbstractAsyncContextManager[Baresip]:
        """A baresip that speaks once it is connected: the caller."""
        host, port = self.network.caller_address
        account = f"<sip:{CLI}@{host}:{port}>;regint=0;audio_codecs=PCMA"
        folder = self._folder / name
        folder.mkdir()
        return baresip(folder, account=account, speech=self.speech(name, says))

    async def dial(self, caller: Baresip) -> None:
        """Dial 999 and wait until an operator answers."""
        host, port = self.network.caller_address
        await caller.do("dial", f"sip:999@{host}:{port}")
        await caller.expect("CALL_ESTABLISHED", within=WITHIN_S)


@pytest.fixture
async def country(tmp_path: Path) -> AsyncIterator[Country]:
    port = free_port()
    settings = EmergencySettings.model_validate(
        {
            "authorities": [{"name": "police", "routes": [{"to": f"127.0.0.1:{port}"}]}],
            "operators": {"answer_s": {"least": 0.5, "most": 0.5}, "stay_s": {"least": 30, "most": 30}},
            "routing": {"ping_s": 0},
        }
    )
    async with AsyncExitStack() as stack:
        context = Context.create(seed=1)
        stack.callback(context.close)
        media = await open_media(context, in_process=False)
        stack.push_async_callback(media.close)
        network = await EmergencyNetwork.start(
            context,
            media,
            settings,
            announcements=Announcements.load(AUDIO),
            permit_dial=lambda _number: None,
            permit_locate=lambda *_asked: None,
        )
        stack.push_async_callback(network.stop)
        yield Country(tmp_path, context, network, port)


@pytest.mark.witness("sipp")
async def test_sipp_reads_the_mark_sends_the_operator_away_and_is_told_why_the_call_ends(
    country: Country, speech: Callable[[str], Samples], tmp_path: Path
) -> None:
    folder = tmp_path / "room"
    room = ("-sf", str(SCENARIOS / "control_room_answers.xml"))
    arguments = (*room, "-i", "127.0.0.1", "-p", str(country.room_port), "-mp", str(free_port()), "-m", "1")
    async with sipp(folder, *arguments) as process, country.telephone("caller", speech("caller-999")) as caller:
        await country.dial(caller)
        await country.context.journal.expect("emergency", "operator.left", within=CONNECTS_WITHIN_S)
        await caller.do("hangup")
        async with asyncio.timeout(WITHIN_S):
            assert await process.wait() == 0, sipp_errors(folder)
    assert sipp_counts(folder) == {"SuccessfulCall": 1, "FailedCall": 0, "Retransmissions": 0}
    assert country.ended() == [("answered", "caller")]


@pytest.mark.witness("sipp")
async def test_a_control_room_that_knows_nothing_of_the_mark_is_sent_no_info(
    country: Country, speech: Callable[[str], Samples], tmp_path: Path
) -> None:
    """SIPp's own called party, which would fail on any request but INVITE, ACK and BYE."""
    folder = tmp_path / "room"
    arguments = ("-sn", "uas", "-i", "127.0.0.1", "-p", str(country.room_port), "-m", "1")
    async with sipp(folder, *arguments) as process, country.telephone("caller", speech("caller-999")) as caller:
        await country.dial(caller)
        await country.context.journal.expect("emergency", "call.connected", within=CONNECTS_WITHIN_S)
        await caller.do("hangup")
        async with asyncio.timeout(WITHIN_S):
            assert await process.wait() == 0, sipp_errors(folder)
    assert sipp_counts(folder)["SuccessfulCall"] == 1, sipp_errors(folder)
    assert country.ended() == [("answered", "caller")]


async def test_caller_and_control_room_hear_each_other_and_both_hear_the_operator(
    country: Country, speech: Callable[[str], Samples], tmp_path: Path
) -> None:
    says, answers = speech("caller-999"), speech("call-taker")
    folder = tmp_path / "room"
    folder.mkdir()
    account = f"<sip:999@127.0.0.1:{country.room_port}>;regint=0;audio_codecs=PCMA"
    asked, handover, quiet = (np.zeros(seconds * SAMPLE_RATE, np.int16) for seconds in (ASKED_S, HANDOVER_S, QUIET_S))
    speaks = np.concatenate([asked, says, quiet, says])
    calls = AsyncExitStack()
    async with calls:
        room = await calls.enter_async_context(
            baresip(
                folder,
                account=account,
                speech=country.speech("room", np.concatenate([handover, answers])),
                sip_port=country.room_port,
            )
        )
        caller = await calls.enter_async_context(country.telephone("caller", speaks))
        await country.dial(caller)
        await room.expect("CALL_INCOMING", within=CONNECTS_WITHIN_S)
        await room.do("accept")
        await room.expect("CALL_ESTABLISHED", within=WITHIN_S)
        await asyncio.sleep(QUIET_S + len(says) / SAMPLE_RATE + 1)
        await caller.do("hangup")
        await room.expect("CALL_CLOSED", within=WITHIN_S)
        await asyncio.sleep(1)
    assert correlation(says, room.heard()) > LEAST_LIKENESS
    assert correlation(speech("operator-handover"), room.heard()) > LEAST_LIKENESS
    assert correlation(speech("operator-service"), caller.heard()) > LEAST_LIKENESS
    assert correlation(answers, caller.heard()) > LEAST_LIKENESS
