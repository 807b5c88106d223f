"""Session timers (RFC 4028): who refreshes, when, and the end of a session that nobody refreshes any more.

Theory. The two sides settle an interval (Session-Expires) and a refresher in the INVITE and its 2xx. The refresher
sends a re-INVITE or UPDATE at half the interval. The other side gives the session up when none came shortly before it
runs out: 32 s, or a third of the interval where that is less. An interval below what a side bears gets 422 with Min-SE.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from harness.endpoints.sip.abilities import LEAST_MIN_SE, Abilities
from harness.endpoints.sip.call import Call, CallState, Headers
from harness.endpoints.sip.exchange import Exchange
from harness.endpoints.sip.wheel import Timer
from harness.errors import SipLocalError, SipRemoteError
from harness.protocols.sip.grammar import DIGITS
from harness.protocols.sip.headers import parse_params
from harness.protocols.sip.message import Message, Request, Response

if TYPE_CHECKING:
    from harness.endpoints.sip.agent import UserAgent

REFRESH_WITHIN: Final = 32.0
"""Seconds that a refresh of ours may take."""
BEFORE_END: Final = 32.0
"""Seconds before its interval runs out, or a third of it where that is less, at which a session is ended (§10)."""


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


def refused(request: Request, exchange: Exchange, abilities: Abilities, to_tag: str = "") -> bool:
    """Whether a request was answered with 422, as its interval is below what we bear (§9). Raises SipRemoteError."""
    if "session-expires" not in request.envelope.first or not abilities.timers:
        return False
    wanted = SessionExpires.of(request)
    if wanted is None or wanted.seconds >= abilities.min_se or "timer" not in request.options("supported"):
        return False
    exchange.respond(request.response(422, to_tag=to_tag, headers=[("Min-SE", str(abilities.min_se))]))
    return True


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
    seconds = max(seconds, abilities.min_se)  # one who can't be told 422 gets more than was asked for
    if not caller_can:
        return SessionExpires(seconds, "uas")
    return SessionExpires(seconds, (wanted.refresher if wanted is not None else "") or "uac")


def told(agreed: SessionExpires) -> list[tuple[str, str]]:
    """The headers of our 2xx."""
    headers = [("Session-Expires", str(agreed))]
    return [*headers, ("Require", "timer")] if agreed.refresher == "uac" else headers


def wishes(call: Call, headers: Headers) -> Headers:
    """What a re-INVITE or UPDATE of ours asks for, so that it keeps the session timer as it is; unless `headers` do."""
    if any(name.lower() in ("session-expires", "x") for name, _ in headers):
        return ()
    timer = call.session_timer
    if timer is None:
        return asked(call.agent.abilities)
    return timer.kept()


def longer(call: Call, headers: Headers, response: Response) -> Headers:
    """The headers of a request that is sent again after a 422 (§7.4). Raises SipLocalError where that can't help."""
    try:
        least = response.number("min-se")
        asked_for = {name.lower(): value for name, value in (*wishes(call, headers), *headers)}
        seconds = int(asked_for.get("session-expires", "0").partition(";")[0])
    except (SipRemoteError, ValueError):
        least = seconds = None
    if least is None or seconds is None or not seconds < least < 2**31:
        raise SipLocalError(f"{call}: 422 {response.reason}, and no Min-SE above what was asked for")
    kept = [(name, value) for name, value in headers if name.lower() not in ("session-expires", "x", "min-se")]
    refresher = "uas" if call.session_timer is not None and not call.session_timer.ours else "uac"
    return [*kept, ("Session-Expires", str(SessionExpires(least, refresher))), ("Min-SE", str(least))]


def settled_by(response: Response, agent: UserAgent, call: Call) -> None:
    """Our INVITE or UPDATE was taken: the timer is as the 2xx says (§7.2). Raises SipRemoteError."""
    agreed = SessionExpires.of(response) if agent.abilities.timers else None
    # §7.2: the 2xx names the refresher; where it does not, the one who asked is it.
    _settle(agreed, agent, call, response, ours=agreed is not None and agreed.refresher != "uas")


def settled_with(request: Request, agent: UserAgent, call: Call) -> Headers:
    """Settle the timer as the peer's INVITE or UPDATE is taken (§9); returns what our 2xx is to tell.

    Raises SipRemoteError.
    """
    timer = call.session_timer
    agreed = agree(request, agent.abilities)
    if agreed is None and timer is not None and agent.abilities.timers and "timer" in request.options("supported"):
        # The peer changes something else and forgot the timer: who refreshed so far goes on.
        agreed = SessionExpires(timer.seconds, "uas" if timer.ours else "uac")
    _settle(agreed, agent, call, request, ours=agreed is not None and agreed.refresher == "uas")
    return told(agreed) if agreed is not None else ()


def _settle(agreed: SessionExpires | None, agent: UserAgent, call: Call, peers: Message, *, ours: bool) -> None:
    timer = call.session_timer
    if agreed is None:
        if timer is not None:
            timer.stop()
            call.session_timer = None
        return
    if timer is None:
        timer = call.session_timer = SessionTimer(agent, call)
    allow = peers.get("allow")
    timer.begin(agreed, ours=ours, peer_updates=None if allow is None else "UPDATE" in peers.values("allow"))


class SessionTimer:
    """The timer of one call."""

    def __init__(self, agent: UserAgent, call: Call) -> None:
        self._agent = agent
        self._call = call
        self._method = "INVITE"
        self.seconds = 0
        """The interval."""
        self.ours = False
        """Whether we refresh."""
        self._timer: Timer | None = None
        self._task: asyncio.Task[None] | None = None

    def begin(self, agreed: SessionExpires, *, ours: bool, peer_updates: bool | None) -> None:
        """Begin, or begin anew, as the session is fresh. `peer_updates`: whether the peer serves UPDATE, if it says."""
        self.seconds, self.ours = max(agreed.seconds, LEAST_MIN_SE), ours
        if peer_updates is not None:
            self._method = "UPDATE" if peer_updates else "INVITE"
        if ours:
            self._set(self.seconds / 2, self._refresh)
        else:
            self._set(self._until_run_out(), self._run_out)

    def kept(self) -> Headers:
        """What a re-INVITE or UPDATE of ours asks for, so that all stays as it is."""
        return [("Session-Expires", str(SessionExpires(self.seconds, "uac" if self.ours else "uas")))]

    def stop(self) -> None:
        """There is no session timer any more, or the call has ended."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set(self, after: float, callback: Callable[[], None]) -> None:
        self.stop()
        self._timer = self._agent.endpoint.wheel.after(after, callback)

    def _until_run_out(self) -> float:
        return self.seconds - min(BEFORE_END, self.seconds / 3)

    def _refresh(self) -> None:
        if self._call.state is CallState.ANSWERED:
            # Should it fail, there is time left for the session to run out.
            self._set(self._until_run_out() - self.seconds / 2, self._run_out)
            self._task = asyncio.get_running_loop().create_task(self._send_refresh())

    async def _send_refresh(self) -> None:
        call = self._call
        sdp = b"" if self._method == "UPDATE" else call.local_sdp
        try:
            await call.session.offer(sdp, within=REFRESH_WITHIN, method=self._method)
        except SipLocalError as error:
            self._agent.warn("sip.refresh-failed", call.hop, call_id=call.id, reason=str(error))

    def _run_out(self) -> None:
        """Nobody refreshed the session: it is over (§10)."""
        if self._call.state is CallState.ANSWERED:
            self._agent.warn("sip.session-expired", self._call.hop, call_id=self._call.id, seconds=self.seconds)
            self._call.send_bye("session timer", [("Reason", 'SIP;cause=408;text="Session timer expired"')])
