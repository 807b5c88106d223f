"""Opens the port of a way to send texts, whoever uses it: a driver, or a simulator that sends texts itself."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from harness.endpoints.sms import ModemPort, PermitText, SmppPort
from harness.endpoints.sms.smpp_port import SmppAccount
from harness.testbed.addresses import Addresses
from harness.testbed.components import SmsGatewayComponent, SmsNetworkComponent
from harness.testbed.model import Testbed
from harness.transport.context import Context


async def open_text_port(
    context: Context,
    name: str,
    component: SmsGatewayComponent,
    *,
    testbed: Testbed,
    addresses: Addresses,
    permit: PermitText,
) -> ModemPort | SmppPort:
    """Open the modem or bind by SMPP; ``permit`` is asked before a text leaves.

    Raises TransportError, ModemLocalError, SmppLocalError.
    """
    network = testbed.components[component.of] if component.of is not None else None
    if component.way == "modem":
        url, baud = component.serial.url, component.serial.baud
        if isinstance(network, SmsNetworkComponent) and component.of is not None:
            url = addresses.url(component.of, "serial").removeprefix("serial:")
            baud = network.simulator.modem.baud
        return await ModemPort.open(context, name, url, baud=baud, permit=permit)
    return await SmppPort.open(context, name, _account(component, network, addresses), permit=permit)


def _account(component: SmsGatewayComponent, network: object, addresses: Addresses) -> SmppAccount:
    if component.smpp is not None:
        host, _, port = component.smpp.address.rpartition(":")
        password = component.smpp.password.get_secret_value()
        account = component.smpp
        return SmppAccount(host, int(port), account.system_id, password, component.number or "", account.system_type)
    assert component.of is not None and isinstance(network, SmsNetworkComponent), "the file's reader saw to it"
    told = urlsplit(addresses.url(component.of, "smpp"))
    numbers = next(each.numbers for each in network.simulator.accounts if each.system_id == told.username)
    number = component.number or numbers[0]
    return SmppAccount(told.hostname or "", told.port or 0, told.username or "", unquote(told.password or ""), number)
