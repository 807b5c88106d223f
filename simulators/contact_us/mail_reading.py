"""Reads a mail as a submission: any encoding, many parts, broken MIME; what can't be read is kept as it came."""

from __future__ import annotations

import hashlib
from email import message_from_bytes, policy
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import EmailMessage, Message
from email.utils import parseaddr
from html.parser import HTMLParser
from typing import Final

from simulators.contact_us.attachments import Attachment, AttachmentError, attached, check_together
from simulators.contact_us.submission import (
    MAX_NAME,
    MAX_TEXT,
    Channel,
    Person,
    Submission,
    cleaned,
    is_email,
    one_line,
)

MAX_PARTS: Final = 100
"""Parts of a mail that are looked at."""
MAX_NOTES: Final = 10
_NAMED_BY: Final = ("Message-ID", "Date", "Subject")
"""Header fields that stay the same when a mail is delivered again; those that servers put on it do not."""


class _Words(HTMLParser):
    """The words of an HTML body."""

    _UNSEEN: Final = frozenset({"script", "style", "head", "title", "template"})

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._unseen += tag in self._UNSEEN
        if tag in {"p", "br", "div", "tr", "li", "h1", "h2", "h3"}:
            self.words.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._unseen = max(0, self._unseen - (tag in self._UNSEEN))

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.words.append(data)


def read_mail(data: bytes, sender: str) -> tuple[Submission, str, dict[str, str]]:
    """A mail as a submission, to whom a receipt goes (empty: to nobody), and what that has in its header.

    ``sender`` is the return path, empty for one that no answer goes to. Nothing is refused: what can't be read is
    taken as text, with a note, and files that are not taken are named in a note.
    """
    notes: list[str] = []
    try:
        message: Message = message_from_bytes(data, policy=policy.compat32)
        text, files = _parts(message, notes)
    except (MessageError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        # The standard library's reader breaks in these ways on what no mail program writes.
        message, files = EmailMessage(), []
        notes.append(f"this mail could not be read ({type(error).__name__}); it follows as it came")
        text = data.decode("utf-8", "replace")
    subject = one_line(_header(message, "Subject"))[:200]
    body = cleaned(text)
    told = f"{subject}\n\n{body}" if subject and body else subject or body or "(an empty mail)"
    if len(told) > MAX_TEXT:
        notes.append(f"the mail has {len(told):,} characters; these are the first {MAX_TEXT:,}")
    name, address = parseaddr(_header(message, "From"))
    address = address if is_email(address) else sender if is_email(sender) else ""
    digest = hashlib.sha256(data.partition(b"\r\n\r\n")[2]).hexdigest()
    submission = Submission(
        Channel.MAIL,
        told,  # whole: risk words are looked for in all of it
        person=Person(one_line(name)[:MAX_NAME], email=address),
        attachments=tuple(files),
        key="\n".join((sender, *(_header(message, each)[:500] for each in _NAMED_BY), digest)),
        notes=tuple(notes[:MAX_NOTES]),
    )
    ident = one_line(_header(message, "Message-ID"))
    ident = ident if ident.isascii() and len(ident) < 400 else ""
    answers = {"In-Reply-To": ident, "References": ident}
    return submission, "" if _by_machine(message) or not is_email(sender) else sender, answers


def _parts(message: Message, notes: list[str]) -> tuple[str, list[Attachment]]:
    plain: list[str] = []
    html: list[str] = []
    files: list[Attachment] = []
    for count, part in enumerate(message.walk()):
        if count >= MAX_PARTS:
            notes.append(f"the mail has more than {MAX_PARTS} parts; the others were not looked at")
            break
        if part.is_multipart():
            continue
        content = part.get_payload(decode=True)
        content = content if isinstance(content, bytes) else str(part.get_payload()).encode("utf-8", "replace")
        name = _filename(part)
        kind = part.get_content_type()
        if kind in {"text/plain", "text/html"} and not name and part.get_content_disposition() != "attachment":
            (html if kind == "text/html" else plain).append(_decoded(content, part.get_content_charset()))
            continue
        try:
            file = attached(name, content, len(files) + 1)
            check_together([*files, file])
            files.append(file)
        except AttachmentError as error:
            notes.append(f"left out: {error}")
    if message.defects or any(part.defects for part in message.walk()):
        notes.append("this mail is broken; some of it may be missing")
    if not any(each.strip() for each in plain) and html:
        return "\n".join(_worded(each) for each in html), files
    return "\n".join(plain), files


def _worded(html: str) -> str:
    reader = _Words()
    reader.feed(html)
    reader.close()
    return "".join(reader.words)


def _decoded(content: bytes, charset: str | None) -> str:
    for each in (charset or "utf-8", "utf-8"):
        try:
            return content.decode(each)
        except (LookupError, UnicodeError, ValueError):
            continue
    return content.decode("latin-1")


def _filename(part: Message) -> str:
    try:
        return part.get_filename() or ""
    except (MessageError, ValueError, LookupError, TypeError, AttributeError):
        return ""


def _header(message: Message, name: str) -> str:
    """A header field's text; encoded words (RFC 2047) are read where they can be."""
    raw = str(message.get(name, ""))
    try:
        return str(make_header(decode_header(raw)))
    except (MessageError, ValueError, LookupError, TypeError):
        return raw.encode("utf-8", "replace").decode()


def _by_machine(message: Message) -> bool:
    """Whether a machine sent it, which gets no receipt (RFC 3834 section 2)."""
    auto = str(message.get("Auto-Submitted", "no")).strip().lower()
    bulk = str(message.get("Precedence", "")).strip().lower()
    return not auto.startswith("no") or bulk in {"bulk", "list", "junk"} or "List-Id" in message
