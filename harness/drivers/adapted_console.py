"""A console that is not worked by the simulator's control interface: the base of every other console driver."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from harness import installed
from harness.drivers.console import ANSWERS_WITHIN, Console, PermitRadio
from harness.drivers.console_acts import act_of
from harness.drivers.console_calls import PermitDial
from harness.drivers.jack import AudioJack, open_jack
from harness.endpoints.media import MediaService
from harness.errors import DriverError
from harness.transport.context import Context
from harness.transport.https import http_client

ENTRY_POINTS: Final = "iccs.console"
_NOWHERE: Final = "http://127.0.0.1:9"
"""What the control interface's client has for an address where there is no such interface."""


class AdaptedConsole(Console):
    """A console whose acts are done by `act`, and which tells by `shows` what it shows.

    Tests, scenarios and keywords use it as they use any console. The safety interlock has been asked when `act` is.
    """

    def __init__(
        self,
        context: Context,
        media: MediaService,
        name: str,
        position: str,
        *,
        permit_dial: PermitDial,
        permit_radio: PermitRadio,
    ) -> None:
        http = http_client(_NOWHERE, timeout=ANSWERS_WITHIN)
        super().__init__(context, media, name, position, http, permit_dial, permit_radio)

    @abstractmethod
    async def act(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Do one act; return what it gives: ``{"call": …}`` of ``answer``, ``dial``, ``hold`` and their like,
        ``{"id": …}`` of ``open_incident``, ``{"patch": …}`` of ``patch``, else nothing.

        ``name`` and what goes with it are those of the control interface (docs/console-drivers.md). Raises DriverError,
        with the console's reason, where it is not done.
        """

    def shows(self, kind: str, data: Mapping[str, Any]) -> None:
        """The console shows something: ``shows("call.ringing", {"call": "7", "queue": "emergency"})``."""
        self._show(kind, dict(data))

    async def seat(self) -> dict[str, Any]:
        """What only the control interface tells. Raises DriverError."""
        raise DriverError(f"{self.name}: only the ICCS's control interface tells of a seat")

    async def log_in(self, jack: str | None) -> None:
        """Do the act ``login`` and open the headset's lead, where there is one (``rtp://host:port``)."""
        await self._ask("login")
        self._logged_in = True
        if jack is not None:
            self._jack = await open_jack(self._context, self._media, self.name, jack)

    @property
    def headset(self) -> AudioJack:
        """The headset's end of the lead. Raises DriverError where nothing tells where it is."""
        if self._jack is None:
            raise DriverError(f"{self.name}: the headset's lead is not known: say 'audio' in the testbed")
        return self._jack

    @property
    def lead(self) -> AudioJack | None:
        """As `headset`; None where there is none."""
        return self._jack

    async def _send(self, method: str, path: str, action: str, body: dict[str, Any] | None) -> dict[str, Any]:
        name, given = act_of(method, path, body or {})
        if name is None:
            raise DriverError(f"{self.name}: {action} can be asked of the ICCS's control interface alone")
        return await self.act(name, given)


@dataclass(frozen=True, slots=True)
class Seat:
    """What a plug-in is given to open a console."""

    context: Context
    """The run: its journal and clock."""
    media: MediaService
    name: str
    """The component's name, under which its events are journalled."""
    position: str
    audio: str
    """As the testbed has it: ``rtp``, ``rtp://host:port`` or ``sound:NAME``."""
    settings: Mapping[str, str]
    """The plug-in's own, of the testbed."""
    permit_dial: PermitDial
    permit_radio: PermitRadio


Opener = Callable[[Seat], Awaitable[AdaptedConsole]]
"""What the entry point names: opens a console and logs in. Raises DriverError."""


def load_plugin(name: str) -> Opener:
    """Return a plug-in by its name among the entry points ``iccs.console``. Raises DriverError where there is none."""
    found: Opener = installed.load(ENTRY_POINTS, name, "console driver", DriverError)
    return found
