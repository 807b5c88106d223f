"""The ICCS simulator as a whole: switch, positions, radio desk and incident log behind one control interface."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

from harness.endpoints.media import MediaService
from harness.errors import LocalError
from harness.transport.context import Context
from simulators.calendar import VIRTUAL_EPOCH
from simulators.iccs.api import make_app
from simulators.iccs.building import Building
from simulators.iccs.command_desk import CommandControlAt
from simulators.iccs.desk import OperatorDesk
from simulators.iccs.location_desk import PermitLocate, allow_locating
from simulators.iccs.radio_services.services import RadioSurroundings
from simulators.iccs.services_at import NO_SERVICES, ServicesAt
from simulators.iccs.settings import MAX_POSITIONS, IccsSettings
from simulators.iccs.talkgroup_ways.way import RadioPermit
from simulators.reach import need_token
from simulators.web import WebServer


class IccsSimulator(OperatorDesk):
    """A control room's communications: what consoles drive through the control interface, and what the wires do."""

    def __init__(self, building: Building) -> None:
        super().__init__(building)
        self._building = building
        self._stack = AsyncExitStack()
        self.control_url = ""
        """Where the control interface is, ``http://host:port``."""

    @classmethod
    async def start(
        cls,
        context: Context,
        media: MediaService,
        settings: IccsSettings,
        *,
        radio: RadioSurroundings | None = None,
        permit_dial: Callable[[str], None],
        permit_radio: RadioPermit,
        auto_answer: float | None = None,
        auto_advisers: bool = False,
        location: tuple[str, int] | None = None,
        permit_locate: PermitLocate = allow_locating,
        command_control: CommandControlAt | None = None,
        services: ServicesAt = NO_SERVICES,
        epoch: float = VIRTUAL_EPOCH,
    ) -> IccsSimulator:
        """Start the simulator.

        ``auto_answer`` lets its positions answer by themselves after so many seconds, ``auto_advisers`` those that the
        settings describe; ``location`` is where the caller-location service takes links, ``permit_locate``
        is asked with ``query`` and the number before that is asked; ``command_control`` is where incidents are told,
        ``services`` the systems that it asks; ``epoch``: seconds since 1970 of run time 0. Raises LocalError when it is
        laid out beyond its bounds, lacks an announcement, or would listen beyond loopback without a token, and
        TransportError when an address can't be bound.
        """
        _check(settings)
        radio = radio or RadioSurroundings()
        iccs = cls(Building(context, media, settings, radio, permit_radio, permit_locate, epoch))
        try:
            await iccs._start(permit_dial, auto_answer, auto_advisers, location, command_control, services)
        except BaseException:
            await iccs._stack.aclose()
            raise
        return iccs

    async def _start(
        self,
        permit_dial: Callable[[str], None],
        auto_answer: float | None,
        auto_advisers: bool,
        location: tuple[str, int] | None,
        command_control: CommandControlAt | None,
        services: ServicesAt,
    ) -> None:
        building = self._building
        settings = building.shared.settings
        self._stack.push_async_callback(building.stop)
        await building.start(permit_dial, location, command_control, services)
        if auto_advisers:
            if settings.auto_advisers is None:
                raise LocalError("the settings describe no 'auto_advisers'")
            building.robots.employ(settings.auto_advisers)
        elif auto_answer is not None:
            building.robots.answer_after(auto_answer)
        elif settings.auto_advisers is not None and settings.auto_advisers.always:
            building.robots.employ(settings.auto_advisers)
        self._stack.push_async_callback(self._log_all_out)
        token = settings.control_token.get_secret_value() if settings.control_token is not None else None
        app = make_app(self, token, wallboard_every_s=settings.wallboard_every_s)
        web, port = WebServer(app, settings.host, settings.control_port), 0

        async def listens(on: bool) -> None:
            nonlocal web
            if not on:
                await web.stop()
                return
            web = WebServer(app, settings.host, port)
            await web.start()

        async def stop() -> None:
            await web.stop()

        building.core_nodes.listens = listens
        self._stack.push_async_callback(stop)
        port = await web.start()
        self.control_url = f"http://{settings.host}:{port}"

    @property
    def sip_address(self) -> tuple[str, int]:
        """Where the switch takes SIP calls over UDP: its first trunk, at which telephones register as well."""
        return self._building.trunks.first.agent.address

    @property
    def trunk_addresses(self) -> dict[str, tuple[str, int]]:
        """Where each trunk takes SIP calls over UDP, by name."""
        return {trunk.name: trunk.agent.address for trunk in self._building.trunks}

    async def stop(self) -> None:
        """Take no more orders, log everyone out, clear every call and close every line; no task is left."""
        await self._stack.aclose()

    async def _log_all_out(self) -> None:
        await asyncio.gather(*(self.logout(position) for position in self.positions))


def _check(settings: IccsSettings) -> None:
    count = len(settings.each_position())
    if count > MAX_POSITIONS:
        raise LocalError(f"{count} positions; an ICCS has {MAX_POSITIONS} at most")
    need_token("the control interface", settings.host, settings.control_token, key="control_token")
