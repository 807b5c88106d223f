"""Opens the emergency network, a desk of its operators, and a caller's telephone."""

from __future__ import annotations

from harness.drivers.caller import CallerPhone
from harness.drivers.emergency_network import EmergencyNetwork
from harness.drivers.emergency_operator import EmergencyOperator
from harness.drivers.handset_position import AmlIntake, AmlPlan
from harness.drivers.jack import RtpJack
from harness.errors import NotPlayedError
from harness.testbed.components import (
    CallerLocationComponent,
    CallerPhoneComponent,
    EmergencyNetworkComponent,
    EmergencyOperatorComponent,
)
from harness.testbed.opening.base import Opening, host_port


async def open_emergency_network(opening: Opening, name: str, component: EmergencyNetworkComponent) -> EmergencyNetwork:
    """Open its control interface. Raises NotPlayedError where a real network has none."""
    control, token = _control(opening, name, component)
    return await EmergencyNetwork.open(
        opening.context, name, control=control, token=token, permit=opening.interlock.dial
    )


async def open_emergency_operator(
    opening: Opening, name: str, component: EmergencyOperatorComponent
) -> EmergencyOperator:
    """Log in at the desk. Raises NotPlayedError where its network is real and has no control interface."""
    network = opening.at(component.of, EmergencyNetworkComponent)
    control, token = _control(opening, component.of, network)
    operator = await EmergencyOperator.open(
        opening.context,
        opening.media,
        name,
        control=control,
        desk=component.desk,
        audio=component.audio,
        token=token,
        permit=opening.interlock.dial,
    )
    if isinstance(operator.headset, RtpJack):
        opening.context.called(operator.headset.remote, component.of)
    return operator


async def open_caller_phone(opening: Opening, name: str, component: CallerPhoneComponent) -> CallerPhone:
    """Connect the telephone to its network."""
    network = opening.at(component.of, EmergencyNetworkComponent)
    aml = component.aml
    return await CallerPhone.open(
        opening.context,
        opening.media,
        name,
        network=opening.sip(component.of),
        number=component.number or "",
        local=host_port(component.local),
        transport=component.transport,
        aml=None if aml is None else AmlPlan(**aml.model_dump()),
        aml_intake=_intake(opening, component.location),
        permit=opening.interlock.dial,
        permit_locate=opening.interlock.locate,
        leads_to=component.of,
        registers=network.sip is None,
    )


def _control(opening: Opening, name: str, network: EmergencyNetworkComponent) -> tuple[str, str | None]:
    control = network.control or (None if network.sip else opening.addresses.url(name, "http"))
    if control is None:
        raise NotPlayedError(f"{name} is real and has no 'control': only callers can reach it")
    token = network.control_token if network.control is not None else network.simulator.token
    return control, token.get_secret_value() if token is not None else None


def _intake(opening: Opening, name: str | None) -> AmlIntake | None:
    """Where a handset posts its position. Raises NotPlayedError where the service takes none."""
    if name is None:
        return None
    service = opening.at(name, CallerLocationComponent)
    simulated = service.link is None
    url = opening.addresses.url(name, "http") if simulated else service.aml
    if url is None:
        raise NotPlayedError(f"{name} is real and has no 'aml': it takes no positions by HTTPS")
    key = service.simulator.intake.hmac_key if simulated else service.aml_key
    return AmlIntake(
        url,
        key=key.get_secret_value().encode() if key is not None else None,
        tls=service.tls.context() if service.tls is not None else None,
    )
