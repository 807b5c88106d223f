"""Starts the simulated Webex."""

from __future__ import annotations

from harness.errors import TestbedError
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
    """Where the switch is asked, and what it asks for. Raises TestbedError where it was not started."""
    component = starting.testbed.components[name]
    assert isinstance(component, EnterpriseSwitchComponent), "the file's reader saw to it"
    if not starting.addresses.has(name, "http"):
        raise TestbedError(f"webex makes its calls through {name}, which is not started: iccs simulate webex {name}")
    secret = component.simulator.control_token
    return starting.addresses.url(name, "http"), secret.get_secret_value() if secret is not None else None
