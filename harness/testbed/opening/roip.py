"""Opens a radio behind an ED-137 gateway, and the control interface of a simulated gateway."""

from __future__ import annotations

from harness.drivers.roip_gateway import RoipGatewayControl
from harness.drivers.roip_radio import RoipRadio
from harness.protocols.ed137.extension import Layout
from harness.protocols.ed137.terms import Direction, RadioTerms
from harness.testbed.components.roip import RoipGatewayComponent, RoipRadioComponent
from harness.testbed.opening.base import Opening, host_port


async def open_roip_radio(opening: Opening, name: str, component: RoipRadioComponent) -> RoipRadio:
    """Set its session up with the gateway's radio, or with the standby."""
    stations = [_uri(opening, component.of, component.radio)]
    if component.standby is not None:
        stations.append(_uri(opening, component.standby_of or component.of, component.standby))
    return await RoipRadio.open(
        opening.context,
        name,
        stations=stations,
        target=component.talkgroup or name,
        local=host_port(component.local),
        terms=RadioTerms(
            direction=Direction(component.direction), period_ms=component.period_ms, multiplier=component.multiplier
        ),
        layout=Layout.OF_2009 if component.layout == 2009 else Layout.OF_2011,
        permit_dial=opening.interlock.dial,
        permit_radio=opening.interlock.radio,
    )


async def open_roip_gateway(opening: Opening, name: str, component: RoipGatewayComponent) -> RoipGatewayControl:
    """Open its control interface. Raises NotPlayedError for a real gateway, which has none that is known."""
    opening.only_simulated(name, "only a simulated gateway can be made to fail")
    token = component.simulator.token
    url = opening.addresses.url(name, "http")
    return RoipGatewayControl(opening.context, name, url, token.get_secret_value() if token is not None else None)


def _uri(opening: Opening, gateway: str, radio: str) -> str:
    host, port = opening.sip(gateway)
    return f"sip:{radio}@{host}:{port}"
