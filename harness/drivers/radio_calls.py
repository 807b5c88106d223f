"""Calls of two by a radio terminal: to another terminal, simplex or duplex, called, answered and cleared."""

from __future__ import annotations

from harness.endpoints.pei import TerminalEquipment
from harness.errors import DriverError
from harness.journal import Event, Journal

CALL_S = 45.0
"""Seconds within which a private call is answered."""
NEXT_CALL_S = 30.0
"""Seconds within which a call is waited for that is to be answered."""


class PrivateRadioCalls:
    """The part of a terminal that calls another one.

    Events: ``call.ringing`` {issi, priority}, ``call.connected`` {issi, cc}, ``call.ended`` {cause}.
    """

    name: str
    _journal: Journal
    _pei: TerminalEquipment
    _private: tuple[int, int] | None
    """The other's ISSI and the call's instance."""
    _ringing: int | None
    """The ISSI of who rings."""

    async def call(
        self, issi: int, /, *, duplex: bool = False, direct: bool = False, priority: int = 0, within: float = CALL_S
    ) -> None:
        """Call the terminal ``issi`` and return when it has answered; ``direct`` needs no answer.

        In a simplex call the caller has the floor first; ``key_private`` asks for it again. ``priority`` 0 to 15: 12
        and up take the other out of its call, 15 is an emergency. Raises PeiLocalError with the network's cause, or
        InterlockError: nothing has left then.
        """
        self._journal.record(self.name, "call.dialled", issi=issi, duplex=duplex, priority=priority)
        cc = await self._pei.call_terminal(issi, duplex=duplex, direct=direct, priority=priority, within=within)
        self._is_through(issi, cc)

    async def answer(self, *, within: float = NEXT_CALL_S) -> int:
        """Take the call that rings, or the next one within ``within`` seconds; return the caller's ISSI.

        Raises ExpectationError when none comes, DriverError when it is over already, PeiLocalError when it
        can't be taken.
        """
        if self._ringing is None:
            await self._journal.expect(self.name, "call.ringing", after=self._journal.position, within=within)
        issi = self._ringing
        if issi is None:
            raise DriverError(f"{self.name}: the call that rang is over")
        self._is_through(issi, await self._pei.answer())
        return issi

    def _is_through(self, issi: int, cc: int) -> None:
        self._private, self._ringing = (issi, cc), None
        self._journal.record(self.name, "call.connected", issi=issi, cc=cc)

    async def key_private(self) -> None:
        """Ask to talk in the simplex call of two. Raises DriverError when there is none, or it is refused."""
        if self._private is None:
            raise DriverError(f"{self.name}: there is no call of two")
        issi, _ = self._private
        outcome = await self._pei.key(issi)
        if not outcome.granted:
            raise DriverError(f"{self.name}: call with {issi}: {outcome.grant.text}")
        self._journal.record(self.name, "ptt.granted", issi=issi)

    async def unkey_private(self) -> None:
        """Let the key go in the call of two. Raises DriverError when there is none."""
        if self._private is None:
            raise DriverError(f"{self.name}: there is no call of two")
        await self._pei.unkey(self._private[1])

    def _seen_private(self, event: Event) -> None:
        """What the line reports of calls of two."""
        if event.kind == "radio.call_in" and not event.data.get("group"):
            self._ringing = event.data.get("calling")
            self._journal.record(
                self.name, "call.ringing", issi=self._ringing, priority=event.data.get("priority") or 0
            )
        elif event.kind == "radio.released":
            self._ringing = None
            if self._private is not None and self._private[1] == event.data.get("cc"):
                self._private = None

    async def hang_up(self) -> None:
        """Clear what calls are up. Raises PeiLocalError."""
        self._private = self._ringing = None
        await self._pei.hang_up()
