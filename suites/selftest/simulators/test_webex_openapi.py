"""The simulated Webex does what its OpenAPI document says, as schemathesis sees it."""

from __future__ import annotations

from typing import Any

import httpx
from openapi import schemathesis_finds_nothing

from harness.transport.context import Context
from simulators.webex.ids import uuid_of
from simulators.webex.settings import WebexSettings
from simulators.webex.simulator import WebexSimulator


async def me(simulator: WebexSimulator) -> dict[str, Any]:
    """Whose token the simulator made."""
    headers = {"Authorization": f"Bearer {simulator.token}"}
    async with httpx.AsyncClient(base_url=simulator.url, headers=headers, trust_env=False) as http:
        found: dict[str, Any] = (await http.get("/v1/people/me")).json()
        return found


async def test_an_administrator_finds_what_the_document_says() -> None:
    settings = WebexSettings(requests_per_s=100_000, burst=1_000_000)
    simulator = await WebexSimulator.start(Context.create(seed=1), settings, virtual=False)
    try:
        # What no schema says: which ids there are, which filter goes with which resource, that one of three is needed.
        # Nearly a hundred operations, whose edges are covered in any case: few examples beyond these.
        checks = ("--exclude-checks", "positive_data_acceptance", "--max-examples", "8")
        own = (await me(simulator))["orgId"]
        org = uuid_of(own, "ORGANIZATION")
        assert org is not None
        await schemathesis_finds_nothing(simulator.url, *checks, token=simulator.token, known={"path.org": org})
        await schemathesis_finds_nothing(
            simulator.control_url, "--exclude-path", "/v1/fault", "--exclude-path", "/v1/busy"
        )
    finally:
        await simulator.stop()
