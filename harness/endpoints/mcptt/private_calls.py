"""Private calls of one MCPTT terminal: calls one user, rings or answers when called, and holds one at a time."""

from __future__ import annotations

from dataclasses import dataclass

from harness.endpoints.mcptt.private_call import FullDuplexCall, HalfDuplexCall, PrivateCall
from harness.endpoints.mcptt.station import Station
from harness.endpoints.sip.call import Call
from harness.endpoints.sip.incoming import IncomingCall
from harness.errors import HarnessError, McpttError, McpttLocalError, SdpError
from harness.protocols.mcptt.description import apart
from harness.protocols.mcptt.info import INVITE_HEADERS, FloorTerms, McpttInfo
from harness.protocols.mcptt.private import (
    EMERGENCY_PRIORITY,
    PRIVATE,
    Commencement,
    read_commencement,
)
from harness.protocols.mcptt.warnings import DECLINED, header, why

_UNFIT = (SdpError, McpttError)


@dataclass(frozen=True, slots=True)
class Ringing:
    """A call that waits for its user."""

    caller: str
    """The MCPTT ID."""
    emergency: bool
    sip: IncomingCall


class PrivateCalls:
    """One terminal's.

    Events, under its name: ``private_call.ringing`` {peer, emergency, duplex}, ``private_call.missed`` {peer, reason},
    ``private_call.taken`` {peer, emergency} (by itself), ``private_call.refused`` {why}, and those of the calls.
    """

    def __init__(self, station: Station, service: str) -> None:
        self.commencement = Commencement.AUTO
        """How calls that come begin at most; a caller who wants it to ring is always let."""
        self.answers = True
        """Whether calls that come are taken."""
        self.ringing: Ringing | None = None
        """What rings."""
        self.call: PrivateCall | None = None
        """What is up, or being set up."""
        self._station = station
        self._journal = station.context.journal
        self._service = service
        self._busy = False

    async def place(
        self,
        called: str,
        *,
        duplex: bool = False,
        commencement: Commencement = Commencement.AUTO,
        emergency: bool = False,
        implicit_request: bool = False,
        within: float,
    ) -> PrivateCall:
        """Call a user, and return once they have answered.

        ``called``: the MCPTT ID. ``implicit_request``: the floor is asked for with it, where there is one. Raises
        McpttLocalError with the server's reason, and InterlockError where the testbed does not allow it.
        """
        self._must_be_free()
        self._station.agent.routes.ask_permit(called)
        self._busy = True
        try:
            self.call = call = await self._open(called, duplex)
            terms = FloorTerms(
                1, queueing=True, priority=self._station.priority, implicit_request=implicit_request and not duplex
            )
            info = McpttInfo(PRIVATE, calling_user=self._station.user, emergency=emergency or None)
            headers = [*INVITE_HEADERS, commencement.header]
            if emergency:
                headers.append(("Resource-Priority", EMERGENCY_PRIORITY))
            try:
                sip = await self._station.invite(call, self._service, called, info, terms, headers, within=within)
            except BaseException:
                self.call = None
                raise
        finally:
            self._busy = False
        await self._up(call, sip)
        return call

    def invited(self, sip: IncomingCall, info: McpttInfo) -> None:
        """A private call comes: it rings, or is answered."""
        caller = info.calling_user
        if not caller:
            sip.reject(400)
            return
        if not self.answers or self._is_busy:
            sip.reject(486)
            return
        ringing = Ringing(caller, bool(info.emergency), sip)
        if Commencement.MANUAL in (read_commencement(sip.request), self.commencement):
            self.ringing = ringing
            sip.on_change(lambda _sip, what: self._missed(ringing, what))
            sip.ring()
            duplex = _is_duplex(sip.remote_sdp)
            self._journal.record(
                self._station.name, "private_call.ringing", peer=caller, emergency=ringing.emergency, duplex=duplex
            )
            return
        self._busy = True
        self._station.task(self._answer_itself(ringing))

    async def answer(self) -> PrivateCall:
        """Take the call that rings. Raises McpttLocalError where none does, or it can't be taken."""
        ringing, self.ringing = self.ringing, None
        if ringing is None or ringing.sip.is_over:
            raise McpttLocalError(f"{self._station.name}: no private call rings")
        self._busy = True
        return await self._take(ringing)

    def decline(self) -> None:
        """Refuse the call that rings. Raises McpttLocalError where none does."""
        ringing, self.ringing = self.ringing, None
        if ringing is None or ringing.sip.is_over:
            raise McpttLocalError(f"{self._station.name}: no private call rings")
        ringing.sip.reject(480, headers=[header(self._station.agent.address[0], why(DECLINED))])

    async def hang_up(self, *, within: float) -> None:
        """End the call that is up. Raises McpttLocalError where none is, SipLocalError where the end is not told."""
        call = self.call
        if call is None or not call.is_up:
            raise McpttLocalError(f"{self._station.name} is in no private call")
        call.sip.hang_up()
        await call.sip.ended(within=within)
        await call.over()

    async def close(self) -> None:
        """Close what is open; the agent has hung up."""
        if self.call is not None:
            await self.call.over()

    # Coming and going

    @property
    def _is_busy(self) -> bool:
        return self._busy or self.call is not None or self.ringing is not None

    async def _answer_itself(self, ringing: Ringing) -> None:
        try:
            await self._take(ringing)
        except McpttLocalError as error:
            self._station.warn("private_call.refused", why=str(error))
            return
        self._journal.record(self._station.name, "private_call.taken", peer=ringing.caller, emergency=ringing.emergency)

    async def _take(self, ringing: Ringing) -> PrivateCall:
        sip = ringing.sip
        call: PrivateCall | None = None
        try:
            call = await self._open(ringing.caller, _is_duplex(sip.remote_sdp))
            call.sip = sip
            sip.answer(call.answer(sip.remote_sdp, FloorTerms(1, queueing=True, priority=self._station.priority)))
            self.call = call
        except (*_UNFIT, HarnessError) as error:
            if not sip.is_over:
                sip.reject(488 if isinstance(error, _UNFIT) else 500)
            if call is not None:
                await call.over()
            raise McpttLocalError(f"the call of {ringing.caller} is not taken: {error}") from None
        finally:
            self._busy = False
        await self._up(call, sip)
        return call

    async def _open(self, peer: str, duplex: bool) -> PrivateCall:
        """Bind a call's ports. Raises MediaError, TransportError."""
        if duplex:
            station = self._station
            return FullDuplexCall(station.context, station.name, peer, await station.open_media(peer))
        return await self._station.open_call(HalfDuplexCall, peer)

    async def _up(self, call: PrivateCall, sip: Call) -> None:
        sip.on_change(lambda _sip, what: self._changed(call, what))
        if sip.is_over:
            self._changed(call, "ended")
        elif isinstance(call, FullDuplexCall):
            await call.begin()
        else:
            call.begin()

    def _changed(self, call: PrivateCall, what: str) -> None:
        if what == "ended":
            if self.call is call:
                self.call = None
            self._station.task(call.over())

    def _missed(self, ringing: Ringing, what: str) -> None:
        if what == "ended" and self.ringing is ringing:
            self.ringing = None
            self._journal.record(
                self._station.name, "private_call.missed", peer=ringing.caller, reason=ringing.sip.reason
            )

    def _must_be_free(self) -> None:
        if self._is_busy:
            raise McpttLocalError(f"{self._station.name} is in a private call already, or is called")


def _is_duplex(offer: bytes) -> bool:
    """Whether an offer is of a full-duplex call: it has no floor. What can't be read is refused later."""
    try:
        return apart(offer).floor is None
    except McpttError:
        return False
