"""Starts the emergency network simulator, its routes led to the control rooms of the testbed that are there."""

from __future__ import annotations

from harness.testbed.clips import AUDIO
from harness.testbed.components import CallerLocationComponent, EmergencyNetworkComponent, IccsComponent
from harness.testbed.starting.base import Starting
from simulators.emergency.announcements import Announcements
from simulators.emergency.simulator import EmergencyNetwork


async def start_emergency(starting: Starting, name: str, component: EmergencyNetworkComponent) -> None:
    """Start it. Raises LocalError."""
    network = await EmergencyNetwork.start(
        starting.context,
        await starting.media(),
        component.simulator,
        name=name,
        announcements=Announcements.load(AUDIO),
        resolve=lambda room: _takes_calls(starting, room),
        location=_location(starting, component.simulator.location),
        location_token=_location_token(starting, component.simulator.location),
        permit_dial=starting.interlock.dial,
        permit_locate=starting.interlock.locate,
    )
    starting.stack.push_async_callback(network.stop)
    callers, trunk = network.caller_address, network.trunk_address
    starting.reached(name, component.role, "sip", f"sip:{callers[0]}:{callers[1]}")
    starting.reached(name, component.role, "trunk", f"sip:{trunk[0]}:{trunk[1]}")
    starting.reached(name, component.role, "http", network.control_url)


def _takes_calls(starting: Starting, name: str) -> tuple[str, int] | None:
    """Where a control room takes calls; None where it was not started."""
    room = starting.testbed.components.get(name)
    if not isinstance(room, IccsComponent):
        return None
    if room.sip is not None:
        host, _, port = room.sip.rpartition(":")
        return host, int(port)
    return starting.addresses.host_port(name, "sip") if starting.addresses.has(name, "sip") else None


def _location(starting: Starting, told: str | None) -> str | None:
    """Where handsets' texts are handed on: an address, or a component's where that was started."""
    if told is None or "://" in told:
        return told
    service = starting.testbed.components.get(told)
    if isinstance(service, CallerLocationComponent) and starting.addresses.has(told, "http"):
        return starting.addresses.url(told, "http")
    return None


def _location_token(starting: Starting, told: str | None) -> str | None:
    service = None if told is None else starting.testbed.components.get(told)
    token = service.simulator.token if isinstance(service, CallerLocationComponent) else None
    return None if token is None else token.get_secret_value()
