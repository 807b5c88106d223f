"""One call of a telephone: what the person at it says, hears, presses and writes."""

from __future__ import annotations

import asyncio
from typing import Final, Literal

from harness.drivers import vehicle_data
from harness.endpoints.call_media import CallMedia
from harness.endpoints.media import MediaPort, Recording
from harness.endpoints.sip.call import Call
from harness.errors import DriverError, MediaError
from harness.protocols.location.msd import Msd
from harness.protocols.rtp.g711 import Samples
from harness.protocols.rtp.text import shown
from harness.protocols.sip import dtmf_info
from harness.protocols.sip.message import Request
from harness.transport.context import Context

RINGS_FOR: Final = 60.0
"""Seconds for which a call is let ring before the wait for its answer is given up."""
KeysBy = Literal["rtp", "info"]


class PhoneCall:
    """One call of a telephone."""

    def __init__(self, context: Context, phone: str, sip: Call, media: CallMedia) -> None:
        self.name = media.port.name
        """Its media port's name in the journal."""
        self._journal = context.journal
        self._phone = phone
        self.sip = sip
        """The SIP side: its status, what ended it."""
        self._media = media
        self._closed = False
        self._data_sent = 0
        self._joined = media.speaks or media.writes
        sip.on_offer(lambda _sip, offered: media.answer(offered))
        sip.on_info = self._informed

    @property
    def id(self) -> str:
        """The Call-ID."""
        return self.sip.id

    @property
    def is_over(self) -> bool:
        """Whether the call has ended."""
        return self.sip.is_over

    async def ringing(self, *, within: float = RINGS_FOR) -> None:
        """Return when the far end rings. Raises SipLocalError with the status when it refuses."""
        await self.sip.ringing(within=within)

    async def answered(self, *, within: float = RINGS_FOR) -> None:
        """Return when the call is answered and speech flows. Raises SipLocalError with the status, SdpError."""
        await self.sip.answered(within=within)
        if not self._joined:
            self._joined = True
            self._media.take_answer(self.sip.remote_sdp)
            await self._media.join()
            self._journal.record(self._phone, "call.media", speech=self._media.speaks, text=self._media.writes)
            acknowledged = None if self.sip.accepted is None else vehicle_data.acknowledged(self.sip.accepted)
            if acknowledged is not None:
                self._journal.record(self._phone, "ecall.ack", call_id=self.id, received=acknowledged)

    # Speech

    async def say(self, samples: Samples) -> float:
        """Speak; return the run time at which the first sample goes out."""
        return await self._media.port.play(samples)

    async def said(self) -> None:
        """Return when all that was to be said is out."""
        await self._media.port.played()

    async def hush(self) -> None:
        """Say no more of what was to be said."""
        await self._media.port.stop_playing()

    async def record(self) -> None:
        """Begin to keep what is heard."""
        await self._media.port.record()

    async def recorded(self) -> Recording:
        """Return what was heard since ``record``."""
        return await self._media.port.recorded()

    @property
    def port(self) -> MediaPort:
        """Its speech, for faults on purpose."""
        return self._media.port

    # Keys and text

    async def press(self, digits: str, *, by: KeysBy = "rtp") -> None:
        """Press keys, as telephone events (RFC 4733) or by INFO as old equipment does.

        Raises MediaError, SipLocalError, and DriverError where an INFO is refused.
        """
        self._journal.record(self._phone, "caller.dtmf", call_id=self.id, digits=digits, by=by)
        if by == "rtp":
            await self._media.port.send_dtmf(digits)
            return
        for digit in digits:
            response = await self.sip.send(
                "INFO", content=dtmf_info.build(digit), content_type=dtmf_info.DTMF_RELAY, within=5.0
            )
            if response.status >= 300:
                raise DriverError(f"{self._phone}: INFO for key {digit} got {response.status} {response.reason}")

    async def write(self, text: str) -> None:
        """Write (RFC 4103). Raises MediaError where the call has no text."""
        if self._media.text is None or not self._media.writes:
            raise MediaError(f"{self.name}: no text was agreed on")
        await self._media.text.write(text)

    def read(self) -> str:
        """What was written to this side so far, erasures carried out. Raises MediaError where the call has no text."""
        if self._media.text is None:
            raise MediaError(f"{self.name} has no text")
        return shown(self._media.text.received())

    async def reads(self, text: str, *, within: float) -> None:
        """Return when ``text`` stands in what was written to this side. Raises ExpectationError."""
        until = self._journal.now() + within
        after = self._journal.position
        while text not in self.read():
            left = max(0.0, until - self._journal.now())
            event = await self._journal.expect(f"{self.name} text", "text.received", within=left, after=after)
            after = event.seq
            await asyncio.sleep(0)  # the port keeps it only after the journal was told

    # A vehicle's data

    async def send_vehicle_data(self, vehicle: Msd) -> None:
        """Send an eCall's minimum set of data in mid-call (RFC 8147), as the control room may ask for it.

        Raises MsdError, SipLocalError, and DriverError where it is refused.
        """
        self._data_sent += 1
        headers, content = vehicle_data.in_info(vehicle, f"msd-{self._data_sent}-{self.id}")
        response = await self.sip.send("INFO", headers=headers, content=content[0], content_type=content[1], within=5.0)
        if response.status >= 300:
            raise DriverError(f"{self._phone}: the vehicle's data got {response.status} {response.reason}")

    def _informed(self, _sip: Call, request: Request) -> int:
        asked = vehicle_data.asked(request)
        if asked is not None:
            self._journal.record(self._phone, "ecall.asked", call_id=self.id, action=asked)
        return 200

    # The end

    async def ended(self, *, within: float) -> None:
        """Return when the call is over on both sides."""
        await self.sip.ended(within=within)

    async def hang_up(self) -> None:
        """Put the receiver down: BYE, or CANCEL while it rings. A call that is over is left alone."""
        if not self.sip.is_over:
            self._journal.record(self._phone, "caller.hangs_up", call_id=self.id)
            self.sip.hang_up()
        await self.close()

    async def close(self) -> None:
        """Close the call's media; its figures go into the journal as ``media.closed``."""
        if not self._closed:
            self._closed = True
            await self._media.close()
