"""A simulated directory (phone book): edited at its own interface, read by control rooms as a feed."""

from simulators.directory.settings import DirectorySettings
from simulators.directory.simulator import DirectorySimulator

__all__ = ["DirectorySettings", "DirectorySimulator"]
