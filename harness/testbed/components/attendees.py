"""Those who attend a meeting, in a testbed file."""

from __future__ import annotations

from typing import Literal

from harness.testbed.components.base import BoundComponent, HostPort, Name


class AttendeesComponent(BoundComponent):
    """People in a meeting by the hundred, played by the harness."""

    role: Literal["attendees"]
    local: HostPort = "127.0.0.1:0"
    """Where their SIP is bound, ``host:port``: a switch knows them by it as a trunk."""
    to: Name = "switch"
    """The component at which they call the meeting."""
