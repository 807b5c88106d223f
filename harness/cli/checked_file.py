"""Reads a YAML file into a model; errors are told a line each: ``file:line: key: found …; allowed: …``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from harness.scenario.names import meant
from harness.source import Kind, Spot, read_tree, shown

MAX_ERRORS: Final = 50
"""Errors that are told of one file."""
Model = TypeVar("Model", bound=BaseModel)
Where = Sequence[str | int]


def read_checked(
    path: Path, kind: Kind, model: type[Model], parts: frozenset[str], part_at: Callable[[Where], type[BaseModel]]
) -> tuple[Model, Spot]:
    """Return what the file holds, and where it stands.

    ``parts``: the keys that may be told of; ``part_at`` tells of which part an unknown key is. Raises the kind's error.
    """
    tree, spot = read_tree(path, kind)
    try:
        return model.model_validate(tree), spot
    except ValidationError as error:
        each_once = dict.fromkeys(_told(spot, each, parts, part_at) for each in error.errors(include_url=False))
        told = list(each_once)
        more = [f"and {len(told) - MAX_ERRORS} errors more"] if len(told) > MAX_ERRORS else []
        raise kind.error("\n".join(told[:MAX_ERRORS] + more)) from error


def _told(spot: Spot, error: Any, parts: frozenset[str], part_at: Callable[[Where], type[BaseModel]]) -> str:
    location = [step for step in error["loc"] if isinstance(step, int) or step in parts]
    place, dotted = spot.at(error["loc"]), ".".join(map(str, location)) or "the file"
    if error["type"] == "extra_forbidden":
        key = str(error["loc"][-1])
        hint = meant(key, part_at(error["loc"]).model_fields)
        return place.error(f"{dotted}: found the unknown key {key[:60]!r}{hint}")
    if error["type"] == "missing":
        return place.error(f"{dotted}: found nothing; allowed: this key, which is needed")
    message = str(error["msg"]).removeprefix("Value error, ").removeprefix("Input should be ")
    if error["type"] == "value_error":
        return place.error(f"{dotted}: {message}")
    return place.error(f"{dotted}: found {shown(error['input'])}; allowed: {message[:1].lower() + message[1:]}")
