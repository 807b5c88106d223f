"""Call queues by REST: made, changed, agents who join, and what is refused or another organisation's."""

from __future__ import annotations

from typing import Any

import pytest

from harness.drivers.webex import Webex
from harness.endpoints.webex import WebexClient
from harness.errors import WebexRefusedError
from harness.testbed.bench import Bench

pytestmark = pytest.mark.testbed("webex-calling")

ROOT = "/telephony/config"


async def refused(client: WebexClient, status: int, method: str, path: str, **given: Any) -> None:
    with pytest.raises(WebexRefusedError) as raised:
        await client.ask(method, path, **given)
    assert raised.value.status == status, raised.value


async def laid_out(webex: Webex) -> tuple[str, dict[str, Any]]:
    """Where queues are made, and what one is made of."""
    client, who = await webex.account(), await (await webex.account("operator")).ask("GET", "/people/me")
    place = (await client.ask("GET", "/locations"))["items"][0]["id"]
    return f"{ROOT}/locations/{place}/queues", {"name": "Front", "extension": "2260", "agents": [{"id": who["id"]}]}


async def test_a_queue_is_made_rings_is_changed_and_goes(bench: Bench) -> None:
    webex = await bench.webex()
    client = await webex.account()
    path, body = await laid_out(webex)
    made = (await client.ask("POST", path, body))["id"]
    phone, caller = await bench.telephone("operator-phone"), await bench.telephone("third-phone")
    call = await caller.dial("2260")
    await (await phone.rings(within=2)).answer()
    await call.hang_up()
    overflow = {"action": "TRANSFER_TO_PHONE_NUMBER", "transferNumber": "2003", "overflowAfterWaitEnabled": True}
    settings = {"queueSize": 3, "overflow": overflow | {"overflowAfterWaitTime": 30}}
    await client.ask("PUT", f"{path}/{made}", {"name": "Back", "queueSettings": settings})
    queue = await webex.call_queue("Back")
    assert queue["queueSettings"]["queueSize"] == 3
    assert queue["queueSettings"]["overflow"] == settings["overflow"]
    assert (queue["extension"], queue["callPolicies"]["policy"]) == ("2260", "REGULAR"), "what was left out stays"
    await webex.join_queue("Back", "operator", joined=False)
    who = body["agents"][0]["id"]
    told = await client.ask("GET", f"{ROOT}/queues/agents/{who}")
    assert {each["name"]: each["joinEnabled"] for each in told["queues"]} == {"Back": False, "Pilot desk": True}
    await client.ask("DELETE", f"{path}/{made}")
    await refused(client, 404, "GET", f"{path}/{made}")
    assert [each["name"] for each in (await client.ask("GET", f"{ROOT}/queues"))["queues"]] == ["Pilot desk"]


async def test_a_queue_that_can_not_be_is_refused_and_nothing_is_made(bench: Bench) -> None:
    webex = await bench.webex()
    client = await webex.account()
    path, body = await laid_out(webex)
    lost = {"queueSettings": {"overflow": {"action": "TRANSFER_TO_PHONE_NUMBER"}}}
    for status, wrong in (
        (409, {"extension": "2250"}),
        (409, {"extension": "2001"}),
        (400, {"extension": None}),
        (400, {"agents": []}),
        (404, {"agents": [{"id": "nobody"}]}),
        (400, {"callPolicies": {"policy": "WEIGHTED"}}),
        (400, lost),
        (400, {"queueSettings": {"queueSize": 0}}),
    ):
        await refused(client, status, "POST", path, body=body | wrong)
    assert len((await client.ask("GET", f"{ROOT}/queues"))["queues"]) == 1


async def test_a_queue_is_its_organisations_administrators(bench: Bench) -> None:
    webex = await bench.webex()
    path, body = await laid_out(webex)
    queue = await webex.call_queue("Pilot desk")
    partner, operator = await webex.account("partner"), await webex.account("operator")
    assert (await partner.ask("GET", f"{ROOT}/queues"))["queues"] == []
    await refused(partner, 404, "GET", f"{path}/{queue['id']}")
    await refused(partner, 404, "DELETE", f"{path}/{queue['id']}")
    await refused(partner, 404, "POST", path, body=body)
    join = {"settings": [{"queueId": queue["id"], "joinEnabled": False}]}
    await refused(partner, 404, "PUT", f"{ROOT}/queues/agents/{body['agents'][0]['id']}/settings", body=join)
    await refused(operator, 403, "GET", f"{ROOT}/queues")
    await refused(operator, 403, "POST", path, body=body)
