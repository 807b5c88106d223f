"""A scripted telephone in a testbed file."""

from __future__ import annotations

from typing import Literal

from harness.testbed.components.base import BoundComponent, HostPort, Name


class ScriptedPhoneComponent(BoundComponent):
    """A telephone that the harness plays, and that misbehaves on demand."""

    role: Literal["scripted_phone"]
    local: HostPort = "127.0.0.1:0"
    """Where its SIP is bound, ``host:port``."""
    to: Name = "iccs"
    """The component that it calls numbers at."""
    user: str = ""
    """The user part of its URI; its name where left out."""
