"""A dial plan: which pattern a dialled number matches, what becomes of the number, and where the call goes.

Theory. A pattern says digit by digit what it takes, in the notation of Cisco's call managers:

    101        these digits and no others          X      one digit
    [2-5]      one of these digits                 [^01]  one digit other than these
    !          one digit or more                   .      nothing; marks where `strip_pre_dot` cuts
    \\+ \\*      + or * itself                       @      a whole number of the national plan

and, as elsewhere, a `*` at the end stands for anything or nothing. `!` and `*` stand once. `@` is the United Kingdom's
plan here: any number that begins with 0, and the national short codes (Cisco's is North America's unless another plan
is loaded). Cisco's `+` and `?` for repetition are not known.

Of several patterns that match, the one that could match the fewest numbers of this length is taken, which is the one
with the longest fixed part where they differ in nothing else; of equals the one with more positions (XXXX before !),
then the one that is first in the plan. A translation without targets changes the number and looks again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from harness.errors import DialPlanError, NumberError
from harness.protocols import uk_numbers

MAX_ROUTES: Final = 10_000
MAX_PATTERN: Final = 64
"""Characters of a pattern."""
MAX_NUMBER: Final = 64
"""Characters of a number that is looked up."""
MAX_TARGETS: Final = 32
"""Targets of one route."""
MAX_TRANSLATIONS: Final = 10
"""Times that a number is changed and looked up again; more is a loop."""
_DIGITS: Final = "0123456789"
_KEYS: Final = frozenset(_DIGITS + "*#+")
_TAIL_CHOICES: Final = len(_KEYS)
_NATIONAL_DIGITS: Final = 11
"""Digits of a whole national number, its 0 included."""
_NATIONAL_KINDS: Final = frozenset(uk_numbers.Kind) - {uk_numbers.Kind.EXTENSION, uk_numbers.Kind.INTERNATIONAL}
_CLASS: Final = re.compile(r"\[(\^?)([0-9](?:-[0-9])?(?:[0-9](?:-[0-9])?)*)\]", re.ASCII)


@dataclass(frozen=True, slots=True)
class Pattern:
    """One pattern, parsed."""

    text: str
    head: tuple[frozenset[str], ...]
    """What each position may be, as far as the number of positions is fixed; with `@` alone nothing."""
    variable: str = ""
    """`!`, `*` or `@` after the head; empty where the length is fixed."""
    tail: tuple[frozenset[str], ...] = ()
    """What stands after `!`."""
    dot: int | None = None
    """Positions before the dot; None where there is none."""

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """Parse a pattern. Raises DialPlanError, which names it and what is wrong with it."""
        if not 1 <= len(text) <= MAX_PATTERN:
            raise DialPlanError(f"pattern {text[:MAX_PATTERN]!r}: 1 to {MAX_PATTERN} characters are due")
        parts: list[list[frozenset[str]]] = [[]]
        variable, dot, at = "", None, 0
        while at < len(text):
            char = text[at]
            at += 1
            if char == "*" and at == len(text):
                char = "**"
            if char in ("!", "**", "@"):
                if variable:
                    raise DialPlanError(f"pattern {text!r}: {variable} and {char[0]}; one of !, * and @ stands once")
                variable = char[0]
                parts.append([])
            elif char == ".":
                if dot is not None or variable:
                    raise DialPlanError(f"pattern {text!r}: one dot, before any !, * or @, is due")
                dot = len(parts[0])
            else:
                found, at = _position(text, char, at)
                parts[-1].append(found)
        tail = tuple(parts[1]) if len(parts) > 1 else ()
        if tail and variable != "!":
            raise DialPlanError(f"pattern {text!r}: nothing stands after {variable}")
        return cls(text, tuple(parts[0]), variable, tail, dot)

    @property
    def exact(self) -> str:
        """The one number that it matches; empty where there are several."""
        if self.variable or any(len(allowed) > 1 for allowed in self.head):
            return ""
        return "".join(next(iter(allowed)) for allowed in self.head)

    def choices(self, number: str) -> int | None:
        """How many numbers of this one's length the pattern matches; None where this one is not among them."""
        fixed = len(self.head) + len(self.tail)
        left = len(number) - fixed
        if left < (1 if self.variable in ("!", "@") else 0) or (left and not self.variable):
            return None
        after = len(number) - len(self.tail)
        middle = number[len(self.head) : after]
        ends = (*zip(self.head, number, strict=False), *zip(self.tail, number[after:], strict=True))
        if any(char not in allowed for allowed, char in ends):
            return None
        choices = 1
        for allowed, _ in ends:
            choices *= len(allowed)
        if self.variable == "!":
            return choices * 10**left if all(char in _DIGITS for char in middle) else None
        if self.variable == "@":
            # Fewer numbers than ten for each digit: a national plan beats a ! of the same head.
            return choices * 9**left if _is_national(middle) else None
        if self.variable == "*":
            return choices * _TAIL_CHOICES**left if all(char in _KEYS for char in middle) else None
        return choices

    def may_go_on(self, number: str) -> bool:
        """Whether digits that follow ``number`` could make it one that the pattern matches."""
        if not all(char in allowed for allowed, char in zip(self.head, number, strict=False)):
            return False
        rest = number[len(self.head) :]
        match self.variable:
            case "*":
                return all(char in _KEYS for char in rest)
            case "!":
                begun = range(min(max(1, len(self.tail)), len(rest)))
                return not rest or any(self._is_in_tail(rest, positions) for positions in begun)
            case "@":
                is_number = rest[:1] == "0" and all(char in _DIGITS for char in rest) and len(rest) < _NATIONAL_DIGITS
                return not rest or is_number or _begins_short_code(rest)
        return len(number) < len(self.head)

    def _is_in_tail(self, rest: str, begun: int) -> bool:
        """Whether what follows the head is digits of the !, and then the first ``begun`` positions of the tail."""
        digits, tail = rest[: len(rest) - begun], rest[len(rest) - begun :]
        inside = all(char in allowed for allowed, char in zip(self.tail, tail, strict=False))
        return bool(digits) and inside and all(char in _DIGITS for char in digits)


def _position(text: str, char: str, at: int) -> tuple[frozenset[str], int]:
    """What one position may be, and where the pattern goes on."""
    if char in ("X", "x"):
        return frozenset(_DIGITS), at
    if char == "[":
        match = _CLASS.match(text, at - 1)
        if match is None:
            raise DialPlanError(f"pattern {text!r}: at {text[at - 1 :]!r} [2-5] or [^01] is due")
        listed: set[str] = set()
        for first, last in re.findall(r"([0-9])(?:-([0-9]))?", match[2]):
            if last and last < first:
                raise DialPlanError(f"pattern {text!r}: {first}-{last} goes backwards")
            listed.update(_DIGITS[int(first) : int(last or first) + 1])
        found = frozenset(_DIGITS) - listed if match[1] else frozenset(listed)
        if not found:
            raise DialPlanError(f"pattern {text!r}: {match[0]} leaves no digit")
        return found, match.end()
    if char == "\\" and at < len(text):
        char, at = text[at], at + 1
    elif char in ("+", "?"):
        raise DialPlanError(f"pattern {text!r}: {char} for repetition is not known; \\+ is a plus")
    if char not in _KEYS:
        raise DialPlanError(f"pattern {text!r}: {char!r} is no digit, X, [ ], !, @, dot, *, # or \\+")
    return frozenset(char), at


def _is_national(number: str) -> bool:
    try:
        return not number.startswith(("+", "00")) and uk_numbers.parse(number).kind in _NATIONAL_KINDS
    except NumberError:
        return False


def _begins_short_code(digits: str) -> bool:
    return any(code.startswith(digits) and code != digits for code in uk_numbers.SHORT_CODES)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a call may go."""

    name: str
    """A trunk, a telephone, a hunt group: what the switch that asks calls it."""
    priority: int = 1
    """The least is tried first; those of one priority in their order."""


@dataclass(frozen=True, slots=True)
class Route:
    """One line of a dial plan."""

    pattern: str
    targets: tuple[Target, ...] = ()
    """Without any, and no ``refuse``, the number is changed and looked up again."""
    strip: int = 0
    """Digits that are cut off the front."""
    strip_pre_dot: bool = False
    """Whether what stands before the pattern's dot is cut off."""
    prepend: str = ""
    """Digits that are then put before it."""
    refuse: int = 0
    """The SIP status with which the call is refused; 0: it is not."""


@dataclass(frozen=True, slots=True)
class Routed:
    """What becomes of a call."""

    pattern: str
    """That of the last route."""
    number: str
    """As the target gets it."""
    targets: tuple[str, ...]
    """Names, in the order in which they are to be tried; empty where the call is refused."""
    refuse: int = 0
    translations: tuple[str, ...] = ()
    """Patterns that changed the number before."""


@dataclass(frozen=True, slots=True)
class _Line:
    pattern: Pattern
    route: Route
    order: tuple[str, ...]
    """Its targets' names, as they are to be tried."""


class DialPlan:
    """Routes, to be asked for numbers."""

    def __init__(self, routes: Iterable[Route]) -> None:
        """Raises DialPlanError on a route that means nothing, or two of one pattern; it names the pattern."""
        self._exact: dict[str, _Line] = {}
        self._open: dict[str, _Line] = {}
        for route in routes:
            line = _checked(route)
            exact = line.pattern.exact
            known = self._exact if exact else self._open
            other = known.setdefault(exact or route.pattern, line)
            if other is not line:
                raise DialPlanError(f"pattern {route.pattern!r} matches what {other.route.pattern!r} does already")
            if len(self._exact) + len(self._open) > MAX_ROUTES:
                raise DialPlanError(f"more than {MAX_ROUTES} routes")

    def route(self, number: str) -> Routed | None:
        """Where a call to ``number`` goes; None where nothing matches (404, or 484 where `may_go_on`).

        Raises DialPlanError where translations go on beyond MAX_TRANSLATIONS.
        """
        done: list[str] = []
        while True:
            line = self._best(number)
            if line is None:
                return None
            number = _changed(number, line)
            if line.route.refuse or line.order:
                return Routed(line.pattern.text, number, line.order, line.route.refuse, tuple(done))
            done.append(line.pattern.text)
            if len(done) > MAX_TRANSLATIONS:
                raise DialPlanError(f"translations that don't end: {' → '.join(map(repr, done[-4:]))} …")

    def may_go_on(self, number: str) -> bool:
        """Whether more digits could make a number that a pattern matches: the sender of these may dial on (484)."""
        lines = (*self._exact.values(), *self._open.values())
        return len(number) < MAX_NUMBER and any(line.pattern.may_go_on(number) for line in lines)

    def _best(self, number: str) -> _Line | None:
        if not 1 <= len(number) <= MAX_NUMBER:
            return None
        if (exact := self._exact.get(number)) is not None:
            return exact
        best: tuple[tuple[int, bool, int], _Line] | None = None
        for line in self._open.values():
            pattern = line.pattern
            choices = pattern.choices(number)
            if choices is not None:
                rank = choices, bool(pattern.variable), -len(pattern.head) - len(pattern.tail)
                if best is None or rank < best[0]:
                    best = rank, line
        return None if best is None else best[1]


def _checked(route: Route) -> _Line:
    pattern = Pattern.parse(route.pattern)
    told = f"pattern {route.pattern!r}"
    if len(route.targets) > MAX_TARGETS or any(not target.name for target in route.targets):
        raise DialPlanError(f"{told}: up to {MAX_TARGETS} targets, each with a name, are due")
    if route.refuse and (route.targets or not 300 <= route.refuse <= 699):
        raise DialPlanError(f"{told}: refuse is a status 300…699 of a route without targets, not {route.refuse}")
    if route.strip_pre_dot and pattern.dot is None:
        raise DialPlanError(f"{told}: strip_pre_dot, but there is no dot in it")
    if route.strip_pre_dot and route.strip:
        raise DialPlanError(f"{told}: strip and strip_pre_dot at once")
    least = len(pattern.head) + len(pattern.tail) + (pattern.variable in ("!", "@"))
    if not 0 <= route.strip <= least:
        raise DialPlanError(f"{told}: strip {route.strip}; the shortest number that it matches has {least} digits")
    if not set(route.prepend) <= _KEYS or len(route.prepend) > MAX_NUMBER:
        raise DialPlanError(f"{told}: prepend {route.prepend[:MAX_NUMBER]!r}; digits, *, # and + are due")
    changes = route.strip or route.strip_pre_dot or route.prepend
    if not route.targets and not route.refuse and not changes:
        raise DialPlanError(f"{told}: no target, no refusal and no change of the number: a loop")
    order = sorted(route.targets, key=lambda target: target.priority)
    return _Line(pattern, route, tuple(target.name for target in order))


def _changed(number: str, line: _Line) -> str:
    cut = line.pattern.dot if line.route.strip_pre_dot else line.route.strip
    return line.route.prepend + number[cut or 0 :]
