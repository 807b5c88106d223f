"""Reads a testbed file; every error names file, line, key, what was found and what is allowed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from harness.errors import TestbedError
from harness.testbed.model import Testbed

MAX_FILE = 1024 * 1024
"""Bytes a testbed file may have."""
MAX_ALIASES = 100
"""YAML aliases a file may use: a few kilobytes of them can stand for gigabytes."""
_FOUND_SHOWN = 60


def load_testbed(path: Path) -> Testbed:
    """Return the testbed that ``path`` describes.

    Raises TestbedError with one line an error, ``file:line: key: found …; allowed: …``.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise TestbedError(f"{path}: can't be read: {error.strerror}") from error
    if len(raw) > MAX_FILE:
        raise TestbedError(f"{path}: {len(raw)} bytes; a testbed file has {MAX_FILE} at most")
    tree = _parse(path, raw)
    try:
        return Testbed.model_validate(_plain(tree))
    except ValidationError as error:
        raise TestbedError("\n".join(_told(path, tree, each) for each in error.errors())) from error


def _parse(path: Path, raw: bytes) -> CommentedMap:
    try:
        text = raw.decode("utf-8")
        yaml = YAML(typ="rt")
        if sum(line.count("*") for line in text.splitlines()) > MAX_ALIASES:
            aliases = sum(type(token).__name__ == "AliasToken" for token in yaml.scan(text))
            if aliases > MAX_ALIASES:
                raise TestbedError(f"{path}: {aliases} YAML aliases; {MAX_ALIASES} at most")
            yaml = YAML(typ="rt")
        tree = yaml.load(text)
    except UnicodeDecodeError as error:
        raise TestbedError(f"{path}: not UTF-8 at byte {error.start}") from error
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark is not None else 1
        raise TestbedError(f"{path}:{line}: not YAML: {error.problem}") from error
    except (YAMLError, ValueError, RecursionError) as error:
        raise TestbedError(f"{path}: not YAML: {error}") from error
    if not isinstance(tree, CommentedMap):
        raise TestbedError(
            f"{path}:1: found {type(tree).__name__}; a testbed is a mapping with 'name' and 'components'"
        )
    return tree


def _plain(node: Any) -> Any:
    if isinstance(node, CommentedMap):
        return {key: _plain(value) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        return [_plain(value) for value in node]
    return node


def _told(path: Path, tree: CommentedMap, error: Any) -> str:
    location = _in_file(tree, error["loc"], keep_last=error["type"] == "missing")
    line = _line(tree, location)
    key = ".".join(map(str, location)) or "the file"
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] in {"union_tag_invalid", "union_tag_not_found"}:
        role = error["input"].get("role") if isinstance(error["input"], dict) else None
        line = _line(tree, [*location, "role"])
        allowed = error["ctx"].get("expected_tags", "a mapping with 'role'")
        return f"{path}:{line}: {key}.role: found {role!r}; allowed: {allowed}"
    if error["type"] == "missing":
        return f"{path}:{line}: {key}: missing"
    if error["type"] == "extra_forbidden":
        return f"{path}:{line}: {key}: unknown key"
    if error["type"] == "value_error" and not location:
        return f"{path}:{_line_of_message(tree, message)}: {message}"
    if isinstance(error["input"], dict | list):
        return f"{path}:{line}: {key}: {message}"
    found = str(error["input"])
    found = found if len(found) <= _FOUND_SHOWN else found[:_FOUND_SHOWN] + "…"
    return f"{path}:{line}: {key}: found {found!r}; {_allowed(message)}"


def _allowed(message: str) -> str:
    head, _, rest = message.partition("Input should be ")
    return f"allowed: {rest}" if rest and not head else message


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
        line = (node.lc.key(step) if isinstance(node, CommentedMap) else node.lc.item(step))[0] + 1
        node = node[step]
    return line


def _line_of_message(tree: CommentedMap, message: str) -> int:
    """Return the line of the key that a message of the whole-file check begins with (``a.b.c: …``)."""
    return _line(tree, message.partition(":")[0].split("."))
