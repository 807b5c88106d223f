"""The mark on an emergency call, which is this project's own: read, written, and what is made of what is not known."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import SipLocalError, SipRemoteError
from harness.protocols.sip import emergency_call as ec
from harness.protocols.sip.emergency_call import Mark, mark_of
from harness.protocols.sip.message import Message

CALL = uuid.UUID("5f0c7a52-6a0e-4c8e-9f39-0d3a1b1f7d11")
TOKENS = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyz0123456789-._"), min_size=1, max_size=20)


def some(kind: type) -> st.SearchStrategy[object]:
    return st.none() | st.sampled_from(list(kind))


MARKS = st.builds(
    Mark,
    call=st.uuids(),
    event=some(ec.What),
    ask=some(ec.Ask),
    authority=st.just("") | TOKENS,
    route=some(ec.Route),
    attempt=st.integers(0, ec.MAX_COUNT),
    line=some(ec.Line),
    caller=some(ec.Caller),
    operator=some(ec.Operator),
    silent=some(ec.Silent),
    hold=st.integers(0, ec.MAX_COUNT),
    lifted=st.integers(0, ec.MAX_COUNT),
    text=some(ec.Text),
    ecall=some(ec.Trigger),
    buddy=st.just("") | TOKENS,
    critical=st.booleans(),
    spate=st.booleans(),
    nuisance=some(ec.Nuisance),
    abandoned=some(ec.Stage),
    why=some(ec.Why),
)


def test_the_line_of_the_interface_document_is_read() -> None:
    line = (
        f"<urn:uuid:{CALL}>;purpose=iccs-emergency;event=connect;authority=police;route=primary;attempt=1;"
        "line=mobile;caller=on;operator=on"
    )
    mark = Mark.parse(line)
    assert mark == Mark(
        CALL,
        event=ec.What.CONNECT,
        authority="police",
        route=ec.Route.PRIMARY,
        attempt=1,
        line=ec.Line.MOBILE,
        caller=ec.Caller.ON,
        operator=ec.Operator.ON,
    )
    assert str(mark) == line


@given(MARKS)
def test_what_is_written_is_read(mark: Mark) -> None:
    assert Mark.parse(str(mark)) == mark
    assert mark_of(Message([mark.header()])) == mark


def test_only_our_purpose_is_a_mark_wherever_it_stands() -> None:
    other = "<cid:msd@vehicle>;purpose=EmergencyCallData.eCall.MSD"
    mark = Mark(CALL, event=ec.What.CONNECT)
    assert Mark.parse(other) is None
    assert Mark.parse("<http://iccs-emergency.example/>;purpose=icon") is None
    assert mark_of(Message([])) is None
    assert mark_of(Message([("Call-Info", other)])) is None
    assert mark_of(Message([("Call-Info", f"{other}, {mark}")])) == mark
    assert mark_of(Message([("Call-Info", other), mark.header()])) == mark


def test_what_a_later_version_may_add_is_left_alone() -> None:
    mark = Mark.parse(f"<urn:uuid:{CALL}>;Purpose=ICCS-Emergency;event=born-again;silent=77;attempt=x;new=1;hold=5")
    assert mark == Mark(CALL, hold=5)
    far = Mark.parse(f"<urn:uuid:{CALL}>;purpose=iccs-emergency;attempt=9999999999")
    assert far is not None and far.attempt == ec.MAX_COUNT


@pytest.mark.parametrize("uri", ["sip:a@b", "urn:uuid:1234", "urn:service:sos", f"urn:uuid:{CALL}0"])
def test_a_mark_without_an_identity_is_told(uri: str) -> None:
    with pytest.raises(SipRemoteError, match="urn:uuid"):
        Mark.parse(f"<{uri}>;purpose=iccs-emergency")


def test_what_can_not_be_written_is_refused() -> None:
    with pytest.raises(SipLocalError, match="authority is no token"):
        Mark(CALL, authority="a b")
    with pytest.raises(SipLocalError, match="buddy is no token"):
        Mark(CALL, buddy="x;y")
    with pytest.raises(SipLocalError, match="attempt is 0 to"):
        Mark(CALL, attempt=-1)


@given(st.text(max_size=80))
def test_nonsense_is_told_or_left(text: str) -> None:
    for value in (text, f"<urn:uuid:{CALL}>;purpose=iccs-emergency;{text}", f"<{text}>;purpose=iccs-emergency"):
        try:
            Mark.parse(value)
        except SipRemoteError:
            continue
