"""Our own nasty messages at the parser: read whole, or refused by name."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

import pytest
from sip_reader import read_all, read_request

from fixtures.sip_torture.nasties import NASTIES, Nasty, nasty
from harness.errors import SipRemoteError
from harness.protocols.sip.headers import Via
from harness.protocols.sip.message import Message, Request


def named(parser: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("odd", [each for each in NASTIES if each.parser == parser], ids=str)


@named("read")
def test_what_is_to_be_read_is_read_and_written_back(odd: Nasty) -> None:
    message = read_all(odd.data)
    again = read_all(bytes(message))
    assert (again.start_line, again.fields, again.body) == (message.start_line, message.fields, message.body)


@named("refused")
def test_what_is_to_be_refused_is_refused_by_name(odd: Nasty) -> None:
    with pytest.raises(SipRemoteError):
        read_all(odd.data)


@named("either")
def test_what_may_be_refused_raises_nothing_else(odd: Nasty) -> None:
    with contextlib.suppress(SipRemoteError):
        message = read_all(odd.data)
        assert read_all(bytes(message)).fields == message.fields


def test_every_reason_stands_in_one_line_and_every_name_alone() -> None:
    assert len({each.name for each in NASTIES}) == len(NASTIES)
    assert not [each for each in NASTIES if not each.why or "\n" in each.why]


def _vias(message: Message) -> list[tuple[str, str, int | None, str]]:
    found = [Via.parse(value) for value in message.values("via")]
    return [(via.transport, via.host, via.port, via.branch) for via in found]


def _contacts(message: Message) -> list[tuple[str, str, dict[str, str | None]]]:
    return [(contact.display, str(contact.uri), contact.params) for contact in message.name_addrs("contact")]


def _the_essentials(message: Message) -> tuple[object, ...]:
    return message.from_tag, message.from_.tag, message.to.uri.user, message.cseq, message.via.host, message.body


SEEN: dict[str, tuple[Callable[[Request], Any], Any]] = {
    "escaped-crlf": (lambda m: m.from_.uri.user_text, "a\r\nX-Evil"),
    "line-8k": (lambda m: m.get("subject"), "x" * 8_183),
    "headers-200": (lambda m: len(m.lines("x")), 192),
    "vias-100": (lambda m: len(_vias(m)), 100),
    "escapes-2000": (lambda m: (m.from_.display, m.from_tag), ('"' * 2_000, "good")),
    "length-zeros": (lambda m: m.body, b"abcd"),
    "length-short": (lambda m: m.body, b"ab"),
    "length-none": (lambda m: m.body, b"abcd"),
    "body-of-nuls": (lambda m: m.body, b"\0\r\n\r\n\0SIP/2.0\r\n"),
    "folds": (_the_essentials, ("good", "good", "user", (7, "OPTIONS"), "192.0.2.44", b"")),
    "compact": (_the_essentials, ("good", "good", "user", (7, "OPTIONS"), "192.0.2.44", b"abcd")),
    "mixed-case": (_the_essentials, ("good", "good", "user", (7, "OPTIONS"), "192.0.2.44", b"")),
    "space-before-colon": (_the_essentials, ("good", "good", "user", (7, "OPTIONS"), "192.0.2.44", b"")),
    "empty-lines-first": (_the_essentials, ("good", "good", "user", (7, "OPTIONS"), "192.0.2.44", b"")),
    "lower-case-version": (_the_essentials, ("good", "good", "user", (7, "OPTIONS"), "192.0.2.44", b"")),
    "fold-of-blanks": (lambda m: (m.get("subject") or "").split(), ["a", "b"]),
    "lower-case-via": (_vias, [("UDP", "192.0.2.44", None, "z9hG4bK-nasty-lower-case-via")]),
    "lower-case-method": (lambda m: (m.method, m.cseq.method), ("options", "options")),
    "lower-case-cseq": (lambda m: (m.method, m.cseq.method), ("OPTIONS", "options")),
    "tag-in-display": (lambda m: (m.from_tag, m.from_.tag, m.from_.display), ("good", "good", "x;tag=evil>")),
    "tag-in-uri": (lambda m: (m.from_tag, m.from_.tag, m.from_.uri.params), ("good", "good", {"tag": "evil"})),
    "tag-in-quoted-value": (lambda m: (m.from_tag, m.from_.tag), ("good", "good")),
    "tag-upper-case": (lambda m: (m.from_tag, m.from_.tag), ("good", "good")),
    "commas-in-contacts": (
        _contacts,
        [("a, b; <c>", "sip:d,e@f;x=1,2", {"q": "0.5"}), ('", <', "sip:g@h", {})],
    ),
    "display-utf8": (lambda m: m.from_.display, "Żółć 🚓 大停電"),
    "vias-in-one-line": (
        _vias,
        [
            ("UDP", "192.0.2.44", None, "z9hG4bK-n1"),
            ("TCP", "a.example", None, "z9hG4bK-n2"),
            ("TLS", "[2001:db8::1]", 5061, "z9hG4bK-n3"),
        ],
    ),
    "routes": (lambda m: [route.uri.host for route in m.name_addrs("route")], ["a.example", "b.example", "c.example"]),
    "scheme-in-to": (lambda m: (str(m.to.uri), m.from_tag), ("im:somebody@192.0.2.1", "good")),
    "tel": (lambda m: (m.uri.scheme, m.uri.user_text), ("tel", "+441632960999")),
    "cseq-largest": (lambda m: m.cseq, (2**31 - 1, "OPTIONS")),
    "cseq-zeros": (lambda m: m.cseq, (7, "OPTIONS")),
    "max-forwards-0": (lambda m: m.number("max-forwards"), 0),
    "max-forwards-255": (lambda m: m.number("max-forwards"), 255),
    "type-in-capitals": (lambda m: m.content_type, "application/sdp"),
    "multipart": (lambda m: m.content_type, "multipart/mixed"),
}


@pytest.mark.parametrize("name", SEEN)
def test_nothing_is_read_for_what_it_is_not(name: str) -> None:
    see, due = SEEN[name]
    assert see(read_request(nasty(name).data)) == due
