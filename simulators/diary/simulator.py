"""The SMS Diary as a whole: its store, the gateway's use, advisers' tasks, and the interface of advisers' screens."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from harness.endpoints.crm import CrmAdapter
from harness.errors import CrmError, CrmGoneError
from harness.transport.context import Context
from simulators.calendar import epoch_of
from simulators.diary import booking, views
from simulators.diary.advisers import Advisers
from simulators.diary.api import make_app
from simulators.diary.booking import Done, Moving, Wanted
from simulators.diary.desk import Desk, Work, zone_named
from simulators.diary.refusals import RefusedError, RiskError, UnaskedError
from simulators.diary.sender import Sender, Way
from simulators.diary.settings import DiarySettings
from simulators.diary.store import DiaryStore
from simulators.events import Events
from simulators.people import people
from simulators.reach import need_token
from simulators.web import WebServer

T = TypeVar("T")
SEEDED_AT_ONCE: Final = 200
"""Made-up appointments of one transaction."""


class DiarySimulator:
    """One Diary."""

    def __init__(
        self, context: Context, name: str, settings: DiarySettings, epoch: float, crm: CrmAdapter | None
    ) -> None:
        self.name = name
        self.settings = settings
        self.events = Events(context.journal, name)
        self.url = ""
        """Its interface, ``http://host:port``."""
        self._context = context
        self._epoch = epoch
        self._crm = crm
        self._store: DiaryStore
        self._sender: Sender | None = None
        self._advisers: Advisers | None = None
        self._stack = AsyncExitStack()

    @classmethod
    async def start(
        cls,
        context: Context,
        settings: DiarySettings,
        *,
        name: str = "diary",
        virtual: bool,
        way: Way | None = None,
        crm: CrmAdapter | None = None,
        epoch: float | None = None,
    ) -> DiarySimulator:
        """Start it.

        ``way`` opens the gateway; without one texts wait. ``crm`` takes advisers' tasks and knows grades. ``epoch``:
        seconds since 1970 of run time 0, where that is not the run's calendar.

        Raises LocalError when it would listen beyond loopback without a token or its store can't be opened, and
        TransportError when its address can't be bound; nothing stays up then.
        """
        need_token("the SMS Diary", settings.host, settings.token)
        began = epoch_of(context.journal, virtual=virtual) if epoch is None else epoch
        simulator = cls(context, name, settings, began, crm)
        try:
            await simulator._start(way, virtual=virtual)
        except BaseException:
            await simulator._stack.aclose()
            raise
        return simulator

    async def _start(self, way: Way | None, *, virtual: bool) -> None:
        settings = self.settings
        self._store = DiaryStore(settings, self.now, self._happened, virtual=virtual)
        self._stack.callback(self._store.close)
        await self._seed()
        if self._crm is not None:
            self._stack.push_async_callback(self._crm.close)
            self._advisers = Advisers(self._store, self._crm, self._tell)
            self._advisers.start()
            self._stack.push_async_callback(self._advisers.stop)
        if way is not None:
            self._sender = Sender(self._context, self.name, self._store, way, self.now, self._tell)
            self._stack.push_async_callback(self._sender.stop)
            await self._sender.start()
        token = settings.token.get_secret_value() if settings.token is not None else None
        web = WebServer(make_app(self, token), settings.host, settings.port)
        self._stack.push_async_callback(web.stop)
        self.url = f"http://{settings.host}:{await web.start()}"

    async def stop(self) -> None:
        """Serve no more; what is in a store of the settings stays."""
        await self._stack.aclose()

    def now(self) -> float:
        """Seconds since 1970."""
        return self._epoch + self._context.journal.now()

    async def do(self, work: Work[T]) -> T:
        """Do a change, or look something up. Raises RefusedError, DatabaseError."""
        return await self._store.do(work)

    async def book(self, wanted: Wanted, key: str) -> Done:
        """Book a slot, once the record that is named may wait for one. Raises RefusedError, DatabaseError."""
        await self._check_risk(wanted.record)
        return await self.do(lambda desk: booking.book(desk, wanted, key=key))

    async def move(self, moving: Moving, key: str) -> Done:
        """Move an appointment. Raises RefusedError, DatabaseError."""
        record = await self.do(lambda desk: booking.find(desk, moving.appointment).record)
        await self._check_risk(record)
        return await self.do(lambda desk: booking.move(desk, moving, key=key))

    async def _check_risk(self, record: str | None) -> None:
        """Raise RiskError where nobody may wait for an appointment, UnaskedError where that can't be known now."""
        if record is None:
            return
        if self._crm is None:
            raise RiskError(f"{record} can't be looked at: there is no CRM; book without a record, or name a CRM")
        try:
            told = await self._crm.record(record, user="diary", reason="its grade, before an appointment")
        except CrmGoneError as error:
            raise UnaskedError(f"the CRM can't be asked for the grade of {record}: {error}") from error
        except CrmError as error:
            raise RefusedError(f"{record} is not had from the CRM: {error}") from error
        grade = told.get("grade")
        if grade in self.settings.refused_grades:
            raise RiskError(f"{record} is graded {grade}: nobody is to wait for an appointment")
        if grade is None and self.settings.needs_grade:
            raise RiskError(f"{record} has no grade yet: it is graded before an appointment is made")

    async def status(self) -> dict[str, Any]:
        """Counts, and what is there."""
        figures = await self.do(views.figures)
        now = datetime.fromtimestamp(int(self.now()), zone_named(self.settings.zone))
        return {
            "now": now.isoformat(),
            "gateway": None if self._sender is None else self._sender.up,
            "crm": self._crm is not None,
            **figures,
        }

    def _tell(self, kind: str, **data: Any) -> None:
        self._happened(kind, data)

    def _happened(self, kind: str, data: dict[str, Any]) -> None:
        self.events.tell(kind, **data)
        if self._sender is not None:
            self._sender.wake()
        if self._advisers is not None:
            self._advisers.wake()

    async def _seed(self) -> None:
        """Fill a new store with made-up appointments."""
        wanted = self.settings.people
        if not wanted or await self.do(views.any_appointment):
            return
        crowd = people(self.settings.seed)
        for first in range(0, wanted, SEEDED_AT_ONCE):
            those = [next(crowd) for _ in range(min(SEEDED_AT_ONCE, wanted - first))]

            def book_all(desk: Desk, first: int = first, those: Any = those) -> int:
                return _book_all(desk, first, those)

            if await self.do(book_all) < len(those):
                return  # every slot is taken


def _book_all(desk: Desk, first: int, those: list[Any]) -> int:
    """Book people into the next free slots, diary by diary; returns for how many there was one."""
    diaries = desk.settings.diaries
    today = datetime.fromtimestamp(desk.now, desk.zone(diaries[0])).date()
    last = today + timedelta(days=desk.settings.horizon_days)
    each = -(-len(those) // len(diaries))
    room = [(diary.id, start) for diary in diaries for start in booking.free(desk, diary, today, last, each)]
    booked = 0
    for number, (person, (diary_id, start)) in enumerate(zip(those, room, strict=False), first):
        told = datetime.fromtimestamp(start, desk.zone(desk.diary(diary_id))).isoformat()
        wanted = Wanted(diary_id, told, person.telephone, person.name, "made up")
        booking.book(desk, wanted, key=f"made-up:{number}", quiet=True)
        booked += 1
    return booked
