"""What a mailbox does with who calls it: takes a message, or plays those that are there.

A message ends with #, with silence, at its longest, or when its caller hangs up. Whoever hears messages presses

    1  play the message, or play it again     3  delete it
    2  the next one                           *  begin again with the first      #  hang up
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from harness.errors import HarnessError
from harness.protocols.cdr.codes import OnBehalfOf
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from harness.protocols.rtp.resample import converted
from harness.protocols.sip import q850
from simulators.switch.call import CallState, SwitchCall
from simulators.switch.conversation import Pairing
from simulators.switch.keypad import Keypad
from simulators.switch.leg import Leg
from simulators.switch.sounds import beep, confirmed, denied
from simulators.switch.voicemail.store import Mailbox, MailboxFullError

if TYPE_CHECKING:
    from simulators.switch.core import Core

MENU_WITHIN_S: Final = 20.0
"""Seconds within which somebody chooses; they are hung up on then."""
PIN_TRIES: Final = 3
MOST_BEEPS: Final = 9
"""New messages that are counted by beeps; there may be more."""


class Session(Keypad):
    """One call that a mailbox has."""

    def __init__(self, core: Core, call: SwitchCall, leg: Leg, box: Mailbox, greeting: Samples) -> None:
        super().__init__(leg, core)
        self.box = box
        self._call = call
        self._greeting = greeting
        self._since = core.now()
        self._is_recording = False
        self._has_spoken = False
        self._quiet_since = core.now()
        leg.call, call.state = call, CallState.UP
        leg.before_close = self._keep
        core.services.sessions[leg] = self

    def voice(self, *, talking: bool) -> None:
        """Speech began or ended."""
        self._has_spoken = self._has_spoken or talking
        self._quiet_since = float("inf") if talking else self.core.now()

    # Leaving a message

    async def take(self) -> None:
        """Greet, and take a message."""
        leg, box, speech = self.leg, self.box, self.leg.speech
        assert speech is not None
        try:
            await self._say(self._greeting)
            if box.is_full:
                self.core.journal.record(self._call.id, "mailbox.full", line=box.number)
                await speech.say(denied())
                return
            await speech.say(beep())
            await speech.port.record()
            self._is_recording = True
            self._quiet_since = self.core.now()
            await self._until_said()
            await self._keep()
            if not leg.is_over:
                await speech.say(confirmed())
        except HarnessError as error:
            self.core.journal.record(self._call.id, "mailbox.cut_short", reason=str(error))
        finally:
            self._over()

    async def _say(self, samples: Samples) -> None:
        """Say something that a # cuts short."""
        speech = self.leg.speech
        assert speech is not None
        await speech.port.play(samples)
        key = await self.next(within=len(samples) / SAMPLE_RATE)
        if key == "#":
            await speech.port.stop_playing()

    async def _until_said(self) -> None:
        settings = self.box.settings
        longest = min(settings.max_message_s, self.box.room_s)
        until = self.core.now() + longest
        while True:
            now = self.core.now()
            quiet_until = self._quiet_since + settings.silence_s
            left = min(until, quiet_until) - now
            if left <= 0 or self.leg.is_over:
                return
            # A talkspurt that is under way may end: look again when its pause would be long enough.
            if await self.next(within=min(left, settings.silence_s)) == "#":
                return

    async def _keep(self) -> None:
        """Take what was recorded into the mailbox; once."""
        if not self._is_recording:
            return
        self._is_recording = False
        speech, box, core = self.leg.speech, self.box, self.core
        assert speech is not None
        recording = await speech.port.recorded()
        samples = converted(recording.samples, recording.rate, SAMPLE_RATE)
        most = round(min(box.settings.max_message_s, box.room_s) * SAMPLE_RATE)
        samples = samples[: max(0, most)]
        seconds = len(samples) / SAMPLE_RATE
        if not self._has_spoken or seconds < box.settings.min_message_s:
            core.journal.record(self._call.id, "mailbox.nothing_said", line=box.number, seconds=round(seconds, 3))
            return
        try:
            message = box.add(self._call.who.shown, core.epoch + core.now(), samples)
        except MailboxFullError as error:
            core.journal.record(self._call.id, "mailbox.full", line=box.number, reason=str(error))
            return
        core.journal.record(
            self._call.id, "mailbox.message", line=box.number, message=message.id, seconds=round(seconds, 3)
        )

    # Hearing messages

    async def give(self, pin: str | None) -> None:
        """Ask for the PIN, where there is one, and play what is there as it is asked for."""
        speech = self.leg.speech
        assert speech is not None
        try:
            if pin is not None and not await self._let_in(pin):
                self.core.journal.record(self._call.id, "mailbox.wrong_pin", line=self.box.number)
                return
            new = sum(message.is_new for message in self.box.messages)
            self.core.journal.record(self._call.id, "mailbox.opened", line=self.box.number, new=new)
            for _ in range(min(new, MOST_BEEPS)):
                await speech.say(beep())
            await self._menu()
        except HarnessError as error:
            self.core.journal.record(self._call.id, "mailbox.cut_short", reason=str(error))
        finally:
            self._over()

    async def _let_in(self, pin: str) -> bool:
        speech = self.leg.speech
        assert speech is not None
        await speech.say(confirmed())
        for _ in range(PIN_TRIES):
            if await self.number(within=MENU_WITHIN_S) == pin:
                return True
            if self.leg.is_over:
                return False
            await speech.say(denied())
        return False

    async def _menu(self) -> None:
        speech, box = self.leg.speech, self.box
        assert speech is not None
        # New ones first; what is left alone stays where it is.
        order = sorted(box.messages, key=lambda message: not message.is_new)
        at = 0
        while not self.leg.is_over:
            key = await self.next(within=MENU_WITHIN_S)
            if key in ("", "#"):
                return
            if key == "*":
                at = 0
            elif key == "2" and at < len(order):
                at += 1
            elif key in ("1", "3") and at < len(order):
                message = order[at]
                if key == "3":
                    box.delete(message)
                    del order[at]
                else:
                    await self._say(message.samples)
                    box.heard(message)
                    continue
            else:
                await speech.say(denied())
                continue
            await speech.say(confirmed())

    # The end

    def _over(self) -> None:
        core, leg = self.core, self.leg
        core.services.sessions.pop(leg, None)
        leg.before_close = None
        core.paired(
            Pairing(
                self._call,
                leg,
                None,
                device="VM_1",
                began=self._call.began,
                connected=self._since,
                ended=core.now(),
                cause=q850.NORMAL_CLEARING,
                by_orig=leg.is_over,
                cleared_by=OnBehalfOf.DEVICE,
                joined_by=OnBehalfOf.UNKNOWN,
            )
        )
        if not leg.is_over and leg.joined is self:
            leg.joined = None
            leg.hang_up()
        core.call_over(self._call)
