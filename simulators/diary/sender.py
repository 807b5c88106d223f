"""Gives texts to the gateway one after the other, takes reports and replies from it, and has it back when it is lost.

One task does all of it in turn, so that a report never overtakes the note that its text was sent.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from harness.endpoints.sms import IncomingText, TextPort, TextReport
from harness.errors import (
    DatabaseError,
    InterlockError,
    LocalError,
    ModemLocalError,
    ModemUnansweredError,
    SmppLocalError,
    SmppUnansweredError,
    SmsError,
    TransportError,
)
from harness.protocols.gsm.parts import split
from harness.protocols.smpp.codes import MessageState
from harness.transport.context import Context
from simulators.diary import texts
from simulators.diary.answering import answer
from simulators.diary.desk import Work
from simulators.diary.refusals import RefusedError
from simulators.diary.store import DiaryStore
from simulators.diary.tables import TextState
from simulators.diary.tasks import Tell

T = TypeVar("T")
Way = Callable[[], Awaitable[TextPort]]
"""Opens the gateway. Raises TransportError, ModemLocalError or SmppLocalError."""
MAX_COME: Final = 10_000
"""Replies and reports that wait while the store is gone or a text is sent; more are lost, and told so."""
STORE_AGAIN_S: Final = 1.0
"""Seconds between attempts to reach a store that is gone."""
SHORTEST_WAIT_S: Final = 0.001
"""Seconds that the clock goes on before it is looked again what is due."""
STOPS_WITHIN_S: Final = 5.0
"""Seconds within which a text that is with the gateway at the end is still heard of; else it is uncertain."""


class Sender:
    """One gateway's use. Events: ``gateway.up``, ``gateway.lost`` {why}, ``reply.lost`` {why}, ``store.gone`` {why}."""

    def __init__(
        self, context: Context, name: str, store: DiaryStore, way: Way, now: Callable[[], float], tell: Tell
    ) -> None:
        self._context = context
        self._name = name
        self._store = store
        self._way = way
        self._now = now
        self._tell = tell
        self._port: TextPort | None = None
        self._up = False
        self._come: deque[IncomingText | TextReport] = deque()
        self._awake = asyncio.Event()
        self._lost = asyncio.Event()
        self._stopping = False
        self._session = 0
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def up(self) -> bool:
        """Whether the gateway is there."""
        return self._up

    async def start(self) -> None:
        """Settle what an earlier end left, and begin. Raises DatabaseError."""
        self._session = await self._store.do(texts.recover)
        self._tasks = [
            asyncio.create_task(self._hold(), name="gateway"),
            asyncio.create_task(self._work(), name="texts"),
        ]

    def wake(self) -> None:
        """Something may be due now."""
        self._awake.set()

    async def stop(self) -> None:
        """Send no more; a text that is with the gateway is waited for, STOPS_WITHIN_S at most."""
        self._stopping = True
        self._awake.set()
        if self._tasks:
            await asyncio.wait((self._tasks[1],), timeout=STOPS_WITHIN_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._port is not None:
            await self._port.close()

    # The gateway

    async def _hold(self) -> None:
        """Have the gateway, and have it again whenever it is lost."""
        told = False
        while True:
            try:
                if self._port is None:
                    port = await self._way()
                    port.on_text, port.on_report, port.on_lost = self._text, self._report, self._gone
                    self._port = port
                else:
                    await self._port.reopen()
            except (TransportError, ModemLocalError, SmppLocalError) as error:
                if not told:  # once, and not with every attempt
                    self._tell("gateway.lost", why=str(error))
                told = True
                await asyncio.sleep(self._store.settings.texts.reopen_s)
                continue
            told, self._up = False, True
            self._lost.clear()
            self._tell("gateway.up")
            self._awake.set()
            await self._lost.wait()
            await asyncio.sleep(self._store.settings.texts.reopen_s)

    def _gone(self, why: str) -> None:
        if self._up:
            self._up = False
            self._tell("gateway.lost", why=why)
        self._lost.set()

    def _text(self, text: IncomingText) -> None:
        self._came(text)

    def _report(self, report: TextReport) -> None:
        self._came(report)

    def _came(self, what: IncomingText | TextReport) -> None:
        if len(self._come) >= MAX_COME:
            self._tell("reply.lost", why=f"{MAX_COME} replies and reports wait already")
            return
        self._come.append(what)
        self._awake.set()

    # What there is to do

    async def _work(self) -> None:
        while not self._stopping:
            self._awake.clear()
            while self._come and not self._stopping:
                await self._take(self._come[0])
                self._come.popleft()
            session, up = self._session, self._up
            step = await self._kept(_step(session, up=up))
            if step.job is not None:
                await self._send(step.job)
            elif not self._come and not self._stopping:
                await self._until(step.until)

    async def _until(self, until: float | None) -> None:
        """Wait until something happens, or until it is ``until``."""
        try:
            async with asyncio.timeout(None if until is None else max(SHORTEST_WAIT_S, until - self._now())):
                await self._awake.wait()
        except TimeoutError:
            pass

    async def _take(self, what: IncomingText | TextReport) -> None:
        try:
            if isinstance(what, IncomingText):
                await self._kept(lambda desk: answer(desk, what.sender, what.text))
                return
            delivered = what.state is MessageState.DELIVERED
            await self._kept(
                lambda desk: texts.reported(
                    desk, self._session, what.reference, what.to, delivered=delivered, state=what.state.name
                )
            )
        except RefusedError as error:
            self._tell("reply.lost", why=str(error))

    async def _send(self, job: texts.Job) -> None:
        port = self._port
        assert port is not None, "a text is marked for sending while the gateway is up"
        outcome: Work[None]
        try:
            parts = len(split(job.body, 0))
            sent = await port.send(job.telephone, job.body, validity_s=job.validity_s)
            outcome = _sent(job, sent.reference)
        except (InterlockError, SmsError) as error:
            outcome = _settled(job, TextState.FAILED, error)
        except (ModemUnansweredError, SmppUnansweredError) as error:
            outcome = _settled(job, TextState.UNCERTAIN, error)
        except (ModemLocalError, SmppLocalError, TransportError) as error:
            # Of several parts the first may have gone before the one that was refused.
            outcome = _settled(job, TextState.UNCERTAIN, error) if parts > 1 else _refused(job, error, counts=self._up)
        try:
            await self._kept(outcome)
        except RefusedError as error:
            self._tell("text.untold", text=texts.name_of(job.id), why=str(error))

    async def _kept(self, work: Work[T]) -> T:
        """Do a change, however long the store is gone."""
        told = False
        while True:
            try:
                return await self._store.do(work)
            except DatabaseError as error:
                if not told:
                    self._tell("store.gone", why=str(error))
                told = True
                await asyncio.sleep(STORE_AGAIN_S)


def _step(session: int, *, up: bool) -> Work[texts.Step]:
    return lambda desk: texts.step(desk, session, up=up)


def _sent(job: texts.Job, reference: str) -> Work[None]:
    return lambda desk: texts.sent(desk, job.id, reference)


def _settled(job: texts.Job, state: TextState, error: LocalError | SmsError) -> Work[None]:
    why = str(error)
    return lambda desk: texts.settle(desk, job.id, state, why)


def _refused(job: texts.Job, error: LocalError, *, counts: bool) -> Work[None]:
    why = str(error)
    return lambda desk: texts.not_sent(desk, job.id, why, counts=counts)
