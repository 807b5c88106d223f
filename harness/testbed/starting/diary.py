"""Starts the SMS Diary simulator, on the gateway by which it sends."""

from __future__ import annotations

from harness.endpoints.crm import CrmAdapter, CrmClient, load_adapter
from harness.endpoints.sms import TextPort
from harness.testbed.components import Binding, CrmComponent, SmsDiaryComponent, SmsGatewayComponent
from harness.testbed.starting.base import Starting
from harness.testbed.text_ways import open_text_port
from simulators.diary.sender import Way
from simulators.diary.simulator import DiarySimulator


async def start_diary(starting: Starting, name: str, component: SmsDiaryComponent) -> None:
    """Start it. Raises LocalError."""
    diary = await DiarySimulator.start(
        starting.context,
        component.simulator,
        name=name,
        virtual=starting.virtual,
        way=_way(starting, name, component),
        crm=_crm(starting, component),
    )
    starting.stack.push_async_callback(diary.stop)
    starting.reached(name, component.role, "http", diary.url)


def _crm(starting: Starting, component: SmsDiaryComponent) -> CrmAdapter | None:
    """The CRM; None where there is none, or its simulator was not started with it. Raises CrmError."""
    if component.crm is None:
        return None
    crm = starting.testbed.components[component.crm]
    assert isinstance(crm, CrmComponent), "the file's reader saw to it"
    if crm.service is not None:
        token = crm.token.get_secret_value() if crm.token is not None else ""
        return load_adapter(crm.adapter)(crm.service, token)
    if not starting.addresses.has(component.crm, "crm"):
        return None
    token = crm.simulator.token.get_secret_value() if crm.simulator.token is not None else ""
    return CrmClient(starting.addresses.url(component.crm, "crm"), token)


def _way(starting: Starting, name: str, component: SmsDiaryComponent) -> Way | None:
    """How the gateway is opened; None where there is none, or its simulated network was not started with it.

    Before a text leaves, the interlock is asked: by a real gateway a simulator could text people.
    """
    if component.gateway is None:
        return None
    gateway = starting.testbed.components[component.gateway]
    assert isinstance(gateway, SmsGatewayComponent), "the file's reader saw to it"
    kind = "serial" if gateway.way == "modem" else "smpp"
    if gateway.binding is Binding.SIMULATED and not starting.addresses.has(gateway.of or "", kind):
        return None

    async def open_() -> TextPort:
        return await open_text_port(
            starting.context,
            f"{name}.gateway",
            gateway,
            testbed=starting.testbed,
            addresses=starting.addresses,
            permit=starting.interlock.text,
        )

    return open_
