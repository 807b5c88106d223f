"""The MCPTT server simulator: groups, who may join them, their calls and their floors."""
