"""Contact Us is killed at random moments: what it answered is at the CRM and at command and control, each once."""

from __future__ import annotations

import asyncio
import random
import sys
from pathlib import Path

import httpx
import pytest
from contact_us_system import URGENT, PlainCrm

from harness.transport.context import Context
from simulators.command_control.settings import CommandControlSettings
from simulators.command_control.simulator import CommandControlSimulator
from simulators.web import WebServer

pytestmark = pytest.mark.real_wire
KILLS = 12
LIVES_S = (0.2, 0.9)
"""How long a process lives, at least and at most, once it is up."""
DRAINS_WITHIN_S = 60.0


async def begun(folder: Path, storm: str, crm: str) -> tuple[asyncio.subprocess.Process, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(Path(__file__).with_name("contact_us_process.py")),
        *(str(folder), storm, crm),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    url = (await process.stdout.readline()).decode().strip()
    assert url, "Contact Us did not come up"
    return process, url


async def press_until(url: str, prefix: str, answered: list[str]) -> None:
    """Hand urgent reports in, one after the other, until nobody answers; each again where its answer is lost."""
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        for number in range(10_000):
            try:
                answer = await http.post(
                    "/v1/submissions", json={"text": URGENT}, headers={"Idempotency-Key": f"{prefix}-{number}"}
                )
            except httpx.HTTPError:
                return
            answered.append(answer.json()["reference"])


async def test_what_was_answered_is_told_once_each_though_it_is_killed_at_random(tmp_path: Path) -> None:
    chance = random.Random("contact us 1")
    storm = await CommandControlSimulator.start(Context.create(seed=1), CommandControlSettings())
    crm = PlainCrm()
    web = WebServer(crm.app(), "127.0.0.1", 0)
    crm_url = f"http://127.0.0.1:{await web.start()}"
    answered: list[str] = []
    try:
        for life in range(KILLS):
            process, url = await begun(tmp_path, storm.link_url, crm_url)
            pressing = asyncio.create_task(press_until(url, str(life), answered))
            await asyncio.sleep(chance.uniform(*LIVES_S))  # a real process, whose time is the wall's
            process.kill()
            await process.wait()
            await pressing
        process, _ = await begun(tmp_path, storm.link_url, crm_url)
        try:
            async with asyncio.timeout(DRAINS_WITHIN_S):
                while True:
                    told = [each["id"].removeprefix("contact-us-") for each in storm.store.incidents()]
                    records = [each["reference"] for each in crm.records.values()]
                    if set(answered) <= set(told) and set(answered) <= set(records):
                        break
                    await asyncio.sleep(0.1)
        finally:
            process.kill()
            await process.wait()
        origins = storm.figures()["origins"]
    finally:
        await web.stop()
        await storm.stop()
    assert len(answered) > 2 * KILLS, "too little was handed in for the test to show anything"
    assert len(told) == len(set(told)) and len(records) == len(set(records)), "something is there twice"
    [(_, origin)] = [each for each in origins.items() if each[1]["entries"]]
    assert origin["entries"] == len(told), "an incident was opened, or tried to be, more than once"
