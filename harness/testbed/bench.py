"""A bench: the testbed as a test sees it.

Ask it for a role and it hands over a driver that is bound to what stands behind it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import date
from pathlib import Path
from typing import TypeVar

from harness.drivers.console import Console
from harness.drivers.jack import RtpJack
from harness.drivers.location import LocationService
from harness.drivers.radio import RadioTerminal
from harness.drivers.trunk import EmergencyTrunk
from harness.endpoints.media import MediaService, open_media
from harness.errors import ExpectationError, TestbedError
from harness.evidence.requirements import catalogue
from harness.journal import Journal
from harness.testbed.addresses import Addresses
from harness.testbed.interlock import Interlock
from harness.testbed.model import (
    Binding,
    CallerLocationComponent,
    Component,
    ConsoleComponent,
    IccsComponent,
    RadioGatewayComponent,
    RadioTerminalComponent,
    Testbed,
    TlsSettings,
    TrunkComponent,
)
from harness.testbed.simulation import Simulation
from harness.transport.context import Context

BENCH_CAPTURE, SIMULATORS_CAPTURE = "bench", "simulators"
"""Folders of a run's directory that hold what the drivers' side and the simulators' side captured."""

_C = TypeVar("_C", bound=Component)


class Bench:
    """Drivers for the roles of one testbed, opened when first asked for and closed with the bench."""

    def __init__(
        self, context: Context, testbed: Testbed, interlock: Interlock, addresses: Addresses, media: MediaService
    ) -> None:
        self.context = context
        self.testbed = testbed
        self.interlock = interlock
        self.addresses = addresses
        self.loop = asyncio.get_running_loop()
        self.opened = context.journal.now()
        """Run time at which the bench was opened, seconds."""
        self._media = media
        for entry in addresses:
            if entry.kind in {"sip", "rtp"}:
                context.called(addresses.host_port(entry.name, entry.kind), entry.name)
        self._stack = AsyncExitStack()
        self._trunks: dict[str, EmergencyTrunk] = {}
        self._consoles: dict[str, Console] = {}
        self._terminals: dict[str, RadioTerminal] = {}
        self._locations: dict[str, LocationService] = {}

    @property
    def journal(self) -> Journal:
        """The record of what the bench does and sees."""
        return self.context.journal

    async def trunk(self, name: str | None = None) -> EmergencyTrunk:
        """Return the emergency trunk (the one there is, or the one named)."""
        name, component = self._component(name, TrunkComponent)
        if name not in self._trunks:
            host, _, port = component.local.rpartition(":")
            iccs = self._at(component.to, IccsComponent)
            target = _host_port(iccs.sip) if iccs.sip is not None else self.addresses.host_port(component.to, "sip")
            trunk = await EmergencyTrunk.open(
                self.context,
                self._media,
                name,
                local=(host, int(port)),
                target=target,
                leads_to=component.to,
                permit=self.interlock.dial,
            )
            self._stack.push_async_callback(trunk.close)
            self._trunks[name] = trunk
        return self._trunks[name]

    async def console(self, name: str | None = None) -> Console:
        """Return a console by its component's name, logged in."""
        name, component = self._component(name, ConsoleComponent)
        if name not in self._consoles:
            iccs = self._at(component.of, IccsComponent)
            control = iccs.control or (None if iccs.sip else self.addresses.url(component.of, "http"))
            if control is None:
                raise TestbedError(
                    f"component {component.of!r} is real and has no 'control': no driver can reach {name!r}"
                )
            token = iccs.control_token if iccs.control is not None else iccs.simulator.control_token
            console = await Console.open(
                self.context,
                self._media,
                name,
                control=control,
                position=component.position,
                audio=component.audio,
                token=token.get_secret_value() if token is not None else None,
                permit_dial=self.interlock.dial,
                permit_radio=self.interlock.radio,
            )
            self._stack.push_async_callback(console.close)
            if isinstance(console.headset, RtpJack):
                self.context.called(console.headset.remote, component.of)
            self._consoles[name] = console
        return self._consoles[name]

    async def terminal(self, name: str | None = None) -> RadioTerminal:
        """Return a radio terminal by its component's name, its talkgroup selected."""
        name, component = self._component(name, RadioTerminalComponent)
        if name not in self._terminals:
            simulated = component.binding is Binding.SIMULATED
            serial = component.serial.url
            audio = component.audio
            if simulated:
                serial = self.addresses.url(name, "serial").removeprefix("serial:")
                audio = self.addresses.url(name, "rtp") if audio == "rtp" else audio
            terminal = await RadioTerminal.open(
                self.context,
                self._media,
                name,
                serial=serial,
                baud=component.serial.baud,
                audio=audio,
                talkgroups=self.testbed.talkgroups,
                permit=self.interlock.radio,
            )
            self._stack.push_async_callback(terminal.close)
            if isinstance(terminal.jack, RtpJack):
                self.context.called(terminal.jack.port.address, f"{name} jack")
            await terminal.select(component.talkgroup)
            self._terminals[name] = terminal
        return self._terminals[name]

    async def location_service(self, name: str | None = None) -> LocationService:
        """Return the caller-location service (the one there is, or the one named), a link to it under way."""
        name, component = self._component(name, CallerLocationComponent)
        if name not in self._locations:
            simulated = component.binding is Binding.SIMULATED
            told = component.simulator if simulated else component
            http = self.addresses.url(name, "http") if simulated else None
            key = component.simulator.intake.hmac_key if simulated else component.aml_key
            tls = component.tls
            if simulated and component.simulator.certificate is not None:
                tls = TlsSettings(ca=component.simulator.certificate)
            service = LocationService.open(
                self.context,
                name,
                link=_host_port(component.link) if component.link else self.addresses.host_port(name, "location"),
                aml=http or component.aml,
                control=http,
                codec=told.codec,
                token=told.token.get_secret_value() if told.token is not None else "",
                aml_key=key.get_secret_value().encode() if key is not None else None,
                tls=tls.context() if tls is not None else None,
                permit=self.interlock.locate,
            )
            self._stack.push_async_callback(service.close)
            self._locations[name] = service
        return self._locations[name]

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
    ) -> None:
        """Journal a measure and hold it against its limit.

        The limit, the most that is allowed in ``unit``, is the ``figure`` of the ``requirement`` in the catalogue, or
        ``limit`` where the catalogue has none. Raises ExpectationError, naming both, when it is exceeded, and
        TestbedError for a figure that is not in the catalogue or is in another unit.
        """
        if requirement is not None and figure is not None:
            agreed = catalogue()[requirement].figure(figure)
            if agreed.unit != unit:
                raise TestbedError(f"{requirement}: {figure} is in {agreed.unit}, {name} in {unit}")
            limit = agreed.value
        within = limit is None or value <= limit
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
            raise ExpectationError(f"{name} is {value:.3f} {unit}; at most {limit:g} {unit} is allowed{due}")

    async def close(self) -> None:
        """Close every driver, last opened first, and the media service."""
        await self._stack.aclose()
        await self._media.close()

    def _component(self, name: str | None, kind: type[_C]) -> tuple[str, _C]:
        fitting = {n: c for n, c in self.testbed.components.items() if isinstance(c, kind)}
        if name is None and len(fitting) == 1:
            name = next(iter(fitting))
        if name is None or name not in fitting:
            role = kind.model_fields["role"].annotation
            raise TestbedError(
                f"testbed {self.testbed.name!r} has no component {name or '(unnamed)'!r} for {role}; "
                f"it has {', '.join(fitting) or 'none'}"
            )
        component = fitting[name]
        if component.binding is Binding.MANUAL:
            raise TestbedError(
                f"component {name!r} is bound 'manual': the prompts that lead a tester through it are not built yet; "
                "bind it 'simulated' or 'real'"
            )
        return name, component

    def _at(self, name: str, kind: type[_C]) -> _C:
        component = self.testbed.components[name]
        if not isinstance(component, kind):
            raise TestbedError(f"component {name!r} has role {component.role!r}")
        return component


def _host_port(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


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
) -> AsyncIterator[Bench]:
    """Open a bench on the running loop and close it after.

    In virtual time the simulators run in the same process over the virtual network; else they were started before
    (``iccs simulate``) and ``addresses`` says where they are.
    """
    context = Context.create(
        seed=seed, origin=origin, capture_dir=capture_dir / BENCH_CAPTURE if capture_dir is not None else None
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
            )
            stack.callback(simulators.close)
            simulation = await Simulation.start(simulators, testbed, interlock, virtual=True)
            stack.push_async_callback(simulation.stop)
            addresses = simulation.addresses
        media = await open_media(context, in_process=virtual)
        bench = Bench(context, testbed, interlock, addresses or Addresses(), media)
        stack.push_async_callback(bench.close)
        yield bench
