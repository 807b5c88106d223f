"""The caller-location driver: asks the service as a control room does, and sends positions as a handset does."""

from __future__ import annotations

import ssl as ssl_module
from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx

from harness.drivers.tester import Tester, nobody_stands_by
from harness.endpoints.location import AmlSender, CallerLocationClient, Known, load_codec
from harness.errors import DriverError, NotPlayedError
from harness.journal import Event
from harness.protocols.location import aml_sms
from harness.protocols.location.aml_https import AmlForm
from harness.protocols.location.aml_sms import Aml
from harness.transport.context import Context
from harness.transport.https import http_client

ANSWERS_WITHIN = 5.0
"""Seconds within which the simulator's control interface answers."""

_BY_HAND: Final[Mapping[str, str]] = {
    "down": "take it off the network: links to it are refused",
    "silent": "have it answer nothing: what is sent to it is dropped",
}
"""What a tester is asked for, by fault."""
PermitLocate = Callable[[str, str], None]
"""Asked with what is to be done (``query`` or ``AML``) and the number before a byte leaves; raises InterlockError."""


class LocationService:
    """One caller-location service, real or simulated.

    Events, under the component's name: ``location.link_up`` {service, keep_alive_s}, ``location.link_down`` {cause},
    ``location.asked`` {call, cli}, ``location.answered`` {call, cli, status, locations}, ``location.received`` {call,
    cli, pushed, source, latitude, longitude, radius, postcode, cell …} for each location that comes,
    ``location.refused`` {call, reason}; ``aml.posted`` and ``aml.texted`` {cli, length} for what a handset sends. Of a
    number that is not one for tests a journal keeps little (`harness.endpoints.location.record`).
    """

    def __init__(self, context: Context, name: str, client: CallerLocationClient, permit: PermitLocate) -> None:
        self.name = name
        self.client = client
        """The control room's end of the link."""
        self._journal = context.journal
        self._permit = permit
        self._aml: AmlSender | None = None
        self._control: httpx.AsyncClient | None = None
        self.tester: Tester | None = None
        """Who makes a real one fail, where somebody stands by for that."""

    @classmethod
    def open(
        cls,
        context: Context,
        name: str,
        *,
        link: tuple[str, int],
        aml: str | None = None,
        control: str | None = None,
        codec: str = "iccs",
        token: str = "",
        aml_key: bytes | None = None,
        tls: ssl_module.SSLContext | None = None,
        permit: PermitLocate,
    ) -> LocationService:
        """Begin to link to the service at ``link``; returns at once.

        ``aml`` is where handsets post (``http://host:port``), ``control`` where a simulator's faults are switched; None
        where there is none. Raises CallerLocationLocalError for a codec that is not installed.
        """
        client = CallerLocationClient.open(
            context, name, link, client="iccs-harness", token=token, codec=load_codec(codec), tls=tls
        )
        service = cls(context, name, client, permit)
        if aml is not None:
            service._aml = AmlSender(context, name, aml, lambda number: permit("AML", number), key=aml_key, tls=tls)
        if control is not None:
            service._control = http_client(control, timeout=ANSWERS_WITHIN, token=token, tls=tls)
        return service

    async def close(self) -> None:
        """End the link. Closing it again does nothing."""
        await self.client.close()
        if self._aml is not None:
            await self._aml.close()
        if self._control is not None:
            await self._control.aclose()

    # As a control room

    async def linked(self, *, within: float = 10.0) -> None:
        """Return when the link is up. Raises CallerLocationLocalError when the time is up."""
        await self.client.until(up=True, within=within)

    async def down(self, *, within: float) -> None:
        """Return when the link is known to be down. Raises CallerLocationLocalError when the time is up."""
        await self.client.until(up=False, within=within)

    async def locate(self, call: str, cli: str, *, within: float = 2.0) -> Known:
        """Ask where the caller of a call is, and return what the service answers first.

        ``call`` is any reference, ``cli`` the number or empty where it is withheld. Updates are journalled as they
        come, until `release`. Raises InterlockError when the testbed does not allow it (nothing has left then),
        CallerLocationLocalError when the link is down or no answer comes.
        """
        self._permit("query", cli)
        return await self.client.locate(call, cli, within=within)

    def known(self, call: str) -> Known:
        """Return all that is known of a call. Raises DriverError when it was not asked about, or was released."""
        known = self.client.known(call)
        if known is None:
            raise DriverError(f"{self.name}: call {call!r} was not asked about, or was released")
        return known

    def release(self, call: str) -> None:
        """Tell the service that a call is over."""
        self.client.release(call)

    # As a handset

    async def send_aml(self, number: str, aml: Aml) -> int:
        """Send a handset's position by text message and return the status, 200 when it was used, 202 when not.

        Raises InterlockError, AmlError for what can't be written, DriverError when there is no answer.
        """
        return await self.send_text(number, aml_sms.build(aml))

    async def send_text(self, number: str, text: str) -> int:
        """Send any text as a handset would, for texts that are wrong on purpose. Raises as `send_aml` does.

        A simulator takes it as from a message centre. A real service takes texts from its own network only: there it is
        for a modem to send it, and NotPlayedError is raised.
        """
        self._permit("AML", number)
        self._journal.record(self.name, "aml.texted", cli=number, length=len(text))
        return await self._switch("POST", "/v1/sms", {"from": number, "text": text})

    async def post_aml(self, form: AmlForm) -> int:
        """Post a handset's position by HTTPS and return the status, 2xx whatever the service makes of it.

        Raises InterlockError, AmlError for what can't be written, CallerLocationLocalError when there is no such
        answer, NotPlayedError on a real service whose file has no ``aml``.
        """
        if self._aml is None:
            raise NotPlayedError(f"{self.name} is real and has no 'aml': handsets' positions can't be posted to it")
        return await self._aml.post(form)

    # As whoever makes it fail

    async def fail(self, fault: str, *, seconds: float = 5.0, for_s: float | None = None) -> None:
        """Make it fail; a tester makes a real one, of whom only ``down`` and ``silent`` can be asked.

        ``fault`` is ``down``, ``silent``, ``garbled``, ``slow``, ``wrong``, ``unknown`` or ``no_updates``; ``seconds``
        is how much longer things take where it is slow; ``for_s`` ends the fault by itself. Raises DriverError,
        NotPlayedError where it is real and nobody stands by who can.
        """
        if self._control is None:
            if fault not in _BY_HAND or for_s is not None:
                raise NotPlayedError(f"{self.name} is real, and only a simulator can be made to be {fault}")
            await self._stands_by().does(self.name, _BY_HAND[fault])
            self._journal.record(self.name, "location.failing", fault=fault)
            return
        self._journal.record(self.name, "location.failing", fault=fault)
        body: dict[str, Any] = {"fault": fault, "seconds": seconds}
        await self._switch("PUT", "/v1/fault", body | ({} if for_s is None else {"for_s": for_s}))

    async def recover(self) -> None:
        """End its fault. Raises as `fail` does."""
        if self._control is None:
            await self._stands_by().does(self.name, "end the fault")
        self._journal.record(self.name, "location.recovering")
        if self._control is None:
            return
        await self._switch("DELETE", "/v1/fault", None)

    def _stands_by(self) -> Tester:
        if self.tester is None:
            raise NotPlayedError(nobody_stands_by(self.name))
        return self.tester

    async def expect(self, kind: str, *, within: float, after: int = 0, **with_: Any) -> Event:
        """Return the event that comes, or raise ExpectationError telling what did come."""
        return await self._journal.expect(self.name, kind, within=within, after=after, **with_)

    async def _switch(self, method: str, path: str, body: dict[str, Any] | None) -> int:
        if self._control is None:
            raise NotPlayedError(f"{self.name} is real: only a simulator has a control interface")
        try:
            response = await self._control.request(method, path, json=body)
        except httpx.HTTPError as error:
            told = str(error) or type(error).__name__
            raise DriverError(f"{self.name}: the control interface got no answer: {told}") from error
        if not response.is_success:
            raise DriverError(f"{self.name}: refused with {response.status_code}: {response.text[:200]}")
        return response.status_code
