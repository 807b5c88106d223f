"""The TETRA network: knows its terminals and talkgroups, and turns what one terminal asks into what others hear."""

from __future__ import annotations

import asyncio
import contextlib
import random
from functools import partial

from harness.endpoints.media import MediaService
from harness.protocols.pei.codes import PRE_EMPTIVE_CALL_PRIORITY, ReleaseCause
from harness.protocols.pei.mobile_terminal import MobileTerminalMachine
from harness.protocols.pei.requests import (
    AnswerCall,
    CeaseTransmit,
    ChangeGroup,
    ChangeMode,
    ClearCall,
    DemandTransmit,
    Reboot,
    Request,
    SendMessage,
    SetUpCall,
)
from harness.protocols.pei.unsolicited import CallReleased
from harness.transport.context import Context
from simulators.events import Events
from simulators.radio.ambience import Ambience
from simulators.radio.audio import AudioPaths
from simulators.radio.config import RadioConfig
from simulators.radio.disabling import Disabling
from simulators.radio.group_call import GroupCall
from simulators.radio.messages import MessageService
from simulators.radio.private_call import Party, PrivateCall
from simulators.radio.refusals import UnknownThingError
from simulators.radio.regrouping import Regrouping
from simulators.radio.sites import Sites
from simulators.radio.terminal import SimulatedTerminal
from simulators.radio.timers import Timers
from simulators.radio.tracking import Tracking

LOOPBACK = "127.0.0.1"
"""Where the network's own ports listen."""

_Calls = dict[int, GroupCall | PrivateCall]
"""By GSSI or, of a private call, by the caller's ISSI: no two are the same, and a terminal is in one call."""


class RadioNetwork:
    """One network; made by `start`, ended by `stop`. Tests reach it by its terminals' serial lines and jacks only."""

    def __init__(self, context: Context, media: MediaService | None, config: RadioConfig) -> None:
        self.config = config
        self._context = context
        self._journal = context.journal
        self._rng = context.rng if config.seed is None else random.Random(f"radio {config.seed}")
        self._audio = AudioPaths(context.journal, config.name, media=media is not None)
        self._messages = MessageService(config, context.journal, self._rng, self._recipients)
        self._terminals: dict[str, SimulatedTerminal] = {}
        self._by_issi: dict[int, SimulatedTerminal] = {}
        self._by_machine: list[tuple[MobileTerminalMachine, SimulatedTerminal]] = []
        self._groups = frozenset(config.talkgroups.values())
        self._calls: dict[str, _Calls] = {}
        """Of each part of the network that works by itself (simulators.radio.sites), made when first asked for."""
        self._booting: dict[str, asyncio.TimerHandle] = {}
        self._timers = Timers(self._rng)
        self._closing: dict[asyncio.Task[None], None] = {}
        """Microphones that are being closed."""
        self.events = Events(context.journal, config.name)
        delays = config.delays
        self.sites = Sites(config, self.events, self._timers, self._terminals.values, self._drop_out, self._arrived)
        self.regrouping = Regrouping(
            config, self.events, lambda: delays.regroup.draw(self._rng), self.reaches, self._turned
        )
        self.disabling = Disabling(self.events, self._timers, delays.regroup, self._drop_out, self._arrived)
        self.ambience = Ambience(media, self.events, LOOPBACK, self.reaches)
        self.tracking = Tracking(self.events, self.reaches, self._messages.send)

    @classmethod
    async def start(
        cls, context: Context, media: MediaService | None, config: RadioConfig, *, virtual: bool
    ) -> RadioNetwork:
        """Bring up every terminal: a serial line and, with `media`, an audio jack each.

        `virtual`: lines are `virtual://NAME` of the running virtual loop; otherwise pseudo-terminals.
        Raises LocalError, TransportError or MediaError; nothing is left up then.
        """
        network = cls(context, media, config)
        try:
            for terminal_config in config.terminals:
                terminal = await SimulatedTerminal.start(
                    context, media, config, terminal_config, network._asked, virtual=virtual
                )
                network._terminals[terminal.name] = terminal
                network._by_issi[terminal.config.issi] = terminal
                network._by_machine.append((terminal.machine, terminal))
        except BaseException:
            await network.stop()
            raise
        context.journal.record(
            config.name, "net.up", terminals=len(config.terminals), talkgroups=len(config.talkgroups)
        )
        return network

    def addresses(self) -> list[dict[str, str]]:
        """Where each terminal is: `name`, `role`, `kind` (`serial` or `rtp`), `url`."""
        found = []
        for terminal in self._terminals.values():
            named = {"name": terminal.name, "role": terminal.config.role}
            found.append({**named, "kind": "serial", "url": terminal.url})
            if terminal.jack is not None:
                host, port = terminal.jack.address
                found.append({**named, "kind": "rtp", "url": f"rtp://{host}:{port}"})
        return found

    async def stop(self) -> None:
        """Take everything down; calls are not cleared, as when a network fails."""
        await asyncio.gather(*self._closing)
        await self.ambience.stop()
        self.tracking.stop()
        self.regrouping.stop()
        self._timers.stop()
        for calls in self._calls.values():
            for call in calls.values():
                call.stop()
        self._calls.clear()
        for timer in self._booting.values():
            timer.cancel()
        self._booting.clear()
        self._messages.stop()
        await self._audio.stop()
        for terminal in self._terminals.values():
            await terminal.stop()
        self._terminals.clear()

    # -- what the control interface asks -------------------------------------------------------------------------------

    @property
    def terminals(self) -> list[SimulatedTerminal]:
        """All terminals."""
        return list(self._terminals.values())

    def terminal(self, issi: int) -> SimulatedTerminal:
        """The terminal of an ISSI. Raises UnknownThingError."""
        found = self._by_issi.get(issi)
        if found is None:
            raise UnknownThingError(f"there is no terminal {issi}")
        return found

    def reaches(self, terminal: SimulatedTerminal) -> bool:
        """Whether the network, not a site by itself, reaches a terminal."""
        return terminal.registered and self.sites.is_linked(terminal)

    def _drop_out(self, terminal: SimulatedTerminal) -> None:
        """The network loses a terminal: its call is released, and its microphone is open no more."""
        if terminal.call is not None:
            self._leave(terminal, None, ReleaseCause.SWMI)
        self._close_microphone(terminal)

    def _close_microphone(self, terminal: SimulatedTerminal) -> None:
        listening = self.ambience.of(terminal)
        if listening is not None:
            task = asyncio.get_running_loop().create_task(self._end_listening(listening))
            self._closing[task] = None
            task.add_done_callback(lambda done: self._closing.pop(done, None))

    async def _end_listening(self, listening: str) -> None:
        with contextlib.suppress(UnknownThingError):  # whoever asked for it has ended it meanwhile
            await self.ambience.end(listening, "out of reach")

    def _arrived(self, terminal: SimulatedTerminal) -> None:
        """A terminal can be reached again."""
        self._enter_group(terminal)
        if self.reaches(terminal):
            self.regrouping.back(terminal)

    def _turned(self, terminal: SimulatedTerminal) -> None:
        """The network turned a terminal to another talkgroup."""
        self._change_group(terminal, terminal.machine.selected)

    # -- what terminals ask --------------------------------------------------------------------------------------------

    def _asked(self, terminal: SimulatedTerminal, request: Request) -> None:
        match request:
            case SetUpCall():
                self._set_up(terminal, request)
            case DemandTransmit() | CeaseTransmit() | ClearCall() | AnswerCall():
                call = self._call_of(terminal, request.cc)
                if call is not None:
                    self._asked_in_call(call, terminal, request)
            case ChangeGroup(gssi):
                self._change_group(terminal, gssi)
            case SendMessage():
                self._messages.send(terminal, request)
            case ChangeMode():
                self._change_mode(terminal)
            case Reboot():
                self.power_cycle(terminal)

    @staticmethod
    def _asked_in_call(
        call: GroupCall | PrivateCall,
        terminal: SimulatedTerminal,
        request: DemandTransmit | CeaseTransmit | ClearCall | AnswerCall,
    ) -> None:
        match request:
            case DemandTransmit(priority=priority):
                call.demand(terminal, priority)
            case CeaseTransmit():
                call.cease(terminal)
            case ClearCall():
                call.leave(terminal)
            case AnswerCall() if isinstance(call, PrivateCall):  # a group call needs no answer
                call.answer(terminal)

    def _change_mode(self, terminal: SimulatedTerminal) -> None:
        self._journal.record(self.config.name, "net.mode", issi=terminal.config.issi, reachable=terminal.registered)
        if terminal.call is not None:
            self._leave(terminal, None)
        self._close_microphone(terminal)
        self._arrived(terminal)

    def power_cycle(self, terminal: SimulatedTerminal) -> None:
        self._journal.record(self.config.name, "net.rebooting", issi=terminal.config.issi)
        terminal.machine.reboot()
        if terminal.call is not None:
            self._leave(terminal, None)
        self._close_microphone(terminal)
        loop = asyncio.get_running_loop()
        self._booting[terminal.name] = loop.call_later(self.config.boot_s, self._booted, terminal)

    def _booted(self, terminal: SimulatedTerminal) -> None:
        self._booting.pop(terminal.name, None)
        configured = terminal.config.talkgroup
        terminal.booted(None if configured is None else self.config.talkgroups[configured])
        self._arrived(terminal)

    def _enter_group(self, terminal: SimulatedTerminal) -> None:
        """A terminal that is free again enters its talkgroup's call, where one is up."""
        gssi = terminal.machine.selected
        call = None if gssi is None else self._calls_around(terminal).get(gssi)
        if isinstance(call, GroupCall):
            call.late_entry(terminal)

    def _calls_around(self, terminal: SimulatedTerminal) -> _Calls:
        """The calls of that part of the network in which a terminal is."""
        return self._calls.setdefault(self.sites.island(terminal), {})

    def _call_of(self, terminal: SimulatedTerminal, cc: int) -> GroupCall | PrivateCall | None:
        if terminal.call is None or terminal.call[1] != cc:
            return None
        return self._calls_around(terminal).get(terminal.call[0])

    def _set_up(self, terminal: SimulatedTerminal, request: SetUpCall) -> None:
        if not self._is_group(request.destination):
            self._set_up_private(terminal, request)
            return
        if terminal.call is not None:
            self._leave(terminal, request.cc)
        calls = self._calls_around(terminal)
        call = calls.get(request.destination)
        if not isinstance(call, GroupCall):
            call = GroupCall(
                self.config,
                self._journal,
                self._rng,
                self._audio,
                request.destination,
                partial(self._eligible, self.sites.island(terminal)),
                lambda gssi: self._ended(calls, gssi),
            )
            calls[request.destination] = call
        call.set_up(terminal, request.cc, request.definition.priority)

    def _set_up_private(self, terminal: SimulatedTerminal, request: SetUpCall) -> None:
        if request.definition.comms:
            cause = ReleaseCause.INCOMPATIBLE if request.destination in self._by_issi else ReleaseCause.UNKNOWN_ID
            self._journal.record(
                self.config.name, "net.call_refused", by=terminal.name, to=request.destination, cause=cause.text
            )
            terminal.tell(CallReleased(request.cc, cause))
            return
        if terminal.call is not None:
            self._leave(terminal, request.cc)
        calls = self._calls_around(terminal)
        call = PrivateCall(
            self.config,
            self._journal,
            self._rng,
            self._audio,
            Party(terminal, request.cc),
            request.definition,
            partial(self._private_ended, calls),
        )
        calls[call.key] = call
        call.set_up(partial(self._find, terminal, request.destination, request.definition.priority))

    def _find(self, caller: SimulatedTerminal, issi: int, priority: int) -> SimulatedTerminal | ReleaseCause:
        """The terminal for a private call, or why it can't have one; a pre-emptive call takes it out of its own."""
        found = self._by_issi.get(issi)
        if found is None:
            return ReleaseCause.UNKNOWN_ID
        if found is caller or not found.registered or self.sites.island(found) != self.sites.island(caller):
            return ReleaseCause.UNREACHABLE
        if found.call is None:
            return found
        if priority < PRE_EMPTIVE_CALL_PRIORITY:
            return ReleaseCause.BUSY
        self._journal.record(self.config.name, "net.call_pre_empted", issi=issi, by=caller.name)
        self._leave(found, None, ReleaseCause.PRE_EMPTED)
        return found

    def _private_ended(self, calls: _Calls, call: PrivateCall, terminals: tuple[SimulatedTerminal, ...]) -> None:
        calls.pop(call.key, None)
        for terminal in terminals:
            self._enter_group(terminal)

    def _leave(self, terminal: SimulatedTerminal, new_cc: int | None, cause: ReleaseCause = ReleaseCause.USER) -> None:
        """One transceiver is in one call: a terminal that starts another, or changes group, leaves the one it is in."""
        assert terminal.call is not None
        gssi, cc = terminal.call
        call = self._calls_around(terminal).get(gssi)
        if call is not None:
            call.leave(terminal)
        if cc != new_cc and cc in terminal.machine.calls:
            terminal.tell(CallReleased(cc, cause))

    def _change_group(self, terminal: SimulatedTerminal, gssi: int | None) -> None:
        self._journal.record(self.config.name, "net.affiliated", issi=terminal.config.issi, gssi=gssi)
        key = None if terminal.call is None else terminal.call[0]
        if key is not None and key != gssi and isinstance(self._calls_around(terminal).get(key), GroupCall):
            self._leave(terminal, None)  # a private call goes on, whatever talkgroup is chosen meanwhile
        self._enter_group(terminal)

    def _is_group(self, ssi: int) -> bool:
        return ssi in self._groups or ssi in self.regrouping

    def _eligible(self, island: str, gssi: int) -> list[SimulatedTerminal]:
        """Who in a part of the network is on a talkgroup and free for its call."""
        return [
            terminal
            for machine, terminal in self._by_machine
            # First of all, as all terminals are asked, and nearly all are on another talkgroup.
            if machine.selected == gssi
            and terminal.call is None
            and terminal.registered
            and self.sites.island(terminal) == island
        ]

    def _recipients(self, destination: int, sender: SimulatedTerminal) -> list[SimulatedTerminal]:
        """Who gets a message: the terminal of an ISSI, or all but the sender on a talkgroup."""
        island = self.sites.island(sender)
        if self._is_group(destination):
            return [
                terminal
                for terminal in self._terminals.values()
                if terminal is not sender
                and terminal.registered
                and terminal.machine.selected == destination
                and self.sites.island(terminal) == island
            ]
        found = self._by_issi.get(destination)
        return [found] if found is not None and found.registered and self.sites.island(found) == island else []

    def _ended(self, calls: _Calls, gssi: int) -> None:
        calls.pop(gssi, None)
