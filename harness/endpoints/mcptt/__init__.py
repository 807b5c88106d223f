"""MCPTT endpoints: a terminal in group, private and ambient calls, and the ports that floor control goes by."""

from harness.endpoints.mcptt.ambience import AmbientCall
from harness.endpoints.mcptt.floor_port import FloorPort
from harness.endpoints.mcptt.group_call import GroupCall
from harness.endpoints.mcptt.private_call import FullDuplexCall, HalfDuplexCall, PrivateCall
from harness.endpoints.mcptt.terminal import McpttTerminal

__all__ = ["AmbientCall", "FloorPort", "FullDuplexCall", "GroupCall", "HalfDuplexCall", "McpttTerminal", "PrivateCall"]
