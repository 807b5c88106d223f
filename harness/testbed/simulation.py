"""Starts the simulators of a testbed in the order in which they need each other, and stops them."""

from __future__ import annotations

from collections.abc import Collection

from harness.errors import TestbedError
from harness.testbed.addresses import Addresses
from harness.testbed.components import Binding
from harness.testbed.interlock import Interlock
from harness.testbed.model import Testbed
from harness.testbed.starting import STARTERS, Starting
from harness.transport.context import Context
from simulators.calendar import clock_of
from simulators.clocks.room import HOST, ClockRoom


class Simulation:
    """The running simulators of one testbed."""

    def __init__(self, starting: Starting) -> None:
        self._starting = starting

    @property
    def addresses(self) -> Addresses:
        """Where they can be reached."""
        return self._starting.addresses

    @classmethod
    async def start(
        cls,
        context: Context,
        testbed: Testbed,
        interlock: Interlock,
        *,
        virtual: bool,
        names: Collection[str] = (),
        auto_answer: float | None = None,
        auto_advisers: bool = False,
    ) -> Simulation:
        """Start the simulated components of ``testbed`` that a simulator stands for (all, or those named).

        A name is a component's, or a role's, for all of that role. One that is named brings what it stands on: a Webex
        the switch that makes its calls.

        A radio network brings its terminals up with it. ``auto_answer`` lets positions answer by themselves after so
        many seconds, ``auto_advisers`` those that the ICCS's settings describe.

        Raises TestbedError for a name that can't be started, and whatever a simulator raises; nothing stays up then.
        """
        wanted = _wanted(testbed, names)
        simulation = cls(Starting(context, testbed, interlock, virtual, auto_answer, auto_advisers))
        try:
            room = await ClockRoom.start(context, clock_of(context.journal, virtual=virtual))
            simulation._starting.stack.push_async_callback(room.stop)
            for starter in STARTERS:
                for name in wanted:
                    component = testbed.components[name]
                    if isinstance(component, starter.component):
                        await simulation._give_clock(room, name, component.role)
                        await starter.start(simulation._starting, name, component)
        except BaseException:
            await simulation.stop()
            raise
        return simulation

    async def _give_clock(self, room: ClockRoom, name: str, role: str) -> None:
        clock = self._starting.clocks[name] = await room.add(name)
        self._starting.reached(name, role, "ntp", f"ntp://{HOST}:{clock.port}")
        self._starting.reached(name, role, "clock", room.control_url)

    async def stop(self) -> None:
        """Stop every simulator, last started first."""
        await self._starting.stack.aclose()


def startable(testbed: Testbed) -> list[str]:
    """The names of the components for which a simulator can be started."""
    kinds = tuple(starter.component for starter in STARTERS)
    return [
        name
        for name, each in testbed.components.items()
        if each.binding is Binding.SIMULATED and isinstance(each, kinds)
    ]


def load_starters() -> None:
    """Import what starts simulators: no test of a run in virtual time is to wait for it."""
    for starter in STARTERS:
        starter.loaded()


def simulators_of(testbed: Testbed, name: str) -> list[str]:
    """The components that can be started under a name: the one called so, else those of the role (``contact_us``)."""
    can = startable(testbed)
    role = name.replace("-", "_")
    return [name] if name in can else [each for each in can if testbed.components[each].role == role]


def _wanted(testbed: Testbed, names: Collection[str]) -> list[str]:
    can, wanted = startable(testbed), set[str | None]()
    for name in names:
        found = simulators_of(testbed, name)
        if not found:
            raise TestbedError(
                f"no simulator {name!r} in testbed {testbed.name!r}; there is {', '.join(can) or 'none'}"
            )
        wanted.update(found)
    wanted |= {testbed.components[name].stands_on for name in wanted if name is not None}
    return [name for name in can if not names or name in wanted]
