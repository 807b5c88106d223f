"""The driver of workforce management: what a suite asks of it, and how our simulator's interface is asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final, Literal, Protocol
from urllib.parse import quote

import httpx

from harness.errors import DriverError
from harness.protocols import times
from harness.transport.context import Context
from harness.transport.https import http_client
from harness.workforce.adherence import Activity, Span

ENTRY_POINTS: Final = "iccs.workforce"
"""Where a vendor's adapter is found: a callable ``(context, name, *, url, token)`` that returns a `WorkforceSystem`."""
ANSWERS_WITHIN: Final = 60.0
"""Seconds within which a file of 100,000 rows is taken, and anything else answered."""
SHOWN: Final = 1_000
"""Bad lines of a file of which the journal has a count alone."""


class WorkforceSystem(Protocol):
    """What a suite asks of workforce management; a vendor's adapter implements it. Moments: seconds since 1970.

    All raise DriverError, telling what the system said.
    """

    name: str

    async def take_file(self, name: str, text: str) -> dict[str, Any]:
        """Bring it a file of a feed; return ``new``, ``repeated``, ``corrected``, ``bad``, ``findings``."""

    async def pull(self) -> None:
        """Let it have what is new of its feeds now."""

    async def gaps(self, since: float, until: float) -> dict[str, Any]:
        """Return which quarters are missing and late: ``intervals`` and ``late`` by queue, ``states``."""

    async def intervals(self, queue: str, since: float, until: float) -> list[dict[str, Any]]:
        """Return what it has of a queue, by quarters of an hour."""

    async def forecast(self, queue: str, day: date) -> dict[str, Any]:
        """Return a day's forecast."""

    async def accuracy(self, queue: str, day: date) -> dict[str, Any]:
        """Return a forecast's error, per cent (``wape``, ``mape``, ``by_chance``), and what is ``missing``."""

    async def staffing(self, queue: str, day: date) -> dict[str, Any]:
        """Return how many each quarter of a day needs."""

    async def schedule(self, adviser: str, day: date, spans: Sequence[tuple[float, float, Activity]]) -> None:
        """Put a day's schedule in place: start, end, what is to be done."""

    async def states(self, adviser: str, since: float, until: float) -> list[Span]:
        """Return what an adviser did, as the system has it."""

    async def adherence(self, since: float, until: float) -> dict[str, Any]:
        """Return how each adviser, and all, kept to the schedule; per cent."""

    async def advisers(
        self, *, skill: str | None = None, state: Literal["lapsed", "current"] | None = None
    ) -> list[dict[str, Any]]:
        """Return advisers and their training."""

    async def close(self) -> None:
        """Ask no more; again does nothing."""


class Workforce:
    """Our own interface (docs/workforce.md). The journal has counts and ids."""

    def __init__(self, context: Context, name: str, http: httpx.AsyncClient) -> None:
        self.name = name
        self._journal = context.journal
        self._http = http

    @classmethod
    def open(cls, context: Context, name: str, *, url: str, token: str | None = None) -> Workforce:
        """Look at the system whose interface is ``url`` (``http://host:port``)."""
        return cls(context, name, http_client(f"{url}/v1", timeout=ANSWERS_WITHIN, token=token))

    async def close(self) -> None:
        """Ask no more; again does nothing."""
        await self._http.aclose()

    async def take_file(self, name: str, text: str) -> dict[str, Any]:
        """As `WorkforceSystem`."""
        headers = {"Content-Type": "text/csv"}
        done = await self._ask("POST", "/imports", params={"file": name}, content=text.encode(), headers=headers)
        counts = {key: done[key] for key in ("kind", "new", "repeated", "corrected", "bad")}
        self._journal.record(self.name, "workforce.file_taken", file=name, **counts)
        return dict(done)

    async def pull(self) -> None:
        """As `WorkforceSystem`."""
        self._journal.record(self.name, "workforce.pull")
        await self._ask("POST", "/pulls")

    async def status(self) -> dict[str, Any]:
        """What a simulator keeps, and what went wrong last."""
        return dict(await self._ask("GET", "/status"))

    async def findings(self) -> list[dict[str, Any]]:
        """What a simulator could not use of files, the newest first."""
        return list(await self._ask("GET", "/findings", params={"limit": str(SHOWN)}))

    async def gaps(self, since: float, until: float) -> dict[str, Any]:
        """As `WorkforceSystem`."""
        return dict(await self._ask("GET", "/gaps", params=_window(since, until)))

    async def intervals(self, queue: str, since: float, until: float) -> list[dict[str, Any]]:
        """As `WorkforceSystem`."""
        return list(await self._ask("GET", f"/intervals/{_part(queue)}", params=_window(since, until)))

    async def forecast(self, queue: str, day: date) -> dict[str, Any]:
        """As `WorkforceSystem`."""
        return dict(await self._ask("GET", f"/forecasts/{_part(queue)}/{day}"))

    async def accuracy(self, queue: str, day: date) -> dict[str, Any]:
        """As `WorkforceSystem`."""
        return dict(await self._ask("GET", f"/forecasts/{_part(queue)}/{day}/accuracy"))

    async def staffing(self, queue: str, day: date) -> dict[str, Any]:
        """As `WorkforceSystem`."""
        return dict(await self._ask("GET", f"/staffing/{_part(queue)}/{day}"))

    async def schedule(self, adviser: str, day: date, spans: Sequence[tuple[float, float, Activity]]) -> None:
        """As `WorkforceSystem`."""
        self._journal.record(self.name, "workforce.schedule", adviser=adviser, day=day.isoformat(), spans=len(spans))
        told = [
            {"start": times.to_iso(start), "end": times.to_iso(end), "activity": activity}
            for start, end, activity in spans
        ]
        await self._ask("PUT", f"/advisers/{_part(adviser)}/schedule/{day}", json={"spans": told})

    async def train(self, adviser: str, skill: str, lapses: date) -> None:
        """Note the last day on which a training holds."""
        self._journal.record(self.name, "workforce.train", adviser=adviser, skill=skill, lapses=lapses.isoformat())
        path = f"/advisers/{_part(adviser)}/training/{_part(skill)}"
        await self._ask("PUT", path, json={"lapses": lapses.isoformat()})

    async def states(self, adviser: str, since: float, until: float) -> list[Span]:
        """As `WorkforceSystem`."""
        shown = await self._ask("GET", f"/advisers/{_part(adviser)}/states", params=_window(since, until))
        return [Span(_ms(each["start"]), _ms(each["end"]), str(each["state"])) for each in shown["states"]]

    async def adherence(self, since: float, until: float) -> dict[str, Any]:
        """As `WorkforceSystem`."""
        return dict(await self._ask("GET", "/adherence", params=_window(since, until)))

    async def advisers(
        self, *, skill: str | None = None, state: Literal["lapsed", "current"] | None = None
    ) -> list[dict[str, Any]]:
        """As `WorkforceSystem`."""
        wanted = {key: value for key, value in (("skill", skill), ("state", state)) if value is not None}
        return list(await self._ask("GET", "/advisers", params=wanted))

    async def _ask(self, method: str, path: str, **more: Any) -> Any:
        try:
            answer = await self._http.request(method, path, **more)
            said = answer.json()
        except httpx.HTTPError as error:
            raise DriverError(f"{self.name}: no answer to {method} {path}: {type(error).__name__} {error}") from error
        except ValueError:
            raise DriverError(f"{self.name}: {path} was answered with no JSON: {answer.text[:200]}") from None
        if answer.is_error:
            detail = said.get("detail") if isinstance(said, dict) else said
            raise DriverError(f"{self.name}: {method} {path} was refused with {answer.status_code}: {detail}")
        return said


def _window(since: float, until: float) -> dict[str, str]:
    return {"since": times.to_iso(since), "until": times.to_iso(until)}


def _part(name: str) -> str:
    return quote(name, safe="")


def _ms(moment: str) -> int:
    return round(times.from_iso(moment) * 1000)
