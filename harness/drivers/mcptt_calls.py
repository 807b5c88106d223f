"""Calls of two by an MCPTT handset: to another user, half or full duplex, called, answered, declined and cleared."""

from __future__ import annotations

from typing import Final

from harness.drivers.mcptt_floor import EMERGENCY_PRIORITY, GRANT_S, KeyedHandset
from harness.endpoints.mcptt import GroupCall, PrivateCall
from harness.errors import DriverError, ExpectationError, McpttLocalError
from harness.journal import Event
from harness.protocols.mcptt.private import Commencement

CALL_S: Final = 45.0
"""Seconds within which a private call is answered."""
NEXT_CALL_S: Final = 30.0
"""Seconds within which a call is waited for that is to be answered."""
HANG_UP_S: Final = 5.0


class PrivateMcpttCalls(KeyedHandset):
    """The part of a handset that calls another user.

    Events: ``call.dialled`` {user, duplex, priority}, ``call.ringing`` {user, priority}, ``call.connected`` {user},
    ``call.ended`` {user, cause}.
    """

    async def call(
        self, user: str, /, *, duplex: bool = False, direct: bool = False, priority: int = 0, within: float = CALL_S
    ) -> None:
        """Call ``user`` and return when they have answered; ``direct`` asks that the handset answer by itself.

        In a half-duplex call the caller has the floor first; ``key_private`` asks for it again. ``priority`` 0 to 15:
        15 is an emergency. Raises DriverError with the server's reason, ExpectationError where it gives no floor (the
        call is over then), or InterlockError: nothing has left then.
        """
        self._ask("call", user, priority)
        self._journal.record(self.name, "call.dialled", user=user, duplex=duplex, priority=priority)
        before = self._journal.position
        try:
            call = await self._terminal.private.place(
                self._id(user),
                duplex=duplex,
                commencement=Commencement.AUTO if direct else Commencement.MANUAL,
                emergency=priority >= EMERGENCY_PRIORITY,
                implicit_request=not duplex,
                within=within,
            )
        except McpttLocalError as error:
            raise DriverError(f"{self.name}: {user}: {error}") from None
        if isinstance(call, GroupCall):
            try:
                await call.granted(within=GRANT_S, after=before)
            except ExpectationError:
                await self.hang_up()
                raise
            self._keyed = call
        self._journal.record(self.name, "call.connected", user=user)

    async def answer(self, *, within: float = NEXT_CALL_S) -> str:
        """Take the call that rings, or the next one within ``within`` seconds; return who calls.

        Raises ExpectationError when none comes, DriverError when it is over already, or can't be taken.
        """
        if self._terminal.private.ringing is None:
            await self._journal.expect(self.name, "call.ringing", after=self._journal.position, within=within)
        try:
            call = await self._terminal.private.answer()
        except McpttLocalError as error:
            raise DriverError(str(error)) from None
        user = self._name(call.group)
        self._journal.record(self.name, "call.connected", user=user)
        return user

    def answer_by_itself(self, by_itself: bool) -> None:
        """Set whether calls are answered by the handset, where the caller does not want it to ring; they are at first.

        What is answered so shows as ``call.connected``.
        """
        self._terminal.private.commencement = Commencement.AUTO if by_itself else Commencement.MANUAL

    def decline(self) -> None:
        """Refuse the call that rings. Raises DriverError where none does."""
        try:
            self._terminal.private.decline()
        except McpttLocalError as error:
            raise DriverError(str(error)) from None

    async def key_private(self) -> None:
        """Ask to talk in the half-duplex call of two. Raises DriverError when there is none, or it is refused."""
        call = self._in_private()
        if not isinstance(call, GroupCall):
            raise DriverError(f"{self.name}: the call with {self._name(call.group)} is full duplex: there is no key")
        await self._key(call, self._name(call.group), {"user": self._name(call.group)}, 0, GRANT_S)

    async def unkey_private(self) -> None:
        """Let the key go in the call of two. Raises DriverError when there is none, or it is not pressed."""
        if self._keyed is not self._in_private():
            raise DriverError(f"{self.name}: the key is not pressed in the call of two")
        await self.unkey()

    async def hang_up(self) -> None:
        """Clear the call of two, where one is up. Raises SipLocalError where its end is not confirmed."""
        call = self._terminal.private.call
        if call is not None and call.is_up:
            await self._terminal.private.hang_up(within=HANG_UP_S)

    def _in_private(self) -> PrivateCall:
        call = self._terminal.private.call
        if call is None or not call.is_up:
            raise DriverError(f"{self.name}: there is no call of two")
        return call

    def _seen_private(self, event: Event) -> None:
        """What the endpoint reports of calls of two."""
        user = self._name(event.data.get("peer"))
        if event.kind == "private_call.ringing":
            priority = EMERGENCY_PRIORITY if event.data.get("emergency") else 0
            self._journal.record(self.name, "call.ringing", user=user, priority=priority)
        elif event.kind == "private_call.taken":
            self._journal.record(self.name, "call.connected", user=user)
        elif event.kind in ("private_call.over", "private_call.missed"):
            self._journal.record(self.name, "call.ended", user=user, cause=event.data.get("reason"))
