"""MCPTT endpoints: a terminal in group calls, and the ports that floor control goes by."""

from harness.endpoints.mcptt.floor_port import FloorPort
from harness.endpoints.mcptt.group_call import GroupCall
from harness.endpoints.mcptt.terminal import McpttTerminal

__all__ = ["FloorPort", "GroupCall", "McpttTerminal"]
