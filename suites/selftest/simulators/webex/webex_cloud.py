"""A simulated Webex that is up, and a client of each of its accounts, for tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx

from harness.transport.context import Context
from simulators.webex.settings import WebexSettings
from simulators.webex.simulator import WebexSimulator

ADMIN, OPERATOR, OFFICER = "admin@force.example", "operator@force.example", "officer@force.example"
PARTNER, BOT = "admin@partner.example", "bot@webex.bot.example"


class Running:
    """One that is up."""

    def __init__(self, simulator: WebexSimulator, context: Context, stack: AsyncExitStack) -> None:
        self.simulator = simulator
        self.journal = context.journal
        self._stack = stack

    async def client(
        self, email: str = ADMIN, *, scopes: set[str] | None = None, lives: float | None = None
    ) -> httpx.AsyncClient:
        """A client with a token of this account."""
        issued = self.simulator.issue(email, None if scopes is None else frozenset(scopes), lives)
        assert issued is not None
        return await self.with_token(issued.access_token)

    async def with_token(self, token: str) -> httpx.AsyncClient:
        """A client with this token."""
        headers = {"Authorization": f"Bearer {token}"}
        http = httpx.AsyncClient(base_url=f"{self.simulator.url}/v1", headers=headers, trust_env=False)
        return await self._stack.enter_async_context(http)


@asynccontextmanager
async def webex(*, virtual: bool = False, **settings: Any) -> AsyncIterator[Running]:
    """Start one, and stop it."""
    context = Context.create(seed=1)
    made = WebexSettings.model_validate(settings)
    simulator = await WebexSimulator.start(context, made, virtual=virtual)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(simulator.stop)
        yield Running(simulator, context, stack)


async def room(http: httpx.AsyncClient, *others: str, **fields: Any) -> str:
    """A room, with others in it."""
    made = await http.post("/rooms", json={"title": "Room", **fields})
    assert made.status_code == 200, made.text
    for email in others:
        joined = await http.post("/memberships", json={"roomId": made.json()["id"], "personEmail": email})
        assert joined.status_code == 200, joined.text
    return str(made.json()["id"])


def refused(answer: httpx.Response, status: int) -> str:
    """The message of a refusal, which has Webex's shape whatever refused it."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    said = answer.json()
    assert set(said) == {"message", "errors", "trackingId"}
    assert said["errors"] and all(set(each) == {"description"} for each in said["errors"])
    assert answer.headers["trackingid"] == said["trackingId"]
    return str(said["message"])
