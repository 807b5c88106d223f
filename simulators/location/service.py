"""What the simulated service does: answers control rooms, matches handsets' positions to calls, and pushes them."""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from harness.endpoints.location import LinkedClient
from harness.endpoints.location.record import fields
from harness.errors import AmlError, CallerLocationLocalError
from harness.protocols.location import aml_https, aml_sms
from harness.protocols.location.aml_sms import Aml, Finding, Method
from harness.protocols.location.caller import (
    Answer,
    CallerLocation,
    Query,
    Reason,
    Refusal,
    Source,
    Status,
    Update,
)
from harness.protocols.location.shapes import MAX_RADIUS_M, Circle, Point, moved
from harness.transport.context import Context
from simulators.location.faults import Fault, Faults
from simulators.location.population import MCC, MNC, Handset, Population
from simulators.location.settings import LocationSettings

MAX_OPEN: Final = 2_000
"""Calls that are asked about at once, over all control rooms; a question beyond it is refused as busy."""
MAX_PENDING: Final = 4_000
"""Answers and updates that wait for their moment; a question beyond it is refused as busy."""
MAX_RECENT: Final = 2_000
"""Numbers whose handsets' positions are kept for a question that comes after them."""
RECENT_S: Final = 1_800.0
"""Seconds for which such a position is kept."""
RESENT_AFTER_S: Final = 120.0
"""Seconds after which a handset sends again when it is asked about again: before, it is the same call."""
DROPS_TOLD_EVERY_S: Final = 1.0
"""Dropped messages are counted and journalled this often: a flood must not fill the journal, too."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of an AML message."""

    used: bool
    """Whether there was a position in it that the service keeps."""
    findings: tuple[Finding, ...] = ()
    """What was odd about it, or why it was dropped."""


@dataclass(slots=True)
class _Open:
    """A call that a control room asked about."""

    client: LinkedClient
    call: str
    cli: str
    answered: bool = False


class LocationService:
    """The service's knowledge and its open calls."""

    def __init__(self, context: Context, name: str, settings: LocationSettings, faults: Faults, epoch: float) -> None:
        """``epoch`` is the calendar time of run time 0, seconds since 1970."""
        self.name = name
        self.population = Population(settings)
        self._settings = settings
        self._faults = faults
        self._epoch = epoch
        self._journal = context.journal
        self._loop = asyncio.get_running_loop()
        self._rng = random.Random(f"location delays {context.rng.random()}")
        self._open: dict[tuple[LinkedClient, str], _Open] = {}
        self._recent: OrderedDict[str, tuple[float, CallerLocation]] = OrderedDict()
        self._sending: dict[str, asyncio.TimerHandle] = {}
        self._timers: set[asyncio.TimerHandle] = set()
        self._tokens = float(settings.intake.burst)
        self._refilled = self._loop.time()
        self._dropped = 0
        self._drop_told: asyncio.TimerHandle | None = None

    def status(self) -> dict[str, int]:
        """Return what is going on, in numbers."""
        return {
            "calls": len(self._open),
            "handsets_sending": len(self._sending),
            "positions_kept": len(self._recent),
            "landlines": len(self.population.landlines()),
        }

    def stop(self) -> None:
        """Let nothing more happen."""
        for timer in (*self._timers, *self._sending.values()):
            timer.cancel()
        if self._drop_told is not None:
            self._drop_told.cancel()
            self._tell_drops()

    # -- what control rooms ask ------------------------------------------------------------------------------------

    def asked(self, client: LinkedClient, query: Query) -> None:
        """Answer a question, after a while."""
        key = (client, query.call)
        if (key not in self._open and len(self._open) >= MAX_OPEN) or len(self._timers) >= MAX_PENDING:
            self._journal.warn(self.name, "location.busy", client=client.name, call=query.call)
            client.send(Refusal(query.query, Reason.BUSY))
            return
        cli = e164(query.cli)
        self._open[key] = _Open(client, query.call, cli)
        self._journal.record(self.name, "location.asked", client=client.name, call=query.call, cli=cli)
        delay = self._drawn(self._settings.answer_s.least, self._settings.answer_s.most) + self._faults.extra_s()
        self._later(delay, lambda: self._answer(key, query))

    def released(self, client: LinkedClient, call: str) -> None:
        """Forget a call that is over."""
        if self._open.pop((client, call), None) is not None:
            self._journal.record(self.name, "location.released", client=client.name, call=call)

    def gone(self, client: LinkedClient) -> None:
        """Forget what a control room asked that is no longer linked."""
        for key in [key for key in self._open if key[0] is client]:
            del self._open[key]

    def _answer(self, key: tuple[LinkedClient, str], query: Query) -> None:
        call = self._open.get(key)
        if call is None:  # released, or the link is gone
            return
        status, locations = self._looked_up(call.cli)
        self._journal.record(
            self.name, "location.told", call=call.call, cli=call.cli, status=status.value, locations=len(locations)
        )
        call.answered = True
        self._send(call, Answer(query.query, call.call, status, locations))
        handset = self.population.handset(call.cli)
        if handset is not None and handset.sends:
            self._let_send(handset)

    def _looked_up(self, cli: str) -> tuple[Status, tuple[CallerLocation, ...]]:
        if self._faults.now is Fault.UNKNOWN:
            return Status.UNKNOWN, ()
        if not cli:
            return Status.WITHHELD, ()
        about = self._another(cli) if self._faults.now is Fault.WRONG else cli
        found = self.population.on_file(about)
        handset = self.population.handset(about)
        if found is None and handset is not None:
            found = replace(self.population.cell_of(handset), time=self._now())
        recent = self._recent_of(about)
        locations = tuple(each for each in (found, recent) if each is not None)
        return (Status.FOUND if locations else Status.UNKNOWN), locations

    def _another(self, cli: str) -> str:
        """Another number of the same kind that is somewhere else, for answers that are wrong."""
        own = self.population.handset(cli)
        if own is not None:
            cell = self.population.cell_of(own).cell
            others = (self.population.handset(f"{cli[:-1]}{(int(cli[-1]) + step) % 10}") for step in range(1, 10))
            elsewhere = (each for each in others if each and self.population.cell_of(each).cell != cell)
            return next((each.number for each in elsewhere), cli)
        numbers = sorted(self.population.landlines())
        return next((number for number in numbers if number > cli), numbers[0] if numbers else cli)

    # -- what handsets send ----------------------------------------------------------------------------------------

    def take_text(self, number: str, text: str) -> Taken:
        """Take a text that a handset sent to the service's number."""
        if not self._may_take():
            return _dropped("rate", "too many messages")
        try:
            aml = aml_sms.parse(text)
        except AmlError as error:
            return self._unread(number, str(error))
        return self._take(e164(number), aml, "SMS")

    def take_form(self, body: bytes) -> Taken:
        """Take a form that a handset posted."""
        if not self._may_take():
            return _dropped("rate", "too many messages")
        key = self._settings.intake.hmac_key
        if key is not None and not aml_https.authentic(body, key.get_secret_value().encode()):
            return self._unread("", "the hmac is missing or wrong")
        try:
            form = aml_https.parse(body)
        except AmlError as error:
            return self._unread("", str(error))
        if not form.number:
            return self._unread("", "there is no device_number: it can't be matched to a call")
        return self._take(e164(form.number), form.as_aml(), "HTTPS")

    def drop(self, why: str) -> Taken:
        """Note a message that was not read at all."""
        return self._unread("", why)

    def _take(self, number: str, aml: Aml, by: str) -> Taken:
        location = from_aml(aml)
        found = [finding.name for finding in aml.findings]
        self._journal.record(
            self.name,
            "aml.taken",
            cli=number,
            by=by,
            fix=aml.has_fix,
            imsi=aml.imsi,
            imei=aml.imei,
            findings=found,
            **({} if location is None else fields(location, number)),
        )
        if location is None:
            return Taken(False, aml.findings)
        self._recent[number] = (self._loop.time(), location)
        self._recent.move_to_end(number)
        while len(self._recent) > MAX_RECENT:
            self._recent.popitem(last=False)
        self._later(self._faults.extra_s(), lambda: self._push(number, location))
        return Taken(True, aml.findings)

    def _push(self, number: str, location: CallerLocation) -> None:
        if self._faults.now in (Fault.NO_UPDATES, Fault.UNKNOWN):
            return
        for call in [each for each in self._open.values() if each.cli == number and each.answered]:
            self._send(call, Update(call.call, location))

    def _recent_of(self, number: str) -> CallerLocation | None:
        kept = self._recent.get(number)
        if kept is None:
            return None
        if self._loop.time() - kept[0] > RECENT_S:
            del self._recent[number]
            return None
        return kept[1]

    def _let_send(self, handset: Handset) -> None:
        """Let a handset send its position once, as it does for an emergency call that is set up."""
        sent = self._recent.get(handset.number)
        if handset.number in self._sending or (sent and self._loop.time() - sent[0] < RESENT_AFTER_S):
            return
        delay = self._settings.handsets.delay_s
        drawn = self._rng.triangular(delay.least, delay.most)
        self._sending[handset.number] = self._loop.call_later(drawn, self._handset_sends, handset)

    def _handset_sends(self, handset: Handset) -> None:
        self._sending.pop(handset.number, None)
        bounds = self._settings.handsets.radius_m
        radius = self._drawn(bounds.least, bounds.most)
        told = moved(handset.place, radius * self._rng.random(), self._rng.uniform(0, 360))
        aml = Aml(
            told.latitude,
            told.longitude,
            round(radius),
            self._now(),
            confidence=90,
            method=Method.GNSS,
            imsi=handset.imsi,
            imei=handset.imei,
            mcc=MCC,
            mnc=MNC,
        )
        self.take_text(handset.number, aml_sms.build(aml))

    def _may_take(self) -> bool:
        """Take from the bucket of the intake's rate."""
        now = self._loop.time()
        intake = self._settings.intake
        self._tokens = min(float(intake.burst), self._tokens + (now - self._refilled) * intake.rate)
        self._refilled = now
        if self._tokens < 1:
            self._note_drop()
            return False
        self._tokens -= 1
        return True

    def _unread(self, number: str, why: str) -> Taken:
        self._journal.warn(self.name, "aml.unread", cli=number, reason=why)
        return _dropped("unread", why)

    def _note_drop(self) -> None:
        self._dropped += 1
        if self._drop_told is None:
            self._drop_told = self._loop.call_later(DROPS_TOLD_EVERY_S, self._tell_drops)

    def _tell_drops(self) -> None:
        self._drop_told = None
        self._journal.warn(self.name, "aml.dropped", count=self._dropped, reason="more than the intake's rate")
        self._dropped = 0

    # -- help ------------------------------------------------------------------------------------------------------

    def _send(self, call: _Open, message: Answer | Update) -> None:
        try:
            call.client.send(message)
        except CallerLocationLocalError as error:  # a codec that can't hold it, which is not the control room's fault
            self._journal.warn(self.name, "location.unsent", call=call.call, reason=str(error))

    def _later(self, delay: float, act: Callable[[], None]) -> None:
        def run() -> None:
            self._timers.discard(timer)
            act()

        timer = self._loop.call_later(delay, run)
        self._timers.add(timer)

    def _drawn(self, least: float, most: float) -> float:
        return self._rng.uniform(least, most)

    def _now(self) -> int:
        return int(self._epoch + self._journal.now())


def from_aml(aml: Aml) -> CallerLocation | None:
    """Return what a handset's message tells, or None when it has no fix."""
    if aml.latitude is None or aml.longitude is None:
        return None
    where = Point(aml.latitude, aml.longitude)
    radius = aml.radius_m
    return CallerLocation(
        Source.AML,
        area=Circle(where, radius) if radius is not None and radius <= MAX_RADIUS_M else where,
        confidence=round(aml.confidence),
        method=aml.method.value if aml.method is not None else "",
        time=aml.time,
    )


def e164(number: str) -> str:
    """Return a United Kingdom number in E.164 form; one that is withheld is empty, any other stays as it is."""
    if number.lower() in ("", "anonymous", "unavailable", "withheld"):
        return ""
    digits = number.replace(" ", "")
    if digits.startswith("0044"):
        return "+" + digits[2:]
    if digits.startswith("0"):
        return "+44" + digits[1:]
    return digits


def _dropped(name: str, told: str) -> Taken:
    return Taken(False, (Finding(name, told),))
