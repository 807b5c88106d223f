"""A client of our own CRM interface (docs/crm.md), for simulators and drivers alike.

Waits are bounded and nothing is asked twice: whoever wants a thing done tells it again with the same key.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict
from typing import Any, Final, Self

import httpx

from harness.endpoints.crm.shapes import (
    Contact,
    FoundBy,
    Marker,
    RecordMade,
    RecordTold,
    Seen,
    TaskTold,
    ThriveAssessment,
)
from harness.errors import CrmError, CrmGoneError
from harness.transport.https import http_client

ANSWERS_WITHIN_S: Final = 5.0
"""Seconds within which a CRM answers; an import excepted."""
MAX_ANSWER: Final = 4 * 1024 * 1024
"""Bytes of one answer."""
MAX_TOLD: Final = 300
"""Characters of a refusal that are passed on."""
A_PAGE: Final = 500
MAX_LISTED: Final = 50_000
"""Tasks, or entries of the audit, that are read at most."""


class CrmClient:
    """A connection to one CRM."""

    def __init__(self, address: str, token: str = "", *, within: float = ANSWERS_WITHIN_S) -> None:
        """``address``: ``http://host:port``; ``within``: seconds within which each answer is had."""
        self._within = within
        self._http = http_client(f"{address}/v1", timeout=within, token=token)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Give the connection up; again does nothing."""
        await self._http.aclose()

    # Contacts

    async def find(self, by: FoundBy, value: str, *, user: str, reason: str) -> list[Contact]:
        """Contacts by telephone (E.164), e-mail or the beginning of a name: at most 20.

        ``user`` and ``reason`` (printable ASCII, 64 and 200 characters at most) stand in the CRM's audit.
        """
        found = await self._ask("GET", "/contacts", query={by: value}, looks=(user, reason))
        try:
            return [_contact(each) for each in found["contacts"]]
        except (KeyError, TypeError, ValueError) as error:
            raise CrmError(f"the CRM's contacts can't be read: {type(error).__name__} {error}") from error

    async def mark(self, contact: str, kind: str, text: str, *, by: str) -> None:
        """Set a marker on a contact."""
        await self._ask("POST", f"/contacts/{contact}/markers", {"kind": kind, "text": text, "by": by})

    async def merge(self, contact: str, other: str, *, by: str, reason: str) -> str:
        """Say that ``other`` is the same contact; return the merge's id."""
        body = {"other": other, "by": by, "reason": reason}
        return str((await self._ask("POST", f"/contacts/{contact}/merge", body)).get("merge"))

    async def undo_merge(self, merge: str, *, by: str, reason: str) -> None:
        """Undo a merge."""
        await self._ask("POST", f"/merges/{merge}/undo", {"by": by, "reason": reason})

    # Records

    async def add_record(self, record: RecordTold, *, key: str) -> RecordMade:
        """Make a record; told again with the same ``key`` (printable ASCII, 128 characters at most), nothing is made.

        The contact is found by telephone or e-mail, else made.
        """
        body = asdict(record)
        body["person"] = {name: value for name, value in body["person"].items() if value is not None}
        made = await self._ask("POST", "/records", body, key=key)
        try:
            return RecordMade(str(made["id"]), str(made["contact"]), bool(made["created"]))
        except KeyError as error:
            raise CrmError(f"the CRM's answer to a record has no {error}") from error

    async def record(self, id_: str, *, user: str, reason: str) -> dict[str, Any]:
        """One record with its notes, assessments and decisions."""
        return await self._ask("GET", f"/records/{id_}", looks=(user, reason))

    async def note(self, record: str, text: str, *, by: str) -> None:
        """Add a line to a record."""
        await self._ask("POST", f"/records/{record}/notes", {"text": text, "by": by})

    async def assess(self, record: str, assessment: ThriveAssessment, *, by: str) -> None:
        """Assess a record by THRIVE; the CRM refuses what lacks a factor or the rationale."""
        await self._ask("PUT", f"/records/{record}/thrive", {**asdict(assessment), "by": by})

    async def grade(self, record: str, grade: str, *, by: str, rationale: str = "") -> None:
        """Grade a record; another grade needs a rationale."""
        await self._ask("PUT", f"/records/{record}/grade", {"grade": grade, "rationale": rationale, "by": by})

    async def transfer(self, record: str, to: str, *, by: str, rationale: str = "") -> None:
        """Give a record to somebody else; that needs a rationale."""
        await self._ask("POST", f"/records/{record}/transfer", {"to": to, "rationale": rationale, "by": by})

    async def attend(self, record: str, *, by: str) -> None:
        """Note that somebody attends."""
        await self._ask("POST", f"/records/{record}/attended", {"by": by})

    # Failure demand

    async def code_failure_demand(self, record: str, code: str, *, by: str, note: str = "") -> None:
        """Say whether a contact was made because of a failure of the force's own, and of which; ``none``: of none."""
        await self._ask("PUT", f"/records/{record}/failure-demand", {"code": code, "note": note, "by": by})

    async def failure_demand(self) -> dict[str, Any]:
        """The report on failure demand."""
        return await self._ask("GET", "/reports/failure-demand")

    async def failure_demand_csv(self) -> str:
        """The report on failure demand for a spreadsheet."""
        return (await self._send("GET", "/reports/failure-demand.csv")).text

    # Tasks

    async def add_task(self, task: TaskTold, *, key: str) -> str:
        """Make a task and return its id; told again with the same ``key``, nothing is made."""
        body = {name: value for name, value in asdict(task).items() if value is not None}
        return str((await self._ask("POST", "/tasks", body, key=key)).get("id"))

    async def tasks(self, *, kind: str | None = None, about: str | None = None) -> list[dict[str, Any]]:
        """Open tasks, oldest first."""
        return await self._all("/tasks", "tasks", "id", {"state": "open", "kind": kind, "about": about})

    async def finish_task(self, task: str, *, by: str) -> None:
        """Mark a task as done."""
        await self._ask("POST", f"/tasks/{task}/done", {"by": by})

    # The audit

    async def audit(self, *, contact: str | None = None, user: str | None = None) -> list[dict[str, Any]]:
        """Who looked at or changed whose data, oldest first."""
        return await self._all("/audit", "entries", "number", {"contact": contact, "user": user})

    async def verify_audit(self) -> dict[str, Any]:
        """Whether the audit is whole."""
        return await self._ask("GET", "/audit/verify")

    # Imports

    async def import_contacts(self, data: AsyncIterator[bytes], *, user: str, reason: str) -> dict[str, Any]:
        """Send a CSV of contacts as it is read; return ``id`` and counts. It may take as long as it moves on."""
        headers = {"X-User": user, "X-Reason": reason, "Content-Type": "text/csv"}
        try:
            answer = await self._http.post("/imports", content=data, headers=headers, timeout=_MOVES_ON)
        except httpx.HTTPError as error:
            raise CrmGoneError(f"the import was broken off: {str(error) or type(error).__name__}") from error
        return _object(_well(answer))

    async def bad_rows(self, import_: str) -> AsyncIterator[tuple[int, str]]:
        """The bad rows of an import: line, and what is wrong with it."""
        after = 0
        while True:
            query = {"after": str(after), "limit": str(A_PAGE)}
            rows = (await self._ask("GET", f"/imports/{import_}/bad-rows", query=query))["rows"]
            for row in rows:
                after = int(row["line"])
                yield after, str(row["why"])
            if len(rows) < A_PAGE:
                return

    async def _all(self, path: str, name: str, numbered: str, query: Mapping[str, str | None]) -> list[dict[str, Any]]:
        asked = {key: value for key, value in query.items() if value is not None}
        found: list[dict[str, Any]] = []
        after = 0
        while len(found) < MAX_LISTED:
            page = await self._ask("GET", path, query={**asked, "after": str(after), "limit": str(A_PAGE)})
            try:
                found += page[name]
                if len(page[name]) < A_PAGE:
                    return found
                after = int(str(found[-1][numbered]).rpartition("-")[2])
            except (KeyError, TypeError, ValueError) as error:
                raise CrmError(f"the CRM's {name} can't be read: {type(error).__name__} {error}") from error
        raise CrmError(f"the CRM has more than {MAX_LISTED} {name}")

    async def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        *,
        query: Mapping[str, str] | None = None,
        key: str | None = None,
        looks: tuple[str, str] | None = None,
    ) -> dict[str, Any]:
        headers = {} if key is None else {"Idempotency-Key": key}
        if looks is not None:
            headers |= {"X-User": looks[0], "X-Reason": looks[1]}
        return _object(await self._send(method, path, body, query, headers))

    async def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        try:
            async with asyncio.timeout(self._within):
                async with self._http.stream(method, path, json=body, params=query, headers=headers) as answer:
                    read = bytearray()
                    async for part in answer.aiter_bytes():
                        read += part
                        if len(read) > MAX_ANSWER:
                            raise CrmError(f"the CRM answered {method} {path} with more than {MAX_ANSWER} bytes")
        except TimeoutError as error:
            raise CrmGoneError(f"the CRM did not answer {method} {path} within {self._within:g} s") from error
        except httpx.HTTPError as error:
            raise CrmGoneError(f"the CRM can't be asked: {str(error) or type(error).__name__}") from error
        except UnicodeEncodeError as error:
            raise CrmError("a user, reason or key is printable ASCII") from error
        return _well(httpx.Response(answer.status_code, content=bytes(read)))


_MOVES_ON: Final = httpx.Timeout(ANSWERS_WITHIN_S, read=60.0, write=60.0)


def _well(answer: httpx.Response) -> httpx.Response:
    """The answer. Raises CrmError, CrmGoneError where it is a refusal."""
    if answer.is_success:
        return answer
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError, RecursionError):
        detail = answer.text
    told = f"the CRM answered {answer.status_code}: {str(detail)[:MAX_TOLD]}"
    raise CrmGoneError(told) if answer.status_code >= 500 or answer.status_code == 429 else CrmError(told)


def _object(answer: httpx.Response) -> dict[str, Any]:
    try:
        said = answer.json()
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise CrmError(f"the CRM answered what is no JSON object: {answer.text[:60]!r}")
    return said


def _contact(told: Mapping[str, Any]) -> Contact:
    return Contact(
        id=str(told["id"]),
        name=str(told["name"]),
        telephone=told.get("telephone"),
        markers=tuple(Marker(each["kind"], each["text"], each["since"]) for each in told["markers"]),
        history=tuple(
            Seen(each["id"], each["channel"], each["received"], each["grade"], tuple(each["flags"]))
            for each in told["history"]
        ),
    )
