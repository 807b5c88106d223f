"""Where a modem keeps messages (`AT+CPMS`, 3GPP TS 27.005 section 3.2.2): ME and SM apart, MT both as one; bounded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

from harness.protocols.gsm.address import Address
from harness.protocols.gsm.errors import Cms, RefusedError
from harness.protocols.gsm.pdu import Message

STORES: Final = ("ME", "SM", "MT")
DEFAULT_SLOTS: Final = {"ME": 100, "SM": 30}
MAX_SLOTS: Final = 1_000


class State(IntEnum):
    """Of a stored message (section 3.1, ``<stat>``)."""

    UNREAD = 0
    READ = 1
    UNSENT = 2
    SENT = 3


STATE_TEXTS: Final = {
    State.UNREAD: "REC UNREAD",
    State.READ: "REC READ",
    State.UNSENT: "STO UNSENT",
    State.SENT: "STO SENT",
}
ALL: Final = 4


@dataclass(frozen=True, slots=True)
class Stored:
    """One message in a store."""

    state: State
    centre: Address | None
    message: Message


class Storage:
    """The stores of one modem. Indices begin with 1; in MT those of ME come first."""

    def __init__(self, slots: dict[str, int] | None = None) -> None:
        """``slots``: messages that ``ME`` and ``SM`` hold, 1 to MAX_SLOTS each."""
        self._slots = dict(DEFAULT_SLOTS if slots is None else slots)
        self._kept: dict[str, dict[int, Stored]] = {"ME": {}, "SM": {}}

    def total(self, store: str) -> int:
        """How many messages a store holds."""
        return sum(self._slots.values()) if store == "MT" else self._slots[store]

    def used(self, store: str) -> int:
        """How many are in it."""
        return sum(map(len, self._kept.values())) if store == "MT" else len(self._kept[store])

    def all(self, store: str) -> list[tuple[int, Stored]]:
        """The messages in a store with their indices, in order."""
        if store != "MT":
            return sorted(self._kept[store].items(), key=lambda item: item[0])
        ahead = self._slots["ME"]
        return self.all("ME") + [(ahead + index, stored) for index, stored in self.all("SM")]

    def add(self, store: str, stored: Stored) -> tuple[str, int]:
        """Keep a message, in MT where there is room; gives the store and index. Raises RefusedError when it is full."""
        for each in ("ME", "SM") if store == "MT" else (store,):
            kept = self._kept[each]
            if len(kept) < self._slots[each]:
                index = next(n for n in range(1, self._slots[each] + 1) if n not in kept)
                kept[index] = stored
                return (store, index + (self._slots["ME"] if store == "MT" and each == "SM" else 0))
        raise RefusedError(Cms.MEMORY_FULL, f"{store} holds {self.total(store)} messages")

    def get(self, store: str, index: int) -> Stored:
        """The message at an index. Raises RefusedError where there is none."""
        each, index = self._place(store, index)
        found = self._kept[each].get(index)
        if found is None:
            raise RefusedError(Cms.INVALID_INDEX, f"nothing is at {store} {index}")
        return found

    def set_state(self, store: str, index: int, state: State) -> None:
        """Mark a message that is there."""
        each, place = self._place(store, index)
        self._kept[each][place] = replace(self._kept[each][place], state=state)

    def delete(self, store: str, index: int) -> None:
        """Delete what is at an index, if anything is. Raises RefusedError for an index beyond the store."""
        each, place = self._place(store, index)
        self._kept[each].pop(place, None)

    def _place(self, store: str, index: int) -> tuple[str, int]:
        if not 1 <= index <= self.total(store):
            raise RefusedError(Cms.INVALID_INDEX, f"index {index} of {store}; 1 to {self.total(store)} are there")
        if store != "MT":
            return store, index
        ahead = self._slots["ME"]
        return ("ME", index) if index <= ahead else ("SM", index - ahead)
