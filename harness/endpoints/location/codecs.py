"""Finds the codec of the caller-location interface that a testbed names: our own, or one that a package brings."""

from __future__ import annotations

from collections.abc import Callable

from harness import installed
from harness.errors import CallerLocationLocalError
from harness.protocols.location.codec import ENTRY_POINTS, Codec
from harness.protocols.location.link_wire import JsonLines

OWN = "iccs"
"""The name of this project's own wire format; no package can take it."""

CodecFactory = Callable[[], Codec]


def codec_names() -> list[str]:
    """Return the names of the codecs that are installed, our own first."""
    return installed.names(ENTRY_POINTS, [OWN])


def load_codec(name: str = OWN) -> CodecFactory:
    """Return what makes a codec for each link.

    Raises:
        CallerLocationLocalError: none of that name is installed, or it can't be loaded.
    """
    if name == OWN:
        return JsonLines
    made: CodecFactory = installed.load(
        ENTRY_POINTS, name, "caller-location codec", CallerLocationLocalError, own=[OWN]
    )
    return made
