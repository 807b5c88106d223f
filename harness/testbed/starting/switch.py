"""Starts the enterprise switch simulator, its trunks led to what is there."""

from __future__ import annotations

from harness.measure.emodel import quality
from harness.testbed.components.switch import EnterpriseSwitchComponent
from harness.testbed.starting.base import Starting
from harness.transport.tap import Address
from simulators.switch.simulator import SwitchSimulator


async def start_switch(starting: Starting, name: str, component: EnterpriseSwitchComponent) -> None:
    """Start it. Raises LocalError."""
    switch = await SwitchSimulator.start(
        starting.context,
        await starting.media(),
        component.simulator,
        name=name,
        virtual=starting.virtual,
        score=_score,
        permit=starting.interlock.dial,
        components=_components(starting),
    )
    starting.stack.push_async_callback(switch.stop)
    role = component.role
    host, port = switch.sip_address
    starting.reached(name, role, "sip", f"sip:{host}:{port}")
    if switch.sips_address is not None:
        starting.reached(name, role, "sips", f"sips:{host}:{switch.sips_address[1]}")
    if switch.authority is not None:
        starting.reached(name, role, "authority", f"file:{switch.authority}")
    if switch.telephone_certificate is not None:
        starting.reached(name, role, "certificate", f"file:{switch.telephone_certificate}")
    starting.reached(name, role, "http", switch.control_url)
    starting.reached(name, role, "records", f"file:{switch.folder}")
    for site, (site_host, site_port) in switch.survivable_addresses().items():
        starting.reached(f"{name}.{site}", role, "sip", f"sip:{site_host}:{site_port}")


def _score(codec: str, *, delay_ms: float, loss: float) -> float:
    return quality(codec, delay_ms=delay_ms, loss=loss).mos


def _components(starting: Starting) -> dict[str, Address]:
    """Where trunks can lead to: real components as the file says, simulated ones that were started."""
    found: dict[str, Address] = {}
    for name, each in starting.testbed.components.items():
        told: str | None = getattr(each, "sip", None)
        if told is not None:
            host, _, port = told.rpartition(":")
            found[name] = host, int(port)
    for entry in starting.addresses:
        if entry.kind == "sip":
            found[entry.name] = starting.addresses.host_port(entry.name, "sip")
    return found
