"""The SIP message layer: what it reads, what it refuses, and that it writes back what it read."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import SipLocalError, SipRemoteError
from harness.protocols.sip import grammar
from harness.protocols.sip.message import Request, Response
from harness.protocols.sip.parse import parse
from harness.protocols.sip.salvage import salvage
from harness.protocols.sip.stream import StreamCutter

INVITE = (
    b"INVITE sip:999@127.0.0.1:5060 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bK-1;rport, SIP/2.0/TCP 10.0.0.1;branch=z9hG4bK-0\r\n"
    b"Max-Forwards: 70\r\n"
    b'From: "A \\"quoted, name\\"" <sip:+447700900123@127.0.0.1:5062;user=phone>;tag=abc\r\n'
    b"To: <sip:999@127.0.0.1>\r\n"
    b"Call-ID: one@127.0.0.1\r\n"
    b"CSeq: 1 INVITE\r\n"
    b'Contact: <sip:trunk@127.0.0.1:5062>;+sip.instance="<urn:uuid:0>"\r\n'
    b"Content-Type: application/sdp\r\n"
    b"Content-Length: 4\r\n"
    b"\r\n"
    b"v=0\n"
)


def request(data: bytes) -> Request:
    message = parse(data)
    assert isinstance(message, Request)
    return message


def test_an_invite_is_read_and_written_back_exactly() -> None:
    invite = request(INVITE)
    assert (invite.method, invite.uri_text, invite.body) == ("INVITE", "sip:999@127.0.0.1:5060", b"v=0\n")
    assert (invite.via.host, invite.via.port, invite.via.branch) == ("127.0.0.1", 5062, "z9hG4bK-1")
    assert "rport" in invite.via.params and invite.via.params["rport"] is None
    assert invite.from_.display == 'A "quoted, name"'
    assert (invite.from_.uri.user, invite.from_.uri.params, invite.from_.tag) == (
        "+447700900123",
        {"user": "phone"},
        "abc",
    )
    assert (invite.from_tag, invite.to_tag, invite.cseq) == ("abc", "", (1, "INVITE"))
    assert invite.contact is not None
    assert invite.contact.params["+sip.instance"] == '"<urn:uuid:0>"'
    assert invite.content_type == "application/sdp"
    assert len(invite.values("Via")) == 2
    assert bytes(invite) == INVITE


def test_names_compare_without_case_in_long_and_compact_form() -> None:
    compact = INVITE.replace(b"Via:", b"v:").replace(b"From:", b"F :").replace(b"Call-ID:", b"CALL-id:")
    invite = request(compact.replace(b"To:", b"t:").replace(b"Contact:", b"m:"))
    invite.check()
    assert invite.from_tag == "abc"
    assert invite.get("i") == invite.get("Call-Id") == invite.call_id == "one@127.0.0.1"
    assert request(INVITE.replace(b"Max-Forwards", b"X-Unknown")).get("x-UNKNOWN") == "70"


def test_folded_lines_are_unfolded_into_one_space() -> None:
    invite = request(INVITE.replace(b"Max-Forwards: 70", b"Subject: an\r\n  accident  \r\n\ton the M8"))
    assert invite.get("subject") == "an accident on the M8"


def test_the_body_ends_where_content_length_says() -> None:
    assert request(INVITE + b"trailing").body == b"v=0\n"
    assert request(INVITE.replace(b"Content-Length: 4\r\n", b"") + b"more").body == b"v=0\nmore"


@pytest.mark.parametrize(
    "uri",
    [
        "urn:service:sos",
        "urn:service:sos.police",
        "tel:+447700900123;phone-context=ex",
        "sip:switch_1.desk-2@host_3.lan",
        "sip:1001@10.0.0.1:5060;transport=udp?Replaces=a%40b%3Bto-tag%3D1",
        "sip:[2001:db8::1]:5060",
        "sip:a;b=c@127.0.0.1;lr",
        "sips:x:secret@h",
    ],
)
def test_uris_that_equipment_sends_are_read_and_written_back(uri: str) -> None:
    invite = request(INVITE.replace(b"sip:999@127.0.0.1:5060", uri.encode()))
    assert str(invite.uri) == uri


def test_replaces_in_a_uri_is_found() -> None:
    invite = request(INVITE.replace(b":5060 SIP", b":5060?Replaces=a%40b%3Bto-tag%3D1 SIP"))
    assert invite.uri.header("replaces") == "a@b;to-tag=1"
    assert invite.uri.aor() == "sip:999@127.0.0.1"


def test_uris_compare_as_the_rfc_says() -> None:
    def same(one: str, other: str) -> bool:
        def read(text: str) -> Request:
            return request(INVITE.replace(b"sip:999@127.0.0.1:5060", text.encode()))

        return read(one).uri.equivalent(read(other).uri)

    # The examples of RFC 3261 §19.1.4.
    assert same("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp")
    assert same("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5")
    assert not same("sip:ALICE@AtLanTa.CoM", "sip:alice@AtLanTa.CoM")
    assert not same("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060")
    assert not same("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp")
    assert not same("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off")


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (b"", "no empty line"),
        (b"\r\n\r\n", "no empty line"),
        (b"\x00" * 2_000, "no empty line"),
        (INVITE.replace(b"70", b"7\x000"), "NUL"),
        (INVITE.replace(b"70", b"7\n0"), "bare CR or LF"),
        (INVITE.replace(b"70", b"7\r0"), "bare CR or LF"),
        (INVITE[:-1], "3 are there"),
        (INVITE.replace(b"Length: 4", b"Length: -1"), "not one Content-Length"),
        (INVITE.replace(b"Length: 4", b"Length: 4\r\nl: 3"), "not one Content-Length"),
        (INVITE.replace(b"SIP/2.0\r\nVia", b"SIP/3.0\r\nVia"), "not SIP/2.0"),
        (INVITE.replace(b"INVITE sip", b"INVITE  sip"), "not a start line"),
        (INVITE.replace(b"Max-Forwards:", b"Max Forwards:"), "not a header name"),
        (INVITE.replace(b"Max-Forwards: 70", b"Max-Forwards"), "without a colon"),
        (INVITE.replace(b"70", b"7" * 9_000), "longer than"),
        (INVITE.replace(b"Max-Forwards: 70\r\n", b"X: y\r\n" * 300), "more than 256"),
        (INVITE + b"x" * 1_000_000, "has at most"),
        (b"SIP/2.0 99 Low\r\n\r\n", "not a status line"),
        (b"SIP/2.0 700 High\r\n\r\n", "not a status line"),
    ],
)
def test_what_cannot_be_held_safely_is_refused_by_name(bad: bytes, why: str) -> None:
    with pytest.raises(SipRemoteError, match=why):
        parse(bad)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Call-ID: one@127.0.0.1\r\n", b""),
        (b"CSeq: 1", b"CSeq: 2147483648"),
        (b"CSeq: 1", b"CSeq: one"),
        (b"SIP/2.0/UDP 127.0.0.1:5062", b"SIP/2.0/UDP 127.0.0.1:99999"),
        (b"SIP/2.0/UDP 127.0.0.1:5062", b"SIP/2.0/UDP -"),
        (b"Call-ID: one@127.0.0.1", b"Call-ID: one\r\nCall-ID: two"),
        (b"To: <sip:999@127.0.0.1>", b"To: <sip:999@127.0.0.1"),
    ],
)
def test_check_refuses_what_no_transaction_can_be_made_of(old: bytes, new: bytes) -> None:
    assert old in INVITE
    with pytest.raises(SipRemoteError):
        request(INVITE.replace(old, new)).check()


def test_a_header_that_would_break_out_of_its_line_is_refused() -> None:
    invite = request(INVITE)
    for name, value in [
        ("Subject", "x\r\nVia: SIP/2.0/UDP stranger"),
        ("Subject", "x\ny"),
        ("Subject", "x\0y"),
        ("Sub\r\nject", "x"),
        ("Sub ject", "x"),
        ("Content-Length", "1"),
        ("Subject", "x" * 10_000),
    ]:
        with pytest.raises(SipLocalError):
            invite.add(name, value)
        with pytest.raises(SipLocalError):
            invite.set(name, value)
        with pytest.raises(SipLocalError):
            invite.response(200, headers=[(name, value)])
    with pytest.raises(SipLocalError):
        invite.response(200, "OK\r\nVia: x")
    with pytest.raises(SipLocalError):
        invite.response(99)
    with pytest.raises(SipLocalError):
        Request.build("INVITE", "sip:a@b\r\nVia: x", [])
    with pytest.raises(SipLocalError):
        Request.build("IN VITE", "sip:a@b", [])
    assert bytes(invite) == INVITE


def test_headers_are_set_added_and_removed_in_place() -> None:
    invite = request(INVITE)
    invite.set("max-forwards", "69")
    invite.add("Subject", "accident")
    invite.remove("Contact")
    assert bytes(invite) == INVITE.replace(b"Max-Forwards: 70", b"max-forwards: 69").replace(
        b"Content-Type", b"Content-Type"
    ).replace(b'Contact: <sip:trunk@127.0.0.1:5062>;+sip.instance="<urn:uuid:0>"\r\n', b"").replace(
        b"Content-Length", b"Subject: accident\r\nContent-Length"
    )


def test_a_response_copies_what_the_rfc_names_and_tags_to_once() -> None:
    invite = request(INVITE.replace(b"Contact", b"Record-Route: <sip:proxy;lr>\r\nContact"))
    ringing = parse(bytes(invite.response(180, to_tag="t1")))
    assert isinstance(ringing, Response)
    assert (ringing.status, ringing.reason, ringing.to_tag) == (180, "Ringing", "t1")
    assert ringing.lines("via") == invite.lines("via")
    assert ringing.get("record-route") == "<sip:proxy;lr>"
    assert parse(bytes(invite.response(486))).get("record-route") is None
    tagged = request(INVITE.replace(b"To: <sip:999@127.0.0.1>", b"To: <sip:999@127.0.0.1>;tag=old"))
    assert tagged.response(200, to_tag="new").to_tag == "old"


def test_a_broken_request_is_salvaged_for_its_400_and_nothing_else_is() -> None:
    found = salvage(INVITE[:-1])
    assert found is not None
    assert (found.status, found.sent_by_port, found.wants_rport) == (400, 5062, True)
    answer = found.answer(("10.0.0.9", 5999), "our-tag", '399 here "why"')
    assert answer.startswith(
        b"SIP/2.0 400 Bad Request\r\nVia: SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bK-1;received=10.0.0.9;rport=5999, SIP"
    )
    assert b"To: <sip:999@127.0.0.1>;tag=our-tag\r\n" in answer
    assert parse(answer).cseq == (1, "INVITE")
    assert salvage(INVITE.replace(b"Forwards: 70", b"Forwards: 7\x000")) is not None
    foreign = salvage(INVITE.replace(b" SIP/2.0\r\n", b" SIP/3.0\r\n", 1))
    assert foreign is not None
    assert foreign.answer(("10.0.0.9", 5999), "t", "w").startswith(b"SIP/2.0 505 ")
    assert salvage(INVITE.replace(b" SIP/2.0\r\n", b" HTTP/1.1\r\n", 1)) is None
    assert salvage(INVITE.replace(b"INVITE sip", b"ACK sip")) is None
    assert salvage(b"SIP/2.0 200 OK\r\n\r\n") is None
    assert salvage(INVITE.replace(b"Via", b"Vib")) is None
    assert salvage(INVITE.replace(b"CSeq: 1 INVITE\r\n", b"").replace(b"From", b"X-From")) is not None
    assert salvage(b"\x00" * 70_000) is None


def test_a_stream_is_cut_by_content_length() -> None:
    cutter = StreamCutter()
    assert cutter.feed(b"\r\n" + INVITE + INVITE + INVITE[:100]) == [INVITE, INVITE]
    assert len(cutter) == 100
    assert cutter.feed(INVITE[100:]) == [INVITE]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (INVITE.replace(b"Content-Length: 4\r\n", b""), "no Content-Length"),
        (b"x" * (grammar.MAX_MESSAGE + 1), "no end of headers"),
        (INVITE.replace(b"Length: 4", b"Length: 65535"), "at most"),
        (b"\rINVITE", "a bare CR"),
        (b"\r\n\r\rINVITE", "a bare CR"),
    ],
)
def test_a_stream_that_has_lost_its_rhythm_says_so_and_keeps_nothing_more(data: bytes, problem: str) -> None:
    cutter = StreamCutter()
    assert cutter.feed(INVITE + data) == [INVITE], "what was whole before is not lost"
    assert problem in str(cutter.problem)
    kept = len(cutter.rest)
    assert cutter.feed(INVITE) == []
    assert len(cutter.rest) == kept


def test_keep_alives_between_messages_are_counted() -> None:
    cutter = StreamCutter()
    assert cutter.feed(b"\r\n\r\n" + INVITE + b"\r\n") == [INVITE]
    assert (cutter.pings, len(cutter)) == (1, 0), "a line end is no message that has begun"
    assert cutter.feed(b"\r\n" + INVITE) == [INVITE]
    assert (cutter.pings, len(cutter)) == (2, 0)
    assert cutter.feed(b"\r\n" + INVITE) == [INVITE], "one empty line before a message is no keep-alive"
    assert cutter.pings == 2


@given(st.lists(st.integers(1, 300), max_size=30), st.integers(1, 4))
def test_a_stream_is_cut_alike_however_it_is_chopped(cuts: list[int], copies: int) -> None:
    cutter = StreamCutter()
    left, got = INVITE * copies, []
    for cut in cuts:
        got += cutter.feed(left[:cut])
        left = left[cut:]
    assert got + cutter.feed(left) == [INVITE] * copies
    assert len(cutter) == 0


TORTURE = [
    # After the ideas of RFC 4475: odd, but right.
    b"OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0\r\nVia: SIP/2.0/UDP host_1;branch=z9hG4bK1\r\n"
    b"To:sip:j_user@example.com\r\nFrom: <sip:caller@example.net>  ;tag=1\r\nCall-ID: x\r\nCSeq: 0009 OPTIONS\r\n\r\n",
    b"INVITE sip:vivekg@chair-dnrc.example.com;unknownparam SIP/2.0\r\nTO :\r\n"
    b" sip:vivekg@chair-dnrc.example.com ;   tag    = 1918181833n\r\nfrom   : "
    b'"J Rosenberg \\\\\\""       <sip:jdrosen@example.com>\r\n  ;\r\n  tag = 98asjd8\r\nMaX-fOrWaRdS: 0068\r\n'
    b"Call-ID: wsinv.ndaksdj@192.0.2.1\r\nCSeq: 0009\r\n  INVITE\r\nVia  : SIP  /   2.0\r\n /UDP\r\n"
    b"    192.0.2.2;branch=390skdjuw\r\ns :\r\n\r\n",
    b"!interesting-Method0123456789_*+`.%indeed'~ sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
    b":&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP host1;branch=z9hG4bK-.!%66\r\n"
    b'To: "BEL:\\\x07 NUL esc" <sip:1@example.com>\r\nFrom: token1~` <sip:a@b>;tag=_token~1\'+`*%!-.\r\n'
    b"Call-ID: intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{\r\n"
    b"CSeq: 139122385 !interesting-Method0123456789_*+`.%indeed'~\r\n\r\n",
]


@pytest.mark.parametrize("data", TORTURE)
def test_odd_but_right_messages_are_read(data: bytes) -> None:
    message = request(data)
    message.check()
    assert parse(bytes(message)).cseq == message.cseq
    assert message.from_.tag


TOKENS = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789-_.", min_size=1, max_size=12)
VALUES = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=60).map(str.strip)


@given(
    st.lists(st.tuples(TOKENS.filter(lambda name: name.lower() not in ("content-length", "l")), VALUES), max_size=12),
    st.binary(max_size=200),
)
def test_any_message_of_ours_comes_back_as_it_went(headers: list[tuple[str, str]], body: bytes) -> None:
    sent = Request.build("MESSAGE", "sip:a@127.0.0.1", headers, body)
    back = request(bytes(sent))
    assert (back.fields, back.body, back.uri_text) == (sent.fields, body, "sip:a@127.0.0.1")


def _touch_everything(data: bytes) -> None:
    """Read all that an endpoint may read; only the named error may come out."""
    salvage(data)
    message = parse(data)
    message.check()
    _ = (message.via.reply_address(), message.from_, message.to, message.contact, message.content_type)
    for name in ("route", "record-route", "contact", "via", "require", "allow"):
        message.values(name)
    for name in ("expires", "max-forwards", "rseq"):
        message.number(name)
    if isinstance(message, Request):
        _ = message.uri
        bytes(message.response(200, to_tag="x"))
    bytes(message)


@settings(max_examples=400)
@given(st.integers(0, len(INVITE)), st.integers(0, 40), st.binary(max_size=40))
def test_mutated_messages_raise_nothing_but_the_named_error(at: int, cut: int, put: bytes) -> None:
    try:
        _touch_everything(INVITE[:at] + put + INVITE[at + cut :])
    except SipRemoteError as error:
        assert str(error)


@given(st.binary(max_size=600))
def test_noise_raises_nothing_but_the_named_error(data: bytes) -> None:
    for prefix in (b"", b"INVITE sip:a@b SIP/2.0\r\nVia: ", b"SIP/2.0 200 OK\r\nFrom: "):
        try:
            _touch_everything(prefix + data + b"\r\n\r\n")
        except SipRemoteError as error:
            assert str(error)
        cutter = StreamCutter()
        cutter.feed(prefix + data)
        assert cutter.problem is None or str(cutter.problem)
