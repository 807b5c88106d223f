"""What drivers of simulated systems have in common: a link to the control interface, and its events in the journal."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Final, Self

from harness.drivers.tester import Tester, nobody_stands_by
from harness.endpoints.control_link import ControlLink
from harness.errors import NotPlayedError
from harness.journal import Event
from harness.transport.context import Context

_BY_HAND: Final[Mapping[str, str]] = {
    "down": "take it off the network: connections to it are refused",
    "silent": "have it answer nothing: what is sent to it is dropped",
    "loses_answers": "have its answers dropped, while what it is asked arrives",
    "errors": "have it answer every request with a server error",
    "slow": "have it answer {seconds:g} s late",
}
"""What a tester is asked for, by fault."""


class _Told:
    """A system whose events are journalled under the component's name."""

    def __init__(self, context: Context, name: str) -> None:
        self.name = name
        self._context = context
        self._journal = context.journal

    def _told(self, kind: str, data: dict[str, Any]) -> None:
        self._journal.record(self.name, kind, **data)

    async def expect(self, kind: str, *, within: float, after: int = 0, **with_: Any) -> Event:
        """Return the event that comes, or raise ExpectationError telling what did come."""
        return await self._journal.expect(self.name, kind, within=within, after=after, **with_)


class ToldBySimulator(_Told):
    """A system whose own events only a simulator tells of, and that knows the keys of runs before."""

    own: str
    """What the events begin with that the driver tells itself, of a real one too."""

    def __init__(self, context: Context, name: str) -> None:
        super().__init__(context, name)
        self._run = f"{context.rng.getrandbits(48):012x}"

    @property
    @abstractmethod
    def is_simulated(self) -> bool:
        """Whether it is a simulator."""

    def tells(self, kind: str) -> None:
        """Raise NotPlayedError for an event that only a simulator tells of."""
        if not self.is_simulated and not kind.startswith(self.own):
            raise NotPlayedError(f"{self.name} is real, and {kind} is told by a simulator alone")

    async def expect(self, kind: str, *, within: float, after: int = 0, **with_: Any) -> Event:
        """Return the event that comes. Raises ExpectationError, and as `tells` does."""
        self.tells(kind)
        return await super().expect(kind, within=within, after=after, **with_)

    def _key(self, key: str) -> str:
        """Return a key as the system is told it: this run's own."""
        return f"{self._run}-{key}"


class ControlledSimulator(_Told):
    """A simulated system as whoever runs it sees it."""

    def __init__(self, context: Context, name: str) -> None:
        super().__init__(context, name)
        self._link: ControlLink

    async def _connected(self, control: str, token: str | None) -> Self:
        """Connect to ``control`` (``http://host:port``). Raises DriverError."""
        self._link = await ControlLink.open(self._context, self.name, control, token, self._told)
        return self

    async def close(self) -> None:
        """Disconnect; again does nothing."""
        await self._link.close()


class SimulatedOrReal(_Told):
    """A system that may be a real one; a simulated one has a control interface, where it is made to fail."""

    def __init__(self, context: Context, name: str, *, kind: str) -> None:
        """``kind``: what its own entries in the journal begin with."""
        super().__init__(context, name)
        self._kind = kind
        self._link: ControlLink | None = None
        self.tester: Tester | None = None
        """Who makes a real one fail, where somebody stands by for that."""

    @property
    def is_simulated(self) -> bool:
        """Whether it is a simulator, which lets be done what a real one does not."""
        return self._link is not None

    async def fail(self, fault: str = "down", *, seconds: float = 1.0) -> None:
        """Make it fail: ``down``, ``silent``, ``loses_answers``, ``errors`` or ``slow``.

        Raises DriverError, NotPlayedError where it is real and nobody stands by who can.
        """
        if self._link is None:
            what = _BY_HAND[fault].format(seconds=seconds)
            await self._stands_by().breaks(self.name, "service", what, mended_by="end the fault")
        self._journal.record(self.name, f"{self._kind}.failing", fault=fault)
        if self._link is not None:
            await self._link.ask("PUT", "/fault", {"fault": fault, "seconds": seconds})

    async def recover(self) -> None:
        """End the fault. Raises as `fail`."""
        if self._link is None:
            await self._stands_by().mends(self.name, "service")
        self._journal.record(self.name, f"{self._kind}.recovering")
        if self._link is not None:
            await self._link.ask("DELETE", "/fault")

    def _stands_by(self) -> Tester:
        if self.tester is None:
            raise NotPlayedError(nobody_stands_by(self.name))
        return self.tester

    def _simulated(self) -> ControlLink:
        if self._link is None:
            raise NotPlayedError(f"{self.name} is real, and this only a simulator lets be done")
        return self._link
