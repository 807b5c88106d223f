"""SCIM filters (RFC 7644 section 3.4.2.2): read into a tree, and asked whether a resource fits.

    filter  = or
    or      = and *("or" and)
    and     = one *("and" one)
    one     = ["not"] "(" or ")" / path "pr" / path operator value / path "[" or "]"
    value   = a JSON string, number, true, false or null

Operators and names are read in any case. A comparison of several values fits where one of them does; of complex ones
their ``value`` is compared.
"""

from __future__ import annotations

import json
import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from harness.errors import ScimError
from harness.protocols.scim.layout import Attribute, Layout, Path

MAX_FILTER: Final = 4_096
"""Characters of a filter."""
MAX_DEPTH: Final = 16
"""Brackets within brackets."""
MAX_TERMS: Final = 128
"""Comparisons of one filter."""
_ORDER: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "eq": operator.eq,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_IN_TEXT: Final[dict[str, Callable[[str, str], bool]]] = {
    "co": str.__contains__,
    "sw": str.startswith,
    "ew": str.endswith,
}
OPERATORS: Final = frozenset({*_ORDER, *_IN_TEXT, "ne"})
_TOKEN: Final = re.compile(
    r"\s*(?:(?P<text>\"(?:[^\"\\\x00-\x1f]|\\.)*\")|(?P<mark>[()\[\]])|(?P<word>[^\s()\[\]\"]+))", re.DOTALL
)
_ISO: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


@dataclass(frozen=True, slots=True)
class Comparison:
    """``path operator value``; ``pr`` has no value."""

    path: Path
    operator: str
    value: Any
    exact: bool


@dataclass(frozen=True, slots=True)
class Joined:
    """All of several, or one of them."""

    every: bool
    terms: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Negated:
    """Not so."""

    term: Term


@dataclass(frozen=True, slots=True)
class Within:
    """One value of several, for which all of it is so: ``emails[type eq "work"]``."""

    path: Path
    term: Term


Term: TypeAlias = Comparison | Joined | Negated | Within


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter that was read."""

    term: Term

    def fits(self, resource: Mapping[str, Any]) -> bool:
        """Whether a resource, in its schema's own names, is one that is looked for."""
        return _fits(self.term, resource)


def parse_filter(text: str, layout: Layout) -> Filter:
    """Read a filter of resources of this layout.

    Raises ScimError, ``invalidFilter``, for what can't be read, names an attribute that is not there, or compares what
    can't be compared.
    """
    if len(text) > MAX_FILTER:
        raise ScimError(f"a filter has at most {MAX_FILTER} characters", "invalidFilter")
    return _Reader(text, layout.root, layout).whole()


def parse_value_filter(text: str, layout: Layout, attribute: Attribute) -> Filter:
    """Read what stands in a path's brackets: a filter of the values of ``attribute``. Raises as `parse_filter`."""
    if len(text) > MAX_FILTER:
        raise ScimError(f"a filter has at most {MAX_FILTER} characters", "invalidFilter")
    return _Reader(text, attribute, layout).whole()


def _wrong(why: str) -> ScimError:
    return ScimError(why, "invalidFilter")


def _tokens(text: str) -> Iterator[str]:
    at = 0
    end = len(text.rstrip())
    while at < end:
        found = _TOKEN.match(text, at)
        if found is None:
            raise _wrong(f"the filter can't be read from its character {at + 1} on")
        yield found.group().strip()
        at = found.end()


class _Reader:
    def __init__(self, text: str, root: Attribute, layout: Layout) -> None:
        self._left = list(_tokens(text))
        self._left.reverse()
        self._root, self._layout = root, layout
        self._terms = 0

    def whole(self) -> Filter:
        term = self._any(0)
        if self._left:
            raise _wrong(f"the filter goes on with {self._left[-1]!r} where it should end")
        return Filter(term)

    def _next(self, what: str) -> str:
        if not self._left:
            raise _wrong(f"the filter ends where {what} should stand")
        return self._left.pop()

    def _take(self, word: str) -> bool:
        if self._left and self._left[-1].lower() == word:
            self._left.pop()
            return True
        return False

    def _any(self, depth: int) -> Term:
        if depth > MAX_DEPTH:
            raise _wrong(f"a filter has at most {MAX_DEPTH} brackets within brackets")
        terms = [self._all(depth)]
        while self._take("or"):
            terms.append(self._all(depth))
        return terms[0] if len(terms) == 1 else Joined(False, tuple(terms))

    def _all(self, depth: int) -> Term:
        terms = [self._one(depth)]
        while self._take("and"):
            terms.append(self._one(depth))
        return terms[0] if len(terms) == 1 else Joined(True, tuple(terms))

    def _one(self, depth: int) -> Term:
        self._terms += 1
        if self._terms > MAX_TERMS:
            raise _wrong(f"a filter has at most {MAX_TERMS} comparisons")
        if self._left and self._left[-1].lower() == "not" and len(self._left) > 1 and self._left[-2] == "(":
            self._left.pop()
            return Negated(self._one(depth))
        word = self._next("an attribute")
        if word == "(":
            term = self._any(depth + 1)
            self._close(")")
            return term
        path, attribute = self._path(word)
        if self._take("["):
            if not attribute.parts:
                raise _wrong(f"{word!r} has no attributes of its own")
            outer, self._root = self._root, attribute
            term = self._any(depth + 1)
            self._root = outer
            self._close("]")
            return Within(path, term)
        return self._comparison(word, path, attribute)

    def _close(self, mark: str) -> None:
        if self._next(repr(mark)) != mark:
            raise _wrong(f"{mark!r} is missing")

    def _path(self, word: str) -> tuple[Path, Attribute]:
        if self._root is self._layout.root:
            path = self._layout.path(word, wrong="invalidFilter")
            return path, self._layout.attribute(path)
        found = self._root.parts.get(word.lower())
        if found is None:
            raise _wrong(f"there is no attribute {word[:64]!r} of {self._root.name}")
        return (found.name,), found

    def _comparison(self, word: str, path: Path, attribute: Attribute) -> Comparison:
        how = self._next("an operator").lower()
        if how == "pr":
            return Comparison(path, how, None, True)
        if how not in OPERATORS:
            raise _wrong(f"there is no operator {how[:16]!r}")
        value = self._value()
        if attribute.parts:
            if "value" not in attribute.parts:
                raise _wrong(f"{word!r} is compared by its attributes: {', '.join(attribute.parts)}")
            path, attribute = (*path, "value"), attribute.parts["value"]
        if attribute.boolean and (how not in {"eq", "ne"} or not isinstance(value, bool | None)):
            raise _wrong(f"{word!r} is true or false, and is compared by eq and ne")
        if how in _ORDER and how != "eq" and (value is None or isinstance(value, bool)):
            raise _wrong(f"nothing is greater or less than {json.dumps(value)}")
        if how in _IN_TEXT and not isinstance(value, str):
            raise _wrong(f"{how} needs a text")
        return Comparison(path, how, value, attribute.exact)

    def _value(self) -> Any:
        word = self._next("a value")
        try:
            value = json.loads(word)
        except (ValueError, RecursionError):
            raise _wrong(f"{word[:64]!r} is no value: a text stands in double quotes") from None
        if isinstance(value, float) and not math.isfinite(value):
            raise _wrong("a value is a number, a text, true, false or null")
        return value


def _values(resource: Any, path: Path) -> list[Any]:
    """All that stands at a path; of several values each."""
    found = [resource]
    for key in path:
        inner: list[Any] = []
        for each in found:
            if isinstance(each, Mapping) and each.get(key) is not None:
                value = each[key]
                inner += value if isinstance(value, list) else [value]
        found = inner
    return found


def _fits(term: Term, resource: Any) -> bool:
    if isinstance(term, Joined):
        return (all if term.every else any)(_fits(each, resource) for each in term.terms)
    if isinstance(term, Negated):
        return not _fits(term.term, resource)
    values = _values(resource, term.path)
    if isinstance(term, Within):
        return any(_fits(term.term, each) for each in values)
    if term.operator == "pr":
        return any(each not in ("", [], {}) for each in values)
    if term.operator == "ne":
        return not any(_compared("eq", each, term) for each in values) if values else term.value is not None
    if not values:
        return term.operator == "eq" and term.value is None
    return any(_compared(term.operator, each, term) for each in values)


def _compared(how: str, found: Any, term: Comparison) -> bool:
    wanted = term.value
    if isinstance(found, bool) or isinstance(wanted, bool):
        return how == "eq" and found is wanted
    if isinstance(found, str) and isinstance(wanted, str):
        moments = _ISO.match(found) is not None and _ISO.match(wanted) is not None
        if not term.exact and not moments:
            found, wanted = found.casefold(), wanted.casefold()
    elif not (isinstance(found, int | float) and isinstance(wanted, int | float)):
        return False
    if how in _IN_TEXT:
        return isinstance(found, str) and _IN_TEXT[how](found, wanted)
    return bool(_ORDER[how](found, wanted))
