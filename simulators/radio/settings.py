"""What a simulated radio network is told in the testbed file: its sites, and where its control interface listens."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr

from simulators.settings import Strict

SiteName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")]


class RadioSettings(Strict):
    """A network as the testbed file describes it."""

    sites: tuple[SiteName, ...] = Field(default=("main",), min_length=1, max_length=1_000)
    """Base station sites; a terminal that names none is at the first."""
    host: str = "127.0.0.1"
    """Where the control interface listens."""
    control_port: int = Field(default=0, ge=0, le=65535)
    """Its TCP port; 0 takes any free one."""
    control_token: SecretStr | None = None
    """Bearer token that it asks for; needed where ``host`` is not a loopback address."""
