"""Officers with terminals on a simulated network, who talk all the time; what each was told and heard is watched.

Everybody's microphone has a tone of their own in it from the beginning to the end, so that whoever can be heard is
heard, whether he may talk or not. Reached by serial lines and audio jacks only; virtual time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from harness.endpoints.media import MediaPort, open_media
from harness.endpoints.pei import TerminalEquipment
from harness.errors import PeiLocalError
from harness.journal import Event
from harness.protocols.pei.call_state import CallState
from harness.protocols.pei.codes import EMERGENCY_CALL_PRIORITY, Grant
from harness.protocols.rtp.g711 import SAMPLE_RATE
from harness.transport.context import Context
from simulators.radio.config import RadioConfig, TerminalConfig
from simulators.radio.network import RadioNetwork

GROUPS = {"GD-OPS-1": 2001, "GD-OPS-2": 2002}
NAMES = ("gateway", "officer", "sergeant", "inspector", "driver")
MAX_TALK_S, HANG_S = 8.0, 2.0
LOOK_S = 0.02
"""How often it is looked who may talk and who listens: a frame of speech."""
EMERGENCY_S = 0.8
"""Within which an emergency has the floor: the longest set-up (0.36 s), an answer before it, a grant (0.17 s)."""
BOTH_S = 0.25
"""How long two may believe that they have the floor: the grant of one is on its way to the other."""
SETTLED_S = 0.6
"""After a change of talker, how long until everybody hears it: notice, jacks and playout buffers."""
CUT_S = 0.15
"""How long before its notice a talker's end can be: the path is cut once his last words are out."""
BEFORE_S, AFTER_S = 0.7, 0.15
"""How long after, and before, his time a talker may be heard: the same, and the path that is open before the word."""
OWN_GRANT = "0 (granted)"
QUEUED_S = 30.0
AGAIN_S = 0.05
"""An officer whose press is not taken, as another step is under way, presses again so soon."""
TONES = {name: 350.0 + 400.0 * at for at, name in enumerate(NAMES)}
"""Hertz; multiples of 50, so that each is alone in a frame's spectrum."""
_FRAME = round(SAMPLE_RATE * LOOK_S)
_LOUD = 800.0


@dataclass(eq=False, slots=True)
class Press:
    """A key that is down."""

    group: int
    priority: int
    at: float
    granted: bool = False
    over: bool = False
    task: asyncio.Task[None] | None = None

    @property
    def is_emergency(self) -> bool:
        return self.priority == EMERGENCY_CALL_PRIORITY


@dataclass(eq=False, slots=True)
class Officer:
    """One terminal's user. The gateway is one too: its user is a control room."""

    name: str
    issi: int
    line: TerminalEquipment
    group: int
    jack: MediaPort | None
    press: Press | None = None
    plugged: bool = True
    left: tuple[int, bool, float] | None = None
    """Group, emergency, until when: a line that was pulled with the key down leaves the terminal talking."""
    hears: str | None = None
    """Whom the terminal says it gives out."""
    since: float = 0.0

    @property
    def state(self) -> CallState:
        cc = self.line.call_on(self.group)
        return CallState.IDLE if cc is None else self.line.state_of(cc)

    @property
    def talks(self) -> bool:
        return self.plugged and self.state is CallState.TALKING


@dataclass(slots=True)
class Look:
    """How it stood at one moment."""

    time: float
    talking: dict[str, int]
    """Who may talk, or was left talking, by name: the group."""
    on: dict[str, int]
    """Who is on which group."""


@dataclass(slots=True)
class Field:
    """The network, its officers, and what was wrong."""

    context: Context
    network: RadioNetwork
    stack: AsyncExitStack
    officers: dict[str, Officer] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    looks: list[Look] = field(default_factory=list)
    settled: list[tuple[str, str, float, float]] = field(default_factory=list)
    """(listener, talker, from, to): times through which one listened to one talker."""
    _both: dict[int, float] = field(default_factory=dict)
    _watch: asyncio.Task[None] | None = None

    @classmethod
    async def open(cls, seed: int, *, speech: bool) -> Field:
        """Everything started, everybody on the first group but the last."""
        context = Context.create(seed=seed)
        stack = AsyncExitStack()
        media = inner = None
        if speech:
            media, inner = await open_media(context, in_process=True), await open_media(context, in_process=True)
            stack.push_async_callback(media.close)
            stack.push_async_callback(inner.close)
        names = list(GROUPS)
        terminals = [
            TerminalConfig(name, 4_000_001 + at, names[name == NAMES[-1]], role="radio_terminal")
            for at, name in enumerate(NAMES)
        ]
        config = RadioConfig(GROUPS, terminals, seed=seed, hang_time_s=HANG_S, max_talk_s=MAX_TALK_S)
        network = await RadioNetwork.start(context, inner, config, virtual=True)
        stack.push_async_callback(network.stop)
        made = cls(context, network, stack)
        urls = {(each["name"], each["kind"]): each["url"] for each in network.addresses()}
        for terminal in terminals:
            line = await TerminalEquipment.open(context, terminal.name, urls[terminal.name, "serial"], baud=115_200)
            stack.callback(line.close)
            await line.register_services()
            group = GROUPS[terminal.talkgroup or names[0]]
            await line.select_group(group)
            jack = None
            if media is not None:
                host, _, port = urls[terminal.name, "rtp"].removeprefix("rtp://").rpartition(":")
                jack = await media.open_port(f"{terminal.name} jack")
                await jack.connect((host, int(port)), dtmf_payload_type=None)
                await jack.play(_tone(terminal.name), loop=True)
                await jack.record()
            made.officers[terminal.name] = Officer(terminal.name, terminal.issi, line, group, jack)
        stack.callback(context.journal.subscribe(made._told))
        made._watch = asyncio.get_running_loop().create_task(made._look_again())
        return made

    async def close(self) -> None:
        """Stop all."""
        assert self._watch is not None
        tasks = [self._watch]
        tasks += [each.press.task for each in self.officers.values() if each.press and each.press.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.stack.aclose()

    # What officers do

    def press(self, name: str, priority: int) -> None:
        """Hold the key down."""
        officer = self.officers[name]
        press = officer.press = Press(officer.group, priority, self._now())
        press.task = asyncio.get_running_loop().create_task(self._ask(officer, press))

    async def _ask(self, officer: Officer, press: Press) -> None:
        while True:
            try:
                outcome = await officer.line.key(press.group, priority=press.priority)
                if outcome.grant is Grant.QUEUED:
                    outcome = await officer.line.granted(outcome.cc, within=QUEUED_S)
                if outcome.granted:
                    press.granted = True
                return
            except PeiLocalError as error:
                if "no answer" in str(error) or "no final result" in str(error):
                    self.wrong.append(f"{officer.name}: {error}")
                    return
                await asyncio.sleep(AGAIN_S)

    async def release(self, name: str) -> None:
        """Let the key go, whatever became of the request."""
        officer = self.officers[name]
        press, officer.press = officer.press, None
        assert press is not None
        press.over = True
        assert press.task is not None
        if not press.task.done():
            press.task.cancel()
            await asyncio.gather(press.task, return_exceptions=True)
        elif officer.talks:
            cc = officer.line.call_on(officer.group)
            assert cc is not None
            with suppress(PeiLocalError):
                await officer.line.unkey(cc)

    async def move(self, name: str, group: int) -> None:
        """Choose another talkgroup; a key that is down is let go first."""
        officer = self.officers[name]
        if officer.press is not None:
            await self.release(name)
        await officer.line.select_group(group)
        officer.group = group
        officer.hears = None

    async def pull(self, name: str) -> None:
        """The serial line is gone; what the terminal was doing it goes on doing."""
        officer = self.officers[name]
        press, officer.press = officer.press, None
        asked = officer.talks or press is not None
        if press is not None and press.task is not None:
            press.over = True
            press.task.cancel()
        officer.plugged, officer.hears = False, None
        officer.line.close()
        if asked:
            emergency = press is not None and press.is_emergency
            # Granted now or, where it waits in the queue, after everybody else has talked as long as one may.
            officer.left = officer.group, emergency, self._now() + (len(NAMES) + 1) * (MAX_TALK_S + 1)

    async def plug(self, name: str) -> None:
        """The line is back: clear what was left, and say anew what is to be reported."""
        officer = self.officers[name]
        await officer.line.reopen()
        with suppress(PeiLocalError):
            await officer.line.hang_up()
        await officer.line.register_services()
        await officer.line.select_group(officer.group)
        officer.plugged = True
        if officer.left is not None:
            officer.left = officer.left[0], officer.left[1], self._now()

    # What is watched

    def _now(self) -> float:
        return self.context.journal.now()

    def _told(self, event: Event) -> None:
        data: dict[str, Any] = dict(event.data)
        if event.kind in ("net.out_of_step", "net.audio_failed"):
            self.wrong.append(event.told())
        officer = self.officers.get(event.source)
        if officer is None:
            return
        if event.kind == "radio.talker" and data.get("with") == str(officer.group):
            self._hears(officer, next(each.name for each in self.officers.values() if each.issi == data["issi"]))
        elif event.kind in ("radio.ceased", "radio.released") or data.get("grant") == OWN_GRANT:
            self._hears(officer, None)

    def _hears(self, officer: Officer, whom: str | None) -> None:
        if whom != officer.hears:
            self._note(officer)
            officer.hears, officer.since = whom, self._now()

    def _note(self, officer: Officer) -> None:
        begins, ends = officer.since + SETTLED_S, self._now() - CUT_S
        if officer.hears is not None and ends > begins:
            self.settled.append((officer.name, officer.hears, begins, ends))

    async def _look_again(self) -> None:
        while True:
            self._look()
            await asyncio.sleep(LOOK_S)

    def _look(self) -> None:
        now = self._now()
        talking: dict[str, int] = {}
        for name, officer in self.officers.items():
            if officer.talks:
                talking[name] = officer.group
            elif officer.left is not None and now < officer.left[2]:
                talking[name] = officer.left[0]
        on = {name: officer.group for name, officer in self.officers.items()}
        self.looks.append(Look(now, talking, on))
        self._one_talker(now)
        for officer in self.officers.values():
            if officer.press is not None:
                self._emergency_in_time(officer, officer.press, now)

    def _one_talker(self, now: float) -> None:
        for group in GROUPS.values():
            who = [each.name for each in self.officers.values() if each.talks and each.group == group]
            since = self._both.setdefault(group, now)
            if len(who) < 2:
                self._both[group] = now
            elif now - since > BOTH_S:
                self.wrong.append(f"{now:.2f} s: {' and '.join(who)} both talk on {group}, for {now - since:.2f} s")

    def _emergency_in_time(self, officer: Officer, press: Press, now: float) -> None:
        if not press.is_emergency or press.granted:
            return
        rivals = [
            each.name
            for each in self.officers.values()
            if each is not officer
            and (
                (each.press is not None and each.press.is_emergency and each.press.group == press.group)
                or (each.left is not None and each.left[:2] == (press.group, True) and now < each.left[2])
            )
        ]
        if rivals:
            press.at = now  # two emergencies take turns; from when there is one it has the floor in time
        elif now - press.at > EMERGENCY_S:
            self.wrong.append(
                f"{now:.2f} s: {officer.name}'s emergency on {press.group} has no floor after {now - press.at:.2f} s;"
                f" its call is {officer.state.value}"
            )
            press.at = now

    # What was heard

    async def listened(self) -> None:
        """Hold what everybody heard since the last time against who talked."""
        if any(officer.jack is None for officer in self.officers.values()):
            return
        # What was said just now is under way still.
        await asyncio.sleep(0.3)
        for officer in self.officers.values():
            assert officer.jack is not None
            self._note(officer)
            recording = await officer.jack.recorded()
            await officer.jack.record()
            officer.since = max(officer.since, self._now() + 0.1 - SETTLED_S)
            heard = list(_tones(recording.start, recording.samples))
            self._nobody_else(officer, heard)
            self._the_talker(officer, heard)
        self.settled.clear()
        keep = self._now() - BEFORE_S - 0.5
        self.looks = [look for look in self.looks if look.time > keep]

    def _nobody_else(self, officer: Officer, heard: list[tuple[float, frozenset[str]]]) -> None:
        for time, names in heard:
            near = [look for look in self.looks if time - BEFORE_S <= look.time <= time + AFTER_S]
            if not near:
                continue
            for name in names:
                # Who moved away hears for a moment what is on its way.
                groups = (near[0].on[officer.name], near[-1].on[officer.name])
                may = name != officer.name and any(look.talking.get(name) in groups for look in near)
                if not may:
                    self.wrong.append(f"{time:.2f} s: {officer.name} hears {name}, who has no floor there")
                    return

    def _the_talker(self, officer: Officer, heard: list[tuple[float, frozenset[str]]]) -> None:
        for listener, talker, begins, ends in self.settled:
            if listener != officer.name:
                continue
            frames = [names for time, names in heard if begins < time < ends]
            if len(frames) < 5:
                continue
            share = sum(talker in names for names in frames) / len(frames)
            if share < 0.9:
                self.wrong.append(
                    f"{begins:.2f} to {ends:.2f} s: {listener} is shown {talker} and hears him {share:.0%} of the time"
                )


def _tone(name: str) -> Any:
    at = np.arange(SAMPLE_RATE)
    return (8_000 * np.sin(2 * np.pi * TONES[name] * at / SAMPLE_RATE)).astype(np.int16)


_AT = np.arange(_FRAME)
_WAVES = {name: np.exp(-2j * np.pi * hertz * _AT / SAMPLE_RATE) for name, hertz in TONES.items()}


def _tones(start: float, samples: Any) -> Iterator[tuple[float, frozenset[str]]]:
    """Time of each frame, and whose tones are in it."""
    for at in range(0, len(samples) - _FRAME, _FRAME):
        frame = samples[at : at + _FRAME].astype(float)
        if np.abs(frame).max() < _LOUD:
            yield start + at / SAMPLE_RATE, frozenset()
            continue
        loud = [name for name, wave in _WAVES.items() if 2 * abs(frame @ wave) / _FRAME > 2 * _LOUD]
        yield start + at / SAMPLE_RATE, frozenset(loud)
