"""Starts the MCPTT server simulator."""

from __future__ import annotations

from harness.testbed.components.mcptt import McpttServerComponent
from harness.testbed.starting.base import Starting
from simulators.mcptt.server import McpttServer


async def start_mcptt(starting: Starting, name: str, component: McpttServerComponent) -> None:
    """Start it. Raises LocalError."""
    assert component.simulator is not None
    server = await McpttServer.start(starting.context, await starting.media(), component.simulator, name=name)
    starting.stack.push_async_callback(server.stop)
    host, port = server.sip_address
    starting.reached(name, component.role, "sip", f"sip:{host}:{port}")
    starting.reached(name, component.role, "http", server.control_url)
