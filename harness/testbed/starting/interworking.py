"""Starts the interworking gateway simulator, between the TETRA terminals and the MCPTT server that were started."""

from __future__ import annotations

from harness.errors import LocalError
from harness.testbed.components import InterworkingGatewayComponent, McpttServerComponent
from harness.testbed.starting.base import Starting
from simulators.interworking.gateway import InterworkingGateway
from simulators.interworking.join import TetraEnd

GATEWAY_BAUD = 115_200
"""Of the terminals' lines, which are pseudo-terminals."""


async def start_interworking(starting: Starting, name: str, component: InterworkingGatewayComponent) -> None:
    """Start it. Raises LocalError where one of the two networks was not started."""
    server = starting.testbed.components[component.of]
    assert isinstance(server, McpttServerComponent)
    terminals = {}
    for join in component.simulator.joins:
        terminal = f"{name}.{join.talkgroup}"
        if not starting.addresses.has(terminal, "serial") or not starting.addresses.has(component.of, "sip"):
            raise LocalError(f"{name} joins two networks: start the radio network and {component.of} with it")
        terminals[join.talkgroup] = TetraEnd(
            starting.addresses.url(terminal, "serial").removeprefix("serial:"),
            GATEWAY_BAUD,
            starting.addresses.host_port(terminal, "rtp"),
            starting.testbed.talkgroups[join.talkgroup],
        )
    users = () if server.simulator is None else server.simulator.users
    gateway = await InterworkingGateway.start(
        starting.context,
        await starting.media(),
        component.simulator,
        name=name,
        terminals=terminals,
        domain=server.id_domain,
        server=starting.addresses.host_port(component.of, "sip"),
        passwords={user.name: user.password.get_secret_value() for user in users if user.password is not None},
        permit=starting.interlock.radio,
    )
    starting.stack.push_async_callback(gateway.stop)
