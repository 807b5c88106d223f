"""Contact Us's HTTP interfaces do what their OpenAPI documents say, as schemathesis sees them."""

from __future__ import annotations

import pytest
from openapi import schemathesis_finds_nothing

from harness.transport.context import Context
from simulators.contact_us.settings import ContactUsSettings
from simulators.contact_us.simulator import ContactUsSimulator

pytestmark = pytest.mark.real_wire


async def test_contact_us() -> None:
    settings = ContactUsSettings.model_validate({"limits": {"per_sender": 100_000, "in_all": 1_000_000}})
    simulator = await ContactUsSimulator.start(Context.create(seed=1), settings, virtual=False)
    try:
        # Telephone numbers and files in base64 are refused for what no JSON schema says.
        await schemathesis_finds_nothing(simulator.http_url, "--exclude-checks", "positive_data_acceptance")
        await schemathesis_finds_nothing(simulator.control_url)
    finally:
        await simulator.stop()
