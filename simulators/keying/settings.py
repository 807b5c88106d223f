"""What a simulator of control lines is told at its start."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

Port = Annotated[int, Field(ge=0, le=65_535)]


class KeyedRadioSettings(BaseModel):
    """A radio behind a terminal server's port."""

    model_config = ConfigDict(extra="forbid", frozen=True)
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
    carrier: Literal["cd", "ri"] = "cd"
    """The line on which it tells that it receives."""
    footswitch: Literal["cd", "ri"] = "ri"
    """The line that the footswitch closes."""
    fault: Literal["none", "fakes_lines", "no_lines", "silent"] = "none"
    """``fakes_lines``: takes every order for done and moves nothing; ``no_lines``: won't do RFC 2217 (plain telnet);
    ``silent``: answers nothing.
    """
