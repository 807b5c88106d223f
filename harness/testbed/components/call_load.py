"""A load of calls in a testbed file."""

from __future__ import annotations

from typing import Literal

from harness.testbed.components.base import BoundComponent, HostPort, Name


class CallLoadComponent(BoundComponent):
    """Callers by the hundred, played by the harness."""

    role: Literal["call_load"]
    local: HostPort = "127.0.0.1:0"
    """Where its SIP is bound, ``host:port``."""
    to: Name = "iccs"
    """The component that they call."""
