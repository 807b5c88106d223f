"""Dialogs, digest authentication and registrations, without any I/O."""

from __future__ import annotations

import pytest

from harness.errors import SipRemoteError
from harness.protocols.sip.dialog import Dialog, DialogState
from harness.protocols.sip.digest import Authenticator, Challenge, Verdict, authorization, choose
from harness.protocols.sip.message import Request, Response
from harness.protocols.sip.parse import parse
from harness.protocols.sip.registrar import MAX_CONTACTS, Registrar


def make(method: str, cseq: int = 1, *lines: str, to: str = "<sip:b@10.0.0.2>") -> Request:
    text = f"{method} sip:b@10.0.0.2 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1\r\n"
    text += f"From: <sip:a@10.0.0.1>;tag=a\r\nTo: {to}\r\nCall-ID: c\r\nCSeq: {cseq} {method}\r\n"
    message = parse((text + "".join(f"{line}\r\n" for line in lines) + "\r\n").encode())
    assert isinstance(message, Request)
    message.check()
    return message


CONTACT = "Contact: <sip:a@10.0.0.1:5070>"
ROUTES = "Record-Route: <sip:p2;lr>, <sip:p1;lr>"


def test_the_called_side_keeps_the_record_route_in_order_and_the_caller_reverses_it() -> None:
    invite = make("INVITE", 1, CONTACT, ROUTES)
    called = Dialog.of_request(invite, "b")
    assert (called.route_set, called.target) == (["<sip:p2;lr>", "<sip:p1;lr>"], "sip:a@10.0.0.1:5070")
    assert (called.local_tag, called.remote_tag, called.state) == ("b", "a", DialogState.EARLY)
    response = parse(bytes(invite.response(200, to_tag="b", headers=[("Contact", "<sip:b@10.0.0.2:5080>")])))
    assert isinstance(response, Response)
    response.check()
    caller = Dialog.of_response(invite, response)
    assert caller.route_set == ["<sip:p1;lr>", "<sip:p2;lr>"]
    bye = caller.request("BYE")
    assert (bye.uri_text, bye.cseq, bye.lines("route")) == (
        "sip:b@10.0.0.2:5080",
        (2, "BYE"),
        ["<sip:p1;lr>", "<sip:p2;lr>"],
    )
    assert (bye.from_tag, bye.to_tag, caller.next_hop()) == ("a", "b", "sip:p1;lr")
    assert caller.request("ACK", cseq=1).cseq == (1, "ACK")
    assert caller.request("BYE").cseq == (3, "BYE"), "an ACK does not count"


def test_a_strict_router_gets_itself_as_request_uri() -> None:
    dialog = Dialog.of_request(make("INVITE", 1, CONTACT, "Record-Route: <sip:old>, <sip:p1;lr>"), "b")
    bye = dialog.request("BYE")
    assert (bye.uri_text, bye.lines("route")) == ("sip:old", ["<sip:p1;lr>", "<sip:a@10.0.0.1:5070>"])


def test_late_requests_are_refused_and_a_reinvite_moves_the_target() -> None:
    dialog = Dialog.of_request(make("INVITE", 5, CONTACT), "b")
    for late in (4, 5):
        with pytest.raises(SipRemoteError, match="came after 5"):
            dialog.receive(make("BYE", late))
    dialog.receive(make("INVITE", 9, "Contact: <sip:a@10.0.0.7>"))
    assert (dialog.target, dialog.remote_cseq) == ("sip:a@10.0.0.7", 9)


@pytest.mark.parametrize("contact", ["", "Contact: *", "Contact: <sip:a@b", "Contact: <a>", 'Contact: <sip:a"b@c>'])
def test_an_invite_without_a_usable_contact_makes_no_dialog(contact: str) -> None:
    with pytest.raises(SipRemoteError):
        Dialog.of_request(make("INVITE", 1, *([contact] if contact else [])), "b")


@pytest.mark.parametrize(
    ("algorithm", "due"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_digests_are_those_of_rfc_7616(algorithm: str, due: str) -> None:
    challenge = Challenge("http-auth@example.org", "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", algorithm)
    value = authorization(
        challenge,
        "GET",
        "/dir/index.html",
        "Mufasa",
        "Circle of Life",
        cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
    )
    assert f'response="{due}"' in value


def test_the_strongest_challenge_is_answered_and_unknown_ones_are_passed_over() -> None:
    chosen = choose(
        [
            'Digest realm="r", nonce="1", algorithm=MD5, qop="auth"',
            'Digest realm="r", nonce="2", algorithm=SHA-512-256, qop="auth"',
            'Digest realm="r, \\"quoted\\"", nonce="3", algorithm=SHA-256, qop="auth-int,auth", opaque="o"',
        ]
    )
    assert (chosen.nonce, chosen.algorithm, chosen.realm, chosen.opaque) == ("3", "SHA-256", 'r, "quoted"', "o")
    assert Challenge.parse(str(chosen)) == chosen
    for bad in ("Basic realm=x", "Digest realm=x", 'Digest realm="x', 'Digest realm=x, nonce=y, qop="auth-conf"', ""):
        with pytest.raises(SipRemoteError):
            choose([bad])


def test_an_authenticator_takes_a_good_answer_once_and_tells_stale_from_bad() -> None:
    asking = Authenticator("ccc", {"govan-12": "pw"}.get, b"secret", life=10)
    for text in asking.challenges(100.0):
        challenge = choose([text])
        good = authorization(challenge, "REGISTER", "sip:ccc", "govan-12", "pw", cnonce="x", count=1)
        bad = authorization(challenge, "REGISTER", "sip:ccc", "govan-12", "no", cnonce="x", count=1)
        stranger = authorization(challenge, "REGISTER", "sip:ccc", "who", "", cnonce="x", count=1)
        assert asking.check(None, "REGISTER", 101) == (Verdict.MISSING, "")
        assert asking.check(bad, "REGISTER", 101) == (Verdict.BAD, "govan-12")
        assert asking.check(stranger, "REGISTER", 101) == (Verdict.BAD, "who")
        assert asking.check(good, "INVITE", 101)[0] is Verdict.BAD, "made for another method"
    asking = Authenticator("ccc", {"govan-12": "pw"}.get, b"secret", life=10)
    challenge = choose(asking.challenges(100.0))
    first = authorization(challenge, "REGISTER", "sip:ccc", "govan-12", "pw", cnonce="x", count=1)
    second = authorization(challenge, "REGISTER", "sip:ccc", "govan-12", "pw", cnonce="x", count=2)
    assert asking.check(first, "REGISTER", 101)[0] is Verdict.GOOD
    assert asking.check(first, "REGISTER", 101)[0] is Verdict.STALE, "a replay"
    assert asking.check(second, "REGISTER", 102)[0] is Verdict.GOOD
    third = authorization(challenge, "REGISTER", "sip:ccc", "govan-12", "pw", cnonce="x", count=3)
    assert asking.check(third, "REGISTER", 111)[0] is Verdict.STALE, "too old"
    forged = authorization(Challenge("ccc", "100.000.1.f00"), "REGISTER", "sip:ccc", "govan-12", "pw", cnonce="x")
    assert asking.check(forged, "REGISTER", 101)[0] is Verdict.STALE
    assert asking.check("Basic Zm9v", "REGISTER", 101)[0] is Verdict.MISSING, "another scheme says nothing to us"
    with pytest.raises(SipRemoteError):
        asking.check('Digest username="x', "REGISTER", 101)


def test_who_answers_without_qop_is_let_in_once_a_nonce_and_never_where_the_body_must_be_guarded() -> None:
    asking = Authenticator("ccc", {"govan-12": "pw"}.get, b"secret")
    challenge = choose(asking.challenges(100.0))
    early = Challenge(challenge.realm, challenge.nonce, challenge.algorithm, "")
    value = authorization(early, "REGISTER", "sip:ccc", "govan-12", "pw", cnonce="x")
    assert "qop" not in value and "nc=" not in value
    wrong = authorization(early, "REGISTER", "sip:ccc", "govan-12", "no", cnonce="x")
    assert asking.check(wrong, "REGISTER", 101)[0] is Verdict.BAD
    assert asking.check(value, "REGISTER", 101)[0] is Verdict.GOOD
    assert asking.check(value, "REGISTER", 101)[0] is Verdict.STALE, "a replay"
    counted = authorization(challenge, "REGISTER", "sip:ccc", "govan-12", "pw", cnonce="x", count=1)
    assert asking.check(counted, "REGISTER", 101)[0] is Verdict.STALE, "a use that nothing counted was the first"
    guarded = Authenticator("ccc", {"govan-12": "pw"}.get, b"secret", qops=["auth-int"])
    asked = choose(guarded.challenges(100.0))
    bare = Challenge(asked.realm, asked.nonce, asked.algorithm, "")
    value = authorization(bare, "REGISTER", "sip:ccc", "govan-12", "pw", cnonce="x")
    assert guarded.check(value, "REGISTER", 101)[0] is Verdict.BAD


def test_auth_int_guards_the_body_and_is_used_where_it_alone_is_offered() -> None:
    asking = Authenticator("ccc", {"govan-12": "pw"}.get, b"secret", qops=["auth-int"])
    challenge = choose(asking.challenges(100.0))
    assert challenge.qop == "auth-int"
    value = authorization(challenge, "INVITE", "sip:ccc", "govan-12", "pw", cnonce="x", body=b"v=0")
    assert "qop=auth-int" in value
    assert asking.check(value, "INVITE", 101, b"v=0, but changed on the way")[0] is Verdict.BAD
    assert asking.check(value, "INVITE", 101, b"v=0")[0] is Verdict.GOOD
    both = Authenticator("ccc", {"govan-12": "pw"}.get, b"secret")
    assert choose(both.challenges(100.0)).qop == "auth"


def _register(registrar: Registrar, cseq: int, now: float, *lines: str) -> Response:
    return registrar.register(make("REGISTER", cseq, *lines), now, "t")


AOR = "sip:b@10.0.0.2"


def test_bindings_are_made_refreshed_and_lapse() -> None:
    registrar = Registrar(min_expires=10)
    made = _register(registrar, 1, 0, CONTACT, "Expires: 60")
    assert (made.status, made.lines("contact")) == (200, ["<sip:a@10.0.0.1:5070>;expires=60"])
    _register(registrar, 2, 30, CONTACT + ";expires=100")
    assert registrar.next_expiry() == 130
    assert len(registrar.bindings(AOR, 129)) == 1
    assert registrar.bindings(AOR, 130) == []
    assert registrar.expire(130) == [(AOR, "sip:a@10.0.0.1:5070")]
    assert (registrar.next_expiry(), registrar.expire(131)) == (None, [])
    brief = _register(registrar, 3, 0, CONTACT, "Expires: 5")
    assert (brief.status, brief.get("min-expires")) == (423, "10")


def test_bindings_are_taken_back_one_by_one_or_all_at_once() -> None:
    registrar = Registrar()
    _register(registrar, 1, 0, CONTACT, "Contact: <sip:a@10.0.0.9>")
    assert len(_register(registrar, 2, 0).lines("contact")) == 2, "without Contact it is a question"
    assert len(_register(registrar, 3, 0, CONTACT + ";expires=0").lines("contact")) == 1
    with pytest.raises(SipRemoteError):
        _register(registrar, 4, 0, "Contact: *", "Expires: 1")
    with pytest.raises(SipRemoteError, match="CSeq"):
        _register(registrar, 1, 0, "Contact: *", "Expires: 0")
    assert _register(registrar, 4, 0, "Contact: *", "Expires: 0").lines("contact") == []
    assert registrar.bindings(AOR, 0) == []


def test_a_late_register_changes_nothing_and_the_table_has_a_bound() -> None:
    registrar = Registrar()
    _register(registrar, 5, 0, CONTACT)
    with pytest.raises(SipRemoteError, match="CSeq 5"):
        _register(registrar, 5, 0, CONTACT + ";expires=0")
    assert len(registrar.bindings(AOR, 0)) == 1
    many = [f"Contact: <sip:a@10.0.1.{at}>" for at in range(MAX_CONTACTS)]
    assert _register(registrar, 6, 0, *many).status == 403
    assert len(registrar.bindings(AOR, 0)) == 1
