"""A Diary on a simulated network, in virtual time, with its calendar where a test wants it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio

from harness.endpoints.sms import ModemPort, PermitText, SmppPort, TextPort
from harness.endpoints.sms.smpp_port import SmppAccount
from harness.transport.context import Context
from harness.transport.https import http_client
from simulators.diary.settings import DiarySettings
from simulators.diary.simulator import DiarySimulator
from simulators.sms.settings import SmsSettings
from simulators.sms.simulator import SmsSimulator

CITIZEN, OTHER = "+447700900123", "+447700900124"
EVERY_DAY = {"days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "begin": "00:00", "end": "24:00"}
DIARIES = [{"id": "pc", "name": "Govan police station", "hours": [EVERY_DAY]}]


@dataclass
class Town:
    """A network, a Diary, and what a test does with both."""

    context: Context
    network: SmsSimulator
    way: str
    virtual: bool
    stack: AsyncExitStack
    diary: DiarySimulator = field(init=False)
    http: httpx.AsyncClient = field(init=False)
    keys: int = 0

    async def open_gateway(self, permit: PermitText | None = None) -> TextPort:
        if self.way == "modem":
            return await ModemPort.open(self.context, "gateway", self.network.serial_url, permit=permit)
        told = urlsplit(self.network.smpp_urls()[0])
        account = SmppAccount(
            told.hostname or "", told.port or 0, told.username or "", told.password or "", "+447700900001"
        )
        return await SmppPort.open(self.context, "gateway", account, permit=permit)

    async def start(
        self, now: str = "2026-01-05T09:00Z", *, permit: PermitText | None = None, crm: Any = None, **settings: Any
    ) -> DiarySimulator:
        """Start the Diary (again) at ``now``."""
        epoch = datetime.fromisoformat(now).timestamp() - self.context.journal.now()
        made = DiarySettings.model_validate({"diaries": DIARIES, **settings})

        async def way() -> TextPort:
            return await self.open_gateway(permit)

        self.diary = await DiarySimulator.start(self.context, made, virtual=self.virtual, way=way, crm=crm, epoch=epoch)
        self.http = http_client(f"{self.diary.url}/v1", timeout=30)
        return self.diary

    async def stop(self) -> None:
        await self.http.aclose()
        await self.diary.stop()

    async def book(self, start: str, telephone: str = CITIZEN, *, due: int = 201, **more: Any) -> dict[str, Any]:
        self.keys += 1
        key = more.pop("key", f"k{self.keys}")
        body = {"diary": "pc", "start": start, "telephone": telephone, **more}
        answer = await self.http.post("/appointments", json=body, headers={"Idempotency-Key": key})
        assert answer.status_code == due, answer.text
        return dict(answer.json())

    async def get(self, path: str) -> Any:
        answer = await self.http.get(path)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def texts(self, state: str | None = None) -> list[tuple[str, str]]:
        """Kinds and states of all texts, the oldest first."""
        told = (await self.get("/texts" + (f"?state={state}" if state else "")))["texts"]
        return [(each["kind"], each["state"]) for each in reversed(told)]

    async def tasks(self) -> list[tuple[str, str]]:
        """Kinds and subjects of open tasks, the oldest first."""
        return [(each["kind"], each["about"]) for each in reversed((await self.get("/tasks?state=open"))["tasks"])]

    def got(self, number: str = CITIZEN) -> list[str]:
        """What a handset got."""
        return [each["text"] for each in self.network.handsets.listed(number, 0)]

    def reply(self, text: str, number: str = CITIZEN) -> None:
        own = "+447700900000" if self.way == "modem" else "+447700900001"
        self.network.handsets.send(number, own, text)

    async def event(self, kind: str, within: float = 60.0, after: int = 0, **with_: Any) -> Any:
        return await self.context.journal.expect("diary", kind, within=within, after=after, **with_)


Begin = Callable[..., Awaitable[Town]]


@pytest_asyncio.fixture
async def begin() -> AsyncIterator[Begin]:
    """Lay a town out: ``await begin("modem" or "smpp")``; with ``virtual=False`` on real wires."""
    stack = AsyncExitStack()

    async def lay_out(way: str = "smpp", *, virtual: bool = True) -> Town:
        context = Context.create(seed=1)
        settings = SmsSettings.model_validate({"retry_s": 2, "accounts": [{"numbers": ["+447700900001"]}]})
        network = await SmsSimulator.start(context, settings, virtual=virtual)
        stack.push_async_callback(network.stop)
        town = Town(context, network, way, virtual, stack)

        async def stop() -> None:
            if hasattr(town, "diary"):
                await town.stop()

        stack.push_async_callback(stop)
        return town

    yield lay_out
    await stack.aclose()


@pytest.fixture(params=["modem", "smpp"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def pause(seconds: float) -> None:
    """Let time go on."""
    await asyncio.sleep(seconds)
