"""The ICCS's link to the radio network's control interface: what it asks there, and what the network tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.endpoints.control_link import ControlLink
from harness.errors import DriverError, LocalError
from simulators.iccs.positions import PositionError
from simulators.iccs.shared import Shared

NAME = "iccs radio-control"
"""The journal's source for what goes wrong with the link."""

Listener = Callable[[str, Mapping[str, Any]], None]
"""Given each event of the network: kind and data."""


@dataclass(frozen=True, slots=True)
class RadioControl:
    """Where a radio network's control interface is."""

    url: str
    """``http://host:port``."""
    token: str | None = None


class NetworkLink:
    """The link of one control room; without an address everything that needs it is refused."""

    def __init__(self, shared: Shared, control: RadioControl | None) -> None:
        self._shared = shared
        self._control = control
        self._link: ControlLink | None = None
        self.listeners: list[Listener] = []
        """Told what the network tells."""

    async def start(self) -> None:
        """Connect. Raises LocalError where there is no answer."""
        if self._control is None:
            return
        try:
            self._link = await ControlLink.open(
                self._shared.context, NAME, self._control.url, self._control.token, self._told
            )
        except DriverError as error:
            raise LocalError(f"no link to the radio network's control: {error}") from error

    async def stop(self) -> None:
        """Disconnect."""
        if self._link is not None:
            await self._link.close()

    async def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Ask the network. Raises PositionError with what it says against it."""
        if self._link is None:
            raise PositionError("there is no link to the radio network's control")
        try:
            return await self._link.ask(method, path, body)
        except DriverError as error:
            raise PositionError(f"the radio network: {error}") from error

    def _told(self, kind: str, data: dict[str, Any]) -> None:
        for listener in self.listeners:
            listener(kind, data)
