"""Opens an MCPTT handset."""

from __future__ import annotations

from harness.drivers.mcptt import McpttRadio
from harness.testbed.components.mcptt import McpttServerComponent, McpttTerminalComponent
from harness.testbed.opening.base import Opening


async def open_mcptt_terminal(opening: Opening, name: str, component: McpttTerminalComponent) -> McpttRadio:
    """Open it, registered and turned to its talkgroup."""
    server = opening.at(component.of, McpttServerComponent)
    password = component.password
    if password is None and server.simulator is not None:
        password = next((user.password for user in server.simulator.users if user.name == component.user), None)
    radio = await McpttRadio.open(
        opening.context,
        opening.media,
        name,
        user=component.user,
        domain=server.id_domain,
        server=opening.sip(component.of),
        service=server.service or "",
        data_service=server.data_service or "",
        clock=opening.clock,
        host=component.local,
        priority=component.priority,
        permit=opening.interlock.radio,
    )
    try:
        await radio.register(password.get_secret_value() if password is not None else "")
        await radio.select(component.talkgroup)
    except BaseException:
        await radio.close()
        raise
    return radio
