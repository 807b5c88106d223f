"""The telephone driver: a SIP telephone that is registered at a switch, as its user has it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import quote as percent_encode

from harness.drivers.telephone_call import TelephoneCall
from harness.endpoints.media import MediaService
from harness.endpoints.sip.agent import UserAgent
from harness.endpoints.sip.flow import UDP, Hop
from harness.endpoints.sip.incoming import IncomingCall
from harness.endpoints.sip.refer import replacing
from harness.endpoints.sip.registration import Registration
from harness.endpoints.sip.subscription import Notification, Subscription
from harness.endpoints.sip.transports import Listen, TlsSides
from harness.errors import DriverError, HarnessError, SipLocalError, SipRemoteError
from harness.journal import Event
from harness.protocols.sdp.plan import Secure
from harness.protocols.sip import message_summary
from harness.protocols.sip.identity import NUMBER_SAFE
from harness.protocols.sip.message import Request
from harness.protocols.sip.message_summary import Summary
from harness.transport.context import Context

MAX_CALLS: Final = 1_000
"""Calls of one telephone's life: each is kept, so that a test can ask for it."""
REGISTERED_WITHIN_S: Final = 4.0
"""Seconds within which one switch answers a registration; the next one is tried then."""
MAX_TEXT: Final = 500
"""Characters of a text that is shown."""

Address = tuple[str, int]


class Telephone:
    """One telephone.

    Events, under the component's name: those of its calls (``call.incoming`` {cli, display}, ``call.ringing``,
    ``call.answered``, ``call.ended`` {status, reason, by}, ``call.speech`` {codec, direction, secured}),
    ``telephone.home`` {home} when it is registered elsewhere, ``lamp.changed`` {waiting, new, old},
    ``telephone.text`` {text}, and what its user does: ``telephone.hold``, ``telephone.transfer`` and so on.
    """

    def __init__(self, context: Context, media: MediaService, name: str, number: str, password: str, of: str) -> None:
        self.name = name
        self.number = number
        self.of = of
        """The switch that it belongs to, by name."""
        self.context = context
        self.media = media
        self.host = "127.0.0.1"
        self.codecs: tuple[str, ...] = ("PCMA", "PCMU")
        self.secure: Secure = "no"
        self.tells_figures = True
        """Whether BYE and its answer tell what speech there was (P-RTP-Stat)."""
        self.obeys = True
        """Whether it answers by itself when a call asks for that (Call-Info ``answer-after``)."""
        self.answers_after: float | None = None
        """Seconds after which it answers every call by itself; None: its user does."""
        self.lamp = Summary(False)
        """What its message-waiting lamp shows."""
        self._password = password
        self._agent: UserAgent
        self._transport = UDP
        self._homes: list[Address] = []
        self._home: Address | None = None
        self._registrations: dict[Address, Registration] = {}
        self._subscription: Subscription | None = None
        self._expires = 120
        self._keeping: asyncio.Task[None] | None = None
        self._calls: list[TelephoneCall] = []
        self._rung: asyncio.Queue[TelephoneCall] = asyncio.Queue(MAX_CALLS)
        self._tasks: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(
        cls,
        context: Context,
        media: MediaService,
        name: str,
        *,
        number: str,
        password: str,
        homes: Sequence[Address],
        of: str = "switch",
        local: Address = ("127.0.0.1", 0),
        transport: str = UDP,
        tls: TlsSides | None = None,
        secure: Secure = "no",
        codecs: Sequence[str] = ("PCMA", "PCMU"),
        expires: int = 120,
        lamp: bool = True,
        permit: Callable[[str], None],
    ) -> Telephone:
        """Switch it on and register it.

        `homes`: where it registers, (host, port): the first that answers; it goes back to an earlier one as soon as
        that answers again, which it tries at every refresh, every `expires` / 2 seconds. `lamp`: it subscribes to its
        mailbox; what is told without a subscription lights the lamp in any case. `permit` is asked with the target URI
        before anything but a registration leaves; it raises InterlockError to refuse. Raises SipLocalError where none
        registers it.
        """
        telephone = cls(context, media, name, number, password, of)
        telephone.host, telephone.codecs, telephone.secure = local[0], tuple(codecs), secure
        telephone._transport, telephone._homes, telephone._expires = transport, list(homes), expires
        registrars = {telephone._registrar(home) for home in homes}  # to register there rings nobody
        telephone._agent = await UserAgent.open(
            context,
            name,
            listen=[Listen(transport, *local)],
            tls=tls,
            user=number,
            credentials=(number, password),
            on_invite=telephone._invited,
            permit=lambda target: None if target in registrars else permit(target),
        )
        telephone._agent.on_notify = telephone._notified
        telephone._agent.on_message = telephone._texted
        context.called(telephone._agent.address, name)
        for home in homes:
            context.called(home, of)
        try:
            await telephone.register()
            if lamp:
                await telephone._watch_lamp()
        except BaseException:
            await telephone.close()
            raise
        telephone._keeping = asyncio.get_running_loop().create_task(telephone._keep_registered())
        return telephone

    async def close(self) -> None:
        """Hang up what is up, take the registration back and switch it off. Closing it again does nothing."""
        if self._keeping is not None:
            self._keeping.cancel()
            await asyncio.gather(self._keeping, return_exceptions=True)
        for call in tuple(self._calls):
            if not call.is_over:
                await call.hang_up()
        await self._agent.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # Where it belongs

    @property
    def home(self) -> Address | None:
        """Where it is registered; None while it is nowhere."""
        return self._home

    @property
    def address(self) -> Address:
        """Where it takes SIP."""
        return self._agent.address

    def uri_of(self, number: str) -> str:
        """The URI of a number at its switch."""
        host, port = self._home or self._homes[0]
        user = percent_encode(number, safe=NUMBER_SAFE)
        return f"sip:{user}@{host}:{port}{self._transport_parameter}"

    @property
    def _transport_parameter(self) -> str:
        return "" if self._transport == UDP else f";transport={self._transport.lower()}"

    def _hop(self, home: Address) -> Hop:
        return Hop(self._transport, *home)

    async def register(self) -> None:
        """Register at the first switch that answers. Raises SipLocalError with what the last one said."""
        said: SipLocalError | None = None
        for home in self._homes:
            try:
                await self._register_at(home)
                return
            except SipLocalError as error:
                said = error
        if self._home is not None:
            self._home = None
            self.context.journal.record(self.name, "telephone.home", home=None)
        raise said or SipLocalError(f"{self.name} has no switch to register at")

    async def _register_at(self, home: Address) -> None:
        registration = self._registrations.get(home)
        if registration is None:
            registration = await self._agent.register(
                self._registrar(home),
                self.number,
                self._password,
                expires=self._expires,
                to=self._hop(home),
                within=REGISTERED_WITHIN_S,
            )
            self._registrations[home] = registration
        else:
            await registration.register(within=REGISTERED_WITHIN_S)
        before, self._home = self._home, home
        if before != home:
            self.context.journal.record(self.name, "telephone.home", home=f"{home[0]}:{home[1]}")
        if before is not None and before != home:
            self._registrations.pop(before).give_up()

    def _registrar(self, home: Address) -> str:
        return f"sip:{home[0]}:{home[1]}{self._transport_parameter}"

    async def unregister(self) -> None:
        """Take the registration back: calls don't reach it any more. Raises SipLocalError."""
        if self._keeping is not None:
            self._keeping.cancel()
        if self._home is not None:
            registration = self._registrations.pop(self._home)
            self._home = None
            await registration.unregister()

    async def _keep_registered(self) -> None:
        while True:
            await asyncio.sleep(self._expires / 2)
            try:
                await self.register()
            except HarnessError as error:
                self.context.journal.record(self.name, "telephone.nowhere", reason=str(error))

    # Calls

    async def dial(
        self, number: str, *, withheld: bool = False, replaces: TelephoneCall | None = None
    ) -> TelephoneCall:
        """Call a number.

        `withheld`: with the own number withheld (Privacy: id). `replaces`: another telephone's call, whose place at the
        switch this one is to take (RFC 3891). Raises InterlockError when the testbed does not allow
        it, SipLocalError for what is no number: nothing has left then. Raises DriverError after MAX_CALLS.
        """
        headers = [("Privacy", "id")] if withheld else []
        if replaces is not None:
            headers.append(("Replaces", replacing(replaces.sip)))
        call = self._new_call()
        offer = await call.open()
        host, _ = self._home or self._homes[0]
        try:
            sip = self._agent.invite(
                self.uri_of(number),
                offer=offer,
                caller=f"<sip:{self.number}@{host}>",
                headers=headers,
                to=self._hop(self._home or self._homes[0]),
            )
        except BaseException:
            await call.close()
            raise
        call.attach(sip)
        self._calls.append(call)
        return call

    async def rings(self, *, within: float = 10.0) -> TelephoneCall:
        """Return the next call that rings here. Raises DriverError where none comes."""
        try:
            async with asyncio.timeout(within):
                return await self._rung.get()
        except TimeoutError:
            raise DriverError(f"{self.name} did not ring within {within:g} s") from None

    def call(self, number: int = 1) -> TelephoneCall:
        """Return the nth call of this telephone, placed or taken, from 1. Raises DriverError when there was none."""
        if not 1 <= number <= len(self._calls):
            raise DriverError(f"{self.name}: there was no call {number}; there were {len(self._calls)}")
        return self._calls[number - 1]

    @property
    def latest(self) -> TelephoneCall:
        """The call that came or was placed last, over or not. Raises DriverError when there was none."""
        return self.call(len(self._calls))

    @property
    def has_rung(self) -> bool:
        """Whether a call came that nobody has asked for by `rings` yet."""
        return not self._rung.empty()

    @property
    def current(self) -> TelephoneCall:
        """The call that came or was placed last of those that are not over. Raises DriverError when there is none."""
        found = next((call for call in reversed(self._calls) if not call.is_over), None)
        if found is None:
            raise DriverError(f"{self.name} has no call")
        return found

    def _new_call(self) -> TelephoneCall:
        if len(self._calls) >= MAX_CALLS:
            raise DriverError(f"{self.name}: it has had {MAX_CALLS} calls; switch it on anew")
        return TelephoneCall(self, f"{self.name} call {len(self._calls) + 1}")

    def _invited(self, sip: IncomingCall) -> None:
        try:
            call = self._new_call()
        except DriverError:
            sip.reject(486)
            return
        call.attach(sip)
        self._calls.append(call)
        sip.ring()
        if not self._rung.full():
            self._rung.put_nowait(call)
        asked = self.obeys and _asks_to_answer(sip.request)
        if asked or self.answers_after is not None:
            self._spawn(self._answer_by_itself(call, 0.0 if asked else self.answers_after or 0.0))

    async def _answer_by_itself(self, call: TelephoneCall, after: float) -> None:
        await asyncio.sleep(after)
        if not call.is_over:
            try:
                await call.answer()
            except HarnessError as error:
                self.context.journal.record(self.name, "telephone.not_answered", reason=str(error))

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def forget(self, call: TelephoneCall) -> None:
        """A call is over: its jack is closed; the calls' part."""
        self._spawn(call.close())

    # Its lamp and display

    async def _watch_lamp(self) -> None:
        try:
            self._subscription = await self._agent.subscribe(
                self.uri_of(self.number),
                message_summary.EVENT,
                self._summarised,
                accept=message_summary.CONTENT_TYPE,
                to=self._hop(self._home or self._homes[0]),
            )
        except SipLocalError as error:
            self.context.journal.record(self.name, "lamp.not_watched", reason=str(error))

    def _summarised(self, notification: Notification) -> None:
        if notification.body:
            self._light(notification.body)

    def _notified(self, request: Request) -> int:
        if (request.get("event") or "").partition(";")[0].strip().lower() != message_summary.EVENT:
            return 489
        return 200 if self._light(request.body) else 400

    def _light(self, body: bytes) -> bool:
        try:
            summary = message_summary.parse(body)
        except SipRemoteError as error:
            self.context.journal.warn(self.name, "lamp.unreadable", reason=str(error))
            return False
        if summary != self.lamp:
            self.lamp = summary
            new, old = summary.voice.new, summary.voice.old
            self.context.journal.record(self.name, "lamp.changed", waiting=summary.waiting, new=new, old=old)
        return True

    def _texted(self, request: Request) -> int:
        text = request.body.decode("utf-8", "replace")[:MAX_TEXT]
        self.context.journal.record(self.name, "telephone.text", text=text)
        return 200

    async def expect(self, kind: str, *, within: float, after: int = 0, **with_: Any) -> Event:
        """Return the telephone's next event of that kind, or raise ExpectationError telling what came instead."""
        return await self.context.journal.expect(self.name, kind, within=within, after=after, **with_)


def _asks_to_answer(request: Request) -> bool:
    """Whether an INVITE asks that it be answered at once."""
    return any("answer-after=0" in value.replace(" ", "").lower() for value in request.lines("call-info"))
