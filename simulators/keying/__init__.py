"""A simulated radio behind control lines, at a terminal server's port (RFC 2217)."""

from simulators.keying.settings import KeyedRadioSettings
from simulators.keying.simulator import KeyedRadioSimulator

__all__ = ["KeyedRadioSettings", "KeyedRadioSimulator"]
