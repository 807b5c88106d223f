"""A chain of audit entries, a line of JSON each: every line holds the hash of the one before it, and ends in its own.

Theory. A line's hash is SHA-256 over its text up to `,"hash":`, in which the hash of the line before stands. Who
changes an old line, takes one out or puts one in would have to write all lines after it anew; who does that, or takes
the last ones away, is found out by whoever noted a later number and its hash (a *head*). The text itself is hashed,
not what it means, so that anybody can check a line:
``sed -n 7p FILE | sed 's/,"hash":"[0-9a-f]*"}$//' | tr -d '\\n' | sha256sum``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from harness.errors import AuditChainError

START: Final = "0" * 64
"""What the first line holds in place of a hash before it."""
MAX_LINE: Final = 16 * 1024
"""Bytes of a line, its end of line left out."""

_END = re.compile(rb',"hash":"([0-9a-f]{64})"}')
_OWN_KEYS = ("number", "previous", "hash")
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


@dataclass(frozen=True, slots=True)
class Head:
    """How far a chain goes: its last line's number, 0 where there is none, and hash."""

    number: int = 0
    hash: str = START

    def told(self) -> str:
        """Return it as it is noted: ``NUMBER:HASH``."""
        return f"{self.number}:{self.hash}"


def read_head(text: str) -> Head:
    """Read a head as `Head.told` writes it. Raises AuditChainError."""
    number, colon, hash_ = text.strip().partition(":")
    if not colon or not re.fullmatch(r"[0-9]{1,18}", number) or not re.fullmatch(r"[0-9a-f]{64}", hash_):
        raise AuditChainError(
            f"{text[:100]!r} is no head: NUMBER:HASH is meant, the hash with 64 digits and letters a-f"
        )
    return Head(int(number), hash_)


def sealed(head: Head, entry: Mapping[str, Any]) -> tuple[bytes, Head]:
    """Seal an entry after ``head``: its line, without the end of line, and the head that it makes.

    Raises AuditChainError where the entry has a key of the chain's own, is no JSON, or too long for a line.
    """
    for key in _OWN_KEYS:
        if key in entry:
            raise AuditChainError(f"an audit entry can't have a {key!r} of its own: the chain has one")
    number = head.number + 1
    try:
        # A surrogate alone, as bytes that are no UTF-8 leave it in a str, can't be written.
        open_ = _encode({"number": number, "previous": head.hash, **entry})[:-1].encode(errors="backslashreplace")
    except (TypeError, ValueError) as error:
        raise AuditChainError(f"an audit entry can't be written: {error}") from error
    hash_ = hashlib.sha256(open_).hexdigest()
    line = open_ + f',"hash":"{hash_}"}}'.encode()
    if len(line) > MAX_LINE:
        raise AuditChainError(f"an audit entry of {len(line)} bytes; a line has {MAX_LINE} at most")
    return line, Head(number, hash_)


def follow(head: Head, line: bytes) -> tuple[dict[str, Any], Head]:
    """Follow the chain by one line, given without its end of line: what is entered, and the head it makes.

    Raises AuditChainError with what does not fit.
    """
    end = _END.fullmatch(line[-len(',"hash":""}') - 64 :])
    if len(line) > MAX_LINE or end is None:
        raise AuditChainError("it is not a whole line of an audit trail: it does not end in its hash")
    open_, written = line[: -len(end.group())], end.group(1).decode()
    found = hashlib.sha256(open_).hexdigest()
    if found != written:
        raise AuditChainError(f"it was changed: its text has the hash {found}, and {written} stands in it")
    try:
        entry = json.loads(open_ + b"}")
    except (ValueError, RecursionError) as error:
        raise AuditChainError(f"it is no JSON: {error}") from error
    if not isinstance(entry, dict):
        raise AuditChainError("it is no JSON object")
    if entry.pop("number", None) != head.number + 1:
        raise AuditChainError(f"it should be number {head.number + 1}: lines were taken out, or put in")
    if entry.pop("previous", None) != head.hash:
        raise AuditChainError("it does not hold the hash of the line before: that one was replaced")
    return entry, Head(head.number + 1, written)


def head_before(line: bytes) -> Head:
    """Return the head that a line says it follows. Raises AuditChainError where it is no line of a trail."""
    try:
        held = json.loads(line[: MAX_LINE + 1])
        return read_head(f"{held['number'] - 1}:{held['previous']}")
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise AuditChainError(f"it is not a whole line of an audit trail: {error}") from error


def verified(lines: Iterable[bytes], *, start: Head | None = None, noted: Iterable[Head] = ()) -> Head:
    """Follow a whole chain; each of its lines has an end of line.

    ``start``: where it goes on from, its first lines being elsewhere. ``noted``: heads that somebody kept; each
    must be in it. Raises AuditChainError, with the line.
    """
    head = start or Head()
    wanted = {each.number: each.hash for each in noted}
    for number, line in enumerate(lines, 1):
        if not line.endswith(b"\n"):
            raise AuditChainError(f"line {number}: it breaks off after {len(line)} bytes")
        try:
            _, head = follow(head, line[:-1])
        except AuditChainError as error:
            raise AuditChainError(f"line {number}: {error}") from error
        if wanted.pop(head.number, head.hash) != head.hash:
            raise AuditChainError(f"line {number}: another hash was noted for it: the chain was written anew")
    if wanted.pop(0, START) != START:
        raise AuditChainError("a head of number 0 has the hash 0000…")
    if wanted:
        raise AuditChainError(
            f"it ends at line {head.number}, and line {max(wanted)} was noted: the last ones were taken away"
        )
    return head
