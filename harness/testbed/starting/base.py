"""What starting a simulator needs, and what a starter is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from importlib import import_module

from harness.endpoints.media import MediaService, open_media
from harness.testbed.addresses import Addresses, Reached
from harness.testbed.components.base import BoundComponent
from harness.testbed.interlock import Interlock
from harness.testbed.model import Testbed
from harness.transport.context import Context
from simulators.clocks.room import NodeClock


@dataclass(slots=True)
class Starting:
    """The simulators of a testbed while they come up: what they share, and where they can be reached so far."""

    context: Context
    testbed: Testbed
    interlock: Interlock
    virtual: bool
    """Whether they run in virtual time."""
    auto_answer: float | None
    """Seconds after which positions answer by themselves; None: operators do."""
    auto_advisers: bool
    """Whether the advisers that an ICCS's settings describe answer by themselves."""
    addresses: Addresses = field(default_factory=Addresses)
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    """Takes down what was started, last first."""
    clocks: dict[str, NodeClock] = field(default_factory=dict)
    """The clock of each node that has come up, or is coming up."""
    _media: MediaService | None = None

    async def media(self) -> MediaService:
        """The media service that all simulators of the run share; started for the first that speaks."""
        if self._media is None:
            self._media = await open_media(self.context, in_process=self.virtual)
            self.stack.push_async_callback(self._media.close)
        return self._media

    def reached(self, name: str, role: str, kind: str, url: str) -> None:
        """Note where a component can be reached."""
        self.addresses.add(Reached(name, role, kind, url))


@dataclass(frozen=True, slots=True)
class Starter:
    """How the simulator of one kind of component is started."""

    component: type[BoundComponent]
    function: str
    """``module:function`` of this package. It is imported when one is started: a simulator brings a web framework and
    often a database, and most testbeds have few of them."""

    async def start(self, starting: Starting, name: str, component: BoundComponent) -> None:
        """Start the simulator ``name``. Raises whatever it raises."""
        await self.loaded()(starting, name, component)

    def loaded(self) -> Callable[[Starting, str, BoundComponent], Awaitable[None]]:
        """Import the function, where that was not done yet, and return it."""
        module, function = self.function.split(":")
        found: Callable[[Starting, str, BoundComponent], Awaitable[None]] = getattr(
            import_module(f"{__package__}.{module}"), function
        )
        return found
