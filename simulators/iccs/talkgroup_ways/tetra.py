"""The way by TETRA: a terminal on the talkgroup, driven over its serial line (PEI), speech by its audio jack."""

from __future__ import annotations

from collections.abc import Callable

from harness.endpoints.media import MediaPort, MediaService
from harness.endpoints.pei import KeyOutcome, TerminalEquipment
from harness.errors import LocalError, PeiLocalError
from harness.protocols.pei.codes import Grant
from harness.transport.context import Context
from simulators.iccs.leg import LastWords
from simulators.iccs.talkgroup_ways.lines import TetraLine
from simulators.iccs.talkgroup_ways.way import PLAYOUT_MS, SILENT, Answer, Floor, RadioPermit, RadioUser, nothing_kept

_ANSWERS = {Grant.GRANTED: Answer.GRANTED, Grant.QUEUED: Answer.QUEUED}


class TetraWay:
    """One terminal."""

    def __init__(self, context: Context, media: MediaService, line: TetraLine, gssi: int, permit: RadioPermit) -> None:
        self.port_changed: Callable[[], None] = lambda: None
        self.port_closes: LastWords = nothing_kept
        self._context = context
        self._media = media
        self._line = line
        self._gssi = gssi
        self._permit = permit
        self._terminal: TerminalEquipment | None = None
        self._port: MediaPort | None = None

    @property
    def port(self) -> MediaPort | None:
        """The lead to its jack."""
        return self._port

    @property
    def lost(self) -> str | None:
        """Why its line is lost."""
        lost = self._terminal.lost if self._terminal is not None else None
        return lost if lost in (None, SILENT) else f"its serial line is gone ({lost})"

    async def start(self) -> None:
        """Plug into its jack. Raises LocalError where there is none, MediaError."""
        host, _, port = self._line.audio.removeprefix("rtp://").rpartition(":")
        if not host or not port.isdecimal():
            raise LocalError(f"gateway {self._line.name}: no audio jack at {self._line.audio!r}; rtp://host:port")
        local = "127.0.0.1" if host.startswith("127.") else "0.0.0.0"  # noqa: S104 - a real jack is elsewhere
        self._port = await self._media.open_port(f"iccs {self._line.name}", host=local, playout_ms=PLAYOUT_MS)
        await self._port.connect((host, int(port)), dtmf_payload_type=None, rests=True)

    async def into_service(self, *, works: bool) -> None:
        """Open its line where it is not, and turn it to its talkgroup, or to none. Raises HarnessError."""
        if self._terminal is None:
            line = self._line
            self._terminal = await TerminalEquipment.open(
                self._context, line.name, line.serial, baud=line.baud, permit=self._permit
            )
        await self._terminal.into_service(self._gssi if works else None)

    async def key(self) -> Floor:
        """Ask for the floor. Raises HarnessError."""
        return _floor(await self._there().key(self._gssi))

    async def granted(self, call: int, *, within: float) -> Floor:
        """Wait for the grant of a request that is queued. Raises HarnessError."""
        return _floor(await self._there().granted(call, within=within))

    async def unkey(self, call: int | None) -> None:
        """Give the floor of a call back. Raises HarnessError."""
        if self._terminal is None:
            return
        cc = call if call is not None else self._terminal.call_on(self._gssi)
        if cc is not None:
            await self._terminal.unkey(cc)

    def texts(self, to: RadioUser) -> bool:
        """Whether it sends texts to such a radio: to those that have an ISSI."""
        return isinstance(to, int)

    async def send_text(self, to: RadioUser, text: str) -> bool:
        """Send a text. Raises HarnessError."""
        if not isinstance(to, int):
            raise PeiLocalError(f"{self._line.name}: no text to {to} by TETRA: it has no ISSI")
        return (await self._there().send_text(to, text)).sent

    async def is_there(self, *, within: float) -> bool:
        """Whether the terminal answers."""
        return self._terminal is not None and await self._terminal.is_there(within=within)

    def give_up(self, why: str) -> None:
        """Take its line for lost."""
        if self._terminal is not None:
            self._terminal.give_up(why)

    async def close(self) -> None:
        """Close its line and its jack."""
        if self._terminal is not None:
            self._terminal.close()
        if self._port is not None:
            await self._port.close()

    def _there(self) -> TerminalEquipment:
        if self._terminal is None:
            raise PeiLocalError(f"{self._line.name}: its line was never open")
        return self._terminal


def _floor(outcome: KeyOutcome) -> Floor:
    answer = _ANSWERS.get(outcome.grant, Answer.REFUSED)
    if answer is not Answer.REFUSED:
        return Floor(outcome.cc, answer)
    told = outcome.grant.name.lower().replace("_", " ")
    return Floor(outcome.cc, answer, told + (f", {outcome.talker} talks" if outcome.talker else ""))
