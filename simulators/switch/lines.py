"""Lines and the telephones that are registered on them: what each is set to, and what is going on there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from harness.errors import LocalError
from harness.protocols.sip.dial_plan import Pattern
from harness.protocols.sip.uri import Uri
from simulators.switch.settings.lines import LineSettings

if TYPE_CHECKING:
    from simulators.switch.leg import Leg

When = Literal["all", "busy", "no_answer", "unregistered"]
_FORWARD = re.compile(r"(?=.{1,32}\Z)\+?[0-9*#]+", re.ASCII)
WHENS: tuple[When, ...] = ("all", "busy", "no_answer", "unregistered")


class UnknownLineError(LocalError):
    """There is no line of that number."""


@dataclass(frozen=True, slots=True)
class Device:
    """One registered telephone."""

    name: str
    """``SEP3101``, ``SEP3101-2`` …: by which of a line's telephones it is."""
    contact: str
    """The URI that it registered."""
    address: tuple[str, int]
    """Host and port of that URI."""


@dataclass(slots=True, eq=False)
class Line:
    """One line."""

    settings: LineSettings
    forwards: dict[When, str | None]
    devices: dict[str, Device] = field(default_factory=dict)
    """By contact."""
    legs: list[Leg] = field(default_factory=list)
    """What is up, rings or is being set up at its telephones."""
    do_not_disturb: bool = False
    in_groups: bool = True
    """Whether hunt groups ring it."""
    idle_since: float = 0.0
    """Run time at which its last call ended."""

    @property
    def number(self) -> str:
        """Its number."""
        return self.settings.number

    @property
    def calls(self) -> list[Leg]:
        """Its legs, one for each call: of telephones that ring for one call the first."""
        return list({id(leg.call): leg for leg in reversed(self.legs)}.values())[::-1]

    @property
    def is_busy(self) -> bool:
        """Whether no further call may ring."""
        most = self.settings.max_calls if self.settings.call_waiting else 1
        return self.do_not_disturb or len(self.calls) >= most

    @property
    def is_free(self) -> bool:
        """Whether nothing goes on there."""
        return not self.legs and not self.do_not_disturb

    def bars(self, number: str) -> bool:
        """Whether it may not call a number."""
        return any(Pattern.parse(text).choices(number) is not None for text in self.settings.barred)

    def shown(self) -> dict[str, Any]:
        """The line as the control interface shows it."""
        return {
            "number": self.number,
            "name": self.settings.name,
            "external": self.settings.external,
            "site": self.settings.site,
            "devices": [{"name": each.name, "contact": each.contact} for each in self.devices.values()],
            "forwards": dict(self.forwards),
            "do_not_disturb": self.do_not_disturb,
            "in_groups": self.in_groups,
            "calls": [leg.id for leg in self.calls],
        }


class Lines:
    """The lines of one switch."""

    def __init__(self, settings: Iterable[LineSettings]) -> None:
        self._lines = {
            each.number: Line(each, {when: getattr(each.forward, when) for when in WHENS}) for each in settings
        }
        self._aors: dict[str, set[str]] = {}

    def __iter__(self) -> Iterator[Line]:
        return iter(self._lines.values())

    def __contains__(self, number: str) -> bool:
        return number in self._lines

    def find(self, number: str) -> Line | None:
        """The line of that number, if there is one."""
        return self._lines.get(number)

    def get(self, number: str) -> Line:
        """The line of that number. Raises UnknownLineError."""
        line = self._lines.get(number)
        if line is None:
            raise UnknownLineError(f"there is no line {number[:40]!r}")
        return line

    def passwords(self) -> Mapping[str, str]:
        """What telephones register with, by number."""
        return {line.number: line.settings.password.get_secret_value() for line in self}

    def registered(self, aor: str, contacts_of: Mapping[str, list[str]]) -> Line | None:
        """Take what is registered for an address-of-record now; `contacts_of` is asked for all of its line's.

        A telephone keeps its name for as long as it is registered. None where the user is no line.
        """
        line = self._lines.get(Uri.parse(aor).user_text)
        if line is None:
            return None
        aors = self._aors.setdefault(line.number, set())
        aors.add(aor)
        contacts = [contact for each in sorted(aors) for contact in contacts_of[each]]
        for each in [each for each in aors if not contacts_of[each]]:
            aors.discard(each)
        for gone in [contact for contact in line.devices if contact not in contacts]:
            del line.devices[gone]
        for contact in reversed(contacts):  # the registrar gives the newest first
            if contact not in line.devices:
                line.devices[contact] = Device(self._free_name(line), contact, _address(contact))
        return line

    def _free_name(self, line: Line) -> str:
        taken = {device.name for device in line.devices.values()}
        names = (f"SEP{line.number}{'' if index == 1 else f'-{index}'}" for index in range(1, len(taken) + 2))
        return next(name for name in names if name not in taken)


def _address(contact: str) -> tuple[str, int]:
    uri = Uri.parse(contact)
    return uri.host.strip("[]"), uri.port or (5061 if uri.scheme == "sips" else 5060)


def checked_forward(number: str) -> str:
    """A number that calls can be forwarded to. Raises LocalError."""
    if _FORWARD.fullmatch(number) is None:
        raise LocalError(f"calls can't be forwarded to {number[:40]!r}; 1 to 32 digits, *, # or a leading + are due")
    return number
