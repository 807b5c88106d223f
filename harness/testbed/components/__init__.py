"""The components that a testbed file can name, by role."""

from typing import Annotated

from pydantic import Field

from harness.testbed.components.attendees import AttendeesComponent
from harness.testbed.components.base import (
    Binding,
    HostPort,
    McpttName,
    Name,
    SerialSettings,
    Ssi,
    Strict,
    TlsSettings,
)
from harness.testbed.components.call_load import CallLoadComponent
from harness.testbed.components.command_control import CommandControlComponent
from harness.testbed.components.contact_us import ContactUsComponent
from harness.testbed.components.crm import CrmComponent
from harness.testbed.components.diary import SmsDiaryComponent
from harness.testbed.components.directory import DirectoryComponent
from harness.testbed.components.emergency import (
    CallerPhoneComponent,
    EmergencyNetworkComponent,
    EmergencyOperatorComponent,
)
from harness.testbed.components.iccs import ConsoleComponent, IccsComponent
from harness.testbed.components.interworking import InterworkingGatewayComponent
from harness.testbed.components.keying import KeyedRadioComponent
from harness.testbed.components.location import CallerLocationComponent
from harness.testbed.components.mcptt import McpttServerComponent, McpttTerminalComponent
from harness.testbed.components.radio import (
    RadioGatewayComponent,
    RadioNetworkComponent,
    RadioTerminalComponent,
    TerminalComponent,
)
from harness.testbed.components.records import RecordsDatabaseComponent
from harness.testbed.components.roip import RoipGatewayComponent, RoipRadioComponent
from harness.testbed.components.scripted_phone import ScriptedPhoneComponent
from harness.testbed.components.sms import SmsGatewayComponent, SmsNetworkComponent
from harness.testbed.components.switch import EnterpriseSwitchComponent, TelephoneComponent
from harness.testbed.components.trunk import TrunkComponent
from harness.testbed.components.webex import WebexComponent
from harness.testbed.components.workforce import WorkforceComponent

Component = Annotated[
    IccsComponent
    | RadioNetworkComponent
    | RadioGatewayComponent
    | RadioTerminalComponent
    | TrunkComponent
    | ConsoleComponent
    | CallerLocationComponent
    | CommandControlComponent
    | ContactUsComponent
    | CrmComponent
    | KeyedRadioComponent
    | ScriptedPhoneComponent
    | AttendeesComponent
    | CallLoadComponent
    | EmergencyNetworkComponent
    | EmergencyOperatorComponent
    | CallerPhoneComponent
    | EnterpriseSwitchComponent
    | TelephoneComponent
    | McpttServerComponent
    | McpttTerminalComponent
    | RoipGatewayComponent
    | RoipRadioComponent
    | SmsNetworkComponent
    | SmsGatewayComponent
    | RecordsDatabaseComponent
    | DirectoryComponent
    | WorkforceComponent
    | SmsDiaryComponent
    | WebexComponent
    | InterworkingGatewayComponent,
    Field(discriminator="role"),
]

__all__ = [
    "AttendeesComponent",
    "Binding",
    "CallLoadComponent",
    "CallerLocationComponent",
    "CallerPhoneComponent",
    "CommandControlComponent",
    "Component",
    "ConsoleComponent",
    "ContactUsComponent",
    "CrmComponent",
    "DirectoryComponent",
    "EmergencyNetworkComponent",
    "EmergencyOperatorComponent",
    "EnterpriseSwitchComponent",
    "HostPort",
    "IccsComponent",
    "InterworkingGatewayComponent",
    "KeyedRadioComponent",
    "McpttName",
    "McpttServerComponent",
    "McpttTerminalComponent",
    "Name",
    "RadioGatewayComponent",
    "RadioNetworkComponent",
    "RadioTerminalComponent",
    "RecordsDatabaseComponent",
    "RoipGatewayComponent",
    "RoipRadioComponent",
    "ScriptedPhoneComponent",
    "SerialSettings",
    "SmsDiaryComponent",
    "SmsGatewayComponent",
    "SmsNetworkComponent",
    "Ssi",
    "Strict",
    "TelephoneComponent",
    "TerminalComponent",
    "TlsSettings",
    "TrunkComponent",
    "WebexComponent",
    "WorkforceComponent",
]
