"""RFC 4475's torture messages as datagrams to a user agent and to registrars, from plain sockets: the answer due comes."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from torture_wire import HOST, Answer, Witness, due_port, header, vias

from fixtures.sip_torture.corpus import RFC_4475, Case, case
from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.incoming import IncomingCall
from harness.protocols import sdp
from harness.protocols.sip.registrar import Registrar
from harness.transport.context import Context

pytestmark = pytest.mark.real_wire

PASSWORDS = {"watson": "come here", "user": "secret", "j.user": "secret"}
REALM = "torture.example"
OFFER = sdp.offer("127.0.0.1", 40_000).decode()


@dataclass
class Element:
    """A user agent that answers every call and registers all comers, and what went wrong in its process."""

    context: Context
    agent: UserAgent
    faults: list[dict[str, Any]] = field(default_factory=list)

    def must_be_well(self) -> None:
        """No exception reached the loop, and no handler of ours failed."""
        assert self.faults == []
        assert [event for event in self.context.journal if event.kind == "sip.handler-failed"] == []


def answering(call: IncomingCall) -> None:
    call.ring()
    call.answer(sdp.answer(call.remote_sdp, "127.0.0.1", 40_002)[0] if call.remote_sdp else OFFER.encode())


async def element(*, digest: bool = False) -> Element:
    context = Context.create(seed=1)
    agent = await UserAgent.open(
        context,
        "element",
        on_invite=answering,
        registrar=Registrar(),
        server_credentials=PASSWORDS if digest else None,
        realm=REALM,
    )
    opened = Element(context, agent)
    asyncio.get_running_loop().set_exception_handler(lambda _, what: opened.faults.append(what))
    return opened


@pytest.fixture
async def everyone() -> AsyncIterator[Element]:
    """Answers calls; whoever registers is registered."""
    opened = await element()
    yield opened
    await opened.agent.close()
    opened.must_be_well()


@pytest.fixture
async def guarded() -> AsyncIterator[Element]:
    """Answers calls; a REGISTER needs credentials."""
    opened = await element(digest=True)
    yield opened
    await opened.agent.close()
    opened.must_be_well()


def squeezed(value: str | None) -> str:
    return re.sub(r"\s+", " ", value or "")


def must_come_back_as_is_due(data: bytes, answer: Answer, witness: Witness) -> None:
    """RFC 3261 §8.2.6.2 (what is copied) and §18.2 (where it goes)."""
    assert answer.port == due_port(data, witness.port)
    assert vias(answer.data) == vias(data)
    if f"{HOST}:" not in (header(data, "via") or ""):
        assert f";received={HOST}" in squeezed(answer.header("via"))
    for name in ("from", "call-id", "cseq"):
        assert squeezed(answer.header(name)) == squeezed(header(data, name))
    to = squeezed(header(data, "to"))
    assert squeezed(answer.header("to")).startswith(to)
    if answer.status > 100 and to:
        assert "tag" in (answer.header("to") or "")
    assert int(answer.header("content-length") or -1) == len(answer.body)


# What the RFC wants of an answer besides its status.


def _lists_methods(answer: Answer) -> None:
    assert {"INVITE", "ACK", "BYE", "CANCEL", "OPTIONS"} <= set(re.split(r"[,\s]+", answer.header("allow") or ""))


def _names_the_extensions(answer: Answer) -> None:
    assert re.split(r"\s*,\s*", answer.header("unsupported") or "") == ["nothingSupportsThis", "nothingSupportsThisEither"]


def _names_sdp(answer: Answer) -> None:
    assert "application/sdp" in (answer.header("accept") or "")


def _challenges(answer: Answer) -> None:
    assert all(value.startswith("Digest ") for value in answer.headers("www-authenticate"))
    assert answer.headers("www-authenticate")


def _has_no_session(answer: Answer) -> None:
    assert answer.body == b""


def _registers(*contacts: str) -> Callable[[Answer], None]:
    def check(answer: Answer) -> None:
        shown = {re.sub(r"\s*;expires=\d+", "", value) for value in answer.headers("contact")}
        assert answer.status != 200 or shown == set(contacts)

    return check


ALSO_DUE: dict[str, Callable[[Answer], None]] = {
    "intmeth": _lists_methods,
    "mpart01": lambda answer: _lists_methods(answer) if answer.status == 405 else None,
    "bext01": _names_the_extensions,
    "invut": _names_sdp,
    "regaut01": _challenges,
    "sdp01": _has_no_session,
    "escnull": _registers("<sip:%00@host5.example.com>", "<sip:%00%00@host5.example.com>"),
    "dblreq": _registers("<sip:j.user@host.example.com>"),
    "regbadct": _registers("<sip:user@example.com?Route=%3Csip:sip.example.com%3E>"),
    "cparam01": _registers("<sip:+19725552222@gw1.example.net>;unknownparam"),
    "cparam02": _registers("<sip:+19725552222@gw1.example.net;unknownparam>"),
    "regescrt": _registers("<sip:user@example.com?Route=%3Csip:sip.example.com%3E>"),
}


async def must_answer(witness: Witness, data: bytes, due: tuple[int, ...]) -> Answer | None:
    """Send a message, see that one of the answers due comes (none where there are none), and end the call it began."""
    answers = await witness.asked(data)
    finals = [answer for answer in answers if answer.status >= 200]
    statuses = [answer.status for answer in finals]
    if not due:
        assert answers == []
        return None
    assert len(statuses) == 1 and statuses[0] in due, f"due: {due}, seen: {statuses}"
    for answer in answers:
        must_come_back_as_is_due(data, answer, witness)
    (final,) = finals
    if data.startswith(b"INVITE "):
        bye = witness.acknowledge(data, final)
        if final.status == 200:
            (ended,) = await witness.asked(bye)
            assert ended.status == 200
    return final


@pytest.mark.parametrize("torture", [each for each in RFC_4475 if each.element != "digest"], ids=str)
async def test_the_answer_that_is_due_comes_and_the_next_call_works(everyone: Element, torture: Case) -> None:
    with Witness(everyone.agent.address) as witness:
        final = await must_answer(witness, torture.data, torture.answer)
        if final is not None and torture.name in ALSO_DUE:
            ALSO_DUE[torture.name](final)
        await witness.call(OFFER)
    everyone.must_be_well()


@pytest.mark.parametrize("torture", [each for each in RFC_4475 if each.element == "digest"], ids=str)
async def test_a_registrar_that_asks_for_credentials_challenges(guarded: Element, torture: Case) -> None:
    with Witness(guarded.agent.address) as witness:
        final = await must_answer(witness, torture.data, torture.answer)
        assert final is not None
        ALSO_DUE[torture.name](final)
        await witness.call(OFFER)


def authorized(register: bytes, challenge: str, password: str) -> bytes:
    """The same REGISTER in its next transaction, with the credentials of RFC 2617 §3.2.2 (MD5, qop auth where offered)."""
    asked = dict(re.findall(r'(\w+)="?([^",]*)"?', challenge.removeprefix("Digest ")))
    uri = register.split(b" ", 2)[1].decode()
    user = re.search(r"sip:([^@]+)@", header(register, "to") or "")
    assert user and asked["realm"] == REALM

    def md5(text: str) -> str:
        return hashlib.md5(text.encode()).hexdigest()

    secret = md5(f"{user[1]}:{REALM}:{password}")
    counted = f"{asked['nonce']}:00000001:0a4f113b:auth" if "qop" in asked else asked["nonce"]
    response = md5(f"{secret}:{counted}:{md5(f'REGISTER:{uri}')}")
    line = f'Authorization: Digest username="{user[1]}",realm="{REALM}",nonce="{asked["nonce"]}",uri="{uri}"'
    line += f',response="{response}",algorithm=MD5'
    line += ',qop=auth,nc=00000001,cnonce="0a4f113b"' if "qop" in asked else ""
    line += f',opaque="{asked["opaque"]}"' if "opaque" in asked else ""
    cseq = re.search(rb"CSeq: (\d+) ", register)
    assert cseq
    again = register.replace(cseq[0], b"CSeq: %d " % (int(cseq[1]) + 1)).replace(b"branch=", b"branch=z9hG4bKagain", 1)
    start, _, rest = again.partition(b"\r\n")
    return b"%s\r\n%s\r\n%s" % (start, line.encode(), rest)


@pytest.mark.parametrize("name", ["dblreq", "cparam01", "cparam02", "regescrt"])
async def test_a_torture_registration_with_credentials_is_taken(guarded: Element, name: str) -> None:
    register = case(name).data
    user = re.search(r"sip:([^@]+)@", header(register, "to") or "")
    assert user
    with Witness(guarded.agent.address) as witness:
        challenged = await must_answer(witness, register, (401,))
        assert challenged is not None
        _challenges(challenged)
        challenge = next(value for value in challenged.headers("www-authenticate") if "SHA" not in value)
        await must_answer(witness, authorized(register, challenge, "a wrong one"), (401, 403))
        right = authorized(register, challenge, PASSWORDS[user[1]]).replace(b"z9hG4bKagain", b"z9hG4bKright")
        final = await must_answer(witness, right.replace(b"nc=00000001", b"nc=00000001"), (200,))
        assert final is not None
        ALSO_DUE[name](final)


async def test_all_of_them_to_one_element_leave_it_well(everyone: Element) -> None:
    with Witness(everyone.agent.address) as witness:
        await witness.call(OFFER)
        for torture in RFC_4475:
            data = torture.data
            finals = [answer for answer in await witness.asked(data) if answer.status >= 200]
            if data.startswith(b"INVITE ") and finals:
                bye = witness.acknowledge(data, finals[0])
                if finals[0].status == 200:
                    await witness.asked(bye)
        await witness.call(OFFER)
    assert everyone.agent.calls == ()
    everyone.must_be_well()
