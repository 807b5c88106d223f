"""A check of a person or vehicle against a records database: asked with a reason, accepted, its answer fetched.

The interface is this project's own (docs/interfaces/records-check.md): no police database's is public, and conformance
to none is claimed. What is asked about and what is answered are personal data: neither reaches a journal from here.
"""

from __future__ import annotations

import ssl as ssl_module
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import quote

import httpx

from harness.errors import RecordsCheckError
from harness.transport.https import http_client

ANSWERS_WITHIN_S: Final = 2.0
"""Seconds that one request may take."""
TRIES: Final = 2
"""How often a check is sent where no answer comes: its key lets the database take it once."""
MAX_LINES: Final = 100
"""Lines of one answer."""
MAX_LINE: Final = 500
"""Characters of one line."""

Kind = Literal["person", "vehicle"]
Outcome = Literal["trace", "no_trace"]


@dataclass(frozen=True, slots=True)
class Check:
    """What is asked, by whom, and why."""

    key: str
    """The same however often it is sent."""
    kind: Kind
    subject: dict[str, str]
    """``name`` and, where known, ``born`` (YYYY-MM-DD) of a person; ``registration`` of a vehicle."""
    reason: str
    by: str
    """The position."""
    incident: str
    element: str
    """The control room."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the database has."""

    outcome: Outcome
    lines: tuple[str, ...]


class RecordsLink:
    """One control room's way to the database."""

    def __init__(self, address: str, *, token: str = "", ssl: ssl_module.SSLContext | None = None) -> None:
        """``address``: ``http://host:port``."""
        self._http = http_client(address, timeout=ANSWERS_WITHIN_S, token=token, tls=ssl)

    async def submit(self, check: Check) -> str:
        """Send a check and return the database's reference, once it has accepted it. Raises RecordsCheckError."""
        body = {
            "key": check.key,
            "kind": check.kind,
            "subject": check.subject,
            "reason": check.reason,
            "by": check.by,
            "incident": check.incident,
            "element": check.element,
        }
        for left in reversed(range(TRIES)):
            try:
                told = await self._ask("POST", "/v1/checks", body)
                break
            except RecordsCheckError as error:
                if not left or not error.unanswered:
                    raise
        reference = told.get("reference")
        if not isinstance(reference, str) or not 0 < len(reference) <= 64:
            raise RecordsCheckError("the database accepted the check and gave no reference")
        return reference

    async def answer(self, reference: str) -> Answer | None:
        """Return the answer to a check, or None while there is none. Raises RecordsCheckError."""
        told = await self._ask("GET", f"/v1/checks/{quote(reference, safe='')}")
        if told.get("status") == "pending":
            return None
        outcome, lines = told.get("outcome"), _lines(told.get("lines"))
        if told.get("status") != "answered" or outcome not in ("trace", "no_trace") or lines is None:
            raise RecordsCheckError("the database's answer can't be read")
        return Answer(outcome, lines)

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        try:
            answer = await self._http.request(method, path, json=body)
        except httpx.HTTPError as error:
            why = f"no answer from the records database: {type(error).__name__}"
            raise RecordsCheckError(why, unanswered=True) from error
        try:
            told = answer.json()
        except ValueError:
            told = None
        if answer.is_error:
            detail = told.get("detail") if isinstance(told, dict) else None
            why = detail if isinstance(detail, str) else "no reason was given"  # a list repeats what was sent
            raise RecordsCheckError(f"the records database refused with {answer.status_code}: {why[:200]}")
        if not isinstance(told, dict):
            raise RecordsCheckError("the database's answer is no JSON object")
        return told

    async def close(self) -> None:
        """Disconnect; again does nothing."""
        await self._http.aclose()


def _lines(found: Any) -> tuple[str, ...] | None:
    """An answer's lines, where they are some."""
    if not isinstance(found, list) or len(found) > MAX_LINES:
        return None
    return tuple(found) if all(isinstance(line, str) and len(line) <= MAX_LINE for line in found) else None
