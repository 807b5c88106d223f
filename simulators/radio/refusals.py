"""What the radio network answers where it can't do what its control interface was asked."""

from __future__ import annotations

from harness.errors import LocalError


class ControlError(LocalError):
    """The network was asked for what can't be."""


class UnknownThingError(ControlError):
    """The network was asked about a terminal, group, site or microphone that is not there."""
