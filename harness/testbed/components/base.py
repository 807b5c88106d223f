"""What every component of a testbed file has: a binding, and the forms in which addresses and lines are written."""

from __future__ import annotations

import ssl
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from harness.errors import TestbedError

SERIAL_SCHEMES = ("/dev/", "rfc2217://", "socket://")

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,39}$")]
McpttName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$")]
"""The user part of an MCPTT ID."""
Ssi = Annotated[int, Field(ge=1, le=16_777_215)]
"""A short subscriber identity, 24 bits (EN 300 392-1)."""
_PORT = r"(?:[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
HostPort = Annotated[str, Field(pattern=rf"^[^:\s]+:{_PORT}$")]
Audio = Annotated[str, Field(pattern=rf"^(rtp|rtp://[^:\s/]+:{_PORT}|sound:.+)$", max_length=200)]
"""``rtp`` (a simulator's own jack), ``rtp://host:port``, or ``sound:NAME`` for a sound device."""


class Binding(StrEnum):
    """What stands behind a component."""

    SIMULATED = "simulated"
    """The harness starts a simulator, or plays the part itself."""
    REAL = "real"
    """Equipment, reached at the address given."""
    MANUAL = "manual"
    """Equipment without an interface: a tester acts and confirms."""


class Strict(BaseModel):
    """A part of the file, in which no other key is allowed."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class BoundComponent(Strict):
    """What every component has."""

    binding: Binding = Binding.SIMULATED
    ntp: HostPort | None = None
    """Where equipment tells its time by NTP, ``host:port``; a simulator's clock has a port of its own."""

    @model_validator(mode="after")
    def _clock_of_its_own(self) -> BoundComponent:
        if self.binding is Binding.SIMULATED and self.ntp is not None:
            raise ValueError("'ntp' is for real equipment; a simulator tells its time at a port of its own")
        return self

    @property
    def stands_on(self) -> str | None:
        """The component without which this one's simulator can't be started; None: it needs no other."""
        return None

    def only_a_simulator_is_laid_out(self) -> None:
        """Raise ValueError where ``simulator`` is given and none is meant: a component's validator ends with it."""
        if self.binding is not Binding.SIMULATED and "simulator" in self.model_fields_set:
            raise ValueError(f"'simulator' lays out a simulator, and this one is bound {self.binding.value!r}")


class SerialSettings(Strict):
    """A serial line as pyserial opens it, 8N1."""

    url: str = "pty"
    """``/dev/…``, ``rfc2217://…``, ``socket://…``; ``pty`` only where a simulator offers the line."""
    baud: Literal[1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200] = 38400


class TlsSettings(Strict):
    """How a real service's certificate is verified, and what we show it."""

    ca: Path | None = None
    """PEM file of the authorities that may have signed it; the system's where left out."""
    certificate: Path | None = None
    """PEM file of our own certificate, where the service asks for one."""
    key: Path | None = None

    @model_validator(mode="after")
    def _pair(self) -> TlsSettings:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("'certificate' and 'key' go together")
        return self

    def context(self) -> ssl.SSLContext:
        """Return what a link is made with. Raises TestbedError when a file can't be read."""
        try:
            context = ssl.create_default_context(cafile=self.ca)
            if self.certificate is not None:
                context.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as error:
            raise TestbedError(f"'tls': {error}") from error
        return context
