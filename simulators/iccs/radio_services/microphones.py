"""Radios' microphones, opened and heard: by the TETRA network's control interface, or by MCPTT's ambient listening."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any, Final, Protocol
from urllib.parse import quote

from harness.endpoints.mcptt import AmbientCall
from harness.endpoints.media import MediaPort
from harness.errors import HarnessError, MediaError
from simulators.iccs.positions import PositionError
from simulators.iccs.radio_services.network import NetworkLink
from simulators.iccs.shared import Shared
from simulators.iccs.talkgroup_ways.mcptt_user import McpttUser
from simulators.iccs.talkgroup_ways.way import RadioPermit, RadioUser, name_of

OPENED_S: Final = 10.0
"""Seconds within which a handset's microphone is open."""

Ended = Callable[[str, str], Coroutine[Any, Any, None]]
"""Awaited once an open microphone is closed by itself, with its id and why; its port is there until then."""


@dataclass(frozen=True, slots=True)
class Microphone:
    """One that is open."""

    id: str
    who: RadioUser
    port: MediaPort
    """Hears it."""


class Microphones(Protocol):
    """Those of one technology."""

    ended: Ended

    def reaches(self, who: RadioUser) -> bool:
        """Whether such a radio's microphone can be opened."""

    async def open(self, who: RadioUser) -> Microphone:
        """Open one. Raises PositionError where it can't be had; nothing is open then."""

    async def close(self, microphone: Microphone) -> None:
        """Close one. Raises PositionError where that is not confirmed."""


async def nobody(_id: str, _why: str) -> None:
    """Nobody waits for the end."""


class TetraMicrophones:
    """By the network's control interface."""

    def __init__(self, shared: Shared, network: NetworkLink) -> None:
        self.ended: Ended = nobody
        self._shared = shared
        self._network = network
        network.listeners.append(self._told)

    def reaches(self, who: RadioUser) -> bool:
        """Whether it has an ISSI."""
        return isinstance(who, int)

    async def open(self, who: RadioUser) -> Microphone:
        """Have the network send what a terminal hears to a port of ours."""
        try:
            port = await self._shared.media.open_port(f"iccs ambience {who}")
        except MediaError as error:
            raise PositionError(f"no port for the speech of {who}: {error}") from error
        try:
            host, number = port.address
            told = await self._network.ask("POST", "/ambience", {"issi": who, "host": host, "port": number})
            from_host, _, from_port = str(told["audio"]).rpartition(":")
            microphone = Microphone(str(told["id"]), who, port)
            try:
                await port.connect((from_host, int(from_port)), dtmf_payload_type=None, send=False, rests=True)
            except MediaError as error:
                await self.close(microphone)
                raise PositionError(f"the speech of {who} can't be had: {error}") from error
        except BaseException:
            await port.close()
            raise
        return microphone

    async def close(self, microphone: Microphone) -> None:
        """Tell the network; the port stays open."""
        await self._network.ask("DELETE", f"/ambience/{quote(microphone.id, safe='')}")

    def _told(self, kind: str, data: Mapping[str, Any]) -> None:
        if kind == "ambience.ended":
            self._shared.spawn(self.ended(str(data.get("id")), str(data.get("reason"))))


class McpttMicrophones:
    """By an MCPTT user of the ICCS that may listen (TS 24.379 clause 11.1.6)."""

    def __init__(self, user: McpttUser, permit: RadioPermit) -> None:
        self.ended: Ended = nobody
        self._user = user
        self._permit = permit
        self._number = count(1)
        self._open: dict[str, AmbientCall] = {}

    def reaches(self, who: RadioUser) -> bool:
        """Whether it has an MCPTT ID of this user's domain."""
        return isinstance(who, str) and self._user.serves(who)

    async def open(self, who: RadioUser) -> Microphone:
        """Call its user, whose handset answers by itself."""
        self._permit("control", name_of(who), 0)
        terminal = self._user.terminal
        if terminal is None:
            raise PositionError(f"{self._user.name} is not registered")
        try:
            call = await terminal.ambience.listen(str(who), within=OPENED_S)
        except HarnessError as error:
            raise PositionError(f"the MCPTT server: {error}") from error
        microphone = Microphone(f"{self._user.name}-{next(self._number)}", who, call.media.port)
        self._open[microphone.id] = call

        async def closes(_port: MediaPort) -> None:
            self._open.pop(microphone.id, None)
            await self.ended(microphone.id, f"{call.sip.status} {call.sip.reason}".strip())

        call.before_close = closes
        return microphone

    async def close(self, microphone: Microphone) -> None:
        """End the call."""
        terminal = self._user.terminal
        if terminal is None or microphone.id not in self._open:
            return  # its server is lost, or it has ended meanwhile
        try:
            await terminal.ambience.end(str(microphone.who))
        except HarnessError as error:
            raise PositionError(f"the MCPTT server: {error}") from error
