"""A bench: the testbed as a test sees it.

Ask it for a role and it hands over a driver that is bound to what stands behind it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date
from pathlib import Path

from harness.drivers.console import Console
from harness.drivers.jack import RtpJack
from harness.drivers.supervisor import Supervisor
from harness.drivers.tester import Tester
from harness.endpoints.media import MediaPort, MediaService, open_media
from harness.endpoints.media.api import Pacing
from harness.endpoints.sntp import Clock
from harness.errors import DriverError, ExpectationError, NotPlayedError, TestbedError
from harness.evidence.collect import SERVICE
from harness.evidence.progress import AtTheTerminal
from harness.evidence.requirements import catalogue
from harness.journal import EVENTS_IN_MEMORY, Journal
from harness.measure.clocks import Skew, skews
from harness.testbed.addresses import Addresses
from harness.testbed.components import (
    ConsoleComponent,
    McpttServerComponent,
    McpttTerminalComponent,
    RadioGatewayComponent,
    RadioTerminalComponent,
)
from harness.testbed.interlock import Interlock
from harness.testbed.model import Testbed
from harness.testbed.opening.base import Opening
from harness.testbed.places import BENCH_CAPTURE, SIMULATORS_CAPTURE
from harness.testbed.put_back import put_back, radios_of
from harness.testbed.roles import Roles
from harness.testbed.simulation import Simulation
from harness.transport.context import Context
from harness.transport.tap import Address
from harness.transport.virtual_loop import VirtualLoop
from simulators.calendar import clock_of


class Bench(Roles):
    """Drivers for the roles of one testbed, opened when first asked for and closed with the bench."""

    def __init__(
        self,
        context: Context,
        testbed: Testbed,
        interlock: Interlock,
        addresses: Addresses,
        media: MediaService,
        clock: Clock,
    ) -> None:
        """``clock``: this machine's, seconds since 1970; in virtual time the run's."""
        watching = AtTheTerminal()
        standing_by = None if testbed.tester is None else Tester(context, testbed.tester.terminal, watching)
        super().__init__(testbed, Opening(context, testbed, interlock, addresses, media, clock, watching, standing_by))
        self._tester = standing_by
        self.context = context
        self.interlock = interlock
        self.addresses = addresses
        self.loop = asyncio.get_running_loop()
        self.opened = context.journal.now()
        """Run time at which the bench was opened, seconds."""
        self._media = media
        self._is_put_back = False
        for entry in addresses:
            if entry.kind in {"sip", "trunk", "rtp"}:
                context.called(addresses.host_port(entry.name, entry.kind), entry.name)

    @property
    def journal(self) -> Journal:
        """The record of what the bench does and sees."""
        return self.context.journal

    async def headset_lead(self, console: Console, remote: Address) -> MediaPort:
        """Lead a console's headset to ``remote``, which hears what it hears (RTP, G.711 A-law) and can speak into it.

        What is said there is journalled under ``NAME headset lead``. Raises DriverError where the headset is a sound
        device: its sound is not to be had here.
        """
        jack = console.headset
        if not isinstance(jack, RtpJack):
            raise DriverError(f"{console.name}: the headset is a sound device, which can be heard there alone")
        port = await self._media.open_port(f"{console.name} headset lead")
        try:
            await port.connect(remote, dtmf_payload_type=None, rests=True)
            await port.hear(jack.port)
            await jack.port.hear(port)
        except BaseException:
            await port.close()
            raise
        return port

    async def time_passes(self, seconds: float) -> None:
        """Let so much time of the test go by: things last as long as they last. Raises as `has_time_for`."""
        self.has_time_for(seconds)
        await asyncio.sleep(seconds)

    def has_time_for(self, seconds: float) -> None:
        """Raise NotPlayedError where that is real time, and more of it than the testbed's ``longest_wait_s``."""
        longest = self.testbed.longest_wait_s
        if seconds > longest and not isinstance(self.loop, VirtualLoop):
            raise NotPlayedError(
                f"it takes {seconds:,.0f} s of real time, and 'longest_wait_s' of testbed {self.testbed.name!r} is "
                f"{longest:,.0f}"
            )

    async def clock_skews(self) -> list[Skew]:
        """Read every node's clock and return its skew against the testbed's reference, the most wrong first.

        Raises DriverError where one does not answer.
        """
        return skews(await self.clocks().read_all(), reference=self.testbed.clock_reference)

    def status_value(self, number: int) -> int:
        """Return what goes over the air for a radio status of this force.

        Raises TestbedError when the file has none.
        """
        try:
            return self.testbed.statuses[number].value
        except KeyError:
            raise TestbedError(f"status {number} is not under 'statuses' of testbed {self.testbed.name!r}") from None

    def issi(self, name: str) -> int:
        """Return the ISSI of a terminal or gateway by its component's name. Raises TestbedError when there is none."""
        component = self.testbed.components.get(name)
        if not isinstance(component, RadioTerminalComponent | RadioGatewayComponent):
            raise TestbedError(f"testbed {self.testbed.name!r} has no terminal or gateway {name!r}")
        return component.issi

    def radio_id(self, name: str) -> int | str:
        """Return by what another radio calls or texts a radio: an ISSI, or the name of its MCPTT user.

        Raises TestbedError where there is no such radio.
        """
        component = self.testbed.components.get(name)
        return component.user if isinstance(component, McpttTerminalComponent) else self.issi(name)

    def console_id(self, name: str) -> int | str:
        """Return by what consoles know a radio: its ISSI, or its user's MCPTT ID.

        Raises TestbedError where there is no such radio.
        """
        component = self.testbed.components.get(name)
        if not isinstance(component, McpttTerminalComponent):
            return self.issi(name)
        server = self.testbed.components[component.of]
        assert isinstance(server, McpttServerComponent)
        return f"sip:{component.user}@{server.id_domain}"

    def ambience_password(self, console: str) -> str:
        """Return what a console's operator gives for ambience listening. Raises TestbedError where none is told."""
        component = self.testbed.components.get(console)
        password = component.ambience_password if isinstance(component, ConsoleComponent) else None
        if password is None:
            raise TestbedError(f"testbed {self.testbed.name!r} tells no 'ambience_password' of a console {console!r}")
        return password.get_secret_value()

    @property
    def directory(self) -> Path:
        """Where this bench's captures are. Raises TestbedError when it keeps none."""
        if self.context.capture_dir is None:
            raise TestbedError("this bench keeps no captures")
        return self.context.capture_dir.parent

    def measured(
        self,
        name: str,
        value: float,
        unit: str,
        *,
        limit: float | None = None,
        requirement: str | None = None,
        figure: str | None = None,
        at_least: bool = False,
    ) -> None:
        """Journal a measure and hold it against its limit.

        The limit, the most that is allowed in ``unit`` or with ``at_least`` the least, is the ``figure`` of the
        ``requirement`` in the catalogue, or ``limit`` where the catalogue has none. Raises ExpectationError, naming
        both, when it is not kept, and TestbedError for a figure that is not in the catalogue or is in another unit.
        """
        if requirement is not None and figure is not None:
            agreed = catalogue()[requirement].figure(figure)
            if agreed.unit != unit:
                raise TestbedError(f"{requirement}: {figure} is in {agreed.unit}, {name} in {unit}")
            limit = agreed.value
        within = limit is None or (value >= limit if at_least else value <= limit)
        self.journal.record(
            "bench",
            "measure",
            name=name,
            value=round(value, 3),
            unit=unit,
            limit=limit,
            within=within,
            requirement=requirement,
        )
        if not within:
            due = f" ({requirement})" if requirement else ""
            bound = f"at least {limit:g} {unit} is due" if at_least else f"at most {limit:g} {unit} is allowed"
            raise ExpectationError(f"{name} is {value:.3f} {unit}; {bound}{due}")

    def tested(self, component: str, *, service: str, organisation: str, organisation_id: str) -> None:
        """Journal which service a component is, as it told of itself: the certificate has it.

        ``service``: its address; ``organisation``: the tenant's name.
        """
        self.journal.record(
            "bench",
            SERVICE,
            testbed=self.testbed.name,
            component=component,
            binding=self.testbed.components[component].binding.value,
            service=service,
            organisation=organisation,
            organisation_id=organisation_id,
            components={name: each.binding.value for name, each in self.testbed.components.items()},
        )

    async def put_back(self) -> None:
        """Put back what the test left at the control room, as closing does; what can't be is a warning."""
        await put_back(self.journal, dict(self._drivers), self._supervisor_of, radios_of(self.testbed))

    async def _supervisor_of(self, console: Console) -> Supervisor:
        component = self.testbed.components[console.name]
        assert isinstance(component, ConsoleComponent)
        return await self.supervisor(component.of)

    async def pacing(self) -> Pacing:
        """How late this side's own packets left since last asked: what is over it tells nothing of the other side."""
        return await self._media.pacing()

    async def close(self) -> None:
        """Have made well what a tester made fail, put back what was left, close every driver and the media service.

        Drivers are closed last opened first.
        """
        if self._tester is not None:
            await self._tester.mends_all()
        if not self._is_put_back:
            self._is_put_back = True
            await self.put_back()
        await super().close()
        if self._tester is not None:
            await self._tester.close()
        await self._media.close()


@asynccontextmanager
async def open_bench(
    testbed: Testbed,
    *,
    today: date,
    addresses: Addresses | None,
    virtual: bool,
    seed: int | None = None,
    origin: float | None = None,
    capture_dir: Path | None = None,
    auto_advisers: bool = False,
    events: int = EVENTS_IN_MEMORY,
) -> AsyncIterator[Bench]:
    """Open a bench on the running loop and close it after.

    In virtual time the simulators run in the same process over the virtual network, and with ``auto_advisers`` the
    ICCS's advisers answer by themselves as its settings say; else they were started before (``iccs simulate``) and
    ``addresses`` says where they are. ``events``: of each journal, that stay in memory.
    """
    context = Context.create(
        seed=seed,
        origin=origin,
        capture_dir=capture_dir / BENCH_CAPTURE if capture_dir is not None else None,
        events=events,
    )
    interlock = Interlock(testbed, today)
    async with AsyncExitStack() as stack:
        stack.callback(context.close)
        if virtual:
            if interlock.armed:
                raise TestbedError(
                    f"testbed {testbed.name!r} has {', '.join(testbed.real())}: no virtual time with those"
                )
            simulators = Context.create(
                seed=None if seed is None else seed + 1,
                origin=context.journal.origin,
                capture_dir=capture_dir / SIMULATORS_CAPTURE if capture_dir is not None else None,
                events=events,
            )
            stack.callback(simulators.close)
            simulation = await Simulation.start(
                simulators, testbed, interlock, virtual=True, auto_advisers=auto_advisers
            )
            stack.push_async_callback(simulation.stop)
            addresses = simulation.addresses
        media = await open_media(context, in_process=virtual)
        clock = clock_of(context.journal, virtual=virtual)
        bench = Bench(context, testbed, interlock, addresses or Addresses(), media, clock)
        stack.push_async_callback(bench.close)
        yield bench
