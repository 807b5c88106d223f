"""Call processing of one node: its SIP ports, the calls and legs that are up, and what happens to them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from harness.endpoints.media import MediaService, PortStats
from harness.endpoints.sip.abilities import Abilities, Reliable
from harness.endpoints.sip.call import Call, Headers
from harness.endpoints.sip.flow import TCP, TLS, UDP
from harness.endpoints.sip.incoming import IncomingCall
from harness.endpoints.sip.transports import Listen, TlsSides
from harness.errors import HarnessError, SipRemoteError
from harness.journal import Event
from harness.protocols.rtp.g711 import Samples
from harness.protocols.sip import q850
from harness.transport.context import Context
from harness.transport.tap import Address
from simulators.switch.admission import Admission
from simulators.switch.call import CallState, Refusal, SwitchCall
from simulators.switch.conversation import Conversation, Pairing
from simulators.switch.emergency import Emergency
from simulators.switch.ends import End, LineEnd, TrunkEnd, Who
from simulators.switch.identities import who_calls
from simulators.switch.joining import LegState
from simulators.switch.leg import Leg
from simulators.switch.lines import Line, Lines
from simulators.switch.node_agent import Contacts, NodeAgent
from simulators.switch.numbering import Numbering, split_prefix
from simulators.switch.pass_through import PassThrough, may_pass
from simulators.switch.placing import Placing
from simulators.switch.routing import Routing
from simulators.switch.services import Services
from simulators.switch.settings.switch import MAX_CALLS, SwitchSettings
from simulators.switch.speech import Clip
from simulators.switch.transfer import Transfers
from simulators.switch.trunks import Trunk, Trunks
from simulators.switch.watching import Watching

if TYPE_CHECKING:
    from simulators.switch.records import Records

CHALLENGED: Final = ("REGISTER", "INVITE", "SUBSCRIBE", "REFER", "MESSAGE")
"""Methods for which a password is asked of whoever is not known otherwise."""
EVENTS: Final = ("message-summary", "dialog")
"""Event packages that telephones may subscribe to."""
Teller = Callable[[str, SwitchCall], None]


class Core:
    """One node: the centre, or a site's gateway. Use `open`."""

    agent: NodeAgent

    def __init__(
        self,
        context: Context,
        media: MediaService,
        settings: SwitchSettings,
        name: str,
        *,
        components: Mapping[str, Address],
        epoch: float,
        music: Samples,
        records: Records | None = None,
    ) -> None:
        """`name`: the source of its journal events. `epoch`: seconds since 1970 of run time 0."""
        self.context = context
        self.journal = context.journal
        self.media = media
        self.settings = settings
        self.name = name
        self.prefix = "" if records is not None else f"{name} "
        """What sets its calls' names apart."""
        self.epoch = epoch
        self.records = records
        self.music = Clip(music)
        self.lines = Lines(settings.lines)
        self.numbering = Numbering(settings)
        self.trunks = Trunks(settings.trunks, components, context.journal, name)
        self.calls: dict[str, SwitchCall] = {}
        self.legs: dict[str, Leg] = {}
        self.by_port: dict[str, Leg] = {}
        """Legs by their media port's name."""
        self.teller: Teller = lambda _what, _call: None
        """Told what happens to calls; for whoever shows them."""
        self.on_leg_over: Callable[[Leg], None] = lambda _leg: None
        """Told of each leg that is over, for whoever shows them."""
        self.on_registered: Callable[[Line], None] = lambda _line: None
        self.admission = Admission(self)
        self.placing = Placing(self)
        self.routing = Routing(self)
        self.transfers = Transfers(self)
        self.emergency = Emergency(self)
        self.services = Services(self)
        self.watching = Watching(self)
        self._numbers = count(1)
        self._leg_numbers = count(1)
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False
        self._forget_media: Callable[[], None] = lambda: None

    async def open(
        self, *, permit: Callable[[str], None] | None, tls: TlsSides | None = None, sips: bool = False
    ) -> None:
        """Open the SIP ports. Raises TransportError where one can't be bound."""
        settings = self.settings
        listen = self._listen(sips)
        agent = await NodeAgent.open(
            self.context,
            self.name,
            listen=listen,
            tls=tls,
            user=self.name.partition(" ")[0],
            abilities=Abilities(
                reliable=Reliable(settings.reliable),
                session_expires=settings.session_expires_s,
                software="iccs-simulated-switch",
            ),
            on_invite=self._invited,
            registrar=self.admission.registrar,
            on_register=self._registered,
            server_credentials=self.lines.passwords(),
            authenticate=CHALLENGED,
            realm=settings.realm,
            algorithms=settings.digest,
            permit=permit,
            trace=settings.trace,
            max_calls=MAX_CALLS,
        )
        assert isinstance(agent, NodeAgent)
        assert agent.registry is not None
        self.agent = agent
        agent.admission = self.admission
        agent.registry.vouches = self.admission.vouches
        agent.endpoint.ignores = self.admission.ignores
        agent.events = EVENTS
        agent.on_refer = self.transfers.referred
        agent.on_subscribe = self.watching.subscribed
        self._forget_media = self.journal.subscribe(self._media_event)
        self.trunks.watch(agent, self._peer_changed)

    def _listen(self, sips: bool) -> list[Listen]:
        """UDP and TCP at one port, as telephones expect, and TLS at another."""
        host, port = self.settings.host, self.settings.sip_port
        secured = [Listen(TLS, host, self.settings.sips_port)] if sips else []
        return [Listen(UDP, host, port), Listen(TCP, host, port), *secured]

    @property
    def address(self) -> Address:
        """Where it listens for SIP over UDP."""
        return self.agent.address

    def now(self) -> float:
        """The run's time in seconds."""
        return self.journal.now()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Have something done; what it raises that is ours is journalled."""
        task = asyncio.get_running_loop().create_task(self._done(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _done(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except HarnessError as error:
            if not self._closing:
                self.journal.warn(
                    self.name, "switch.failed", what=str(getattr(work, "__qualname__", "")), reason=str(error)
                )

    async def stop(self) -> None:
        """Clear every call and close the ports; no task is left."""
        self._closing = True
        self._forget_media()
        self.services.stop()
        await self.trunks.stop()
        for call in tuple(self.calls.values()):
            if call.task is not None:
                call.task.cancel()
        for leg in tuple(self.legs.values()):
            leg.hang_up(cause=q850.NORMAL_CLEARING)
        if hasattr(self, "agent"):
            await self.agent.close()
        while self._tasks:
            pending = tuple(self._tasks)
            await asyncio.wait(pending, timeout=1.0)
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)

    # Who comes

    def _registered(self, aor: str) -> None:
        registry = self.agent.registry
        assert registry is not None
        line = self.lines.registered(aor, Contacts(registry.contacts))
        if line is None:
            return
        devices = [device.name for device in line.devices.values()]
        self.journal.record(self.name, "line.registered", line=line.number, devices=devices)
        self.services.lamps.registered(line)
        self.on_registered(line)

    def _invited(self, sip: IncomingCall) -> None:
        refused = self.admission.refused(sip)
        if refused:
            self.journal.warn(self.name, "call.not_admitted", status=refused, from_=sip.remote_identity.user)
            sip.reject(refused)
            return
        end = self.admission.end_of(sip)
        if end is None:
            sip.reject(403)
            return
        leg = self.new_leg(end, who_calls(sip.request, end))
        leg.attach(sip)
        self._up(leg)
        replaced = sip.replaces
        if replaced is not None:
            sip.replaces = None  # this side ends it, and with what there was in its BYE
            self.transfers.replaces(leg, replaced)
            return
        try:
            dialled = self.admission.dialled(sip, end)
        except SipRemoteError:
            sip.reject(404)
            return
        self.place_from(leg, dialled)

    def place_from(self, leg: Leg, dialled: str, *, click_to_dial: bool = False) -> SwitchCall:
        """Begin a call of a leg's to a number."""
        number, withheld = split_prefix(dialled) if isinstance(leg.end, LineEnd) else (dialled, None)
        who = leg.who if withheld is None else Who(leg.who.number, leg.who.display, withheld)
        call = SwitchCall(self, next(self._numbers), leg, number, who, is_click_to_dial=click_to_dial)
        self.calls[call.id] = call
        self.journal.record(
            call.id,
            "call.arrived",
            leg=leg.id,
            from_=who.number,
            dialled=number,
            withheld=who.withheld,
            by=leg.end.name,
        )
        self.tell("call.placed", call)
        call.task = self.spawn(self.run(call))
        return call

    def own_call(self, leg: Leg, called: str, *, joins: bool = True) -> SwitchCall:
        """A call of a leg's that is up already, to a service that it was put into."""
        call = SwitchCall(self, next(self._numbers), leg, called, leg.who, takes_origin=joins)
        call.called = called
        self.calls[call.id] = call
        return call

    async def run(self, call: SwitchCall) -> None:
        """Put a call through."""
        try:
            outcome = await self.routing.reach(call, call.dialled)
            if isinstance(outcome, Refusal):
                call.refuse(outcome)
            elif isinstance(outcome, Leg):
                await self.connect(call, outcome)
        except HarnessError as error:
            self.journal.warn(call.id, "call.failed", reason=str(error))
            call.refuse(self.routing.refusal_of(error))

    async def connect(self, call: SwitchCall, leg: Leg) -> None:
        """Join a call's caller to the leg that answered, or picked it up. Raises HarnessError; the leg is gone then."""
        try:
            if may_pass(call.origin, leg):
                await PassThrough.join(self, call, leg)
                return
            await call.answer_origin(leg)
            if leg.state is LegState.OFFERED:
                await leg.accept()
            assert leg.speech is not None
            await leg.speech.apply()
            if call.origin.speech is not None:
                await call.origin.speech.sound()
            if leg.is_over:
                raise SipRemoteError("the one who answered is gone")
            one_way = call.is_intercom and self.settings.intercom.one_way
            conversation = Conversation(self, call, call.origin, leg, one_way=one_way)
            await conversation.patch()
        except BaseException:
            if leg.joined is None:
                leg.hang_up(cause=q850.NORMAL_UNSPECIFIED)
            raise

    def _peer_changed(self, trunk: Trunk, peer: object) -> None:
        self.journal.record(
            self.name, "trunk.changed", trunk=trunk.name, peer=str(peer), in_service=bool(trunk.candidates(self.now()))
        )

    # Legs

    def new_leg(self, end: End, who: Who) -> Leg:
        """A leg to or from an end, without a dialog as yet."""
        return Leg(self, next(self._leg_numbers), end, who)

    def attach(self, leg: Leg, sip: Call) -> None:
        """Give a leg the dialog that was made for it."""
        leg.attach(sip)
        self._up(leg)

    def _up(self, leg: Leg) -> None:
        self.legs[leg.id] = leg
        if isinstance(leg.end, LineEnd):
            leg.end.line.legs.append(leg)
        elif isinstance(leg.end, TrunkEnd):
            leg.end.trunk.legs.append(leg)

    def leg_over(self, leg: Leg) -> None:
        """A leg has ended: whoever it was joined to is told."""
        self.legs.pop(leg.id, None)
        if isinstance(leg.end, LineEnd):
            line = leg.end.line
            if leg in line.legs:
                line.legs.remove(leg)
            if not line.legs:
                line.idle_since = self.now()
        elif isinstance(leg.end, TrunkEnd) and leg in leg.end.trunk.legs:
            leg.end.trunk.legs.remove(leg)
        joined, leg.joined = leg.joined, None
        if joined is not None:
            joined.left(leg)
        self.watching.changed(leg)
        self.on_leg_over(leg)

    def leg_of(self, sip: Call) -> Leg | None:
        """The leg of a dialog."""
        return next((leg for leg in self.legs.values() if leg.sip is sip), None)

    # What happens to calls

    def tell(self, what: str, call: SwitchCall) -> None:
        """Something happened to a call."""
        self.teller(what, call)
        for leg in tuple(self.legs.values()):
            if leg.call is call:
                self.watching.changed(leg)

    def refused(self, call: SwitchCall, refusal: Refusal) -> None:
        """A call came to nothing: its caller is told, or hears it."""
        origin = call.origin
        self.journal.record(
            call.id, "call.refused", status=refusal.status, reason=refusal.reason, called=call.called or call.dialled
        )
        self._unanswered(call, self.routing.cause_of(refusal), by_orig=False)
        origin.joined = None
        if origin.state is LegState.OFFERED:
            headers: Headers = ()
            if refusal.retry_after is not None:
                headers = [("Retry-After", str(refusal.retry_after))]
            sip = origin.sip
            assert isinstance(sip, IncomingCall)
            if not sip.is_over:
                sip.reject(refusal.status, headers=headers)
        elif not origin.is_over:
            self.spawn(self.services.dismiss(origin, refusal))
        self.call_over(call)
        self.tell("call.refused", call)

    def abandoned(self, call: SwitchCall) -> None:
        """A call's caller gave up."""
        self.journal.record(call.id, "call.abandoned", called=call.called or call.dialled)
        if call.task is not None:
            call.task.cancel()
        self._unanswered(call, q850.NORMAL_CLEARING, by_orig=True)
        self.call_over(call)

    def _unanswered(self, call: SwitchCall, cause: int, *, by_orig: bool) -> None:
        self.paired(
            Pairing(call, call.origin, call.tried, began=call.began, ended=self.now(), cause=cause, by_orig=by_orig)
        )

    def call_over(self, call: SwitchCall) -> None:
        """A call is no more."""
        call.state = CallState.OVER
        if self.calls.pop(call.id, None) is not None:
            self.journal.record(call.id, "call.over")
            self.tell("call.over", call)

    def paired(self, pairing: Pairing) -> None:
        """Two ends are parted: the record of it is due."""
        if self.records is not None:
            self.records.call(pairing)

    def media_ended(self, leg: Leg, stats: PortStats | None) -> None:
        """A leg's speech is over: the record of it is due."""
        if self.records is not None:
            self.records.media(leg, stats)

    def _media_event(self, event: Event) -> None:
        leg = self.by_port.get(event.source)
        if leg is None:
            return
        if event.kind == "dtmf.received":
            leg.key_heard(str(event.data["digit"]))
        elif event.kind in ("voice.started", "voice.ended"):
            self.services.voice(leg, talking=event.kind == "voice.started")
