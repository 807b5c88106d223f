"""A radio that calls another one alone: what a suite may ask of TETRA and MCPTT alike."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class PrivateCaller(Protocol):
    """One radio. Whom it calls is told as its technology does: an ISSI on TETRA, a user's name on MCPTT.

    Events common to both, under the radio's name: ``call.ringing`` {priority}, ``call.connected``, ``call.ended``
    {cause}; whom with is ``issi`` or ``user``. While a call of two is up microphone and loudspeaker are on it.
    """

    async def call(
        self, to: Any, /, *, duplex: bool = False, direct: bool = False, priority: int = 0, within: float = ...
    ) -> None:
        """Call and return when it is answered; ``direct`` needs nobody to answer.

        With a floor, the caller has it first. Raises a HarnessError that tells why where it comes to nothing,
        InterlockError where the testbed does not allow it: nothing has left then.
        """

    async def answer(self, *, within: float = ...) -> object:
        """Take the call that rings, or the next one; returns who calls. Raises ExpectationError when none comes."""

    async def key_private(self) -> None:
        """Ask to talk in the call of two. Raises DriverError where it is refused."""

    async def unkey_private(self) -> None:
        """Let the key go in the call of two. Raises DriverError where there is none."""

    async def hang_up(self) -> None:
        """Clear the call of two."""
