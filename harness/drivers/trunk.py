"""The emergency trunk driver: the 999 operator's network, which places calls to the control room over SIP."""

from __future__ import annotations

from collections.abc import Callable

from harness.endpoints.media import MediaPort, MediaService, Recording
from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.call import Call
from harness.endpoints.speech import join_speech
from harness.errors import DriverError
from harness.journal import Event
from harness.protocols import sdp
from harness.protocols.rtp.g711 import Samples
from harness.transport.context import Context

RINGS_FOR = 60.0
"""Seconds for which a call is let ring before the trunk gives it up."""

MAX_CALLS = 10_000
"""Calls that one trunk places in its life: each is kept, so that a test can ask for it."""

Address = tuple[str, int]


class TrunkCall:
    """One call on the trunk, with the caller's speech."""

    def __init__(self, context: Context, trunk: EmergencyTrunk, sip: Call, port: MediaPort, offer: bytes) -> None:
        self.name = port.name
        """Its media port's name in the journal."""
        self._context = context
        self._journal = context.journal
        self._trunk = trunk.name
        self._leads_to = trunk.leads_to
        self._sip = sip
        self._port = port
        self._offer = offer
        self._closed = False
        self._joined = False

    @property
    def id(self) -> str:
        """The Call-ID."""
        return self._sip.id

    async def ringing(self, *, within: float = RINGS_FOR) -> None:
        """Return when the control room rings. Raises SipLocalError with the status when it refuses."""
        await self._sip.ringing(within=within)

    async def answered(self, *, within: float = RINGS_FOR) -> None:
        """Return when the call is answered and speech flows.

        Raises SipLocalError with the status when it is refused, SdpError when the answer does not fit our offer.
        """
        await self._sip.answered(within=within)
        if self._joined:
            return
        self._joined = True
        agreed = sdp.negotiated(self._offer, self._sip.remote_sdp)
        self._context.called((agreed.host, agreed.port), self._leads_to)
        await join_speech(self._port, agreed)
        self._journal.record(self._trunk, "call.speech", call_id=self._sip.id, codec=agreed.codec)

    async def say(self, samples: Samples) -> float:
        """Send the caller's speech; return the run time at which its first sample goes out."""
        return await self._port.play(samples)

    async def said(self) -> None:
        """Return when all that was to be said is out."""
        await self._port.played()

    async def hush(self) -> None:
        """Say no more of what was to be said."""
        await self._port.stop_playing()

    async def record(self) -> None:
        """Begin to keep what the caller hears."""
        await self._port.record()

    async def recorded(self) -> Recording:
        """Return what the caller heard since ``record``."""
        return await self._port.recorded()

    async def send_dtmf(self, digits: str) -> None:
        """Press keys on the caller's telephone (RFC 4733)."""
        self._journal.record(self._trunk, "caller.dtmf", call_id=self._sip.id, digits=digits)
        await self._port.send_dtmf(digits)

    async def ended(self, *, within: float) -> None:
        """Return when the call is over on both sides."""
        await self._sip.ended(within=within)

    async def hang_up(self) -> None:
        """Put the caller's receiver down: BYE, or CANCEL while it rings. A call that is over is left alone."""
        self._sip.hang_up()
        await self.close()

    async def close(self) -> None:
        """Close the call's media; its figures go into the journal as ``media.closed``."""
        if not self._closed:
            self._closed = True
            await self._port.close()


class EmergencyTrunk:
    """The trunk: one SIP user agent that leads to one control room."""

    def __init__(self, context: Context, media: MediaService, name: str, target: Address, leads_to: str) -> None:
        self.name = name
        self.leads_to = leads_to
        """The component that it calls, by name."""
        self._context = context
        self._journal = context.journal
        self._media = media
        self._target = target
        self._agent: UserAgent
        self._calls: list[TrunkCall] = []
        self._host = ""

    @classmethod
    async def open(
        cls,
        context: Context,
        media: MediaService,
        name: str,
        *,
        local: Address,
        target: Address,
        leads_to: str = "iccs",
        permit: Callable[[str], None],
    ) -> EmergencyTrunk:
        """Bind the trunk's SIP at ``local`` towards the control room at ``target``.

        ``leads_to`` names the control room in pictures; ``permit`` is asked with the target URI before anything leaves;
        it raises InterlockError to refuse.
        """
        trunk = cls(context, media, name, target, leads_to)
        trunk._host = local[0]
        trunk._agent = await UserAgent.open(context, name, local=local, user="999-network", permit=permit)
        context.called(trunk._agent.address, name)
        context.called(target, leads_to)
        return trunk

    async def dial(self, number: str = "999", *, cli: str | None = None) -> TrunkCall:
        """Place a call to ``number`` with the caller's number ``cli`` (E.164, ``+44…``), or withheld when None.

        Raises InterlockError when the testbed does not allow it, SipLocalError for what is no number: nothing has left
        then. Raises DriverError after MAX_CALLS.
        """
        if len(self._calls) >= MAX_CALLS:
            raise DriverError(f"{self.name}: {MAX_CALLS} calls were placed; open the trunk anew")
        name = f"{self.name} call {len(self._calls) + 1}"
        port = await self._media.open_port(name, host=self._host)
        self._context.called(port.address, self.name)
        offer = sdp.offer(*port.address)
        host, number_of_port = self._target
        user = cli if cli is not None else "anonymous"
        domain = self._host if cli is not None else "anonymous.invalid"
        headers = [("P-Asserted-Identity", f"<sip:{cli}@{self._host}>")] if cli is not None else [("Privacy", "id")]
        try:
            sip = self._agent.invite(
                f"sip:{number}@{host}:{number_of_port}", offer=offer, caller=f"<sip:{user}@{domain}>", headers=headers
            )
        except BaseException:
            await port.close()
            raise
        call = TrunkCall(self._context, self, sip, port, offer)
        self._calls.append(call)
        return call

    async def close(self) -> None:
        """Hang up what is up and close the trunk."""
        for call in self._calls:
            await call.hang_up()
        await self._agent.close()

    async def expect(self, kind: str, *, within: float, after: int = 0, **with_: object) -> Event:
        """Return the trunk's next event of that kind, or raise ExpectationError telling what came instead."""
        return await self._journal.expect(self.name, kind, within=within, after=after, **with_)

    def call(self, number: int = 1) -> TrunkCall:
        """Return the nth call placed on this trunk, from 1. Raises DriverError when there was none."""
        if not 1 <= number <= len(self._calls):
            raise DriverError(f"{self.name}: call {number} was never placed; there were {len(self._calls)}")
        return self._calls[number - 1]
