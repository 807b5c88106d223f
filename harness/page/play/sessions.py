"""All playings of one server: begun, found for whoever they belong to, and ended with it."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Final

from harness.errors import PageError
from harness.page.contract import Attempts, Person
from harness.page.play.session import Chosen, Playing
from harness.scenario.cast import casting
from harness.scenario.load import load_with_lines
from harness.scenario.seats import check_seats
from harness.testbed.load import load_testbed

MAX_PLAYING: Final = 4
"""Playings at once: each has a control room of its own, of about 150 MB and half a processor."""
MAX_OVER: Final = 8
"""Playings that are over and can be heard again; the oldest that is stored goes first."""


class Sessions:
    """Playings by id."""

    def __init__(self, attempts: Attempts, testbed: Path, named: Mapping[str, Path] | None = None) -> None:
        """``testbed``: the file of the simulated testbed that each playing has for itself; ``named``: the files of
        those that scenarios may name instead, as they name them.
        """
        self._attempts = attempts
        self._testbed = testbed
        self._named = named or {}
        self._playings: dict[str, Playing] = {}

    async def start(self, person: Person, scenario: Path, seat: str) -> Playing:
        """Begin a playing. Raises PageError where there are too many, ScenarioError, TestbedError and OSError.

        A person has one at a time, and none while an attempt of theirs is not stored.
        """
        self._check(person)
        chosen = await asyncio.to_thread(self._read, scenario, seat)  # a long file would hold up everybody
        self._check(person)
        playing = Playing(secrets.token_urlsafe(16), person, chosen, self._attempts)
        self._playings[playing.id] = playing
        self._forget_old()
        return playing

    def _read(self, scenario: Path, seat: str) -> Chosen:
        text = scenario.read_bytes()
        model, lines = load_with_lines(scenario)
        check_seats(model, (seat,))
        file = self._testbed if model.testbed is None else self._named.get(model.testbed)
        if file is None:
            raise PageError(
                f"the testbed {model.testbed!r} is none of this server's: {', '.join(self._named) or 'none'}"
            )
        testbed = load_testbed(file)
        real = ", ".join(testbed.real())
        if real:
            raise PageError(f"testbed {testbed.name!r} has real equipment ({real}), and a playing is on simulators")
        casting(model, testbed, lines)
        return Chosen(
            scenario=model,
            lines=lines,
            digest=hashlib.sha256(text).hexdigest(),
            seat=seat,
            testbed=file,
            build=f"iccs {version('iccs-acceptance-harness')}, {testbed.name}",
        )

    def _check(self, person: Person) -> None:
        live = [each for each in self._playings.values() if each.phase != "over"]
        if any(each.person.id == person.id for each in live):
            raise PageError("you are playing already: end that first")
        if len(live) >= MAX_PLAYING:
            raise PageError(f"{MAX_PLAYING} playings are going on, which is all that this server has room for: wait")
        if any(each.person.id == person.id and each.kept is not None and each.kept.unkept for each in self.over()):
            raise PageError("your last attempt is not stored yet: open its debrief and try again")

    def over(self) -> list[Playing]:
        """Those that are over, oldest first."""
        return [each for each in self._playings.values() if each.phase == "over"]

    def of(self, person: Person) -> Playing | None:
        """The playing that a person has now, if any."""
        mine = (each for each in self._playings.values() if each.person.id == person.id and each.phase != "over")
        return next(mine, None)

    def find(self, id_: str, person: Person) -> Playing:
        """Return a person's playing. Raises PageError where there is none, or it is another's: which is not told."""
        playing = self._playings.get(id_)
        if playing is None or playing.person.id != person.id:
            raise PageError("there is no such playing of yours")
        return playing

    def with_attempt(self, number: int) -> Playing | None:
        """The playing whose attempt is stored under a number, while it can be heard again."""
        return next((each for each in self.over() if each.kept is not None and each.kept.number == number), None)

    def _forget_old(self) -> None:
        stored = [each for each in self.over() if each.kept is None or not each.kept.unkept]
        for playing in stored[: max(0, len(self.over()) - MAX_OVER)]:
            del self._playings[playing.id]

    async def close(self) -> list[str]:
        """End all of them: what was reached is kept as abandoned, and nothing of a control room is left.

        What could not be stored is tried once more; whose attempts are lost all the same is returned, with the reason.
        """
        await asyncio.gather(*(each.close() for each in self._playings.values()))
        lost = []
        for playing in self.over():
            await playing.keep()
            if playing.kept is not None and playing.kept.unkept:
                lost.append(f"{playing.person.name}, {playing.chosen.scenario.id}: {playing.kept.unkept}")
        return lost
