"""Opens ways to send texts, and the control of a simulated SMS network."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from harness.drivers.sms import SmsGateway, SmsNetwork
from harness.endpoints.sms import ModemPort, SmppPort
from harness.endpoints.sms.smpp_port import SmppAccount
from harness.testbed.components import SmsGatewayComponent, SmsNetworkComponent
from harness.testbed.opening.base import Opening, host_port


async def open_sms_gateway(opening: Opening, name: str, component: SmsGatewayComponent) -> SmsGateway:
    """Open the modem or bind by SMPP. Raises TransportError, ModemLocalError, SmppLocalError."""
    permit = opening.interlock.text
    if component.way == "modem":
        url, baud = component.serial.url, component.serial.baud
        if component.of is not None:
            url = opening.addresses.url(component.of, "serial").removeprefix("serial:")
            baud = opening.at(component.of, SmsNetworkComponent).simulator.modem.baud
        modem = await ModemPort.open(opening.context, name, url, baud=baud, permit=permit)
        return SmsGateway(opening.context, name, modem, component.number or modem.number)
    smpp = await SmppPort.open(opening.context, name, _account(opening, component), permit=permit)
    return SmsGateway(opening.context, name, smpp, smpp.number)


def _account(opening: Opening, component: SmsGatewayComponent) -> SmppAccount:
    if component.smpp is not None:
        host, port = host_port(component.smpp.address)
        password = component.smpp.password.get_secret_value()
        account = component.smpp
        return SmppAccount(host, port, account.system_id, password, component.number or "", account.system_type)
    assert component.of is not None, "the file's reader saw to it"
    told = urlsplit(opening.addresses.url(component.of, "smpp"))
    accounts = opening.at(component.of, SmsNetworkComponent).simulator.accounts
    numbers = next(each.numbers for each in accounts if each.system_id == told.username)
    number = component.number or numbers[0]
    return SmppAccount(told.hostname or "", told.port or 0, told.username or "", unquote(told.password or ""), number)


async def open_sms_network(opening: Opening, name: str, component: SmsNetworkComponent) -> SmsNetwork:
    """Reach the control of a simulated network."""
    token = component.simulator.token
    secret = token.get_secret_value() if token is not None else ""
    return SmsNetwork(opening.context, name, opening.addresses.url(name, "http"), secret)
