"""Loads what installed packages bring under a group of entry points: a vendor's adapter, codec, dialect or console."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import entry_points
from typing import Any

from harness.errors import HarnessError


def names(group: str, own: Iterable[str] = ()) -> list[str]:
    """Return the names there are: ours first, which no package can take, then those of packages, sorted."""
    ours = list(own)
    return [*ours, *sorted({each.name for each in entry_points(group=group)} - set(ours))]


def load(group: str, name: str, what: str, error: type[HarnessError], *, own: Iterable[str] = ()) -> Any:
    """Return what a package brings under ``name``, which is to be called to make one.

    ``what`` is how a tester calls such a thing ("CRM adapter"), ``own`` the names that are this project's own and
    looked up by the caller. Raises ``error`` where no package brings it, and where it can't be loaded or called.
    """
    entry = next((each for each in entry_points(group=group) if each.name == name), None)
    if entry is None:
        there = ", ".join(names(group, own)) or "none"
        raise error(f"no {what} {name!r} is installed ({group}); there is {there}")
    told = f"{what} {name!r} ({entry.value})"
    try:
        found = entry.load()
    except Exception as reason:  # whatever a package's import raises, the tester is told which package it was
        raise error(f"{told} can't be loaded: {reason}") from reason
    if not callable(found):
        raise error(f"{told} can't be called to make one")
    return found
