"""An operator position that a tester works: the harness says what is to be done and asks what is shown.

Theory. Each act is told at the tester's terminal. What the harness sees on its own wires confirms it where it can (a
call that is answered, a radio that shows who talks); else the tester does, by Enter. How long it took is journalled.
What was answered goes into a record file line by line, so that a test that was broken off goes on from there: acts that
are in the file are not asked for again, as long as the test asks for the same ones in the same order.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from harness.drivers.adapted_console import AdaptedConsole
from harness.drivers.console import PermitRadio
from harness.drivers.console_calls import PermitDial
from harness.drivers.tester import ASKED_WITHIN_S, Terminal, Watching
from harness.drivers.waiting import first_that
from harness.endpoints.media import MediaService
from harness.errors import DriverError, ExpectationError
from harness.journal import Event
from harness.transport.context import Context

MAX_RECORD: Final = 1024 * 1024
"""Bytes of a record file that is read again."""
WIRE: Final[Mapping[str, tuple[str, ...]]] = {
    "answer": ("call.answered",),
    "clear": ("call.ended",),
    "key": ("talker.shown",),
    "unkey": ("talker.ended",),
}
"""By which events of others the harness sees that an act was done."""
GIVES: Final[Mapping[str, str]] = {"open_incident": "id", "patch": "patch"}
"""Acts that give a name, which the tester reads from the console."""
_CALLS: Final = ("answer", "dial", "hold", "resume", "consult", "transfer", "conference")


class StoppedError(DriverError):
    """The tester breaks the test off, to go on another time."""


class Record:
    """The file of what was answered."""

    def __init__(self, name: str, path: Path | None) -> None:
        self._name = name
        self._path = path
        self.before = self._read() if path is not None else []
        """What was answered before the test was broken off, still to be asked for."""

    def _read(self) -> list[dict[str, Any]]:
        assert self._path is not None
        if not self._path.exists():
            return []
        text = self._path.read_text(encoding="utf-8")[:MAX_RECORD]
        found: list[dict[str, Any]] = []
        for number, line in enumerate(text.splitlines(), 1):
            try:
                entry = json.loads(line)
                fits = {"ended"} == set(entry) or ({"asked", "gave"} == set(entry) and isinstance(entry["gave"], dict))
            except (ValueError, TypeError):
                fits = False
            if not fits:
                raise DriverError(f"{self._path}:{number}: found {line[:60]!r}; a line of a tester's record is due")
            found = [] if "ended" in entry else [*found, entry]
        return found

    def again(self, asked: str) -> dict[str, Any] | None:
        """What was answered to this before; None where it is to be asked. Raises DriverError where another is due."""
        if not self.before:
            return None
        entry = self.before.pop(0)
        if entry["asked"] != asked:
            raise DriverError(
                f"{self._name}: {self._path} goes on with {entry['asked']!r}, and the test asks {asked!r}: "
                "take the file away to begin anew"
            )
        gave: dict[str, Any] = entry["gave"]
        return gave

    def add(self, entry: Mapping[str, Any]) -> None:
        """Write a line at once: nothing of it is lost by what comes next."""
        if self._path is not None:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry, ensure_ascii=False) + "\n")


class ManualConsole(AdaptedConsole):
    """A console that a tester works.

    Events beside the console's: ``tester.asked`` {what}, ``tester.done`` {what, took_s, by: tester, wire or record},
    ``tester.said_no`` {what, reason}.
    """

    def __init__(
        self,
        context: Context,
        media: MediaService,
        name: str,
        position: str,
        *,
        terminal: Path,
        watching: Watching,
        record: Path | None,
        permit_dial: PermitDial,
        permit_radio: PermitRadio,
    ) -> None:
        super().__init__(context, media, name, position, permit_dial=permit_dial, permit_radio=permit_radio)
        self._record = Record(name, record)
        self._terminal = Terminal(name, terminal, watching)
        self._calls = 0
        self._ringing: list[tuple[str, str]] = []
        """Call and queue of what was said to ring, oldest first."""
        self._stopped = False
        self._open = True

    @classmethod
    async def open_seat(
        cls,
        context: Context,
        media: MediaService,
        name: str,
        *,
        position: str,
        audio: str,
        terminal: Path,
        watching: Watching,
        record: Path | None,
        permit_dial: PermitDial,
        permit_radio: PermitRadio,
    ) -> ManualConsole:
        """Ask the tester to log in at ``position``. ``audio``: the headset's lead; ``rtp`` for none.

        Raises DriverError where there is no terminal, or the tester can't log in.
        """
        console = cls(
            context,
            media,
            name,
            position,
            terminal=terminal,
            watching=watching,
            record=record,
            permit_dial=permit_dial,
            permit_radio=permit_radio,
        )
        try:
            if console._record.before:
                console._terminal.tell(
                    f"Going on where it was broken off: {len(console._record.before)} acts are done."
                )
            await console.log_in(None if audio == "rtp" else audio)
        except BaseException:
            await console.close()
            raise
        return console

    async def act(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Have the tester do it. Raises DriverError for "no"."""
        told = " ".join(f"{key}={value}" for key, value in given.items() if value not in (None, [], ""))
        asked = f"{name.replace('_', ' ')} {told}".strip()
        gave = await self._done(asked, name)
        if name in _CALLS:
            gave = {"call": self._call_of(name, given), **gave}
        return gave

    def _call_of(self, name: str, given: Mapping[str, Any]) -> str:
        """The name of the call that an act is about: a tester sees none on a console, so that it is ours."""
        if name != "answer":
            return str(given.get("call") or f"manual-{self._calls}")
        wanted = given.get("queue")
        found = next((each for each in self._ringing if wanted in (None, each[1])), None)
        if found is None:
            return self._next_call()
        self._ringing.remove(found)
        return found[0]

    def _next_call(self) -> str:
        self._calls += 1
        return f"manual-{self._calls}"

    async def _done(self, asked: str, name: str) -> dict[str, Any]:
        """Have something done; return what it gave."""
        before = self._record.again(asked)
        if before is not None:
            self._terminal.tell(f"  done before: {asked}")
            self._journal.record(self.name, "tester.done", what=asked, took_s=0.0, by="record")
            return before
        gives = GIVES.get(name)
        what = f"type the {gives} that the console shows" if gives else "Enter when it is done"
        self._terminal.ask(f"At {self.position}: {asked}.  [{what}; no REASON, pause, break]")
        began, after = self._journal.now(), self._journal.position
        self._journal.record(self.name, "tester.asked", what=asked)
        typed, by, paused = await self._answered(WIRE.get(name, ()) if gives is None else (), after)
        gave = {gives: typed} if gives is not None else {}
        took = round(self._journal.now() - began - paused, 3)
        self._journal.record(self.name, "tester.done", what=asked, took_s=took, by=by)
        self._record.add({"asked": asked, "gave": gave})
        return gave

    async def _answered(self, wire: tuple[str, ...], after: int) -> tuple[str, str, float]:
        """What was typed, by whom it was confirmed, and for how many seconds the tester paused."""
        paused = 0.0
        typing = asyncio.ensure_future(self._terminal.line())
        watching = asyncio.ensure_future(self._seen_on_wire(wire, after)) if wire else None
        try:
            while True:
                waits = [each for each in (typing, watching) if each is not None]
                done, _ = await asyncio.wait(waits, timeout=ASKED_WITHIN_S, return_when=asyncio.FIRST_COMPLETED)
                if watching is not None and watching in done:
                    seen = watching.result()
                    self._terminal.tell(f"  seen on the wire: {seen.kind} at {seen.source}")
                    return "", "wire", paused
                if typing not in done:
                    raise DriverError(f"{self.name}: no answer came within {ASKED_WITHIN_S:g} s")
                typed = typing.result()
                word, _, reason = typed.partition(" ")
                if word == "break":
                    self._stopped = True
                    raise StoppedError(f"{self.name}: the tester breaks off; the same command goes on from here")
                if word == "no":
                    self._journal.record(self.name, "tester.said_no", reason=reason)
                    raise DriverError(f"{self.name}: the tester says no: {reason or 'without a reason'}")
                if word != "pause":
                    return typed, "tester", paused
                began = self._journal.now()
                self._terminal.ask("  Paused. Enter to go on.")
                await self._terminal.line()
                paused += self._journal.now() - began
                typing = asyncio.ensure_future(self._terminal.line())
        finally:
            for task in (typing, watching):
                if task is not None:
                    task.cancel()
            await asyncio.gather(typing, *([watching] if watching is not None else []), return_exceptions=True)

    async def _seen_on_wire(self, kinds: tuple[str, ...], after: int) -> Event:
        def fits(event: Event) -> bool:
            return event.kind in kinds and event.source != self.name

        return await first_that(self._journal, None, fits, within=ASKED_WITHIN_S, after=after)

    async def expect(self, kind: str, *, within: float, after: int = 0, **with_: Any) -> Event:
        """Ask the tester whether the console shows it; return it as an event. Raises ExpectationError for "no".

        ``within`` is told: a tester's eye keeps no time to the second, and what is to be measured is on the wire.
        """
        told = " ".join(f"{key}={value}" for key, value in with_.items())
        try:
            await self._done(f"look: {kind} {told} is shown within {within:g} s".replace("  ", " "), "look")
        except StoppedError:
            raise
        except DriverError as error:
            raise ExpectationError(f"expected {kind} on {self.name} with {told}: {error}") from error
        data = dict(with_)
        if kind.startswith("call.") and "call" not in data:
            data["call"] = self._next_call() if kind == "call.ringing" else f"manual-{self._calls}"
        if kind == "call.ringing":
            self._ringing.append((data["call"], str(data.get("queue"))))
        return self._journal.record(self.name, kind, **data)

    async def close(self) -> None:
        """Leave the tester alone. A test that was not broken off begins anew next time. Again does nothing."""
        if not self._open:
            return
        self._open = self._logged_in = False  # the tester logs out, or goes on
        if not self._stopped:
            self._record.add({"ended": True})
        self._terminal.close()
        await super().close()
