"""Errors of a testbed file as a whole: what names something that is not there, with what could be named instead."""

from __future__ import annotations

from collections.abc import Iterable

from pydantic_core import PydanticCustomError


def misfit(at: tuple[str | int, ...], found: object, allowed: str) -> PydanticCustomError:
    """An error of the whole file, which the reader of the file finds the line of."""
    return PydanticCustomError("misfit", "misfit", {"at": at, "found": found, "allowed": allowed})


def listed(names: Iterable[str]) -> str:
    """What could be named, as an error shows it."""
    return ", ".join(names) or "none is there"
