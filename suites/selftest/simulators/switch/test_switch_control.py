"""The enterprise switch's control interface, over HTTP."""

from __future__ import annotations

import pytest
from switch_in_virtual_time import LAYOUT, connected, exchange, speak, until

from simulators.switch.views import PartyEvent

pytestmark = pytest.mark.virtual_time


async def test_a_line_is_made_to_call_and_its_telephone_answers_by_itself() -> None:
    async with exchange() as there, there.http() as http:
        front, back = await there.telephones("3101", "3102")
        placed = await http.post("/lines/3101/dial", json={"number": "3102"})
        assert placed.status_code == 202
        assert placed.json()["personality"] == "click_to_dial"
        own, rung = await front.rings(), await back.rings()
        await rung.answer()
        await until(lambda: [party.state for party in there.switch.parties()] == ["connected", "connected"])
        await speak(own, rung)
        ended = await http.post(f"/parties/{placed.json()['id']}/hang-up")
        assert ended.status_code == 202
        await rung.ended(within=2)
        history = (await http.get("/history", params={"line": "3101"})).json()
        assert [(each["state"], each["number"]) for each in history] == [("disconnected", "3102")]


async def test_a_ringing_party_is_answered_rejected_and_sent_elsewhere() -> None:
    async with exchange() as there, there.http() as http:
        front, back, third = await there.telephones("3101", "3102", "3103")
        call = await front.dial("3102")
        await back.rings()
        party = (await http.get("/parties", params={"line": "3102"})).json()[0]
        assert party["state"] == "alerting"
        assert (await http.post(f"/parties/{party['id']}/answer")).status_code == 202
        await call.answered(within=5)
        await call.hang_up()
        call = await third.dial("3102")
        await back.rings()
        party = (await http.get("/parties", params={"line": "3102"})).json()[-1]
        assert (await http.post(f"/parties/{party['id']}/divert", json={"number": "3101"})).status_code == 202
        await (await front.rings()).answer()
        await call.answered(within=5)


async def test_what_is_not_there_is_404_and_what_can_not_be_is_409() -> None:
    async with exchange() as there, there.http() as http:
        front, back = await there.telephones("3101", "3102")
        await connected(front, back)
        party = there.switch.parties("3101")[0].id
        assert (await http.get("/lines/9")).status_code == 404
        assert (await http.get("/parties/leg-999")).status_code == 404
        assert (await http.post(f"/parties/{party}/reject")).status_code == 409
        assert (await http.post("/lines/3103/dial", json={"number": "3101"})).status_code == 409
        assert (await http.post("/lines/3101/dial", json={"number": "sip:x"})).status_code == 422


async def test_a_token_is_asked_for_where_one_is_set() -> None:
    async with exchange({**LAYOUT, "control_token": "test-token"}) as there:
        async with there.http() as http:
            assert (await http.get("/status")).status_code == 401
        async with there.http("test-token") as http:
            assert (await http.get("/status")).json()["registered"] == []


async def test_a_registrar_that_is_made_to_fail_registers_nobody_until_it_is_mended() -> None:
    async with exchange() as there, there.http() as http:
        front = await there.telephone("3101", lamp=False)
        await http.put("/registrar/fault", json={"fault": "refusing"})
        with pytest.raises(Exception, match="503"):
            await front.register()
        await http.put("/registrar/fault", json={"fault": None})
        await front.register()
        assert front.home == there.simulator.sip_address


async def test_a_subscriber_is_told_of_a_call_from_its_beginning_to_its_end() -> None:
    async with exchange() as there:
        told: list[PartyEvent] = []
        stop = there.switch.subscribe(told.append)
        front, back = await there.telephones("3101", "3102")
        call, rung = await connected(front, back)
        await call.hang_up()
        await rung.ended(within=2)
        await until(lambda: sum(event.kind == "ended" for event in told) == 2)
        for line in ("3101", "3102"):
            kinds = [event.kind for event in told if event.party.line == line]
            assert (kinds[0], kinds[-1]) == ("created", "ended")
        stop()
        before = len(told)
        await connected(front, back)
        assert len(told) == before
