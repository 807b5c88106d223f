"""What a terminal answers to the commands that only read: identity, groups, phone books, signal, mode, its make."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from harness.protocols.pei.codes import CmeError, GroupAct, IdentityType
from harness.protocols.pei.commands import CommandRefusedError
from harness.protocols.pei.fields import Unsolicited
from harness.protocols.pei.unsolicited import (
    DynamicGroupEntry,
    GroupBookEntry,
    NetworkRegistration,
    Numbering,
    OperatingMode,
    SelectedGroup,
    SignalQuality,
)
from harness.protocols.tetra.identity import Tsi

BOOK_READ = 0
"""First parameter of `AT+CNUMS=0,<from>,<to>`: reads entries of the phone book, counted from 1 [C]."""


class State(Protocol):
    """What of a terminal can be read."""

    identity: Tsi
    groups: dict[str, int]
    """The phone book: name to GSSI."""
    dynamic_groups: dict[str, int]
    """Groups that the network gave."""
    selected: int | None
    registration: NetworkRegistration
    signal: SignalQuality
    mode: int


def read(name: str, state: State) -> list[Unsolicited]:
    """The lines of the answer to `AT<name>?`. Raises CommandRefusedError for what can't be read."""
    match name:
        case "+CTGS":
            if state.selected is None:
                return [SelectedGroup(GroupAct.NONE)]
            return [SelectedGroup(GroupAct.SELECT, _gtsi(state, state.selected))]
        case "+CNUMF":
            return [Numbering(IdentityType.INDIVIDUAL, state.identity.digits)]
        case "+CNUMS":
            return _book(state, state.groups, GroupBookEntry)
        case "+CNUMD":
            return _book(state, state.dynamic_groups, DynamicGroupEntry)
        case "+CSQ":
            return [state.signal]
        case "+CREG":
            return [state.registration]
        case "+CTOM":
            return [OperatingMode(state.mode)]
    raise CommandRefusedError(CmeError.UNSUPPORTED, f"AT{name}? is not offered")


def _gtsi(state: State, gssi: int) -> str:
    return Tsi(state.identity.mcc, state.identity.mnc, gssi).digits


def _book(
    state: State, groups: Mapping[str, int], entry: type[GroupBookEntry] | type[DynamicGroupEntry]
) -> list[Unsolicited]:
    return [entry(IdentityType.GROUP, _gtsi(state, gssi), label) for label, gssi in groups.items()]


def test(name: str, state: State) -> str:
    """The line of the answer to `AT<name>=?`: which entries a phone book has; how that is written is [U].

    Raises CommandRefusedError for what can't be tested.
    """
    books = {"+CNUMS": state.groups, "+CNUMD": state.dynamic_groups}
    if name not in books:
        raise CommandRefusedError(CmeError.UNSUPPORTED, f"AT{name}=? is not offered")
    return f"{name}: ({BOOK_READ}),(1-{len(books[name])})"


def read_book(name: str, text: str, state: State) -> list[Unsolicited]:
    """The lines of the answer to `AT+CNUMS=0,<from>,<to>` or `AT+CNUMD=…`. Raises CommandRefusedError."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) < 6 for part in parts):
        raise CommandRefusedError(CmeError.TYPE, f"AT{name}: not numbers: {text[:40]!r}")
    if len(parts) != 3 or int(parts[0]) != BOOK_READ:
        raise CommandRefusedError(CmeError.UNSUPPORTED, f"AT{name}: only {BOOK_READ},<from>,<to> is offered")
    first, last = int(parts[1]), int(parts[2])
    entries = read(name, state)
    if not 1 <= first <= last:
        raise CommandRefusedError(CmeError.BAD_INDEX, f"AT{name}: entries {first} to {last}")
    return entries[first - 1 : last]
