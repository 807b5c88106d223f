"""The menus that callers go through by keys, in an ICCS's settings."""

from __future__ import annotations

from pydantic import Field, model_validator

from simulators.iccs.settings.base import Clip, Digit, Number, QueueName
from simulators.settings import Strict

MAX_MENUS = 100


class Target(Strict):
    """Where a key leads: exactly one of these."""

    queue: QueueName | None = None
    menu: QueueName | None = None
    say: Clip | None = None
    """Something to be told; the call is cleared after it."""
    repeat: bool = False
    """The menu is said again."""

    @model_validator(mode="after")
    def _one(self) -> Target:
        if sum((self.queue is not None, self.menu is not None, self.say is not None, self.repeat)) != 1:
            raise ValueError("a key leads to one of 'queue', 'menu', 'say' and 'repeat'")
        return self


class MenuSettings(Strict):
    """One menu."""

    announcement: Clip
    keys: dict[Digit, Target] = Field(min_length=1, max_length=12)
    barge_in: bool = True
    """Whether a key may be pressed while the menu is being said."""
    timeout_s: float = Field(default=5.0, gt=0, le=60)
    """How long after it a key is waited for. [p]"""
    invalid: Clip | None = None
    """Said when a key leads nowhere."""
    silent: Clip | None = None
    """Said when no key came."""
    attempts: int = Field(default=3, ge=1, le=10)
    """Times that the menu is said to a caller who presses nothing that leads on. [p]"""
    otherwise: Target
    """Where such a caller goes after that: a queue as a rule, for somebody may not be able to press keys."""

    @model_validator(mode="after")
    def _leads_on(self) -> MenuSettings:
        if self.otherwise.repeat:
            raise ValueError("'otherwise' can't be 'repeat': the call would never leave the menu")
        return self


class IvrSettings(Strict):
    """All menus, and the numbers that lead to one."""

    menus: dict[QueueName, MenuSettings] = Field(default_factory=dict, max_length=MAX_MENUS)
    numbers: dict[Number, QueueName] = Field(default_factory=dict)
    """Number to menu."""

    @model_validator(mode="after")
    def _leads_to_menus(self) -> IvrSettings:
        wanted = [*self.numbers.values(), *(target.menu for target in self.targets() if target.menu is not None)]
        for name in wanted:
            if name not in self.menus:
                raise ValueError(f"there is no menu {name!r}; there is {', '.join(self.menus) or 'none'}")
        for name in self.menus:
            self._leads_out(name)
        return self

    def _leads_out(self, name: str) -> None:
        """Raise ValueError where a caller who presses nothing would go round in circles."""
        passed = [name]
        while (following := self.menus[passed[-1]].otherwise.menu) is not None:
            if following in passed:
                raise ValueError(f"'otherwise' leads in a circle: {', '.join([*passed, following])}")
            passed.append(following)

    def targets(self) -> list[Target]:
        """Return everything that keys lead to."""
        return [target for menu in self.menus.values() for target in (*menu.keys.values(), menu.otherwise)]
