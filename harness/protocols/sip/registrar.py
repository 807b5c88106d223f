"""A registrar's bindings (RFC 3261 §10.3): which contacts stand for an address-of-record, and until when."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Final

from harness.errors import SipRemoteError
from harness.protocols.sip.headers import NameAddr
from harness.protocols.sip.message import Request, Response
from harness.protocols.sip.uri import Uri

MAX_BINDINGS: Final = 10_000
"""Contacts of all addresses-of-record together; a REGISTER beyond them gets 503."""
MAX_CONTACTS: Final = 16
"""Contacts of one address-of-record; a REGISTER beyond them gets 403."""

SLACK: Final = 64
"""Bindings that were dropped and stay in the heap, beside as many as there are live ones."""
MALFORMED_EXPIRES: Final = 3_600
"""Seconds that an Expires stands for which can't be read (§10.2.1.1)."""


@dataclass(slots=True)
class Binding:
    """One contact of an address-of-record."""

    contact: NameAddr
    expires: float
    """When it lapses, in seconds of the caller's clock."""
    call_id: str
    cseq: int
    is_dropped: bool = False
    """Whether it was replaced, taken back or has lapsed."""


class Registrar:
    """The table of bindings; `now` is always the caller's clock in seconds."""

    def __init__(self, *, default_expires: int = 3600, min_expires: int = 1, max_expires: int = 7200) -> None:
        """`min_expires`: shorter registrations get 423; longer than `max_expires` are cut to it (seconds)."""
        self._default = default_expires
        self._min = min_expires
        self._max = max_expires
        self._table: dict[str, list[Binding]] = {}
        self._count = 0
        self._lapsing: list[tuple[float, int, str, Binding]] = []
        """A heap by the time of lapsing, with some that are dropped already; the number settles what is alike."""
        self._made = 0

    def bindings(self, aor: str, now: float) -> list[Binding]:
        """The contacts of an address-of-record (`sip:user@host`) that have not lapsed, best `q` first, then newest."""
        live = [binding for binding in reversed(self._table.get(aor, ())) if binding.expires > now]
        return sorted(live, key=lambda binding: -binding.contact.quality)

    def next_expiry(self) -> float | None:
        """When the next binding lapses; None where there is none."""
        lapsing = self._lapsing
        while lapsing and lapsing[0][3].is_dropped:
            heapq.heappop(lapsing)
        return lapsing[0][0] if lapsing else None

    def expire(self, now: float) -> list[tuple[str, str]]:
        """Drop what has lapsed; returns (address-of-record, contact URI) of each."""
        lapsed: list[tuple[str, str]] = []
        while (due := self.next_expiry()) is not None and due <= now:
            _, _, aor, binding = heapq.heappop(self._lapsing)
            lapsed.append((aor, str(binding.contact.uri)))
            self._drop(aor, binding)
        return lapsed

    def register(self, request: Request, now: float, to_tag: str) -> Response:
        """Carry out a REGISTER whose sender is allowed it, and make its response. Raises SipRemoteError (a 400)."""
        uri = request.to.uri
        if uri.scheme not in ("sip", "sips"):
            raise SipRemoteError(f"{uri} can't be registered: To is to be a SIP URI (§10.2)")
        aor = uri.aor()
        expires_header = _expires(request)
        values = request.values("contact")
        call_id, cseq = request.call_id, request.cseq.number
        if "*" in values:
            if values != ["*"] or expires_header != 0:
                raise SipRemoteError("Contact: * needs Expires: 0 and stands alone")
            self._drop_all(aor, call_id, cseq)
            return request.response(200, to_tag=to_tag)
        self.expire(now)
        wanted: list[tuple[NameAddr, int, Binding | None]] = []
        for value in values:
            contact = NameAddr.parse(value)
            seconds = self._seconds(contact, expires_header)
            if 0 < seconds < self._min:
                return request.response(423, to_tag=to_tag, headers=[("Min-Expires", str(self._min))])
            known = self._find(aor, contact.uri)
            if known is not None and known.call_id == call_id and cseq <= known.cseq:
                raise SipRemoteError(f"CSeq {cseq} is not above the last registration's")
            wanted.append((contact, min(seconds, self._max), known))
        new = sum(1 for _, seconds, known in wanted if known is None and seconds)
        if len(self._table.get(aor, ())) + new > MAX_CONTACTS:
            return request.response(403, "Too Many Contacts", to_tag=to_tag)
        if self._count + new > MAX_BINDINGS:
            return request.response(503, to_tag=to_tag, headers=[("Retry-After", "60")])
        # All or nothing (§10.3 step 7): nothing was changed until here.
        for contact, seconds, known in wanted:
            if known is not None:
                self._drop(aor, known)
            if seconds:
                contact.params.pop("expires", None)
                self._keep(aor, Binding(contact, now + seconds, call_id, cseq))
        headers = [
            ("Contact", f"{binding.contact};expires={max(1, round(binding.expires - now))}")
            for binding in self.bindings(aor, now)
        ]
        return request.response(200, to_tag=to_tag, headers=headers)

    def _drop_all(self, aor: str, call_id: str, cseq: int) -> None:
        kept = self._table.get(aor, [])
        if any(binding.call_id == call_id and cseq <= binding.cseq for binding in kept):
            raise SipRemoteError(f"CSeq {cseq} is not above the last registration's")
        for binding in list(kept):
            self._drop(aor, binding)

    def _seconds(self, contact: NameAddr, header: int | None) -> int:
        text = contact.params.get("expires")
        if text is not None and text.isascii() and text.isdigit() and len(text) <= 10:
            return int(text)
        return self._default if header is None else header

    def _find(self, aor: str, uri: Uri) -> Binding | None:
        return next((binding for binding in self._table.get(aor, ()) if binding.contact.uri.equivalent(uri)), None)

    def _keep(self, aor: str, binding: Binding) -> None:
        self._table.setdefault(aor, []).append(binding)
        self._count += 1
        self._made += 1
        heapq.heappush(self._lapsing, (binding.expires, self._made, aor, binding))
        if len(self._lapsing) > 2 * self._count + SLACK:
            self._lapsing = [each for each in self._lapsing if not each[3].is_dropped]
            heapq.heapify(self._lapsing)

    def _drop(self, aor: str, binding: Binding) -> None:
        binding.is_dropped = True
        kept = self._table[aor]
        kept[:] = [other for other in kept if other is not binding]
        self._count -= 1
        if not kept:
            del self._table[aor]


def _expires(request: Request) -> int | None:
    """The Expires header's seconds; a malformed one counts as an hour (§10.2.1.1). None where there is none."""
    try:
        return request.number("expires")
    except SipRemoteError:
        return MALFORMED_EXPIRES
