"""What opening a driver needs of the bench."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from harness.drivers.made_to_fail import ByHand
from harness.drivers.tester import Tester, Watching, nobody_stands_by
from harness.endpoints.media import MediaService
from harness.endpoints.sntp import Clock
from harness.errors import NotPlayedError, TestbedError
from harness.testbed.addresses import Addresses
from harness.testbed.components.base import Binding, BoundComponent
from harness.testbed.interlock import Interlock
from harness.testbed.model import Testbed
from harness.transport.context import Context
from harness.transport.tap import Address

_C = TypeVar("_C", bound=BoundComponent)


@dataclass(frozen=True, slots=True)
class Opening:
    """What drivers of one bench share."""

    context: Context
    testbed: Testbed
    interlock: Interlock
    addresses: Addresses
    """Where simulated components are."""
    media: MediaService
    clock: Clock
    """The testing machine's clock, seconds since 1970; in virtual time the run's."""
    watching: Watching
    """Who is told what testers are asked."""
    tester: Tester | None = None
    """Who makes real equipment fail, where somebody stands by."""

    def by_hand(self, name: str) -> ByHand:
        """What makes a real component fail. Raises NotPlayedError where nobody stands by."""
        if self.tester is None:
            raise NotPlayedError(nobody_stands_by(name))
        return ByHand(name, self.tester)

    def only_simulated(self, name: str, what: str) -> None:
        """Raise NotPlayedError where a component is not a simulator, and ``what`` only a simulator lets be done."""
        if self.testbed.components[name].binding is not Binding.SIMULATED:
            raise NotPlayedError(f"{name} is not simulated, and {what}")

    def at(self, name: str, kind: type[_C]) -> _C:
        """The component that another one names. Raises TestbedError where it has another role."""
        component = self.testbed.components[name]
        if not isinstance(component, kind):
            raise TestbedError(f"component {name!r} has role {component.role!r}")
        return component

    def sip(self, name: str) -> Address:
        """Where a component takes calls: as the file says of real equipment, else where its simulator is."""
        told: str | None = getattr(self.testbed.components[name], "sip", None)
        return host_port(told) if told is not None else self.addresses.host_port(name, "sip")


def host_port(text: str) -> Address:
    """``host:port`` as an address."""
    host, _, port = text.rpartition(":")
    return host, int(port)
