"""Opens a link to the caller-location service."""

from __future__ import annotations

from harness.drivers.location import LocationService
from harness.testbed.components import Binding, CallerLocationComponent, TlsSettings
from harness.testbed.opening.base import Opening, host_port


async def open_location(opening: Opening, name: str, component: CallerLocationComponent) -> LocationService:
    """Open it; the link comes up by itself."""
    simulated = component.binding is Binding.SIMULATED
    told = component.simulator if simulated else component
    http = opening.addresses.url(name, "http") if simulated else None
    key = component.simulator.intake.hmac_key if simulated else component.aml_key
    tls = component.tls
    if simulated and component.simulator.certificate is not None:
        tls = TlsSettings(ca=component.simulator.certificate)
    service = LocationService.open(
        opening.context,
        name,
        link=host_port(component.link) if component.link else opening.addresses.host_port(name, "location"),
        aml=http or component.aml,
        control=http,
        codec=told.codec,
        token=told.token.get_secret_value() if told.token is not None else "",
        aml_key=key.get_secret_value().encode() if key is not None else None,
        tls=tls.context() if tls is not None else None,
        permit=opening.interlock.locate,
    )
    service.tester = opening.tester
    return service
