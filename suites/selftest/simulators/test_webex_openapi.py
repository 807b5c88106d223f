"""The simulated Webex does what its OpenAPI document says, as schemathesis sees it."""

from __future__ import annotations

from openapi import schemathesis_finds_nothing

from harness.transport.context import Context
from simulators.webex.settings import WebexSettings
from simulators.webex.simulator import WebexSimulator


async def test_an_administrator_finds_what_the_document_says() -> None:
    settings = WebexSettings(requests_per_s=100_000, burst=1_000_000)
    simulator = await WebexSimulator.start(Context.create(seed=1), settings, virtual=False)
    try:
        # What no schema says: which ids there are, which filter goes with which resource, that one of three is needed.
        # Nearly a hundred operations, whose edges are covered in any case: few examples beyond these.
        checks = ("--exclude-checks", "positive_data_acceptance", "--max-examples", "8")
        await schemathesis_finds_nothing(simulator.url, *checks, token=simulator.token)
        await schemathesis_finds_nothing(
            simulator.control_url, "--exclude-path", "/v1/fault", "--exclude-path", "/v1/busy"
        )
    finally:
        await simulator.stop()
