"""Our registration at a registrar: made, refreshed before it lapses, taken back (RFC 3261 §10.2)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from harness.endpoints.sip.flow import SECURE, Hop
from harness.endpoints.sip.wheel import Timer
from harness.errors import InterlockError, SipLocalError, SipRemoteError
from harness.protocols.sip.message import Request, Response
from harness.protocols.sip.uri import Uri

if TYPE_CHECKING:
    from harness.endpoints.sip.agent import UserAgent

REFRESH_AT = 0.5
"""The part of its life after which a registration is made anew."""
RETRY_SECONDS = 30.0
"""How long after a refresh that failed the next is tried."""


class Registration:
    """One address-of-record registered with our Contact. Made by `UserAgent.register`."""

    def __init__(self, agent: UserAgent, registrar: str, user: str, password: str, expires: int, hop: Hop) -> None:
        try:
            uri = Uri.parse(registrar)
        except SipRemoteError as error:
            raise SipLocalError(f"not a registrar's URI: {error}") from error
        self._agent = agent
        self._credentials = (user, password)
        self._wanted = expires
        self._hop = hop
        self._contact = agent.card.contact(f"{SECURE}{hop.kind}" if uri.scheme == "sips" else hop.kind)
        self._own = Uri.parse(self._contact[1][1:-1])
        self._call_id = agent.new_call_id()
        self._tag = agent.endpoint.new_tag()
        self._cseq = 0
        self._timer: Timer | None = None
        uri.user, uri.password, uri.headers = "", None, ""
        self.registrar = str(uri)
        """The registrar's URI."""
        self.aor = f"{uri.scheme}:{user}@{uri.host}"
        """The address-of-record."""
        self.expires = 0
        """Seconds that the registrar granted; 0 while not registered."""
        self.status = 0
        """The latest final status; 0 before any."""

    async def register(self, *, within: float) -> None:
        """Register now. Raises InterlockError before anything leaves, SipLocalError with the status when refused."""
        await self._send(self._wanted, within)

    async def unregister(self, *, within: float = 5.0) -> None:
        """Take the registration back. Raises as `register`."""
        self._stop()
        await self._send(0, within)

    def give_up(self) -> None:
        """Take the registration back without waiting for the answer; for closing."""
        self._stop()
        if self.expires:
            self.expires = 0
            try:
                self._start(0, None)
            except (InterlockError, SipLocalError) as error:
                self._agent.warn("sip.unregister-failed", self._hop, reason=str(error))

    async def _send(self, expires: int, within: float) -> None:
        found: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._start(expires, found)
        try:
            async with asyncio.timeout(within):
                await found
        except TimeoutError:
            raise SipLocalError(f"REGISTER at {self.registrar}: no final response within {within:g} s") from None

    def _start(self, expires: int, found: asyncio.Future[None] | None, *, again: bool = False) -> None:
        if self._agent.routes.permit is not None:
            self._agent.routes.permit(self.registrar)

        def answered(response: Response | None, request: Request) -> None:
            if response is not None and response.status < 200:
                return
            self.status = response.status if response is not None else 408
            told = f"{response.status} {response.reason}" if response is not None else "no answer"
            if response is not None and response.status == 423 and expires and not again:
                try:
                    least = response.number("min-expires")
                except SipRemoteError:
                    least = None
                # Once: a registrar that keeps asking for more is answered with the failure.
                if least is not None and expires < least < 2**31:
                    self._wanted = least
                    self._start(least, found, again=True)
                    return
            if response is not None and response.status < 300:
                self._granted(response, expires)
                if found is not None and not found.done():
                    found.set_result(None)
                return
            self._agent.journal.warn(
                self._agent.name, "registration.failed", aor=self.aor, status=self.status, reason=told
            )
            if found is None:
                self._refresh_in(RETRY_SECONDS if expires else 0)
            elif not found.done():
                found.set_exception(SipLocalError(f"REGISTER of {self.aor} at {self.registrar}: {told}"))

        self._agent.requester.send(lambda: self._build(expires), self._hop, answered, credentials=self._credentials)

    def _build(self, expires: int) -> Request:
        self._cseq += 1
        fields = [
            ("Max-Forwards", "70"),
            ("From", f"<{self.aor}>;tag={self._tag}"),
            ("To", f"<{self.aor}>"),
            ("Call-ID", self._call_id),
            ("CSeq", f"{self._cseq} REGISTER"),
            self._contact,
            ("Expires", str(expires)),
        ]
        return Request.build("REGISTER", self.registrar, fields)

    def _granted(self, response: Response, asked: int) -> None:
        granted = asked
        try:
            for contact in response.name_addrs("contact"):
                seconds = contact.params.get("expires") or ""
                if contact.uri.equivalent(self._own) and seconds.isascii() and seconds.isdigit():
                    granted = min(int(seconds), asked)
        except SipRemoteError as error:
            self._agent.warn("sip.bad-answer", self._hop, reason=str(error))
        self.expires = granted
        kind = "registration.made" if granted else "registration.ended"
        self._agent.journal.record(self._agent.name, kind, aor=self.aor, expires=granted)
        self._refresh_in(granted * REFRESH_AT)

    def _refresh_in(self, delay: float) -> None:
        self._stop()
        if delay:
            self._timer = self._agent.endpoint.wheel.after(delay, self._refresh)

    def _refresh(self) -> None:
        try:
            self._start(self._wanted, None)
        except (InterlockError, SipLocalError) as error:
            self._agent.warn("registration.failed", self._hop, aor=self.aor, reason=str(error))

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
