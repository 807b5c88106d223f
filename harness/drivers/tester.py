"""A tester at a terminal: is asked for what the harness can't do itself, and says when it is done."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Final, Protocol

from harness.errors import DriverError, NotPlayedError
from harness.transport.context import Context

ASKED_WITHIN_S: Final = 3_600.0
"""For so long a tester may take for one answer; ``pause`` stops the count."""
MAX_LINE: Final = 500
"""Bytes of a line that a tester types; what is longer is cut."""


def nobody_stands_by(name: str) -> str:
    """Why what a test needs of real equipment is not played."""
    return (
        f"{name} is real: it is not made to fail from here. Name a 'tester' in the testbed file where somebody stands "
        f"by who can (docs/test-engineers.md)"
    )


class Watching(Protocol):
    """Whoever shows the run as it goes, perhaps on the tester's own terminal."""

    def place(self, named: Path) -> Path:
        """Where the terminal is that a testbed file names."""

    def told(self, text: str, terminal: Path, *, waits: bool) -> bool:
        """Told what a tester is told, and whether a line is waited for; returns whether it shows that there itself."""

    def answered(self) -> None:
        """Told that nothing is asked any more."""


class Terminal:
    """The tester's terminal: lines are written, and read without stopping the run."""

    def __init__(self, name: str, path: Path, watching: Watching) -> None:
        self._path, self._watching = watching.place(path), watching
        try:
            self._file = os.open(self._path, os.O_RDWR | os.O_NOCTTY)
        except OSError as error:
            raise DriverError(f"{name}: no tester's terminal at {self._path}: {error.strerror}") from error
        self._typed = bytearray()

    def tell(self, text: str) -> None:
        """Write a line."""
        self._write(text, waits=False)

    def ask(self, text: str) -> None:
        """Write a line to which one is to be typed: `line`."""
        self._write(text, waits=True)

    def _write(self, text: str, *, waits: bool) -> None:
        if not self._watching.told(text, self._path, waits=waits):
            os.write(self._file, (text + "\n").encode())

    async def line(self) -> str:
        """Return the next line that is typed. Raises DriverError when the terminal is gone."""
        try:
            return await self._line()
        finally:
            self._watching.answered()

    async def _line(self) -> str:
        loop = asyncio.get_running_loop()
        while b"\n" not in self._typed:
            ready = asyncio.Event()
            loop.add_reader(self._file, ready.set)
            try:
                await ready.wait()
            finally:
                loop.remove_reader(self._file)
            try:
                got = os.read(self._file, MAX_LINE)
            except OSError:
                got = b""
            if not got:
                raise DriverError("the tester's terminal is gone")
            self._typed += got
            if len(self._typed) > MAX_LINE and b"\n" not in self._typed:
                del self._typed[MAX_LINE:]
        line, _, rest = bytes(self._typed).partition(b"\n")
        self._typed = bytearray(rest[-MAX_LINE:])
        return line.decode(errors="replace").strip()

    def close(self) -> None:
        """Leave it."""
        os.close(self._file)


class Tester:
    """Somebody who stands by at the bench and makes real equipment fail when it is asked for.

    Events under the name of what is made to fail: ``tester.asked`` {what}, ``tester.done`` {what, took_s, typed},
    ``tester.said_no`` {what, reason}. A time that begins with what a tester did is as exact as the hand on the key.
    """

    def __init__(self, context: Context, terminal: Path, watching: Watching) -> None:
        self._journal = context.journal
        self._path, self._watching = terminal, watching
        self._terminal: Terminal | None = None
        self._turn = asyncio.Lock()
        self._broken: dict[tuple[str, str], str] = {}
        """How what was made to fail is made well again, by component and thing; what is well again is not in it."""

    async def breaks(self, name: str, thing: str, what: str, *, mended_by: str) -> None:
        """Have ``thing`` of ``name`` made to fail; it is well again at the end at the latest. Raises as `does`."""
        self._broken[name, thing] = mended_by
        try:
            await self.does(name, what)
        except NotPlayedError:
            del self._broken[name, thing]
            raise

    async def mends(self, name: str, thing: str) -> None:
        """Have it well again; nobody is asked for what is well: a test mends it at its end, however it ended."""
        what = self._broken.get((name, thing))
        if what is not None:
            await self.does(name, what)
            del self._broken[name, thing]

    async def mends_all(self) -> None:
        """Have all well again that a test left failing; what can't be is told in the journal."""
        while self._broken:
            (name, thing), what = self._broken.popitem()
            try:
                await self.does(name, what)
            except (DriverError, NotPlayedError) as error:
                self._journal.warn(name, "tester.left", thing=thing, reason=str(error))

    async def does(self, name: str, what: str) -> None:
        """Have it done to ``name``, and return in the moment at which the tester says so.

        Raises NotPlayedError for "no", DriverError where there is no terminal or no answer comes.
        """
        await self._asked(name, what, "Enter in the moment at which you do it")

    async def tells(self, name: str, what: str) -> str:
        """Return what the tester types. Raises as `does`."""
        return await self._asked(name, what, "type it")

    async def _asked(self, name: str, what: str, how: str) -> str:
        async with self._turn:
            terminal = self._terminal = self._terminal or Terminal(name, self._path, self._watching)
            terminal.ask(f"{name}: {what}.  [{how}; no REASON]")
            began = self._journal.now()
            self._journal.record(name, "tester.asked", what=what)
            try:
                async with asyncio.timeout(ASKED_WITHIN_S):
                    typed = await terminal.line()
            except TimeoutError:
                raise DriverError(f"{name}: the tester did not answer within {ASKED_WITHIN_S:g} s") from None
            word, _, reason = typed.partition(" ")
            if word == "no":
                self._journal.record(name, "tester.said_no", what=what, reason=reason)
                raise NotPlayedError(f"{name}: the tester can't: {what}: {reason or 'no reason was given'}")
            took = round(self._journal.now() - began, 3)
            self._journal.record(name, "tester.done", what=what, took_s=took, typed=typed)
            return typed

    async def close(self) -> None:
        """Leave the terminal; again does nothing."""
        terminal, self._terminal = self._terminal, None
        if terminal is not None:
            terminal.close()
