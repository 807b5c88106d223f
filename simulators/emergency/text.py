"""What is written in a call: passed between caller and control room, kept until there is one, shown to operators."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from harness.endpoints.media.ports import MAX_TEXT
from harness.protocols.rtp.text import ERASE, LINE
from simulators.emergency.conference import CALLER

if TYPE_CHECKING:
    from simulators.emergency.call import EmergencyCall
    from simulators.emergency.leg import Leg

MAX_BACKLOG: Final = 8_000
"""Characters of the caller's that are kept for a control room that has not answered; the last ones."""
MAX_LINE: Final = 1_000
"""Characters of one line of the control room's that go into a text message; a longer line is cut into several."""
_ENDS: Final = (LINE, "\n")


class TextLine:
    """The writing of one call. On an emergencySMS call the caller's side is text messages."""

    def __init__(self, call: EmergencyCall) -> None:
        self._call = call
        self._taken: dict[Leg, int] = {}
        self._backlog = ""
        self._line = ""
        self._send: Callable[[str], None] | None = None
        self._closed: Callable[[], None] = lambda: None
        self._writing = asyncio.Lock()

    @property
    def is_sms(self) -> bool:
        """Whether the caller's side is text messages."""
        return self._send is not None

    def by_sms(self, send: Callable[[str], None], closed: Callable[[], None]) -> None:
        """Have what the control room writes go out by ``send``, a line at a time; ``closed`` is told of the end."""
        self._send, self._closed = send, closed

    def arrived(self, who: str) -> None:
        """Something was written by a party."""
        # The port keeps it only after the journal was told.
        asyncio.get_running_loop().call_soon(self._take, who)

    def _take(self, who: str) -> None:
        call = self._call
        leg = call.caller if who == CALLER else call.room
        if call.over or leg is None or leg.text is None:
            return
        whole = leg.text.received()
        new = whole[self._taken.get(leg, 0) :]
        self._taken[leg] = len(whole)
        if len(whole) >= MAX_TEXT:
            call.plant.journal.warn(leg.name, "call.text_ends", characters=MAX_TEXT)
            return
        if new:
            self.written(who, new)

    def written(self, who: str, text: str) -> None:
        """A party wrote: it goes to the other side, or waits for it."""
        call = self._call
        call.tell("call.text", by=who, text=text)
        if who == CALLER:
            self._backlog = (self._backlog + text)[-MAX_BACKLOG:]
            call.plant.spawn(self._flush())
        elif self._send is not None:
            self._by_lines(text)
        elif call.caller is not None:
            call.plant.spawn(self._to(call.caller, text))

    def typed(self, text: str) -> None:
        """The operator writes, to caller and control room."""
        call = self._call
        call.tell("call.text", by="operator", text=text)
        if self._send is not None:
            self._by_lines(text + LINE)
        for leg in (call.caller, call.room):
            if leg is not None:
                call.plant.spawn(self._to(leg, text))

    def room_reads(self) -> None:
        """The control room can read now: what was written before comes first."""
        self._call.plant.spawn(self._flush())

    async def _flush(self) -> None:
        async with self._writing:
            room = self._call.room
            if room is not None and room.writes and self._backlog:
                text, self._backlog = self._backlog, ""
                await room.write(text)

    async def _to(self, leg: Leg, text: str) -> None:
        async with self._writing:
            await leg.write(text)

    def _by_lines(self, text: str) -> None:
        assert self._send is not None
        for char in text:
            if char == ERASE:
                self._line = self._line[:-1]
            elif char in _ENDS or len(self._line) >= MAX_LINE:
                self._end_line()
                self._line = "" if char in _ENDS else char
            elif char != "\r":
                self._line += char

    def _end_line(self) -> None:
        assert self._send is not None
        line = self._line.strip()
        if line:
            self._send(line)

    def close(self) -> None:
        """The call is over: a line that was not ended goes out as it is."""
        if self._send is not None:
            self._end_line()
            self._line = ""
            self._closed()
