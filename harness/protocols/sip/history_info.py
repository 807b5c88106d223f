"""Where a request was sent on its way: the History-Info header (RFC 7044; causes of diversion by RFC 4458).

Theory. Every element that sends a request on adds an entry with the new target. Its index is that of the entry it was
made from and one digit more (1, then 1.1, then 1.1.1; 1.2 where 1.1 failed), so the entries are a tree that grows in
order. `rc`, `mp` or `np` says how the new target was found and from which entry; why an entry was left is the Reason
that was then put into its URI (`?Reason=SIP%3Bcause%3D302`), and `cause` in the new one's says why it was chosen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import quote as percent_encode
from urllib.parse import unquote as percent_decode

from harness.errors import SipLocalError, SipRemoteError
from harness.protocols.sip.grammar import MAX_VALUES, split_outside
from harness.protocols.sip.headers import NameAddr, write_params
from harness.protocols.sip.message import Message
from harness.protocols.sip.reason import Reason
from harness.protocols.sip.uri import Params

HEADER: Final = "History-Info"
OPTION_TAG: Final = "histinfo"
MAX_DEPTH: Final = 70
"""Numbers of one index: as many as Max-Forwards lets a request be sent on."""
HOW: Final = ("rc", "mp", "np")
"""The new target: another contact of the same user; another user, mapped; the same but for the route (section 5)."""
_INDEX: Final = re.compile(rf"[0-9]{{1,5}}(?:\.[0-9]{{1,5}}){{0,{MAX_DEPTH - 1}}}")
_URI_HEADER_SAFE: Final = "[]/?:+$-_.!~*'()"
"""hnv-unreserved and unreserved (RFC 3261 section 25.1)."""

Index = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One value of the header."""

    address: NameAddr
    """The target, its URI without the Reason and Privacy that are below."""
    index: Index
    """(1, 2) for `1.2`."""
    how: str = ""
    """One of HOW; empty where it is not told."""
    origin: Index = ()
    """The index of the entry that `how` names."""
    reasons: tuple[Reason, ...] = ()
    """Why the request did not stay there."""
    privacy: str = ""
    """`history` where the entry is not to leave the trusted; empty where nothing is asked."""
    other: Params = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Entry:
        """Parse one value; raises SipRemoteError, without an index as well."""
        read = NameAddr.parse(text)
        params = dict(read.params)
        how = next((name for name in HOW if name in params), "")
        origin = _index(params.pop(how) or "", text) if how else ()
        index = _index(params.pop("index", None) or "", text)
        reasons, privacy, rest = _uri_headers(read.uri.headers, text)
        address = NameAddr(replace(read.uri, headers=rest), read.display)
        return cls(address, index, how, origin, reasons, privacy, params)

    @property
    def cause(self) -> int | None:
        """Why this target was chosen: the URI's `cause` (RFC 4458), a status; None where it is not told."""
        digits = self.address.uri.params.get("cause") or ""
        return int(digits) if digits.isascii() and digits.isdigit() and len(digits) == 3 else None

    @property
    def is_hidden(self) -> bool:
        """Whether it is not to be shown."""
        return self.privacy not in ("", "none")

    def __str__(self) -> str:
        told = {"Privacy": self.privacy, "Reason": ", ".join(map(str, self.reasons))}
        headers = [f"{name}={percent_encode(value, safe=_URI_HEADER_SAFE)}" for name, value in told.items() if value]
        uri = self.address.uri
        uri = replace(uri, headers="&".join([*([uri.headers] if uri.headers else ()), *headers]))
        params: Params = {"index": written(self.index)}
        if self.how:
            params[self.how] = written(self.origin)
        return f"{NameAddr(uri, self.address.display)}{write_params({**params, **self.other})}"


def _index(text: str, value: str) -> Index:
    if _INDEX.fullmatch(text) is None:
        raise SipRemoteError(f"a History-Info index is 1, 1.2, …, at most {MAX_DEPTH} deep: {value[:80]!r}")
    return tuple(map(int, text.split(".")))


def _uri_headers(headers: str, value: str) -> tuple[tuple[Reason, ...], str, str]:
    """The Reasons and the Privacy among a URI's headers, and what else is there."""
    reasons: list[Reason] = []
    privacy, rest = "", []
    for pair in headers.split("&") if headers else ():
        name, _, text = pair.partition("=")
        if name.lower() == "reason":
            parts = split_outside(percent_decode(text), ",", MAX_VALUES)
            if parts is None:
                raise SipRemoteError(f"a History-Info whose Reason can't be read: {value[:80]!r}")
            reasons += [Reason.parse(part.strip()) for part in parts if part.strip()]
        elif name.lower() == "privacy":
            privacy = percent_decode(text).strip().lower()
        else:
            rest.append(pair)
    return tuple(reasons), privacy, "&".join(rest)


def written(index: Index) -> str:
    """`1.2` for (1, 2)."""
    return ".".join(map(str, index))


def history_of(message: Message) -> list[Entry]:
    """What a message tells, the oldest entry first, whatever order it has them in. Raises SipRemoteError."""
    return sorted((Entry.parse(value) for value in message.values(HEADER)), key=lambda entry: entry.index)


def value_of(entries: Iterable[Entry]) -> str:
    """The header's value that tells all of them, in their order: the oldest first."""
    return ", ".join(map(str, entries))


def sent_on(entries: list[Entry], address: NameAddr, how: str = "", reason: Reason | None = None) -> list[Entry]:
    """The entries of a request that the one who got it, by the last of ``entries``, sends on to ``address``.

    ``reason``: why it did not stay. Raises SipLocalError without entries, with what is not of HOW, or beyond MAX_DEPTH.
    """
    if not entries:
        raise SipLocalError("History-Info begins with the entry of the request as it was first sent")
    if how and how not in HOW:
        raise SipLocalError(f"a target is found by {', '.join(HOW)}, not {how!r}")
    last = entries[-1]
    if len(last.index) >= MAX_DEPTH:
        raise SipLocalError(f"a request that was sent on {MAX_DEPTH} times")
    left = replace(last, reasons=(*last.reasons, reason)) if reason is not None else last
    return [*entries[:-1], left, Entry(address, (*last.index, 1), how, last.index if how else ())]
