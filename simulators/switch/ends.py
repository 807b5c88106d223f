"""Who is at the far end of a leg, and who calls: lines with their telephones, trunks with their peers, guests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from simulators.switch.settings.base import SpeechSettings

if TYPE_CHECKING:
    from simulators.switch.lines import Device, Line
    from simulators.switch.trunks import Peer, Trunk


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody who calls or is called, as they are shown."""

    number: str = ""
    """Empty where it is not known."""
    display: str = ""
    withheld: bool = False
    """Whether nobody but trusted trunks is to be told."""
    presented: str = ""
    """The number that From gives, where it is not `number`."""

    @property
    def shown(self) -> str:
        """The number, as a telephone shows it; empty where it may not."""
        return "" if self.withheld else self.presented or self.number


@dataclass(frozen=True, slots=True)
class LineEnd:
    """A telephone of a line."""

    line: Line
    device: Device | None
    """None for one that was let in by its password alone."""

    @property
    def name(self) -> str:
        """The telephone's name in journals and call records."""
        return self.device.name if self.device is not None else f"SEP{self.line.number}"

    @property
    def number(self) -> str:
        """The line's number."""
        return self.line.number

    @property
    def wants(self) -> SpeechSettings:
        """What its speech may be."""
        return self.line.settings


@dataclass(frozen=True, slots=True)
class TrunkEnd:
    """A peer of a trunk."""

    trunk: Trunk
    peer: Peer

    @property
    def name(self) -> str:
        """The trunk's name."""
        return self.trunk.name

    @property
    def number(self) -> str:
        """Trunks have none."""
        return ""

    @property
    def wants(self) -> SpeechSettings:
        """What its speech may be."""
        return self.trunk.settings


@dataclass(frozen=True, slots=True)
class GuestEnd:
    """Somebody who is neither registered nor a trunk."""

    user: str
    name: str = "guest"

    @property
    def wants(self) -> SpeechSettings:
        """What its speech may be: whatever it can."""
        return GUESTS

    @property
    def number(self) -> str:
        """What it calls itself."""
        return self.user


GUESTS: Final = SpeechSettings(secure="optional")
End = LineEnd | TrunkEnd | GuestEnd
