"""Radios keyed by a control line of a serial port: PTT on RTS or DTR; carrier and footswitch on what comes back."""

from harness.endpoints.keying.lines import DEBOUNCE_S, MAX_KEYED_S, KeyingLines
from harness.endpoints.keying.wiring import Input, Inputs, Output, Wiring

__all__ = ["DEBOUNCE_S", "MAX_KEYED_S", "Input", "Inputs", "KeyingLines", "Output", "Wiring"]
