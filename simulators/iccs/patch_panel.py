"""Joins speech as conversations and radio want it: two parties with each other, three and more on a bridge.

Theory. A patch is worked out from how things stand when its turn comes, one after the other, so that the last one made
is right whatever came before. A party that is joined anew keeps hearing until it hears the new ones.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine

from harness.endpoints.media import MAX_SOURCES, Bridge, MediaPort
from harness.errors import MediaError
from simulators.iccs.calls import SwitchCall
from simulators.iccs.clips import HOLD_MUSIC, RINGING_TONE
from simulators.iccs.conversations import Conversation
from simulators.iccs.gateway import Gateway
from simulators.iccs.leg import LastWords, Leg
from simulators.iccs.positions import Position
from simulators.iccs.radio_desk import RadioDesk
from simulators.iccs.shared import Shared


class PatchPanel:
    """All that is joined in one control room."""

    def __init__(self, shared: Shared, radio: RadioDesk) -> None:
        self._shared = shared
        self._radio = radio
        self._patching = asyncio.Lock()
        self._patches: set[asyncio.Task[None]] = set()
        self._bridges: dict[MediaPort, Bridge] = {}
        self._count = 0
        self.changed: Callable[[], None] = lambda: None
        """Called when who talks with whom has changed."""
        self.last_words: LastWords | None = None
        """Awaited with a jack before it closes."""

    def conversation(self, conversation: Conversation) -> None:
        """Join a conversation's parties anew, and those who hold it."""
        self._soon(self._join(conversation), ",".join(conversation.parties()))

    def position(self, position: Position) -> None:
        """Join anew what a position hears and is heard by."""
        self._soon(self._join_position(position), position.id)

    def gateway(self, gateway: Gateway) -> None:
        """Join anew what a gateway sends to its talkgroup."""
        self._soon(self._join_gateway(gateway), gateway.line.talkgroup)

    def alone(self, call: SwitchCall) -> None:
        """Part a call's leg from everybody."""
        if call.leg is not None:
            self._soon(self._part(call.leg), call.id)

    def over(self, conversation: Conversation) -> None:
        """A conversation has ended: its bridge is not needed any more."""
        if conversation.bridge is not None:
            bridge, conversation.bridge = conversation.bridge, None
            self._soon(self._close(bridge), bridge.name)

    def _soon(self, work: Coroutine[None, None, None], whose: str) -> None:
        self.changed()
        task = asyncio.get_running_loop().create_task(self._patch(work, whose))
        self._patches.add(task)
        task.add_done_callback(self._patches.discard)

    async def _patch(self, work: Coroutine[None, None, None], whose: str) -> None:
        async with self._patching:
            try:
                await work
            except MediaError as error:  # a port that closed between the asking and the doing
                self._shared.journal.record("iccs", "patch.late", whose=whose, reason=str(error))

    async def unplug(self, jack: MediaPort) -> None:
        """Close a jack once nobody is patching."""
        async with self._patching:
            if self.last_words is not None:
                await self.last_words(jack)
            self._bridges.pop(jack, None)
            await jack.close()

    async def stop(self) -> None:
        """Return when every patch is made."""
        while self._patches:
            await asyncio.gather(*self._patches, return_exceptions=True)

    # Joining

    async def _join(self, conversation: Conversation) -> None:
        legs = [call.leg for call in conversation.up if call.leg is not None]
        tone = HOLD_MUSIC if conversation.is_waiting else RINGING_TONE if conversation.is_ringing else ""
        for leg in legs:
            leg.background(tone, self._shared.clips[tone] if tone else None)
        heard = _parties(conversation)
        seats = {each.jack: each for each in conversation.positions if each.jack is not None}
        if len(heard) > 2:
            await self._conference(conversation, heard)
        for port in heard:
            others = [other for other, speaks in heard.items() if other is not port and speaks]
            radio = self._radio.heard_at(seats[port]) if port in seats else []
            gains = seats[port].listening.headset_gains(radio) if port in seats else None
            whispers = _whispers(seats[port]) if port in seats else []
            voices = [*(others if len(heard) <= 2 else []), *whispers]
            await port.hear(*voices, *radio[: MAX_SOURCES - len(voices)], gains_db=gains)
            if len(heard) <= 2:
                await self._leave_bridge(port)
        for seat in seats.values():
            await self._radio_hears(seat)
            await self._overseers_hear(seat)
        for position in conversation.held_by:
            await self._join_idle(position)

    async def _conference(self, conversation: Conversation, heard: dict[MediaPort, bool]) -> None:
        if conversation.bridge is None:
            self._count += 1
            conversation.bridge = await self._shared.media.open_bridge(f"iccs conference {self._count}")
        for port, speaks in heard.items():
            await conversation.bridge.join(port, speak=speaks)
            self._bridges[port] = conversation.bridge

    async def _leave_bridge(self, port: MediaPort) -> None:
        bridge = self._bridges.pop(port, None)
        if bridge is not None:
            await bridge.leave(port)

    async def _join_position(self, position: Position) -> None:
        if position.conversation is not None:
            await self._join(position.conversation)
        else:
            await self._join_idle(position)

    async def _join_idle(self, position: Position) -> None:
        """A position that talks with nobody hears its talkgroups."""
        if position.conversation is None:
            if position.jack is not None:
                radio = self._radio.heard_at(position)
                overseen = _overheard(position)
                radio = radio[: MAX_SOURCES - len(overseen)]
                await position.jack.hear(*overseen, *radio, gains_db=position.listening.headset_gains(radio))
                await self._leave_bridge(position.jack)
            await self._radio_hears(position)
            await self._overseers_hear(position)

    async def _overseers_hear(self, position: Position) -> None:
        for oversight in position.overseen:
            await self._join_idle(oversight.by)

    async def _radio_hears(self, position: Position) -> None:
        loudspeaker = position.listening.loudspeaker
        if loudspeaker is not None:
            unselected = self._radio.heard_at(position, selected=False)
            await loudspeaker.hear(*unselected, gains_db=position.listening.loudspeaker_gains(unselected))
        jack = position.jack
        for port, holder in self._radio.speakers():
            if holder is position or holder is None:
                await port.hear(*([jack] if holder is position and jack is not None else []))

    async def _join_gateway(self, gateway: Gateway) -> None:
        if gateway.port is not None:
            await gateway.port.hear(*self._radio.spoken_into(gateway))

    async def _part(self, leg: Leg) -> None:
        if leg.joins is not None:
            await leg.joins.hear()
            await self._leave_bridge(leg.joins)

    async def _close(self, bridge: Bridge) -> None:
        for port in [port for port, its in self._bridges.items() if its is bridge]:
            del self._bridges[port]
        await bridge.close()


def _parties(conversation: Conversation) -> dict[MediaPort, bool]:
    """The ports of a conversation's parties; whether each is heard: not a position that keys a talkgroup."""
    legs = (call.leg for call in conversation.up)
    heard = {leg.joins: True for leg in legs if leg is not None and leg.joins is not None}
    return heard | {each.jack: each.keyed is None for each in conversation.positions if each.jack is not None}


def _whispers(position: Position) -> list[MediaPort]:
    """The jacks of supervisors whom a position alone hears."""
    return [each.by.jack for each in position.overseen if each.whispers and each.by.jack is not None]


def _overheard(position: Position) -> list[MediaPort]:
    """What a supervisor who listens in hears: the parties of the conversation there, where there is one."""
    conversation = position.oversees.of.conversation if position.oversees is not None else None
    return [port for port, speaks in _parties(conversation).items() if speaks] if conversation is not None else []
