"""Starts the simulated SMS network."""

from __future__ import annotations

from harness.testbed.components import SmsNetworkComponent
from harness.testbed.starting.base import Starting
from simulators.sms.simulator import SmsSimulator


async def start_sms(starting: Starting, name: str, component: SmsNetworkComponent) -> None:
    """Start it. Raises LocalError."""
    sms = await SmsSimulator.start(starting.context, component.simulator, name=name, virtual=starting.virtual)
    starting.stack.push_async_callback(sms.stop)
    line = sms.serial_url
    starting.reached(name, component.role, "serial", line if "://" in line else f"serial:{line}")
    if sms.tcp_url is not None:
        starting.reached(name, component.role, "tcp-serial", sms.tcp_url)
    for url in sms.smpp_urls():
        starting.reached(name, component.role, "smpp", url)
    starting.reached(name, component.role, "http", sms.http_url)
