"""Calls a second from a REST dial to an answered SIP call, and its end by REST; its peer is the same dialled by SIP.

Webex, the enterprise switch, its telephones and the clients are one process on one core.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx

from harness.drivers.telephone import Telephone
from harness.endpoints.media import open_media
from harness.measure.emodel import quality
from harness.transport.context import Context
from simulators.switch.settings import SwitchSettings
from simulators.switch.simulator import SwitchSimulator
from simulators.webex.settings import WebexSettings
from simulators.webex.simulator import WebexSimulator

CALLS, AT_ONCE = 120, 4
FIRST = 2_101
"""The first caller's line; each pair has two lines."""
PASSWORD = "test-telephone"
WITHIN_S = 10.0
Calling = Callable[[int], Awaitable[None]]


async def _measured(calling: Calling) -> float:
    """Calls a second of AT_ONCE callers, each calling one after another."""

    async def one(pair: int) -> None:
        for _ in range(CALLS // AT_ONCE):
            await calling(pair)

    began = time.perf_counter()
    await asyncio.gather(*(one(pair) for pair in range(AT_ONCE)))
    return round(CALLS / (time.perf_counter() - began), 1)


def _score(codec: str, *, delay_ms: float, loss: float) -> float:
    return quality(codec, delay_ms=delay_ms, loss=loss).mos


async def _calls() -> dict[str, Any]:
    context = Context.create(seed=1)
    numbers = [str(FIRST + index) for index in range(2 * AT_ONCE)]
    lines = [{"number": each, "password": PASSWORD, "voicemail": False} for each in numbers]
    people = [{"email": f"p{each}@force.example", "name": f"Person {each}", "extension": each} for each in numbers]
    people.append({"email": "admin@force.example", "name": "Admin", "role": "administrator"})
    told = {"organisations": [{"name": "Force", "people": people}], "requests_per_s": 100_000, "burst": 1_000_000}
    async with AsyncExitStack() as stack:
        media = await open_media(context, in_process=False)
        stack.push_async_callback(media.close)
        settings = SwitchSettings.model_validate({"lines": lines})
        switch = await SwitchSimulator.start(context, media, settings, virtual=False, score=_score)
        stack.push_async_callback(switch.stop)
        control = (switch.control_url, None)
        webex = await WebexSimulator.start(context, WebexSettings.model_validate(told), virtual=False, switch=control)
        stack.push_async_callback(webex.stop)
        phones = []
        for number in numbers:
            phone = await Telephone.open(
                context,
                media,
                number,
                number=number,
                password=PASSWORD,
                homes=[switch.sip_address],
                lamp=False,
                permit=lambda _uri: None,
            )
            stack.push_async_callback(phone.close)
            phones.append(phone)
        clients = []
        for number in numbers[::2]:
            issued = webex.issue(f"p{number}@force.example", None, None)
            assert issued is not None, "the account was made above"
            headers = {"Authorization": f"Bearer {issued.access_token}"}
            client = httpx.AsyncClient(base_url=f"{webex.url}/v1", headers=headers, trust_env=False, timeout=WITHIN_S)
            clients.append(await stack.enter_async_context(client))

        async def by_rest(pair: int) -> None:
            answer = await clients[pair].post("/telephony/calls/dial", json={"destination": numbers[2 * pair + 1]})
            if answer.status_code != 200:
                raise RuntimeError(f"a call was refused: {answer.status_code} {answer.text}")
            own = await phones[2 * pair].rings(within=WITHIN_S)
            rung = await phones[2 * pair + 1].rings(within=WITHIN_S)
            await rung.answer()
            await own.answered(within=WITHIN_S)
            call = {"callId": answer.json()["callId"]}
            answer = await clients[pair].post("/telephony/calls/hangup", json=call)
            if answer.status_code != 204:
                raise RuntimeError(f"a call was not ended: {answer.status_code} {answer.text}")
            await own.ended(within=WITHIN_S)
            await rung.ended(within=WITHIN_S)

        async def by_sip(pair: int) -> None:
            own = await phones[2 * pair].dial(numbers[2 * pair + 1])
            rung = await phones[2 * pair + 1].rings(within=WITHIN_S)
            await rung.answer()
            await own.answered(within=WITHIN_S)
            await own.hang_up()
            await rung.ended(within=WITHIN_S)

        return {"calls": CALLS, "by_rest_per_s": await _measured(by_rest), "by_sip_per_s": await _measured(by_sip)}


def measure() -> dict[str, Any]:
    """Measure."""
    return asyncio.run(_calls())
