"""What a SIP endpoint journals: each message where it traces, and what is odd, bounded in number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from harness.endpoints.sip.flow import UDP, Flow, shown
from harness.journal import Journal
from harness.protocols.sip.message import Request, Response

MAX_WARNINGS: Final = 20
"""Warnings about garbage that an endpoint journals in WARNING_PERIOD; the others are counted."""
WARNING_PERIOD: Final = 10.0
"""Seconds."""


class Notes:
    """One endpoint's entries in the journal."""

    def __init__(self, journal: Journal, name: str) -> None:
        self.journal = journal
        self.name = name
        """The source of its events."""
        self.refused = 0
        """Things that were odd: datagrams that were no SIP message, or one that belongs nowhere…"""
        self.on_odd: Callable[[], None] = lambda: None
        """Called with each of them."""
        self._warned = 0
        self._period_ends = 0.0

    def warn(self, kind: str, flow: Flow | None, **data: object) -> None:
        """Journal something odd, at most MAX_WARNINGS in WARNING_PERIOD, so that garbage can't grow the journal."""
        self.refused += 1
        self.on_odd()
        now = self.journal.now()
        if now >= self._period_ends:
            self._period_ends = now + WARNING_PERIOD
            self._warned = 0
        self._warned += 1
        if self._warned > MAX_WARNINGS:
            return
        if self._warned == MAX_WARNINGS:
            data["more"] = f"further warnings of the next {WARNING_PERIOD:g} s are only counted"
        if flow is not None:
            data = {"peer": f"{shown(flow.peer[0])}:{flow.peer[1]}", **data}
        self.journal.warn(self.name, kind, **data)

    def request(self, kind: str, request: Request, flow: Flow) -> None:
        """Journal a request that was sent or received."""
        data = {
            "method": request.method,
            "uri": request.uri_text,
            "call_id": request.call_id,
            "cseq": str(request.cseq),
            "peer": f"{shown(flow.peer[0])}:{flow.peer[1]}",
        }
        if flow.transport != UDP:
            data["transport"] = flow.transport
        self.journal.append(self.name, kind, data)

    def response(self, kind: str, response: Response, flow: Flow) -> None:
        """Journal a response that was sent or received."""
        data: dict[str, object] = {
            "status": response.status,
            "reason": response.reason,
            "call_id": response.call_id,
            "cseq": str(response.cseq),
            "peer": f"{shown(flow.peer[0])}:{flow.peer[1]}",
        }
        if flow.transport != UDP:
            data["transport"] = flow.transport
        self.journal.append(self.name, kind, data)
