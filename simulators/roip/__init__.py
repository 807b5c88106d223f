"""The radio gateway simulator: radios that control rooms reach by ED-137, on the TETRA network or on their own."""

from simulators.roip.settings import RadioSettings, RoipSettings
from simulators.roip.simulator import RoipGateway
from simulators.roip.tetra import TerminalLine

__all__ = ["RadioSettings", "RoipGateway", "RoipSettings", "TerminalLine"]
