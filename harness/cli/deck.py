"""Deals the tests of one run to several runners: each test, and each Robot file, to the one that asks for it first.

A test marked `real_wire` is judged by real time, and not safe beside another: of several runners' tests it waits until
all others are done.
As a pytest plugin (``-p harness.cli.deck``) and as a Robot listener (``--listener harness.cli.deck.DeckListener``); the
environment names the folder by which runners that know nothing of one another agree.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

import pytest
from robot import result as outcome
from robot import running

DECK_VARIABLE = "ICCS_DECK"
HAND_VARIABLE = "ICCS_DECK_HAND"
"""What the runner is dealt: a Hand."""
ALONE = "real_wire"
"""Marks a test that is run alone; a file of this name says that the deck has one."""


class Hand(StrEnum):
    """What a runner may be dealt."""

    ALL = "all"
    SHARED = "shared"
    """What may run beside others."""
    ALONE = "alone"
    """What may not."""


class Deck:
    """What is still to be run, as files that only one can make."""

    def __init__(self, folder: Path) -> None:
        """``folder``: one of the run's own, which is there."""
        self._folder = folder

    @classmethod
    def from_environment(cls) -> Deck:
        """Return the deck of this run. Raises KeyError outside one."""
        return cls(Path(os.environ[DECK_VARIABLE]))

    def take(self, name: str) -> bool:
        """Whether what has this name is now the caller's: so it is for the first who asks, and for nobody after."""
        try:
            (self._folder / hashlib.sha256(name.encode()).hexdigest()).touch(exist_ok=False)
        except FileExistsError:
            return False
        return True

    def leave(self) -> None:
        """Say that there is a test to be run alone."""
        (self._folder / ALONE).touch()

    @property
    def left(self) -> bool:
        """Whether there is one."""
        return (self._folder / ALONE).exists()

    def deal(self, items: Iterable[pytest.Item], hand: Hand) -> Iterator[pytest.Item]:
        """Yield what the caller is to run, each taken as it is asked for."""
        for item in items:
            alone = item.get_closest_marker(ALONE) is not None
            if alone and hand is Hand.SHARED:
                self.leave()
            elif (alone or hand is not Hand.ALONE) and self.take(item.nodeid):
                yield item


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    """Run what this runner takes. The next is taken before the one at hand is run: its fixtures may be kept for it."""
    mine = Deck.from_environment().deal(session.items, Hand(os.environ[HAND_VARIABLE]))
    item = next(mine, None)
    while item is not None:
        following = next(mine, None)
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if session.shouldfail:
            raise session.Failed(session.shouldfail)
        if session.shouldstop:
            raise session.Interrupted(session.shouldstop)
        item = following
    return True


class DeckListener:
    """Robot listener, API version 3: a file's tests are left out where another runner has taken the file."""

    ROBOT_LISTENER_API_VERSION: ClassVar[int] = 3
    # After the listener that tells how many tests there are in all.
    ROBOT_LISTENER_PRIORITY: ClassVar[int] = -100

    def __init__(self) -> None:
        self._deck = Deck.from_environment()

    def start_suite(self, data: running.TestSuite, result: outcome.TestSuite) -> None:
        """Take the file, or leave it."""
        if data.tests and not self._deck.take(data.full_name):
            data.tests.clear()
