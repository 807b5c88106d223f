"""Starts the simulated Webex."""

from __future__ import annotations

from harness.testbed.addresses import TOKEN
from harness.testbed.components import EnterpriseSwitchComponent, WebexComponent
from harness.testbed.starting.base import Starting
from simulators.webex.simulator import WebexSimulator


async def start_webex(starting: Starting, name: str, component: WebexComponent) -> None:
    """Start it. Raises LocalError."""
    simulator = await WebexSimulator.start(
        starting.context,
        component.simulator,
        name=name,
        virtual=starting.virtual,
        switch=_switch(starting, component.switch) if component.switch is not None else None,
    )
    starting.stack.push_async_callback(simulator.stop)
    starting.reached(name, component.role, "http", simulator.url)
    if simulator.authority is not None:
        starting.reached(name, component.role, "authority", f"file:{simulator.authority}")
    starting.reached(name, component.role, "control", simulator.control_url)
    starting.reached(name, component.role, TOKEN, simulator.token)


def _switch(starting: Starting, name: str) -> tuple[str, str | None]:
    """Where the switch is asked, and what it asks for: whoever starts a Webex starts what it stands on before."""
    component = starting.testbed.components[name]
    assert isinstance(component, EnterpriseSwitchComponent), "the file's reader saw to it"
    secret = component.simulator.control_token
    return starting.addresses.url(name, "http"), secret.get_secret_value() if secret is not None else None
