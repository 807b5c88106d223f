"""One playing: a person in a seat of one scenario, from the first ring to what is kept of it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from harness.drivers.console import Console
from harness.errors import HarnessError, PageError
from harness.journal import Event
from harness.page.contract import Attempts, Person
from harness.page.play.acts import do_act
from harness.page.play.console_state import ConsoleState
from harness.page.play.debrief import Kept, as_wav, attempt_of
from harness.page.play.pace import Pace
from harness.page.play.room import open_room
from harness.page.play.sound import HeadsetLead
from harness.page.play.turns import Turns
from harness.protocols.rtp.g711 import SAMPLE_RATE
from harness.scenario.cast import casting
from harness.scenario.model import Scenario, Step
from harness.scenario.player import Onlooker, Player
from harness.scenario.result import StepResult
from harness.source import Spot
from harness.testbed.bench import Bench
from harness.testbed.clips import read_clip

VANISHED_S: Final = 120.0
"""So long a playing waits for a browser that is gone; it is abandoned then."""
IDLE_S: Final = 900.0
"""So long it waits to be begun, and is held before a step."""
LONGEST_S: Final = 7_200.0
"""So long it may last from its beginning."""
MAX_ANNOUNCED: Final = 20
"""Announcements that are shown; the oldest goes first."""
MAX_REPLAYS: Final = 50
"""Legs that instant replay lists, newest first."""
MAX_VIEWERS: Final = 4
"""Browsers at one playing: one has the seat, the others look on."""
_LOG: Final = logging.getLogger(__name__)
Phase = Literal["starting", "ready", "playing", "over"]


@dataclass(frozen=True, slots=True)
class Chosen:
    """What is played."""

    scenario: Scenario
    lines: Spot
    digest: str
    seat: str
    testbed: Path
    build: str


@dataclass(slots=True, eq=False)
class Viewer:
    """One browser at a playing."""

    changed: asyncio.Event = field(default_factory=asyncio.Event)
    holder: bool = False


class Playing:
    """One person's playing. Whoever looks on asks `shown` when their `changed` is set."""

    def __init__(self, id_: str, person: Person, chosen: Chosen, attempts: Attempts) -> None:
        self.id = id_
        self.person = person
        self.chosen = chosen
        self.phase: Phase = "starting"
        self.error = ""
        self.kept: Kept | None = None
        self.says = False
        """Whether a recorded phrase is being said for the person."""
        self.pace = Pace(self._changed)
        self.turns = Turns(chosen.scenario, chosen.seat)
        self._attempts = attempts
        self._viewers: list[Viewer] = []
        self._announced: deque[dict[str, Any]] = deque(maxlen=MAX_ANNOUNCED)
        self._announcements = 0
        self._begin, self._quit = asyncio.Event(), asyncio.Event()
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._loop = asyncio.get_running_loop()
        self._console: Console | None = None
        self._lead: HeadsetLead | None = None
        self._state: ConsoleState | None = None
        self._now: Callable[[], float] = lambda: 0.0
        self._ambience_password: Callable[[], str] = str
        self._note: Callable[[str, float, dict[str, Any]], Any] = lambda _kind, _at, _data: None
        self._task = asyncio.create_task(self._run())
        self._task.add_done_callback(self._broke)
        self._wait("idle", IDLE_S, "it was not begun")
        self._wait("vanished", VANISHED_S, "the browser did not come back")

    # Who looks on

    def attach(self) -> Viewer:
        """Let a browser in: the first has the seat. Raises PageError where MAX_VIEWERS are there."""
        if len(self._viewers) >= MAX_VIEWERS:
            raise PageError(f"{MAX_VIEWERS} browsers are at this playing already: close one")
        viewer = Viewer(holder=not any(each.holder for each in self._viewers))
        self._viewers.append(viewer)
        self._cancel("vanished")
        self._changed()
        return viewer

    def detach(self, viewer: Viewer) -> None:
        """A browser is gone: another one gets the seat, or the playing waits for it to come back."""
        self._viewers.remove(viewer)
        if viewer.holder and self._viewers:
            self._viewers[0].holder = True
        if not self._viewers and self.phase != "over":
            self._wait("vanished", VANISHED_S, "the browser did not come back")
        self._changed()

    @property
    def lead(self) -> HeadsetLead | None:
        """The headset's lead; None until the control room is up."""
        return self._lead

    # What a person does

    async def act(self, name: str, given: Any) -> Any:
        """Do what the person in the seat asks for. Raises PageError with the reason where it is not done."""
        if self._console is None or self.phase not in {"ready", "playing"}:
            raise PageError("the control room is not up")
        if name == "say":
            return await self._say()
        if name == "begin_ambience":
            given = {**given, "password": self._ambience_password()}
        done = await do_act(self._console, name, given)
        if name in {"dial", "redial"} and self._state is not None:
            self._state.placed(str(done), given.get("number", "the last number"), self._now())
            self._changed()
        if name == "hush":
            self._saying(0.0)
        if name in {"note_incident", "thrive"} and self._state is not None:
            text = given["text"] if name == "note_incident" else f"{given['factor']}: {given['text']}"
            self._state.noted(given["incident"], text, self._now())
            if name == "thrive":
                self.turns.recorded(given["factor"])
            self._changed()
        return done

    async def replays(self) -> list[dict[str, Any]]:
        """Return the legs of the last half hour that the seat spoke on or heard, newest first. Raises PageError."""
        return (await self._manned().instant_replay())[:MAX_REPLAYS]

    async def recorded(self, leg: str) -> bytes:
        """Return one of them as a WAV file. Raises PageError."""
        return as_wav(await self._manned().play_recording(leg))

    async def directory(self, find: str) -> list[dict[str, str]]:
        """Return the phone book's entries that hold these words. Raises PageError."""
        return await self._manned().directory(find)

    async def folder(self) -> dict[str, Any]:
        """Return the page of talkgroups that is open. Raises PageError."""
        return await self._manned().shown_folder()

    def _manned(self) -> Console:
        if self._console is None or self.phase not in {"ready", "playing"}:
            raise PageError("the control room is not up")
        return self._console

    async def _say(self) -> None:
        """Say the phrase that is recorded for this moment into the headset."""
        assert self._console is not None
        clip = self.turns.phrase
        samples = read_clip(clip, self.chosen.scenario.folder)
        began = await self._console.say(samples)
        self._console_says(clip, began)
        self._saying(began + len(samples) / SAMPLE_RATE)

    def _saying(self, until: float) -> None:
        """A phrase is said until then (run time)."""
        self._cancel("saying")
        self.says = until > self._now()
        if self.says:
            self._timers["saying"] = self._loop.call_later(until - self._now(), self._saying, 0.0)
        self._changed()

    def _console_says(self, clip: str | None, began: float) -> None:
        self._note("operator.spoke", began, {} if clip is None else {"clip": clip})

    def begin(self) -> None:
        """Begin the scenario. Raises PageError until the control room is up."""
        if self.phase == "starting":
            raise PageError("the control room is not up yet")
        self._begin.set()

    def hold(self, pacing: Literal["play", "pause", "step"]) -> None:
        """Play on, hold before the next step, or go one step on."""
        self.pace.set(pacing)
        if pacing == "play":
            self._cancel("idle")
        elif self.phase == "playing":
            self._wait("idle", IDLE_S, "it was held too long")
        self._changed()

    def turn(self, speed: object) -> None:
        """Let the scenario's clock go so many times as fast. Raises PageError for a speed that there is not."""
        self.pace.turn(speed)
        self._changed()

    def leave(self, reason: str) -> None:
        """End it before its end: what was reached is kept as abandoned."""
        if not self._quit.is_set() and self.phase != "over":
            self.error = reason
            self._quit.set()

    async def close(self) -> None:
        """End it with the server and wait until nothing of it is left."""
        self.leave("the server was stopped")
        await asyncio.gather(self._task, return_exceptions=True)

    async def keep(self) -> None:
        """Try again to keep what could not be kept."""
        if self.kept is not None:
            await self.kept.keep(self._attempts, self.person)
            self._changed()

    # The playing

    async def _run(self) -> None:
        try:
            async with open_room(self.chosen.testbed) as bench:
                await self._sit(bench)
        except (HarnessError, OSError) as error:
            self.error = str(error)
        finally:
            for name in list(self._timers):
                self._cancel(name)
            self._console = None
            self.phase = "over"
            self._changed()

    def _broke(self, task: asyncio.Task[None]) -> None:
        """Tell of a fault of our own, which ends this playing and no other."""
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _LOG.error("playing %s of %s broke", self.id, self.chosen.scenario.id, exc_info=error)
            self.error = "this playing broke: the server's log tells why"
            self._changed()

    async def _sit(self, bench: Bench) -> None:
        """Take the seat in a control room that is up, play, and keep what became of it."""
        component = casting(self.chosen.scenario, bench.testbed)[self.chosen.seat]
        console = await bench.console(component)
        self._lead = await HeadsetLead.open(bench, console)
        aliases = {each.issi: name for name, each in bench.testbed.components.items() if hasattr(each, "issi")}
        self._state = ConsoleState(await console.seat(), aliases)
        self._console, self._now = console, bench.journal.now
        self._ambience_password = lambda: bench.ambience_password(component)
        self._note = lambda kind, at, data: bench.journal.record(component, kind, at=at, **data)
        forget = bench.journal.subscribe(lambda event: self._seen(event, component))
        try:
            self.phase = "ready"
            self._announce("The control room is up. Begin when you are ready.")
            await self._first(self._begin, self._quit)
            if not self._quit.is_set():
                await self._play(bench, component)
        finally:
            forget()
            await self._lead.close()

    async def _play(self, bench: Bench, component: str) -> None:
        chosen = self.chosen
        onlooker = Onlooker(begins=self._begins, ended=self._ended, gate=self.pace.gate, wait=self.pace.wait)
        player = Player(
            chosen.scenario, bench, lines=chosen.lines, seats=(chosen.seat,), telling=(chosen.seat,), onlooker=onlooker
        )
        self.phase = "playing"
        self._cancel("idle")
        self._wait("longest", LONGEST_S, f"it lasted longer than {LONGEST_S / 60:.0f} minutes")
        self._announce(f"{chosen.scenario.title} has begun.")
        began_at, began = time.time(), bench.journal.now()
        playing = asyncio.create_task(player.play())
        leaving = asyncio.create_task(self._quit.wait())
        try:
            await asyncio.wait((playing, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            playing.cancel()
            leaving.cancel()
            outcome = await asyncio.gather(playing, leaving, return_exceptions=True)
        if isinstance(outcome[0], HarnessError):
            self.error = str(outcome[0])
        self.turns.over()
        assert self._lead is not None
        attempt = attempt_of(
            chosen,
            player.result,
            self.turns,
            bench.journal,
            component,
            began_at=began_at,
            began=began,
            speeds=self.pace.speeds,
            why=self.error,
        )
        self.kept = Kept(attempt, began, self._lead.kept_from, self._lead.kept())
        await self.kept.keep(self._attempts, self.person)
        self._announce(f"It is over: {attempt.ended}, {attempt.percent:.0f} per cent of your steps in time.")

    async def _first(self, *events: asyncio.Event) -> None:
        tasks = [asyncio.create_task(each.wait()) for each in events]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    # What is seen

    def _seen(self, event: Event, component: str) -> None:
        assert self._state is not None and self._lead is not None
        if event.source == component:
            if self._state.seen(event.kind, event.data, event.time):
                self._changed()
            if event.kind == "call.ringing":
                self._announce(f"{event.data.get('queue')} call from {event.data.get('cli')}", urgent=True)
            elif event.kind == "emergency.shown":
                self._announce(f"Emergency: {event.data.get('alias')}", urgent=True)
        elif event.source == self._lead.name and event.kind == "voice.started":
            self._console_says(None, event.time)

    def _begins(self, step: Step, told: str) -> None:
        turn = self.turns.begins(step, told, self._now())
        if turn is not None:
            self._announce(f"Your turn: {turn.told}")
            self._timers["due"] = self._loop.call_later(turn.due_s, self._is_late)
        self._changed()

    def _is_late(self) -> None:
        if self.turns.turn is not None and not self.turns.turn.late:
            self.turns.turn.late = True
            self._announce(f"Late: {self.turns.turn.told}", urgent=True)

    def _ended(self, result: StepResult) -> None:
        self._cancel("due")
        self.turns.ended(result)
        if result.done in {"missed", "failed"}:
            self._announce(f"{result.done}: {result.told}", urgent=True)
        elif result.person is not None and result.done == "done":
            self._announce(f"In time: {result.told}")
        self._changed()

    def shown(self, viewer: Viewer) -> dict[str, Any]:
        """Return all that a browser shows, as JSON holds it."""
        kept = self.kept
        return {
            "kind": "state",
            "now": self._now(),
            "phase": self.phase,
            "error": self.error,
            "says": self.says,
            "holder": viewer.holder,
            "held_by": "" if viewer.holder else self.person.name,
            "pace": {"pacing": self.pace.pacing, "held_before": self.pace.held_before, "speed": self.pace.speed},
            **self.turns.shown(),
            "console": self._state.shown() if self._state is not None else None,
            "announced": list(self._announced),
            "attempt": None if kept is None else {"number": kept.number, "unkept": kept.unkept},
        }

    # Small things

    def _announce(self, text: str, *, urgent: bool = False) -> None:
        self._announcements += 1
        self._announced.append({"n": self._announcements, "text": text, "urgent": urgent})
        self._changed()

    def _changed(self) -> None:
        for viewer in self._viewers:
            viewer.changed.set()

    def _wait(self, name: str, seconds: float, reason: str) -> None:
        self._cancel(name)
        self._timers[name] = self._loop.call_later(seconds, self.leave, reason)

    def _cancel(self, name: str) -> None:
        timer = self._timers.pop(name, None)
        if timer is not None:
            timer.cancel()
