"""baresip and SIPp as the telephones of people whose calls are controlled by Webex's REST."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from harness.measure.correlate import correlation
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from suites.selftest.ports import free_port
from suites.selftest.witnesses.baresip import Baresip, baresip, write_wav
from suites.selftest.witnesses.control_room import (
    POLL_S,
    SCENARIOS,
    ControlRoom,
    control_room,
    sipp,
    sipp_counts,
    sipp_errors,
)

pytestmark = [pytest.mark.real_wire, pytest.mark.alone, pytest.mark.witness("baresip")]

SWITCH, WEBEX = "webex-switch", "webex"
PASSWORD = "test-telephone"
LEAST_LIKENESS = 0.8
REST_S = 60
WITHIN_S = 20.0


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[ControlRoom]:
    async with control_room(tmp_path / "room", WEBEX) as started:
        yield started


class Person:
    """Somebody of the organisation, by REST."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def do(self, act: str, **body: Any) -> Any:
        """Do something with a call."""
        answer = await self._http.post(f"/telephony/calls/{act}", json=body)
        assert answer.status_code in {200, 201, 204}, answer.text
        return answer.json() if answer.content else None

    async def call(self, state: str) -> dict[str, Any]:
        """Their one call, once it is in this state."""
        shown: list[dict[str, Any]] = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(WITHIN_S):
                while True:
                    shown = (await self._http.get("/telephony/calls")).json()["items"]
                    if [each["state"] for each in shown] == [state]:
                        return shown[0]
                    await asyncio.sleep(POLL_S)
        raise AssertionError(f"no one call is {state!r} within {WITHIN_S:g} s; there is {shown}")

    async def history(self, type_: str) -> list[dict[str, Any]]:
        """The calls they placed, missed or took."""
        return list((await self._http.get("/telephony/calls/history", params={"type": type_})).json()["items"])


@contextlib.asynccontextmanager
async def person(room: ControlRoom, email: str) -> AsyncIterator[Person]:
    """Somebody's client of the service, with a token of their own."""
    async with httpx.AsyncClient(base_url=room.addresses.url(WEBEX, "control"), trust_env=False) as control:
        token = (await control.post("/v1/tokens", json={"email": email})).json()["token"]
    url = f"{room.addresses.url(WEBEX, 'http')}/v1"
    async with httpx.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {token}"}, trust_env=False) as http:
        yield Person(http)


def switch_of(room: ControlRoom) -> str:
    return room.addresses.url(SWITCH, "sip").removeprefix("sip:")


@contextlib.asynccontextmanager
async def telephone(room: ControlRoom, folder: Path, number: str, says: Samples) -> AsyncIterator[Baresip]:
    """A baresip that is registered as somebody's line and speaks once it is connected."""
    folder.mkdir()  # noqa: ASYNC240 - a moment, before anything goes on
    write_wav(folder / "says.wav", np.concatenate([says, np.zeros(REST_S * SAMPLE_RATE, np.int16)]))
    account = f"<sip:{number}@{switch_of(room)}>;auth_user={number};auth_pass={PASSWORD};regint=60;audio_codecs=PCMA"
    async with baresip(folder / "baresip", account=account, speech=folder / "says.wav") as running:
        await running.registered(within=WITHIN_S)
        yield running


async def test_two_baresips_are_rung_by_rest_and_speak_until_rest_hangs_up(
    room: ControlRoom, tmp_path: Path, speech: Callable[[str], Samples]
) -> None:
    says, answers = speech("caller-999"), speech("call-taker")
    async with (
        person(room, "admin@force.example") as ailsa,
        person(room, "operator@force.example") as callum,
        telephone(room, tmp_path / "ailsa", "2000", says) as first,
        telephone(room, tmp_path / "callum", "2001", answers) as second,
    ):
        dialled = await ailsa.do("dial", destination="2001")
        await first.expect("CALL_INCOMING", within=WITHIN_S)
        await first.do("accept")
        await second.expect("CALL_INCOMING", within=WITHIN_S)
        assert (await callum.call("alerting"))["personality"] == "terminator"
        await second.do("accept")
        placed, taken = await ailsa.call("connected"), await callum.call("connected")
        assert placed["id"] == dialled["callId"]
        assert (placed["remoteParty"]["number"], taken["remoteParty"]["number"]) == ("2001", "2000")
        await asyncio.sleep(len(says) / SAMPLE_RATE + 1)
        await ailsa.do("hold", callId=placed["id"])
        await ailsa.call("held")
        await ailsa.do("resume", callId=placed["id"])
        await ailsa.call("connected")
        await callum.do("hangup", callId=taken["id"])
        for each in (first, second):
            await each.expect("CALL_CLOSED", within=WITHIN_S)
        assert [each["number"] for each in await ailsa.history("placed")] == ["2001"]
        assert [each["number"] for each in await callum.history("received")] == ["2000"]
        await asyncio.sleep(1)
        assert correlation(says, second.heard()) > LEAST_LIKENESS
        assert correlation(answers, first.heard()) > LEAST_LIKENESS


@pytest.mark.witness("sipp")
async def test_sipp_is_the_telephone_that_rest_rings_and_a_call_is_transferred_to(
    room: ControlRoom, tmp_path: Path, speech: Callable[[str], Samples]
) -> None:
    port = free_port()
    words = ("-sf", str(SCENARIOS / "register.xml"), switch_of(room), "-s", "2002", "-au", "2002", "-ap", PASSWORD)
    async with sipp(tmp_path / "register", *words, "-p", str(port), "-m", "1") as process:
        async with asyncio.timeout(WITHIN_S):
            assert await process.wait() == 0, sipp_errors(tmp_path / "register")
    folder = tmp_path / "answer"
    async with (
        person(room, "admin@force.example") as ailsa,
        person(room, "operator@force.example") as callum,
        person(room, "officer@force.example") as isla,
        telephone(room, tmp_path / "ailsa", "2000", speech("caller-999")) as first,
        telephone(room, tmp_path / "callum", "2001", speech("call-taker")) as second,
        sipp(folder, "-sn", "uas", "-p", str(port), "-m", "1") as process,
    ):
        await ailsa.do("dial", destination="2001")
        await first.expect("CALL_INCOMING", within=WITHIN_S)
        await first.do("accept")
        await second.expect("CALL_INCOMING", within=WITHIN_S)
        await second.do("accept")
        taken = await callum.call("connected")
        await callum.do("transfer", callId1=taken["id"], destination="2002")
        await second.expect("CALL_CLOSED", within=WITHIN_S)
        joined = await isla.call("connected")
        assert joined["remoteParty"]["number"] == "2000"
        await isla.do("hangup", callId=joined["id"])
        await first.expect("CALL_CLOSED", within=WITHIN_S)
        async with asyncio.timeout(WITHIN_S):
            assert await process.wait() == 0, sipp_errors(folder)
    counts = sipp_counts(folder)
    assert (counts["SuccessfulCall"], counts["FailedCall"]) == (1, 0), sipp_errors(folder)
