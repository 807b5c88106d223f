"""Starts the simulators of a testbed in the order in which they need each other, and stops them."""

from __future__ import annotations

from collections.abc import Collection
from contextlib import AsyncExitStack

from harness.endpoints.media import open_media
from harness.errors import TestbedError
from harness.testbed.addresses import Addresses, Reached
from harness.testbed.interlock import Interlock
from harness.testbed.model import (
    SIMULATED_BY_ITSELF,
    Binding,
    CallerLocationComponent,
    IccsComponent,
    RadioGatewayComponent,
    RadioNetworkComponent,
    RadioTerminalComponent,
    Testbed,
)
from harness.transport.context import Context
from simulators.iccs import GatewayLine, IccsSimulator
from simulators.location import LocationSimulator
from simulators.radio import RadioConfig, RadioNetwork, TerminalConfig


class Simulation:
    """The running simulators of one testbed."""

    def __init__(self, testbed: Testbed, addresses: Addresses) -> None:
        self._testbed = testbed
        self._stack = AsyncExitStack()
        self.addresses = addresses

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
    ) -> Simulation:
        """Start the simulated components of ``testbed`` that a simulator stands for (all, or those named).

        A radio network brings its terminals up with it. ``auto_answer`` lets positions answer by themselves after so
        many seconds. Raises TestbedError for a name that can't be started, and whatever a simulator raises; nothing
        stays up then.
        """
        simulation = cls(testbed, Addresses())
        wanted = simulation._wanted(names)
        try:
            for name in wanted:
                component = testbed.components[name]
                if isinstance(component, CallerLocationComponent):
                    await simulation._start_location(context, name, component, virtual=virtual)
            if all(isinstance(testbed.components[name], CallerLocationComponent) for name in wanted):
                return simulation  # nobody speaks: no media
            media = await open_media(context, in_process=virtual)
            simulation._stack.push_async_callback(media.close)
            for name in wanted:
                component = testbed.components[name]
                if isinstance(component, RadioNetworkComponent):
                    radio = await RadioNetwork.start(
                        context, media, simulation._radio_config(component), virtual=virtual
                    )
                    simulation._stack.push_async_callback(radio.stop)
                    for each in radio.addresses():
                        url = f"serial:{each['url']}" if each["kind"] == "serial" else each["url"]
                        simulation.addresses.add(Reached(each["name"], each["role"], each["kind"], url))
            for name in wanted:
                component = testbed.components[name]
                if isinstance(component, IccsComponent):
                    iccs = await IccsSimulator.start(
                        context,
                        media,
                        component.simulator,
                        gateways=simulation._gateways(),
                        talkgroups=testbed.talkgroups,
                        permit_dial=interlock.dial,
                        permit_radio=interlock.radio,
                        auto_answer=auto_answer,
                    )
                    simulation._stack.push_async_callback(iccs.stop)
                    host, port = iccs.sip_address
                    simulation.addresses.add(Reached(name, component.role, "sip", f"sip:{host}:{port}"))
                    simulation.addresses.add(Reached(name, component.role, "http", iccs.control_url))
        except BaseException:
            await simulation.stop()
            raise
        return simulation

    async def _start_location(
        self, context: Context, name: str, component: CallerLocationComponent, *, virtual: bool
    ) -> None:
        location = await LocationSimulator.start(context, component.simulator, name=name, virtual=virtual)
        self._stack.push_async_callback(location.stop)
        host, port = location.link_address
        scheme = "tcp" if component.simulator.certificate is None else "tls"
        self.addresses.add(Reached(name, component.role, "location", f"{scheme}://{host}:{port}"))
        self.addresses.add(Reached(name, component.role, "http", location.http_url))

    async def stop(self) -> None:
        """Stop every simulator, last started first."""
        await self._stack.aclose()

    def _wanted(self, names: Collection[str]) -> list[str]:
        can = [
            name
            for name, each in self._testbed.components.items()
            if each.binding is Binding.SIMULATED and isinstance(each, SIMULATED_BY_ITSELF)
        ]
        for name in names:
            if name not in can:
                raise TestbedError(
                    f"no simulator {name!r} in testbed {self._testbed.name!r}; there is {', '.join(can) or 'none'}"
                )
        return [name for name in can if not names or name in names]

    def _radio_config(self, component: RadioNetworkComponent) -> RadioConfig:
        terminals = [
            TerminalConfig(name, each.issi, each.talkgroup, role=each.role, baud=each.serial.baud)
            for name, each in self._testbed.components.items()
            if isinstance(each, RadioGatewayComponent | RadioTerminalComponent) and each.binding is Binding.SIMULATED
        ]
        return RadioConfig(
            talkgroups=dict(self._testbed.talkgroups), terminals=terminals, mcc=component.mcc, mnc=component.mnc
        )

    def _gateways(self) -> list[GatewayLine]:
        """Return the gateway terminals that are there to be driven: real ones, and simulated ones that were started."""
        lines = []
        started = {entry.name for entry in self.addresses}
        for name, each in self._testbed.components.items():
            if not isinstance(each, RadioGatewayComponent) or (
                each.binding is Binding.SIMULATED and name not in started
            ):
                continue
            if each.binding is Binding.SIMULATED:
                serial = self.addresses.url(name, "serial").removeprefix("serial:")
                audio = self.addresses.url(name, "rtp")
            else:
                serial, audio = each.serial.url, each.audio
            lines.append(GatewayLine(name, each.talkgroup, serial, each.serial.baud, audio))
        return lines
