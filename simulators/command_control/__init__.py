"""A simulated command-and-control system, in one of two shapes: in STORM's place, and what comes after it."""

from simulators.command_control.settings import CommandControlSettings
from simulators.command_control.simulator import CommandControlSimulator

__all__ = ["CommandControlSettings", "CommandControlSimulator"]
