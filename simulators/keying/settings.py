"""What a simulator of control lines is told at its start."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from simulators.settings import Strict

Port = Annotated[int, Field(ge=0, le=65_535)]


class KeyedRadioSettings(Strict):
    """A radio behind a terminal server's port."""

    host: str = "127.0.0.1"
    port: Port = 0
    """Where the terminal server's port is; 0: any that is free."""
    control_port: Port = 0
    """Where carrier, footswitch and faults are switched."""
    token: SecretStr | None = None
    """What control must bring."""
    key: Literal["rts", "dtr"] = "rts"
    """The line that keys the radio, and CTS (of RTS) or DSR (of DTR) follows, as in a loop-back plug."""
    key_inverted: bool = False
    """Whether the radio transmits while that line is off, and so while nobody has the port."""
    carrier: Literal["cd", "ri"] = "cd"
    """The line on which it tells that it receives."""
    footswitch: Literal["cd", "ri"] = "ri"
    """The line that the footswitch closes."""
    fault: Literal["none", "fakes_lines", "repeats_orders", "no_lines", "silent"] = "none"
    """``fakes_lines``: takes every order for done, moves nothing, and shows that when asked; ``repeats_orders``: as
    before, but shows what it was told, so that only a line that follows the key tells; ``no_lines``: won't do RFC 2217
    (plain telnet); ``silent``: answers nothing.
    """

    @model_validator(mode="after")
    def _a_line_each(self) -> KeyedRadioSettings:
        if self.carrier == self.footswitch:
            raise ValueError(f"carrier and footswitch are both on {self.carrier}: each needs a line of its own")
        return self
