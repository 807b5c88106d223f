"""How each simulator is started, in the order in which they need each other."""

from typing import Any

from harness.testbed.components import (
    CallerLocationComponent,
    CommandControlComponent,
    ContactUsComponent,
    CrmComponent,
    DirectoryComponent,
    EmergencyNetworkComponent,
    EnterpriseSwitchComponent,
    IccsComponent,
    InterworkingGatewayComponent,
    KeyedRadioComponent,
    McpttServerComponent,
    RadioNetworkComponent,
    RecordsDatabaseComponent,
    RoipGatewayComponent,
    SmsDiaryComponent,
    SmsNetworkComponent,
    WebexComponent,
    WorkforceComponent,
)
from harness.testbed.starting.base import Starter, Starting
from harness.testbed.starting.command_control import start_command_control
from harness.testbed.starting.contact_us import start_contact_us
from harness.testbed.starting.crm import start_crm
from harness.testbed.starting.diary import start_diary
from harness.testbed.starting.directory import start_directory
from harness.testbed.starting.emergency import start_emergency
from harness.testbed.starting.iccs import start_iccs
from harness.testbed.starting.interworking import start_interworking
from harness.testbed.starting.keying import start_keyed_radio
from harness.testbed.starting.location import start_location
from harness.testbed.starting.mcptt import start_mcptt
from harness.testbed.starting.radio import start_radio
from harness.testbed.starting.records import start_records
from harness.testbed.starting.roip import start_roip
from harness.testbed.starting.sms import start_sms
from harness.testbed.starting.switch import start_switch
from harness.testbed.starting.webex import start_webex
from harness.testbed.starting.workforce import start_workforce

STARTERS: tuple[Starter[Any], ...] = (
    Starter(CallerLocationComponent, start_location),
    Starter(CommandControlComponent, start_command_control),
    Starter(CrmComponent, start_crm),
    Starter(RecordsDatabaseComponent, start_records),
    Starter(DirectoryComponent, start_directory),
    Starter(KeyedRadioComponent, start_keyed_radio),
    Starter(RadioNetworkComponent, start_radio),
    Starter(McpttServerComponent, start_mcptt),
    Starter(InterworkingGatewayComponent, start_interworking),
    Starter(RoipGatewayComponent, start_roip),
    Starter(IccsComponent, start_iccs),
    Starter(EmergencyNetworkComponent, start_emergency),
    Starter(EnterpriseSwitchComponent, start_switch),
    Starter(WebexComponent, start_webex),
    Starter(SmsNetworkComponent, start_sms),
    Starter(WorkforceComponent, start_workforce),
    Starter(SmsDiaryComponent, start_diary),
    Starter(ContactUsComponent, start_contact_us),
)
"""Components for which `iccs simulate` starts a simulator; others come up with these, or the harness plays them."""

__all__ = ["STARTERS", "Starter", "Starting"]
