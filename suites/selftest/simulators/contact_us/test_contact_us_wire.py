"""Contact Us over real sockets: the whole way in real time, its relay, its bounds."""

from __future__ import annotations

import asyncio
import contextlib
from email import message_from_bytes
from typing import Any

import httpx
import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from contact_us_system import CALM, URGENT, system

from harness.endpoints.contact_us import Message
from harness.errors import DriverError, InterlockError, LocalError
from harness.transport.context import Context
from simulators.contact_us.settings import ContactUsSettings
from simulators.contact_us.simulator import ContactUsSimulator

pytestmark = pytest.mark.real_wire


async def test_form_intake_and_mail_go_the_whole_way_in_real_time() -> None:
    async with system(virtual=False) as all_:
        await all_.storm.fail("down")
        receipts = [
            await all_.contact.fill_in(Message(URGENT, email="a@example.org")),
            await all_.contact.submit(Message(f"{URGENT}.")),
            await all_.contact.mail("b@example.org", "Urgent", URGENT),
        ]
        await all_.contact.expect("command_control.link", within=10.0, up=False)
        await all_.storm.recover()
        for each in receipts:
            await all_.contact.expect("incident.registered", within=20.0, reference=each.reference)
            await all_.contact.expect("crm.record", within=5.0, reference=each.reference)
        assert len(await all_.storm.incidents()) == len(all_.crm.records) == 3


async def test_too_much_at_once_is_refused_before_it_is_read() -> None:
    async with system(virtual=False) as all_, httpx.AsyncClient(base_url=all_.at.http, trust_env=False) as http:
        for path in ("/contact", "/v1/submissions"):
            answer = await http.post(path, content=b"x" * 20_000_000, headers={"Idempotency-Key": "k"})
            assert answer.status_code == 413
            with contextlib.suppress(httpx.NetworkError):  # it may be told, and left, before all of it is sent
                answer = await http.post(path, content=_pieces(300), headers={"Idempotency-Key": "k"})
                assert answer.status_code == 413


async def test_what_comes_in_chunks_is_taken_as_what_tells_its_length() -> None:
    async with system(virtual=False) as all_, httpx.AsyncClient(base_url=all_.at.http, trust_env=False) as http:

        async def chunked(body: bytes) -> Any:
            for at in range(0, len(body), 7):
                yield body[at : at + 7]

        body = b'{"kind": "other", "text": "in chunks"}'
        headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
        first = await http.post("/v1/submissions", content=chunked(body), headers=headers)
        again = await http.post("/v1/submissions", content=body, headers=headers)
        assert (first.status_code, again.status_code) == (201, 200)
        assert first.json()["reference"] == again.json()["reference"]


async def _pieces(count: int) -> Any:
    for _ in range(count):
        yield b"x" * 65_536


class Relay:
    """A mail server that takes all."""

    def __init__(self) -> None:
        self.got: list[tuple[str, list[str], bytes]] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        self.got.append((envelope.mail_from or "", envelope.rcpt_tos, envelope.content))
        return "250 OK"


async def test_receipts_leave_by_the_relay_where_the_interlock_lets_them() -> None:
    relay = Relay()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(relay, hostname="relay.test", loop=loop), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]

    def permit(address: str) -> None:
        if address != "a@example.org":
            raise InterlockError("not allowed")

    context = Context.create(seed=1)
    settings = ContactUsSettings.model_validate({"relay": f"127.0.0.1:{port}"})
    simulator = await ContactUsSimulator.start(context, settings, virtual=False, permit=permit)
    try:
        async with httpx.AsyncClient(base_url=simulator.http_url, trust_env=False) as http:
            for address in ("a@example.org", "b@example.org"):
                await http.post("/contact", data={"kind": "other", "text": CALM, "email": address})
        await context.journal.expect("contact-us", "receipt.sent", within=5.0)
        await context.journal.expect("contact-us", "receipt.refused", within=5.0)
    finally:
        await simulator.stop()
        server.close()
    [(sender, to, mail)] = relay.got
    assert (sender, to) == ("<>", ["a@example.org"])
    assert message_from_bytes(mail)["Auto-Submitted"] == "auto-replied"


async def test_receipts_wait_while_the_relay_is_away() -> None:
    context = Context.create(seed=1)
    settings = ContactUsSettings.model_validate({"relay": "127.0.0.1:9"})
    simulator = await ContactUsSimulator.start(context, settings, virtual=False)
    try:
        async with httpx.AsyncClient(trust_env=False) as http:
            form = {"kind": "other", "text": CALM, "email": "a@example.org"}
            assert (await http.post(f"{simulator.http_url}/contact", data=form)).status_code == 303
            await context.journal.expect("contact-us", "receipt.delayed", within=5.0)
            [kept] = (await http.get(f"{simulator.control_url}/v1/receipts")).json()["receipts"]
    finally:
        await simulator.stop()
    assert kept["state"] == "waiting"


async def test_beyond_loopback_it_needs_a_token() -> None:
    settings = ContactUsSettings.model_validate({"host": "0.0.0.0"})
    with pytest.raises(LocalError, match="needs 'token'"):
        await ContactUsSimulator.start(Context.create(seed=1), settings, virtual=False)


async def test_the_intake_asks_for_its_token_and_the_form_for_none() -> None:
    async with system(virtual=False, intake_token="a-test-token") as all_:
        with pytest.raises(DriverError, match="401"):
            await all_.contact.submit(Message(CALM))
        await all_.contact.fill_in(Message(CALM))
