"""The MCPTT server simulator: groups, who may join them, their calls and their floors."""

from simulators.mcptt.server import McpttServer
from simulators.mcptt.settings import McpttSettings

__all__ = ["McpttServer", "McpttSettings"]
