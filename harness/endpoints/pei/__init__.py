"""TETRA PEI over a serial line: the terminal equipment that drives a terminal, and the terminal itself."""

from __future__ import annotations

from harness.endpoints.pei.mobile_terminal import MobileTerminal
from harness.endpoints.pei.terminal_equipment import KeyOutcome, SendOutcome, TerminalEquipment

__all__ = ["KeyOutcome", "MobileTerminal", "SendOutcome", "TerminalEquipment"]
