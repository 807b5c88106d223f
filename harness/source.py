"""Reads a YAML file of a scenario, or another kind, within bounds, and keeps the line of every value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.composer import Composer
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import AliasEvent

from harness.errors import LocalError, ScenarioError

MAX_FILE: Final = 1024 * 1024
"""Bytes that a file may have."""
MAX_DEPTH: Final = 16
"""How deep values may be nested."""
MAX_VALUES: Final = 100_000
"""Keys and values that a file may have."""

Location = Sequence[str | int]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file is called in errors, and which error tells of it."""

    name: str
    error: type[LocalError]
    holds: str
    """The keys at its head."""
    instead: str
    """What is written instead of a YAML alias."""


SCENARIO: Final = Kind(
    "scenario", ScenarioError, "'id', 'actors' and 'timeline'", "use 'variables', or 'include' a file"
)


@dataclass(slots=True)
class Spot:
    """Where a value stands, and where its parts do."""

    file: Path
    line: int
    """From 1."""
    parts: dict[str | int, Spot] = field(default_factory=dict)

    def at(self, location: Location) -> Spot:
        """Return the place of the deepest step of ``location`` that the file has; steps that it lacks are left out."""
        spot = self
        for step in location:
            spot = spot.parts.get(step, spot)
        return spot

    def error(self, message: str) -> str:
        """Return a line of an error message that begins with the place."""
        return f"{self.file}:{self.line}: {message}"


class _Bounded(Composer):
    """Refuses aliases, and what is nested too deep or too long, before it is built."""

    depth = 0
    values = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.parser.peek_event()
        line = event.start_mark.line + 1
        if isinstance(event, AliasEvent):
            raise _AliasError(line, f"found the alias '*{event.anchor}'")
        self.depth += 1
        self.values += 1
        if self.depth > MAX_DEPTH:
            raise _BoundError(line, f"found values nested deeper than {MAX_DEPTH}")
        if self.values > MAX_VALUES:
            raise _BoundError(line, f"found more than {MAX_VALUES} values")
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


class _BoundError(Exception):
    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


class _AliasError(_BoundError):
    pass


def read_tree(path: Path, kind: Kind = SCENARIO) -> tuple[dict[str, Any], Spot]:
    """Return the mapping that a file holds, as plain values, and where each of them stands.

    Raises the kind's error naming file and line for what can't be read, is no YAML, or is over a bound.
    """
    text = _read(path, kind)
    yaml = YAML(typ="rt")
    yaml.Composer = _Bounded
    try:
        tree = yaml.load(text)
    except _AliasError as error:
        raise kind.error(f"{path}:{error.line}: {error}; a {kind.name} has none: {kind.instead}") from error
    except _BoundError as error:
        raise kind.error(f"{path}:{error.line}: {error}") from error
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else 1
        problem = " ".join(str(error.problem or error.context).split("\n\n")[0].split())
        raise kind.error(f"{path}:{line}: not YAML: {problem}") from error
    except RecursionError as error:
        raise kind.error(f"{path}:1: found values nested deeper than {MAX_DEPTH}") from error
    except Exception as error:  # ruamel raises much of its own making on odd text, all of it the text's fault
        position = getattr(error, "position", None)
        line = text.count("\n", 0, position) + 1 if isinstance(position, int) else 1
        reason = str(error).split("\n", maxsplit=1)[0] or type(error).__name__
        raise kind.error(f"{path}:{line}: not YAML: {reason}") from error
    if not isinstance(tree, CommentedMap):
        raise kind.error(f"{path}:1: found {shown(tree)}; a {kind.name} is a mapping with {kind.holds}")
    root = Spot(path, 1)
    return _plain(tree, root), root


def _read(path: Path, kind: Kind) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE + 1)
    except OSError as error:
        raise kind.error(f"{path}: can't be read: {error.strerror}") from error
    except ValueError as error:  # a NUL in the name
        raise kind.error(f"{str(path)!r}: can't be read: {error}") from error
    if len(raw) > MAX_FILE:
        raise kind.error(f"{path}: found more than {MAX_FILE} bytes; a {kind.name} file has {MAX_FILE} at most")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise kind.error(f"{path}:{line}: found byte 0x{raw[error.start]:02X}, which is not UTF-8") from error


def _plain(node: Any, spot: Spot) -> Any:
    """Turn ruamel's nodes into plain values, and note their places beneath ``spot``."""
    if isinstance(node, Mapping):
        found: dict[Any, Any] = {}
        for key, value in node.items():
            name = key if isinstance(key, str | int) else str(key)
            spot.parts[name] = Spot(spot.file, _line(node, key, spot.line))
            found[name] = _plain(value, spot.parts[name])
        return found
    if isinstance(node, Sequence) and not isinstance(node, str | bytes):
        items: list[Any] = []
        for index, value in enumerate(node):
            spot.parts[index] = Spot(spot.file, _line(node, index, spot.line))
            items.append(_plain(value, spot.parts[index]))
        return items
    for kind in (str, bool, int, float):
        if isinstance(node, kind):
            return kind(node)
    return node


def _line(node: Any, key: Any, otherwise: int) -> int:
    try:
        return int((node.lc.item(key) if isinstance(node, CommentedSeq) else node.lc.key(key))[0]) + 1
    except (AttributeError, KeyError, TypeError):  # it came with a merge (``<<``) and stands elsewhere
        return otherwise


def shown(value: Any) -> str:
    """Return a value as an error shows it, short."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return "a list"
    text = repr(value)
    return text if len(text) <= 60 else text[:60] + "…"
