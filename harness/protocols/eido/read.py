"""Reads an EIDO: bounded, every reference followed, errors that name the place in the object."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from pydantic import ValidationError

from harness.errors import EidoError
from harness.protocols.eido.model import Eido

MAX_BYTES: Final = 1_000_000
"""Bytes of one object."""
MAX_COMPONENTS: Final = 2_000
"""Components of one object, all kinds together."""
MAX_DEPTH: Final = 32
"""Levels of nesting."""


def read(data: bytes | str | dict[str, Any]) -> Eido:
    """Return the object that ``data`` is (JSON, or what JSON says).

    Raises EidoError for what is no JSON, too long or deep, not as the schema has it, holds two components of one
    `$id`, or refers to a component that is not in it. A reference to an agency or agent may lead out of the object, as
    in the schema's samples.
    """
    tree = _tree(data)
    if _depth(tree) > MAX_DEPTH:
        raise EidoError(f"nested deeper than {MAX_DEPTH} levels")
    try:
        eido = Eido.model_validate(tree)
    except ValidationError as error:
        first = error.errors()[0]
        raise EidoError(f"{_place(first['loc'])}: {first['msg']}") from None
    _follow(eido, tree)
    return eido


def _tree(data: bytes | str | dict[str, Any]) -> dict[str, Any]:
    if isinstance(data, dict):
        return data
    if len(data) > MAX_BYTES:
        raise EidoError(f"{len(data)} bytes, of {MAX_BYTES} at most")
    try:
        tree = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise EidoError(f"no JSON: {error}") from None
    if not isinstance(tree, dict):
        raise EidoError(f"a JSON object is due, found {type(tree).__name__}")
    return tree


def _depth(tree: Any) -> int:
    """How deep a tree is, at most one more than MAX_DEPTH; without recursion, which hostile input would exhaust."""
    level, depth = [tree], 0
    while level and depth <= MAX_DEPTH:
        depth += 1
        level = [
            below
            for each in level
            if isinstance(each, dict | list)
            for below in (each.values() if isinstance(each, dict) else each)
        ]
    return depth


def _follow(eido: Eido, tree: dict[str, Any]) -> None:
    ids: set[str] = set()
    for count, (key, component) in enumerate(_components(tree), start=1):
        if count > MAX_COMPONENTS:
            raise EidoError(f"more than {MAX_COMPONENTS} components")
        found = component.get("$id")
        if isinstance(found, str):
            if found in ids:
                raise EidoError(f"{key}: a second component with $id {found!r}")
            ids.add(found)
    for key, component in _components(tree):
        for name, ref in _references(component):
            if ref not in ids and not name.startswith("updatedBy") and name not in _MAY_LEAD_OUT:
                raise EidoError(f"{key}.{name}: refers to {ref!r}, which is not in this object {eido.id!r}")


_MAY_LEAD_OUT: Final = frozenset({"agencyReference", "agentReference", "additionalDataReference"})


def _components(tree: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for key, value in tree.items():
        if key.endswith("Component"):
            for each in value if isinstance(value, list) else [value]:
                if isinstance(each, dict):
                    yield key, each


def _references(component: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in component.items():
        if name.endswith("Reference"):
            for each in value if isinstance(value, list) else [value]:
                ref = each.get("$ref") if isinstance(each, dict) else None
                if isinstance(ref, str):
                    yield name, ref


def _place(location: tuple[int | str, ...]) -> str:
    return ".".join(str(step) for step in location) or "the object"
