"""The TETRA network: knows its terminals and talkgroups, and turns what one terminal asks into what others hear."""

from __future__ import annotations

import random

from harness.endpoints.media import MediaService
from harness.protocols.pei.codes import ReleaseCause
from harness.protocols.pei.requests import (
    AnswerCall,
    CeaseTransmit,
    ChangeGroup,
    ClearCall,
    DemandTransmit,
    Request,
    SendMessage,
    SetUpCall,
)
from harness.protocols.pei.unsolicited import CallReleased
from harness.transport.context import Context
from simulators.radio.audio import AudioPaths
from simulators.radio.config import RadioConfig
from simulators.radio.group_call import GroupCall, tx_priority
from simulators.radio.messages import MessageService
from simulators.radio.terminal import SimulatedTerminal


class RadioNetwork:
    """One network; made by `start`, ended by `stop`. Tests reach it by its terminals' serial lines and jacks only."""

    def __init__(self, context: Context, config: RadioConfig) -> None:
        self.config = config
        self._context = context
        self._journal = context.journal
        self._rng = context.rng if config.seed is None else random.Random(f"radio {config.seed}")
        self._audio = AudioPaths(context.journal, config.name)
        self._messages = MessageService(config, context.journal, self._rng, self._recipients)
        self._terminals: dict[str, SimulatedTerminal] = {}
        self._by_issi: dict[int, SimulatedTerminal] = {}
        self._groups = frozenset(config.talkgroups.values())
        self._calls: dict[int, GroupCall] = {}

    @classmethod
    async def start(
        cls, context: Context, media: MediaService | None, config: RadioConfig, *, virtual: bool
    ) -> RadioNetwork:
        """Bring up every terminal: a serial line and, with `media`, an audio jack each.

        `virtual`: lines are `virtual://NAME` of the running virtual loop; otherwise pseudo-terminals.
        Raises LocalError, TransportError or MediaError; nothing is left up then.
        """
        network = cls(context, config)
        try:
            for terminal_config in config.terminals:
                terminal = await SimulatedTerminal.start(
                    context, media, config, terminal_config, network._asked, virtual=virtual
                )
                network._terminals[terminal.name] = terminal
                network._by_issi[terminal.config.issi] = terminal
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
        for call in self._calls.values():
            call.stop()
        self._calls.clear()
        self._messages.stop()
        await self._audio.stop()
        for terminal in self._terminals.values():
            await terminal.stop()
        self._terminals.clear()

    # -- what terminals ask --------------------------------------------------------------------------------------------

    def _asked(self, terminal: SimulatedTerminal, request: Request) -> None:
        match request:
            case SetUpCall():
                self._set_up(terminal, request)
            case DemandTransmit(cc, priority):
                call = self._call_of(terminal, cc)
                if call is not None:
                    call.demand(terminal, priority)
            case CeaseTransmit(cc):
                call = self._call_of(terminal, cc)
                if call is not None:
                    call.cease(terminal)
            case ClearCall(cc):
                call = self._call_of(terminal, cc)
                if call is not None:
                    call.leave(terminal)
            case ChangeGroup(gssi):
                self._change_group(terminal, gssi)
            case SendMessage():
                self._messages.send(terminal, request)
            case AnswerCall():
                pass  # a group call needs no answer, and calls between two terminals are not offered

    def _call_of(self, terminal: SimulatedTerminal, cc: int) -> GroupCall | None:
        if terminal.call is None or terminal.call[1] != cc:
            return None
        return self._calls.get(terminal.call[0])

    def _set_up(self, terminal: SimulatedTerminal, request: SetUpCall) -> None:
        if request.destination not in self._groups:
            known = request.destination in self._by_issi
            # Calls between two terminals are not offered by this network yet; an unknown identity is told apart.
            cause = ReleaseCause.UNAVAILABLE if known else ReleaseCause.UNKNOWN_ID
            self._journal.record(
                self.config.name, "net.call_refused", by=terminal.name, to=request.destination, cause=cause.text
            )
            terminal.tell(CallReleased(request.cc, cause))
            return
        if terminal.call is not None:
            self._leave(terminal, request.cc)
        call = self._calls.get(request.destination)
        if call is None:
            call = GroupCall(
                self.config,
                self._journal,
                self._rng,
                self._audio,
                request.destination,
                self._eligible,
                self._ended,
            )
            self._calls[request.destination] = call
        call.set_up(terminal, request.cc, tx_priority(request.definition.priority))

    def _leave(self, terminal: SimulatedTerminal, new_cc: int | None) -> None:
        """One transceiver is in one call: a terminal that starts another, or changes group, leaves the one it is in."""
        assert terminal.call is not None
        gssi, cc = terminal.call
        call = self._calls.get(gssi)
        if call is not None:
            call.leave(terminal)
        if cc != new_cc and cc in terminal.machine.calls:
            terminal.tell(CallReleased(cc, ReleaseCause.USER))

    def _change_group(self, terminal: SimulatedTerminal, gssi: int | None) -> None:
        self._journal.record(self.config.name, "net.affiliated", issi=terminal.config.issi, gssi=gssi)
        if terminal.call is not None and terminal.call[0] != gssi:
            self._leave(terminal, None)
        call = None if gssi is None else self._calls.get(gssi)
        if call is not None:
            call.late_entry(terminal)

    def _eligible(self, gssi: int) -> list[SimulatedTerminal]:
        """Who is on a talkgroup and free for its call."""
        return [
            terminal
            for terminal in self._terminals.values()
            if terminal.registered and terminal.machine.selected == gssi and terminal.call is None
        ]

    def _recipients(self, destination: int, sender: SimulatedTerminal) -> list[SimulatedTerminal]:
        """Who gets a message: the terminal of an ISSI, or all but the sender on a talkgroup."""
        if destination in self._groups:
            return [
                terminal
                for terminal in self._terminals.values()
                if terminal is not sender and terminal.registered and terminal.machine.selected == destination
            ]
        terminal = self._by_issi.get(destination)
        return [terminal] if terminal is not None and terminal.registered else []

    def _ended(self, gssi: int) -> None:
        self._calls.pop(gssi, None)
