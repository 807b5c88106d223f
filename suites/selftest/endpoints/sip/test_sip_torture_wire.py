"""RFC 4475's torture messages as datagrams to a user agent and to registrars: the answer that is due comes."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Callable

import pytest
from torture_element import OFFER, REALM, element
from torture_wire import Answer, Witness, header, must_answer

from fixtures.sip_torture.corpus import RFC_4475, Case, case

pytestmark = pytest.mark.real_wire

PASSWORDS = {"watson": "come here", "user": "secret", "j.user": "secret"}


@pytest.fixture
async def everyone() -> AsyncIterator[Witness]:
    """A witness towards an element that registers whoever asks."""
    async with element() as agent:
        with Witness(agent.address) as witness:
            yield witness


@pytest.fixture
async def guarded() -> AsyncIterator[Witness]:
    """A witness towards an element that asks for credentials before it registers."""
    async with element(PASSWORDS) as agent:
        with Witness(agent.address) as witness:
            yield witness


# What the RFC wants of an answer besides its status.


def lists_methods(answer: Answer) -> None:
    assert {"INVITE", "ACK", "BYE", "CANCEL", "OPTIONS"} <= set(re.split(r"[,\s]+", answer.header("allow") or ""))


def lists_methods_where_405(answer: Answer) -> None:
    if answer.status == 405:
        lists_methods(answer)


def names_the_extensions(answer: Answer) -> None:
    named = re.split(r"\s*,\s*", answer.header("unsupported") or "")
    assert named == ["nothingSupportsThis", "nothingSupportsThisEither"]


def names_sdp(answer: Answer) -> None:
    assert "application/sdp" in (answer.header("accept") or "")


def challenges(answer: Answer) -> None:
    asked = answer.headers("www-authenticate")
    assert asked and all(value.startswith("Digest ") for value in asked)


def has_no_session(answer: Answer) -> None:
    assert answer.body == b""


def registers(*contacts: str) -> Callable[[Answer], None]:
    def check(answer: Answer) -> None:
        shown = {re.sub(r"\s*;expires=\d+", "", value) for value in answer.headers("contact")}
        assert answer.status != 200 or shown == set(contacts)

    return check


ALSO_DUE: dict[str, Callable[[Answer], None]] = {
    "intmeth": lists_methods,
    "mpart01": lists_methods_where_405,
    "bext01": names_the_extensions,
    "invut": names_sdp,
    "regaut01": challenges,
    "sdp01": has_no_session,
    "escnull": registers("<sip:%00@host5.example.com>", "<sip:%00%00@host5.example.com>"),
    "dblreq": registers("<sip:j.user@host.example.com>"),
    "regbadct": registers("<sip:user@example.com?Route=%3Csip:sip.example.com%3E>"),
    "cparam01": registers("<sip:+19725552222@gw1.example.net>;unknownparam"),
    "cparam02": registers("<sip:+19725552222@gw1.example.net;unknownparam>"),
    "regescrt": registers("<sip:user@example.com?Route=%3Csip:sip.example.com%3E>"),
}


@pytest.mark.parametrize("torture", [each for each in RFC_4475 if each.element != "digest"], ids=str)
async def test_the_answer_that_is_due_comes_and_the_next_call_works(everyone: Witness, torture: Case) -> None:
    final = await must_answer(everyone, torture.data, torture.answer)
    if final is not None and torture.name in ALSO_DUE:
        ALSO_DUE[torture.name](final)
    await everyone.call(OFFER)


@pytest.mark.parametrize("torture", [each for each in RFC_4475 if each.element == "digest"], ids=str)
async def test_a_registrar_that_asks_for_credentials_challenges(guarded: Witness, torture: Case) -> None:
    final = await must_answer(guarded, torture.data, torture.answer)
    assert final is not None
    ALSO_DUE[torture.name](final)
    await guarded.call(OFFER)


def user_of(register: bytes) -> str:
    user = re.search(r"sip:([^@]+)@", header(register, "to") or "")
    assert user
    return user[1]


def credentials(register: bytes, challenge: str, password: str) -> bytes:
    """The Authorization line of RFC 2617 §3.2.2 (MD5; qop auth where it is offered) that answers a challenge."""
    asked = dict(re.findall(r'(\w+)="?([^",]*)"?', challenge.removeprefix("Digest ")))
    assert asked["realm"] == REALM
    user, uri = user_of(register), register.split(b" ", 2)[1].decode()

    def md5(text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest()

    counted = f"{asked['nonce']}:00000001:0a4f113b:auth" if "qop" in asked else asked["nonce"]
    response = md5(f"{md5(f'{user}:{REALM}:{password}')}:{counted}:{md5(f'REGISTER:{uri}')}")
    line = f'Authorization: Digest username="{user}",realm="{REALM}",nonce="{asked["nonce"]}",uri="{uri}"'
    line += f',response="{response}",algorithm=MD5'
    line += ',qop=auth,nc=00000001,cnonce="0a4f113b"' if "qop" in asked else ""
    line += f',opaque="{asked["opaque"]}"' if "opaque" in asked else ""
    return line.encode()


def again(register: bytes, attempt: int, *lines: bytes) -> bytes:
    """The same REGISTER as the next of its sender: another branch, a higher CSeq, and header lines on top."""
    cseq = re.search(rb"CSeq: (\d+) ", register)
    assert cseq
    later = register.replace(cseq[0], b"CSeq: %d " % (int(cseq[1]) + attempt))
    start, _, rest = later.replace(b"branch=", b"branch=z9hG4bK%d" % attempt, 1).partition(b"\r\n")
    return b"\r\n".join([start, *lines, rest])


@pytest.mark.parametrize("name", ["dblreq", "cparam01", "cparam02", "regescrt"])
async def test_a_torture_registration_is_taken_with_the_right_credentials_only(guarded: Witness, name: str) -> None:
    register = case(name).data

    async def attempt(number: int, password: str, *due: int) -> Answer:
        challenged = await must_answer(guarded, again(register, number), (401,))
        assert challenged is not None
        challenges(challenged)
        challenge = next(value for value in challenged.headers("www-authenticate") if "SHA" not in value)
        line = credentials(register, challenge, password)
        final = await must_answer(guarded, again(register, number + 1, line), due)
        assert final is not None
        return final

    await attempt(1, "a wrong one", 401, 403)
    ALSO_DUE[name](await attempt(3, PASSWORDS[user_of(register)], 200))


async def test_all_of_them_to_one_element_leave_it_well() -> None:
    async with element() as agent:
        with Witness(agent.address) as witness:
            await witness.call(OFFER)
            for torture in RFC_4475:
                await witness.asked_and_ended(torture.data)
            await witness.call(OFFER)
        assert agent.calls == ()
