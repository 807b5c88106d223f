"""The control room's end of one radio session: INVITE with the radio's terms, then keying and hearing over RTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from harness.endpoints.ed137.stream import RadioStream
from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.call import Call
from harness.errors import Ed137LocalError
from harness.protocols.ed137.description import describe, read_description
from harness.protocols.ed137.extension import Layout, Ptt, RadioState
from harness.protocols.ed137.session import Event, Side
from harness.protocols.ed137.terms import SIP_HEADERS, USUAL, VERSION_HEADER, RadioTerms
from harness.transport.context import Context
from harness.transport.tap import Address

ANSWERED_WITHIN: Final = 5.0
"""Seconds within which a radio answers an INVITE; it does not ring."""
KEYED_WITHIN: Final = 2.0
"""Seconds within which a radio tells that it is keyed, or that another has it."""
VERSIONS: Final = "radio."
"""What every WG67-Version of a radio begins with."""


class ControlRoom:
    """One radio session at a time with the radio at one SIP URI.

    Events, under its name: ``radio.connected`` {uri, ptt_id, period_ms, multiplier, version}, ``radio.refused`` {why},
    ``radio.ended`` {by}, and those of RadioStream.
    """

    def __init__(self, context: Context, name: str, agent: UserAgent, uri: str) -> None:
        """Use `open`."""
        self.name = name
        self.uri = uri
        """The radio's SIP URI; another one holds from the next `connect` on."""
        self.on_event: Callable[[Event], None] = lambda _event: None
        """Given what happens on the session; see `harness.protocols.ed137.session`."""
        self.on_ended: Callable[[], None] = lambda: None
        """Called when the session that was connected is over."""
        self._context = context
        self._agent = agent
        self._call: Call | None = None
        self._stream: RadioStream | None = None
        self._waiting: list[tuple[Callable[[RadioState], bool], asyncio.Future[RadioState]]] = []

    @classmethod
    async def open(
        cls,
        context: Context,
        name: str,
        *,
        uri: str,
        local: Address = ("127.0.0.1", 0),
        permit: Callable[[str], None] | None = None,
    ) -> ControlRoom:
        """Bind SIP at `local`; nothing is sent. `permit` is asked with the URI before an INVITE leaves.

        Raises TransportError when the address can't be bound.
        """
        agent = await UserAgent.open(context, name, local=local, user="control-room", permit=permit)
        context.called(agent.address, name)
        return cls(context, name, agent, uri)

    async def connect(
        self,
        terms: RadioTerms = USUAL,
        *,
        layout: Layout = Layout.OF_2011,
        within: float = ANSWERED_WITHIN,
        priority: str = "normal",
    ) -> RadioTerms:
        """Set the session up and return what holds: the radio's answer.

        `priority`: of the INVITE: `normal`, or `emergency`. Raises Ed137LocalError when a session is up, SipLocalError
        with the status when it is refused, Ed137Error when the answer can't be held, TransportError, InterlockError.
        """
        if self._call is not None:
            raise Ed137LocalError(f"{self.name}: the session with {self.uri} is up already")
        local = self._agent.address[0]
        stream = await RadioStream.open(self._context, self.name, Side.ROOM, host=local)
        call: Call | None = None
        try:
            offer = describe(stream.address, terms, session_id=self._context.rng.getrandbits(31))
            headers = [(name, priority if name == "Priority" else value) for name, value in SIP_HEADERS]
            call = self._agent.invite(self.uri, offer=offer, headers=headers)
            await call.answered(within=within)
            peer = read_description(call.remote_sdp)
            held = terms.answered_by(peer.terms)
        except BaseException as error:
            if isinstance(error, Exception):
                self._context.journal.record(self.name, "radio.refused", uri=self.uri, why=str(error))
            stream.close()
            if call is not None:
                call.hang_up()
            raise
        version = call.accepted.get(VERSION_HEADER) if call.accepted is not None else None
        if version is None or not version.startswith(VERSIONS):
            told = "is missing" if version is None else f"is {version[:40]}"
            self._context.journal.warn(self.name, "radio.finding", text=f"{VERSION_HEADER} of the answer {told}")
        self._call, self._stream = call, stream
        stream.on_event = self._happened
        call.on_change(self._changed)
        self._context.journal.record(
            self.name,
            "radio.connected",
            uri=self.uri,
            ptt_id=held.ptt_id,
            period_ms=held.period_ms,
            multiplier=held.multiplier,
            version=version,
        )
        stream.begin(peer, held, next(iter(peer.codecs)), layout=layout)
        return held

    @property
    def stream(self) -> RadioStream:
        """The session's packets. Raises Ed137LocalError where none is up."""
        if self._stream is None:
            raise Ed137LocalError(f"{self.name}: no radio session with {self.uri} is up")
        return self._stream

    @property
    def is_connected(self) -> bool:
        """Whether a session is set up; whether the radio's packets come is the stream's to tell."""
        return self._call is not None

    async def key(self, ptt: Ptt = Ptt.NORMAL, *, within: float = KEYED_WITHIN) -> RadioState:
        """Key the radio and return what it tells when it says that it is keyed by us.

        Raises Ed137LocalError when another has it (PTT mute), or it says neither in time; the key is up again then.
        """
        stream = self.stream
        stream.key(ptt)
        own = stream.said.ptt_id
        try:
            heard = await self._until(
                lambda state: state.ptt_mute or (state.ptt is not Ptt.OFF and state.ptt_id == own), within
            )
            if heard is None:
                told = _holder(stream.heard) if stream.heard.ptt is not Ptt.OFF else "it tells of no PTT"
                raise Ed137LocalError(f"{self.name}: the radio did not tell within {within:g} s that we key it: {told}")
            if heard.ptt_mute:
                raise Ed137LocalError(f"{self.name}: PTT mute: {_holder(heard)}")
        except BaseException:
            self.unkey()
            raise
        return heard

    def unkey(self) -> None:
        """Let the key go; nothing happens where no session is up."""
        if self._stream is not None:
            self._stream.key(Ptt.OFF)

    async def unkeyed(self, *, within: float = KEYED_WITHIN) -> bool:
        """Wait until the radio says that it does not hear our key; False where it does not say so in time."""
        terms = self.stream.terms
        own = terms.ptt_id if terms is not None else None

        def let_go(state: RadioState) -> bool:
            return not state.ptt_mute and (state.ptt is Ptt.OFF or state.ptt_id != own)

        return let_go(self.stream.heard) or await self._until(let_go, within) is not None

    async def _until(self, holds: Callable[[RadioState], bool], within: float) -> RadioState | None:
        """The first state told from now on that holds; what was told before can't be about what was just done."""
        found: asyncio.Future[RadioState] = asyncio.get_running_loop().create_future()
        entry = holds, found
        self._waiting.append(entry)
        try:
            async with asyncio.timeout(within):
                return await found
        except TimeoutError:
            return None
        finally:
            self._waiting.remove(entry)

    def _happened(self, event: Event) -> None:
        heard = self.stream.heard
        for holds, found in self._waiting:
            if not found.done() and holds(heard):
                found.set_result(heard)
        self.on_event(event)

    def _changed(self, call: Call, what: str) -> None:
        if what == "ended" and call is self._call:
            self._forget("radio")

    def _forget(self, by: str) -> None:
        stream, self._stream, self._call = self._stream, None, None
        if stream is not None:
            for _, found in self._waiting:
                if not found.done():
                    found.set_exception(Ed137LocalError(f"{self.name}: the radio session has ended"))
            self._context.journal.record(self.name, "radio.ended", by=by)
            stream.close()
            self.on_ended()

    async def disconnect(self, *, within: float = ANSWERED_WITHIN) -> None:
        """End the session: the key up, then BYE. Nothing happens where none is up. Raises SipLocalError unanswered."""
        call = self._call
        if call is None:
            return
        self.unkey()
        self._forget("room")
        call.hang_up()
        await call.ended(within=within)

    async def close(self) -> None:
        """End the session and close SIP."""
        call, self._call = self._call, None
        if call is not None:
            self.unkey()
            self._forget("room")
        await self._agent.close()


def _holder(heard: RadioState) -> str:
    if heard.ptt is Ptt.OFF:
        return "it is refused on air"
    return f"id {heard.ptt_id} keys it with {heard.ptt.name.lower()} PTT"
