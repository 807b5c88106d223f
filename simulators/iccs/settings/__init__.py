"""What an ICCS simulator is told at its start: addresses, positions, queues, menus, trunks, subscribers."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, model_validator

from simulators.iccs.settings.advisers import AutoAdviserSettings
from simulators.iccs.settings.base import MAX_CALLS, MAX_POSITIONS, Number, PositionId, QueueName, Role, Seconds
from simulators.iccs.settings.core import CoreSettings
from simulators.iccs.settings.ivr import IvrSettings
from simulators.iccs.settings.layouts import ROLE_LAYOUTS, Layouts, LayoutSettings
from simulators.iccs.settings.positions import AnyPosition, PositionRange, PositionSettings, SubscriberSettings
from simulators.iccs.settings.queues import CriticalSettings, QueueSettings
from simulators.iccs.settings.radio import RadioSettings
from simulators.iccs.settings.trunks import HostPort, TrunkSettings
from simulators.settings import Strict

__all__ = [
    "CRITICAL_QUEUE",
    "MAX_CALLS",
    "MAX_POSITIONS",
    "IccsSettings",
    "Number",
    "PositionId",
    "PositionRange",
    "PositionSettings",
    "QueueSettings",
    "Role",
    "SubscriberSettings",
]

CRITICAL_QUEUE = "critical"
"""What calls to critical numbers are shown under; no queue of that name can be laid out."""


class LocationLink(Strict):
    """Where the caller-location service is, and when it is asked. Only callers in an emergency are located."""

    service: HostPort | None = None
    """Where it takes links; None: the simulated caller-location service of the testbed, where there is one."""
    codec: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] = "iccs"
    token: SecretStr | None = None
    ask: Literal["presentation", "answer"] = "presentation"
    """Whether it is asked when a call comes or when it is answered."""
    prompt_after_s: Seconds = 2.0
    """After the answer, if nothing is known by then: the adviser is prompted to ask the caller. [p]"""


class CommandControlSide(Strict):
    """This control room's side of the link to command and control (docs/interfaces/command-control.md)."""

    element: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] = "iccs"
    """What this control room is called in what it tells."""
    outbox: Path | None = None
    """The file in which what is to be told waits; left out: one that goes with the simulator, whatever waits in it."""


class CrmSide(Strict):
    """Where callers are looked up as they are answered (docs/crm.md)."""

    service: Annotated[str, Field(pattern=r"^https?://[^/\s]+$")] | None = None
    """Where a CRM is asked; None: the simulated CRM of the testbed, where there is one."""
    adapter: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")] = "iccs"
    """The CRM's interface: ours, or an installed adapter's name."""
    token: SecretStr | None = None
    within_s: float = Field(default=2.0, gt=0, le=30)
    """How long an answer is waited for before the console says that there is none; an adapter has bounds of its own."""


class DirectorySide(Strict):
    """Where this control room's directory (phone book) comes from, beside the testbed's feed."""

    every_s: float = Field(default=20.0, ge=1, le=300)
    """Seconds from one reading to the next. 300 is NICCS-INT-009's five minutes; that it can't be read is an alarm
    within NICCS-RES-008's 30 s. [p]"""
    file: Path | None = None
    """A CSV file that is read as well (docs/interfaces/directory.md)."""


class TapSettings(Strict):
    """How a caller who can't speak says yes and no by pressing keys: so many presses in a row."""

    yes: int = Field(default=1, ge=1, le=9)
    """[p]"""
    no: int = Field(default=2, ge=1, le=9)
    """[p]"""
    window_s: float = Field(default=1.5, gt=0, le=10)
    """Presses closer together than this belong together. [p]"""


class RecorderSettings(Strict):
    """What each of the two recorders keeps, in memory; beyond, the oldest leg goes that is over and not held."""

    mib: int = Field(default=256, ge=1, le=65_536)
    """MiB of speech (A-law): nine hours of one leg."""
    legs: int = Field(default=50_000, ge=1, le=10_000_000)


class IccsSettings(Strict):
    """An ICCS as the testbed file describes it."""

    host: str = "127.0.0.1"
    sip_port: int = Field(default=0, ge=0, le=65535)
    """UDP port of the switch, and of its first trunk; 0 takes any free one."""
    control_port: int = Field(default=0, ge=0, le=65535)
    """TCP port of the control interface; 0 takes any free one."""
    control_token: SecretStr | None = None
    """Bearer token that the control interface asks for; needed where ``host`` is not a loopback address."""
    realm: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] = "niccs"
    """What telephones are asked to register for."""
    digest: tuple[Literal["SHA-256", "MD5"], ...] = Field(default=("MD5", "SHA-256"), min_length=1, max_length=2)
    """Digest algorithms that are offered, in that order. RFC 8760 wants the better one first; telephones of before it
    look at the first alone and know only MD5, and control rooms have many of those.
    """
    positions: tuple[AnyPosition, ...] = ()
    trunks: tuple[TrunkSettings, ...] = Field(default=(TrunkSettings(name="primary"),), min_length=1, max_length=16)
    """The first is reached at ``sip_port``, and telephones register there."""
    queues: dict[QueueName, QueueSettings] = Field(
        default_factory=lambda: {
            "emergency": QueueSettings(numbers=("999", "112")),
            "non_emergency": QueueSettings(numbers=("101",)),
        }
    )
    """Earlier queues are served first. ``emergency: ["999", "112"]`` is short for a queue with those numbers."""
    critical: CriticalSettings = CriticalSettings()
    ivr: IvrSettings = IvrSettings()
    announcements: Path | None = None
    """Folder of the WAV files that callers hear (8 kHz, mono, 16 bits); None: the project's."""
    media: Literal["packets", "none"] = "packets"
    """``none``: every stream is answered inactive and no RTP leaves, for load at the level of signalling."""
    location: LocationLink = LocationLink()
    command_control: CommandControlSide = CommandControlSide()
    crm: CrmSide = CrmSide()
    directory: DirectorySide = DirectorySide()
    core: CoreSettings = CoreSettings()
    taps: TapSettings = TapSettings()
    radio: RadioSettings = RadioSettings()
    recordings_kept_s: float = Field(default=31 * 86_400.0, ge=60, le=10 * 366 * 86_400.0)
    """For how long recordings are kept, seconds; held ones for longer. [p]"""
    recorder: RecorderSettings = RecorderSettings()
    wait_bands_s: tuple[Seconds, ...] = Field(default=(10, 60), min_length=1, max_length=10)
    """Where the bands of waiting times begin that calls are counted by: under 10 s, 10 to 59 s, 60 s and more."""
    transfer_ring_s: float = Field(default=20.0, gt=0, le=600)
    """How long a transferred call rings before it comes back. [p]"""
    ambience_password: SecretStr | None = None
    """What a position with the right to it gives to open a terminal's microphone; None: nobody may."""
    own_number: Number = "+441414960101"
    """The number that the network is told when a position calls somebody."""
    route_s: float = Field(default=4.0, gt=0, le=60)
    """How long a trunk may say nothing to a call of ours before the next one is tried. [p]"""
    layouts: Layouts = Field(default_factory=dict)
    """What a role's console shows; a role that is left out has `ROLE_LAYOUTS`' of it."""
    tells_of_monitoring: bool = True
    """Whether a position is told that a supervisor monitors it; of a whisper it always is. [p]"""
    audit_trail: Path | None = None
    """A file in which every act at the control interface is entered for good (`iccs audit verify`); None: in memory."""
    ahead: tuple[str, ...] = ("relay",)
    """Flags whose calls go ahead of the others in their queue (NICCS-TEL-019)."""
    ring_s: float = Field(default=60.0, gt=0, le=600)
    """Seconds for which a call placed by a position rings before it is given up."""
    records_kept: int = Field(default=100_000, ge=1, le=1_000_000)
    """Call records in memory; beyond it the oldest goes that is over and not marked to be preserved."""
    states_kept: int = Field(default=200_000, ge=1, le=10_000_000)
    """Newest rows of advisers' states that the workforce feed keeps in memory."""
    wallboard_every_s: float = Field(default=1.0, gt=0, le=60)
    """How often at most a wallboard is told of changes."""
    auto_advisers: AutoAdviserSettings | None = None
    """Advisers that answer by themselves, once `iccs simulate --auto-advisers` or a test lets them."""
    subscribers: tuple[SubscriberSettings, ...] = ()
    feeds_folder: Path | None = None
    """Where files for workforce management are written, two each quarter of an hour; left out: they are had by REST."""

    @model_validator(mode="before")
    @classmethod
    def _short_queues(cls, given: Any) -> Any:
        queues = given.get("queues") if isinstance(given, dict) else None
        if not isinstance(queues, dict):
            return given
        longer = {name: {"numbers": each} if isinstance(each, list | tuple) else each for name, each in queues.items()}
        return {**given, "queues": longer}

    @model_validator(mode="after")
    def _fits_together(self) -> IccsSettings:
        if CRITICAL_QUEUE in self.queues:
            raise ValueError(f"{CRITICAL_QUEUE!r} is what critical numbers are shown under; name the queue otherwise")
        wanted = [target.queue for target in self.ivr.targets()]
        wanted += [queue.overflow.to for queue in self.queues.values() if queue.overflow is not None]
        for name in wanted:
            if name is not None and name not in self.queues:
                raise ValueError(f"there is no queue {name!r}; there is {', '.join(self.queues)}")
        numbers = [number for queue in self.queues.values() for number in queue.numbers]
        for number, times in Counter([*numbers, *self.critical.numbers, *self.ivr.numbers]).items():
            if times > 1:
                raise ValueError(f"number {number} leads to {times} places")
        for name, times in Counter(trunk.name for trunk in self.trunks).items():
            if times > 1:
                raise ValueError(f"trunk {name!r} is listed twice")
        if list(self.wait_bands_s) != sorted(set(self.wait_bands_s)) or not self.wait_bands_s[0]:
            raise ValueError("'wait_bands_s' are times above 0, each longer than the one before")
        return self

    def layout_of(self, role: Role) -> LayoutSettings:
        """What a role's console shows."""
        return self.layouts.get(role) or ROLE_LAYOUTS[role]

    def each_position(self) -> list[PositionSettings]:
        """Return every position once; one named by itself goes before its place in a row."""
        rows = (row.each() if isinstance(row, PositionRange) else [row] for row in self.positions)
        found: dict[str, PositionSettings] = {}
        singles = {row.id: row for row in self.positions if isinstance(row, PositionSettings)}
        for row in rows:
            for position in row:
                found.setdefault(position.id, singles.get(position.id, position))
        return list(found.values())
