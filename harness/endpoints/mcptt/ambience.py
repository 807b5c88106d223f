"""Ambient listening of one MCPTT terminal: it hears another's microphone, or its own is opened without a sign.

3GPP TS 24.379 clause 11.1.6, the remotely initiated kind alone. It is a private call with a floor that the listened-to
user has from the beginning: the listener's ``mc_implicit_request`` asks for it on their behalf. Unconfirmed: that the
floor is theirs until the call ends.
"""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Final

from harness.endpoints.mcptt.private_call import HalfDuplexCall
from harness.endpoints.mcptt.station import Station
from harness.endpoints.sip.call import Call
from harness.endpoints.sip.incoming import IncomingCall
from harness.errors import ExpectationError, HarnessError, McpttError, McpttLocalError, SdpError
from harness.protocols.mcptt.info import AMBIENT, INVITE_HEADERS, FloorTerms, Listening, McpttInfo
from harness.protocols.mcptt.private import Commencement

MAX_LISTENED_TO: Final = 16
"""Users whom one terminal listens to at once."""
OPEN_S: Final = 5.0
"""Seconds within which who is listened to is given the floor."""
END_S: Final = 5.0
"""Seconds within which the server confirms that a call is over."""


class AmbientCall(HalfDuplexCall):
    """One such call. Events: ``ambience.up`` and ``ambience.over`` {peer}, and the floor's."""

    kind: ClassVar[str] = "ambience"
    is_listened_to: bool = False
    """Whether it is our microphone that is open."""

    @property
    def asked(self) -> bool:
        """The listener's call asks for the floor of the one who is listened to."""
        return self.is_listened_to


class Ambience:
    """One terminal's.

    Its events are journalled under the terminal's name and ``ambience``: a user is not to see any of them.
    """

    def __init__(self, station: Station, service: str) -> None:
        self.listens_to: dict[str, AmbientCall] = {}
        """By MCPTT ID: those whose microphones we have opened."""
        self.microphone: AmbientCall | None = None
        """The call that hears our microphone."""
        self._is_opening = False
        self._station = replace(station, name=f"{station.name} ambience")
        self._service = service

    async def listen(self, user: str, *, within: float) -> AmbientCall:
        """Open a user's microphone; return the call once they have the floor. ``user``: the MCPTT ID.

        Raises McpttLocalError with the server's reason, or where they are not given the floor, MediaError,
        TransportError.
        """
        if user in self.listens_to:
            raise McpttLocalError(f"{self._station.name}: {user} is listened to already")
        if len(self.listens_to) >= MAX_LISTENED_TO:
            raise McpttLocalError(f"{self._station.name}: {MAX_LISTENED_TO} users are listened to already")
        call = await self._station.open_call(AmbientCall, user)
        self.listens_to[user] = call
        info = McpttInfo(AMBIENT, calling_user=self._station.user, listening=Listening.REMOTE)
        terms = FloorTerms(1, implicit_request=True)
        headers = (*INVITE_HEADERS, Commencement.AUTO.header)
        journal = self._station.context.journal
        before = journal.position
        try:
            sip = await self._station.invite(call, self._service, user, info, terms, headers, within=within)
        except BaseException:
            del self.listens_to[user]
            raise
        self._up(call, sip)
        try:
            await journal.expect(self._station.name, "floor.taken", within=OPEN_S, after=before, **call.told)
        except BaseException as error:
            sip.hang_up()
            if isinstance(error, ExpectationError):
                raise McpttLocalError(f"{self._station.name}: {user} was not given the floor in {OPEN_S:g} s") from None
            raise
        return call

    async def end(self, user: str) -> None:
        """Close a user's microphone. Raises McpttLocalError where it is not open, SipLocalError."""
        call = self.listens_to.get(user)
        if call is None or not call.is_up:
            raise McpttLocalError(f"{self._station.name} does not listen to {user}")
        call.sip.hang_up()
        await call.sip.ended(within=END_S)
        await call.over()

    def invited(self, sip: IncomingCall, info: McpttInfo) -> None:
        """Somebody is to listen to us: the call is taken, whatever else goes on, and nothing shows it."""
        if info.listening is not Listening.REMOTE or not info.calling_user:
            self._station.warn("ambience.refused", why=f"listening is {info.listening}, of {info.calling_user!r}")
            sip.reject(488)
        elif self._is_opening or self.microphone is not None:
            sip.reject(486)
        else:
            self._is_opening = True
            self._station.task(self._take(sip, info.calling_user))

    async def close(self) -> None:
        """Close what is open; the agent has hung up."""
        for call in (*self.listens_to.values(), self.microphone):
            if call is not None:
                await call.over()

    async def _take(self, sip: IncomingCall, listener: str) -> None:
        call: AmbientCall | None = None
        try:
            call = await self._station.open_call(AmbientCall, listener)
            call.sip, call.is_listened_to = sip, True
            sip.answer(call.answer(sip.remote_sdp, FloorTerms(1)))
        except (SdpError, McpttError, HarnessError) as error:
            self._station.warn("ambience.refused", why=str(error))
            if not sip.is_over:
                sip.reject(488)
            if call is not None:
                await call.over()
            return
        finally:
            self._is_opening = False
        self.microphone = call
        self._up(call, sip)

    def _up(self, call: AmbientCall, sip: Call) -> None:
        sip.on_change(lambda _sip, what: self._changed(call, what))
        if sip.is_over:
            self._changed(call, "ended")
        else:
            call.begin()

    def _changed(self, call: AmbientCall, what: str) -> None:
        if what != "ended":
            return
        if self.microphone is call:
            self.microphone = None
        if self.listens_to.get(call.group) is call:
            del self.listens_to[call.group]
        self._station.task(call.over())
