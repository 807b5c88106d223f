"""Why a call ended: RFC 3326's and RFC 8606's examples, Q.850's names by tshark, RFC 3398's tables."""

from __future__ import annotations

import re
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import SipLocalError, SipRemoteError
from harness.protocols.sip import q850
from harness.protocols.sip.message import Message
from harness.protocols.sip.reason import LOCATIONS, Reason, q850_cause, reasons_of, value_of
from suites.selftest.witness import need


@pytest.mark.parametrize(
    ("text", "protocol", "cause", "told", "meaning"),
    [
        ('SIP ;cause=200 ;text="Call completed elsewhere"', "SIP", 200, "Call completed elsewhere", "OK"),
        ('Q.850 ;cause=16 ;text="Terminated"', "Q.850", 16, "Terminated", "Normal call clearing"),
        ('SIP ;cause=600 ;text="Busy Everywhere"', "SIP", 600, "Busy Everywhere", "Busy Everywhere"),
        ('SIP ;cause=580 ;text="Precondition Failure"', "SIP", 580, "Precondition Failure", "Precondition Failure"),
        ("q.850;cause=17", "q.850", 17, "", "User busy"),
        ('Preemption;cause=1;text="UA Preemption"', "Preemption", 1, "UA Preemption", "UA Preemption"),
        ('x;text="a \\"b\\"; c, d"', "x", None, 'a "b"; c, d', 'a "b"; c, d'),
        ("Q.850;cause=45", "Q.850", 45, "", "cause 45, which Q.850 assigns to nothing"),
    ],
)
def test_reasons_are_read(text: str, protocol: str, cause: int | None, told: str, meaning: str) -> None:
    """The first four are RFC 3326 section 2's."""
    found = Reason.parse(text)
    assert (found.protocol, found.cause, found.text, found.meaning) == (protocol, cause, told, meaning)
    assert Reason.parse(str(found)) == found


def test_the_location_of_a_cause_is_read() -> None:
    """RFC 8606 section 3."""
    found = Reason.parse('Q.850;cause=16;text="Terminated";location=LN')
    assert (found.location, LOCATIONS.index(found.location)) == ("LN", 2)
    assert str(Reason.of_q850(17, location="U")) == 'Q.850;cause=17;location=U;text="User busy"'
    assert len(LOCATIONS) == 16


def test_several_reasons_are_kept_in_their_order() -> None:
    message = Message([("Reason", 'SIP;cause=486;text="Busy, here", Q.850;cause=17'), ("reason", "Q.850;cause=16")])
    assert [(each.protocol, each.cause) for each in reasons_of(message)] == [("SIP", 486), ("Q.850", 17), ("Q.850", 16)]
    assert q850_cause(message) == 17
    assert reasons_of(Message([("Reason", value_of(reasons_of(message)))])) == reasons_of(message)
    assert q850_cause(Message([])) is None


@pytest.mark.parametrize(
    "text", [";cause=16", "a b;cause=1", "Q.850;cause=x", "Q.850;cause=", 'SIP;text="open', "Q.850;cause=-1"]
)
def test_what_is_no_reason_is_told(text: str) -> None:
    with pytest.raises(SipRemoteError):
        Reason.parse(text)


TOKENS = st.text("abcXYZ0189-.", min_size=1, max_size=10)


@given(
    st.builds(
        Reason,
        TOKENS,
        st.none() | st.integers(0, 9_999),
        st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=30),
        st.sampled_from(["", *LOCATIONS]),
        st.dictionaries(
            TOKENS.map(str.lower).filter(lambda name: name not in ("cause", "text", "location")), st.none()
        ),
    )
)
def test_a_reason_comes_back_as_it_went(reason: Reason) -> None:
    (back,) = reasons_of(Message([("Reason", str(reason))]))
    assert back == reason


@given(st.text(max_size=60))
def test_whatever_the_text_nothing_but_the_named_error_comes(text: str) -> None:
    try:
        for each in reasons_of(Message([("Reason", text)])):
            assert isinstance(each.meaning, str)
    except SipRemoteError as error:
        assert str(error)


def test_causes_stand_for_statuses_as_rfc_3398_has_it() -> None:
    due = {
        1: 404, 2: 404, 3: 404, 16: None, 17: 486, 18: 408, 19: 480, 20: 480, 21: 403, 22: 410, 23: 410, 26: 404,
        27: 502, 28: 484, 29: 501, 31: 480, 34: 503, 38: 503, 41: 503, 42: 503, 47: 503, 55: 403, 57: 403, 58: 503,
        65: 488, 70: 488, 79: 501, 87: 403, 88: 503, 102: 504, 111: 500, 127: 500, 25: 500, 99: 500,
    }  # fmt: skip
    assert {cause: q850.status_of(cause) for cause in due} == due
    assert q850.status_of(21, from_user=True) == 603
    assert q850.status_of(22, new_number=True) == 301
    for wrong in (0, 128, -1):
        with pytest.raises(SipLocalError):
            q850.status_of(wrong)


def test_statuses_stand_for_causes_as_rfc_3398_has_it() -> None:
    due = {
        400: 41, 401: 21, 402: 21, 403: 21, 404: 1, 405: 63, 406: 79, 407: 21, 408: 102, 410: 22, 413: 127, 414: 127,
        415: 79, 416: 127, 420: 127, 421: 127, 423: 127, 480: 18, 481: 41, 482: 25, 483: 25, 484: 28, 485: 1, 486: 17,
        487: None, 488: 31, 500: 41, 501: 79, 502: 38, 503: 41, 504: 102, 505: 127, 513: 127, 600: 17, 603: 21,
        604: 1, 606: 31, 302: 31, 499: 31,
    }  # fmt: skip
    assert {status: q850.cause_of(status) for status in due} == due
    for wrong in (200, 700):
        with pytest.raises(SipLocalError):
            q850.cause_of(wrong)


@pytest.mark.witness("tshark")
def test_the_names_of_causes_are_wireshark_s() -> None:
    tshark = need("tshark", package="tshark")
    told = subprocess.run([tshark, "-G", "values"], capture_output=True, text=True, check=True, timeout=60).stdout
    theirs = {
        int(value): name
        for value, name in re.findall(r"^V\tisup\.cause_indicator\t(\d+)\t(.+)$", told, re.MULTILINE)
        if name != "Unassigned" and value != "0"
    }

    def words(name: str) -> set[str]:
        plain = re.sub(r"\(.*?\)|called|parameter|[-,/]", " ", name.lower()).replace("resources", "resource")
        return {word for word in plain.split() if word not in ("or", "not", "the", "this", "a")}

    # Circuit out of order and call waiting not subscribed are ISUP's of old, not Q.850's.
    assert set(theirs) - {33, 56} == set(q850.CAUSES)
    for cause, name in q850.CAUSES.items():
        ours, other = words(name), words(theirs[cause])
        assert len(ours & other) * 2 >= len(ours | other), (cause, name, theirs[cause])
