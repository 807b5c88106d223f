"""The ICCS simulator as a whole: switch, positions, radio desk and incident log behind one control interface."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

from harness.endpoints.media import MediaService
from harness.errors import LocalError, MediaError
from harness.transport.context import Context
from simulators.guard import is_loopback
from simulators.iccs.api import make_app
from simulators.iccs.calls import CallState
from simulators.iccs.incidents import IncidentLog
from simulators.iccs.positions import Position, PositionError, Positions
from simulators.iccs.radio_desk import GatewayLine, RadioDesk, RadioPermit
from simulators.iccs.settings import MAX_POSITIONS, IccsSettings
from simulators.iccs.switch import Switch
from simulators.web import WebServer


class IccsSimulator:
    """A control room's communications: what consoles drive through the control interface, and what the wires do."""

    def __init__(
        self,
        context: Context,
        media: MediaService,
        settings: IccsSettings,
        gateways: Sequence[GatewayLine],
        talkgroups: Mapping[str, int],
        permit_radio: RadioPermit,
    ) -> None:
        self._context = context
        self._media = media
        self._settings = settings
        self.positions = Positions(settings.each_position(), context.journal)
        self.incidents = IncidentLog()
        self._switch = Switch(context, media, self.positions, settings)
        self._radio = RadioDesk(context, media, self.positions, list(gateways), talkgroups, permit_radio)
        self._switch.repatch = self._radio.repatch = self._repatch
        self._patching = asyncio.Lock()
        self._seating = asyncio.Lock()
        self._patches: set[asyncio.Task[None]] = set()
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
        gateways: Sequence[GatewayLine] = (),
        talkgroups: Mapping[str, int] | None = None,
        permit_dial: Callable[[str], None],
        permit_radio: RadioPermit,
        auto_answer: float | None = None,
    ) -> IccsSimulator:
        """Start the simulator; ``auto_answer`` lets its positions answer by themselves after so many seconds.

        Raises LocalError when it is laid out beyond its bounds or would listen beyond loopback without a token, and
        TransportError when an address can't be bound.
        """
        _check(settings)
        iccs = cls(context, media, settings, gateways, talkgroups or {}, permit_radio)
        iccs._switch.auto_answer = auto_answer
        try:
            await iccs._switch.start(permit_dial)
            iccs._stack.push_async_callback(iccs._switch.stop)
            iccs._stack.push_async_callback(iccs._radio.stop)
            await iccs._radio.start()
            iccs._stack.push_async_callback(iccs._log_all_out)
            token = settings.control_token.get_secret_value() if settings.control_token is not None else None
            web = WebServer(make_app(iccs, token), settings.host, settings.control_port)
            iccs._stack.push_async_callback(web.stop)
            iccs.control_url = f"http://{settings.host}:{await web.start()}"
        except BaseException:
            await iccs._stack.aclose()
            raise
        return iccs

    @property
    def sip_address(self) -> tuple[str, int]:
        """Where the switch takes SIP calls over UDP."""
        return self._switch.address

    async def stop(self) -> None:
        """Take no more orders, log everyone out, clear every call and close every line; no task is left."""
        await self._stack.aclose()
        while self._patches:
            await asyncio.gather(*self._patches, return_exceptions=True)

    async def _log_all_out(self) -> None:
        for position in self.positions:
            await self.logout(position)

    def now(self) -> float:
        """Return the run's time in seconds."""
        return self._context.journal.now()

    # What operators do

    async def login(self, position: Position) -> None:
        """Open the headset's jack. Raises PositionError when somebody sits there already."""
        async with self._seating:
            if position.logged_in:
                raise PositionError(f"somebody is logged in at {position.id}")
            jack = await self._media.open_port(f"iccs {position.id} jack", host=self._settings.host)
            await jack.connect(None, dtmf_payload_type=None)
            position.jack = jack
        self._repatch(position)
        self.positions.tell(position, "position.logged_in")

    async def logout(self, position: Position) -> None:
        """Clear what the position holds and close its jack; nobody being there is no error."""
        if position.keyed is not None:
            self._radio.unkey(position)
        if position.call is not None:
            self._switch.clear(position)
        jack, position.jack = position.jack, None
        if jack is not None:
            async with self._patching:
                await jack.close()
            self.positions.tell(position, "position.logged_out")

    def answer(self, position: Position, queue: str | None, call: str | None) -> dict[str, Any]:
        """Take a call."""
        position.seated()
        return self._switch.answer(position, queue=queue, call_id=call).shown()

    def dial(self, position: Position, number: str) -> dict[str, Any]:
        """Place a call."""
        position.seated()
        return self._switch.dial(position, number).shown()

    def clear(self, position: Position) -> dict[str, Any]:
        """Clear the call."""
        return self._switch.clear(position).shown()

    async def send_dtmf(self, position: Position, digits: str) -> None:
        """Send digits to the other side of the call."""
        call = position.call
        if call is None or call.state is not CallState.CONNECTED or call.port is None:
            raise PositionError(f"{position.id} has no call that is up")
        try:
            await call.port.send_dtmf(digits)
        except MediaError as error:
            raise PositionError(str(error)) from error

    def key(self, position: Position, talkgroup: str) -> None:
        """Press to talk."""
        position.seated()
        self._radio.key(position, talkgroup)

    def unkey(self, position: Position) -> None:
        """Let go."""
        self._radio.unkey(position)

    async def send_text(self, position: Position, issi: int, text: str) -> None:
        """Send a text to a radio."""
        position.seated()
        await self._radio.send_text(position, issi, text)

    def status(self) -> dict[str, Any]:
        """Return what a supervisor sees: calls by state, calls waiting by queue, positions logged in."""
        states = [call.state.value for call in self._switch.calls()]
        return {
            "calls": {state.value: states.count(state.value) for state in CallState},
            "waiting": self._switch.waiting(),
            "logged_in": [position.id for position in self.positions if position.logged_in],
        }

    # The patch panel

    def _repatch(self, position: Position) -> None:
        """Join anew what ``position`` hears and is heard by; patches are made one after the other."""
        task = asyncio.get_running_loop().create_task(self._patch(position))
        self._patches.add(task)
        task.add_done_callback(self._patches.discard)

    async def _patch(self, position: Position) -> None:
        async with self._patching:
            try:
                await self._join(position)
            except MediaError as error:  # a port that closed between the asking and the doing
                self._context.journal.record("iccs", "patch.late", position=position.id, reason=str(error))

    async def _join(self, position: Position) -> None:
        call, jack = position.call, position.jack
        leg = call.port if call is not None and call.state is CallState.CONNECTED else None
        for port, holder in self._radio.speakers():
            if holder is position or holder is None:
                await port.hear(*([jack] if holder is position and jack is not None else []))
        if jack is not None:
            await jack.hear(*([leg] if leg is not None else []), *self._radio.heard_at(position))
            if leg is not None:
                await leg.hear(*([jack] if position.keyed is None else []))


def _check(settings: IccsSettings) -> None:
    count = len(settings.each_position())
    if count > MAX_POSITIONS:
        raise LocalError(f"{count} positions; an ICCS has {MAX_POSITIONS} at most")
    if not is_loopback(settings.host) and settings.control_token is None:
        raise LocalError(f"the control interface on {settings.host} needs 'control_token': only loopback goes without")
