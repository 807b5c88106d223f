"""RFC 4475's torture messages at the parser: what it reads of the good ones, and what it refuses of the bad ones."""

from __future__ import annotations

import contextlib
import email
import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sip_reader import read_all, read_request

from fixtures.sip_torture import make
from fixtures.sip_torture.corpus import FOLDER, RFC_4475, RFC_5118, Case, case
from harness.errors import SipRemoteError
from harness.protocols.sip.headers import Via
from harness.protocols.sip.message import Request, Response
from harness.protocols.sip.parse import parse
from harness.protocols.sip.salvage import salvage
from harness.protocols.sip.uri import Uri

PAGE = Path(__file__).resolve().parents[4] / "docs" / "sip-torture.md"


def named(cases: list[Case]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("torture", cases, ids=str)


def request(name: str) -> Request:
    return read_request(case(name).data)


def response(name: str) -> Response:
    message = read_all(case(name).data)
    assert isinstance(message, Response)
    return message


# The corpus itself


@named([*RFC_4475, *RFC_5118])
def test_each_file_is_what_its_source_says_and_exact_to_the_octet(torture: Case) -> None:
    assert torture.data == make.messages(torture.source)[torture.name]
    assert hashlib.sha256(torture.data).hexdigest() == torture.sha256


def test_the_table_has_every_message_once_and_no_other() -> None:
    for source, cases, count in (("rfc4475", RFC_4475, 49), ("rfc5118", RFC_5118, 12)):
        files = {path.stem for path in (FOLDER / source).glob("*.dat")}
        assert files == {each.name for each in cases} == set(make.messages(source))
        assert len(cases) == count


@named([*RFC_4475, *RFC_5118])
def test_the_page_tells_what_is_due_of_each(torture: Case) -> None:
    answer = ", ".join(map(str, torture.answer)) or "silence"
    due = f"{answer}: {torture.due}" if torture.element else torture.due
    assert f"| `{torture.name}` | {torture.section} | {torture.tests} | {torture.parser} | {due} |" in PAGE.read_text()


# All of them


@named([each for each in RFC_4475 if each.parser == "read"])
def test_a_message_that_is_to_be_read_is_read_and_written_back(torture: Case) -> None:
    message = read_all(torture.data)
    again = read_all(bytes(message))
    assert (again.start_line, again.fields, again.body) == (message.start_line, message.fields, message.body)


@named([each for each in RFC_4475 if each.parser == "refused"])
def test_a_message_that_is_to_be_refused_is_refused_by_name(torture: Case) -> None:
    with pytest.raises(SipRemoteError):
        read_all(torture.data)


@named([each for each in RFC_4475 if each.parser == "either"])
def test_a_message_that_may_be_refused_raises_nothing_else(torture: Case) -> None:
    with contextlib.suppress(SipRemoteError):
        message = read_all(torture.data)
        read_all(bytes(message))


@named([each for each in RFC_4475 if each.parser == "refused" and each.answer])
def test_a_request_that_is_refused_can_still_be_answered_with_the_error_that_is_due(torture: Case) -> None:
    salvaged = salvage(torture.data)
    assert salvaged is not None, f"nothing to answer with {torture.answer}"
    assert salvaged.status in torture.answer
    answer = salvaged.answer(("192.0.2.99", 5060), "tag", '399 a "b"')
    assert answer.startswith(f"SIP/2.0 {salvaged.status} ".encode())


@settings(max_examples=500)
@given(
    st.sampled_from([each.data for each in (*RFC_4475, *RFC_5118)]),
    st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 8), st.binary(max_size=8)), min_size=1, max_size=8),
)
def test_a_spoilt_torture_message_raises_nothing_but_the_named_error(
    data: bytes, cuts: list[tuple[int, int, bytes]]
) -> None:
    for where, length, instead in cuts:
        at = where % (len(data) + 1)
        data = data[:at] + instead + data[at + length :]
    salvage(data)
    with contextlib.suppress(SipRemoteError):
        message = read_all(data)
        assert read_all(bytes(message)).fields == message.fields


# §3.1.1, valid messages


def test_wsinv_white_space_and_folds_change_no_value() -> None:
    invite = request("wsinv")
    assert (invite.method, invite.uri_text) == ("INVITE", "sip:vivekg@chair-dnrc.example.com;unknownparam")
    assert invite.uri.params == {"unknownparam": None}
    assert (invite.to.uri.user, invite.to.display, invite.to_tag, invite.to.tag) == ("vivekg", "", *["1918181833n"] * 2)
    assert (invite.from_.display, invite.from_tag, invite.from_.tag) == ('J Rosenberg \\"', *["98asjd8"] * 2)
    assert (invite.number("max-forwards"), invite.call_id) == (68, "wsinv.ndaksdj@192.0.2.1")
    assert invite.cseq == (9, "INVITE")
    vias = [Via.parse(value) for value in invite.values("via")]
    assert [(via.transport, via.host, via.port, via.branch) for via in vias] == [
        ("UDP", "192.0.2.2", None, "390skdjuw"),
        ("TCP", "spindle.example.com", None, "z9hG4bK9ikj8"),
        ("UDP", "192.168.255.111", None, "z9hG4bK30239"),
    ]
    assert invite.get("subject") == ""
    assert invite.get("newfangledheader") == "newfangled value continued newfangled value"
    assert invite.get("UnknownHeaderWithUnusualValue") == ";;,,;;,;"
    assert invite.content_type == "application/sdp"
    (route,) = invite.name_addrs("route")
    assert route.uri.host == "services.example.com"
    assert route.uri.params == {"lr": None, "unknownwith": "value", "unknown-no-value": None}
    contact = invite.contact
    assert contact is not None
    assert (contact.display, contact.uri.user) == ('Quoted string ""', "jdrosen")
    assert contact.params == {"newparam": "newvalue", "secondparam": None, "q": "0.33"}
    assert len(invite.body) == 150


def test_intmeth_every_character_that_is_allowed_is_kept() -> None:
    odd = request("intmeth")
    method = "!interesting-Method0123456789_*+`.%indeed'~"
    assert (odd.method, odd.cseq) == (method, (139_122_385, method))
    assert odd.uri.user == "1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
    assert odd.uri.password == "&it+has=1,weird!*pas$wo~d_too.(doesn't-it)"
    assert (odd.uri.host, odd.uri.params, odd.uri.headers) == ("example.com", {}, "")
    assert odd.via.branch == "z9hG4bK-.!%66*_+`'~"
    assert odd.to.display == "BEL:\x07 NUL:\0 DEL:\x7f"
    assert odd.to.uri.user == odd.uri.user
    assert odd.from_.display == "token1~` token2'+_ token3*%!.-"
    assert odd.from_.params["fromparam''~+*_!.-%"] == '"работающий"'
    assert odd.from_tag == "_token~1'+`*%!-."
    assert odd.call_id == "intmeth.word%ZK-!.*_+'@word`~)(><:\\/\"][?}{"
    assert odd.get("extensionHeader-!.%*+_`'~") == "\ufeff大停電"
    assert odd.number("max-forwards") == 255


def test_esc01_an_escape_is_the_character_it_stands_for_and_is_resolved_once() -> None:
    invite = request("esc01")
    assert (invite.uri.user_text, invite.uri.host) == ("sips:user@example.com", "example.net")
    assert (invite.to.uri.user_text, invite.from_.uri.user_text) == ("user", "I have spaces")
    assert invite.contact is not None
    contact = invite.contact.uri
    assert contact.user_text == "caller"
    assert contact.equivalent(Uri.parse("sip:caller@host5.example.net;lr;name=value%2541"))
    assert not contact.equivalent(Uri.parse("sip:caller@host5.example.net;lr;name=valueA"))


def test_escnull_a_name_is_not_cut_at_an_escaped_nul() -> None:
    register = request("escnull")
    assert register.to.uri.user_text == register.from_.uri.user_text == "null-\0-null"
    one, two = register.name_addrs("contact")
    assert (one.uri.user_text, two.uri.user_text) == ("\0", "\0\0")
    assert not one.uri.equivalent(two.uri)


def test_esc02_a_percent_sign_elsewhere_is_itself() -> None:
    odd = request("esc02")
    assert (odd.method, odd.cseq.method) == ("RE%47IST%45R", "RE%47IST%45R")
    assert odd.to.display == odd.from_.display == "%Z%45"
    assert [contact.uri.user for contact in odd.name_addrs("contact")] == ["alias1", "alias3"]
    assert odd.get("C%6Fntact") == "<sip:alias2@host2.example.com>"
    assert odd.via.branch == "z9hG4bK209%fzsnel234"


def test_lwsdisp_a_display_name_needs_no_space_before_its_bracket() -> None:
    options = request("lwsdisp")
    assert (options.from_.display, options.from_.uri.user, options.from_tag) == ("caller", "caller", "323")


def test_longreq_nothing_is_cut() -> None:
    invite = request("longreq")
    assert invite.to.display == f"I have a user name of {'extreme' * 10} proportion"
    assert invite.to.uri.port == 6000
    assert invite.to.uri.params == {
        "unknownparam1": f"very{'long' * 20}value",
        f"longparam{'name' * 25}": "shortvalue",
        f"very{'long' * 25}parameternamewithnovalue": None,
    }
    assert invite.from_.uri.user == "amazinglylongcallername" * 5
    assert invite.from_tag == f"12{'982' * 50}424"
    assert invite.from_.params[f"unknownheaderparam{'name' * 20}"] == f"unknowheaderparam{'value' * 15}"
    assert invite.from_.params[f"unknownvalueless{'paramname' * 10}"] is None
    assert invite.call_id == f"longreq.one{'really' * 20}longcallid"
    vias = [Via.parse(value) for value in invite.values("via")]
    assert [via.host for via in vias] == [
        *(f"sip{number}.example.com" for number in range(33, 0, -1)),
        "host.example.com",
    ]
    assert {via.transport for via in vias} == {"TCP"}
    assert vias[-1].params == {"received": "192.0.2.5", "branch": f"very{'long' * 50}branchvalue"}
    assert invite.via.host == "sip33.example.com"
    assert len(invite.get(f"Unknown-{'Long' * 20}-Name") or "") == len(
        f"unknown-{'long' * 20}-value; unknown-{'long' * 20}-parameter-name = unknown-{'long' * 20}-parameter-value"
    )
    assert len(invite.body) == 150


def test_dblreq_what_follows_the_body_is_noise() -> None:
    register = request("dblreq")
    assert (register.method, register.body) == ("REGISTER", b"")
    assert b"INVITE" not in bytes(register)
    assert len(register.lines("call-id")) == 1


def test_semiuri_a_semicolon_in_the_user_part_begins_no_parameter() -> None:
    options = request("semiuri")
    assert (options.uri.user_text, options.uri.host, options.uri.params) == (
        "user;par=u@example.net",
        "example.com",
        {},
    )
    accepted = ("application/sdp", "application/pkcs7-mime", "multipart/mixed", "multipart/signed")
    assert options.values("accept") == [*accepted, "message/sip", "message/sipfrag"]


def test_transports_every_transport_is_read_known_or_not() -> None:
    vias = [Via.parse(value) for value in request("transports").values("via")]
    assert [via.transport for via in vias] == ["UDP", "SCTP", "TLS", "UNKNOWN", "TCP"]
    assert [via.host for via in vias] == [f"t{number}.example.com" for number in range(1, 6)]
    assert request("transports").call_id == "transports.kijh4akdnaqjkwendsasfdj"


def test_mpart01_a_binary_body_with_nuls_is_whole() -> None:
    message = request("mpart01")
    assert len(message.body) == 553
    assert message.body == case("mpart01").data[-553:]
    assert message.content_type == "multipart/mixed"
    # Python's own MIME reader is the judge of what the parts are.
    whole = email.message_from_bytes(f"Content-Type: {message.get('content-type')}\r\n\r\n".encode() + message.body)
    text, binary = whole.get_payload()
    assert text.get_payload(decode=True).strip() == b"Hello"
    signed = binary.get_payload(decode=True)
    assert len(signed) == 342 and int.from_bytes(signed[2:4]) == 342 - 4  # DER: a SEQUENCE and its length
    assert "rport" in message.via.params


def test_unreason_and_noreason_a_reason_phrase_is_any_text_or_none() -> None:
    odd = response("unreason")
    assert (odd.status, odd.reason) == (200, "= 2**3 * 5**2 но сто девяносто девять - простое")
    empty = response("noreason")
    assert (empty.status, empty.reason) == (100, "")
    assert bytes(empty).startswith(b"SIP/2.0 100 \r\n")


# §3.1.2, invalid messages


def test_an_escaped_header_in_a_request_uri_never_becomes_a_header() -> None:
    with contextlib.suppress(SipRemoteError):
        assert request("escruri").get("route") is None


def test_a_mismatch_of_methods_is_seen() -> None:
    assert (request("mismatch01").method, request("mismatch01").cseq) == ("OPTIONS", (8, "INVITE"))
    assert (request("mismatch02").method, request("mismatch02").cseq) == ("NEWMETHOD", (8, "INVITE"))


def test_regbadct_brackets_are_inferred_whole_or_not_at_all() -> None:
    with contextlib.suppress(SipRemoteError):
        (contact,) = request("regbadct").name_addrs("contact")
        assert str(contact) == "<sip:user@example.com?Route=%3Csip:sip.example.com%3E>"


# §3.2 to §3.4, for other layers


def test_badbranch_the_magic_cookie_alone_is_read_as_it_is() -> None:
    assert request("badbranch").via.branch == "z9hG4bK"


def test_schemes_that_sip_does_not_use_are_read() -> None:
    assert (request("unkscm").uri.scheme, request("unkscm").uri.opaque) == (
        "nobodyknowsthisscheme",
        "totallyopaquecontent",
    )
    assert (request("novelsc").uri.scheme, request("novelsc").uri.opaque) == ("soap.beep", "//192.0.2.103:3002")
    register = request("unksm2")
    assert (register.to.uri.scheme, register.to.uri.opaque) == ("isbn", "2983792873")
    assert (str(register.from_.uri), register.from_tag) == ("http://www.example.com", "3234233")
    assert register.contact is not None and str(register.contact.uri) == "name:John_Smith"


def test_lists_of_options_are_read() -> None:
    options = request("bext01")
    assert options.values("require") == ["nothingSupportsThis", "nothingSupportsThisEither"]
    assert options.values("proxy-require") == ["noProxiesSupportThis", "norDoAnyProxiesSupportThis"]


def test_bodies_and_credentials_of_unknown_kinds_are_kept() -> None:
    assert request("invut").body == b'<audio>\r\n <pcmu port="443"/>\r\n</audio>\r\n'
    assert request("invut").content_type == "application/unknownformat"
    assert request("regaut01").get("authorization") == "NoOneKnowsThisScheme opaque-data=here"
    assert request("sdp01").values("accept") == ["text/nobodyKnowsThis"]
    assert request("zeromf").number("max-forwards") == 0


def test_bcast_a_broadcast_via_is_read() -> None:
    assert [Via.parse(value).host for value in response("bcast").values("via")] == ["192.0.2.198", "255.255.255.255"]


def test_a_contacts_parameters_are_the_headers_without_brackets_and_the_uris_within_them() -> None:
    (header,) = request("cparam01").name_addrs("contact")
    assert (header.params, header.uri.params) == ({"unknownparam": None}, {})
    (uri,) = request("cparam02").name_addrs("contact")
    assert (uri.params, uri.uri.params) == ({}, {"unknownparam": None})
    (escaped,) = request("regescrt").name_addrs("contact")
    assert escaped.uri.header("route") == "<sip:sip.example.com>"
    assert str(escaped) == "<sip:user@example.com?Route=%3Csip:sip.example.com%3E>"


def test_inv2543_an_invite_of_the_old_kind_is_read() -> None:
    invite = request("inv2543")
    assert (invite.via.branch, invite.from_tag, invite.number("max-forwards"), invite.contact) == ("", "", None, None)
    assert invite.body.startswith(b"v=0\r\n") and invite.body.endswith(b"m=audio 49217 RTP/AVP 0\r\n")
    assert invite.from_.uri.params == {"user": "phone"}
    assert (invite.to.uri.params, invite.to.params) == ({}, {"user": "phone"})
    assert parse(bytes(invite)).body == invite.body
