"""The ICCS and its consoles in a testbed file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from harness.testbed.components.base import Audio, Binding, BoundComponent, HostPort, Name, Strict
from simulators.iccs.settings import IccsSettings, PositionId


class IccsComponent(BoundComponent):
    """The control room's switch and positions: the system under test."""

    role: Literal["iccs"]
    simulator: IccsSettings = IccsSettings()
    """How the simulator is laid out; only where the binding is ``simulated``."""
    sip: HostPort | None = None
    """Where real equipment takes SIP calls, ``host:port``."""
    control: Annotated[str, Field(pattern=r"^https?://[^/\s]+$")] | None = None
    """Where real equipment offers a console interface like the simulator's."""
    control_token: SecretStr | None = None
    """Bearer token that ``control`` asks for."""

    @model_validator(mode="after")
    def _real_has_address(self) -> IccsComponent:
        if self.binding is Binding.REAL and self.sip is None:
            raise ValueError("a real iccs needs 'sip', the host:port at which it takes calls")
        if self.binding is Binding.SIMULATED and (self.sip or self.control or self.control_token):
            raise ValueError(
                "'sip', 'control' and 'control_token' are for real equipment; a simulator's ports and token stand "
                "under 'simulator'"
            )
        self.only_a_simulator_is_laid_out()
        return self


class WebSettings(Strict):
    """A console in a browser."""

    url: Annotated[str, Field(pattern=r"^https?://[^/\s]+$")] | None = None
    """Where it is; left out: at the ICCS's ``control``, or its simulator."""
    selectors: Path | None = None
    """The file that maps it; left out: that of the simulator's console."""


class PluginSettings(Strict):
    """A console that an installed package works."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    """Its name among the entry points ``iccs.console``."""
    settings: Mapping[str, str] = Field(default_factory=dict, max_length=50)
    """What it needs to know."""


class ManualSettings(Strict):
    """A console that a tester works."""

    terminal: Path = Path("/dev/tty")
    """The tester's terminal; left out: the one from which the run was started."""
    record: Path | None = None
    """Where answers are kept, so that a test that was broken off goes on; left out: nowhere."""


class ConsoleComponent(BoundComponent):
    """An operator position's console."""

    role: Literal["console"]
    position: PositionId
    of: Name = "iccs"
    """The ICCS it belongs to."""
    audio: Audio = "rtp"
    """The headset; ``rtp`` is the jack that the ICCS names."""
    ambience_password: SecretStr | None = None
    """What its operator gives for ambience listening."""
    driver: Literal["api", "web", "plugin"] = "api"
    """By what it is worked: the ICCS's control interface, a browser, or an installed package."""
    plugin: PluginSettings | None = None
    web: WebSettings = WebSettings()
    manual: ManualSettings = ManualSettings()

    @model_validator(mode="after")
    def _has_what_its_driver_needs(self) -> ConsoleComponent:
        if self.driver != "web" and "web" in self.model_fields_set:
            raise ValueError(f"'web' is for 'driver: web', and this is 'driver: {self.driver}'")
        if (self.driver == "plugin") != (self.plugin is not None):
            raise ValueError("'driver: plugin' and 'plugin', which names it, go together")
        if self.binding is not Binding.MANUAL and "manual" in self.model_fields_set:
            raise ValueError(f"'manual' is for 'binding: manual', and this is bound {self.binding.value!r}")
        if self.binding is Binding.MANUAL and "driver" in self.model_fields_set:
            raise ValueError(
                "'driver' is for what the harness works by itself; a tester works a console bound 'manual'"
            )
        return self
