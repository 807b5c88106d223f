"""An enterprise switch as the testbed file describes it, and whether its parts fit one another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from harness.errors import DialPlanError
from harness.protocols.cdr.file_series import DEFAULT_INTERVAL
from harness.protocols.sip.dial_plan import Pattern
from simulators.switch.settings.base import Reachable, Strict
from simulators.switch.settings.groups import MAX_GROUPS, CallQueueSettings, HuntGroupSettings
from simulators.switch.settings.lines import MAX_LINES, LineSettings
from simulators.switch.settings.services import (
    CodeSettings,
    ConferenceSettings,
    IntercomSettings,
    MusicSettings,
    ParkSettings,
    PickupSettings,
    VoicemailSettings,
)
from simulators.switch.settings.sites import MAX_SITES, EmergencySettings, SiteSettings
from simulators.switch.settings.trunks import MAX_ROUTES, MAX_TRUNKS, RouteSettings, TrunkSettings

MAX_CALLS = 2_000
"""Legs that a switch carries at once; a further call is answered 503."""


class TlsSettings(Strict):
    """Certificates of the switch, as PEM files."""

    certificate: Path
    key: Path | None = None
    """None where it is in the same file."""
    authority: Path | None = None
    """Who may have signed the certificates of those whom we connect to, and of those who must show one."""
    mutual: bool = False


class RecordSettings(Strict):
    """Call records (docs/call-records.md)."""

    folder: Path | None = None
    """Where files are put; a folder of the run's where left out."""
    interval_s: float = Field(default=DEFAULT_INTERVAL, ge=1, le=3600)
    """Seconds after which a file is closed that has records."""
    cluster: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,50}$")] = "StandAloneCluster"
    node: int = Field(default=1, ge=1, le=999)
    keep_files: int = Field(default=10_000, ge=1, le=1_000_000)
    """Files of a run's own folder; the oldest goes for one more."""


class SwitchSettings(Strict):
    """One enterprise switch."""

    host: str = "127.0.0.1"
    sip_port: int = Field(default=0, ge=0, le=65535)
    """Port for SIP over UDP and TCP; 0 takes any free one."""
    sips_port: int = Field(default=0, ge=0, le=65535)
    tls: Literal["off", "generated"] | TlsSettings = "off"
    """``generated``: a certificate of an authority made for the run, whose PEM file is told with the addresses."""
    control_port: int = Field(default=0, ge=0, le=65535)
    control_token: SecretStr | None = None
    """Bearer token that the control interface asks for; needed where ``host`` is not a loopback address."""
    realm: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")] = "switch"
    digest: tuple[Literal["SHA-256", "MD5"], ...] = Field(default=("MD5", "SHA-256"), min_length=1, max_length=2)
    """Digest algorithms that are offered, in that order (decision 12)."""
    guests: bool = False
    """Whether who is neither registered nor a trunk may call numbers within the switch. They never get out of it."""
    least_registration_s: int = Field(default=10, ge=1, le=3600)
    session_expires_s: int = Field(default=1_800, ge=0, le=86_400)
    """Session timer that we ask for (RFC 4028), 90 at least; 0: only where the peer asks."""
    reliable: Literal["off", "supported", "required"] = "supported"
    """Reliable provisional responses (RFC 3262)."""
    trace: bool = False
    """Whether each SIP message is journalled."""
    lines: tuple[LineSettings, ...] = Field(default=(), max_length=MAX_LINES)
    hunt_groups: tuple[HuntGroupSettings, ...] = Field(default=(), max_length=MAX_GROUPS)
    call_queues: tuple[CallQueueSettings, ...] = Field(default=(), max_length=MAX_GROUPS)
    pickup_groups: tuple[PickupSettings, ...] = Field(default=(), max_length=MAX_GROUPS)
    park: ParkSettings | None = None
    conference: ConferenceSettings = ConferenceSettings()
    voicemail: VoicemailSettings | None = None
    codes: CodeSettings = CodeSettings()
    intercom: IntercomSettings = IntercomSettings()
    music: MusicSettings = MusicSettings()
    trunks: tuple[TrunkSettings, ...] = Field(default=(), max_length=MAX_TRUNKS)
    routes: tuple[RouteSettings, ...] = Field(default=(), max_length=MAX_ROUTES)
    sites: tuple[SiteSettings, ...] = Field(default=(), max_length=MAX_SITES)
    emergency: EmergencySettings = EmergencySettings()
    records: RecordSettings = RecordSettings()

    @model_validator(mode="after")
    def _fits(self) -> SwitchSettings:
        numbers = Counter(self._internal_numbers())
        if twice := [number for number, count in numbers.items() if count > 1]:
            raise ValueError(f"number {twice[0]} is given twice; each leads to one thing")
        external = Counter(self._external_numbers())
        if twice := [number for number, count in external.items() if count > 1]:
            raise ValueError(f"external number {twice[0]} is given twice")
        _known("trunk", (each.name for each in self.trunks), self._trunks_named())
        _known("site", (site.name for site in self.sites), (each.site for each in self.lines if each.site))
        lines = [line.number for line in self.lines]
        _known("line", lines, (member for group in self.hunt_groups for member in group.members))
        _known("line", lines, (member for queue in self.call_queues for member in queue.members))
        _known("line", lines, self.emergency.alert)
        if 0 < self.session_expires_s < 90:
            raise ValueError("'session_expires_s' is 90 at least, or 0 (RFC 4028 section 4)")
        for line in self.lines:
            for pattern in line.barred:
                try:
                    Pattern.parse(pattern)
                except DialPlanError as error:
                    raise ValueError(f"line {line.number}, 'barred': {error}") from error
        return self

    def _internal_numbers(self) -> Iterator[str]:
        yield from (line.number for line in self.lines)
        yield from (group.number for group in (*self.hunt_groups, *self.call_queues))
        yield from (group.number for group in self.pickup_groups if group.number)
        yield from (room.number for room in self.conference.rooms)
        yield from self.emergency.numbers
        if self.conference.factory:
            yield self.conference.factory
            first = self.conference.first_ad_hoc
            yield from (str(first + index) for index in range(self.conference.max_ad_hoc))
        if self.conference.meetings is not None:
            yield from self.conference.meetings.numbers()
        if self.park is not None:
            yield self.park.number
            yield from self.park.slots()
        if self.voicemail is not None:
            yield self.voicemail.number

    def _external_numbers(self) -> Iterator[str]:
        for each in self.reachable():
            if each.external is not None:
                yield each.external
        for site in self.sites:
            yield from site.elins

    def _trunks_named(self) -> Iterator[str]:
        for route in self.routes:
            yield from route.trunks
        yield from self.emergency.trunks
        for site in self.sites:
            yield from site.emergency_trunks

    def reachable(self) -> list[Reachable]:
        """All that may have an external number."""
        voicemail = (self.voicemail,) if self.voicemail is not None else ()
        return [*self.lines, *self.hunt_groups, *self.call_queues, *self.conference.rooms, *voicemail]

    def components(self) -> list[str]:
        """The components of the testbed that trunks lead to."""
        survivable = (site.survivable for site in self.sites if site.survivable is not None)
        trunks = [*self.trunks, *(trunk for each in survivable for trunk in each.trunks)]
        return [peer.component for trunk in trunks for peer in trunk.peers if peer.component is not None]


def _known(what: str, there: Iterable[str], named: Iterable[str]) -> None:
    known = list(there)
    for name in named:
        if name not in known:
            raise ValueError(f"there is no {what} {name!r}; there is {', '.join(known[:20]) or 'none'}")
