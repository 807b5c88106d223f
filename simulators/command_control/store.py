"""What the simulator knows, in one SQLite file: incidents, their logs, units, news, and the keys of all it was told.

An entry's key is kept in the commit that acts on it, so that an entry told again, whenever and by whomever, is
answered as it was the first time and does nothing.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from harness.errors import CommandControlError, EidoError
from harness.protocols.eido import Eido, read
from simulators.command_control.settings import UnitSettings

MAX_INCIDENTS: Final = 200_000
MAX_LINES: Final = 2_000
"""Lines of one incident's log."""
MAX_NEWS: Final = 500
"""News of one answer."""
NEWS_KEPT: Final = 50_000
BY_RADIO: Final = "issi:"
"""What a unit's name begins with where the control room knows its radio on TETRA only; one on ESN has its MCPTT ID."""

_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS applied (
    key TEXT PRIMARY KEY, origin TEXT NOT NULL, number INTEGER NOT NULL, answer TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS applied_by_origin ON applied (origin, number);
CREATE TABLE IF NOT EXISTS incidents (
    id TEXT PRIMARY KEY, reference TEXT NOT NULL, title TEXT NOT NULL, owner TEXT NOT NULL, state TEXT NOT NULL,
    telephone TEXT, source TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS lines (number INTEGER PRIMARY KEY AUTOINCREMENT, incident TEXT NOT NULL, by TEXT NOT NULL,
    text TEXT NOT NULL, at TEXT);
CREATE INDEX IF NOT EXISTS lines_by_incident ON lines (incident);
CREATE TABLE IF NOT EXISTS units (call_sign TEXT PRIMARY KEY, issi INTEGER, state TEXT NOT NULL, source TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS mcptt_users (call_sign TEXT PRIMARY KEY, mcptt_id TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS news (cursor INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, about TEXT NOT NULL,
    data TEXT NOT NULL);
"""
_UNITS: Final = "SELECT call_sign, issi, mcptt_id, state, source FROM units LEFT JOIN mcptt_users USING (call_sign)"


@dataclass(frozen=True, slots=True)
class Message:
    """An entry as a control room tells it."""

    key: str
    kind: str
    about: str
    body: dict[str, Any]
    """An EIDO."""

    @property
    def origin(self) -> tuple[str, int]:
        """Who keeps it, and its number there; number 0 where the key does not say."""
        origin, _, number = self.key.rpartition(":")
        return (origin, int(number)) if number.isascii() and number.isdigit() and len(number) < 19 else (self.key, 0)


@dataclass(frozen=True, slots=True)
class Answer:
    """What becomes of it."""

    status: str
    """``accepted``, ``duplicate`` or ``rejected``."""
    reference: str = ""
    reason: str = ""


class RefusedError(CommandControlError):
    """A message that can't be acted on, now or ever."""


class Store:
    """The file."""

    def __init__(
        self,
        path: Path | str,
        units: Sequence[UnitSettings],
        told: Callable[[Message, Answer], None] = lambda _message, _answer: None,
    ) -> None:
        """Open it, made where it is not there; ``told`` is given each message and its answer, once they are on disk.

        Raises CommandControlError.
        """
        self._told = told
        try:
            self._file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._file.execute("PRAGMA journal_mode=WAL")
            self._file.execute("PRAGMA synchronous=FULL")
            self._file.executescript(_SCHEMA)
            with self._all_or_nothing():
                self._file.executemany(
                    "INSERT OR IGNORE INTO units VALUES (?,?,?,'')",
                    [(unit.call_sign, unit.issi, unit.state) for unit in units],
                )
                self._file.executemany(
                    "INSERT OR IGNORE INTO mcptt_users VALUES (?,?)",
                    [(unit.call_sign, unit.mcptt_id) for unit in units if unit.mcptt_id is not None],
                )
        except sqlite3.Error as error:
            raise CommandControlError(f"{path}: no file of a command-and-control simulator: {error}") from error

    def close(self) -> None:
        self._file.close()

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        self._file.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._file.execute("COMMIT")
        except BaseException:
            if self._file.in_transaction:
                self._file.execute("ROLLBACK")
            raise

    # What control rooms tell

    def take(self, messages: Sequence[Message]) -> list[Answer]:
        """Act on messages in one commit, each as if it came alone.

        Raises sqlite3.Error where the disk takes no more: nothing is done then.
        """
        with self._all_or_nothing():
            answers = [self._take(message) for message in messages]
        for message, answer in zip(messages, answers, strict=True):
            self._told(message, answer)
        return answers

    def _take(self, message: Message) -> Answer:
        row = self._file.execute("SELECT answer FROM applied WHERE key=?", (message.key,)).fetchone()
        if row is not None:
            before = json.loads(row[0])
            return Answer("rejected" if before["reason"] else "duplicate", before["reference"], before["reason"])
        self._file.execute("SAVEPOINT one")
        try:
            answer = Answer("accepted", self._act(message, read(message.body)))
        except (RefusedError, EidoError) as error:
            self._file.execute("ROLLBACK TO one")  # what is rejected has done nothing, its part of a log neither
            answer = Answer("rejected", reason=str(error))
        self._file.execute("RELEASE one")
        origin, number = message.origin
        self._file.execute(
            "INSERT INTO applied VALUES (?,?,?,?)",
            (message.key, origin, number, json.dumps({"reference": answer.reference, "reason": answer.reason})),
        )
        return answer

    def _act(self, message: Message, eido: Eido) -> str:
        """Do what a message says and return the incident's reference. Raises RefusedError."""
        about = message.about
        if message.kind == "unit.state":
            return self._unit(about, eido)
        if message.kind == "incident.opened":
            return self._open(about, eido)
        row = self._file.execute("SELECT reference, state FROM incidents WHERE id=?", (about,)).fetchone()
        if row is None:
            raise RefusedError(f"no incident {about!r}")
        reference, state = str(row[0]), str(row[1])
        if state == "closed":
            raise RefusedError(f"incident {about!r} is closed")
        self._write_down(about, eido)
        incident = eido.incident_component
        match message.kind:
            case "incident.noted":
                pass
            case "incident.handed_over":
                self._change(about, owner=_owner(eido))
            case "incident.closed":
                self._change(about, state="closed")
            case "incident.transferred":
                to = incident.beat_or_dispatch_group_text if incident is not None else None
                if not to:
                    raise RefusedError("a transfer says to which force (beatOrDispatchGroupText)")
                self._change(about, state="transferred", owner=to)
            case other:
                raise RefusedError(f"messages {other!r} are not known")
        return reference

    def _open(self, id_: str, eido: Eido) -> str:
        incident = eido.incident_component
        if incident is None:
            raise RefusedError("an incident that is opened has an incidentComponent")
        [(count,)] = self._file.execute("SELECT COALESCE(MAX(rowid), 0) FROM incidents")  # none is ever deleted
        if count >= MAX_INCIDENTS:
            raise RefusedError(f"{MAX_INCIDENTS} incidents are kept, and no more")
        reference = f"CC-{count + 1:06d}"
        telephones = [uri for each in eido.callback_component for uri in each.call_back_information_uri]
        try:
            self._file.execute(
                "INSERT INTO incidents VALUES (?,?,?,?,'open',?,?)",
                (
                    id_,
                    reference,
                    incident.incident_type_internal_text or incident.incident_type_common_registry_text,
                    _owner(eido),
                    telephones[0] if telephones else None,
                    json.dumps(eido.written()),
                ),
            )
        except sqlite3.IntegrityError:
            raise RefusedError(f"there is an incident {id_!r} already") from None
        self._write_down(id_, eido)
        self._tell("incident.updated", id_, {"state": "open", "reference": reference})
        return reference

    def _unit(self, call_sign: str, eido: Eido) -> str:
        if not eido.emergency_resource_component:
            raise RefusedError("a unit's state needs an emergencyResourceComponent")
        state = eido.emergency_resource_component[0].primary_unit_status_registry_text
        call_sign = self.unit(call_sign)["call_sign"]
        self._file.execute("UPDATE units SET state=?, source='radio' WHERE call_sign=?", (state, call_sign))
        return ""

    def _change(self, id_: str, **fields: str) -> None:
        for name, value in fields.items():
            self._file.execute(f"UPDATE incidents SET {name}=? WHERE id=?", (value, id_))  # noqa: S608 - our own names

    def _write_down(self, id_: str, eido: Eido) -> None:
        [(count,)] = self._file.execute("SELECT COUNT(*) FROM lines WHERE incident=?", (id_,))
        if count + len(eido.notes_component) > MAX_LINES:
            raise RefusedError(f"the log of {id_!r} is full at {MAX_LINES} lines")
        self._file.executemany(
            "INSERT INTO lines (incident, by, text, at) VALUES (?,?,?,?)",
            [
                (id_, _owner(eido), note.notes_action_comments, note.last_update_time_stamp)
                for note in eido.notes_component
            ],
        )

    # What it tells them

    def _tell(self, kind: str, about: str, data: dict[str, Any]) -> None:
        cursor = self._file.execute(
            "INSERT INTO news (kind, about, data) VALUES (?,?,?)", (kind, about, json.dumps(data))
        ).lastrowid
        self._file.execute("DELETE FROM news WHERE cursor <= ?", ((cursor or 0) - NEWS_KEPT,))

    def news(self, after: int) -> list[tuple[int, str, str, dict[str, Any]]]:
        """News after a cursor, oldest first, at most MAX_NEWS: cursor, kind, about, data."""
        rows = self._file.execute(
            "SELECT cursor, kind, about, data FROM news WHERE cursor > ? ORDER BY cursor LIMIT ?", (after, MAX_NEWS)
        )
        return [(cursor, kind, about, json.loads(data)) for cursor, kind, about, data in rows]

    # What its own operator does and sees

    def set_unit(self, call_sign: str, state: str) -> None:
        """Change a unit's state at command and control itself; control rooms are told. Raises RefusedError."""
        with self._all_or_nothing():
            row = self._file.execute(f"{_UNITS} WHERE call_sign=?", (call_sign,)).fetchone()
            if row is None:
                raise RefusedError(f"no unit {call_sign!r}")
            unit = _unit(row)
            self._file.execute("UPDATE units SET state=?, source='operator' WHERE call_sign=?", (state, call_sign))
            self._tell("unit.state", call_sign, {"state": state, "issi": unit["issi"], "mcptt_id": unit["mcptt_id"]})

    def write(self, id_: str, text: str, by: str) -> None:
        """Add a line to a log at command and control itself; control rooms are told. Raises RefusedError."""
        with self._all_or_nothing():
            if self._file.execute("SELECT 1 FROM incidents WHERE id=?", (id_,)).fetchone() is None:
                raise RefusedError(f"no incident {id_!r}")
            self._file.execute("INSERT INTO lines (incident, by, text) VALUES (?,?,?)", (id_, by, text))
            self._tell("incident.noted", id_, {"text": text, "by": by})

    def units(self) -> list[dict[str, Any]]:
        return [_unit(row) for row in self._file.execute(f"{_UNITS} ORDER BY call_sign")]

    def unit(self, about: str) -> dict[str, Any]:
        """The unit that a control room calls so: by its call sign or its radio. Raises RefusedError."""
        wanted = (about, about, about.removeprefix(BY_RADIO) if about.startswith(BY_RADIO) else None)
        where = "WHERE call_sign=? OR mcptt_id=? OR CAST(issi AS TEXT)=? LIMIT 1"
        row = self._file.execute(f"{_UNITS} {where}", wanted).fetchone()
        if row is None:
            raise RefusedError(f"no unit {about!r}")
        return _unit(row)

    def incident(self, id_: str) -> dict[str, Any]:
        """One incident with its log. Raises RefusedError."""
        row = self._file.execute("SELECT * FROM incidents WHERE id=?", (id_,)).fetchone()
        if row is None:
            raise RefusedError(f"no incident {id_!r}")
        lines = self._file.execute("SELECT by, text, at FROM lines WHERE incident=? ORDER BY number", (id_,))
        shown = dict(zip(("id", "reference", "title", "owner", "state", "telephone", "source"), row, strict=True))
        shown["source"] = json.loads(shown["source"])
        return {**shown, "log": [{"by": by, "text": text, "at": at} for by, text, at in lines]}

    def incidents(self, limit: int = 500) -> list[dict[str, Any]]:
        """The newest incidents, oldest of them first, without their logs."""
        rows = self._file.execute(
            "SELECT id, reference, title, owner, state FROM incidents ORDER BY rowid DESC LIMIT ?", (limit,)
        ).fetchall()
        return [dict(zip(("id", "reference", "title", "owner", "state"), row, strict=True)) for row in reversed(rows)]

    def told(self, origin: str) -> list[int]:
        """The numbers of all entries of an origin, in the order in which they were acted on."""
        rows = self._file.execute("SELECT number FROM applied WHERE origin=? ORDER BY rowid", (origin,))
        return [int(number) for (number,) in rows]

    def figures(self) -> dict[str, Any]:
        """Counts, and for each origin how many entries came, the last number, and how many below it never came."""
        origins = {
            origin: {"entries": count, "last": last, "missing": last - count if last else 0}
            for origin, count, last in self._file.execute(
                "SELECT origin, COUNT(*), MAX(number) FROM applied GROUP BY origin ORDER BY origin"
            )
        }
        [(incidents,)] = self._file.execute("SELECT COUNT(*) FROM incidents")
        return {"incidents": incidents, "origins": origins}


def _unit(row: tuple[Any, ...]) -> dict[str, Any]:
    return dict(zip(("call_sign", "issi", "mcptt_id", "state", "source"), row, strict=True))


def _owner(eido: Eido) -> str:
    return eido.agent_component[0].id if eido.agent_component else eido.issuing_element_identification
