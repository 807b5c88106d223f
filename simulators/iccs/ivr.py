"""A caller's way through the menus: what is said, how long a key is waited for, where it leads. Without clock or wire.

Theory. A menu is said, then a key is waited for. A key that leads on is followed at once, also while the menu is being
said where that is allowed. A key that leads nowhere, or none at all, costs an attempt: the caller is told so and hears
the menu again, and after the last attempt goes where such callers go. So every call leaves: a caller without keys, or
whose keys are not understood, comes to a person.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from simulators.iccs.settings.ivr import IvrSettings, MenuSettings, Target

MAX_STEPS = 200
"""Menus said to one call; menus that lead to each other don't hold a call for longer."""


class At(Enum):
    """Where the call is."""

    SAYING = "saying"
    LISTENING = "listening"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Say:
    """Say these, cutting what is being said; then tell the walk (`said`)."""

    clips: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listen:
    """Wait so many seconds for a key; then tell the walk (`silence`)."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Go:
    """The menus are done with the call: it goes to a queue, or hears something and is cleared."""

    queue: str | None
    say: str | None
    keys: str
    """All keys that were pressed on the way."""


Action = Say | Listen | Go


class Walk:
    """One call's walk."""

    def __init__(self, settings: IvrSettings, menu: str) -> None:
        self._menus = settings.menus
        self._menu: MenuSettings = settings.menus[menu]
        self._attempts = 0
        self._steps = 0
        self._keys = ""
        self.name = menu
        """The menu that it is in."""
        self.at = At.SAYING

    def start(self) -> list[Action]:
        """Begin."""
        return self._say()

    def said(self) -> list[Action]:
        """What was to be said is out."""
        if self.at is not At.SAYING:
            return []
        self.at = At.LISTENING
        return [Listen(self._menu.timeout_s)]

    def key(self, digit: str) -> list[Action]:
        """The caller pressed a key."""
        if self.at is At.GONE or (self.at is At.SAYING and not self._menu.barge_in):
            return []
        self._keys += digit
        target = self._menu.keys.get(digit)
        if target is None:
            return self._again(self._menu.invalid)
        return self._follow(target)

    def silence(self) -> list[Action]:
        """No key came in time."""
        return self._again(self._menu.silent) if self.at is At.LISTENING else []

    def _again(self, told: str | None) -> list[Action]:
        self._attempts += 1
        if self._attempts >= self._menu.attempts:
            return self._follow(self._menu.otherwise)
        return self._say(*([told] if told is not None else []))

    def _say(self, *before: str) -> list[Action]:
        self._steps += 1
        self.at = At.SAYING
        return [Say((*before, self._menu.announcement))]

    def _follow(self, target: Target) -> list[Action]:
        if self._steps >= MAX_STEPS:
            target = self._menus[self.name].otherwise
            while target.menu is not None:
                target = self._menus[target.menu].otherwise
        if target.repeat:
            return self._say()
        if target.menu is not None:
            self.name, self._menu, self._attempts = target.menu, self._menus[target.menu], 0
            return self._say()
        self.at = At.GONE
        return [Go(target.queue, target.say, self._keys)]
