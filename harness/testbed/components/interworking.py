"""The gateway between TETRA talkgroups and MCPTT groups in a testbed file."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from harness.testbed.components.base import Binding, BoundComponent, Name
from simulators.interworking.settings import InterworkingSettings


class InterworkingGatewayComponent(BoundComponent):
    """Joins talkgroups of the TETRA network to groups of an MCPTT server."""

    role: Literal["interworking_gateway"]
    of: Name = "mcptt"
    """The MCPTT server."""
    simulator: InterworkingSettings
    """What it joins. A real gateway is not driven: it shows in what terminals and handsets hear, and is not named."""

    @model_validator(mode="after")
    def _is_simulated(self) -> InterworkingGatewayComponent:
        if self.binding is not Binding.SIMULATED:
            raise ValueError(
                f"an interworking_gateway can only be simulated, found {self.binding.value!r}: nobody drives a real"
                " one, leave it out and use the terminals and handsets on both sides"
            )
        return self
