"""The enterprise switch and its telephones in a testbed file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from harness.testbed.components.base import Binding, BoundComponent, HostPort, Name
from simulators.switch.settings import SwitchSettings
from simulators.switch.settings.base import Secure


class EnterpriseSwitchComponent(BoundComponent):
    """The force's telephone switch (a call manager): telephones, trunks, voicemail, conferences."""

    role: Literal["enterprise_switch"]
    simulator: SwitchSettings = SwitchSettings()
    """How the simulator is laid out; only where the binding is ``simulated``."""
    sip: HostPort | None = None
    """Where a real switch registers telephones, ``host:port``."""
    sips: HostPort | None = None
    """Where it does so by TLS; left out: at ``sip``."""

    @model_validator(mode="after")
    def _real_has_address(self) -> EnterpriseSwitchComponent:
        if self.binding is Binding.REAL and self.sip is None:
            raise ValueError("a real enterprise_switch needs 'sip', the host:port at which telephones register")
        if self.binding is Binding.SIMULATED and (self.sip is not None or self.sips is not None):
            raise ValueError("'sip' and 'sips' are for a real switch; a simulator's ports stand under 'simulator'")
        self.only_a_simulator_is_laid_out()
        return self


class TelephoneComponent(BoundComponent):
    """A SIP telephone of the switch's, played by the harness."""

    role: Literal["telephone"]
    of: Name = "switch"
    """The switch that it registers at."""
    line: Annotated[str, Field(pattern=r"^[0-9*#]{1,20}$")]
    """The number that it registers as."""
    password: SecretStr | None = None
    """What it registers with; a simulated switch's own for that line where left out."""
    secure: Secure = "no"
    """Whether its speech is SRTP: never; where the other side can; always."""
    transport: Literal["UDP", "TCP", "TLS"] = "UDP"
    """How its SIP goes. TLS needs a switch that takes it; a real one's authority stands in ``authority``."""
    authority: Path | None = None
    """PEM file of who signed a real switch's certificate; the system's own authorities where left out."""
    certificate: Path | None = None
    """PEM file with the telephone's own certificate and key, for TLS; a simulated switch issues one."""
    local: HostPort = "127.0.0.1:0"
    """Where its SIP is bound, ``host:port``."""
    gateway: HostPort | None = None
    """The gateway of a real switch's site, where it registers while the switch is out of reach; a simulated one's own
    where left out."""
    expires: int = Field(default=120, ge=10, le=3600)
    """Seconds for which it registers; it tries the switch again at half of it."""
    lamp: bool = True
    """Whether it subscribes to its mailbox."""
    answers_after: float | None = Field(default=None, ge=0, le=600)
    """Seconds after which it answers by itself; its user does where left out."""
