"""The workforce management simulator as a whole: its store, its ways in, what it reckons, and its interface."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from harness.errors import DatabaseError
from harness.transport.context import Context
from simulators.calendar import epoch_of
from simulators.database import Database
from simulators.events import Events
from simulators.reach import need_token
from simulators.web import WebServer
from simulators.workforce import store
from simulators.workforce.api import make_app
from simulators.workforce.calendar import Days
from simulators.workforce.history import made_up
from simulators.workforce.intake import Clock, Intake, Source, SourceError
from simulators.workforce.planning import Planning
from simulators.workforce.settings import WorkforceSettings
from simulators.workforce.tables import Tables


class WorkforceSimulator:
    """One workforce management system."""

    def __init__(
        self, context: Context, name: str, settings: WorkforceSettings, source: Source | None, *, virtual: bool
    ) -> None:
        self.name = name
        self._context = context
        self._settings = settings
        self._source = source
        self._virtual = virtual
        self._stack = AsyncExitStack()
        self._clock = Clock(epoch_of(context.journal, virtual=virtual), context.journal.now, settings.late_after_s)
        self._problem: str | None = None
        self.events = Events(context.journal, name)
        self.planning = Planning(settings, Days(settings.zone))
        self.database: Database
        self.intake: Intake
        self.http_url = ""
        """Where its interface is, ``http://host:port``."""

    @classmethod
    async def start(
        cls,
        context: Context,
        settings: WorkforceSettings,
        *,
        name: str = "workforce",
        source: Source | None = None,
        virtual: bool,
    ) -> WorkforceSimulator:
        """Start it; ``source`` is the ICCS whose feeds it has by REST.

        Raises LocalError when it would listen beyond loopback without a token, for a zone that is not there or a store
        that can't be opened, and TransportError when its address can't be bound; nothing stays up then.
        """
        need_token("workforce management", settings.host, settings.token)
        simulator = cls(context, name, settings, source, virtual=virtual)
        try:
            await simulator._start()
        except BaseException:
            await simulator._stack.aclose()
            raise
        return simulator

    async def _start(self) -> None:
        settings = self._settings
        self.database = Database.open(settings.store, Tables.metadata, whose="workforce", virtual=self._virtual)
        self._stack.callback(self.database.close)
        self.intake = Intake(self.database, self.events, self._source, self._clock)
        self._stack.push_async_callback(self.intake.close)
        await self._lay_out()
        token = settings.token.get_secret_value() if settings.token is not None else None
        web = WebServer(make_app(self, token), settings.host, settings.http_port)
        self._stack.push_async_callback(web.stop)
        self.http_url = f"http://{settings.host}:{await web.start()}"
        if self._source is not None or settings.folder is not None:
            looking = asyncio.create_task(self._keep_looking())
            self._stack.push_async_callback(_end, looking)

    async def _lay_out(self) -> None:
        """Put in what the settings tell of advisers, and made-up history where there is none."""

        def train(session: Session) -> None:
            for adviser in self._settings.advisers:
                for skill, lapses in adviser.training.items():
                    store.train(session, adviser.id, skill, lapses.isoformat(), anew=False)

        await self.database.run(train)
        today = self.planning.days.day_of(self.now())
        for queue, told in self._settings.history.items():
            if queue not in await self.database.run(store.queues):
                seed = self._context.rng.getrandbits(32)
                rows = list(made_up(seed, queue, told, today, self.planning.days))
                await self.database.run(partial(store.lay_out, rows=rows))

    async def stop(self) -> None:
        """Serve and ask no more; what was stored in a file of the settings stays."""
        await self._stack.aclose()

    def now(self) -> float:
        """Seconds since 1970."""
        return self._clock.now()

    def status(self, kept: dict[str, Any]) -> dict[str, Any]:
        """What is kept, where from, and what went wrong last."""
        folder = self._settings.folder
        return {
            "kept": kept,
            "rest": None if self._source is None else self._source.url,
            "folder": None if folder is None else str(folder),
            "problem": self._problem,
        }

    async def look(self) -> list[dict[str, Any]]:
        """Have what is new of every feed now. Raises SourceError."""
        outcomes = await self.intake.pull()
        if self._settings.folder is not None:
            outcomes += await self.intake.look(self._settings.folder)
        return [outcome.shown() for outcome in outcomes]

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(self._settings.every_s)
            problem = None
            try:
                await self.look()
            except (SourceError, DatabaseError) as error:
                problem = str(error)
            if problem != self._problem:
                self._problem = problem
                self.events.tell("feed.lost" if problem else "feed.back", reason=problem)


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
