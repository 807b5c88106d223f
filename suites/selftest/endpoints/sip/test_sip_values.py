"""Header values that the endpoint reads itself: whatever comes, it is read or refused by name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.endpoints.sip.refer import replaced_by
from harness.endpoints.sip.reliable import rack_of
from harness.endpoints.sip.session_timer import SessionExpires
from harness.endpoints.sip.subscription import package_of
from harness.errors import SipRemoteError
from harness.protocols.sip.message import Request

values = st.text(max_size=60) | st.from_regex(r"[0-9]{1,12} [0-9]{1,12} [A-Z]{1,8}", fullmatch=True)


@given(values)
def test_whatever_comes_is_read_or_refused_by_name(value: str) -> None:
    request = Request("INVITE", "sip:a@b", [("RAck", value), ("Session-Expires", value), ("Event", value)])
    for read in (lambda: rack_of(request), lambda: SessionExpires.of(request), lambda: replaced_by(value)):
        try:
            read()
        except SipRemoteError as error:
            assert str(error)
    assert package_of(request) == package_of(request).strip().lower()


@given(st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1))
def test_a_rack_names_two_numbers_and_a_method(rseq: int, cseq: int) -> None:
    assert rack_of(Request("PRACK", "sip:a@b", [("RAck", f" {rseq}  {cseq} INVITE ")])) == (rseq, cseq, "INVITE")


def test_a_replaces_names_a_dialog() -> None:
    assert replaced_by("12@a;to-tag=x;from-tag=y") == ("12@a", "x", "y", False)
    assert replaced_by("12@a ; from-tag=y;to-tag=x;early-only") == ("12@a", "x", "y", True)
    for value in ("", "12@a", "12@a;to-tag=x", ";to-tag=x;from-tag=y", "12@a;to-tag;from-tag"):
        with pytest.raises(SipRemoteError):
            replaced_by(value)
