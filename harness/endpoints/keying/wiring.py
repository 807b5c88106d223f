"""Which control line does what between the harness and a radio: what keys it, what tells its carrier, a footswitch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Output = Literal["rts", "dtr"]
Input = Literal["cts", "dsr", "cd", "ri"]


@dataclass(frozen=True, slots=True)
class Wiring:
    """The lines of one radio."""

    key: Output = "rts"
    """What keys it. The other output stays at rest."""
    key_inverted: bool = False
    """Whether the radio transmits while the line is off."""
    carrier: Input | None = "cts"
    """What tells that something is received (carrier-operated relay); None: nothing does."""
    carrier_inverted: bool = False
    footswitch: Input | None = None
    """What a footswitch closes."""
    footswitch_inverted: bool = False
    echo: Input | None = None
    """An input that is wired to follow the key, so that a line that only seems to move is found out; None: none is."""

    def output(self, *, keyed: bool) -> bool:
        """The level of the key's line."""
        return keyed is not self.key_inverted


@dataclass(frozen=True, slots=True)
class Inputs:
    """The equipment's lines; True: on."""

    cts: bool = False
    dsr: bool = False
    cd: bool = False
    ri: bool = False

    def of(self, line: Input) -> bool:
        """One of them."""
        return bool(getattr(self, line))
