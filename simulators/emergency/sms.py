"""Texts to 999: emergencySMS by its dialogue, and handsets' positions, which are handed on to the location service."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import httpx

from harness.errors import HarnessError, LocalError, SipRemoteError
from harness.protocols.emergency_sms import MAX_TEXT, EmergencySms, Step
from harness.protocols.location import aml_sms
from harness.protocols.rtp.text import LINE
from harness.protocols.sip.message import Request
from harness.transport.https import http_client
from simulators.emergency.call import EmergencyCall
from simulators.emergency.calling import dialled_of, is_emergency, number_of
from simulators.emergency.conference import CALLER
from simulators.emergency.phones import Phones
from simulators.emergency.plant import Plant

ANSWERS_WITHIN_S: Final = 5.0
"""Seconds that the location service, or a telephone, has to take a text."""
AML_BEGINS: Final = f"{aml_sms.HEADER}="
MAX_DELIVERING: Final = 1_000
"""Texts to mobiles that are under way; more are dropped and told."""

PermitLocate = Callable[[str, str], None]


class Sms:
    """The network's message centre, for texts to 999."""

    def __init__(
        self,
        plant: Plant,
        phones: Phones,
        open_call: Callable[[str], EmergencyCall],
        location: str | None,
        token: str | None,
        permit_locate: PermitLocate,
    ) -> None:
        """``open_call`` begins a text call of a mobile; ``location`` is the location service's address, ``token`` what
        it asks for."""
        self.service = EmergencySms(plant.settings.sms_registered)
        self._plant = plant
        self._phones = phones
        self._open_call = open_call
        self._permit_locate = permit_locate
        self._open: dict[str, EmergencyCall] = {}
        self._lapses: dict[str, asyncio.TimerHandle] = {}
        self._delivering = 0
        self._order = asyncio.Lock()
        self._http: httpx.AsyncClient | None = None
        if location is not None:
            self._http = http_client(location, timeout=ANSWERS_WITHIN_S, token=token)

    async def stop(self) -> None:
        """Take no more."""
        for timer in self._lapses.values():
            timer.cancel()
        if self._http is not None:
            await self._http.aclose()

    def received(self, request: Request) -> int:
        """A MESSAGE came from a telephone; returns the status to answer with."""
        try:
            dialled, number = dialled_of(request), number_of(request)
            if not is_emergency(dialled):
                return 404
            if not number:
                return 403
            if request.content_type != "text/plain":
                return 415
            text = request.body.decode()
        except (SipRemoteError, UnicodeDecodeError):
            return 400
        if len(text) > MAX_TEXT:
            return 413
        self._phones.seen(number, request)
        if text.startswith(AML_BEGINS):
            self._plant.spawn(self._hand_on(number, text))
            return 202
        try:
            step = self.service.receive(number, text)
        except LocalError as error:
            self._plant.journal.warn(self._plant.name, "sms.refused", cli=number, reason=str(error))
            return 503
        self._plant.events.tell("sms.received", cli=number, text=text, state=str(step.state.value))
        self._carry_out(step)
        return 202

    def _carry_out(self, step: Step) -> None:
        if step.lapse_in is not None:
            self._stop_lapse(step.mobile)
            self._lapses[step.mobile] = asyncio.get_running_loop().call_later(step.lapse_in, self._lapse, step.mobile)
        if step.send:
            self._deliver(step.mobile, step.send)
        if step.hand_on:
            call = self._open.get(step.mobile)
            if call is None:
                call = self._begin(step.mobile)
            call.text.written(CALLER, step.hand_on + LINE)

    def _begin(self, mobile: str) -> EmergencyCall:
        call = self._open[mobile] = self._open_call(mobile)
        call.text.by_sms(lambda line: self._answer(mobile, line), lambda: self._close(mobile))
        return call

    def _answer(self, mobile: str, line: str) -> None:
        self._carry_out(self.service.answer(mobile, line))

    def _close(self, mobile: str) -> None:
        if self._open.pop(mobile, None) is not None:
            self.service.close(mobile)

    def _lapse(self, mobile: str) -> None:
        self._lapses.pop(mobile, None)
        self._carry_out(self.service.lapse(mobile))

    def _stop_lapse(self, mobile: str) -> None:
        timer = self._lapses.pop(mobile, None)
        if timer is not None:
            timer.cancel()

    # Out

    def _deliver(self, mobile: str, text: str) -> None:
        if self._delivering >= MAX_DELIVERING:
            self._plant.events.tell("sms.undelivered", cli=mobile, reason=f"{MAX_DELIVERING} texts are under way")
            return
        self._delivering += 1
        self._plant.spawn(self._send(mobile, text))

    async def _send(self, mobile: str, text: str) -> None:
        plant = self._plant
        try:
            async with self._order:
                contact = self._phones.contact(plant.callers, mobile)
                if contact is None:
                    plant.events.tell("sms.undelivered", cli=mobile, reason="no telephone is known there")
                    return
                headers = [("Priority", "emergency")]
                response = await plant.callers.request(
                    "MESSAGE",
                    contact,
                    headers=headers,
                    body=text.encode(),
                    content_type="text/plain;charset=utf-8",
                    within=ANSWERS_WITHIN_S,
                )
            kind = "sms.delivered" if response.status < 300 else "sms.undelivered"
            plant.events.tell(kind, cli=mobile, text=text, status=response.status)
        except HarnessError as error:
            plant.events.tell("sms.undelivered", cli=mobile, reason=str(error))
        finally:
            self._delivering -= 1

    async def _hand_on(self, number: str, text: str) -> None:
        """Give a handset's position to the location service, as a message centre does."""
        plant = self._plant
        if self._http is None:
            plant.events.tell("aml.dropped", cli=number, reason="no location service is set")
            return
        try:
            self._permit_locate("AML", number)
            response = await self._http.post("/v1/sms", json={"from": number, "text": text})
            plant.events.tell("aml.handed_on", cli=number, status=response.status_code)
        except (HarnessError, httpx.HTTPError) as error:
            plant.events.tell("aml.dropped", cli=number, reason=str(error) or type(error).__name__)
