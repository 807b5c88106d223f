"""Which tenant was tested: told by the service itself, for the certificate."""

from __future__ import annotations

import pytest

from harness.errors import NotApplicableError
from harness.testbed.bench import Bench
from harness.testbed.components import WebexComponent


@pytest.mark.parametrize(
    "stands_in",
    [
        "the run's testbed",
        *(pytest.param(name, marks=pytest.mark.testbed(name)) for name in ("webex", "webex-calling")),
    ],
)
async def test_the_service_tells_whose_tenant_it_is(bench: Bench, stands_in: str) -> None:
    names = [name for name, each in bench.testbed.components.items() if isinstance(each, WebexComponent)]
    if not names:
        raise NotApplicableError(f"{stands_in}: {bench.testbed.name} has no Webex")
    for name in names:
        webex = await bench.webex(name)
        tenant = await webex.tenant()
        me = await (await webex.account()).ask("GET", "/people/me")
        assert tenant.organisation
        assert tenant.organisation_id == me["orgId"]
        bench.tested(
            name,
            service=tenant.service,
            organisation=tenant.organisation,
            organisation_id=tenant.organisation_id,
        )
