"""Session timers (RFC 4028): who refreshes, when, and the end of a session that nobody refreshes any more.

Theory. The two sides settle an interval (Session-Expires) and a refresher in the INVITE and its 2xx. The refresher
sends a re-INVITE or UPDATE at half the interval. The other side gives the session up when none came shortly before it
runs out: 32 s, or a third of the interval where that is less. An interval below what a side bears gets 422 with Min-SE.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.endpoints.sip.abilities import LEAST_MIN_SE, Abilities
from harness.endpoints.sip.call import Call, CallState, Headers
from harness.endpoints.sip.wheel import Timer
from harness.errors import SipLocalError, SipRemoteError
from harness.protocols.sip.grammar import DIGITS
from harness.protocols.sip.headers import parse_params
from harness.protocols.sip.message import Message, Request, Response

if TYPE_CHECKING:
    from harness.endpoints.sip.agent import UserAgent

REFRESH_WITHIN: Final = 32.0
"""Seconds that a refresh of ours may take."""


@dataclass(frozen=True, slots=True)
class SessionExpires:
    """A Session-Expires value."""

    seconds: int
    refresher: str = ""
    """`uac`, `uas`, or empty where it is left to the other side."""

    @classmethod
    def of(cls, message: Message) -> SessionExpires | None:
        """What a message carries; None where it carries none. Raises SipRemoteError."""
        value = message.get("session-expires")
        if value is None:
            return None
        digits, _, tail = value.partition(";")
        refresher = (parse_params(tail).get("refresher") or "").lower() if tail else ""
        if DIGITS.fullmatch(digits.strip()) is None or refresher not in ("", "uac", "uas"):
            raise SipRemoteError(f"not a Session-Expires: {value[:40]!r}")
        return cls(int(digits), refresher)

    def __str__(self) -> str:
        return f"{self.seconds};refresher={self.refresher}" if self.refresher else str(self.seconds)


def asked(abilities: Abilities, min_se: int = 0) -> list[tuple[str, str]]:
    """What our INVITE asks for; `min_se`: what a 422 told."""
    if not abilities.session_expires:
        return []
    headers = [("Session-Expires", str(max(abilities.session_expires, min_se)))]
    least = max(abilities.min_se, min_se)
    return [*headers, ("Min-SE", str(least))] if least > LEAST_MIN_SE else headers


def too_small(request: Request, abilities: Abilities) -> bool:
    """Whether a request's interval is below what we bear: a 422 is due (§9). Raises SipRemoteError."""
    wanted = SessionExpires.of(request)
    return (
        wanted is not None
        and abilities.timers
        and wanted.seconds < abilities.min_se
        and "timer" in request.options("supported")
    )


def agree(request: Request, abilities: Abilities) -> SessionExpires | None:
    """What we, the side that was called, settle on (§9); None where there is to be no session timer."""
    wanted = SessionExpires.of(request)
    if not abilities.timers or (wanted is None and not abilities.session_expires):
        return None
    caller_can = "timer" in request.options("supported")
    least = request.number("min-se") or LEAST_MIN_SE
    seconds = wanted.seconds if wanted is not None else max(abilities.session_expires, least)
    if abilities.session_expires:
        seconds = max(min(seconds, abilities.session_expires), least)
    if not caller_can:
        return SessionExpires(seconds, "uas")
    return SessionExpires(seconds, (wanted.refresher if wanted is not None else "") or "uac")


def told(agreed: SessionExpires) -> list[tuple[str, str]]:
    """The headers of our 2xx."""
    headers = [("Session-Expires", str(agreed))]
    return [*headers, ("Require", "timer")] if agreed.refresher == "uac" else headers


class SessionTimer:
    """The timer of one call."""

    def __init__(self, agent: UserAgent, call: Call, agreed: SessionExpires, *, ours: bool, peer_updates: bool) -> None:
        """`ours`: we refresh. `peer_updates`: the peer serves UPDATE."""
        self._agent = agent
        self._call = call
        self._method = "UPDATE" if peer_updates else "INVITE"
        self.seconds = agreed.seconds
        """The interval."""
        self.ours = ours
        """Whether we refresh."""
        self._timer: Timer | None = None
        self._task: asyncio.Task[None] | None = None
        self._start()

    def stop(self) -> None:
        """The call has ended."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _start(self) -> None:
        self.stop()
        after = self.seconds / 2 if self.ours else self.seconds - min(32.0, self.seconds / 3)
        self._timer = self._agent.endpoint.wheel.after(after, self._refresh if self.ours else self._run_out)

    def _refresh(self) -> None:
        if self._call.state is CallState.ANSWERED:
            self._task = asyncio.get_running_loop().create_task(self._send_refresh())

    async def _send_refresh(self) -> None:
        call = self._call
        wanted = [("Session-Expires", str(SessionExpires(self.seconds, "uac")))]
        sdp = b"" if self._method == "UPDATE" else call.local_sdp
        try:
            await call.session.offer(sdp, within=REFRESH_WITHIN, method=self._method, headers=wanted)
        except SipLocalError as error:
            self._agent.warn("sip.refresh-failed", call.hop, call_id=call.id, reason=str(error))
            if not call.is_over:
                self._timer = self._agent.endpoint.wheel.after(min(32.0, self.seconds / 3), self._run_out)

    def _run_out(self) -> None:
        """Nobody refreshed the session: it is over (§10)."""
        if self._call.state is CallState.ANSWERED:
            self._agent.warn("sip.session-expired", self._call.hop, call_id=self._call.id, seconds=self.seconds)
            self._call.send_bye("session timer", [("Reason", 'SIP;cause=408;text="Session timer expired"')])

    def refreshed(self, response: Response) -> None:
        """A re-INVITE or UPDATE of ours was taken."""
        try:
            agreed = SessionExpires.of(response)
        except SipRemoteError as error:
            self._agent.warn("sip.bad-answer", self._call.hop, call_id=self._call.id, reason=str(error))
            agreed = None
        if agreed is not None:
            self.seconds, self.ours = agreed.seconds, agreed.refresher != "uas"
        self._start()

    def refreshed_by_peer(self, request: Request) -> Headers:
        """A re-INVITE or UPDATE of the peer's came; returns what our 2xx tells. Raises SipRemoteError."""
        agreed = agree(request, self._agent.abilities)
        if agreed is None:
            self.stop()
            return ()
        self.seconds, self.ours = agreed.seconds, agreed.refresher == "uas"
        self._start()
        return told(agreed)
