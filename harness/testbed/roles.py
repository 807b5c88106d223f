"""The roles of a testbed: whoever asks for one is handed a driver, bound to what stands behind it and opened once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Final, Protocol, TypeVar, cast, get_args

from harness.drivers.attendees import Attendees
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
from harness.drivers.keyed_radio import KeyedRadio
from harness.drivers.location import LocationService
from harness.drivers.made_to_fail import CoreNodes, SiteLinks, SwitchFaults
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
from harness.errors import TestbedError
from harness.testbed.components import (
    AttendeesComponent,
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
from harness.testbed.layouts import lack
from harness.testbed.model import Testbed
from harness.testbed.opening import (
    open_attendees,
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


class Roles:
    """Drivers for the roles of one testbed, opened when first asked for and closed together."""

    def __init__(self, testbed: Testbed, opening: Opening) -> None:
        """``opening``: what drivers are opened with."""
        self.testbed = testbed
        self._opening = opening
        self._stack = AsyncExitStack()
        self._drivers: dict[str, Driver] = {}
        self._clocks: NodeClocks | None = None

    async def trunk(self, name: str | None = None) -> EmergencyTrunk:
        """Return the emergency trunk (the one there is, or the one named)."""
        return await self._driver(name, TrunkComponent, open_trunk)

    async def console(self, name: str | None = None) -> Console:
        """Return a console by its component's name, logged in."""
        return await self._driver(name, ConsoleComponent, open_console)

    async def watched_console(self, name: str | None = None) -> Console:
        """Return a console at which a person sits: what it shows is journalled, and nothing can be done there."""
        return await self._driver(name, ConsoleComponent, watch_console)

    async def supervisor(self, name: str | None = None) -> Supervisor:
        """Return a supervisor's view of the ICCS (the one there is, or the one named)."""
        return await self._driver(name, IccsComponent, open_supervisor)

    async def core_nodes(self, name: str | None = None) -> CoreNodes:
        """Return the nodes of an ICCS (the one there is, or the one named), to kill one; a tester kills a real one's.

        Raises NotPlayedError where it is real and nobody stands by.
        """
        name, component = self._component(name, IccsComponent)
        simulated = component.binding is Binding.SIMULATED
        return await self.supervisor(name) if simulated else self._opening.by_hand(name)

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

    async def site_links(self, name: str | None = None) -> SiteLinks:
        """Return the links of the radio network's sites, to cut one; a tester cuts a real one's.

        Raises as `core_nodes`.
        """
        name, component = self._component(name, RadioNetworkComponent)
        simulated = component.binding is Binding.SIMULATED
        return await self.radio_network(name) if simulated else self._opening.by_hand(name)

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
        told = f"testbed {self.testbed.name!r} has no radio {name!r}; it has {', '.join(there) or 'none'}"
        raise lack(self.testbed, told)

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

    async def switch_faults(self, name: str | None = None) -> SwitchFaults:
        """Return what makes trunks and sites of an enterprise switch fail; a tester makes those of a real one.

        Raises as `core_nodes`.
        """
        name, component = self._component(name, EnterpriseSwitchComponent)
        simulated = component.binding is Binding.SIMULATED
        return await self.enterprise_switch(name) if simulated else self._opening.by_hand(name)

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

    async def attendees(self, name: str | None = None) -> Attendees:
        """Return those who attend a meeting (the ones there are, or the ones named)."""
        return await self._driver(name, AttendeesComponent, open_attendees)

    async def call_load(self, name: str | None = None) -> CallLoad:
        """Return a load of calls (the one there is, or the one named)."""
        return await self._driver(name, CallLoadComponent, open_call_load)

    def clocks(self) -> NodeClocks:
        """Return the clocks of all nodes that tell their time."""
        if self._clocks is None:
            self._clocks = open_clocks(self._opening)
            self._stack.push_async_callback(self._clocks.close)
        return self._clocks

    async def close(self) -> None:
        """Close every driver, last opened first."""
        await self._stack.aclose()

    async def _driver(self, name: str | None, kind: type[_C], open_: Callable[[Opening, str, _C], Awaitable[_D]]) -> _D:
        """The driver of a component, opened for the first who asks."""
        name, component = self._component(name, kind)
        found = self._drivers.get(name)
        if found is None:
            found = self._drivers[name] = await open_(self._opening, name, component)
            self._stack.push_async_callback(found.close)
        return cast(_D, found)

    def _component(self, name: str | None, kind: type[_C]) -> tuple[str, _C]:
        fitting = {n: c for n, c in self.testbed.components.items() if isinstance(c, kind)}
        if name is None and len(fitting) == 1:
            name = next(iter(fitting))
        if name is None or name not in fitting:
            (role,) = get_args(kind.model_fields["role"].annotation)
            named = f"component {name!r}" if name else "component"
            there = ", ".join(fitting) or "none"
            told = f"testbed {self.testbed.name!r} has no {named} with role {role}; it has {there}"
            raise lack(self.testbed, told)
        component = fitting[name]
        if component.binding is Binding.MANUAL and not isinstance(component, ConsoleComponent):
            raise TestbedError(
                f"component {name!r} is bound 'manual': a tester is led through consoles alone; bind a "
                f"{component.role} 'simulated' or 'real'"
            )
        return name, component
