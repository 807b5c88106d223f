"""A bench: the testbed as a test sees it.

Ask it for a role and it hands over a driver that is bound to what stands behind it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Final, Protocol, TypeVar, cast

from harness.drivers.call_load import CallLoad
from harness.drivers.caller import CallerPhone
from harness.drivers.clocks import NodeClocks
from harness.drivers.command_control import CommandControl
from harness.drivers.console import Console
from harness.drivers.contact_us import ContactUs
from harness.drivers.crm import Crm
from harness.drivers.diary import SmsDiary
from harness.drivers.directory import Directory
from harness.drivers.emergency_network import EmergencyNetwork
from harness.drivers.emergency_operator import EmergencyOperator
from harness.drivers.enterprise_switch import EnterpriseSwitch
from harness.drivers.jack import RtpJack
from harness.drivers.keyed_radio import KeyedRadio
from harness.drivers.location import LocationService
from harness.drivers.mcptt import McpttRadio
from harness.drivers.radio import RadioTerminal
from harness.drivers.radio_network import RadioNetworkControl
from harness.drivers.records_database import RecordsDatabase
from harness.drivers.roip_gateway import RoipGatewayControl
from harness.drivers.roip_radio import RoipRadio
from harness.drivers.scripted_phone import ScriptedPhone
from harness.drivers.sms import SmsGateway, SmsNetwork
from harness.drivers.supervisor import Supervisor
from harness.drivers.talking_radio import TalkingRadio, Technology
from harness.drivers.telephone import Telephone
from harness.drivers.trunk import EmergencyTrunk
from harness.drivers.webex import Webex
from harness.drivers.workforce import WorkforceSystem
from harness.endpoints.media import MediaPort, MediaService, open_media
from harness.endpoints.media.api import Pacing
from harness.endpoints.sntp import Clock
from harness.errors import DriverError, ExpectationError, TestbedError
from harness.evidence.requirements import catalogue
from harness.journal import EVENTS_IN_MEMORY, Journal
from harness.measure.clocks import Skew, skews
from harness.testbed.addresses import Addresses
from harness.testbed.components import (
    Binding,
    CallerLocationComponent,
    CallerPhoneComponent,
    CallLoadComponent,
    CommandControlComponent,
    ConsoleComponent,
    ContactUsComponent,
    CrmComponent,
    DirectoryComponent,
    EmergencyNetworkComponent,
    EmergencyOperatorComponent,
    EnterpriseSwitchComponent,
    IccsComponent,
    KeyedRadioComponent,
    McpttTerminalComponent,
    RadioGatewayComponent,
    RadioNetworkComponent,
    RadioTerminalComponent,
    RecordsDatabaseComponent,
    RoipGatewayComponent,
    RoipRadioComponent,
    ScriptedPhoneComponent,
    SmsDiaryComponent,
    SmsGatewayComponent,
    SmsNetworkComponent,
    TelephoneComponent,
    TrunkComponent,
    WebexComponent,
    WorkforceComponent,
)
from harness.testbed.components.base import BoundComponent
from harness.testbed.interlock import Interlock
from harness.testbed.model import Testbed
from harness.testbed.opening import (
    open_call_load,
    open_caller_phone,
    open_clocks,
    open_command_control,
    open_console,
    open_contact_us,
    open_crm,
    open_directory,
    open_emergency_network,
    open_emergency_operator,
    open_keyed_radio,
    open_location,
    open_mcptt_terminal,
    open_radio_network,
    open_records_database,
    open_roip_gateway,
    open_roip_radio,
    open_scripted_phone,
    open_sms_diary,
    open_sms_gateway,
    open_sms_network,
    open_supervisor,
    open_switch,
    open_telephone,
    open_terminal,
    open_trunk,
    open_webex,
    open_workforce,
    watch_console,
)
from harness.testbed.opening.base import Opening
from harness.testbed.places import BENCH_CAPTURE, SIMULATORS_CAPTURE
from harness.testbed.simulation import Simulation
from harness.transport.context import Context
from harness.transport.tap import Address
from simulators.calendar import clock_of

RADIO_ROLES: Final = {
    Technology.TETRA: RadioTerminalComponent,
    Technology.ROIP: RoipRadioComponent,
    Technology.MCPTT: McpttTerminalComponent,
}
"""The component that is a radio of each technology."""


class Driver(Protocol):
    """What every driver can do."""

    async def close(self) -> None:
        """Give up what it holds; calling it again does nothing."""


_C = TypeVar("_C", bound=BoundComponent)
_D = TypeVar("_D", bound=Driver)


class Bench:
    """Drivers for the roles of one testbed, opened when first asked for and closed with the bench."""

    def __init__(
        self,
        context: Context,
        testbed: Testbed,
        interlock: Interlock,
        addresses: Addresses,
        media: MediaService,
        clock: Clock,
    ) -> None:
        """``clock``: this machine's, seconds since 1970; in virtual time the run's."""
        self.context = context
        self.testbed = testbed
        self.interlock = interlock
        self.addresses = addresses
        self.loop = asyncio.get_running_loop()
        self.opened = context.journal.now()
        """Run time at which the bench was opened, seconds."""
        self._media = media
        for entry in addresses:
            if entry.kind in {"sip", "trunk", "rtp"}:
                context.called(addresses.host_port(entry.name, entry.kind), entry.name)
        self._stack = AsyncExitStack()
        self._opening = Opening(context, testbed, interlock, addresses, media, clock)
        self._drivers: dict[str, Driver] = {}
        self._clocks: NodeClocks | None = None

    @property
    def journal(self) -> Journal:
        """The record of what the bench does and sees."""
        return self.context.journal

    async def trunk(self, name: str | None = None) -> EmergencyTrunk:
        """Return the emergency trunk (the one there is, or the one named)."""
        return await self._driver(name, TrunkComponent, open_trunk)

    async def console(self, name: str | None = None) -> Console:
        """Return a console by its component's name, logged in."""
        return await self._driver(name, ConsoleComponent, open_console)

    async def watched_console(self, name: str | None = None) -> Console:
        """Return a console at which a person sits: what it shows is journalled, and nothing can be done there."""
        return await self._driver(name, ConsoleComponent, watch_console)

    async def headset_lead(self, console: Console, remote: Address) -> MediaPort:
        """Lead a console's headset to ``remote``, which hears what it hears (RTP, G.711 A-law) and can speak into it.

        What is said there is journalled under ``NAME headset lead``. Raises DriverError where the headset is a sound
        device: its sound is not to be had here.
        """
        jack = console.headset
        if not isinstance(jack, RtpJack):
            raise DriverError(f"{console.name}: the headset is a sound device, which can be heard there alone")
        port = await self._media.open_port(f"{console.name} headset lead")
        try:
            await port.connect(remote, dtmf_payload_type=None, rests=True)
            await port.hear(jack.port)
            await jack.port.hear(port)
        except BaseException:
            await port.close()
            raise
        return port

    async def supervisor(self, name: str | None = None) -> Supervisor:
        """Return a supervisor's view of the ICCS (the one there is, or the one named)."""
        return await self._driver(name, IccsComponent, open_supervisor)

    async def command_control(self, name: str | None = None) -> CommandControl:
        """Return command and control's terminal (the one there is, or the one named)."""
        return await self._driver(name, CommandControlComponent, open_command_control)

    async def crm(self, name: str | None = None) -> Crm:
        """Return the CRM (the one there is, or the one named)."""
        return await self._driver(name, CrmComponent, open_crm)

    async def webex(self, name: str | None = None) -> Webex:
        """Return Webex (the one there is, or the one named)."""
        return await self._driver(name, WebexComponent, open_webex)

    async def records_database(self, name: str | None = None) -> RecordsDatabase:
        """Return a records database (the one there is, or the one named), as its auditor sees it."""
        return await self._driver(name, RecordsDatabaseComponent, open_records_database)

    async def phone_book(self, name: str | None = None) -> Directory:
        """Return a directory of numbers (the one there is, or the one named), as whoever keeps it edits it."""
        return await self._driver(name, DirectoryComponent, open_directory)

    async def keyed_radio(self, name: str | None = None) -> KeyedRadio:
        """Return a radio that a control line keys (the one there is, or the one named), its key at rest."""
        return await self._driver(name, KeyedRadioComponent, open_keyed_radio)

    async def terminal(self, name: str | None = None) -> RadioTerminal:
        """Return a radio terminal by its component's name, its talkgroup selected."""
        return await self._driver(name, RadioTerminalComponent, open_terminal)

    async def radio_network(self, name: str | None = None) -> RadioNetworkControl:
        """Return the radio network (the one there is, or the one named), as whoever runs it sees it."""
        return await self._driver(name, RadioNetworkComponent, open_radio_network)

    async def mcptt_terminal(self, name: str | None = None) -> McpttRadio:
        """Return an MCPTT handset by its component's name, registered and in its talkgroup's call."""
        return await self._driver(name, McpttTerminalComponent, open_mcptt_terminal)

    async def roip_radio(self, name: str | None = None) -> RoipRadio:
        """Return a radio behind an ED-137 gateway (the one there is, or the one named), its session set up."""
        return await self._driver(name, RoipRadioComponent, open_roip_radio)

    async def roip_gateway(self, name: str | None = None) -> RoipGatewayControl:
        """Return a simulated radio gateway (the one there is, or the one named), as whoever runs it sees it."""
        return await self._driver(name, RoipGatewayComponent, open_roip_gateway)

    async def radio(self, name: str) -> TalkingRadio:
        """Return a talking radio of whichever technology by its component's name. Raises TestbedError for another."""
        match self.testbed.components.get(name):
            case RadioTerminalComponent():
                return await self.terminal(name)
            case RoipRadioComponent():
                return await self.roip_radio(name)
            case McpttTerminalComponent():
                return await self.mcptt_terminal(name)
        kinds = tuple(RADIO_ROLES.values())
        there = [each for each, component in self.testbed.components.items() if isinstance(component, kinds)]
        raise TestbedError(f"testbed {self.testbed.name!r} has no radio {name!r}; it has {', '.join(there) or 'none'}")

    async def location_service(self, name: str | None = None) -> LocationService:
        """Return the caller-location service (the one there is, or the one named), a link to it under way."""
        return await self._driver(name, CallerLocationComponent, open_location)

    async def caller_phone(self, name: str | None = None) -> CallerPhone:
        """Return a caller's telephone (the one there is, or the one named), connected to its network."""
        return await self._driver(name, CallerPhoneComponent, open_caller_phone)

    async def emergency_network(self, name: str | None = None) -> EmergencyNetwork:
        """Return the emergency network (the one there is, or the one named), as whoever runs it sees it."""
        return await self._driver(name, EmergencyNetworkComponent, open_emergency_network)

    async def emergency_operator(self, name: str | None = None) -> EmergencyOperator:
        """Return an operator of the emergency network (the one there is, or the one named), logged in at a desk."""
        return await self._driver(name, EmergencyOperatorComponent, open_emergency_operator)

    async def scripted_phone(self, name: str | None = None) -> ScriptedPhone:
        """Return a scripted telephone (the one there is, or the one named)."""
        return await self._driver(name, ScriptedPhoneComponent, open_scripted_phone)

    async def enterprise_switch(self, name: str | None = None) -> EnterpriseSwitch:
        """Return a simulated enterprise switch (the one there is, or the one named), to make it fail."""
        return await self._driver(name, EnterpriseSwitchComponent, open_switch)

    async def telephone(self, name: str | None = None) -> Telephone:
        """Return a telephone of the enterprise switch by its component's name, registered."""
        return await self._driver(name, TelephoneComponent, open_telephone)

    async def sms_gateway(self, name: str | None = None) -> SmsGateway:
        """Return a way to send and get texts (the one there is, or the one named), open."""
        return await self._driver(name, SmsGatewayComponent, open_sms_gateway)

    async def sms_network(self, name: str | None = None) -> SmsNetwork:
        """Return a simulated SMS network (the one there is, or the one named), as whoever runs it sees it."""
        return await self._driver(name, SmsNetworkComponent, open_sms_network)

    async def workforce(self, name: str | None = None) -> WorkforceSystem:
        """Return workforce management (the one there is, or the one named)."""
        return await self._driver(name, WorkforceComponent, open_workforce)

    async def sms_diary(self, name: str | None = None) -> SmsDiary:
        """Return the SMS Diary (the one there is, or the one named), as an adviser's screen has it."""
        return await self._driver(name, SmsDiaryComponent, open_sms_diary)

    async def contact_us(self, name: str | None = None) -> ContactUs:
        """Return the Contact Us system (the one there is, or the one named), as the public and its staff see it."""
        return await self._driver(name, ContactUsComponent, open_contact_us)

    async def call_load(self, name: str | None = None) -> CallLoad:
        """Return a load of calls (the one there is, or the one named)."""
        return await self._driver(name, CallLoadComponent, open_call_load)

    def clocks(self) -> NodeClocks:
        """Return the clocks of all nodes that tell their time."""
        if self._clocks is None:
            self._clocks = open_clocks(self._opening)
            self._stack.push_async_callback(self._clocks.close)
        return self._clocks

    async def clock_skews(self) -> list[Skew]:
        """Read every node's clock and return its skew against the testbed's reference, the most wrong first.

        Raises DriverError where one does not answer.
        """
        return skews(await self.clocks().read_all(), reference=self.testbed.clock_reference)

    async def _driver(self, name: str | None, kind: type[_C], open_: Callable[[Opening, str, _C], Awaitable[_D]]) -> _D:
        """The driver of a component, opened for the first who asks."""
        name, component = self._component(name, kind)
        found = self._drivers.get(name)
        if found is None:
            found = self._drivers[name] = await open_(self._opening, name, component)
            self._stack.push_async_callback(found.close)
        return cast(_D, found)

    def status_value(self, number: int) -> int:
        """Return what goes over the air for a radio status of this force.

        Raises TestbedError when the file has none.
        """
        try:
            return self.testbed.statuses[number].value
        except KeyError:
            raise TestbedError(f"status {number} is not under 'statuses' of testbed {self.testbed.name!r}") from None

    def issi(self, name: str) -> int:
        """Return the ISSI of a terminal or gateway by its component's name. Raises TestbedError when there is none."""
        component = self.testbed.components.get(name)
        if not isinstance(component, RadioTerminalComponent | RadioGatewayComponent):
            raise TestbedError(f"testbed {self.testbed.name!r} has no terminal or gateway {name!r}")
        return component.issi

    def ambience_password(self, console: str) -> str:
        """Return what a console's operator gives for ambience listening. Raises TestbedError where none is told."""
        component = self.testbed.components.get(console)
        password = component.ambience_password if isinstance(component, ConsoleComponent) else None
        if password is None:
            raise TestbedError(f"testbed {self.testbed.name!r} tells no 'ambience_password' of a console {console!r}")
        return password.get_secret_value()

    @property
    def directory(self) -> Path:
        """Where this bench's captures are. Raises TestbedError when it keeps none."""
        if self.context.capture_dir is None:
            raise TestbedError("this bench keeps no captures")
        return self.context.capture_dir.parent

    def measured(
        self,
        name: str,
        value: float,
        unit: str,
        *,
        limit: float | None = None,
        requirement: str | None = None,
        figure: str | None = None,
        at_least: bool = False,
    ) -> None:
        """Journal a measure and hold it against its limit.

        The limit, the most that is allowed in ``unit`` or with ``at_least`` the least, is the ``figure`` of the
        ``requirement`` in the catalogue, or ``limit`` where the catalogue has none. Raises ExpectationError, naming
        both, when it is not kept, and TestbedError for a figure that is not in the catalogue or is in another unit.
        """
        if requirement is not None and figure is not None:
            agreed = catalogue()[requirement].figure(figure)
            if agreed.unit != unit:
                raise TestbedError(f"{requirement}: {figure} is in {agreed.unit}, {name} in {unit}")
            limit = agreed.value
        within = limit is None or (value >= limit if at_least else value <= limit)
        self.journal.record(
            "bench",
            "measure",
            name=name,
            value=round(value, 3),
            unit=unit,
            limit=limit,
            within=within,
            requirement=requirement,
        )
        if not within:
            due = f" ({requirement})" if requirement else ""
            bound = f"at least {limit:g} {unit} is due" if at_least else f"at most {limit:g} {unit} is allowed"
            raise ExpectationError(f"{name} is {value:.3f} {unit}; {bound}{due}")

    async def pacing(self) -> Pacing:
        """How late this side's own packets left since last asked: what is over it tells nothing of the other side."""
        return await self._media.pacing()

    async def close(self) -> None:
        """Close every driver, last opened first, and the media service."""
        await self._stack.aclose()
        await self._media.close()

    def _component(self, name: str | None, kind: type[_C]) -> tuple[str, _C]:
        fitting = {n: c for n, c in self.testbed.components.items() if isinstance(c, kind)}
        if name is None and len(fitting) == 1:
            name = next(iter(fitting))
        if name is None or name not in fitting:
            role = kind.model_fields["role"].annotation
            raise TestbedError(
                f"testbed {self.testbed.name!r} has no component {name or '(unnamed)'!r} for {role}; "
                f"it has {', '.join(fitting) or 'none'}"
            )
        component = fitting[name]
        if component.binding is Binding.MANUAL and not isinstance(component, ConsoleComponent):
            raise TestbedError(
                f"component {name!r} is bound 'manual': a tester is led through consoles alone; bind a "
                f"{component.role} 'simulated' or 'real'"
            )
        return name, component


@asynccontextmanager
async def open_bench(
    testbed: Testbed,
    *,
    today: date,
    addresses: Addresses | None,
    virtual: bool,
    seed: int | None = None,
    origin: float | None = None,
    capture_dir: Path | None = None,
    auto_advisers: bool = False,
    events: int = EVENTS_IN_MEMORY,
) -> AsyncIterator[Bench]:
    """Open a bench on the running loop and close it after.

    In virtual time the simulators run in the same process over the virtual network, and with ``auto_advisers`` the
    ICCS's advisers answer by themselves as its settings say; else they were started before (``iccs simulate``) and
    ``addresses`` says where they are. ``events``: of each journal, that stay in memory.
    """
    context = Context.create(
        seed=seed,
        origin=origin,
        capture_dir=capture_dir / BENCH_CAPTURE if capture_dir is not None else None,
        events=events,
    )
    interlock = Interlock(testbed, today)
    async with AsyncExitStack() as stack:
        stack.callback(context.close)
        if virtual:
            if interlock.armed:
                raise TestbedError(
                    f"testbed {testbed.name!r} has {', '.join(testbed.real())}: no virtual time with those"
                )
            simulators = Context.create(
                seed=None if seed is None else seed + 1,
                origin=context.journal.origin,
                capture_dir=capture_dir / SIMULATORS_CAPTURE if capture_dir is not None else None,
                events=events,
            )
            stack.callback(simulators.close)
            simulation = await Simulation.start(
                simulators, testbed, interlock, virtual=True, auto_advisers=auto_advisers
            )
            stack.push_async_callback(simulation.stop)
            addresses = simulation.addresses
        media = await open_media(context, in_process=virtual)
        clock = clock_of(context.journal, virtual=virtual)
        bench = Bench(context, testbed, interlock, addresses or Addresses(), media, clock)
        stack.push_async_callback(bench.close)
        yield bench
