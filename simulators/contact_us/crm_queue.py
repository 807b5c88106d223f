"""Tells the CRM of each submission, in order and under one key however often; alarms while it can't be reached."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from harness.endpoints.crm import Attachment, CrmClient, Person, RecordTold
from harness.errors import CrmError, CrmGoneError, DatabaseError
from harness.protocols.times import to_iso
from simulators.contact_us.store import DONE, REFUSED, Store
from simulators.events import Events

ANSWERS_WITHIN_S: Final = 2.0
LOST_AFTER: Final = 2
"""Failures one after the other from which the CRM counts as down."""
RETRY_S: Final = (0.5, 5.0)
"""Seconds before the first try anew, and the most that doubling makes of it."""


@dataclass(frozen=True, slots=True)
class CrmAt:
    """Where the CRM is."""

    address: str
    """``http://host:port``."""
    token: str = ""


class CrmQueue:
    """What waits to go to the CRM; it waits in the store."""

    def __init__(self, store: Store, events: Events) -> None:
        self._store, self._events = store, events
        self._client: CrmClient | None = None
        self._wake = asyncio.Event()
        self._failures = 0
        self._up: bool | None = None

    def open(self, at: CrmAt) -> None:
        """Begin to tell it."""
        self._client = CrmClient(at.address, at.token, within=ANSWERS_WITHIN_S)

    async def close(self) -> None:
        if self._client is not None:
            await self._client.close()

    def wake(self) -> None:
        """There may be something to do."""
        self._wake.set()

    async def figures(self) -> dict[str, Any]:
        """Whether there is a CRM, it answers, and how many submissions wait for it."""
        return {"linked": self._client is not None, "up": self._up, "waiting": await self._store.waiting("crm")}

    async def run(self) -> None:
        """Tell what waits, until cancelled."""
        retry = RETRY_S[0]
        while True:
            self._wake.clear()
            try:
                while self._client is not None and (due := await self._store.to_tell("crm")):
                    for each in due:
                        await self._tell(self._client, each)
            except (CrmGoneError, DatabaseError) as error:
                await self._failed(str(error))
                await asyncio.sleep(retry)
                retry = min(2 * retry, RETRY_S[1])
                continue
            retry = RETRY_S[0]
            await self._wake.wait()

    async def _tell(self, client: CrmClient, kept: dict[str, Any]) -> None:
        reference = kept["reference"]
        try:
            made = await client.add_record(record(kept), key=f"contact-us:{reference}")
        except CrmGoneError:
            raise
        except CrmError as error:
            # It stops nothing: what comes after it goes on, and its staff can have it told again.
            await self._store.told(reference, crm=REFUSED, why=str(error))
            self._events.tell("crm.refused", reference=reference)
        else:
            await self._store.told(reference, crm=DONE, record=made.id)
            self._events.tell("crm.record", reference=reference, record=made.id, created=made.created)
        self._failures = 0
        if self._up is not True:
            self._up = True
            self._events.tell("crm.link", up=True, cause="", waiting=await self._store.waiting("crm"))

    async def _failed(self, cause: str) -> None:
        self._failures += 1
        if self._failures >= LOST_AFTER and self._up is not False:
            self._up = False
            self._events.tell("crm.link", up=False, cause=cause, waiting=await self._store.waiting("crm"))


def record(kept: dict[str, Any]) -> RecordTold:
    """A submission as the CRM is told of it."""
    place = f"Place: {kept['place']}\n\n" if kept["place"] else ""
    notes = "".join(f"\n\n[{note}]" for note in kept["notes"])
    return RecordTold(
        channel="email" if kept["channel"] == "mail" else "contact_us",
        received=to_iso(round(kept["received"], 3)),
        person=Person(**kept["person"]),
        text=f"{place}{kept['text']}{notes}",
        flags=tuple(kept["flags"]),
        reference=kept["reference"],
        attachments=tuple(Attachment(**each) for each in kept["attachments"]),
    )
