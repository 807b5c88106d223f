"""The safety interlock: what a testbed with real equipment allows, and on which days."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import InterlockError
from harness.testbed.interlock import PRE_EMPTIVE_PRIORITY, Interlock
from harness.testbed.model import Testbed

DAY = date(2026, 3, 10)
LISTED = ("01314960001", "+4414149601*", "2001", "govan-12", "+441632960111;phone-context=niccs")


def interlock(
    *,
    binding: str = "real",
    today: date = DAY,
    permits: tuple[dict[str, Any], ...] = (),
    call: tuple[int | str, ...] = (),
) -> Interlock:
    """An interlock on a testbed with one officer's terminal, real unless said otherwise."""
    officer: dict[str, Any] = {"role": "radio_terminal", "issi": 4001234, "talkgroup": "GD-OPS-1", "binding": binding}
    if binding == "real":
        officer |= {"serial": {"url": "/dev/ttyUSB0"}, "audio": "rtp://127.0.0.1:40000"}
    return Interlock(
        Testbed.model_validate(
            {
                "name": "bench",
                "numbers": {"emergency": ["999", "112"], "non_emergency": ["101", "01414960999"]},
                "talkgroups": {"GD-OPS-1": 1001, "GD-OPS-2": 1002},
                "safety": {
                    "dial": LISTED,
                    "key": ["GD-OPS-1"],
                    "message": [4001234],
                    "call": call,
                    "permits": permits,
                },
                "components": {"officer": officer},
            }
        ),
        today,
    )


def permit(target: str, *, what: str = "emergency_call") -> dict[str, Any]:
    """A permit of five days around DAY."""
    return {
        "what": what,
        "target": target,
        "valid_from": "2026-03-08",
        "valid_until": "2026-03-12",
        "approved_by": "Insp. Test",
    }


def test_with_simulated_components_alone_everything_is_allowed() -> None:
    lock = interlock(binding="simulated")
    assert not lock.armed
    lock.dial("sip:999@192.0.2.1")
    lock.radio("key", "1002", 15)
    lock.radio("message", "1", 15)
    lock.radio("command", "AT+X", 0)


@pytest.mark.parametrize("binding", ["real", "manual"])
def test_one_component_that_is_not_simulated_arms_it(binding: str) -> None:
    lock = interlock(binding=binding)
    assert lock.armed
    with pytest.raises(InterlockError, match=r"officer of testbed 'bench' is not simulated, and safety\.dial names"):
        lock.dial("sip:01314960002@192.0.2.1")


@pytest.mark.parametrize(
    "target",
    [
        "01314960001",
        "sip:01314960001@192.0.2.1:5060",
        "sips:01314960001@pbx.example;transport=tls",
        "SIP:0131-496-0001@192.0.2.1",
        "tel:0131.496.0001",
        "tel:(0131) 496 0001",
        "sip:%30131%34960001@192.0.2.1",
        "+441414960100",
        "tel:+44-141-496-0123",
        "sip:2001@192.0.2.1",
        "sip:govan-12@192.0.2.1",
        "sip:+441632960111;phone-context=niccs@192.0.2.1",
    ],
)
def test_what_the_list_names_is_allowed(target: str) -> None:
    interlock().dial(target)


@pytest.mark.parametrize(
    "target",
    [
        "01314960002",
        "013149600011",
        "1314960001",
        "+441314960001",
        "+441414960200",
        "2001x",
        "sip:2001@elsewhere@192.0.2.1",
        "sip:2001%40elsewhere@192.0.2.1",
        "sip:2001;isub=9@192.0.2.1",
        "sip:2001:secret@192.0.2.1",
        "tel:2001;phone-context=+4499",
        "sip:govan12@192.0.2.1",
        "sip:192.0.2.1",
        "sip:2001.example",
        "sip:@2001",
        "mailto:2001@example.com",
        "urn:service:counseling",
        "http://2001",
        "",
        "sip:",
        "sip:%ff@192.0.2.1",
    ],
)
def test_what_the_list_does_not_name_is_refused(target: str) -> None:
    with pytest.raises(InterlockError):
        interlock().dial(target)


SERVICES = [
    ("999", "999"),
    ("112", "112"),
    ("101", "101"),
    ("18000", "18000"),
    ("911", "911"),
    ("sip:999@192.0.2.1", "999"),
    ("sips:112@192.0.2.1;transport=tls", "112"),
    ("tel:101", "101"),
    ("tel:999;phone-context=+44", "999"),
    ("sip:999;user=phone@192.0.2.1", "999"),
    ("sip:9%39%39@192.0.2.1", "999"),
    ("sip:%39%39%39@192.0.2.1", "999"),
    ("9-9-9", "999"),
    ("(9)9.9", "999"),
    ("9 9 9", "999"),
    ("+44999", "999"),
    ("+44 (0)999", "999"),
    ("0044112", "112"),
    ("+112", "112"),
    ("9999", "999"),
    ("9,999", "999"),
    ("141999", "999"),
    ("1470 999", "999"),
    ("14100449,112", "112"),
    ("\uff10\uff19\uff19\uff19", "999"),
    ("\uff19\uff19\uff19", "999"),
    ("sip:999", "999"),
    ("01414960999", "01414960999"),
    ("urn:service:sos", "999"),
    ("URN:service:SOS.police", "999"),
    ("urn:service:%73os", "999"),
    ("sip:urn%3Aservice%3Asos@192.0.2.1", "999"),
]


@pytest.mark.parametrize(("target", "code"), SERVICES)
def test_a_public_service_needs_a_permit_however_it_is_written(target: str, code: str) -> None:
    with pytest.raises(InterlockError, match=f"emergency_call to {code} needs a dated permit under safety.permits"):
        interlock().dial(target)
    interlock(permits=(permit(code),)).dial(target)
    with pytest.raises(InterlockError, match="needs a dated permit"):
        interlock(permits=(permit("105"),)).dial(target)
    with pytest.raises(InterlockError, match="needs a dated permit"):
        interlock(permits=(permit(code, what="radio_emergency"),)).dial(target)


@given(
    st.text("-. ()/", max_size=3),
    st.sampled_from(["999", "112", "101", "18000"]),
    st.sampled_from(["", "+44", "0044", "9", "0", "141", "1470", "+"]),
    st.sampled_from(["{}", "tel:{}", "sip:{}@192.0.2.1", "sips:{}@host;x=y?Subject=hi", "SIP:{}@host:5060"]),
    st.booleans(),
)
def test_no_spelling_of_a_service_goes_without_a_permit(
    separators: str, code: str, prefix: str, form: str, escaped: bool
) -> None:
    number = prefix + separators.join(code) if prefix else separators.join(code)
    number = "".join(f"%{ord(each):02x}" for each in number) if escaped else number
    with pytest.raises(InterlockError, match="needs a dated permit"):
        interlock().dial(form.format(number))


@pytest.mark.parametrize(
    ("today", "allowed"),
    [
        (date(2026, 3, 7), False),
        (date(2026, 3, 8), True),
        (date(2026, 3, 12), True),
        (date(2026, 3, 13), False),
    ],
)
def test_a_permit_holds_from_its_first_day_to_its_last(today: date, allowed: bool) -> None:
    lock = interlock(today=today, permits=(permit("999"), permit("GD-OPS-1", what="radio_emergency")))
    if allowed:
        lock.dial("999")
        lock.radio("key", "1001", 15)
        return
    told = "the permit of Insp. Test holds from 2026-03-08 to 2026-03-12; today is"
    with pytest.raises(InterlockError, match=told):
        lock.dial("999")
    with pytest.raises(InterlockError, match=told):
        lock.radio("key", "1001", 15)


def test_the_second_of_two_permits_for_one_target_holds_too() -> None:
    past = permit("999") | {"valid_from": "2026-01-01", "valid_until": "2026-01-31"}
    interlock(permits=(past, permit("999"))).dial("999")


def test_real_equipment_is_flooded_by_a_permit_that_names_it_alone() -> None:
    interlock(binding="simulated").flood("iccs")
    interlock(permits=(permit("iccs", what="flood"),)).flood("iccs")
    with pytest.raises(InterlockError, match="flood to iccs needs a dated permit"):
        interlock(permits=(permit("switch", what="flood"),)).flood("iccs")


def test_talkgroups_are_keyed_as_the_list_names_them() -> None:
    lock = interlock()
    lock.radio("key", "1001", 0)
    lock.radio("key", "GD-OPS-1", 0)
    for target in ("1002", "GD-OPS-2", "4001234", "any", ""):
        with pytest.raises(InterlockError, match=r"is not allowed: officer .* and safety\.key names GD-OPS-1"):
            lock.radio("key", target, 0)


def test_terminals_are_called_as_the_list_names_them() -> None:
    with pytest.raises(InterlockError, match=r"call 4001234 is not allowed: .* and safety\.call names nothing"):
        interlock().radio("call", "4001234", 0)
    lock = interlock(call=(4001235, "officer-8"))
    lock.radio("call", "4001235", 0)
    lock.radio("call", "officer-8", 0)
    for target in ("4001234", "1001", "GD-OPS-1", ""):
        with pytest.raises(InterlockError, match=r"safety\.call names 4001235, officer-8"):
            lock.radio("call", target, 0)


def test_messages_go_to_those_that_the_list_names() -> None:
    lock = interlock()
    lock.radio("message", "4001234", 0)
    for target in ("4001235", "1001", "GD-OPS-1", "04001234", ""):
        with pytest.raises(InterlockError, match=r"safety\.message names 4001234"):
            lock.radio("message", target, 0)


def test_a_command_of_unknown_effect_is_refused_even_where_it_reads_like_a_talkgroup() -> None:
    for command in ("AT+CFUN=1;D112", "GD-OPS-1"):
        with pytest.raises(InterlockError, match="is not allowed"):
            interlock().radio("command", command, 0)


def test_priority_from_pre_emption_on_needs_a_permit() -> None:
    lock = interlock()
    lock.radio("key", "1001", PRE_EMPTIVE_PRIORITY - 1)
    for priority in range(PRE_EMPTIVE_PRIORITY, 16):
        with pytest.raises(InterlockError, match="radio_emergency to GD-OPS-1 needs a dated permit"):
            lock.radio("key", "1001", priority)
    with pytest.raises(InterlockError, match="radio_emergency to 4001234 needs a dated permit"):
        lock.radio("message", "4001234", 15)
    interlock(permits=(permit("4001234", what="radio_emergency"),)).radio("message", "4001234", 15)


def test_a_permit_for_one_talkgroup_allows_no_other() -> None:
    lock = interlock(permits=(permit("GD-OPS-1", what="radio_emergency"),))
    lock.radio("key", "1001", 15)
    with pytest.raises(InterlockError, match="radio_emergency to GD-OPS-2 needs"):
        lock.radio("key", "1002", 15)
