"""Starts the radio gateway simulator, its radios on the TETRA terminals that were started for them."""

from __future__ import annotations

from harness.testbed.components.roip import RoipGatewayComponent
from harness.testbed.starting.base import Starting
from simulators.roip.simulator import RoipGateway
from simulators.roip.tetra import TerminalLine

GATEWAY_BAUD = 115_200
"""Of the terminals' lines, which are pseudo-terminals."""


async def start_roip(starting: Starting, name: str, component: RoipGatewayComponent) -> None:
    """Start it; a radio whose network was not started is on its own. Raises LocalError."""
    settings = component.simulator
    gateway = await RoipGateway.start(
        starting.context, settings, name=name, lines=_lines(starting, name, component), permit=starting.interlock.radio
    )
    starting.stack.push_async_callback(gateway.stop)
    host, port = gateway.sip_address
    starting.reached(name, component.role, "sip", f"sip:{host}:{port}")
    if settings.rtp_first_port:
        starting.reached(name, component.role, "rtp", f"rtp://{host}:{settings.rtp_first_port}")
    starting.reached(name, component.role, "http", gateway.control_url)


def _lines(starting: Starting, name: str, component: RoipGatewayComponent) -> dict[str, TerminalLine]:
    lines = {}
    for radio in component.simulator.radios:
        terminal = f"{name}.{radio.name}"
        if radio.talkgroup is not None and starting.addresses.has(terminal, "serial"):
            lines[radio.name] = TerminalLine(
                starting.addresses.url(terminal, "serial").removeprefix("serial:"),
                GATEWAY_BAUD,
                starting.addresses.host_port(terminal, "rtp"),
                starting.testbed.talkgroups[radio.talkgroup],
            )
    return lines
