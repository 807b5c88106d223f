"""What an operator does with calls at a console: takes, places, holds, passes on, joins and clears them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Literal
from urllib.parse import quote

from harness.errors import DriverError
from harness.journal import Journal
from harness.protocols.rtp.text import shown

PermitDial = Callable[[str], None]
_RINGS_NO_MORE = frozenset({"call.taken", "call.withdrawn", "call.abandoned", "call.cleared", "call.connected"})


class CallHandling(ABC):
    """The telephone part of a console.

    Whatever makes the ICCS ring somebody asks the safety interlock first: a number that is dialled, consulted or
    passed on to, a caller who is rung back, and a callback that is taken, for taking it rings the caller.
    """

    name: str
    position: str
    _journal: Journal
    _permit_dial: PermitDial
    _ringing_callbacks: dict[str, tuple[str, str]]
    """Queue and number of each callback that rings here, by call."""

    @abstractmethod
    async def _act(self, action: str, path: str | None = None, **body: Any) -> dict[str, Any]:
        """Note what the operator does, then do it. Raises DriverError."""

    @abstractmethod
    async def _look(self, path: str) -> dict[str, Any]:
        """Return what the control interface shows under ``/v1/{path}``. Raises DriverError."""

    # Taking and placing

    async def answer(self, *, queue: str | None = None, call: str | None = None) -> str:
        """Take the call named, else the oldest of ``queue``, else the first that rings here; return its id.

        The conversation is up when ``call.connected`` is journalled. Raises DriverError when there is none to take,
        InterlockError when it may be a callback to a number that the testbed does not allow.
        """
        for number in self._callbacks(queue, call):
            self._permit_dial(number)
        return str((await self._act("answer", **_given(queue=queue, call=call)))["call"])

    def _callbacks(self, queue: str | None, call: str | None) -> list[str]:
        """Numbers of the callbacks that ring here and may be what is taken."""
        return [
            number
            for id_, (its_queue, number) in self._ringing_callbacks.items()
            if call in (None, id_) and queue in (None, its_queue)
        ]

    def _seen(self, kind: str, data: dict[str, Any]) -> None:
        """Keep which callbacks ring here; the journal has their numbers masked."""
        call = str(data.get("call"))
        if kind == "call.ringing" and data.get("callback"):
            self._ringing_callbacks[call] = (str(data.get("queue")), str(data.get("cli")))
        elif kind in _RINGS_NO_MORE:
            self._ringing_callbacks.pop(call, None)

    async def dial(self, number: str) -> str:
        """Call a position, a telephone of the switch or a number in the network, and return the call's id.

        Raises DriverError when that can't be done, InterlockError when the testbed does not allow it: nothing has left
        then.
        """
        self._permit_dial(number)
        return str((await self._act("dial", number=number))["call"])

    async def redial(self, record: str | None = None) -> str:
        """Ring back the caller of a call record, or of the latest call here; return the new call's id.

        Raises DriverError where there is no such record or its number is not known, InterlockError when the testbed
        does not allow it.
        """
        named = record or (await self._look(f"positions/{quote(self.position, safe='')}")).get("last_record")
        if named is None:
            raise DriverError(f"{self.name}: redial: there was no call here yet")
        number = (await self._look(f"calls/{quote(str(named), safe='')}")).get("cli")
        if number is None:
            raise DriverError(f"{self.name}: redial: the number of {named} is not known")
        self._permit_dial(str(number))
        return str((await self._act("redial", record=named))["call"])

    async def clear(self) -> None:
        """Clear the call, or go out of a conference. Raises DriverError when there is none."""
        await self._act("clear")

    # Holding

    async def hold(self) -> str:
        """Put the call on hold; return its id. Raises DriverError when there is none."""
        return str((await self._act("hold"))["call"])

    async def resume(self, call: str | None = None) -> str:
        """Take a call off hold, the latest unless one is named; return its id. Raises DriverError."""
        return str((await self._act("resume", **_given(call=call)))["call"])

    # Passing on and joining

    async def consult(self, to: str) -> str:
        """Put the call on hold and ring somebody about it; return the enquiry's id. Raises as `dial`."""
        self._permit_dial(to)
        return str((await self._act("consult", to=to))["call"])

    async def transfer(self, to: str | None = None) -> str:
        """Pass the call on: to a position, a queue or a number, or to the enquiry's party; return its id.

        Raises as `dial`. A queue's name is asked of the interlock as well: this driver can't tell it from an extension.
        """
        if to is not None:
            self._permit_dial(to)
        return str((await self._act("transfer", **_given(to=to)))["call"])

    async def conference(self, to: str | None = None) -> str:
        """Join the enquiry with the call on hold, or ring ``to`` into the call; return its id. Raises as `dial`."""
        if to is not None:
            self._permit_dial(to)
        return str((await self._act("conference", **_given(to=to)))["call"])

    async def leave(self) -> None:
        """Go out of the conference; the others go on. Raises DriverError where nobody would be left."""
        await self._act("leave")

    async def drop(self, call: str) -> None:
        """Clear one party of the conference. Raises DriverError where it is not in it."""
        await self._act("drop", call=call)

    # In the call

    async def send_dtmf(self, digits: str) -> None:
        """Send digits to the other side of the call."""
        await self._act("dtmf", digits=digits)

    async def type_text(self, text: str) -> None:
        """Type to a caller by real-time text (RFC 4103). Raises DriverError where the call has none."""
        await self._act("type", text=text)

    def read(self, call: str) -> str:
        """What the other side of a call has typed so far, as the position shows it."""
        pieces = [
            str(event.data.get("text", ""))
            for event in self._journal
            if (event.source, event.kind) == (self.name, "call.text") and event.data.get("call") == call
        ]
        return shown("".join(pieces))

    async def reads(self, text: str, *, call: str, within: float) -> None:
        """Return when ``text`` stands in what the other side of a call has typed. Raises ExpectationError."""
        until = self._journal.now() + within
        after = self._journal.position
        while text not in self.read(call):
            left = max(0.0, until - self._journal.now())
            after = (await self._journal.expect(self.name, "call.text", within=left, after=after, call=call)).seq

    async def ask_operator(self, what: Literal["leave", "return"]) -> None:
        """Ask the 999 operator on the line to leave, or to come back. Raises DriverError where it can't be asked."""
        await self._act("operator", operator=what)

    async def hold_line(self) -> None:
        """Ask the 999 network to keep the caller's landline. Raises DriverError where it can't be asked."""
        await self._act("hold_line", "hold-line")

    async def enter_location(
        self, text: str | None = None, *, latitude: float | None = None, longitude: float | None = None
    ) -> None:
        """Write down where the caller says it is: in words, or in degrees (WGS 84). Raises DriverError."""
        await self._act("location", **_given(text=text, latitude=latitude, longitude=longitude))

    async def tag_nuisance(self, *, record: str | None = None, note: str = "") -> str:
        """Tag a nuisance call, the latest one unless a record is named; return the record, which is preserved now."""
        return str((await self._act("nuisance", **_given(record=record), note=note))["record"])

    # Duty

    async def go(self, state: Literal["available", "break"]) -> None:
        """Go available, which ends wrap-up too, or on break, now or after the call in hand."""
        await self._act("state", state=state)


def _given(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
