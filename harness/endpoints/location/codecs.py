"""Finds the codec of the caller-location interface that a testbed names: our own, or one that a package brings."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points

from harness.errors import CallerLocationLocalError
from harness.protocols.location.codec import ENTRY_POINTS, Codec
from harness.protocols.location.link_wire import JsonLines

OWN = "iccs"
"""The name of this project's own wire format; no package can take it."""

CodecFactory = Callable[[], Codec]


def codec_names() -> list[str]:
    """Return the names of the codecs that are installed, our own first."""
    return [OWN, *sorted({entry.name for entry in _installed()} - {OWN})]


def load_codec(name: str = OWN) -> CodecFactory:
    """Return what makes a codec for each link.

    Raises:
        CallerLocationLocalError: none of that name is installed, or it can't be loaded.
    """
    if name == OWN:
        return JsonLines
    entry = next((entry for entry in _installed() if entry.name == name), None)
    if entry is None:
        there = ", ".join(codec_names())
        raise CallerLocationLocalError(f"no caller-location codec {name!r} is installed; there is {there}")
    try:
        factory = entry.load()
    except Exception as error:  # whatever a package's import raises, the tester is told which package it was
        raise CallerLocationLocalError(
            f"caller-location codec {name!r} ({entry.value}) can't be loaded: {error}"
        ) from error
    if not callable(factory):
        raise CallerLocationLocalError(f"caller-location codec {name!r} ({entry.value}) can't be called to make one")
    made: CodecFactory = factory
    return made


def _installed() -> list[EntryPoint]:
    return list(entry_points(group=ENTRY_POINTS))
