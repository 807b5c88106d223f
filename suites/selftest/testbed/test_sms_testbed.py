"""Texts in a testbed file: what may stand there, and that nothing leaves that safety does not allow."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from harness.endpoints.sms import ModemPort, SmppPort
from harness.endpoints.sms.smpp_port import SmppAccount
from harness.errors import InterlockError, TestbedError
from harness.testbed.interlock import Interlock
from harness.testbed.load import load_testbed
from harness.testbed.model import Testbed
from harness.transport.context import Context
from simulators.sms.settings import SmsSettings
from simulators.sms.simulator import SmsSimulator

DAY = date(2026, 3, 10)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("sms: {role: sms_network, binding: real}", "an sms_network is simulated"),
        ("m: {role: sms_gateway, way: modem}", "a simulated sms_gateway needs 'of'"),
        ("m: {role: sms_gateway, way: modem, of: m}", "found 'm'; allowed: a component with role 'sms_network'"),
        ("m: {role: sms_gateway, way: modem, binding: real}", "a real modem needs 'serial.url'"),
        ("m: {role: sms_gateway, way: smpp, binding: real}", "a real sms_gateway by SMPP needs 'smpp' and 'number'"),
        ("m: {role: sms_gateway, way: modem, binding: real, of: sms}", "'of' names a simulated network"),
        ("sms: {role: sms_network, simulator: {accounts: [{system_id: a}, {system_id: b}]}}", "is given twice"),
        ("sms: {role: sms_network, simulator: {accounts: [{password: longer-than-8}]}}", "password"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "test.yaml"
    file.write_text(f"name: test\ncomponents:\n  {text}\n")
    with pytest.raises(TestbedError) as raised:
        load_testbed(file)
    assert told in str(raised.value)


def lock(*, permits: tuple[dict[str, Any], ...] = (), text: tuple[str, ...] = ()) -> Interlock:
    """The interlock of a testbed with a real modem."""
    modem = {"role": "sms_gateway", "binding": "real", "way": "modem", "serial": {"url": "/dev/ttyUSB0"}}
    safety = {"permits": permits, "text": text}
    return Interlock(Testbed.model_validate({"name": "t", "safety": safety, "components": {"modem": modem}}), DAY)


@pytest.mark.parametrize("number", ["+447700900123", "07700 900123", "0131 496 0001", "00447700900999"])
def test_reserved_numbers_may_always_be_sent_texts(number: str) -> None:
    lock().text(number)


@pytest.mark.parametrize("number", ["+447911123456", "60999", "Police", "", "+44770090012", "07700900123;x"])
def test_other_numbers_may_only_where_safety_names_them(number: str) -> None:
    with pytest.raises(InterlockError, match=r"a text to .* is not allowed: modem of testbed 't' is not simulated"):
        lock(text=("60998",)).text(number)


def test_a_named_number_is_allowed_and_an_emergency_number_needs_a_permit() -> None:
    lock(text=("60999",)).text("60999")
    for number in ("999", "112", "101", "+44999"):
        with pytest.raises(InterlockError, match="needs a dated permit"):
            lock(text=(number,)).text(number)
    permit = {
        "what": "emergency_call",
        "target": "999",
        "valid_from": "2026-03-10",
        "valid_until": "2026-03-10",
        "approved_by": "Insp. Test",
    }
    lock(permits=(permit,)).text("999")


def refuse(_number: str) -> None:
    """An interlock that allows nothing."""
    raise InterlockError("not allowed")


@pytest.mark.virtual_time
async def test_nothing_leaves_that_is_not_permitted() -> None:
    simulator = await SmsSimulator.start(Context.create(seed=1), SmsSettings(), virtual=True)
    account = simulator.centre.accounts["iccs"]
    host, port = simulator.centre.address
    credentials = SmppAccount(host, port, "iccs", account.password, "+447700900001")
    context = Context.create(seed=2)
    smpp = await SmppPort.open(context, "smpp", credentials, permit=refuse)
    modem = await ModemPort.open(context, "modem", simulator.serial_url, permit=refuse)
    for way in (smpp, modem):
        with pytest.raises(InterlockError):
            await way.send("+447700900123", "hello")
        await way.close()
    assert simulator.network.status()["taken"] == 0
    assert not simulator.handsets.listed("+447700900123", 0)
    await simulator.stop()
