"""Hands a mail to a server by SMTP (RFC 5321) over the running loop, so that it works in virtual time too.

No TLS, no login: it is for a server on this machine or a test network, and for what a sender of tests has to do.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Final

from harness.errors import MailError

ANSWERS_WITHIN_S: Final = 10.0
"""Seconds within which a server answers one command."""
MAX_REPLY: Final = 64
"""Lines of one reply."""
MAX_LINE: Final = 2_048
"""Bytes of a reply's line, four times what RFC 5321 section 4.5.3.1.5 allows."""
_PATH: Final = re.compile(r"[^\s<>\x00-\x1f\x7f]{0,320}")


async def hand_over(server: tuple[str, int], sender: str, recipients: Sequence[str], mail: bytes) -> str:
    """Give ``mail`` (header and body, lines ending in CRLF or LF) to ``server``; return its last word, ``250 …``.

    ``sender`` is the return path, empty for a mail that nobody is to answer. Raises MailError: `permanent` where the
    server said no for good (5yz), else for what may be tried again.
    """
    for path in (sender, *recipients):
        if not _PATH.fullmatch(path) or not path.isascii():
            raise MailError(f"{path!r} can't be in an SMTP command", permanent=True)
    host, port = server
    try:
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            reader, writer = await asyncio.open_connection(host, port, limit=MAX_LINE)
    except (OSError, TimeoutError) as error:
        raise MailError(f"no mail server at {host}:{port}: {error or 'no answer'}") from error
    try:
        session = _Session(reader, writer)
        await session.reply(220)
        await session.say(b"EHLO iccs.invalid", 250)
        await session.say(f"MAIL FROM:<{sender}>".encode(), 250)
        for recipient in recipients:
            await session.say(f"RCPT TO:<{recipient}>".encode(), 250, 251)
        await session.say(b"DATA", 354)
        last = await session.say(_dotted(mail), 250)
        await session.say(b"QUIT", 221)
        return last
    except (OSError, EOFError, ValueError, asyncio.LimitOverrunError) as error:
        raise MailError(f"the mail server at {host}:{port} broke off: {error or type(error).__name__}") from error
    finally:
        writer.close()


def _dotted(mail: bytes) -> bytes:
    """The mail as DATA has it (RFC 5321 section 4.5.2), its end included but for the last CRLF."""
    lines = re.split(rb"\r\n|\r|\n", mail)
    if lines[-1] == b"":
        lines.pop()
    return b"\r\n".join([*(b"." + line if line.startswith(b".") else line for line in lines), b"."])


class _Session:
    """What is said, and what is answered."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def say(self, line: bytes, *wanted: int) -> str:
        self._writer.write(line + b"\r\n")
        return await self.reply(*wanted)

    async def reply(self, *wanted: int) -> str:
        try:
            async with asyncio.timeout(ANSWERS_WITHIN_S):
                await self._writer.drain()
                for _ in range(MAX_REPLY):
                    line = (await self._reader.readuntil(b"\n")).decode(errors="replace").strip()
                    if line[3:4] != "-":
                        break
        except TimeoutError as error:
            raise MailError(f"the mail server said nothing for {ANSWERS_WITHIN_S:g} s") from error
        if not line[:3].isdigit() or int(line[:3]) not in wanted:
            raise MailError(f"the mail server said {line[:200]!r}", permanent=line.startswith("5"))
        return line
