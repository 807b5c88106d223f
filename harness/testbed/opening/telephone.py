"""Opens a telephone of the enterprise switch."""

from __future__ import annotations

from harness.drivers.telephone import Telephone
from harness.endpoints.sip.flow import TLS
from harness.endpoints.sip.transports import TlsSides
from harness.errors import TestbedError
from harness.testbed.components.base import Binding
from harness.testbed.components.switch import EnterpriseSwitchComponent, TelephoneComponent
from harness.testbed.opening.base import Opening, host_port
from harness.transport.tap import Address
from harness.transport.tls import TlsFiles


async def open_telephone(opening: Opening, name: str, component: TelephoneComponent) -> Telephone:
    """Open it and register it, at its site's gateway too where it has one. Raises TestbedError without a password."""
    switch = opening.at(component.of, EnterpriseSwitchComponent)
    is_tls = component.transport == TLS
    homes = [_registrar(opening, component.of, switch, is_tls=is_tls)]
    password = component.password
    line = next((each for each in switch.simulator.lines if each.number == component.line), None)
    if switch.binding is Binding.SIMULATED and line is not None:
        password = password or line.password
    if switch.binding is Binding.SIMULATED and component.gateway is None and line is not None and not is_tls:
        homes += [
            opening.addresses.host_port(f"{component.of}.{site.name}", "sip")
            for site in switch.simulator.sites
            if site.name == line.site and site.survivable is not None
        ]
    if component.gateway is not None:
        homes.append(host_port(component.gateway))
    if password is None:
        raise TestbedError(f"component {name!r} needs 'password': {component.of!r} has no line {component.line} to ask")
    telephone = await Telephone.open(
        opening.context,
        opening.media,
        name,
        number=component.line,
        password=password.get_secret_value(),
        homes=homes,
        of=component.of,
        local=host_port(component.local),
        transport=component.transport,
        tls=_tls(opening, component, switch) if is_tls else None,
        secure=component.secure,
        expires=component.expires,
        lamp=component.lamp,
        permit=opening.interlock.dial,
    )
    telephone.answers_after = component.answers_after
    return telephone


def _registrar(opening: Opening, name: str, switch: EnterpriseSwitchComponent, *, is_tls: bool) -> Address:
    if not is_tls:
        return opening.sip(name)
    told = switch.sips or switch.sip
    return opening.addresses.host_port(name, "sips") if told is None else host_port(told)


def _tls(opening: Opening, component: TelephoneComponent, switch: EnterpriseSwitchComponent) -> TlsSides:
    """What it shows to who calls it, and whom it trusts: of a simulated switch both are the run's."""
    certificate, authority = component.certificate, component.authority
    if switch.binding is Binding.SIMULATED:
        certificate = certificate or opening.addresses.file(component.of, "certificate")
        authority = authority or opening.addresses.file(component.of, "authority")
    return TlsSides(TlsFiles(certificate), TlsFiles(authority=authority))
