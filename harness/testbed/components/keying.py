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

    @model_validator(mode="after")
    def _a_line_each(self) -> WiringSettings:
        if self.footswitch is not None and self.footswitch in (self.carrier, self.echo):
            raise ValueError(f"footswitch is on {self.footswitch}, as another is: it needs a line of its own")
        return self

    def wiring(self) -> Wiring:
        """As the endpoint has it."""
        return Wiring(**self.model_dump())


class KeyedRadioComponent(BoundComponent):
    """A radio behind a serial port's control lines."""

    role: Literal["keyed_radio"]
    talkgroup: Annotated[str, Field(min_length=1, max_length=80)] | None = None
    """What it keys: a talkgroup, or a channel that has no GSSI. Left out: it goes by the component's name."""
    simulator: KeyedRadioSettings = KeyedRadioSettings()
    """How the simulator is laid out; only where the binding is ``simulated``."""
    lines: Annotated[str, Field(pattern=r"^(/dev/\S+|rfc2217://[^/\s]+:\d+)$")] | None = None
    """Where a real radio's lines are: a device, or a terminal server's port."""
    wiring: WiringSettings = WiringSettings()
    """Which line does what, of a real radio."""

    def keys(self, name: str) -> str:
        """What ``safety.key`` must name before a real one is keyed; ``name`` is the component's."""
        return self.talkgroup or name

    @model_validator(mode="after")
    def _real_has_lines(self) -> KeyedRadioComponent:
        if self.binding is Binding.REAL and self.lines is None:
            raise ValueError("a real keyed_radio needs 'lines', a device or rfc2217://host:port")
        if self.binding is Binding.SIMULATED and {"lines", "wiring"} & self.model_fields_set:
            raise ValueError("'lines' and 'wiring' are for a real radio; a simulator's stand under 'simulator'")
        self.only_a_simulator_is_laid_out()
        return self
