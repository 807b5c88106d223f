"""The SMS Diary as an adviser's screen has it: free slots, booking, moving, cancelling, texts and tasks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Protocol
from urllib.parse import quote

from harness import installed
from harness.drivers.controlled import ControlledSimulator
from harness.endpoints.sms import PermitText
from harness.errors import DriverError
from harness.journal import Event
from harness.transport.context import Context

ENTRY_POINTS: Final = "iccs.sms_diary"


class SmsDiary(Protocol):
    """What a test can do to any SMS Diary; a vendor's adapter has these methods.

    Slots and appointments are dictionaries with ``start`` and ``end`` (ISO 8601 with offset); appointments have ``id``,
    ``number`` (as texts tell it), ``diary``, ``telephone``, ``record``, ``state`` (``booked``, ``cancelled``) and
    ``texts``, each with ``kind``, ``state`` and ``due``. Every method raises DriverError where it is refused.
    """

    name: str

    async def free_slots(self, diary: str, first: str, last: str | None = None) -> list[dict[str, Any]]:
        """Free slots on the days ``first`` to ``last`` (``2026-03-29``), in order."""

    async def book(
        self, diary: str, start: str, telephone: str, *, record: str | None = None, key: str | None = None
    ) -> dict[str, Any]:
        """Book a slot. ``key``: of the request, so that it can be made again; one of its own where left out.

        Where the Diary is real the interlock is asked for the number first: InterlockError.
        """

    async def move(self, appointment: str, start: str, *, diary: str | None = None) -> dict[str, Any]:
        """Move an appointment."""

    async def cancel(self, appointment: str) -> dict[str, Any]:
        """Cancel an appointment as an adviser does."""

    async def appointment(self, appointment: str) -> dict[str, Any]:
        """One appointment, with its texts."""

    async def tasks(self, *, about: str | None = None) -> list[dict[str, Any]]:
        """Open tasks for advisers, the newest first: ``kind``, ``about``, ``text``, ``crm``."""

    async def status(self) -> dict[str, Any]:
        """``now`` (ISO 8601), whether the ``gateway`` is there, counts."""

    async def expect(self, kind: str, *, within: float, after: int = 0, **with_: Any) -> Event:
        """Return the event that comes, or raise ExpectationError telling what did come."""

    async def close(self) -> None:
        """Disconnect; again does nothing."""


Adapter = Callable[[Context, str, str, str | None, PermitText], Awaitable[SmsDiary]]
"""Opens a real Diary: given the run, the component's name, the URL, the token, and what it asks before it lets a number
be sent texts."""


def load_adapter(name: str) -> Adapter:
    """A vendor's adapter by its name among the entry points. Raises DriverError."""
    loaded: Adapter = installed.load(ENTRY_POINTS, name, "SMS Diary adapter", DriverError)
    return loaded


class SimulatedDiary(ControlledSimulator):
    """The simulator's interface.

    Events, under the component's name: ``appointment.booked``, ``appointment.moved``, ``appointment.cancelled`` {by} of
    {appointment, diary, start, telephone}; ``text.`` and its state of {text, text_kind, to, appointment, why};
    ``text.late``; ``reply.received`` {sender, understood}; ``task.made`` {task, task_kind, about}, ``task.told``,
    ``task.refused``, ``task.done``; ``gateway.up``, ``gateway.lost``, ``crm.up``, ``crm.lost``, ``store.gone`` {why}.
    Of a person it tells the number alone, masked where it is not for tests.
    """

    @classmethod
    async def open(cls, context: Context, name: str, *, control: str, token: str | None = None) -> SimulatedDiary:
        """Connect to a simulator's interface (``http://host:port``). Raises DriverError."""
        return await cls(context, name)._connected(control, token)

    async def diaries(self) -> list[dict[str, Any]]:
        """Every diary: whose, its hours, its slots' length."""
        return list((await self._link.ask("GET", "/diaries"))["diaries"])

    async def free_slots(self, diary: str, first: str, last: str | None = None) -> list[dict[str, Any]]:
        """Free slots on the days ``first`` to ``last``, in order. Raises DriverError."""
        days = f"first={quote(first)}" + (f"&last={quote(last)}" if last is not None else "")
        return list((await self._link.ask("GET", f"/diaries/{quote(diary, safe='')}/slots?{days}"))["slots"])

    async def book(
        self,
        diary: str,
        start: str,
        telephone: str,
        *,
        name: str = "",
        about: str = "",
        record: str | None = None,
        key: str | None = None,
    ) -> dict[str, Any]:
        """Book a slot; ``record`` of the CRM. Raises DriverError, of a slot that is taken, with 409 in it."""
        self._journal.record(self.name, "diary.book", diary=diary, start=start, telephone=telephone, record=record)
        body = {"diary": diary, "start": start, "telephone": telephone, "name": name, "about": about, "record": record}
        return await self._submit("/appointments", body, key)

    async def move(
        self, appointment: str, start: str, *, diary: str | None = None, key: str | None = None
    ) -> dict[str, Any]:
        """Move an appointment. Raises DriverError."""
        self._journal.record(self.name, "diary.move", appointment=appointment, start=start)
        path = f"/appointments/{quote(appointment, safe='')}/move"
        return await self._submit(path, {"start": start, "diary": diary}, key)

    async def _submit(self, path: str, body: Mapping[str, Any], key: str | None) -> dict[str, Any]:
        headers = {"Idempotency-Key": key or f"{self._context.rng.getrandbits(64):016x}"}
        return dict(await self._link.ask("POST", path, body, headers))

    async def cancel(self, appointment: str) -> dict[str, Any]:
        """Cancel an appointment as an adviser does. Raises DriverError."""
        self._journal.record(self.name, "diary.cancel", appointment=appointment)
        return dict(await self._link.ask("POST", f"/appointments/{quote(appointment, safe='')}/cancel"))

    async def appointment(self, appointment: str) -> dict[str, Any]:
        """One appointment, with its texts. Raises DriverError."""
        return dict(await self._link.ask("GET", f"/appointments/{quote(appointment, safe='')}"))

    async def tasks(self, *, about: str | None = None) -> list[dict[str, Any]]:
        """Open tasks for advisers, the newest first. Raises DriverError."""
        listed = (await self._link.ask("GET", "/tasks?state=open&limit=500"))["tasks"]
        return [each for each in listed if about in (None, each["about"])]

    async def finish(self, task: str) -> None:
        """An adviser has done a task. Raises DriverError."""
        await self._link.ask("POST", f"/tasks/{quote(task, safe='')}/done")

    async def texts(self, state: str | None = None) -> list[dict[str, Any]]:
        """The newest texts, all or those in one state. Raises DriverError."""
        wanted = "/texts?limit=500" + (f"&state={quote(state)}" if state is not None else "")
        return list((await self._link.ask("GET", wanted))["texts"])

    async def status(self) -> dict[str, Any]:
        """What time it is, whether the gateway is there, and counts. Raises DriverError."""
        return dict(await self._link.ask("GET", "/status"))
