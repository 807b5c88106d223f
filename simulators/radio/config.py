"""What a simulated TETRA network is made of: identity, talkgroups, terminals, and how long its signalling takes."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from harness.errors import LocalError
from harness.protocols.pei.personality import PERSONALITIES
from harness.protocols.tetra.identity import MCC_MAX, MNC_MAX, SSI_MAX, TEST_MCC, TEST_MNC

MAX_TERMINALS = 5_000
MAX_TALKGROUPS = 5_000
MAX_SITES = 1_000
FRAME_S = 0.17 / 3
"""A TDMA frame of four slots: 170 ms / 3 (EN 300 392-2, clause 4.5) [U]. Signalling waits for its slot: delays jitter
by frames."""
MULTIFRAME_S = 1.02
"""Eighteen frames: how often a late entry can be announced [U]."""


@dataclass(frozen=True, slots=True)
class Delay:
    """A time that lies evenly between two bounds, in seconds."""

    least: float
    most: float

    def draw(self, rng: random.Random) -> float:
        """One such time."""
        return rng.uniform(self.least, self.most)


@dataclass(frozen=True, slots=True)
class Delays:
    """How long the network takes.

    TETRA sets a group call up in about 300 ms; in a call that is up a grant is quicker, as no channel has to be found:
    one exchange on the associated channel. The bounds around those figures are this model's own.
    """

    set_up: Delay = Delay(0.300 - FRAME_S, 0.300 + FRAME_S)
    """From ATD to the grant in a new group call: about 300 ms."""
    progress: Delay = Delay(FRAME_S, 2 * FRAME_S)
    """To the network's first word on a set-up, or a refusal, or a place in the queue."""
    grant: Delay = Delay(2 * FRAME_S, 3 * FRAME_S)
    """From a demand in a call that is up to its grant."""
    listeners: Delay = Delay(0.0, FRAME_S)
    """From the grant to the other terminals' notice of it."""
    cease: Delay = Delay(FRAME_S, 2 * FRAME_S)
    """From the talker's release of the key to the others' notice."""
    late_entry: Delay = Delay(0.2, MULTIFRAME_S)
    """From choosing a talkgroup to entry into its call."""
    message: Delay = Delay(3 * FRAME_S, 6 * FRAME_S)
    """From a terminal to the one that a message is for."""
    regroup: Delay = Delay(0.3, 4.0)
    """From giving or taking a group over the air, or disabling, to the terminal's having taken it [U]."""
    change_over: Delay = Delay(4.0, 8.0)
    """From the loss of a site's link, or its return, until the site works again, by itself or with the rest [U]."""


@dataclass(frozen=True, slots=True)
class TrackerConfig:
    """How a terminal in a vehicle reports its place by itself."""

    to: int
    """The ISSI or GSSI that gets the reports."""
    every_s: float
    """Seconds between reports, at most."""
    every_m: float
    """Metres of way between reports, at most; looked at with each position fix."""


@dataclass(frozen=True, slots=True)
class TerminalConfig:
    """One terminal."""

    name: str
    """Its name in journal and testbed, and its serial line's."""
    issi: int
    talkgroup: str | None = None
    """The talkgroup it starts on."""
    role: Literal["radio_terminal", "radio_gateway"] = "radio_terminal"
    baud: int = 115_200
    registered: bool = True
    """Whether the network knows it from the start; one that is not registered is out of coverage."""
    audio_port: int = 0
    """UDP port of its audio jack; 0 takes any free one."""
    personality: str = "plain"
    """How it behaves on its line: a name of harness.protocols.pei.personality."""
    site: str = "main"
    """The site that serves it."""
    tracker: TrackerConfig | None = None
    """None: it reports no places by itself."""


@dataclass(frozen=True, slots=True)
class RadioConfig:
    """The whole network."""

    talkgroups: Mapping[str, int]
    """Name to GSSI."""
    terminals: Sequence[TerminalConfig] = ()
    seed: int | None = None
    """Of the delays; None: the run's own randomness."""
    name: str = "radio"
    mcc: int = TEST_MCC
    mnc: int = TEST_MNC
    hang_time_s: float = 5.0
    """How long a group call with no talker is kept up."""
    max_talk_s: float = 60.0
    """How long one transmission may last before the network ends it: a stuck key must not hold a talkgroup."""
    ring_s: float = 30.0
    """How long a private call that must be answered rings."""
    boot_s: float = 15.0
    """How long a terminal that reboots is off the network; a stand-in, as makes and codeplugs differ [U]."""
    queue_requests: bool = True
    """Whether a demand that meets a talker is queued; otherwise it is refused."""
    sites: Sequence[str] = ("main",)
    """Base station sites, each with a link of its own to the network."""
    delays: Delays = field(default_factory=Delays)

    def __post_init__(self) -> None:
        if len(self.terminals) > MAX_TERMINALS or len(self.talkgroups) > MAX_TALKGROUPS:
            raise LocalError(f"at most {MAX_TERMINALS} terminals and {MAX_TALKGROUPS} talkgroups")
        if not 1 <= len(set(self.sites)) == len(self.sites) <= MAX_SITES:
            raise LocalError(f"a network has 1 to {MAX_SITES} sites, each of its own name; found {len(self.sites)}")
        if not 0 <= self.mcc <= MCC_MAX or not 0 <= self.mnc <= MNC_MAX:
            raise LocalError(f"network {self.mcc}/{self.mnc} does not exist: MCC 0-{MCC_MAX}, MNC 0-{MNC_MAX}")
        identities = [terminal.issi for terminal in self.terminals] + list(self.talkgroups.values())
        if len(set(identities)) != len(identities):
            raise LocalError("two terminals or talkgroups have the same identity")
        if not all(0 < identity <= SSI_MAX for identity in identities):
            raise LocalError(f"an ISSI or GSSI is not 1-{SSI_MAX}")
        names = [terminal.name for terminal in self.terminals]
        if len(set(names)) != len(names):
            raise LocalError("two terminals have the same name")
        for terminal in self.terminals:
            if terminal.talkgroup is not None and terminal.talkgroup not in self.talkgroups:
                raise LocalError(f"terminal {terminal.name}: there is no talkgroup {terminal.talkgroup!r}")
            if terminal.site not in self.sites:
                raise LocalError(
                    f"terminal {terminal.name}: no site {terminal.site!r}; there is {', '.join(self.sites)}"
                )
            if terminal.personality not in PERSONALITIES:
                known = ", ".join(PERSONALITIES)
                raise LocalError(f"terminal {terminal.name}: no personality {terminal.personality!r}; there is {known}")
