"""Where callers are: asks the caller-location service, shows positions what it tells, and prompts them where it can't.

Only callers in an emergency are located. Nothing here stands in a call's way: what comes is shown when it comes, to
whoever has the call then, and all of it again to whoever gets the call later.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from harness.endpoints.location import CallerLocationClient, LinkChanged, LocationChanged, load_codec
from harness.endpoints.location.client import Notice
from harness.endpoints.location.record import coarse, told
from harness.errors import CallerLocationLocalError, InterlockError
from harness.privacy import is_reserved
from harness.protocols.location.caller import Source, Status
from simulators.iccs.calls import SwitchCall
from simulators.iccs.positions import Position, PositionError
from simulators.iccs.shared import Shared

NAME = "iccs location"
_LOST = ("location_lost", "caller location")
_IMPACT = "where callers are has to be asked of them"
MAX_LOCATIONS = 64
"""Locations that one record keeps; the first stays, then the newest."""
_SOURCES = {Source.CELL: "cell", Source.SUBSCRIBER: "postal", Source.AML: "AML"}
"""What a position is shown as the source."""


PermitLocate = Callable[[str, str], None]
"""Given ``query`` and a number; raises InterlockError where that number may not be located."""


def allow_locating(_what: str, _number: str) -> None:
    """The permit of an ICCS that stands on no testbed."""


class LocationDesk:
    """One switch's link to the caller-location service."""

    def __init__(self, shared: Shared, permit: PermitLocate) -> None:
        self._shared = shared
        self._permit = permit
        self._settings = shared.settings.location
        self._client: CallerLocationClient | None = None
        self._calls: dict[str, SwitchCall] = {}
        self._prompts: dict[str, asyncio.TimerHandle] = {}
        self._prompted: set[str] = set()

    def start(self, service: tuple[str, int] | None) -> None:
        """Begin to link to the service at ``service``, or where the settings say; without either, nobody is located.

        Raises CallerLocationLocalError for a codec that is not installed.
        """
        settings = self._settings
        if settings.service is not None:
            host, _, port = settings.service.rpartition(":")
            service = host, int(port)
        if service is None:
            return
        token = settings.token.get_secret_value() if settings.token is not None else ""
        codec = load_codec(settings.codec)
        self._client = CallerLocationClient.open(self._shared.context, NAME, service, token=token, codec=codec)
        self._client.subscribe(self._noticed)

    async def stop(self) -> None:
        """End the link."""
        for timer in self._prompts.values():
            timer.cancel()
        if self._client is not None:
            await self._client.close()

    @property
    def is_up(self) -> bool | None:
        """Whether the service can be asked; None where there is none."""
        return None if self._client is None else self._client.is_up

    # As calls go

    def came(self, call: SwitchCall, conveyed: dict[str, Any] | None) -> None:
        """A call came; ``conveyed``: the location that was in it (RFC 6442)."""
        if conveyed is not None:
            self._keep(call, conveyed)
        if self._settings.ask == "presentation":
            self._ask(call)

    def _ask(self, call: SwitchCall) -> None:
        if self._client is None or not call.emergency or call.id in self._calls:
            return
        try:
            self._permit("query", call.cli or "")
        except InterlockError:  # whose words name the number, which may be a real person's
            self._shared.journal.warn("iccs", "location.not_asked", call=call.id, reason="the interlock refuses")
            return
        try:
            self._client.ask(call.id, call.cli or "")
        except CallerLocationLocalError as error:
            self._shared.journal.warn("iccs", "location.not_asked", call=call.id, reason=str(error))
            return
        self._calls[call.id] = call

    def answered(self, call: SwitchCall, position: Position) -> None:
        """A position has a call now: it is shown what is known, and prompted where nothing is in time."""
        self._ask(call)
        for location in call.record.locations:
            self._show(call, position, location)
        if self._client is None or not call.emergency or call.record.locations:
            return
        delay = self._settings.prompt_after_s if self._client.is_up else 0.0
        self._no_prompt(call)
        self._prompts[call.id] = asyncio.get_running_loop().call_later(delay, self._prompt, call)

    def over(self, call: SwitchCall) -> None:
        """A call has ended."""
        self._no_prompt(call)
        self._prompted.discard(call.id)
        if self._calls.pop(call.id, None) is not None and self._client is not None:
            self._client.release(call.id)

    def entered(self, call: SwitchCall, position: Position, location: dict[str, Any]) -> None:
        """An adviser has written down what the caller says. Raises PositionError where that is nothing."""
        if not location:
            raise PositionError("a location needs words, or a latitude and a longitude")
        self._found(call, {"source": "manual", **location, "by": position.id})

    # What comes

    def _noticed(self, notice: Notice) -> None:
        if isinstance(notice, LinkChanged):
            self._link_changed(notice)
        else:
            self._changed(notice)

    def _link_changed(self, notice: LinkChanged) -> None:
        kind = "location.service"
        for position in self._shared.positions:
            if position.streams:
                self._shared.positions.tell(position, kind, up=notice.up, cause=notice.cause)
        if notice.up:
            self._shared.faults.well(*_LOST)
        else:
            self._shared.faults.failed(*_LOST, "major", _IMPACT, notice.cause)
            for call in tuple(self._calls.values()):
                if _is_with_somebody(call) and not call.record.locations:
                    self._prompt(call)

    def _changed(self, notice: LocationChanged) -> None:
        call = self._calls.get(notice.known.call)
        if call is None:
            return
        for location in notice.new:
            self._found(call, {**told(location), "source": _SOURCES[location.source], "pushed": notice.pushed})
        if not notice.new and notice.known.status in (Status.UNKNOWN, Status.WITHHELD) and _is_with_somebody(call):
            self._prompt(call)

    def _found(self, call: SwitchCall, location: dict[str, Any]) -> None:
        self._no_prompt(call)
        kept = self._keep(call, location)
        for position in _with(call):
            self._show(call, position, kept)

    def _keep(self, call: SwitchCall, location: dict[str, Any]) -> dict[str, Any]:
        """Add a location to the record: earlier ones stay (NICCS-TEL-007)."""
        locations = call.record.locations
        kept = {**location, "time": round(self._shared.now(), 6), "number": len(locations) + 1}
        if len(locations) >= MAX_LOCATIONS:
            del locations[1]
        locations.append(kept)
        return kept

    def _show(self, call: SwitchCall, position: Position, location: dict[str, Any]) -> None:
        shown = {"call": call.id, "record": call.record.id, "cli": call.cli, **location}
        noted = shown if call.cli is not None and is_reserved(call.cli) else coarse(shown)
        self._shared.positions.tell_privately(position, "location.shown", shown, noted)

    # The prompt

    def _prompt(self, call: SwitchCall) -> None:
        self._no_prompt(call)
        if call.id in self._prompted or call.is_over:
            return
        self._prompted.add(call.id)
        reason = self._why(call)
        call.record.note(self._shared.now(), "location to be asked of the caller", reason=reason)
        for position in _with(call):
            self._shared.positions.tell(position, "location.prompt", call=call.id, record=call.record.id, reason=reason)

    def _why(self, call: SwitchCall) -> str:
        client = self._client
        if client is None or not client.is_up:
            return "the location service is down"
        known = client.known(call.id)
        if known is None or known.status is None:
            return f"no answer within {self._settings.prompt_after_s:g} s"
        return "the number is withheld" if known.status is Status.WITHHELD else "nothing is known of the number"

    def _no_prompt(self, call: SwitchCall) -> None:
        timer = self._prompts.pop(call.id, None)
        if timer is not None:
            timer.cancel()


def _with(call: SwitchCall) -> list[Position]:
    return call.conversation.everyone if call.conversation is not None else []


def _is_with_somebody(call: SwitchCall) -> bool:
    return bool(_with(call))
