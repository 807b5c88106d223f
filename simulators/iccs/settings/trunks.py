"""Trunks in an ICCS's settings: the SIP ports by which the telephone network reaches it, and it reaches the network."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from simulators.iccs.settings.base import Seconds, Strict

_PORT = r"(?:[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
HostPort = Annotated[str, Field(pattern=rf"^[^:\s]+:{_PORT}$")]
TrunkName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=32)]


class OptionsWatch(Strict):
    """How a trunk's peer is watched: asked with OPTIONS (RFC 3261 section 11), lost when it does not answer.

    It is noticed ``every_s`` * ``lost_after`` + ``answer_s`` after the last answer at the latest: as these are by
    themselves 24 s, within the 30 s of NICCS-RES-008.
    """

    every_s: Seconds = 10.0
    """Between two questions; 0: it is never asked. [p]"""
    lost_every_s: float = Field(default=5.0, gt=0, le=3600)
    """The same while it is lost. [p]"""
    answer_s: float = Field(default=4.0, gt=0, le=32)
    """How long an answer may take. [p]"""
    lost_after: int = Field(default=2, ge=1, le=100)
    """Questions in a row that stay unanswered, or are answered 408 or 503, until it is lost. [p]"""
    back_after: int = Field(default=1, ge=1, le=100)
    """Answers in a row until it is back. [p]"""


class TrunkSettings(Strict):
    """One trunk, a SIP port of its own."""

    name: TrunkName
    port: int = Field(default=0, ge=0, le=65535)
    """UDP port; 0 takes any free one."""
    peer: HostPort | None = None
    """Where calls to the telephone network go; None: where the latest call by this trunk came from."""
    watch: OptionsWatch = OptionsWatch()
    """How its peer is watched; one that is learned from calls is lost only after it has answered OPTIONS once."""
