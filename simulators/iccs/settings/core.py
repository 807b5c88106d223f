"""The core nodes of a control room."""

from __future__ import annotations

from pydantic import Field

from simulators.settings import Strict


class CoreSettings(Strict):
    """How one takes over from the other."""

    standby: bool = True
    """Whether a second node stands by; without it nothing serves once the first is killed."""
    takeover_s: float = Field(default=2.0, ge=0, le=600)
    """Seconds from a node's loss until the other one serves. [p]"""
    keeps_calls: bool = True
    """Whether calls that are up live on; one that does not is the fault that NICCS-RES-001 is to find."""
