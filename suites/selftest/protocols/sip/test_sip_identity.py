"""Who is calling: RFC 3325's and RFC 3323's examples, who is believed, what is withheld, and what is not passed on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import SipLocalError, SipRemoteError
from harness.protocols import uk_numbers
from harness.protocols.sip.headers import NameAddr
from harness.protocols.sip.identity import (
    ANONYMOUS,
    Caller,
    Identity,
    Privacy,
    RemoteParty,
    Source,
    Telling,
    caller_of,
    preferred_of,
    privacy_of,
    privacy_value,
)
from harness.protocols.sip.message import Message, Request

FROM = "<sip:+447700900123@trunk.example;user=phone>;tag=1"
HIDDEN_FROM = f"{ANONYMOUS};tag=1"


def invite(*headers: tuple[str, str], sender: str = FROM) -> Request:
    return Request("INVITE", "sip:999@control.example", [("From", sender), *headers])


def caller(*headers: tuple[str, str], trusted: bool = True, sender: str = FROM) -> Identity:
    return caller_of(invite(*headers, sender=sender), trusted=trusted)


def test_the_rfc_s_asserted_identity_is_believed_of_a_trusted_peer_and_of_no_other() -> None:
    """RFC 3325 section 10.1: what the proxy sends on within the trust domain."""
    headers = [
        ("P-Asserted-Identity", '"Cullen Jennings" <sip:fluffy@cisco.com>'),
        ("P-Asserted-Identity", "tel:+14085264000"),
        ("Privacy", "id"),
    ]
    sender = '"Anonymous" <sip:anonymous@anonymous.invalid>;tag=9802748'
    told = caller(*headers, sender=sender)
    assert (told.number, told.display, told.source) == ("+14085264000", "Cullen Jennings", Source.ASSERTED)
    assert told.is_vouched_for and told.is_withheld and not told.presented
    stranger = caller(*headers, sender=sender, trusted=False)
    assert (stranger.number, stranger.display, stranger.source) == ("", "", Source.FROM)
    assert stranger.is_withheld and not stranger.is_vouched_for


def test_a_presentation_number_stands_beside_the_network_number() -> None:
    told = caller(("P-Asserted-Identity", "<sip:+441314960001@trunk.example>"))
    assert (told.number, told.presented, told.is_withheld) == ("+441314960001", "+447700900123", False)


@pytest.mark.parametrize(
    ("headers", "number", "source", "vouched"),
    [
        ([], "+447700900123", Source.FROM, False),
        ([("Remote-Party-ID", "<sip:2001@pbx>;party=calling;screen=yes")], "2001", Source.REMOTE_PARTY, True),
        ([("Remote-Party-ID", "<sip:2001@pbx>;screen=no")], "2001", Source.REMOTE_PARTY, False),
        ([("Remote-Party-ID", "<sip:2001@pbx>;party=called;screen=yes")], "+447700900123", Source.FROM, False),
        (
            [("Remote-Party-ID", "<sip:1@pbx>, <sip:2@pbx>;party=calling;screen=yes")],
            "2",
            Source.REMOTE_PARTY,
            True,
        ),
        (
            [("Remote-Party-ID", "<sip:2001@pbx>;screen=yes"), ("P-Asserted-Identity", "<sip:2002@pbx>")],
            "2002",
            Source.ASSERTED,
            True,
        ),
        ([("P-Preferred-Identity", "<sip:2001@pbx>")], "+447700900123", Source.FROM, False),
    ],
)
def test_headers_are_believed_in_the_order_that_is_stated(
    headers: list[tuple[str, str]], number: str, source: Source, vouched: bool
) -> None:
    told = caller(*headers)
    assert (told.number, told.source, told.is_vouched_for) == (number, source, vouched)
    untrusted = caller(*headers, trusted=False)
    assert (untrusted.number, untrusted.source, untrusted.is_vouched_for) == ("+447700900123", Source.FROM, False)


@pytest.mark.parametrize(
    ("sender", "headers", "withheld"),
    [
        (FROM, [], False),
        (FROM, [("Privacy", "none")], False),
        (FROM, [("Privacy", "session;critical")], False),
        (FROM, [("Privacy", "id;critical")], True),
        (FROM, [("Privacy", "user"), ("Privacy", "header")], True),
        (FROM, [("Privacy", "header, id")], True),
        (FROM, [("Remote-Party-ID", "<sip:1@pbx>;privacy=full")], True),
        (FROM, [("Remote-Party-ID", '<sip:1@pbx>;privacy="uri-network"')], True),
        (FROM, [("Remote-Party-ID", "<sip:1@pbx>;privacy=name")], False),
        (HIDDEN_FROM, [], True),
        (HIDDEN_FROM, [("Privacy", "none")], False),
        ("<sip:Restricted@pbx>;tag=1", [], True),
        ("<sip:unavailable@unknown.invalid>;tag=1", [], False),
        ("<sip:trunk.example>;tag=1", [], False),
    ],
)
def test_a_number_that_is_withheld_is_told_from_one_that_is_not_there(
    sender: str, headers: list[tuple[str, str]], withheld: bool
) -> None:
    assert caller(*headers, sender=sender).is_withheld is withheld


def test_numbers_are_compared_however_they_are_written() -> None:
    told = caller(("P-Asserted-Identity", "<sip:07700900123@trunk.example>"))
    assert told.number == "07700900123"
    assert uk_numbers.same(told.number, told.presented)


def test_a_caller_is_told_to_a_trunk() -> None:
    caller_ = Caller("+447700900123", "trunk.example", "A Caller")
    assert caller_.from_value == '"A Caller" <sip:+447700900123@trunk.example;user=phone>'
    assert caller_.headers() == [
        ("P-Asserted-Identity", '"A Caller" <sip:+447700900123@trunk.example;user=phone>'),
        ("P-Asserted-Identity", "<tel:+447700900123>"),
    ]
    assert Caller("2001", "pbx").headers(Telling.REMOTE_PARTY) == [
        ("Remote-Party-ID", "<sip:2001@pbx>;party=calling;screen=yes;privacy=off")
    ]
    assert Caller("2001", "pbx", presented="+441314960001").from_value == "<sip:+441314960001@pbx;user=phone>"


def test_a_withheld_caller_is_told_to_the_trusted_and_to_nobody_else() -> None:
    hidden = Caller("+447700900123", "trunk.example", "A Caller", privacy=frozenset({Privacy.ID, Privacy.CRITICAL}))
    assert hidden.from_value == ANONYMOUS
    trusted = hidden.headers(Telling.ASSERTED, Telling.REMOTE_PARTY)
    assert trusted[-1] == ("Privacy", "id;critical")
    assert "privacy=full" in dict(trusted)["Remote-Party-ID"]
    told = caller_of(invite(*trusted, sender=f"{hidden.from_value};tag=1"), trusted=True)
    assert (told.number, told.display, told.is_withheld) == ("+447700900123", "A Caller", True)
    assert hidden.headers(Telling.ASSERTED, Telling.REMOTE_PARTY, trusted=False) == [("Privacy", "id;critical")]


def test_what_a_user_prefers_is_for_its_proxy_to_check() -> None:
    """RFC 3325 section 10.1: what the user agent sends."""
    message = invite(("P-Preferred-Identity", '"Cullen Jennings" <sip:fluffy@cisco.com>'))
    assert [(each.display, each.uri.user) for each in preferred_of(message)] == [("Cullen Jennings", "fluffy")]


@pytest.mark.parametrize(
    "wrong",
    [
        {"number": ""},
        {"number": "1", "host": "a b"},
        {"number": "1", "display": "a\r\nEvil: 1"},
        {"number": "1", "privacy": frozenset({"id;user"})},
        {"number": "1", "privacy": frozenset({"none", "id"})},
    ],
)
def test_a_caller_that_no_header_can_hold_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(SipLocalError):
        Caller(**{"host": "pbx", **wrong})  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "id;", ";", "id,,user", "a b", ";".join("abcdefghijklmnopq")])
def test_what_is_no_privacy_is_told(text: str) -> None:
    with pytest.raises(SipRemoteError, match="not a Privacy header"):
        privacy_of(Message([("Privacy", text)]))


numbers = st.text("0123456789+*#", min_size=1, max_size=15)
names = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp", "Cf", "Co", "Cn", "Zs")), max_size=20)


@given(numbers, names, st.sets(st.sampled_from(["id", "user", "header", "session", "critical"])))
def test_a_caller_comes_back_as_it_was_told(number: str, display: str, privacy: set[str]) -> None:
    told = Caller(number, "trunk.example", display, privacy=frozenset(privacy))
    message = invite(*told.headers(), sender=f"{told.from_value};tag=1")
    back = caller_of(message, trusted=True)
    assert (back.number, back.display, back.privacy) == (number, display, privacy)
    assert back.is_withheld is told.is_withheld
    assert privacy_of(Message([("Privacy", privacy_value(frozenset(privacy)))] if privacy else [])) == privacy


@given(
    st.builds(
        RemoteParty,
        st.just(NameAddr.parse('"A" <sip:2001@pbx>')),
        st.sampled_from(["calling", "called"]),
        st.booleans(),
        st.sampled_from(["full", "name", "uri", "off"]),
        st.sampled_from(["subscriber", "user", "term"]),
    )
)
def test_a_remote_party_comes_back_as_it_went(party: RemoteParty) -> None:
    assert RemoteParty.parse(str(party)) == party


@given(st.text(max_size=60), st.booleans())
def test_whatever_the_headers_nothing_but_the_named_error_comes(text: str, trusted: bool) -> None:
    for name in ("P-Asserted-Identity", "P-Preferred-Identity", "Remote-Party-ID", "Privacy", "From"):
        message = Request("INVITE", "sip:999@a", [("From", FROM if name != "From" else text), (name, text)])
        try:
            caller_of(message, trusted=trusted)
            preferred_of(message)
        except SipRemoteError as error:
            assert str(error)
