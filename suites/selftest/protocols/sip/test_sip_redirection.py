"""Diverted calls: Diversion (RFC 5806), History-Info (RFC 7044), and who was called first and why, by either."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import SipLocalError, SipRemoteError
from harness.protocols.sip import diversion, history_info
from harness.protocols.sip.diversion import Diversion, Why, diversions_of, reason_of_status, status_of_reason
from harness.protocols.sip.headers import NameAddr
from harness.protocols.sip.history_info import Entry, history_of, sent_on
from harness.protocols.sip.message import Message
from harness.protocols.sip.reason import Reason
from harness.protocols.sip.redirection import Redirection, redirection_of

BOB, CAROL, OFFICE = (NameAddr.parse(f"<sip:{user}@example.com>") for user in ("bob", "carol", "office"))


def diverted(*values: str) -> Message:
    return Message([("Diversion", value) for value in values])


def history(*values: str) -> Message:
    return Message([("History-Info", value) for value in values])


def found(message: Message) -> Redirection:
    told = redirection_of(message)
    assert told is not None
    return told


def test_a_chain_of_diversions_is_read_latest_first() -> None:
    """The form of RFC 5806 section 6.1's two diversions."""
    message = diverted(
        "<sip:carol@example.com>;reason=no-answer;counter=1;privacy=full;screen=yes",
        '"Bob" <sip:bob@example.com>;reason=user-busy;limit=5',
    )
    carol, bob = diversions_of(message)
    assert (carol.reason, carol.counter, carol.is_hidden, carol.screen) == (Why.NO_ANSWER, 1, True, "yes")
    assert (bob.address.display, bob.reason, bob.limit, bob.privacy) == ("Bob", Why.USER_BUSY, 5, "off")
    told = found(message)
    assert (told.first_called.uri.user, told.last_diverter.uri.user) == ("bob", "carol")
    assert (told.first_reason, told.last_reason, told.count) == ("user-busy", "no-answer", 2)
    assert told.is_hidden and told.header == "Diversion"


def test_a_cisco_trunk_s_diversion_is_read() -> None:
    """Parameters in quotes, as RFC 5806's examples and its erratum 3178 have them; counters add up."""
    message = diverted('"Desk" <sip:2001@10.0.0.1>;privacy="off";reason="unconditional";counter=3;screen="yes"')
    told = found(message)
    assert (told.first_reason, told.count, told.is_hidden) == (Why.UNCONDITIONAL, 3, False)
    assert str(diversions_of(message)[0]) == '"Desk" <sip:2001@10.0.0.1>;reason=unconditional;counter=3;screen=yes'


def test_a_reason_that_nobody_registered_is_kept() -> None:
    (one,) = diversions_of(diverted('<sip:2001@pbx>;reason="out of hours";vendor=1'))
    assert (one.reason, one.other) == ("out of hours", {"vendor": "1"})
    assert Diversion.parse(str(one)) == one
    assert Diversion.parse("<sip:2001@pbx>").reason == Why.UNKNOWN


@pytest.mark.parametrize("text", ["", "<sip:a@b>;counter=x", "<sip:a@b>;counter=100", "<sip:a@b>;limit=-1", "<sip:a@b"])
def test_what_is_no_diversion_is_told(text: str) -> None:
    with pytest.raises(SipRemoteError):
        Diversion.parse(text)


def test_reasons_and_statuses_stand_for_each_other_as_rfc_7544_has_it() -> None:
    due = {
        "unknown": 404,
        "user-busy": 486,
        "no-answer": 408,
        "unconditional": 302,
        "deflection": 480,
        "unavailable": 503,
    }
    assert {reason: status_of_reason(reason) for reason in due} == due
    assert {reason_of_status(status).value: status for status in due.values()} == due
    assert reason_of_status(487) is Why.DEFLECTION
    assert status_of_reason("time-of-day") == 404


def test_a_history_is_read_in_the_order_of_its_tree() -> None:
    """The form of RFC 7044's examples: a Reason and a Privacy in the URIs, indices and how a target was found."""
    message = history(
        "<sip:bob@example.com>;index=1",
        "<sip:bob@192.0.2.4?Reason=SIP%3Bcause%3D302%3Btext%3D%22Moved%22&Privacy=history>;index=1.1;rc=1",
        '"Carol" <sip:carol@example.com;cause=302?X=1>;index=1.2;mp=1;foo=bar, <sip:carol@c>;index=1.2.1;rc=1.2',
    )
    bob, contact, carol, last = history_of(message)
    assert [entry.index for entry in (bob, contact, carol, last)] == [(1,), (1, 1), (1, 2), (1, 2, 1)]
    assert (contact.how, contact.origin, contact.is_hidden) == ("rc", (1,), True)
    assert contact.reasons == (Reason("SIP", 302, "Moved"),)
    assert (carol.cause, carol.address.uri.headers, carol.other) == (302, "X=1", {"foo": "bar"})
    assert history_of(history(history_info.value_of((last, carol, contact, bob)))) == [bob, contact, carol, last]


@pytest.mark.parametrize(
    ("values", "first", "last", "why", "count"),
    [
        # mapped to another user, with the cause in the new target (RFC 4458)
        (["<sip:bob@a>;index=1", "<sip:carol@a;cause=486>;index=1.1;mp=1"], "bob", "bob", Why.USER_BUSY, 1),
        # mapped, with the reason at the contact that was tried
        (
            [
                "<sip:bob@a>;index=1",
                "<sip:bob@c?Reason=SIP%3Bcause%3D408>;index=1.1;rc=1",
                "<sip:carol@a>;index=1.2;mp=1",
            ],
            "bob",
            "bob",
            Why.NO_ANSWER,
            1,
        ),
        # mapped, and nothing tells why
        (["<sip:bob@a>;index=1", "<sip:carol@a>;index=1.1;mp=1"], "bob", "bob", Why.UNKNOWN, 1),
        # RFC 4244's entries, which don't tell how
        (
            ["<sip:bob@a?Reason=SIP%3Bcause%3D302>;index=1", "<sip:carol@a>;index=1.1"],
            "bob",
            "bob",
            Why.UNCONDITIONAL,
            1,
        ),
        (
            [
                "<sip:bob@a>;index=1",
                "<sip:bob@c?Reason=SIP%3Bcause%3D486,Q.850%3Bcause%3D17>;index=1.1",
                "<sip:carol@a>;index=1.2",
            ],
            "bob",
            "bob",
            Why.USER_BUSY,
            1,
        ),
        # twice
        (
            [
                "<sip:bob@a>;index=1",
                "<sip:carol@a;cause=302>;index=1.1;mp=1",
                "<sip:office@a;cause=408>;index=1.1.1;mp=1.1",
            ],
            "bob",
            "carol",
            Why.UNCONDITIONAL,
            2,
        ),
    ],
)
def test_who_was_called_first_is_told_by_the_history(
    values: list[str], first: str, last: str, why: Why, count: int
) -> None:
    told = found(history(*values))
    assert (told.first_called.uri.user, told.last_diverter.uri.user) == (first, last)
    assert (told.first_reason, told.count, told.header) == (why, count, "History-Info")


@pytest.mark.parametrize(
    "message",
    [
        Message([]),
        history("<sip:bob@a>;index=1"),
        history("<sip:bob@a;cause=302>;index=1"),  # diverted, but nobody is told who was called before
        history("<sip:bob@a>;index=1, <sip:bob@192.0.2.4>;index=1.1;rc=1"),
        history("<sip:bob@a>;index=1, <sip:bob@c?Reason=SIP%3Bcause%3D408>;index=1.1, <sip:bob@d>;index=1.2"),
        history("<sip:bob@a>;index=1, <sip:bob@b?Reason=SIP%3Bcause%3D503>;index=1.1;np=1, <sip:x@c>;index=1.2;np=1"),
    ],
)
def test_a_call_that_was_only_sent_on_was_not_diverted(message: Message) -> None:
    assert redirection_of(message) is None


def test_diversion_tells_where_the_history_does_not() -> None:
    both = history("<sip:bob@a>;index=1")
    both.add("Diversion", "<sip:carol@a>;reason=away")
    assert found(both).last_reason == "away"
    both.add("History-Info", "<sip:office@a;cause=302>;index=1.1;mp=1")
    assert found(both).header == "History-Info"


def test_an_element_that_sends_a_request_on_adds_its_entry() -> None:
    first = [Entry(BOB, (1,))]
    moved = sent_on(first, CAROL, "mp", Reason("SIP", 302))
    entries = sent_on(moved, OFFICE, "mp", Reason("SIP", 486))
    told = found(history(history_info.value_of(entries)))
    assert [history_info.written(entry.index) for entry in entries] == ["1", "1.1", "1.1.1"]
    assert (told.first_called, told.last_diverter) == (BOB, CAROL)
    assert (told.first_reason, told.last_reason) == (Why.UNCONDITIONAL, Why.USER_BUSY)
    assert first == [Entry(BOB, (1,))]


def test_a_history_without_a_beginning_or_an_end_is_refused() -> None:
    with pytest.raises(SipLocalError, match="begins with"):
        sent_on([], BOB)
    with pytest.raises(SipLocalError, match="rc, mp, np"):
        sent_on([Entry(BOB, (1,))], CAROL, "xx")
    with pytest.raises(SipLocalError, match="70 times"):
        sent_on([Entry(BOB, (1,) * 70)], CAROL)


@pytest.mark.parametrize(
    "text",
    [
        "<sip:a@b>",
        "<sip:a@b>;index=",
        "<sip:a@b>;index=a",
        "<sip:a@b>;index=1.",
        "<sip:a@b>;index=" + ".".join("1" * 71),
        "<sip:a@b>;index=1;rc",
        "<sip:a@b?Reason=%3Bcause>;index=1",
        "<sip:a@b?Reason=SIP%3Btext%3D%22>;index=1",
    ],
)
def test_what_is_no_history_is_told(text: str) -> None:
    with pytest.raises(SipRemoteError):
        Entry.parse(text)


indices = st.lists(st.integers(0, 99_999), min_size=1, max_size=5).map(tuple)
texts = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=20)
reasons = st.builds(Reason, st.sampled_from(["SIP", "Q.850"]), st.integers(1, 699), texts)


@given(
    st.lists(
        st.builds(
            Entry,
            st.sampled_from([BOB, CAROL]),
            indices,
            st.sampled_from(["rc", "mp", "np"]),
            indices,
            st.lists(reasons, max_size=3).map(tuple),
            st.sampled_from(["", "history"]),
        ),
        max_size=5,
        unique_by=lambda entry: entry.index,
    )
)
def test_a_history_comes_back_as_it_went(entries: list[Entry]) -> None:
    message = history(history_info.value_of(entries)) if entries else history()
    assert history_of(message) == sorted(entries, key=lambda entry: entry.index)
    redirection_of(message)


@given(
    st.lists(
        st.builds(
            Diversion,
            st.sampled_from([BOB, CAROL]),
            st.sampled_from([*Why, "out of hours"]).map(str),
            st.integers(1, 99),
            st.none() | st.integers(0, 99),
            st.sampled_from(["full", "name", "uri", "off"]),
            st.sampled_from(["", "yes", "no"]),
        ),
        min_size=1,
        max_size=5,
    )
)
def test_diversions_come_back_as_they_went(values: list[Diversion]) -> None:
    message = diverted(diversion.value_of(values))
    assert diversions_of(message) == values
    assert found(message).count == sum(value.counter for value in values)


@given(st.text(max_size=60))
def test_whatever_the_text_nothing_but_the_named_error_comes(text: str) -> None:
    for name in ("Diversion", "History-Info"):
        for value in (text, f"<sip:a@b{text}>;index=1", f"<sip:a@b>;index=1{text}"):
            try:
                redirection_of(Message([(name, value)]))
            except SipRemoteError as error:
                assert str(error)
