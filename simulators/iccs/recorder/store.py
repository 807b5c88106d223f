"""Where legs are kept: within a bound of speech, until their time is over or for as long as somebody holds them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from simulators.iccs.positions import PositionError, UnknownPositionError
from simulators.iccs.recorder.legs import Leg

MAX_HOLDS: Final = 1_000
MAX_FOUND: Final = 500


class UnknownLegError(UnknownPositionError):
    """There is no such recording."""


class HoldError(PositionError):
    """A recording can't be held."""


class Store:
    """One recorder's store, in memory: beyond its bound the oldest leg goes that is over and not held."""

    def __init__(self, max_bytes: int, max_legs: int) -> None:
        """``max_bytes``: octets of speech; 256 MiB are some nine hours of one leg."""
        self._max_bytes, self._max_legs = max_bytes, max_legs
        self.failed = False
        """Whether it can be neither written nor read."""
        self._legs: dict[str, Leg] = {}
        self._holds: dict[str, str] = {}
        self._size = 0

    def __len__(self) -> int:
        return len(self._legs)

    def __iter__(self) -> Iterator[Leg]:
        return iter(self._legs.values())

    @property
    def size(self) -> int:
        """Octets of speech."""
        return self._size

    def keep(self, leg: Leg, grown: int) -> None:
        """Keep a leg, or what it has grown by: octets."""
        self._legs[leg.id] = leg
        self._size += grown
        while self._size > self._max_bytes or len(self._legs) > self._max_legs:
            oldest = next((each for each in self if each.ended is not None and each.id not in self._holds), None)
            if oldest is None:
                return  # legs that go on, and holds, have bounds of their own
            self._drop(oldest)

    def _drop(self, leg: Leg) -> None:
        del self._legs[leg.id]
        self._size -= leg.size

    def get(self, id_: str) -> Leg:
        """Return a leg. Raises UnknownLegError."""
        try:
            return self._legs[id_]
        except KeyError:
            raise UnknownLegError(f"there is no recording {id_!r}") from None

    def find(self, fits: Callable[[Leg], bool], limit: int) -> list[Leg]:
        """The newest legs that fit, newest first."""
        found: list[Leg] = []
        for leg in reversed(self._legs.values()):
            if fits(leg):
                found.append(leg)
                if len(found) >= min(limit, MAX_FOUND):
                    break
        return found

    def hold(self, leg: Leg, why: str) -> None:
        """Keep a leg whatever its age. Raises HoldError when MAX_HOLDS are held."""
        if leg.id not in self._holds and len(self._holds) >= MAX_HOLDS:
            raise HoldError(f"{MAX_HOLDS} recordings are held already")
        self._holds[leg.id] = why

    def release(self, leg: Leg) -> None:
        """Hold a leg no more; one that is not held stays as it is."""
        self._holds.pop(leg.id, None)

    def held(self, leg: Leg) -> str | None:
        """Why a leg is held; None where it is not."""
        return self._holds.get(leg.id)

    def weed(self, before: float) -> list[str]:
        """Let every leg go that ended before a run time and is not held; return which."""
        due = [leg for leg in self if leg.ended is not None and leg.ended < before and leg.id not in self._holds]
        for leg in due:
            self._drop(leg)
        return [leg.id for leg in due]

    def catch_up(self, other: Store) -> int:
        """Take over what another has and this one lacks, holds too; return how many legs."""
        taken = 0
        for leg in other:
            if leg.id not in self._legs:
                self._legs[leg.id] = leg
                taken += 1
        self._legs = dict(sorted(self._legs.items()))
        self._size = sum(leg.size for leg in self)
        self._holds |= other._holds
        return taken
