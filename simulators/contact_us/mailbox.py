"""The mailbox: takes mail by SMTP (aiosmtpd) for one address; what is too much for now is to be sent again."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any, Final

from aiosmtpd.smtp import SMTP, Envelope, Session

from harness.errors import DatabaseError, TransportError
from simulators.contact_us.intake import FloodError, Intake
from simulators.contact_us.mail_reading import read_mail

MAX_MAIL: Final = 15 * 1024 * 1024
"""Bytes of one mail: the files that may come with it, in base64."""
MAX_CONNECTIONS: Final = 64
IDLE_S: Final = 60.0
"""Seconds without a command after which a connection is closed."""
MAX_RECIPIENTS: Final = 100


class _Bounded(SMTP):
    """aiosmtpd's protocol with a bound on how many there are."""

    _CLOSED: Final = b"421 4.7.0 Too many connections, try again later\r\n"

    def __init__(self, open_: set[SMTP], handler: Any) -> None:
        loop = asyncio.get_running_loop()
        super().__init__(
            handler,
            data_size_limit=MAX_MAIL,
            enable_SMTPUTF8=True,
            hostname="contact-us.invalid",
            ident="Contact Us",
            timeout=IDLE_S,
            loop=loop,
        )
        self._open = open_

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if len(self._open) >= MAX_CONNECTIONS and isinstance(transport, asyncio.Transport):
            transport.write(self._CLOSED)
            transport.close()
            return
        self._open.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self in self._open:
            self._open.discard(self)
            super().connection_lost(error)


class Mailbox:
    """One mailbox; an aiosmtpd handler."""

    def __init__(self, intake: Intake, address: str) -> None:
        address = address.casefold()
        self._intake = intake
        # RFC 5321 section 4.5.1: somebody reads what is for the postmaster, with the domain and without.
        self._addresses = frozenset({address, "postmaster", f"postmaster@{address.rpartition('@')[2]}"})
        self._open: set[SMTP] = set()
        self._server: asyncio.Server | None = None

    async def start(self, host: str, port: int) -> int:
        """Listen, and return the port. Raises TransportError."""
        try:
            server = await asyncio.get_running_loop().create_server(lambda: _Bounded(self._open, self), host, port)
        except OSError as error:
            raise TransportError(f"can't take mail on {host}:{port}: {error}") from error
        self._server = server
        return int(server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Listen no more; open connections are closed."""
        if self._server is not None:
            self._server.close()
        for each in tuple(self._open):
            if each.transport is not None:
                each.transport.close()

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address.casefold() not in self._addresses:
            return "550 5.1.1 No such mailbox here"
        if len(envelope.rcpt_tos) >= MAX_RECIPIENTS:
            return "452 4.5.3 Too many recipients"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        sender = (envelope.mail_from or "").removeprefix("<").removesuffix(">")  # aiosmtpd's null path is <>
        submission, to, answers = read_mail(content, sender)
        # The receipt goes to the return path, whoever the mail says that it is from (RFC 3834 section 4).
        submission = dataclasses.replace(
            submission, person=dataclasses.replace(submission.person, email=to or submission.person.email)
        )
        peer = session.peer[0] if session.peer else ""
        try:
            had = await self._intake.take(
                submission, f"mail:{sender.casefold() or peer}", answer=bool(to), answers=answers
            )
        except FloodError:
            return "451 4.7.1 Too many messages from you just now, try again later; in an emergency call 999"
        except DatabaseError:
            return "451 4.3.0 Try again later"
        return f"250 2.0.0 Received as {had.reference}"
