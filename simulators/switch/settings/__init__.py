"""What an enterprise switch is told at its start."""

from simulators.switch.settings.groups import HuntGroupSettings, Strategy
from simulators.switch.settings.lines import ForwardSettings, LineSettings
from simulators.switch.settings.services import (
    CodeSettings,
    ConferenceSettings,
    ParkSettings,
    RoomSettings,
    VoicemailSettings,
)
from simulators.switch.settings.sites import EmergencySettings, SiteSettings, SurvivableSettings
from simulators.switch.settings.switch import MAX_CALLS, RecordSettings, SwitchSettings, TlsSettings
from simulators.switch.settings.trunks import OptionsSettings, PeerSettings, RouteSettings, TrunkSettings

__all__ = [
    "MAX_CALLS",
    "CodeSettings",
    "ConferenceSettings",
    "EmergencySettings",
    "ForwardSettings",
    "HuntGroupSettings",
    "LineSettings",
    "OptionsSettings",
    "ParkSettings",
    "PeerSettings",
    "RecordSettings",
    "RoomSettings",
    "RouteSettings",
    "SiteSettings",
    "Strategy",
    "SurvivableSettings",
    "SwitchSettings",
    "TlsSettings",
    "TrunkSettings",
    "VoicemailSettings",
]
