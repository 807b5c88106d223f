"""Opens the clocks of a testbed's nodes."""

from __future__ import annotations

from harness.drivers.clocks import NodeClocks
from harness.endpoints.control_link import ControlClient
from harness.testbed.opening.base import Opening, host_port


def open_clocks(opening: Opening) -> NodeClocks:
    """Open them: of equipment those that the file gives an ``ntp`` address of, of simulators all that were started."""
    addresses = opening.addresses
    nodes = {}
    for name, component in opening.testbed.components.items():
        if component.ntp is not None:
            nodes[name] = host_port(component.ntp)
        elif addresses.has(name, "ntp"):
            nodes[name] = addresses.host_port(name, "ntp")
    control = next((entry.url for entry in addresses if entry.kind == "clock"), None)
    return NodeClocks(
        opening.context, opening.clock, nodes, None if control is None else ControlClient("clocks", control, None)
    )
