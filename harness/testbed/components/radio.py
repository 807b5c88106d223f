"""The radio network, its gateways and terminals in a testbed file."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from harness.testbed.components.base import (
    SERIAL_SCHEMES,
    Audio,
    Binding,
    BoundComponent,
    Name,
    SerialSettings,
    Ssi,
    Strict,
)
from simulators.radio.settings import RadioSettings, SiteName


class RadioNetworkComponent(BoundComponent):
    """The TETRA network."""

    role: Literal["radio_network"]
    mcc: int = Field(default=901, ge=0, le=999)
    """Mobile country code (901: shared, for tests)."""
    mnc: int = Field(default=1638, ge=0, le=16383)
    """Mobile network code."""
    simulator: RadioSettings = RadioSettings()
    """How the simulator is laid out."""

    @model_validator(mode="after")
    def _only_simulated_is_laid_out(self) -> RadioNetworkComponent:
        self.only_a_simulator_is_laid_out()
        return self


class TerminalComponent(BoundComponent):
    """What gateways and terminals have in common."""

    issi: Ssi
    talkgroup: str
    serial: SerialSettings = SerialSettings()
    personality: Literal["plain", "motorola-like", "sepura-like"] = "plain"
    """The habits of a make that a simulated terminal shows on its line (docs/pei.md)."""
    site: SiteName | None = None
    """The site of the simulated network that serves it; None: the first."""
    audio: Audio = "rtp"
    """Its loudspeaker and microphone; ``rtp`` only where a simulator offers the jack."""

    @model_validator(mode="after")
    def _real_has_line(self) -> TerminalComponent:
        real = self.binding is Binding.REAL
        if real and not self.serial.url.startswith(SERIAL_SCHEMES):
            raise ValueError(f"a real terminal needs 'serial.url' beginning with one of {', '.join(SERIAL_SCHEMES)}")
        if real and self.audio == "rtp":
            raise ValueError("a real terminal needs 'audio': rtp://host:port or sound:NAME")
        if real and self.personality != "plain":
            raise ValueError("'personality' is for simulators; a real terminal has its own")
        if self.binding is Binding.SIMULATED and self.serial.url != "pty":
            raise ValueError("'serial.url' is for real equipment; a simulator offers a line of its own ('pty')")
        return self


class RadioGatewayComponent(TerminalComponent):
    """The TETRA terminal through which the ICCS reaches the radio network."""

    role: Literal["radio_gateway"]
    use: Literal["talkgroup", "radio_calls"] = "talkgroup"
    """What the ICCS has it for: its talkgroup, or calls with one radio."""
    standby_of: Name | None = None
    """The gateway of the same talkgroup whose place it takes when that is lost; None: it works its talkgroup."""

    @model_validator(mode="after")
    def _audio_to_the_switch(self) -> RadioGatewayComponent:
        if self.audio.startswith("sound:"):
            raise ValueError("a gateway's 'audio' is plugged into the ICCS: rtp://host:port")
        return self


class TrackerSettings(Strict):
    """How a simulated terminal in a vehicle reports its place by itself; a real one's codeplug says that."""

    to: Name
    """The terminal or gateway that gets the reports."""
    every_s: float = Field(default=25.0, gt=0, le=86_400)
    """Seconds between reports, at most. [p]"""
    every_m: float = Field(default=150.0, gt=0, le=1_000_000)
    """Metres of way between reports, at most, as seen at position fixes a second apart. [p]"""


class RadioTerminalComponent(TerminalComponent):
    """An officer's terminal, on a serial line of its own."""

    role: Literal["radio_terminal"]
    tracker: TrackerSettings | None = None

    @model_validator(mode="after")
    def _only_simulated_is_tracked(self) -> RadioTerminalComponent:
        if self.tracker is not None and self.binding is not Binding.SIMULATED:
            raise ValueError("'tracker' is for simulators; a real terminal reports as its codeplug says")
        return self
