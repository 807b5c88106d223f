"""How the driver of each role is opened on a bench."""

from harness.testbed.opening.attendees import open_attendees
from harness.testbed.opening.call_load import open_call_load
from harness.testbed.opening.clocks import open_clocks
from harness.testbed.opening.command_control import open_command_control
from harness.testbed.opening.console import open_console, watch_console
from harness.testbed.opening.contact_us import open_contact_us
from harness.testbed.opening.crm import open_crm
from harness.testbed.opening.diary import open_sms_diary
from harness.testbed.opening.directory import open_directory
from harness.testbed.opening.emergency import open_caller_phone, open_emergency_network, open_emergency_operator
from harness.testbed.opening.keying import open_keyed_radio
from harness.testbed.opening.location import open_location
from harness.testbed.opening.mcptt import open_mcptt_terminal
from harness.testbed.opening.radio import open_terminal
from harness.testbed.opening.radio_network import open_radio_network
from harness.testbed.opening.records import open_records_database
from harness.testbed.opening.roip import open_roip_gateway, open_roip_radio
from harness.testbed.opening.scripted_phone import open_scripted_phone
from harness.testbed.opening.sms import open_sms_gateway, open_sms_network
from harness.testbed.opening.supervisor import open_supervisor
from harness.testbed.opening.switch import open_switch
from harness.testbed.opening.telephone import open_telephone
from harness.testbed.opening.trunk import open_trunk
from harness.testbed.opening.webex import open_webex
from harness.testbed.opening.workforce import open_workforce

__all__ = [
    "open_attendees",
    "open_call_load",
    "open_caller_phone",
    "open_clocks",
    "open_command_control",
    "open_console",
    "open_contact_us",
    "open_crm",
    "open_directory",
    "open_emergency_network",
    "open_emergency_operator",
    "open_keyed_radio",
    "open_location",
    "open_mcptt_terminal",
    "open_radio_network",
    "open_records_database",
    "open_roip_gateway",
    "open_roip_radio",
    "open_scripted_phone",
    "open_sms_diary",
    "open_sms_gateway",
    "open_sms_network",
    "open_supervisor",
    "open_switch",
    "open_telephone",
    "open_terminal",
    "open_trunk",
    "open_webex",
    "open_workforce",
    "watch_console",
]
