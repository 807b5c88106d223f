"""The safety interlock: on a testbed with real equipment, nothing leaves that the file does not allow.

Drivers and endpoints ask before a byte is sent; a refusal is an InterlockError. With simulated components only,
everything is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from urllib.parse import unquote

from harness.errors import InterlockError
from harness.testbed.model import Testbed

POLICE_AND_EMERGENCY = frozenset({"999", "112", "101", "911", "111", "105", "18000", "18001", "18002"})
"""Numbers that reach a public service: a permit is needed whatever the file's own plan calls them."""
SERVICE_URN = "urn:service:sos"
"""Emergency services by name (RFC 5031)."""
PRE_EMPTIVE_PRIORITY = 12
"""The lowest priority that takes other calls down (EN 300 392-5; unconfirmed)."""
_USER = re.compile(r"^(?:sips?:|tel:)?([^@;?]+)", re.IGNORECASE)
_SEPARATORS = re.compile(r"[-.() ]")


class Interlock:
    """Answers whether a dial, a key or a message may leave, for one testbed on one day."""

    def __init__(self, testbed: Testbed, today: date) -> None:
        self._testbed = testbed
        self._today = today
        self._real = testbed.real()
        plan = testbed.numbers
        self._guarded = POLICE_AND_EMERGENCY | set(plan.emergency) | set(plan.non_emergency)
        self._groups = {str(gssi): name for name, gssi in testbed.talkgroups.items()}

    @property
    def armed(self) -> bool:
        """Whether anything on the testbed is real."""
        return bool(self._real)

    def dial(self, target: str) -> None:
        """Allow a call or request to ``target`` (a SIP, tel or service URI, or a number), or raise InterlockError."""
        if not self._real:
            return
        if target.lower().startswith(SERVICE_URN):
            self._need_permit("emergency_call", self._testbed.numbers.emergency[0])
            return
        match = _USER.match(unquote(target))
        number = _SEPARATORS.sub("", match.group(1) if match else target)
        if self._service(number) in self._guarded:
            self._need_permit("emergency_call", self._service(number))
            return
        if not any(_fits(number, pattern) for pattern in self._testbed.safety.dial):
            raise InterlockError(
                f"dialling {number} is not allowed: {self._why()}, and safety.dial names "
                f"{_listed(self._testbed.safety.dial)}"
            )

    def radio(self, what: str, target: str, priority: int) -> None:
        """Allow a radio act, or raise InterlockError.

        ``what`` is ``key``, ``call`` (``target`` a GSSI, an ISSI or a talkgroup's name) or ``message`` (``target`` an
        ISSI);
        ``priority`` 0 to 15: from 12 on a dated permit is needed.
        """
        if not self._real:
            return
        name = self._groups.get(target, target)
        if priority >= PRE_EMPTIVE_PRIORITY:
            self._need_permit("radio_emergency", name)
            return
        safety = self._testbed.safety
        if what == "message":
            allowed, names = target in {str(issi) for issi in safety.message}, _listed(map(str, safety.message))
        else:
            allowed, names = name in safety.key, _listed(safety.key)
        if not allowed:
            listed = "safety.message" if what == "message" else "safety.key"
            raise InterlockError(f"{what} {name} is not allowed: {self._why()}, and {listed} names {names}")

    def _service(self, number: str) -> str:
        """Return the short code that a number stands for, national and international prefixes taken off."""
        for prefix in ("+44", "0044", "9,", "141", "1470"):
            rest = number.removeprefix(prefix)
            if rest != number and rest in self._guarded:
                return rest
        return number

    def _need_permit(self, what: str, target: str) -> None:
        for permit in self._testbed.safety.permits:
            if permit.what == what and permit.target == target:
                if permit.valid_from <= self._today <= permit.valid_until:
                    return
                raise InterlockError(
                    f"{what} to {target}: the permit of {permit.approved_by} holds from {permit.valid_from} "
                    f"to {permit.valid_until}; today is {self._today}"
                )
        raise InterlockError(f"{what} to {target} needs a dated permit under safety.permits: {self._why()}")

    def _why(self) -> str:
        shown = ", ".join(self._real[:3]) + (" …" if len(self._real) > 3 else "")
        return f"{shown} of testbed {self._testbed.name!r} {'is' if len(self._real) == 1 else 'are'} not simulated"


def _fits(number: str, pattern: str) -> bool:
    return number.startswith(pattern[:-1]) if pattern.endswith("*") else number == pattern


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "nothing"
