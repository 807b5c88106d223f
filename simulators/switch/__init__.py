"""The enterprise switch simulator, which stands for a call manager: registrar, features, trunks, call records."""

from simulators.switch.settings import SwitchSettings
from simulators.switch.simulator import SwitchSimulator
from simulators.switch.switch import EnterpriseSwitch
from simulators.switch.views import Party, PartyEvent, PartyState

__all__ = ["EnterpriseSwitch", "Party", "PartyEvent", "PartyState", "SwitchSettings", "SwitchSimulator"]
