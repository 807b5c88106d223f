"""Header fields as (name, value): our own are checked before they are written, all are found through an index."""

from __future__ import annotations

from collections.abc import Iterable

from harness.errors import SipLocalError
from harness.protocols.sip.grammar import CONTROL, MAX_HEADER_LINE, TOKEN
from harness.protocols.sip.names import KEYS, key_of

Fields = list[tuple[str, str]]
"""In the order of the message, names as written."""


def refuse_injection(name: str, value: str) -> None:
    """Raise SipLocalError where a header would break out of its line, or is not the caller's to write."""
    key = KEYS.get(name)
    if key is None and TOKEN.fullmatch(name) is None:
        raise SipLocalError(f"not a header name: {name!r}")
    if key == "content-length":
        raise SipLocalError("Content-Length is written from the body")
    # Nearly every value is printable, which is quicker to see than that it has no control character.
    if not value.isprintable() and CONTROL.search(value):
        raise SipLocalError(f"a control character in the value of {name}: {value[:80]!r}")
    if len(value) > MAX_HEADER_LINE:
        raise SipLocalError(f"the value of {name} is longer than {MAX_HEADER_LINE} characters")


def checked(headers: Iterable[tuple[str, str]]) -> Fields:
    """The headers as a list; raises SipLocalError where one would break out of its line."""
    fields = list(headers)
    for name, value in fields:
        refuse_injection(name, value)
    return fields


def checked_text(headers: Iterable[tuple[str, str]]) -> str:
    """The headers as text for a response; raises SipLocalError where one would break out of its line."""
    return "".join([f"{name}: {value}\r\n" for name, value in checked(headers)])


def index_of(fields: Fields) -> tuple[dict[str, str], dict[str, list[str]] | None]:
    """The first value by key, and all values of keys that stand more than once; raises SipRemoteError on a bad name."""
    index: dict[str, str] = {}
    more: dict[str, list[str]] | None = None
    for name, value in fields:
        key = KEYS.get(name) or key_of(name)
        if key not in index:
            index[key] = value
        elif more is None:
            more = {key: [index[key], value]}
        else:
            more.setdefault(key, [index[key]]).append(value)
    return index, more
