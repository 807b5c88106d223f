"""The registrar and those who register (RFC 3261 §10), in virtual time."""

from __future__ import annotations

import asyncio

import pytest
from virtual_sip import Peer, virtually

from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.registry import Registry
from harness.errors import SipLocalError
from harness.protocols.sip.headers import NameAddr
from harness.protocols.sip.message import Request
from harness.protocols.sip.registrar import MAX_BINDINGS, MAX_CONTACTS, SLACK, Registrar
from harness.transport.context import Context

AOR = "sip:phone@127.0.0.1"


async def opened(context: Context, **options: int) -> tuple[UserAgent, Peer, Registry]:
    switch = await UserAgent.open(context, "switch", registrar=Registrar(**options))
    assert switch.registry is not None
    return switch, await Peer.open(context), switch.registry


def register(peer: Peer, switch: UserAgent, *lines: str, branch: str, call_id: str = "r", cseq: int = 1) -> bytes:
    """A REGISTER of AOR by hand, without the Contact that a peer's requests have."""
    data = peer.request("REGISTER", switch, *lines, branch=branch, call_id=call_id, cseq=cseq)
    kept = [line for line in data.split(b"\r\n") if not line.startswith(b"Contact: <sip:peer@")]
    return b"\r\n".join(kept).replace(b"To: <%s>" % switch.uri.encode(), b"To: <%s>" % AOR.encode())


def test_contacts_have_lives_of_their_own_and_are_told_best_first() -> None:
    async def work(context: Context) -> None:
        switch, peer, registry = await opened(context)
        lines = (
            "Contact: <sip:a@192.0.2.1>;q=0.3;expires=100, <sip:b@192.0.2.2>;q=0.9",
            "Contact: <sip:c@192.0.2.3>;expires=10",
            "Expires: 50",
        )
        response = await peer.ask(switch, register(peer, switch, *lines, branch="a"))
        told = {str(each.uri): each.params for each in response.name_addrs("contact")}
        assert {uri: params["expires"] for uri, params in told.items()} == {
            "sip:a@192.0.2.1": "100",
            "sip:b@192.0.2.2": "50",
            "sip:c@192.0.2.3": "10",
        }
        assert registry.contacts(AOR) == ["sip:c@192.0.2.3", "sip:b@192.0.2.2", "sip:a@192.0.2.1"], "no q is 1.0"
        await asyncio.sleep(11)
        assert registry.contacts(AOR) == ["sip:b@192.0.2.2", "sip:a@192.0.2.1"]
        # A query changes nothing and tells what is left of each.
        response = await peer.ask(switch, register(peer, switch, branch="b", cseq=2))
        left = [each.params["expires"] for each in response.name_addrs("contact")]
        assert left == ["38", "88"]
        await asyncio.sleep(100)
        assert registry.contacts(AOR) == []
        lapsed = [event.data["contact"] for event in context.journal if event.kind == "registration.lapsed"]
        assert lapsed == ["sip:c@192.0.2.3", "sip:b@192.0.2.2", "sip:a@192.0.2.1"]
        await switch.close()
        peer.port.close()

    virtually(work)


def test_a_contact_is_taken_back_alone_or_with_all_others() -> None:
    async def work(context: Context) -> None:
        switch, peer, registry = await opened(context)
        for at, line in enumerate(("<sip:a@192.0.2.1>", "<sip:b@192.0.2.2>")):
            data = register(peer, switch, f"Contact: {line}", branch=f"a{at}", cseq=1 + at)
            assert (await peer.ask(switch, data)).status == 200
        gone = register(peer, switch, "Contact: <sip:a@192.0.2.1:5060>;expires=0", branch="b", cseq=3)
        await peer.ask(switch, gone)
        assert len(registry.contacts(AOR)) == 2, "with a port it is another URI (§19.1.4)"
        gone = register(peer, switch, "Contact: <sip:%61@192.0.2.1;x=y>;expires=0", branch="c", cseq=4)
        await peer.ask(switch, gone)
        assert registry.contacts(AOR) == ["sip:b@192.0.2.2"]
        for at, (lines, due) in enumerate(
            (
                (("Contact: *",), 400),
                (("Contact: *", "Expires: 60"), 400),
                (("Contact: *, <sip:a@b>", "Expires: 0"), 400),
                (("Contact: *", "Expires: 0"), 200),
            )
        ):
            data = register(peer, switch, *lines, branch=f"s{at}", cseq=5 + at)
            assert (await peer.ask(switch, data)).status == due, lines
        assert registry.contacts(AOR) == []
        await switch.close()
        peer.port.close()

    virtually(work)


def test_what_comes_late_or_is_too_short_or_too_much_is_refused_and_changes_nothing() -> None:
    async def work(context: Context) -> None:
        switch, peer, registry = await opened(context, min_expires=60, max_expires=600)
        first = register(peer, switch, "Contact: <sip:a@192.0.2.1>", "Expires: 9999", branch="a", cseq=5)
        response = await peer.ask(switch, first)
        assert response.name_addrs("contact")[0].params["expires"] == "600"
        cases: list[tuple[str, int, int]] = [
            ("Contact: <sip:a@192.0.2.1>;expires=0", 5, 400),
            ("Contact: <sip:a@192.0.2.1>;expires=0", 4, 400),
            ("Contact: <sip:b@192.0.2.2>;expires=59", 6, 423),
            ("Contact: <sip:b@192.0.2.2>, <sip:c@192.0.2.3>;expires=1", 7, 423),
            ("Contact: " + ", ".join(f"<sip:x{at}@192.0.2.4>" for at in range(MAX_CONTACTS)), 8, 403),
            ("Contact: <mailto:a@b.example>", 9, 200),
            ("Contact: sip:d@192.0.2.5;expires=70", 10, 200),
            ("Require: path", 11, 420),
        ]
        for at, (line, cseq, due) in enumerate(cases):
            response = await peer.ask(switch, register(peer, switch, line, branch=f"b{at}", cseq=cseq))
            assert response.status == due, line
            if due == 423:
                assert response.number("min-expires") == 60
        assert registry.contacts(AOR) == ["sip:d@192.0.2.5", "mailto:a@b.example", "sip:a@192.0.2.1"]
        # Another Call-ID counts for itself: the telephone was started anew (§10.3 step 7).
        anew = register(peer, switch, "Contact: <sip:a@192.0.2.1>;expires=0", branch="z", call_id="new", cseq=1)
        assert (await peer.ask(switch, anew)).status == 200
        assert "sip:a@192.0.2.1" not in registry.contacts(AOR)
        other = register(peer, switch, branch="t").replace(AOR.encode(), b"tel:+441414960123")
        assert (await peer.ask(switch, other)).status == 400
        await switch.close()
        peer.port.close()

    virtually(work)


def test_a_path_that_is_not_required_is_left_alone() -> None:
    async def work(context: Context) -> None:
        switch, peer, registry = await opened(context)
        lines = ("Contact: <sip:a@192.0.2.1>", "Path: <sip:edge.example;lr>", "Supported: path")
        response = await peer.ask(switch, register(peer, switch, *lines, branch="a"))
        assert (response.status, response.get("path")) == (200, None)
        assert registry.contacts(AOR) == ["sip:a@192.0.2.1"]
        await switch.close()
        peer.port.close()

    virtually(work)


def test_a_telephone_that_moves_is_reached_at_its_newest_place() -> None:
    async def work(context: Context) -> None:
        switch = await UserAgent.open(context, "switch", registrar=Registrar())
        assert switch.registry is not None
        registrar = f"sip:127.0.0.1:{switch.address[1]}"
        before = await UserAgent.open(context, "before", user="phone")
        await before.register(registrar, "phone", "", expires=100)
        after = await UserAgent.open(context, "after", user="phone")
        await after.register(registrar, "phone", "", expires=100)
        assert switch.registry.contacts(AOR) == [after.uri, before.uri]
        before.endpoint.close()
        await asyncio.sleep(101)
        assert switch.registry.contacts(AOR) == [after.uri]
        await after.close()
        await asyncio.sleep(0.1)
        assert switch.registry.contacts(AOR) == [], "closing takes a registration back"
        await switch.close()

    virtually(work)


def test_a_refresh_that_fails_is_tried_again_and_the_registration_comes_back() -> None:
    async def work(context: Context) -> None:
        switch = await UserAgent.open(context, "switch", registrar=Registrar())
        port = switch.address[1]
        phone = await UserAgent.open(context, "phone")
        registration = await phone.register(f"sip:127.0.0.1:{port}", "phone", "", expires=60)
        switch.endpoint.close()
        await asyncio.sleep(100)
        assert registration.status == 408
        again = await UserAgent.open(context, "again", local=("127.0.0.1", port), registrar=Registrar())
        await asyncio.sleep(70)
        assert again.registry is not None
        assert again.registry.contacts(AOR) == [phone.uri]
        assert registration.status == 200
        await registration.unregister()
        assert again.registry.contacts(AOR) == []
        with pytest.raises(SipLocalError, match="405"):
            await again.register(phone.uri, "again", "")
        await phone.close()
        await again.close()

    virtually(work)


def test_hundreds_of_telephones_stay_registered() -> None:
    async def work(context: Context) -> None:
        changed: list[str] = []
        switch = await UserAgent.open(context, "switch", registrar=Registrar(), on_register=changed.append, trace=False)
        phones = [await UserAgent.open(context, f"p{at}", trace=False) for at in range(300)]
        registrar = f"sip:127.0.0.1:{switch.address[1]}"
        await asyncio.gather(*(phone.register(registrar, phone.user, "", expires=120) for phone in phones))
        await asyncio.sleep(600)
        assert switch.registry is not None
        assert switch.registry.registrar is not None
        for phone in phones:
            assert switch.registry.contacts(f"sip:{phone.user}@127.0.0.1") == [phone.uri]
        assert len(switch.registry.registrar._lapsing) <= 2 * len(phones) + SLACK
        for phone in phones:
            phone.endpoint.close()
        await asyncio.sleep(121)
        assert switch.registry.registrar._table == {}
        assert switch.registry.registrar.next_expiry() is None
        assert len(changed) >= 300 * 11
        await switch.close()

    virtually(work)


def test_the_table_is_bounded_and_its_heap_too() -> None:
    registrar = Registrar()
    made = 0

    def register_one(user: int, cseq: int, now: float, *contacts: str) -> int:
        fields = [
            ("Via", "SIP/2.0/UDP 127.0.0.1:1;branch=z9hG4bK1"),
            ("From", f"<sip:{user}@a>;tag=1"),
            ("To", f"<sip:{user}@a>"),
            ("Call-ID", f"{user}"),
            ("CSeq", f"{cseq} REGISTER"),
            *(("Contact", contact) for contact in contacts),
        ]
        return registrar.register(Request("REGISTER", "sip:a", fields), now, "t").status

    for user in range(MAX_BINDINGS // 2):
        made += register_one(user, 1, 0.0, "<sip:x@a>", "<sip:y@a>") == 200
    assert made == MAX_BINDINGS // 2
    assert register_one(99_999, 1, 1.0, "<sip:z@a>") == 503
    for cseq in range(2, 6):
        for user in range(2_000):
            assert register_one(user, cseq, float(cseq), "<sip:x@a>", "<sip:y@a>") == 200
    assert len(registrar._lapsing) <= 2 * MAX_BINDINGS + SLACK + 1
    assert len(registrar.expire(10_000.0)) == MAX_BINDINGS
    assert registrar.next_expiry() is None
    assert register_one(99_999, 2, 10_001.0, "<sip:z@a>") == 200


@pytest.mark.parametrize(
    ("text", "quality"), [("", 1.0), (";q=0.5", 0.5), (";q=1.000", 1.0), (";q=0", 0.0), (";q=2", 0.0), (";q=x", 0.0)]
)
def test_a_quality_is_read_as_the_grammar_says(text: str, quality: float) -> None:
    assert NameAddr.parse(f"<sip:a@b>{text}").quality == quality
