"""Urgent and crime reports become incidents at command and control: once each, by an outbox on disk."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Any, Final

from harness.endpoints.command_control import (
    CommandControlLink,
    Entry,
    LinkChanged,
    News,
    Notice,
    Outbox,
    Told,
    load_dialect,
)
from harness.endpoints.command_control.outbox import MAX_WAITING
from harness.errors import CommandControlError, DatabaseError
from harness.protocols.eido import Callback, Eido, Incident, Note
from harness.protocols.times import to_iso
from harness.transport.context import Context
from simulators.contact_us.store import DONE, KEPT, REFUSED, Store
from simulators.events import Events

RETRY_S: Final = 5.0
MAX_NOTE: Final = 3_000
"""Characters of what was sent that go into an incident's log; the CRM has all of it."""


@dataclass(frozen=True, slots=True)
class CommandControlAt:
    """Where command and control is, as the testbed found it."""

    address: str
    """``http://host:port``."""
    dialect: str
    token: str = ""


class Incidents:
    """The way from submissions that are to be incidents to command and control."""

    def __init__(self, context: Context, name: str, store: Store, events: Events, element: str) -> None:
        self._context, self._name = context, name
        self._store, self._events, self._element = store, events, element
        self._outbox: Outbox | None = None
        self._link: CommandControlLink | None = None
        self._wake = asyncio.Event()
        self._registered: deque[Told] = deque(maxlen=MAX_WAITING)
        """What is answered and not noted yet: never more than could wait."""

    def open(self, at: CommandControlAt, outbox: Outbox) -> None:
        """Begin to link. Raises CommandControlError for a dialect that there is not."""
        self._outbox = outbox
        self._link = CommandControlLink.open(
            self._context, f"{self._name} command-control", at.address, outbox, load_dialect(at.dialect), token=at.token
        )
        self._link.subscribe(self._noticed)

    async def close(self) -> None:
        """End the link; what waits stays on disk."""
        if self._link is not None:
            await self._link.close()

    def figures(self) -> dict[str, Any]:
        """Whether there is a link and it is up, and how much waits in the outbox."""
        if self._link is None or self._outbox is None:
            return {"linked": False, "up": None, "waiting": 0}
        return {"linked": True, "up": self._link.is_up, "waiting": len(self._outbox)}

    def wake(self) -> None:
        """There may be something to do."""
        self._wake.set()

    async def run(self) -> None:
        """Put what is to be an incident into the outbox, and note what became of it, until cancelled."""
        while True:
            self._wake.clear()
            try:
                await self._put_all()
                await self._note_all()
            except (CommandControlError, DatabaseError) as error:
                self._events.tell("incident.delayed", why=str(error))
                await asyncio.sleep(RETRY_S)
                continue
            await self._wake.wait()

    async def _put_all(self) -> None:
        while self._link is not None and (due := await self._store.to_tell("incident")):
            for each in due:
                about = f"{self._element}-{each['reference']}"
                entry = Entry("incident.opened", about, incident_object(each, about, self._element).written())
                # A process that was killed between this and the note after it puts it again: the outbox knows it.
                self._link.put_once(entry)
                await self._store.told(each["reference"], incident=KEPT)
                self._events.tell("incident.queued", reference=each["reference"], incident=about)

    async def _note_all(self) -> None:
        while self._registered:
            await self._registered_as(self._registered[0])
            self._registered.popleft()

    async def _registered_as(self, told: Told) -> None:
        about = told.kept.entry.about
        reference = about.removeprefix(f"{self._element}-")
        if told.taken:
            await self._store.told(reference, incident=DONE, incident_reference=told.reference)
            self._events.tell("incident.registered", reference=reference, incident=about, registered=told.reference)
        else:
            await self._store.told(reference, incident=REFUSED, why=told.reason)
            self._events.tell("incident.refused", reference=reference, incident=about, why=told.reason)

    def _noticed(self, notice: Notice) -> None:
        match notice:
            case LinkChanged(up, cause, waiting):
                self._events.tell("command_control.link", up=up, cause=cause, waiting=waiting)
            case Told():
                self._registered.append(notice)
                self._wake.set()
            case News():
                pass  # of incidents that others opened too; Contact Us shows none


def incident_object(kept: dict[str, Any], about: str, element: str) -> Eido:
    """A submission as an incident that is opened."""
    at = to_iso(round(kept["received"], 3))
    person = kept["person"]
    uris = [f"tel:{person['telephone']}"] if "telephone" in person else []
    uris += [f"mailto:{person['email']}"] if "email" in person else []
    callback = Callback(id=f"{about}:callback", call_back_information_uri=tuple(uris))
    urgent = "urgent" in kept["flags"]
    said = "\n".join(each for each in (kept["place"] and f"Place: {kept['place']}", kept["text"][:MAX_NOTE]) if each)
    note = Note(id=f"{about}:note", last_update_time_stamp=at, notes_action_comments=f"{kept['reference']}\n{said}")
    title = f"Contact Us: {'urgent' if urgent else 'crime report'}"
    return Eido(
        id=f"urn:emergency:uid:incidentid:{about}:{element}",
        last_update_time_stamp=at,
        issuing_element_identification=element,
        incident_component=Incident(
            id=about,
            last_update_time_stamp=at,
            incident_type_common_registry_text="Other",
            incident_type_internal_text=title,
            incident_status_common_registry_text=("open",),
            internal_incident_id=kept["reference"],
        ),
        callback_component=(callback,) if uris else (),
        notes_component=(note,),
    )
