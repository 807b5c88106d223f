"""The radio terminal driver: what an officer does with a TETRA terminal, over its PEI line and its audio jack."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from harness.drivers.jack import AudioJack, open_jack
from harness.drivers.radio_calls import PrivateRadioCalls
from harness.drivers.radio_groups import TALKGROUP_MAX, RegroupedRadio
from harness.drivers.talking_radio import Technology
from harness.endpoints.media import MediaService, Recording
from harness.endpoints.pei import KeyOutcome, SendOutcome, TerminalEquipment
from harness.errors import DriverError, InterlockError, PeiLocalError
from harness.journal import Event
from harness.protocols.pei.call_state import CallState
from harness.protocols.pei.codes import EMERGENCY_CALL_PRIORITY, Grant
from harness.protocols.rtp.g711 import Samples
from harness.protocols.tetra.lip import ShortLocation
from harness.protocols.tetra.sds import ReportRequest
from harness.transport.context import Context

EMERGENCY_STATUS = 0
"""The pre-coded status of an emergency (EN 300 392-2, 14.8.34)."""
GRANT_S = 5.0
"""Seconds within which the network answers a request to talk."""
REPORT_S = 30.0
"""Seconds within which a delivery report is waited for."""
QUEUED_S = 30.0
"""Seconds for which a queued request is let wait."""
_REQUESTS = (CallState.REQUESTING, CallState.CONTENDING, CallState.QUEUED)


class RadioTerminal(PrivateRadioCalls, RegroupedRadio):
    """One terminal. What it does and shows is journalled under the component's name.

    Events: ``ptt.pressed`` {talkgroup}, ``ptt.granted`` {talkgroup, grant_ms}, ``ptt.queued``, ``ptt.denied`` {reason},
    ``ptt.released``, ``ptt.pre_empted``, ``ptt.revoked`` (the network ended our transmission), ``talker.shown``
    {talkgroup, issi}, ``talker.ended``, ``call.ended`` {cause}, ``voice.heard`` {level_dbov}, ``status.sent``,
    ``sds.sent`` {delivered}, ``sds.received`` {issi, text}, ``status.received``, ``sds.report`` {reference, told},
    ``location.sent``, ``location.received`` {issi, lat, lon}, and those of PrivateRadioCalls and RegroupedRadio.
    """

    technology: ClassVar[Technology] = Technology.TETRA
    talk_shown: ClassVar[str] = "talker.shown"
    talk_over: ClassVar[str] = "talker.ended"
    talk_taken: ClassVar[str] = "ptt.revoked"

    def __init__(self, context: Context, name: str, talkgroups: Mapping[str, int]) -> None:
        self.name = name
        self.talkgroup: str | None = None
        """The talkgroup in use."""
        self._journal = context.journal
        self._talkgroups = dict(talkgroups)
        self._names = {str(gssi): group for group, gssi in talkgroups.items()}
        self._forget: Callable[[], None] = lambda: None
        self._keyed: int | None = None
        """Call instance in which our key is down."""
        self._pressing = False
        self._permit: Callable[[str, str, int], None] = lambda _act, _target, _priority: None
        self._private = self._ringing = None
        self._pei: TerminalEquipment
        self._jack: AudioJack

    @classmethod
    async def open(
        cls,
        context: Context,
        media: MediaService,
        name: str,
        *,
        serial: str,
        baud: int,
        audio: str,
        talkgroups: Mapping[str, int],
        permit: Callable[[str, str, int], None] | None = None,
    ) -> RadioTerminal:
        """Open the terminal's line and plug into its jack, and ask it for its codes.

        ``serial`` is what pyserial opens; ``audio`` is ``rtp://host:port`` or ``sound:DEVICE``; ``talkgroups`` is name
        to GSSI; ``permit`` is asked before anything goes on air. Raises TransportError, DriverError or PeiLocalError;
        nothing stays open then.
        """
        if len(talkgroups) > TALKGROUP_MAX:
            raise DriverError(f"{name}: a plan of {len(talkgroups)} talkgroups; {TALKGROUP_MAX} is the most")
        terminal = cls(context, name, talkgroups)
        if permit is not None:
            terminal._permit = permit
        terminal._pei = await TerminalEquipment.open(context, name, serial, baud=baud, permit=permit)
        try:
            await terminal._pei.register_services()
            terminal._jack = await open_jack(context, media, name, audio)
        except BaseException:
            terminal._pei.close()
            raise
        terminal._forget = context.journal.subscribe(terminal._seen)
        return terminal

    async def close(self) -> None:
        """Let the key go, clear a call of two, pull the plug and close the line."""
        if self._keyed is not None and self._pei.lost is None:
            try:
                await self.unkey()
            except PeiLocalError as error:
                self._journal.warn(self.name, "ptt.stuck", why=str(error))
        if self._private is not None and self._pei.lost is None:
            try:
                await self.hang_up()
            except PeiLocalError as error:
                self._journal.warn(self.name, "call.stuck", why=str(error))
        self._forget()
        self._pei.close()
        await self._jack.close()

    async def reopen(self) -> None:
        """Open the line again after it vanished. Raises TransportError or PeiLocalError."""
        self._keyed = self._private = self._ringing = None
        await self._pei.reopen()
        await self._pei.register_services()
        if self.talkgroup is not None:
            await self.select(self.talkgroup)

    async def select(self, talkgroup: str) -> None:
        """Turn to ``talkgroup``. Raises DriverError for one that the plan lacks, PeiLocalError when it is refused."""
        await self._pei.select_group(self._gssi(talkgroup))
        self.talkgroup = talkgroup
        self._journal.record(self.name, "talkgroup.selected", talkgroup=talkgroup)

    @property
    def jack(self) -> AudioJack:
        """The lead to its microphone and loudspeaker."""
        return self._jack

    async def own_identity(self) -> str:
        """Return the terminal's TSI, digits."""
        return await self._pei.own_tsi()

    # Speech

    async def key(
        self, talkgroup: str | None = None, *, say: Samples | None = None, priority: int = 0, within: float = GRANT_S
    ) -> KeyOutcome:
        """Press the key on ``talkgroup`` (the one in use) and return when the network has granted it.

        A queued request is let wait QUEUED_S. ``say`` is spoken from the moment of the grant. ``priority`` 0 to 15: 12
        and up pre-empt, 15 is an emergency. Raises DriverError when it is denied, PeiLocalError when there is no
        answer, InterlockError when the testbed does not allow it: nothing has left then.
        """
        group = talkgroup or self.talkgroup
        if group is None:
            raise DriverError(f"{self.name}: no talkgroup is selected")
        if self._keyed is not None or self._pressing:
            raise DriverError(f"{self.name}: the key is pressed already")
        gssi = self._gssi(group)
        pressed = self._journal.record(self.name, "ptt.pressed", talkgroup=group, priority=priority)
        self._pressing = True
        try:
            outcome = await self._pei.key(gssi, priority=priority, within=within)
            if outcome.grant is Grant.QUEUED:
                self._keyed = outcome.cc
                self._journal.record(self.name, "ptt.queued", talkgroup=group)
                outcome = await self._pei.granted(outcome.cc, within=QUEUED_S)
        except (PeiLocalError, InterlockError) as error:
            await self._denied(group, str(error))
            raise
        except asyncio.CancelledError:
            await self._denied(group, "let go")
            raise
        finally:
            self._pressing = False
        if not outcome.granted:
            reason = outcome.grant.text + (f"; {outcome.talker} talks" if outcome.talker else "")
            await self._denied(group, reason)
            raise DriverError(f"{self.name}: {group}: {reason}")
        self._keyed = outcome.cc
        grant_ms = round((self._journal.now() - pressed.time) * 1000, 3)
        self._journal.record(self.name, "ptt.granted", talkgroup=group, grant_ms=grant_ms)
        if say is not None:
            await self._jack.say(say)
        return outcome

    async def _denied(self, group: str, reason: str) -> None:
        self._journal.record(self.name, "ptt.denied", talkgroup=group, reason=reason)
        cc, self._keyed = self._keyed, None
        if cc is not None and self._pei.lost is None:
            await self._pei.unkey(cc)

    async def unkey(self) -> None:
        """Let the key go. Raises DriverError when it is not pressed."""
        if self._keyed is None:
            raise DriverError(f"{self.name}: the key is not pressed")
        cc, self._keyed = self._keyed, None
        self._journal.record(self.name, "ptt.released")
        await self._pei.unkey(cc)

    async def say(self, samples: Samples, talkgroup: str | None = None, *, priority: int = 0) -> float:
        """Key, wait for the grant, speak, and let the key go; return the run time at which the speech began.

        Raises as ``key`` does.
        """
        await self.key(talkgroup, priority=priority)
        try:
            began = await self._jack.say(samples)
            await self._jack.said()
        finally:
            if self._keyed is not None:  # the network may have ended the transmission
                await self.unkey()
        return began

    async def speak(self, samples: Samples) -> float:
        """Speak into the microphone, keyed or not: what comes before the grant is lost on air. Returns its run time."""
        return await self._jack.say(samples)

    async def spoken(self) -> None:
        """Return when all that was to be spoken is out."""
        await self._jack.said()

    async def record(self) -> None:
        """Begin to keep what the loudspeaker gives."""
        await self._jack.record()

    async def recorded(self) -> Recording:
        """Return what the loudspeaker gave since ``record``."""
        return await self._jack.recorded()

    # Messages

    async def send_status(self, value: int, *, to: int) -> SendOutcome:
        """Send the pre-coded status ``value``, 0 to 65535, to an ISSI or GSSI; 0 is an emergency.

        Raises PeiLocalError, SdsError, or InterlockError (nothing has left then).
        """
        outcome = await self._pei.send_status(to, value)
        self._journal.record(self.name, "status.sent", to=to, value=value, delivered=outcome.sent)
        return outcome

    async def send_text(self, text: str, *, to: int, report: bool = False) -> SendOutcome:
        """Send an SDS text to an ISSI or GSSI; with ``report``, ``sds.report`` tells when it was received.

        Raises as ``send_status`` does.
        """
        asked = ReportRequest.RECEIVED if report else ReportRequest.NONE
        outcome = await self._pei.send_text(to, text, report=asked)
        self._journal.record(
            self.name, "sds.sent", to=to, text=text, delivered=outcome.sent, reference=outcome.reference
        )
        return outcome

    async def send_text_reported(self, text: str, *, to: int, within: float = REPORT_S) -> Event:
        """Send an SDS text and return its delivery report, ``sds.report`` {reference, told}.

        Raises DriverError when the network could not deliver it, ExpectationError when no report comes within
        ``within`` seconds, and as ``send_status`` does.
        """
        before = self._journal.position
        outcome = await self.send_text(text, to=to, report=True)
        if not outcome.sent:
            raise DriverError(f"{self.name}: the network could not deliver the text to {to}")
        return await self.expect("sds.report", within=within, after=before, reference=outcome.reference)

    async def send_long_text(self, text: str, *, to: int) -> bool:
        """Send a text of any length, in parts; return whether the network took them all. Raises as ``send_status``."""
        outcomes = await self._pei.send_long_text(to, text)
        delivered = all(outcome.sent for outcome in outcomes)
        self._journal.record(self.name, "sds.sent", to=to, text=text, parts=len(outcomes), delivered=delivered)
        return delivered

    async def emergency(self, talkgroup: str | None = None, *, say: Samples | None = None) -> KeyOutcome:
        """Press the emergency button: the floor of ``talkgroup`` (the one in use), whoever talks. Raises as ``key``."""
        return await self.key(talkgroup, say=say, priority=EMERGENCY_CALL_PRIORITY)

    async def raise_emergency(
        self, talkgroup: str | None = None, *, location: ShortLocation | None = None
    ) -> KeyOutcome:
        """Press the emergency key as an officer's terminal takes it: emergency call, status 0 and place to the group.

        They go side by side, so that a place does not wait for the floor, and a floor that is refused holds nothing
        back. The floor is kept: ``unkey`` gives it back. Raises as ``key`` and ``send_status`` do; where the testbed
        does not permit one of them, nothing has left.
        """
        group = talkgroup or self.talkgroup
        if group is None:
            raise DriverError(f"{self.name}: no talkgroup is selected")
        gssi = self._gssi(group)
        self._permit("key", str(gssi), EMERGENCY_CALL_PRIORITY)
        self._permit("message", str(gssi), EMERGENCY_CALL_PRIORITY)
        if location is not None:
            self._permit("message", str(gssi), 0)
        self._journal.record(self.name, "emergency.pressed", talkgroup=group)
        key = asyncio.create_task(self.emergency(group))
        try:
            if location is not None:
                await asyncio.gather(self.send_status(EMERGENCY_STATUS, to=gssi), self.send_location(location, to=gssi))
            else:
                await self.send_status(EMERGENCY_STATUS, to=gssi)
        except asyncio.CancelledError:
            key.cancel()
            raise
        finally:
            outcome = await key
        return outcome

    async def send_location(self, location: ShortLocation, *, to: int) -> SendOutcome:
        """Send a LIP short location report to an ISSI. Raises as ``send_status`` does."""
        outcome = await self._pei.send_sds(to, location.encode())
        self._journal.record(
            self.name, "location.sent", to=to, lat=location.latitude, lon=location.longitude, delivered=outcome.sent
        )
        return outcome

    # What the terminal shows

    async def expect(self, kind: str, *, within: float, after: int = 0, **with_: Any) -> Event:
        """Return the event that this terminal shows, or raise ExpectationError telling what it did show."""
        return await self._journal.expect(self.name, kind, within=within, after=after, **with_)

    def _seen(self, event: Event) -> None:
        """Puts what the line and the jack report into an officer's words."""
        if event.source == f"{self.name} jack" and event.kind == "voice.started":
            self._journal.record(self.name, "voice.heard", at=event.time, **event.data)
            return
        if event.source != self.name:
            return
        # A call that was up before the line was opened is not announced again: it is the selected talkgroup's.
        group = self._names.get(str(event.data.get("with")), self.talkgroup if "with" not in event.data else None)
        self._seen_private(event)
        self._seen_regrouped(event)
        match event.kind:
            case "radio.talker":
                self._journal.record(self.name, "talker.shown", talkgroup=group, issi=event.data.get("issi"))
                if self._is_keyed_call(event):
                    self._journal.record(self.name, "ptt.pre_empted", talkgroup=group)
                    self._keyed = None
            case "radio.ceased":
                if self._is_keyed_call(event):
                    self._journal.record(self.name, "ptt.revoked", talkgroup=group)
                    self._keyed = None
                self._journal.record(self.name, "talker.ended", talkgroup=group)
            case "radio.released":
                self._keyed = None if self._is_keyed_call(event) else self._keyed
                self._journal.record(self.name, "call.ended", talkgroup=group, cause=event.data.get("cause"))

    def _is_keyed_call(self, event: Event) -> bool:
        """Whether an event ends what our key holds: a queued request outlives another's transmission."""
        cc = event.data.get("cc")
        if self._keyed is None or cc != self._keyed:
            return False
        return self._pei.state_of(self._keyed) not in _REQUESTS
