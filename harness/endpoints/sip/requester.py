"""Requests of ours: sent, sent again with credentials when challenged, and by another way when the first one breaks."""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from harness.endpoints.sip.endpoint import SipEndpoint
from harness.endpoints.sip.exchange import Exchange
from harness.endpoints.sip.flow import UDP, Flow, Hop
from harness.errors import SipLocalError, SipRemoteError
from harness.protocols.sip import digest
from harness.protocols.sip.message import Request, Response

MAX_CHALLENGES: Final = 3
"""401 or 407 answered for one request: one of a proxy, one of the server, and one for a nonce gone stale."""
MAX_NONCES: Final = 64
"""Servers whose latest challenge is kept, so that the next request needs none (RFC 3261 §22.3)."""

Credentials = tuple[str, str]
"""User and password."""
Build = Callable[[], Request]
"""Makes the request; called again, for one to carry credentials, when it was challenged."""
Answered = Callable[[Response | None, Request], None]
"""Given each response, and the request as it was sent last; None where nobody answered."""
Sent = Callable[[Request, Exchange], None]
Wanted = Callable[[], bool]
"""Whether a request is still worth sending again."""


class Requester:
    """The asking side of one user agent."""

    def __init__(self, endpoint: SipEndpoint, rng: random.Random, credentials: Credentials | None) -> None:
        self.credentials = credentials
        """What 401 and 407 are answered with, unless a request brings its own."""
        self._endpoint = endpoint
        self._rng = rng
        self._nonces: OrderedDict[tuple[Hop, str, bool], _Nonce] = OrderedDict()
        """By where they are good, user, and whether for REGISTER: a registrar's are not for those whom we call."""

    def send(
        self,
        build: Build,
        target: Hop | Flow,
        answered: Answered,
        sent: Sent | None = None,
        credentials: Credentials | None = None,
        fallback: Hop | Flow | None = None,
        wanted: Wanted | None = None,
    ) -> None:
        """Send the request that `build` makes, and tell what comes.

        `fallback`: the way to try next where `target` can't be reached or breaks: peers that only connect name a
        Contact at which nobody listens. `wanted`: asked before the request is sent again with credentials.
        Raises SipLocalError where nothing can be sent.
        """
        attempt = _Attempt(build, target, answered, sent, credentials or self.credentials, fallback, wanted)
        self._try(attempt)

    async def ask(
        self,
        what: str,
        build: Build,
        target: Hop | Flow,
        within: float,
        credentials: Credentials | None = None,
        fallback: Hop | Flow | None = None,
        unanswered: Callable[[], None] | None = None,
    ) -> Response:
        """Send as `send` does and return the final response, whatever its status.

        `what` names the request in errors. `unanswered`: called where nobody answered in 64*T1, which may be later than
        this returns. Raises SipLocalError where no final response comes within `within` seconds.
        """
        found: asyncio.Future[Response] = asyncio.get_running_loop().create_future()

        def answered(response: Response | None, request: Request) -> None:
            if response is None and unanswered is not None:
                unanswered()
            if found.done():
                return
            if response is None:
                found.set_exception(SipLocalError(f"{what}: no answer in {self._endpoint.timing.patience:g} s"))
            elif response.status >= 200:
                found.set_result(response)

        self.send(build, target, answered, credentials=credentials, fallback=fallback)
        try:
            async with asyncio.timeout(within):
                return await found
        except TimeoutError:
            raise SipLocalError(f"{what}: no final response within {within:g} s") from None

    def _try(self, attempt: _Attempt) -> None:
        request = attempt.build()
        if self._nonces and not attempt.challenges and attempt.credentials is not None:
            # Known from an earlier request; should it be stale, the challenge that follows says so.
            known = self._nonces.get(_space(attempt, request))
            if known is not None:
                attempt.nonces[known.header] = known
        if attempt.nonces and attempt.credentials is not None:
            for nonce in attempt.nonces.values():
                request.add(*self._value(nonce, request, attempt.credentials))

        def tell(response: Response | None) -> None:
            if (
                response is not None
                and response.status >= 300
                and self._tried_again(attempt, request, response, exchange)
            ):
                return
            attempt.answered(response, request)

        exchange = self._endpoint.send_request(request, attempt.target, tell, large_by_udp=attempt.large_by_udp)
        if attempt.sent is not None:
            attempt.sent(request, exchange)

    def _tried_again(self, attempt: _Attempt, request: Request, response: Response, exchange: Exchange) -> bool:
        if response.status == 503 and exchange.flow.is_gone:
            return self._tried_elsewhere(attempt, exchange)
        if response.status not in (401, 407) or attempt.credentials is None or attempt.challenges >= MAX_CHALLENGES:
            return False
        if attempt.wanted is not None and not attempt.wanted():
            return False
        try:
            nonce = self._challenged(attempt, response)
        except SipRemoteError as error:
            self._endpoint.notes.warn(
                "sip.challenge-unanswered", exchange.flow, call_id=request.call_id, reason=str(error)
            )
            return False
        attempt.challenges += 1
        attempt.nonces[nonce.header] = nonce
        attempt.answered_nonces.add(nonce.header)
        self._remember(attempt, nonce, request)
        self._try(attempt)
        return True

    def _tried_elsewhere(self, attempt: _Attempt, exchange: Exchange) -> bool:
        """The way by which it was sent is gone; whether there is another one to try."""
        target = attempt.target
        meant = target.transport
        if meant == UDP != exchange.flow.transport and not attempt.large_by_udp:
            # It was too large for UDP and TCP was refused: better too large than not at all (§18.1.1).
            attempt.large_by_udp = True
        elif attempt.fallback is not None and not (isinstance(attempt.fallback, Flow) and attempt.fallback.is_gone):
            attempt.target, attempt.fallback = attempt.fallback, None
        elif isinstance(target, Hop) and exchange.flow.was_up and not attempt.reconnected:
            # A connection that was up broke, as an idle one does that the peer has just closed: a new one may do.
            attempt.reconnected = True
        else:
            return False
        self._try(attempt)
        return True

    def _challenged(self, attempt: _Attempt, response: Response) -> _Nonce:
        proxy = response.status == 407
        challenge = digest.choose(response.lines("Proxy-Authenticate" if proxy else "WWW-Authenticate"))
        nonce = _Nonce(challenge, "Proxy-Authorization" if proxy else "Authorization")
        if nonce.header in attempt.answered_nonces and not challenge.stale:
            assert attempt.credentials is not None
            raise SipRemoteError(f"the credentials of {attempt.credentials[0]} were refused")
        return nonce

    def _value(self, nonce: _Nonce, request: Request, credentials: Credentials) -> tuple[str, str]:
        nonce.count += 1
        value = digest.authorization(
            nonce.challenge,
            request.method,
            request.uri_text,
            *credentials,
            cnonce=f"{self._rng.getrandbits(64):016x}",
            count=nonce.count,
            body=request.body,
        )
        return nonce.header, value

    def _remember(self, attempt: _Attempt, nonce: _Nonce, request: Request) -> None:
        if isinstance(attempt.target, Hop) and nonce.challenge.qop and nonce.header == "Authorization":
            key = _space(attempt, request)
            self._nonces[key] = nonce
            self._nonces.move_to_end(key)
            if len(self._nonces) > MAX_NONCES:
                self._nonces.popitem(last=False)


def _space(attempt: _Attempt, request: Request) -> tuple[Hop, str, bool]:
    """What a challenge is good for."""
    assert attempt.credentials is not None
    target = attempt.target
    hop = target if isinstance(target, Hop) else Hop(target.transport, *target.peer)
    return hop, attempt.credentials[0], request.method == "REGISTER"


class _Nonce:
    """A challenge, how often it was answered, and in which header."""

    __slots__ = ("challenge", "count", "header")

    def __init__(self, challenge: digest.Challenge, header: str) -> None:
        self.challenge = challenge
        self.count = 0
        self.header = header


class _Attempt:
    """One request on its way through challenges."""

    __slots__ = (
        "answered",
        "answered_nonces",
        "build",
        "challenges",
        "credentials",
        "fallback",
        "large_by_udp",
        "nonces",
        "reconnected",
        "sent",
        "target",
        "wanted",
    )

    def __init__(
        self,
        build: Build,
        target: Hop | Flow,
        answered: Answered,
        sent: Sent | None,
        credentials: Credentials | None,
        fallback: Hop | Flow | None,
        wanted: Wanted | None,
    ) -> None:
        self.build = build
        self.target = target
        self.answered = answered
        self.sent = sent
        self.credentials = credentials
        self.fallback = fallback
        self.wanted = wanted
        self.challenges = 0
        self.nonces: dict[str, _Nonce] = {}
        """The challenges to be answered, by the header that does so."""
        self.answered_nonces: set[str] = set()
        """Names of the headers in which a challenge of this request's own was answered already."""
        self.large_by_udp = False
        self.reconnected = False
