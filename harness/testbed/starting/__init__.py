"""How each simulator is started, in the order in which they need each other."""

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

STARTERS: tuple[Starter, ...] = (
    Starter(CallerLocationComponent, "location:start_location"),
    Starter(CommandControlComponent, "command_control:start_command_control"),
    Starter(CrmComponent, "crm:start_crm"),
    Starter(RecordsDatabaseComponent, "records:start_records"),
    Starter(DirectoryComponent, "directory:start_directory"),
    Starter(KeyedRadioComponent, "keying:start_keyed_radio"),
    Starter(RadioNetworkComponent, "radio:start_radio"),
    Starter(McpttServerComponent, "mcptt:start_mcptt"),
    Starter(InterworkingGatewayComponent, "interworking:start_interworking"),
    Starter(RoipGatewayComponent, "roip:start_roip"),
    Starter(IccsComponent, "iccs:start_iccs"),
    Starter(EmergencyNetworkComponent, "emergency:start_emergency"),
    Starter(EnterpriseSwitchComponent, "switch:start_switch"),
    Starter(WebexComponent, "webex:start_webex"),
    Starter(SmsNetworkComponent, "sms:start_sms"),
    Starter(WorkforceComponent, "workforce:start_workforce"),
    Starter(SmsDiaryComponent, "diary:start_diary"),
    Starter(ContactUsComponent, "contact_us:start_contact_us"),
)
"""Components for which `iccs simulate` starts a simulator; others come up with these, or the harness plays them."""

__all__ = ["STARTERS", "Starter", "Starting"]
