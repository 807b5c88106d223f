"""An outside reading of RFC 7643 (PyPI scim2-models) builds users and groups from what the service tells of itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib import import_module
from typing import Any

import httpx
import pytest
from witness import need_module

from harness.transport.context import Context
from simulators.webex.ids import uuid_of
from simulators.webex.settings import WebexSettings
from simulators.webex.simulator import WebexSimulator

pytestmark = [pytest.mark.real_wire, pytest.mark.witness("scim2-models")]
CORE = "urn:ietf:params:scim:schemas:core:2.0"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
NEW = {"schemas": [f"{CORE}:User"], "userName": "new@force.example", "userType": "user", "displayName": "New"}
FULL = {
    **NEW,
    "schemas": [f"{CORE}:User", ENTERPRISE],
    "name": {"givenName": "Eilidh", "familyName": "Kerr", "honorificPrefix": "Sgt"},
    "externalId": "E7",
    "title": "Sergeant",
    "locale": "en_GB",
    "timezone": "Europe/London",
    "profileUrl": "https://force.example/eilidh",
    "emails": [{"value": "eilidh@home.example", "type": "home", "display": "Home"}],
    "phoneNumbers": [{"value": "+441414960077", "type": "work"}, {"value": "2077", "type": "work_extension"}],
    "photos": [{"value": "https://force.example/eilidh.png", "type": "photo"}],
    "addresses": [{"type": "work", "streetAddress": "1 Example Street", "locality": "Glasgow", "country": "GB"}],
    "roles": [{"value": "id_readonly_admin"}],
    ENTERPRISE: {"employeeNumber": "7", "costCenter": "C3", "department": "Control", "division": "West"},
}


@pytest.fixture
async def scim() -> AsyncIterator[httpx.AsyncClient]:
    """SCIM of a simulated Webex's organisation, as its administrator asks it."""
    running = await WebexSimulator.start(Context.create(seed=1), WebexSettings(), virtual=False)
    headers = {"Authorization": f"Bearer {running.token}", "Accept": "application/scim+json"}
    async with httpx.AsyncClient(headers=headers, trust_env=False) as http:
        me = (await http.get(f"{running.url}/v1/people/me")).json()
        http.base_url = httpx.URL(f"{running.url}/identity/scim/{uuid_of(me['orgId'], 'ORGANIZATION')}/v2")
        yield http
    await running.stop()


@pytest.fixture
async def types(scim: httpx.AsyncClient) -> dict[str, Any]:
    """Models of users and groups, which a client makes of what it is told before it sends anything."""
    need_module("scim2_models", package="scim2-models")
    rfc = import_module("scim2_models")
    config = rfc.ServiceProviderConfig.model_validate((await scim.get("/ServiceProviderConfig")).json())
    assert (config.patch.supported, config.bulk.max_operations, config.etag.supported) == (True, 100, False)
    listed = rfc.ListResponse[rfc.ResourceType].model_validate((await scim.get("/ResourceTypes")).json())
    schemas = rfc.ListResponse[rfc.Schema].model_validate((await scim.get("/Schemas")).json())
    known = {each.id: each for each in schemas.resources}
    made = {}
    for each in listed.resources:
        assert rfc.ResourceType.model_validate((await scim.get(f"/ResourceTypes/{each.id}")).json()) == each
        extensions = [rfc.Extension.from_schema(known[str(one.schema_)]) for one in each.schema_extensions]
        union: Any = extensions[0]
        for one in extensions[1:]:
            union = union | one
        made[str(each.name)] = rfc.Resource.from_schema(known[str(each.schema_)])[union]
    return made


async def test_every_user_and_group_is_what_the_schemas_say(scim: httpx.AsyncClient, types: dict[str, Any]) -> None:
    made = await scim.post("/Users", json=FULL)
    assert made.status_code == 201, made.text
    user = made.json()["id"]
    managed = {**NEW, "userName": "second@force.example", ENTERPRISE: {"manager": {"value": user}}}
    assert (await scim.post("/Users", json=managed)).status_code == 201
    group = {"schemas": [f"{CORE}:Group"], "displayName": "Early", "members": [{"value": user, "type": "user"}]}
    assert (await scim.post("/Groups", json=group)).status_code == 201
    seen = []
    for name, query in (("User", {"returnGroups": "true"}), ("Group", {"includeMembers": "true"})):
        for told in (await scim.get(f"/{name}s", params=query)).json()["Resources"]:
            types[name].model_validate(told)
            seen.append(name)
        with pytest.raises(ValueError, match="nobodyToldOfThis"):
            types[name].model_validate({**told, "nobodyToldOfThis": "x"})
    assert (seen.count("User"), seen.count("Group")) == (6, 1)


async def test_what_the_schemas_lead_a_client_to_send_is_taken(scim: httpx.AsyncClient, types: dict[str, Any]) -> None:
    creating = import_module("scim2_models").Context.RESOURCE_CREATION_REQUEST
    sent = types["User"].model_validate(FULL).model_dump(scim_ctx=creating)
    assert sent == FULL, "the schemas leave out what can be sent"
    made = await scim.post("/Users", json=sent)
    assert made.status_code == 201, made.text
    back = types["User"].model_validate(made.json())
    assert (back.user_name, back.external_id, back.phone_numbers[1].value) == ("new@force.example", "E7", "2077")
