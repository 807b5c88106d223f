"""Opens ways to send texts, and the control of a simulated SMS network."""

from __future__ import annotations

from harness.drivers.sms import SmsGateway, SmsNetwork
from harness.testbed.components import SmsGatewayComponent, SmsNetworkComponent
from harness.testbed.opening.base import Opening
from harness.testbed.text_ways import open_text_port


async def open_sms_gateway(opening: Opening, name: str, component: SmsGatewayComponent) -> SmsGateway:
    """Open the modem or bind by SMPP. Raises TransportError, ModemLocalError, SmppLocalError."""
    port = await open_text_port(
        opening.context,
        name,
        component,
        testbed=opening.testbed,
        addresses=opening.addresses,
        permit=opening.interlock.text,
    )
    return SmsGateway(opening.context, name, port, component.number or port.number)


async def open_sms_network(opening: Opening, name: str, component: SmsNetworkComponent) -> SmsNetwork:
    """Reach the control of a simulated network. Raises NotPlayedError for a real one."""
    opening.only_simulated(name, "only a simulator tells what crosses it")
    token = component.simulator.token
    secret = token.get_secret_value() if token is not None else ""
    return SmsNetwork(opening.context, name, opening.addresses.url(name, "http"), secret)
