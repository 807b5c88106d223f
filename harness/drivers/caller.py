"""The caller driver: a member of the public's telephone, which dials, speaks, presses keys, writes and texts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, Literal

from harness.drivers.handset_position import AmlIntake, AmlPlan
from harness.drivers.phone_call import PhoneCall
from harness.endpoints.call_media import CallMedia
from harness.endpoints.location import AmlSender
from harness.endpoints.media import MediaService
from harness.endpoints.sip.abilities import Abilities
from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.call import Call
from harness.endpoints.sip.flow import UDP, Hop
from harness.endpoints.sip.incoming import IncomingCall
from harness.endpoints.sip.registration import Registration
from harness.endpoints.sip.transports import Listen
from harness.errors import DriverError, HarnessError, LocalError
from harness.journal import Event
from harness.protocols import uk_numbers
from harness.protocols.location import ecall_control, msd, pidf
from harness.protocols.location.conveyance import with_location
from harness.protocols.location.msd import Msd
from harness.protocols.location.pidf import Presence
from harness.protocols.sip import identity
from harness.protocols.sip.body import SDP, Part, multipart
from harness.protocols.sip.message import Request
from harness.transport.context import Context
from harness.transport.tap import Address

MAX_CALLS: Final = 1_000
"""Calls that one telephone places and takes in its life."""
MAX_TEXTS: Final = 1_000
"""Text messages that a telephone keeps; the oldest make room."""

PermitLocate = Callable[[str, str], None]


class CallerPhone:
    """One telephone: a mobile or a landline, as its number is.

    Events, under the component's name: ``caller.dials`` {number}, ``caller.lifts``, ``caller.hangs_up``,
    ``caller.dtmf`` {digits}, ``phone.rings`` {cli, display} for a ring-back, ``text.sent`` and ``text.received`` {text}
    for text messages, ``aml.sent`` {way}, ``aml.failed`` {reason}; of a vehicle ``ecall.ack`` {received}
    and ``ecall.asked`` {action}; and SIP's and the media's own.
    """

    def __init__(self, context: Context, media: MediaService, name: str, network: Address, number: str) -> None:
        self.name = name
        self.number = number
        """E.164; empty: a telephone without a number."""
        self.texts: list[str] = []
        """Text messages that came, oldest first."""
        self._context = context
        self._journal = context.journal
        self._media = media
        self._network = network
        self._transport = UDP
        self._agent: UserAgent
        self._host = ""
        self._calls: list[PhoneCall] = []
        self._ringing: list[IncomingCall] = []
        self._registration: Registration | None = None
        self._aml = AmlPlan()
        self._aml_sender: AmlSender | None = None
        self._permit_locate: PermitLocate = lambda _what, _number: None
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(
        cls,
        context: Context,
        media: MediaService,
        name: str,
        *,
        network: Address,
        number: str = "",
        local: Address = ("127.0.0.1", 0),
        transport: Literal["udp", "tcp"] = "udp",
        aml: AmlPlan | None = None,
        aml_intake: AmlIntake | None = None,
        registers: bool = True,
        permit: Callable[[str], None],
        permit_locate: PermitLocate,
        leads_to: str = "emergency",
    ) -> CallerPhone:
        """Connect a telephone to the network at ``network``, where it registers if it has a number and ``registers``.

        Without having registered it can call, but not be rung. ``aml_intake`` takes positions by HTTPS. ``permit`` is
        asked with the target URI before anything is dialled or texted, ``permit_locate`` with ``AML`` and the number
        before a position is sent; they raise InterlockError. Raises SipLocalError where the network does not take the
        registration.
        """
        phone = cls(context, media, name, network, number)
        registrar = f"sip:{network[0]}:{network[1]}"  # to register there rings nobody
        phone._host = local[0]
        phone._aml = aml or AmlPlan()
        phone._permit_locate = permit_locate
        phone._transport = transport.upper()
        phone._agent = await UserAgent.open(
            context,
            name,
            listen=[Listen(phone._transport, *local)],
            user=number or "phone",
            on_invite=phone._rung,
            permit=lambda target: None if target == registrar else permit(target),
            abilities=Abilities(info_packages=(ecall_control.INFO_PACKAGE,)),
        )
        phone._agent.on_message = phone._texted
        if aml_intake is not None:
            phone._aml_sender = AmlSender(
                context,
                name,
                aml_intake.url,
                lambda cli: permit_locate("AML", cli),
                key=aml_intake.key,
                tls=aml_intake.tls,
            )
        context.called(phone._agent.address, name)
        context.called(network, leads_to)
        if number and registers:
            try:
                phone._registration = await phone._agent.register(registrar, number, "", to=phone._hop)
            except HarnessError:
                await phone.close()
                raise
        return phone

    @property
    def _hop(self) -> Hop:
        return Hop(self._transport, *self._network)

    @property
    def is_landline(self) -> bool:
        """Whether its number is of a geographic range: its circuit is kept for a while when it is hung up."""
        return bool(self.number) and uk_numbers.parse(self.number).kind is uk_numbers.Kind.GEOGRAPHIC

    # Calls

    async def dial(
        self,
        number: str = "999",
        *,
        withheld: bool = False,
        text: bool = False,
        location: Presence | None = None,
        vehicle: Msd | None = None,
    ) -> PhoneCall:
        """Dial a number, or ``urn:service:sos`` and what is under it; returns at once.

        ``withheld``: ask that the number is not shown. ``text``: offer real-time text beside speech, as one who dials
        18000 does. ``location``: tell in the call where the caller is (RFC 6442). ``vehicle``: send an eCall's MSD.
        A mobile that dials an emergency number sends its position after its delay. Raises InterlockError (nothing has
        left then), SipLocalError for what is no number, PidfError, MsdError, and DriverError after MAX_CALLS.
        """
        self._journal.record(self.name, "caller.dials", number=number)
        call = await self._place(number, withheld=withheld, text=text, location=location, vehicle=vehicle)
        if self._aml.way != "none" and _is_emergency(number):
            self._spawn(self._send_position(number))
        return call

    async def lift(self) -> PhoneCall:
        """Lift the receiver again, of a landline that was hung up: a kept circuit goes on, without dialling.

        The network takes any INVITE of that line so; this one dials 999, so that without a kept circuit it is a call.
        """
        self._journal.record(self.name, "caller.lifts")
        return await self._place("999", withheld=False, text=False, location=None, vehicle=None)

    async def _place(
        self, number: str, *, withheld: bool, text: bool, location: Presence | None, vehicle: Msd | None
    ) -> PhoneCall:
        self._count()
        media = await CallMedia.open(
            self._media, f"{self.name} call {len(self._calls) + 1}", host=self._host, text=text
        )
        for port in (media.port, media.text):
            if port is not None:
                self._context.called(port.address, self.name)
        try:
            offer = media.offer()
            content, headers = self._content(offer, location, vehicle)
            caller, told = self._caller(withheld=withheld)
            host, port_number = self._network
            uri = number if number.lower().startswith("urn:") else f"sip:{number}@{host}:{port_number}"
            sip = self._agent.invite(
                uri, offer=offer, caller=caller, headers=[*told, *headers], to=self._hop, content=content
            )
        except BaseException:
            await media.close()
            raise
        return self._keep(sip, media)

    def _caller(self, *, withheld: bool) -> tuple[str, list[tuple[str, str]]]:
        """From, and the number for the network's eyes."""
        if not self.number:
            return identity.ANONYMOUS if withheld else f"<sip:unavailable@{self._host}>", []
        privacy = frozenset({"id"}) if withheld else frozenset()
        who = identity.Caller(self.number, self._host, privacy=privacy)
        return who.from_value, who.headers(identity.Telling.PREFERRED)

    def _content(
        self, offer: bytes, location: Presence | None, vehicle: Msd | None
    ) -> tuple[tuple[bytes, str], list[tuple[str, str]]]:
        """A body of more than the offer, and the headers that point into it; empty where there is no more."""
        content_id = f"{len(self._calls) + 1}@{self._host}"
        if vehicle is None:
            if location is None:
                return (b"", ""), []
            conveyed = with_location(offer, location, f"location-{content_id}")
            return (conveyed.body, conveyed.content_type), [("Geolocation", conveyed.geolocation)]
        parts = [Part(SDP, offer)]
        headers = [("Call-Info", f"<cid:msd-{content_id}>;purpose={ecall_control.CALL_INFO_PURPOSES[0]}")]
        optional = "by-reference;handling=optional"
        fields = {"content-id": f"<msd-{content_id}>", "content-disposition": optional}
        parts.append(Part(msd.CONTENT_TYPE, vehicle.encode(), fields))
        if location is not None:
            fields = {"content-id": f"<location-{content_id}>", "content-disposition": optional}
            parts.append(Part(pidf.CONTENT_TYPE, pidf.build(location), fields))
            headers.append(("Geolocation", f"<cid:location-{content_id}>"))
        return multipart(parts), headers

    def _count(self) -> None:
        if len(self._calls) >= MAX_CALLS:
            raise DriverError(f"{self.name}: {MAX_CALLS} calls were placed or taken; open the telephone anew")

    def _keep(self, sip: Call, media: CallMedia) -> PhoneCall:
        call = PhoneCall(self._context, self.name, sip, media)
        self._calls.append(call)
        return call

    def call(self, number: int = -1) -> PhoneCall:
        """The nth call of this telephone, from 1; the latest by default. Raises DriverError when there was none."""
        if not self._calls or number == 0 or number > len(self._calls):
            raise DriverError(f"{self.name}: call {number} was never placed or taken; there were {len(self._calls)}")
        return self._calls[-1] if number < 0 else self._calls[number - 1]

    # Being rung

    def _rung(self, sip: IncomingCall) -> None:
        if any(not call.is_over for call in self._calls) or self._ringing:
            sip.reject(486)
            return
        self._ringing.append(sip)
        sip.on_change(self._ring_ended)
        sip.ring()
        who = sip.remote_identity
        self._journal.record(self.name, "phone.rings", cli=who.user, display=who.display)

    def _ring_ended(self, sip: Call, what: str) -> None:
        if what == "ended" and sip in self._ringing:
            self._ringing.remove(sip)

    async def pick_up(self, *, within: float = 10.0) -> PhoneCall:
        """Answer a call that rings, or comes within so many seconds. Raises ExpectationError, SdpError, DriverError."""
        if not self._ringing:
            await self._journal.expect(self.name, "phone.rings", within=within, after=self._journal.position)
        self._count()
        sip = self._ringing.pop(0)
        name = f"{self.name} call {len(self._calls) + 1}"
        media = await CallMedia.open(self._media, name, host=self._host, text=b"m=text" in sip.remote_sdp)
        try:
            answer = media.answer(sip.remote_sdp)
            await media.join()
            sip.answer(answer)
        except BaseException:
            await media.close()
            if not sip.is_over:
                sip.reject(488)
            raise
        return self._keep(sip, media)

    def refuse(self, status: int = 486) -> None:
        """Refuse the call that rings. Raises DriverError when none does."""
        if not self._ringing:
            raise DriverError(f"{self.name} does not ring")
        self._ringing.pop(0).reject(status)

    # Text messages and positions

    async def send_text(self, text: str, *, number: str = "999") -> int:
        """Send a text message and return the network's status, 202 where it was taken.

        Raises InterlockError (nothing has left then), SipLocalError where nobody answers.
        """
        host, port = self._network
        self._journal.record(self.name, "text.sent", number=number, text=text)
        response = await self._agent.request(
            "MESSAGE",
            f"sip:{number}@{host}:{port}",
            body=text.encode(),
            content_type="text/plain;charset=utf-8",
            to=self._hop,
            within=5.0,
        )
        return response.status

    def _texted(self, request: Request) -> int:
        try:
            text = request.body.decode()
        except UnicodeDecodeError:
            return 400
        if request.content_type != "text/plain":
            return 415
        self.texts = [*self.texts[-MAX_TEXTS + 1 :], text]
        self._journal.record(self.name, "text.received", text=text)
        return 200

    async def text(self, *, within: float, containing: str = "", after: int = 0) -> str:
        """Return the next text message that has ``containing`` in it. Raises ExpectationError."""

        def fits(text: str) -> bool:
            return containing in text

        fits.__name__ = f"…{containing}…"
        found = await self._journal.expect(self.name, "text.received", within=within, after=after, text=fits)
        return str(found.data["text"])

    async def send_position(self, latitude: float, longitude: float, radius_m: float, *, dialled: str = "999") -> None:
        """Send a position (degrees, WGS 84) by a text message, as a handset that has dialled does by itself.

        ``aml.sent`` is journalled. Raises InterlockError (nothing has left then), AmlError, SipLocalError.
        """
        await self._tell_position(AmlPlan("text", latitude=latitude, longitude=longitude, radius_m=radius_m), dialled)

    async def _send_position(self, dialled: str) -> None:
        await asyncio.sleep(self._aml.delay_s)
        try:
            await self._tell_position(self._aml, dialled)
        except HarnessError as error:
            self._journal.warn(self.name, "aml.failed", reason=str(error))

    async def _tell_position(self, plan: AmlPlan, dialled: str) -> None:
        self._permit_locate("AML", self.number)
        if plan.way == "text":
            await self.send_text(plan.text(), number=dialled if dialled.isdigit() else "999")
        elif self._aml_sender is not None:
            await self._aml_sender.post(plan.form(self.number, dialled))
        else:
            raise LocalError("no location service takes positions by HTTPS")
        self._journal.record(self.name, "aml.sent", way=plan.way)

    # The end

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Hang up, send no position any more, and give the telephone up."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for call in self._calls:
            await call.hang_up()
        if self._aml_sender is not None:
            await self._aml_sender.close()
        await self._agent.close()

    async def expect(self, kind: str, *, within: float, after: int = 0, **with_: object) -> Event:
        """Return the telephone's next event of that kind, or raise ExpectationError telling what came instead."""
        return await self._journal.expect(self.name, kind, within=within, after=after, **with_)


def _is_emergency(dialled: str) -> bool:
    return dialled in uk_numbers.EMERGENCY_CODES or dialled.lower().startswith("urn:service:sos")
