"""The TETRA network simulator: talkgroups, floor, messages, and terminals that are driven over PEI serial lines."""

from __future__ import annotations

from simulators.radio.config import Delay, Delays, RadioConfig, TerminalConfig, TrackerConfig
from simulators.radio.network import RadioNetwork

__all__ = ["Delay", "Delays", "RadioConfig", "RadioNetwork", "TerminalConfig", "TrackerConfig"]
