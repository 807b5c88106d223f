"""The caller-location simulator: subscribers, cells and handsets, AML intake, and links to control rooms."""

from simulators.location.settings import LocationSettings
from simulators.location.simulator import LocationSimulator

__all__ = ["LocationSettings", "LocationSimulator"]
