"""Webex and the switch that makes its calls, from the testbed file: whose call is whose, and what can't be dialled."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path

import pytest

from harness.drivers.webex_left import find
from harness.errors import DriverError, ExpectationError, TestbedError, WebexRefusedError
from harness.testbed.bench import open_bench
from harness.testbed.clips import read_clip
from harness.testbed.load import load_testbed

FILE = Path(__file__).resolve().parents[3] / "fixtures" / "testbeds" / "webex.yaml"
CALLING = FILE.with_name("webex-calling.yaml")
TODAY = date(2026, 1, 5)


@pytest.mark.virtual_time
async def test_a_call_is_its_parties_own_and_nobody_elses() -> None:
    async with open_bench(load_testbed(FILE), today=TODAY, addresses=None, virtual=True, seed=1) as bench:
        webex = await bench.webex()
        await bench.telephone("operator-phone")
        called = await bench.telephone("colleague-phone")
        call = await webex.dial("2002", by="operator")
        await called.rings()
        for account in ("leaver", "partner"):
            client = await webex.account(account)
            for method, path, body in (
                ("GET", f"/telephony/calls/{call}", None),
                ("POST", "/telephony/calls/hangup", {"callId": call}),
                ("POST", "/telephony/calls/hold", {"callId": "no-such-call"}),
            ):
                with pytest.raises(WebexRefusedError) as raised:
                    await client.ask(method, path, body)
                # The partner's administrator has no extension, and so no calls at all.
                assert raised.value.status == (404 if account == "leaver" else 403)
        assert (await webex.expect_call("connecting", by="operator", within=1))["callId"] == call
        with pytest.raises(ExpectationError, match="was to have a call that is connected within 1 s, and has alerting"):
            await webex.expect_call("connected", by="leaver", within=1)
        await webex.handle(call, "hangup", by="operator")
        with pytest.raises(WebexRefusedError, match="404"):
            await webex.handle(call, "hold", by="operator")


@pytest.mark.virtual_time
@pytest.mark.parametrize(
    ("destination", "status"), [("sip:x@y", 400), ("", 400), ("1" * 65, 400), ("<script>", 400), ("2999", 409)]
)
async def test_what_can_not_be_dialled_is_refused_or_seen_to_fail(destination: str, status: int) -> None:
    async with open_bench(load_testbed(FILE), today=TODAY, addresses=None, virtual=True, seed=1) as bench:
        webex = await bench.webex()
        # The operator's telephone is not registered: a line without a telephone can't be made to call.
        with pytest.raises(WebexRefusedError) as raised:
            await webex.dial(destination, by="operator")
        assert raised.value.status == status


@pytest.mark.virtual_time
async def test_a_call_that_nobody_took_is_missed_by_one_and_placed_by_the_other() -> None:
    async with open_bench(load_testbed(FILE), today=TODAY, addresses=None, virtual=True, seed=1) as bench:
        webex = await bench.webex()
        caller, called = await bench.telephone("operator-phone"), await bench.telephone("colleague-phone")
        call = await caller.dial("2002")
        rung = await called.rings()
        await call.hang_up()
        await rung.ended(within=2)
        seen = {}
        for account in ("operator", "leaver"):
            client = await webex.account(account)
            seen[account] = [each["type"] for each in (await client.ask("GET", "/telephony/calls/history"))["items"]]
            assert (await client.ask("GET", "/telephony/calls/history?type=received"))["items"] == []
        assert seen == {"operator": ["placed"], "leaver": ["missed"]}


def test_the_switch_of_a_webex_is_one_that_the_file_has(tmp_path: Path) -> None:
    file = tmp_path / "test.yaml"
    file.write_text(FILE.read_text().replace("switch: switch", "switch: elsewhere"))
    with pytest.raises(TestbedError, match="elsewhere"):
        load_testbed(file)


@pytest.mark.virtual_time
async def test_what_a_test_caused_is_taken_away_and_what_it_changed_is_put_back() -> None:
    async with open_bench(load_testbed(CALLING), today=TODAY, addresses=None, virtual=True, seed=1) as bench:
        webex, host = await bench.webex(), await bench.telephone("operator-phone")
        client, admin = await webex.account("operator"), await webex.account()
        meeting = await webex.make_meeting("recorded", by="operator")
        call = await host.dial(meeting["meetingNumber"])
        await call.answered(within=5)
        for on in (True, False):
            await webex.record_meeting(meeting["id"], on=on, by="operator")
            await asyncio.sleep(1)
        before = await webex.voice_messages(by="colleague")
        colleague = await bench.telephone("third-phone")
        left = await colleague.dial("2002")
        await left.answered(within=60)
        await asyncio.sleep(3)
        await left.say(read_clip("caller-999"))
        await left.said()
        await left.hang_up()
        await webex.expect_voice_message(by="colleague", within=60, beside=before)
        me = (await client.ask("GET", "/people/me"))["id"]
        for joined in (False, True, False):
            await webex.join_queue("Pilot desk", "operator", joined=joined)
        with pytest.raises(DriverError, match="administrator is no agent of call queue 'Pilot desk'"):
            await webex.join_queue("Pilot desk", "administrator", joined=True)
        assert [each.kind async for each in find(client, "iccs-test-", "operator")] == ["recordings", "meetings"]
        await webex.tidy()
        assert [each async for each in find(client, "iccs-test-", "operator")] == []
        assert await webex.voice_messages(by="colleague") == before
        agent = await admin.ask("GET", f"/telephony/config/queues/agents/{me}")
        assert [each["joinEnabled"] for each in agent["queues"]] == [True]


@pytest.mark.parametrize(
    ("accounts", "told"),
    [
        ("leaver: {email: B@force.example, token_variable: B, disposable: true}", ""),
        (
            "leaver: {email: A@force.example, token_variable: B, disposable: true}",
            "leaver are one person",
        ),
    ],
)
def test_a_real_leaver_is_nobody_else(tmp_path: Path, accounts: str, told: str) -> None:
    file = tmp_path / "real.yaml"
    file.write_text(
        "name: real\ncomponents:\n  webex:\n    role: webex\n    binding: real\n    service: https://webex.example\n"
        f"    accounts:\n      administrator: {{email: a@force.example, token_variable: A}}\n      {accounts}\n",
        encoding="utf-8",
    )
    if told:
        with pytest.raises(TestbedError, match=told):
            load_testbed(file)
    else:
        load_testbed(file)


@pytest.mark.parametrize("key", ["reports: https://a.example", "recordings: {region: UK, kept_days: 1}"])
def test_what_is_agreed_of_a_real_organisation_is_not_told_of_a_simulated_one(tmp_path: Path, key: str) -> None:
    file = tmp_path / "simulated.yaml"
    accounts = "accounts: {administrator: {email: admin@force.example}}"
    file.write_text(f"name: x\ncomponents:\n  webex:\n    role: webex\n    {key}\n    {accounts}\n", encoding="utf-8")
    with pytest.raises(TestbedError, match="for a real webex; a simulated one needs none"):
        load_testbed(file)
