"""An MCPTT server and the handsets of its users in a testbed file."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from harness.testbed.components.base import Binding, BoundComponent, HostPort, Name
from simulators.mcptt.settings import McpttSettings


class McpttServerComponent(BoundComponent):
    """The mission critical push-to-talk service (ESN): groups and their floors."""

    role: Literal["mcptt_server"]
    simulator: McpttSettings | None = None
    """How the simulator is laid out; only where the binding is ``simulated``."""
    sip: HostPort | None = None
    """Where a real server takes SIP over UDP, ``host:port``."""
    domain: str | None = Field(default=None, pattern=r"^[A-Za-z0-9.-]{1,120}$")
    """Of MCPTT IDs at a real server: `sip:NAME@DOMAIN`."""
    service: str | None = Field(default=None, pattern=r"^sips?:[^\s<>]{1,200}$")
    """A real server's public service identity, to which private calls are addressed; `sip:mcptt@DOMAIN` if left out."""

    data_service: str | None = Field(default=None, pattern=r"^sips?:[^\s<>]{1,200}$")
    """The same of MCData, for texts and statuses; `sip:mcdata@DOMAIN` if left out."""

    @model_validator(mode="after")
    def _fits_its_binding(self) -> McpttServerComponent:
        if self.binding is Binding.REAL and (self.sip is None or self.domain is None):
            raise ValueError("a real mcptt_server needs 'sip' (host:port) and 'domain'")
        if self.binding is Binding.SIMULATED and self.simulator is None:
            raise ValueError("a simulated mcptt_server needs 'simulator' with its users and groups")
        real = (self.sip, self.domain, self.service, self.data_service)
        if self.binding is Binding.SIMULATED and any(each is not None for each in real):
            raise ValueError(
                "'sip', 'domain' and services' identities are for a real server; a simulator's stand under 'simulator'"
            )
        if self.binding is not Binding.SIMULATED and self.simulator is not None:
            raise ValueError(f"'simulator' lays out a simulator, and this one is bound {self.binding.value!r}")
        return self

    @property
    def id_domain(self) -> str:
        """The domain of MCPTT IDs."""
        if self.simulator is not None:
            return self.simulator.domain
        assert self.domain is not None
        return self.domain


class McpttTerminalComponent(BoundComponent):
    """A handset of a user's, played by the harness."""

    role: Literal["mcptt_terminal"]
    of: Name = "mcptt"
    """The server that it belongs to."""
    user: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$")]
    """The user part of its MCPTT ID."""
    talkgroup: str
    """The talkgroup that it is turned to: the user part of the group's MCPTT ID."""
    password: SecretStr | None = None
    """What it registers with; a simulated server's own for that user where left out."""
    priority: int = Field(default=5, ge=0, le=255)
    """The highest floor priority that it asks for (mc_priority)."""
    local: str = "127.0.0.1"
    """The address of this machine that it is bound to."""
