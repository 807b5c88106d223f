"""Texts as a test sends and gets them, by a GSM modem or by SMPP; and the handsets of a simulated SMS network."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import httpx

from harness.endpoints.sms import IncomingText, SentText, TextPort, TextReport
from harness.errors import DriverError, ExpectationError
from harness.journal import Event
from harness.privacy import MASK, is_reserved
from harness.transport.context import Context
from harness.transport.https import http_client

ANSWERS_WITHIN: Final = 5.0
"""Seconds within which the simulator's control interface answers."""
POLL_S: Final = 0.05
"""Seconds between looks at what a handset got: the control interface tells it only when asked."""
SHORT_CODE: Final = 8
"""Digits of the longest short code, whose texts are nobody's in person."""


class SmsGateway:
    """One way to send and get texts.

    Events, under the component's name: ``text.sent`` {reference, to, text, parts}, ``text.received`` {sender, text,
    parts, data}, ``text.report`` {reference, to, state}, ``text.lost`` {why}. Of a text from or to a number that is
    not for tests, its length is journalled and not what it says.
    """

    def __init__(self, context: Context, name: str, port: TextPort, number: str) -> None:
        self.name = name
        self.port = port
        self.number = number
        """Whom texts come from: E.164 or a short code; empty where a real modem's SIM does not know it."""
        self._journal = context.journal
        port.on_text, port.on_report, port.on_lost = self._received, self._report, self._lost

    async def close(self) -> None:
        """Give the way up. Closing it again does nothing."""
        await self.port.close()

    async def reopen(self) -> None:
        """Open the way again after it was lost. Raises TransportError, ModemLocalError or SmppLocalError."""
        await self.port.reopen()

    async def send(
        self, to: str, text: str, *, report: bool = True, validity_s: float | None = None, wide: bool = False
    ) -> SentText:
        """Send a text of any length in any language; returns when the network took it.

        ``report``: ask what becomes of it (``text.report``); ``validity_s``: for how long it is tried; ``wide``: number
        a long text's parts by 16 bits. Raises InterlockError when the testbed does not allow it (nothing has left
        then), SmsError for what can't be sent, ModemLocalError or SmppLocalError when the network refuses it.
        """
        sent = await self.port.send(to, text, report=report, validity_s=validity_s, wide=wide)
        self._journal.record(
            self.name, "text.sent", reference=sent.reference, to=sent.to, text=_said(sent.to, text), parts=sent.parts
        )
        return sent

    async def expect(self, kind: str, *, within: float, after: int = 0, **with_: Any) -> Event:
        """Return the event that comes, or raise ExpectationError telling what did come."""
        return await self._journal.expect(self.name, kind, within=within, after=after, **with_)

    def _received(self, text: IncomingText) -> None:
        said = _said(text.sender, text.text)
        data = text.data.hex() if said == text.text else MASK * 3
        self._journal.record(self.name, "text.received", sender=text.sender, text=said, parts=text.parts, data=data)

    def _report(self, report: TextReport) -> None:
        self._journal.record(
            self.name, "text.report", reference=report.reference, to=report.to, state=report.state.name
        )

    def _lost(self, why: str) -> None:
        self._journal.warn(self.name, "text.lost", why=why)


def _said(number: str, text: str) -> str:
    """What a journal may keep of what was said to or by a number."""
    return text if is_reserved(number) or len(number) <= SHORT_CODE else f"{MASK * 3} ({len(text)} characters)"


class SmsNetwork:
    """A simulated SMS network as whoever runs it sees it: what handsets got, texts that they send, faults.

    Events, under the component's name: ``handset.sends`` {number, to, text}, ``handset.got`` {number, sender, text}
    once it was waited for, ``network.set`` {…}.
    """

    def __init__(self, context: Context, name: str, control: str, token: str = "") -> None:
        """``control``: where the simulator's control interface is, ``http://host:port``."""
        self.name = name
        self._journal = context.journal
        self._http = http_client(f"{control}/v1", timeout=ANSWERS_WITHIN, token=token)

    async def close(self) -> None:
        """Give the connection up. Closing it again does nothing."""
        await self._http.aclose()

    async def got(self, number: str, *, after: int = 0) -> list[dict[str, Any]]:
        """What a handset got, oldest first: ``seq``, ``sender``, ``text``, ``parts`` …; ``after`` a seq only what is
        newer. Raises DriverError for a number that is not one of Ofcom's reserved ones.
        """
        texts: list[dict[str, Any]] = (await self._ask("GET", f"/handsets/{number}/texts", after=after))["texts"]
        return texts

    async def await_text(
        self, number: str, text: str | None = None, *, within: float, after: int = 0
    ) -> dict[str, Any]:
        """Return the first text after ``after`` (a seq) that a handset has, saying ``text`` where that is given.

        Raises ExpectationError telling what it did get, and DriverError.
        """
        loop = asyncio.get_running_loop()
        due = loop.time() + within
        while True:
            texts = await self.got(number, after=after)
            found = next((each for each in texts if text in (None, each["text"])), None)
            if found is not None:
                self._journal.record(
                    self.name, "handset.got", number=number, sender=found["sender"], text=found["text"]
                )
                return found
            if loop.time() >= due:
                there = "; ".join(repr(each["text"]) for each in texts) or "nothing"
                wanted = "a text" if text is None else repr(text)
                raise ExpectationError(f"{self.name}: {number} was to get {wanted} within {within:g} s; it got {there}")
            await asyncio.sleep(POLL_S)

    async def send(self, number: str, to: str, text: str) -> None:
        """Send a text as a handset does; a long one goes in parts. Raises DriverError."""
        self._journal.record(self.name, "handset.sends", number=number, to=to, text=_said(number, text))
        await self._ask("POST", f"/handsets/{number}/texts", {"to": to, "text": text})

    async def switch(self, number: str, *, on: bool = True, full: bool = False) -> None:
        """Switch a handset on or off, or let it be full. Raises DriverError."""
        self._journal.record(self.name, "network.set", number=number, on=on, full=full)
        await self._ask("PUT", f"/handsets/{number}", {"on": on, "full": full})

    async def modem(self, *, registered: bool = True, signal: int = 20, congested: bool = False) -> None:
        """Set how the network treats the modem. Raises DriverError."""
        self._journal.record(self.name, "network.set", registered=registered, signal=signal, congested=congested)
        await self._ask("PUT", "/modem", {"registered": registered, "signal": signal, "congested": congested})

    async def fail(self, fault: str, *, status: str = "RSYSERR", count: int | None = None) -> None:
        """Let the service centre answer texts wrongly: ``status`` by the status named, ``silent`` not at all, ``lost``
        not even take them; for ``count`` texts, or until `recover`. Raises DriverError.
        """
        self._journal.record(self.name, "network.set", fault=fault, status=status, count=count)
        await self._ask("PUT", "/fault", {"fault": fault, "status": status, "count": count})

    async def recover(self) -> None:
        """End a fault. Raises DriverError."""
        self._journal.record(self.name, "network.set", fault=None)
        await self._ask("DELETE", "/fault")

    async def unbind(self) -> None:
        """End every SMPP session from the centre's side. Raises DriverError."""
        self._journal.record(self.name, "network.set", sessions=None)
        await self._ask("DELETE", "/sessions")

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None = None, **query: int) -> dict[str, Any]:
        try:
            response = await self._http.request(method, path, json=body, params=query)
        except httpx.HTTPError as error:
            told = str(error) or type(error).__name__
            raise DriverError(f"{self.name}: the control interface got no answer: {told}") from error
        if not response.is_success:
            raise DriverError(f"{self.name}: refused with {response.status_code}: {response.text[:200]}")
        answer: dict[str, Any] = response.json()
        return answer
