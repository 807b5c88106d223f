"""The emergency network simulator: operators, routes, Silent Solution, held circuits, text calls, spates, records."""

from simulators.emergency.announcements import Announcements
from simulators.emergency.settings import EmergencySettings
from simulators.emergency.simulator import EmergencyNetwork

__all__ = ["Announcements", "EmergencyNetwork", "EmergencySettings"]
