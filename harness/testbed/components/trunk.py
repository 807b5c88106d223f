"""The emergency trunk in a testbed file."""

from __future__ import annotations

from typing import Literal

from harness.testbed.components.base import BoundComponent, HostPort, Name


class TrunkComponent(BoundComponent):
    """The emergency trunk: the 999 operator's network, which places calls to the control room."""

    role: Literal["emergency_trunk"]
    local: HostPort = "127.0.0.1:0"
    """Where the trunk's SIP is bound, ``host:port``."""
    to: Name = "iccs"
    """The component it leads to."""
