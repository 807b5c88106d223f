"""The network's two SIP sides: callers' telephones on the one, control rooms on the other, and what comes on each."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

from harness.endpoints.sip.abilities import Abilities
from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.flow import TCP, UDP
from harness.endpoints.sip.incoming import IncomingCall
from harness.endpoints.sip.transports import Listen
from harness.errors import SdpError, SipRemoteError, TransportError
from harness.protocols.sip.emergency_call import Line, Nuisance, Text
from harness.protocols.sip.registrar import Registrar
from harness.transport.tap import Address
from simulators.emergency.call import EmergencyCall
from simulators.emergency.calling import Calling, calling_of, dialled_of, is_emergency, number_of
from simulators.emergency.desks import Desks
from simulators.emergency.phones import Phones
from simulators.emergency.plant import MAX_CALLS, Plant
from simulators.emergency.records import CallRecord
from simulators.emergency.ring_back import RingBack
from simulators.emergency.sms import PermitLocate, Sms
from simulators.emergency.trunk_talk import PACKAGES

LOWEST_PORT, HIGHEST_PORT = 20_000, 32_000
"""Where a port is looked for that is free by UDP and TCP: below what systems give out by themselves. The seed chooses,
so that one seed gives one journal."""
PORT_ATTEMPTS: Final = 32
"""Tries at a port that is free for UDP and TCP."""
REDIRECTS: Final = 3
"""Contacts of a control room's 3xx that one attempt tries."""


class Exchange:
    """Both sides, and the calls that come in on them."""

    def __init__(self, plant: Plant, desks: Desks, permit_dial: Callable[[str], None]) -> None:
        self._plant = plant
        self._desks = desks
        self._permit = permit_dial
        self._arrivals: dict[str, deque[float]] = {}
        self.phones = Phones()
        self.sms: Sms
        self._forget: Callable[[], None] = lambda: None

    async def start(self, location: str | None, token: str | None, permit_locate: PermitLocate) -> None:
        """Open both sides. Raises TransportError."""
        plant = self._plant
        settings = plant.settings
        abilities = Abilities(
            replaces=False, redirects=REDIRECTS, info_packages=PACKAGES, resource_priorities=("esnet",)
        )
        plant.callers = await self._open_callers(abilities)
        try:
            plant.trunk = await UserAgent.open(
                plant.context,
                f"{plant.name} trunk",
                listen=[Listen(UDP, settings.host, settings.trunk_port)],
                user="999-network",
                abilities=abilities,
                on_invite=self._rung_back,
                permit=self._permit,
                trace=False,
            )
        except BaseException:
            await plant.callers.close()
            raise
        self.sms = Sms(plant, self.phones, self.open_sms_call, location, token, permit_locate)
        plant.callers.on_message = self.sms.received
        self._forget = plant.journal.subscribe(plant.hear)
        plant.authorities.watch(plant.trunk)

    async def _open_callers(self, abilities: Abilities) -> UserAgent:
        """Callers reach one port number, over UDP and TCP."""
        plant = self._plant
        host, wanted = plant.settings.host, plant.settings.sip_port
        for attempt in range(PORT_ATTEMPTS):
            port = wanted or plant.context.rng.randrange(LOWEST_PORT, HIGHEST_PORT)
            try:
                return await UserAgent.open(
                    plant.context,
                    plant.name,
                    listen=[Listen(UDP, host, port), Listen(TCP, host, port)],
                    user="999",
                    abilities=abilities,
                    on_invite=self._called,
                    registrar=Registrar(),
                    on_register=self.phones.registered,
                    permit=self._permit,
                    trace=False,
                )
            except TransportError:
                if wanted or attempt == PORT_ATTEMPTS - 1:
                    raise
        raise AssertionError("the last attempt returns or raises")

    async def stop(self) -> None:
        """End every call and close both sides."""
        plant = self._plant
        await plant.authorities.stop()
        await self.sms.stop()
        await plant.callers.close()
        await plant.trunk.close()
        self._forget()

    @property
    def caller_address(self) -> Address:
        """Where callers' telephones reach the network, over UDP and TCP."""
        return self._plant.callers.address

    @property
    def trunk_address(self) -> Address:
        """Where control rooms ring back, over UDP."""
        return self._plant.trunk.address

    # Callers

    def _called(self, sip: IncomingCall) -> None:
        plant = self._plant
        settings = plant.settings
        try:
            number = number_of(sip.request)
            held = self._held(number)
            if held is not None:
                self.phones.seen(number, sip.request)
                plant.spawn(held.line.lift(sip))
                return
            if not is_emergency(dialled_of(sip.request)):
                sip.reject(404)
                return
            calling = calling_of(
                sip.request,
                landlines=settings.landlines,
                mobiles=settings.mobiles,
                pass_location=settings.pass_location,
            )
        except (SipRemoteError, SdpError) as error:
            plant.journal.warn(plant.name, "caller.refused", status=400, reason=str(error))
            sip.reject(400)
            return
        if len(plant.calls) >= MAX_CALLS:
            plant.journal.warn(plant.name, "network.full", calls=len(plant.calls))
            sip.reject(503, headers=[("Retry-After", "5")])
            return
        self.phones.seen(number, sip.request)
        call = self._open(calling, "emergency")
        call.line.arrive(sip)
        self._desks.enqueue(call)

    def _held(self, number: str) -> EmergencyCall | None:
        """The call whose receiver is down on that line."""
        if not number:
            return None
        return next(
            (call for call in self._plant.calls.values() if call.is_held and call.calling.number == number), None
        )

    def _open(self, calling: Calling, kind: str) -> EmergencyCall:
        plant = self._plant
        record = CallRecord(
            f"em-{next(plant.numbers)}",
            plant.new_uuid(),
            kind,
            calling.number,
            calling.withheld,
            str(calling.line),
            calling.dialled,
            plant.now(),
            text=str(calling.text) if calling.text is not None else "",
        )
        plant.records.add(record)
        call = EmergencyCall(plant, calling, record, self._desks)
        plant.calls[call.id] = call
        if calling.number in plant.settings.nuisance:
            call.nuisance = Nuisance.KNOWN
            record.nuisance = str(Nuisance.KNOWN)
        call.authority = plant.authorities.serving(calling.service).name
        call.spate = self._is_spate(call.authority)
        call.tell(
            "call.waiting",
            cli=calling.number or None,
            line=str(calling.line),
            text=record.text or None,
            dialled=calling.dialled,
            spate=call.spate,
        )
        return call

    def _is_spate(self, authority: str) -> bool:
        """Count a call for an authority; whether there are so many that it is a spate."""
        settings, now = self._plant.settings.spate, self._plant.now()
        arrivals = self._arrivals.setdefault(authority, deque(maxlen=settings.calls))
        arrivals.append(now)
        return len(arrivals) >= settings.calls and now - arrivals[0] <= settings.window_s

    def open_sms_call(self, mobile: str) -> EmergencyCall:
        """Begin the call that an emergency by text message makes."""
        calling = Calling(mobile, False, Line.MOBILE, "999", text=Text.SMS)
        call = self._open(calling, "emergency")
        self._desks.enqueue(call)
        return call

    def open_agency_call(self) -> EmergencyCall:
        """Begin an operator's own call, which no caller is on."""
        calling = Calling(self._plant.settings.operator_number, False, Line.NONE, "")
        return self._open(calling, "agency-call")

    # Control rooms

    def _rung_back(self, sip: IncomingCall) -> None:
        if len(self._plant.calls) >= MAX_CALLS:
            sip.reject(503, headers=[("Retry-After", "5")])
            return
        sip.trying()
        self._plant.spawn(RingBack(self._plant, self.phones, sip).run())
