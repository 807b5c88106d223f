"""Trunks in an ICCS's settings: the SIP ports by which the telephone network reaches it, and it reaches the network."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from simulators.iccs.settings.base import Strict

_PORT = r"(?:[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
HostPort = Annotated[str, Field(pattern=rf"^[^:\s]+:{_PORT}$")]
TrunkName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=32)]


class TrunkSettings(Strict):
    """One trunk, a SIP port of its own."""

    name: TrunkName
    port: int = Field(default=0, ge=0, le=65535)
    """UDP port; 0 takes any free one."""
    peer: HostPort | None = None
    """Where calls to the telephone network go; None: where the latest call by this trunk came from."""
