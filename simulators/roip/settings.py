"""What a radio gateway is told at its start: addresses, its radios, what it agrees to."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from simulators.settings import Strict

MAX_RADIOS = 64
"""Radios of one gateway."""
MAX_SESSIONS = 15
"""Control rooms of one radio at once; the layout of 2009 has no more ids."""


class RadioSettings(Strict):
    """One radio."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,19}$")]
    """The user part of its SIP URI."""
    frequency: Annotated[str, Field(max_length=32)] = ""
    """As its display tells it; not needed where it is on a talkgroup."""
    talkgroup: str | None = None
    """The talkgroup that its TETRA terminal is on; without one the radio is on its own, with nobody on its air."""
    issi: Annotated[int, Field(ge=1, le=16_777_215)] | None = None
    """That terminal's identity."""
    quality: int = Field(default=12, ge=0, le=15)
    """Signal quality index by RSSI of what it receives."""
    sessions: int = Field(default=MAX_SESSIONS, ge=1, le=MAX_SESSIONS)
    """Control rooms at once."""

    @model_validator(mode="after")
    def _together(self) -> RadioSettings:
        if (self.talkgroup is None) != (self.issi is None):
            raise ValueError("'talkgroup' and 'issi' go together: they are those of the radio's TETRA terminal")
        return self


class RoipSettings(Strict):
    """A radio gateway as the testbed file describes it."""

    host: str = "127.0.0.1"
    sip_port: int = Field(default=0, ge=0, le=65535)
    """UDP port of SIP; 0 takes any free one."""
    rtp_first_port: int = Field(default=0, ge=0, le=65535 - 2 * MAX_RADIOS * MAX_SESSIONS)
    """The UDP port of the first radio's first session, each further one two above, MAX_SESSIONS a radio; 0: any free
    ones, which each answer tells."""
    http_port: int = Field(default=0, ge=0, le=65535)
    """TCP port of the control interface; 0 takes any free one."""
    token: SecretStr | None = None
    """What the control interface asks for; needed where ``host`` is not loopback."""
    layout: Literal[2009, 2011] = 2011
    """Which header extension its packets carry."""
    period_ms: int = Field(default=200, ge=20, le=1000)
    """R2S-KeepAlivePeriod that it answers with."""
    multiplier: int = Field(default=10, ge=2, le=50)
    """R2S-KeepAliveMultiplier that it answers with."""
    jitter_buffer_ms: float = Field(default=0, ge=0, le=500)
    """What it tells a delay measurement of its jitter buffer; it has none, speech goes on at once."""
    inside_ms: float = Field(default=0, ge=0, le=500)
    """What it tells a delay measurement of its inside."""
    radios: tuple[RadioSettings, ...] = Field(
        default=(RadioSettings(name="radio-1"),), min_length=1, max_length=MAX_RADIOS
    )

    @model_validator(mode="after")
    def _names_differ(self) -> RoipSettings:
        names = [radio.name for radio in self.radios]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two radios are called {name!r}")
        return self
