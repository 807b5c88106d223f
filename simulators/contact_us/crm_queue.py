"""Tells the CRM of each submission, in order and under one key however often; alarms while it can't be reached."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final

import httpx

from harness.errors import DatabaseError, RemoteError
from harness.protocols.times import to_iso
from simulators.contact_us.store import DONE, REFUSED, Store
from simulators.events import Events

ANSWERS_WITHIN_S: Final = 2.0
LOST_AFTER: Final = 2
"""Failures one after the other from which the CRM counts as down."""
RETRY_S: Final = (0.5, 5.0)
"""Seconds before the first try anew, and the most that doubling makes of it."""
MAX_ANSWER: Final = 100_000


@dataclass(frozen=True, slots=True)
class CrmAt:
    """Where the CRM is."""

    address: str
    """``http://host:port``."""
    token: str = ""


class _AwayError(RemoteError):
    """No answer, or none that settles anything."""


class CrmQueue:
    """What waits to go to the CRM; it waits in the store."""

    def __init__(self, store: Store, events: Events) -> None:
        self._store, self._events = store, events
        self._http: httpx.AsyncClient | None = None
        self._wake = asyncio.Event()
        self._failures = 0
        self._up: bool | None = None

    def open(self, at: CrmAt) -> None:
        """Begin to tell it."""
        headers = {"Authorization": f"Bearer {at.token}"} if at.token else {}
        self._http = httpx.AsyncClient(
            base_url=at.address, headers=headers, timeout=ANSWERS_WITHIN_S, trust_env=False, follow_redirects=False
        )

    async def close(self) -> None:
        if self._http is not None:
            await self._http.aclose()

    def wake(self) -> None:
        """There may be something to do."""
        self._wake.set()

    async def figures(self) -> dict[str, Any]:
        """Whether there is a CRM, it answers, and how many submissions wait for it."""
        return {"linked": self._http is not None, "up": self._up, "waiting": await self._store.waiting("crm")}

    async def run(self) -> None:
        """Tell what waits, until cancelled."""
        retry = RETRY_S[0]
        while True:
            self._wake.clear()
            try:
                while self._http is not None and (due := await self._store.to_tell("crm")):
                    for each in due:
                        await self._tell(self._http, each)
            except (_AwayError, DatabaseError) as error:
                await self._failed(str(error))
                await asyncio.sleep(retry)
                retry = min(2 * retry, RETRY_S[1])
                continue
            retry = RETRY_S[0]
            await self._wake.wait()

    async def _tell(self, http: httpx.AsyncClient, kept: dict[str, Any]) -> None:
        reference = kept["reference"]
        try:
            async with asyncio.timeout(ANSWERS_WITHIN_S):
                answer = await http.post(
                    "/v1/records", json=record(kept), headers={"Idempotency-Key": f"contact-us:{reference}"}
                )
        except (httpx.HTTPError, TimeoutError) as error:
            raise _AwayError(str(error) or type(error).__name__) from error
        if answer.status_code in (200, 201):
            await self._had(reference, answer)
        elif answer.status_code in (400, 409, 413, 422):
            await self._store.told(reference, crm=REFUSED, why=f"the CRM answered {answer.status_code}")
            self._events.tell("crm.refused", reference=reference, status=answer.status_code)
        else:
            raise _AwayError(f"the CRM answered {answer.status_code}")
        self._failures = 0
        if self._up is not True:
            self._up = True
            self._events.tell("crm.link", up=True, cause="", waiting=await self._store.waiting("crm"))

    async def _had(self, reference: str, answer: httpx.Response) -> None:
        try:
            told = answer.json() if len(answer.content) <= MAX_ANSWER else None
        except ValueError:
            told = None
        if not isinstance(told, dict) or not isinstance(told.get("id"), str) or not told["id"]:
            raise _AwayError("the CRM's answer names no record")
        await self._store.told(reference, crm=DONE, record=told["id"][:64])
        self._events.tell("crm.record", reference=reference, record=told["id"][:64])

    async def _failed(self, cause: str) -> None:
        self._failures += 1
        if self._failures >= LOST_AFTER and self._up is not False:
            self._up = False
            self._events.tell("crm.link", up=False, cause=cause, waiting=await self._store.waiting("crm"))


def record(kept: dict[str, Any]) -> dict[str, Any]:
    """A submission as the CRM is told of it."""
    place = f"Place: {kept['place']}\n\n" if kept["place"] else ""
    notes = "".join(f"\n\n[{note}]" for note in kept["notes"])
    return {
        "channel": "email" if kept["channel"] == "mail" else "contact_us",
        "received": to_iso(round(kept["received"], 3)),
        "person": kept["person"],
        "text": f"{place}{kept['text']}{notes}",
        "flags": kept["flags"],
        "reference": kept["reference"],
        "attachments": kept["attachments"],
    }
