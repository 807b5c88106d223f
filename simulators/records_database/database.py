"""The database itself: takes each check once, answers it after a while, and keeps who asked what, when and why."""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from harness.errors import LocalError
from simulators.records_database.settings import PersonRecord, RecordsSettings, VehicleRecord

CHECKS_KEPT: Final = 10_000
"""Checks that are remembered, with the audit of them; beyond it the oldest goes."""


class Fault(StrEnum):
    """What is wrong with it."""

    ERRORS = "errors"
    """Every request is answered 503."""
    SILENT = "silent"
    """Checks are accepted and never answered."""
    LOSES_ANSWERS = "loses_answers"
    """A check is accepted the first time that it is sent, and that is lost on the way."""


class UnknownCheckError(LocalError):
    """There is no such check."""


@dataclass(slots=True)
class Kept:
    """One check, as the audit has it."""

    reference: str
    time: float
    """Run time at which it came, seconds."""
    kind: str
    subject: dict[str, str]
    reason: str
    by: str
    incident: str
    element: str
    due: float
    """Run time from which it is answered."""
    asked: int = 1
    """How often it was sent."""

    def shown(self) -> dict[str, Any]:
        """Return it as the audit shows it."""
        return {key: value for key, value in asdict(self).items() if key != "due"}


class Database:
    """People, vehicles, and the checks of them."""

    def __init__(self, settings: RecordsSettings, rng: random.Random, now: Callable[[], float]) -> None:
        self._settings = settings
        self._rng = rng
        self._now = now
        self._people = {_plain(person.name): person for person in settings.people}
        self._vehicles = {_plain(vehicle.registration): vehicle for vehicle in settings.vehicles}
        self._checks: OrderedDict[str, Kept] = OrderedDict()
        self._by_key: dict[str, str] = {}
        self._count = 0
        self.fault: Fault | None = None

    def take(
        self, key: str, kind: str, subject: dict[str, str], *, reason: str, by: str, incident: str, element: str
    ) -> tuple[Kept, bool]:
        """Take a check, and say whether it is a new one; one with a key that was had before is that one."""
        known = self._by_key.get(key)
        if known is not None and known in self._checks:
            kept = self._checks[known]
            kept.asked += 1
            return kept, False
        self._count += 1
        now = self._now()
        due = now + self._rng.uniform(self._settings.answer_s.least, self._settings.answer_s.most)
        reference = f"RD-{self._count:06d}"
        kept = Kept(reference, now, kind, dict(subject), reason, by, incident, element, due)
        self._checks[kept.reference] = kept
        self._by_key[key] = kept.reference
        if len(self._checks) > CHECKS_KEPT:
            gone, _ = self._checks.popitem(last=False)
            self._by_key = {each: reference for each, reference in self._by_key.items() if reference != gone}
        return kept, True

    def answer(self, reference: str) -> dict[str, Any]:
        """What has become of a check. Raises UnknownCheckError."""
        kept = self._checks.get(reference)
        if kept is None:
            raise UnknownCheckError(f"there is no check {reference!r}")
        if self.fault is Fault.SILENT or self._now() < kept.due:
            return {"reference": reference, "status": "pending"}
        lines = self._found(kept)
        outcome = "no_trace" if lines is None else "trace"
        return {"reference": reference, "status": "answered", "outcome": outcome, "lines": lines or []}

    def audit(self) -> list[dict[str, Any]]:
        """Every check, oldest first: who asked what, when and why."""
        return [kept.shown() for kept in self._checks.values()]

    def _found(self, kept: Kept) -> list[str] | None:
        if kept.kind == "vehicle":
            vehicle = self._vehicles.get(_plain(kept.subject.get("registration", "")))
            return None if vehicle is None else _vehicle_lines(vehicle)
        person = self._people.get(_plain(kept.subject.get("name", "")))
        if person is None or kept.subject.get("born", person.born) != person.born:
            return None
        return _person_lines(person)


def _plain(text: str) -> str:
    """As names and marks are compared: however they are spaced and written."""
    return "".join(text.split()).casefold()


def _person_lines(person: PersonRecord) -> list[str]:
    return [f"{person.name}, born {person.born}", *person.markers]


def _vehicle_lines(vehicle: VehicleRecord) -> list[str]:
    return [f"{vehicle.registration}: {vehicle.description}", *vehicle.markers]
