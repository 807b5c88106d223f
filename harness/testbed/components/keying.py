"""A radio that a control line keys, in a testbed file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from harness.endpoints.keying import Input, Output, Wiring
from harness.testbed.components.base import Binding, BoundComponent, Strict
from simulators.keying.settings import KeyedRadioSettings


class WiringSettings(Strict):
    """Which line does what."""

    key: Output = "rts"
    key_inverted: bool = False
    carrier: Input | None = "cd"
    carrier_inverted: bool = False
    footswitch: Input | None = None
    footswitch_inverted: bool = False
    echo: Input | None = None
    """An input that is wired to follow the key, so that a line that only seems to move is found out."""

    def wiring(self) -> Wiring:
        """As the endpoint has it."""
        return Wiring(**self.model_dump())


class KeyedRadioComponent(BoundComponent):
    """A radio behind a serial port's control lines."""

    role: Literal["keyed_radio"]
    talkgroup: str | None = None
    """What it keys; a real one can't be keyed without it."""
    simulator: KeyedRadioSettings = KeyedRadioSettings()
    """How the simulator is laid out; only where the binding is ``simulated``."""
    lines: Annotated[str, Field(pattern=r"^(/dev/\S+|rfc2217://[^/\s]+:\d+)$")] | None = None
    """Where a real radio's lines are: a device, or a terminal server's port."""
    wiring: WiringSettings = WiringSettings()
    """Which line does what, of a real radio."""

    @model_validator(mode="after")
    def _real_has_lines(self) -> KeyedRadioComponent:
        if self.binding is Binding.REAL and self.lines is None:
            raise ValueError("a real keyed_radio needs 'lines', a device or rfc2217://host:port")
        if self.binding is Binding.SIMULATED and {"lines", "wiring"} & self.model_fields_set:
            raise ValueError("'lines' and 'wiring' are for a real radio; a simulator's stand under 'simulator'")
        if self.binding is not Binding.SIMULATED and "simulator" in self.model_fields_set:
            raise ValueError(f"'simulator' lays out a simulator, and this one is bound {self.binding.value!r}")
        return self
