"""Reads a testbed file; every error names file, line, key, what was found and what is allowed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError

from harness.errors import TestbedError
from harness.testbed.keys import allowed_keys
from harness.testbed.model import Testbed

LAYOUTS = Path(__file__).resolve().parents[2] / "fixtures" / "testbeds"
"""The simulated testbeds that tests name, and a real one can stand for."""
MAX_FILE = 1024 * 1024
"""Bytes a testbed file may have."""
MAX_VALUES = 100_000
"""Keys and values that a testbed may have with its YAML aliases written out: a few hundred bytes of those can stand for
gigabytes."""
MAX_DEPTH = 32
"""How deep values may be nested."""
MAX_ERRORS = 50
"""Errors that are told of one file."""
_FOUND_SHOWN = 60
_SECRETS = frozenset({"password", "control_token", "token", "aml_key", "hmac_key"})


def load_testbed(path: Path) -> Testbed:
    """Return the testbed that ``path`` describes.

    Raises TestbedError with one line an error, ``file:line: key: found …; allowed: …``.
    """
    tree = _parse(path, _read(path))
    try:
        testbed = Testbed.model_validate(_Plain(path).of(tree))
    except ValidationError as error:
        errors = error.errors(include_url=False)
        told = [_told(path, tree, each) for each in errors[:MAX_ERRORS]]
        if len(errors) > MAX_ERRORS:
            told.append(f"{path}: and {len(errors) - MAX_ERRORS} errors more")
        raise TestbedError("\n".join(told)) from error
    known = sorted(each.stem for each in LAYOUTS.glob("*.yaml"))
    unknown = [index for index, name in enumerate(testbed.stands_for) if name not in known]
    if unknown:
        allowed = f"a testbed of {LAYOUTS.parent.name}/{LAYOUTS.name} ({', '.join(known)})"
        lines = [_line_of(path, tree, ("stands_for", i), f"found {testbed.stands_for[i]!r}", allowed) for i in unknown]
        raise TestbedError("\n".join(lines))
    return testbed


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_FILE + 1)
    except OSError as error:
        raise TestbedError(f"{path}: can't be read: {error.strerror}") from error
    except ValueError as error:  # a NUL in the name
        raise TestbedError(f"{str(path)!r}: can't be read: {error}") from error
    if len(raw) > MAX_FILE:
        raise TestbedError(f"{path}: found more than {MAX_FILE} bytes; a testbed file has {MAX_FILE} at most")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise TestbedError(f"{path}:{line}: found byte 0x{raw[error.start]:02X}, which is not UTF-8") from error


def _parse(path: Path, text: str) -> CommentedMap:
    try:
        tree = YAML(typ="rt").load(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else 1
        problem = " ".join(str(error.problem or error.context).split("\n\n")[0].split())
        raise TestbedError(f"{path}:{line}: not YAML: {problem}") from error
    except RecursionError as error:
        raise TestbedError(f"{path}: nested deeper than {MAX_DEPTH}") from error
    except Exception as error:  # ruamel raises much of its own making on odd text, all of it the text's fault
        position = getattr(error, "position", None)
        line = text.count("\n", 0, position) + 1 if isinstance(position, int) else 1
        reason = str(error).split("\n", maxsplit=1)[0] or type(error).__name__
        raise TestbedError(f"{path}:{line}: not YAML: {reason}") from error
    if not isinstance(tree, CommentedMap):
        raise TestbedError(f"{path}:1: found {_shown(tree, '')}; allowed: a mapping with 'name' and 'components'")
    return tree


class _Plain:
    """Turns ruamel's nodes into what pydantic takes, aliases written out, within bounds."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._left = MAX_VALUES

    def of(self, node: Any, depth: int = 0) -> Any:
        self._left -= 1
        if self._left < 0:
            raise TestbedError(f"{self._path}: more than {MAX_VALUES} values, YAML aliases written out")
        if depth > MAX_DEPTH:
            raise TestbedError(f"{self._path}: nested deeper than {MAX_DEPTH}")
        if isinstance(node, Mapping):
            return {self._key(key): self.of(value, depth + 1) for key, value in node.items()}
        if isinstance(node, Sequence) and not isinstance(node, str | bytes):
            return [self.of(value, depth + 1) for value in node]
        return node

    def _key(self, key: Any) -> Any:
        """A key of several values is no key of ours: its text is."""
        return key if isinstance(key, str | int | float | date | None) else str(key)


def _told(path: Path, tree: CommentedMap, error: Any) -> str:
    kind = error["type"]
    if kind == "misfit":
        context = error["ctx"]
        return _line_of(path, tree, context["at"], _found(context["found"], context["at"]), context["allowed"])
    location = _in_file(tree, error["loc"], keep_last=kind == "missing")
    if kind in {"union_tag_invalid", "union_tag_not_found"}:
        key = str(error["ctx"]["discriminator"]).strip("'")
        tag = error["input"].get(key) if isinstance(error["input"], dict) else None
        allowed = str(error["ctx"].get("expected_tags", "")) or f"a mapping with {key!r}"
        return _line_of(path, tree, [*location, key], _found(tag, (key,)), allowed)
    if kind == "missing":
        return _line_of(path, tree, location, "found nothing", "this key, which is needed")
    if kind == "extra_forbidden":
        known = ", ".join(allowed_keys(Testbed, error["loc"][:-1]))
        return _line_of(path, tree, location, f"found the unknown key {str(error['loc'][-1])[:_FOUND_SHOWN]!r}", known)
    message = str(error["msg"]).removeprefix("Value error, ")
    if kind == "value_error":
        return f"{path}:{_line(tree, location)}: {_dotted(location)}: {message}"
    allowed = message.removeprefix("Input should be ")
    allowed = allowed if allowed != message else message[:1].lower() + message[1:]
    if str(error["loc"][-1]) == "[key]":
        return _line_of(path, tree, location, f"found the key {str(error['input'])[:_FOUND_SHOWN]!r}", allowed)
    return _line_of(path, tree, location, _found(error["input"], location), allowed)


def _line_of(path: Path, tree: Any, location: Sequence[str | int], found: str, allowed: str) -> str:
    return f"{path}:{_line(tree, location)}: {_dotted(location)}: {found}; allowed: {allowed}"


def _dotted(location: Sequence[str | int]) -> str:
    return ".".join(map(str, location)) or "the file"


def _found(value: Any, location: Sequence[str | int]) -> str:
    return f"found {_shown(value, str(location[-1]) if location else '')}"


def _shown(value: Any, key: str) -> str:
    """Return a value as an error shows it: short, and secrets not at all."""
    if value is None:
        return "nothing"
    if key in _SECRETS:
        return "a value that is not shown"
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "a list"
    text = repr(str(value)) if isinstance(value, str) else str(value)
    return text if len(text) <= _FOUND_SHOWN else text[:_FOUND_SHOWN] + "…"


def _in_file(tree: Any, location: Sequence[str | int], *, keep_last: bool) -> list[str | int]:
    """Leave out what pydantic adds to a location (union members' names): keep what the file has.

    ``keep_last``: and the last key, which is the one that is missing.
    """
    kept: list[str | int] = []
    node = tree
    for index, step in enumerate(location):
        last = index == len(location) - 1
        if _has(node, step):
            node = node[step]
            kept.append(step)
        elif last and keep_last:
            kept.append(step)
    return kept


def _has(node: Any, step: str | int) -> bool:
    if isinstance(node, CommentedMap):
        return step in node
    return isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node)


def _line(tree: Any, location: Sequence[str | int]) -> int:
    """Return the line of the deepest key of ``location`` that the file has, from 1."""
    node, line = tree, 1
    for step in location:
        if not _has(node, step):
            break
        try:
            line = (node.lc.key(step) if isinstance(node, CommentedMap) else node.lc.item(step))[0] + 1
        except (KeyError, TypeError):  # it came with a merge (``<<``) and stands elsewhere
            break
        node = node[step]
    return line
