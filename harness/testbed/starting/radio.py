"""Starts the TETRA network simulator, with the simulated terminals and gateways of the testbed."""

from __future__ import annotations

from harness.testbed.components import (
    Binding,
    InterworkingGatewayComponent,
    RadioGatewayComponent,
    RadioNetworkComponent,
    RadioTerminalComponent,
    RoipGatewayComponent,
    TerminalComponent,
)
from harness.testbed.model import Testbed
from harness.testbed.starting.base import Starting
from simulators.radio.config import RadioConfig, TerminalConfig, TrackerConfig
from simulators.radio.control import NetworkControl
from simulators.radio.network import RadioNetwork


async def start_radio(starting: Starting, name: str, component: RadioNetworkComponent) -> None:
    """Start it. Raises LocalError."""
    testbed = starting.testbed
    settings = component.simulator
    sites = settings.sites
    terminals = [
        TerminalConfig(
            each_name,
            each.issi,
            each.talkgroup,
            role=each.role,
            baud=each.serial.baud,
            personality=each.personality,
            site=each.site or sites[0],
            tracker=_tracker(testbed, each),
        )
        for each_name, each in testbed.components.items()
        if isinstance(each, RadioGatewayComponent | RadioTerminalComponent) and each.binding is Binding.SIMULATED
    ]
    terminals += [
        TerminalConfig(f"{gateway}.{radio.name}", radio.issi, radio.talkgroup, role="radio_gateway", site=sites[0])
        for gateway, each in testbed.components.items()
        if isinstance(each, RoipGatewayComponent) and each.binding is Binding.SIMULATED
        for radio in each.simulator.radios
        if radio.issi is not None
    ]
    terminals += [
        TerminalConfig(f"{gateway}.{join.talkgroup}", join.issi, join.talkgroup, role="radio_gateway")
        for gateway, each in testbed.components.items()
        if isinstance(each, InterworkingGatewayComponent)
        for join in each.simulator.joins
    ]
    config = RadioConfig(
        talkgroups=dict(testbed.talkgroups), terminals=terminals, mcc=component.mcc, mnc=component.mnc, sites=sites
    )
    radio = await RadioNetwork.start(starting.context, await starting.media(), config, virtual=starting.virtual)
    starting.stack.push_async_callback(radio.stop)
    token = settings.control_token
    control = await NetworkControl.start(
        radio, (settings.host, settings.control_port), token=token.get_secret_value() if token is not None else None
    )
    starting.stack.push_async_callback(control.stop)
    starting.reached(name, component.role, "http", control.url)
    for each_address in radio.addresses():
        url = f"serial:{each_address['url']}" if each_address["kind"] == "serial" else each_address["url"]
        starting.reached(each_address["name"], each_address["role"], each_address["kind"], url)


def _tracker(testbed: Testbed, terminal: RadioGatewayComponent | RadioTerminalComponent) -> TrackerConfig | None:
    told = terminal.tracker if isinstance(terminal, RadioTerminalComponent) else None
    if told is None:
        return None
    to = testbed.components[told.to]
    assert isinstance(to, TerminalComponent), "the testbed's reader has seen to it"
    return TrackerConfig(to.issi, told.every_s, told.every_m)
