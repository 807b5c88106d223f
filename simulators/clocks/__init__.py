"""The clocks of simulated nodes: each tells its time by SNTP, and each can be set wrong."""

from simulators.clocks.room import HOST, ClockRoom, NodeClock

__all__ = ["HOST", "ClockRoom", "NodeClock"]
