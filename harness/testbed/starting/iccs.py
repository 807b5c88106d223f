"""Starts the ICCS simulator, on the gateways that are there to be driven."""

from __future__ import annotations

from harness.testbed.components import (
    Binding,
    CallerLocationComponent,
    CommandControlComponent,
    CrmComponent,
    DirectoryComponent,
    IccsComponent,
    RadioGatewayComponent,
    RadioNetworkComponent,
    RecordsDatabaseComponent,
)
from harness.testbed.starting.base import Starting
from harness.testbed.starting.iccs_ways import ways_of
from simulators.calendar import epoch_of
from simulators.iccs.command_desk import CommandControlAt
from simulators.iccs.radio_services.network import RadioControl
from simulators.iccs.radio_services.services import RadioSurroundings
from simulators.iccs.radio_services.units import StatusMeaning
from simulators.iccs.services_at import ServiceAt, ServicesAt
from simulators.iccs.simulator import IccsSimulator
from simulators.iccs.talkgroup_ways.lines import GatewayLine, TetraLine


async def start_iccs(starting: Starting, name: str, component: IccsComponent) -> None:
    """Start it. Raises LocalError."""
    iccs = await IccsSimulator.start(
        starting.context,
        await starting.media(),
        component.simulator,
        radio=_radio(starting, name, component),
        permit_dial=starting.interlock.dial,
        permit_radio=starting.interlock.radio,
        auto_answer=starting.auto_answer,
        auto_advisers=starting.auto_advisers,
        location=_location(starting),
        permit_locate=starting.interlock.locate,
        command_control=_command_control(starting, name),
        services=ServicesAt(
            crm=_service(starting, CrmComponent, "crm"),
            records=_service(starting, RecordsDatabaseComponent, "http"),
            directory=_service(starting, DirectoryComponent, "http"),
        ),
        epoch=epoch_of(starting.context.journal, virtual=starting.virtual),
    )
    starting.stack.push_async_callback(iccs.stop)
    host, port = iccs.sip_address
    starting.reached(name, component.role, "sip", f"sip:{host}:{port}")
    starting.reached(name, component.role, "http", iccs.control_url)


def _location(starting: Starting) -> tuple[str, int] | None:
    """Where callers' locations are asked for: at the simulated service that was started, never at a real one.

    A simulator's calls are invented, and asking a real service where their numbers are would be asking for people.
    """
    started = {entry.name for entry in starting.addresses if entry.kind == "location"}
    for name, each in starting.testbed.components.items():
        if isinstance(each, CallerLocationComponent) and name in started:
            return starting.addresses.host_port(name, "location")
    return None


def _radio(starting: Starting, iccs: str, component: IccsComponent) -> RadioSurroundings:
    """The radio network as it is for this ICCS; its control interface only where it is simulated."""
    testbed = starting.testbed
    started = {entry.name for entry in starting.addresses if entry.kind == "http"}
    control = None
    for name, each in testbed.components.items():
        if isinstance(each, RadioNetworkComponent) and name in started:
            token = each.simulator.control_token
            secret = token.get_secret_value() if token is not None else None
            control = RadioControl(starting.addresses.url(name, "http"), secret)
    statuses = {each.value: StatusMeaning(number, each.means) for number, each in testbed.statuses.items()}
    gateways = (*_gateways(starting), *ways_of(starting, iccs, component))
    return RadioSurroundings(gateways, testbed.talkgroups, statuses, control)


def _command_control(starting: Starting, iccs: str) -> CommandControlAt | None:
    """Where incidents are told: at the simulated system that was started, never at a real one."""
    started = {entry.name for entry in starting.addresses if entry.kind == "command_control"}
    clock, journal = starting.clocks[iccs], starting.context.journal
    for name, each in starting.testbed.components.items():
        if isinstance(each, CommandControlComponent) and name in started:
            told = each.simulator
            return CommandControlAt(
                starting.addresses.url(name, "command_control"),
                told.shape,
                lambda: clock.now() - journal.now(),
                told.token.get_secret_value() if told.token is not None else "",
            )
    return None


def _service(
    starting: Starting, kind: type[CrmComponent | RecordsDatabaseComponent | DirectoryComponent], address: str
) -> ServiceAt | None:
    """Where a service of a kind is asked: at the simulated one that was started, never at a real one.

    A simulator's calls are invented, and asking a real service about their people would be asking about somebody.
    """
    for name, each in starting.testbed.components.items():
        if isinstance(each, kind) and starting.addresses.has(name, address):
            token = each.simulator.token
            url = starting.addresses.url(name, address)
            return ServiceAt(url, token.get_secret_value() if token is not None else "")
    return None


def _gateways(starting: Starting) -> list[GatewayLine]:
    """The gateway terminals that are there to be driven: real ones, and simulated ones that were started."""
    lines: list[GatewayLine] = []
    started = {entry.name for entry in starting.addresses}
    for name, each in starting.testbed.components.items():
        if not isinstance(each, RadioGatewayComponent) or (each.binding is Binding.SIMULATED and name not in started):
            continue
        if each.binding is Binding.SIMULATED:
            serial = starting.addresses.url(name, "serial").removeprefix("serial:")
            audio = starting.addresses.url(name, "rtp")
        else:
            serial, audio = each.serial.url, each.audio
        lines.append(
            TetraLine(
                name=name,
                talkgroup=each.talkgroup,
                serial=serial,
                baud=each.serial.baud,
                audio=audio,
                private=each.use == "radio_calls",
                stands_by=each.standby_of is not None,
            )
        )
    return lines
