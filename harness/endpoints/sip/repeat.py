"""Repeats a response of ours until the peer acknowledges it: a 2xx to INVITE, or a reliable provisional response."""

from __future__ import annotations

from collections.abc import Callable

from harness.endpoints.sip.endpoint import SipEndpoint
from harness.endpoints.sip.exchange import Exchange
from harness.endpoints.sip.wheel import Timer
from harness.protocols.sip.message import Response


class Repeat:
    """Sends a response again, at T1 doubled up to `longest`, until it is stopped or 64*T1 have passed.

    A 2xx (RFC 3261 §13.3.1.4) is repeated at T2 at most, whatever the transport; a reliable provisional response
    (RFC 3262 §3) doubles without end.
    """

    __slots__ = ("_endpoint", "_exchange", "_gave_up", "_interval", "_left", "_longest", "_response", "_timer", "cseq")

    def __init__(
        self,
        endpoint: SipEndpoint,
        exchange: Exchange,
        response: Response,
        gave_up: Callable[[], None],
        longest: float | None = None,
    ) -> None:
        timing = endpoint.timing
        self._endpoint = endpoint
        self._exchange = exchange
        self._response = response
        self._gave_up = gave_up
        self._longest = timing.t2 if longest is None else longest
        self._interval = timing.t1
        self._left = timing.patience
        self.cseq = response.cseq.number
        """The number of the INVITE that it answers."""
        self._timer: Timer = endpoint.wheel.after(self._interval, self._again)

    def stop(self) -> None:
        """It was acknowledged."""
        self._timer.cancel()

    def _again(self) -> None:
        self._left -= self._interval
        if self._left <= 0:
            self._gave_up()
            return
        if not self._exchange.transaction.ended:
            self._endpoint.repeated += 1
            self._exchange.respond(self._response)
        self._interval = min(2 * self._interval, self._longest, self._left)
        self._timer = self._endpoint.wheel.after(self._interval, self._again)
