"""The SMS Diary in a testbed file: what may stand there, and that a simulated one texts nobody by a real gateway."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from harness.errors import DriverError, TestbedError
from harness.testbed.bench import open_bench
from harness.testbed.interlock import Interlock
from harness.testbed.load import load_testbed
from harness.testbed.model import Testbed
from harness.testbed.simulation import Simulation
from harness.transport.context import Context
from simulators.sms.settings import SmsSettings
from simulators.sms.simulator import SmsSimulator

DAY = date(2026, 3, 10)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("d: {role: sms_diary, gateway: d}", "found 'd'; allowed: a component with role 'sms_gateway'"),
        ("d: {role: sms_diary, crm: d}", "found 'd'; allowed: a component with role 'crm'"),
        ("d: {role: sms_diary, binding: real}", "a real sms_diary needs 'url' and 'adapter'"),
        ("d: {role: sms_diary, url: 'http://x'}", "'url': for a real Diary"),
        ("d: {role: sms_diary, simulator: {zone: Europe/Nowhere}}", "a zone of the IANA database was meant"),
        ("d: {role: sms_diary, simulator: {diaries: [{id: a, name: A}, {id: a, name: B}]}}", "have the same id"),
        ("d: {role: sms_diary, simulator: {diaries: [{id: a, name: A, slot_minutes: 7}]}}", "slot_minutes"),
        (
            "d: {role: sms_diary, simulator: {diaries: [{id: a, name: A, hours: [{begin: '10:00', end: '09:00'}]}]}}",
            "working hours end (09:00) before they begin (10:00)",
        ),
        ("d: {role: sms_diary, simulator: {words: {cancel: [stop]}}}", "the word 'stop' is given twice"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "test.yaml"
    file.write_text(f"name: test\ncomponents:\n  {text}\n")
    with pytest.raises(TestbedError) as raised:
        load_testbed(file)
    assert told in str(raised.value)


async def test_a_real_diary_needs_an_adapter_that_is_installed() -> None:
    diary = {"role": "sms_diary", "binding": "real", "url": "http://127.0.0.1:1", "adapter": "vendor"}
    testbed = Testbed.model_validate({"name": "t", "components": {"diary": diary}})
    async with open_bench(testbed, today=DAY, addresses=None, virtual=False) as bench:
        with pytest.raises(DriverError, match="no SMS Diary adapter 'vendor' is installed"):
            await bench.sms_diary()


@pytest.mark.real_wire
async def test_a_simulated_diary_by_a_real_gateway_texts_only_whom_safety_allows() -> None:
    """The service centre stands in for a real one, which the testbed calls real: the interlock is armed."""
    context = Context.create(seed=1)
    account = {"system_id": "diary", "password": "secret", "numbers": ["60999"]}
    settings = SmsSettings.model_validate({"accounts": [account]})
    centre = await SmsSimulator.start(context, settings, virtual=False)
    host, port = centre.centre.address
    smpp = {"address": f"{host}:{port}", "system_id": "diary", "password": "secret"}
    gateway = {"role": "sms_gateway", "binding": "real", "way": "smpp", "number": "60999", "smpp": smpp}
    components = {"gateway": gateway, "diary": {"role": "sms_diary", "gateway": "gateway"}}
    testbed = Testbed.model_validate({"name": "t", "components": components})
    simulation = await Simulation.start(context, testbed, Interlock(testbed, DAY), virtual=False)
    try:
        async with open_bench(testbed, today=DAY, addresses=simulation.addresses, virtual=False) as bench:
            diary = await bench.sms_diary()
            first = date.fromisoformat((await diary.status())["now"][:10])
            last = first.fromordinal(first.toordinal() + 7).isoformat()
            slots = await diary.free_slots("front-desk", first.isoformat(), last)
            await diary.book("front-desk", slots[-1]["start"], "+447911123456")
            failed = await diary.expect("text.failed", within=10)
            assert "safety.text names nothing" in failed.data["why"]
            await diary.book("front-desk", slots[-2]["start"], "+447700900123")
            await diary.expect("text.delivered", within=10, text_kind="confirmation")
        said = [event for event in context.journal if "7911123456" in event.line()]
        assert said == [], "a number that is not for tests is in the journal"
        assert sum(each["parts"] for each in centre.handsets.listed("+447700900123", 0)) == 1
    finally:
        await simulation.stop()
        await centre.stop()
