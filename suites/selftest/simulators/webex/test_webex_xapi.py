"""Room devices by xAPI: whose they are, what they take, and what they tell."""

from __future__ import annotations

import httpx

from suites.selftest.simulators.webex.webex_cloud import OPERATOR, PARTNER, webex

STATUS = "Conference.Presentation.Mode"


async def device(http: httpx.AsyncClient) -> str:
    return str((await http.get("/devices?displayName=Briefing room")).json()["items"][0]["id"])


async def test_a_device_takes_what_it_has_and_tells_its_mode_by_any_part_of_the_name() -> None:
    async with webex() as running:
        http = await running.client()
        id_ = await device(http)
        done = await http.post("/xapi/command/Presentation.Start", json={"deviceId": id_, "arguments": {"Instance": 1}})
        assert (done.status_code, done.json()["arguments"]) == (200, {"Instance": 1})
        for name in (STATUS, STATUS.lower(), "Conference.*", "Conference.Presentation", f"{STATUS},Conference.*"):
            told = (await http.get("/xapi/status", params={"deviceId": id_, "name": name})).json()
            assert told == {"deviceId": id_, "result": {"Conference": {"Presentation": {"Mode": "Off"}}}}, name


async def test_what_a_device_has_not_is_refused() -> None:
    async with webex() as running:
        http = await running.client()
        id_ = await device(http)
        assert (await http.post("/xapi/command/Coffee.Brew", json={"deviceId": id_})).status_code == 400
        for name in ("Audio.Volume", f"{STATUS}.More", ",", ",".join([STATUS] * 11)):
            assert (await http.get("/xapi/status", params={"deviceId": id_, "name": name})).status_code == 400, name
        for wrong in ({}, {"deviceId": id_, "arguments": 1}, {"deviceId": ""}):
            assert (await http.post("/xapi/command/Presentation.Stop", json=wrong)).status_code == 400


async def test_a_device_is_its_organisations_administrators_and_needs_the_scope() -> None:
    async with webex() as running:
        id_ = await device(await running.client())
        for email in (OPERATOR, PARTNER):
            http = await running.client(email)
            assert (await http.post("/xapi/command/Presentation.Start", json={"deviceId": id_})).status_code == 404
            assert (await http.get("/xapi/status", params={"deviceId": id_, "name": STATUS})).status_code == 404
        http = await running.client(scopes={"spark:xapi_statuses"})
        assert (await http.post("/xapi/command/Presentation.Start", json={"deviceId": id_})).status_code == 403
