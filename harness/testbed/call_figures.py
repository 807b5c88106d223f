"""A Webex call's figures by its telephones' RTP and RTCP, held against the catalogue and beside Webex's own report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from harness.drivers.telephone_call import TelephoneCall
from harness.drivers.webex import Webex
from harness.endpoints.media import PortStats
from harness.errors import ExpectationError, LocalError
from harness.evidence.requirements import catalogue
from harness.measure.emodel import quality
from harness.testbed.bench import Bench
from harness.testbed.clips import read_clip
from harness.testbed.conversation import converse

CLIPS: Final = ("caller-999", "call-taker")
"""What the first says, and what the other answers."""
FIGURES: Final = {"delay_ms": "one_way_delay", "jitter_ms": "jitter", "loss_share": "loss", "mos": "MOS"}
"""The catalogue's figures of a call, and how their measures are named."""
ROUNDED: Final = {"Jitter": 1.0, "Packet Loss": 0.01, "MOS": 0.1}
"""What Webex's figures may differ by, in their own unit: it tells milliseconds, hundredths and one decimal of a MOS."""
CONNECTED_S: Final = 2.0
"""Seconds within which Webex tells a call that is answered as connected."""
ENDS_S: Final = 2.0
LOOKED_FOR: Final = 2.0
"""So many times as long as is agreed a report is looked for: one that is late is told by how much."""


@dataclass(frozen=True, slots=True)
class PartyHeard:
    """What came to one party of a call."""

    delay_ms: float
    """One way, mouth to ear."""
    stats: PortStats

    @property
    def loss_share(self) -> float:
        """What was lost, per cent. Raises LocalError where nothing was due."""
        due = self.stats.packets_received + self.stats.lost
        if not due:
            raise LocalError("nothing was sent to this party: there is no share of it to lose")
        return 100 * self.stats.lost / due

    @property
    def mos(self) -> float:
        """The opinion score of the E-model (ITU-T G.107)."""
        return quality(self.stats.codec, delay_ms=self.delay_ms, loss=self.loss_share / 100).mos

    def value(self, figure: str) -> float:
        """One of FIGURES, in the catalogue's unit. Raises LocalError for any other."""
        values = {
            "delay_ms": self.delay_ms,
            "jitter_ms": self.stats.jitter_ms,
            "loss_share": self.loss_share,
            "mos": self.mos,
        }
        if figure not in values:
            raise LocalError(f"a call has no figure {figure!r}; it has {', '.join(values)}")
        return values[figure]


@dataclass(frozen=True, slots=True)
class TalkedCall:
    """A call in which both said something, and which is over."""

    session: str
    """Webex's callSessionId."""
    ended: float
    """Run time, seconds."""
    heard: Mapping[str, PartyHeard]
    """What came to each party, by the name that their account has."""


async def talk_through(bench: Bench, webex: Webex, parties: Mapping[str, TelephoneCall]) -> TalkedCall:
    """Let the two who are in a call say something each, the first hang up, and return what came to them.

    ``parties``: their calls, by their Webex accounts. Raises ExpectationError where they don't hear each other.
    """
    (first, one), (_, other) = parties.items()
    session = str((await webex.expect_call("connected", by=first, within=CONNECTED_S))["callSessionId"])
    there, back = [
        (await converse(mouth, ear, read_clip(clip))).latency.ms
        for mouth, ear, clip in zip((one, other), (other, one), CLIPS, strict=True)
    ]
    ended = bench.journal.now()
    await one.hang_up()
    await other.ended(within=ENDS_S)
    heard = {}
    for (account, call), delay in zip(parties.items(), (back, there), strict=True):
        me = await (await webex.account(account)).ask("GET", "/people/me")
        heard[str(me["displayName"])] = PartyHeard(delay, await call.stats())
    return TalkedCall(session, ended, heard)


def keeps(bench: Bench, call: TalkedCall, requirement: str, figure: str) -> None:
    """Measure what came to each party and hold it against one of FIGURES. Raises ExpectationError, LocalError."""
    agreed = catalogue()[requirement].figure(figure)
    for name, party in call.heard.items():
        measure = f"{FIGURES[figure]} to {name}" if figure in FIGURES else figure
        value = party.value(figure)
        bench.measured(measure, value, agreed.unit, requirement=requirement, figure=figure, at_least=figure == "mos")


async def reported(bench: Bench, webex: Webex, call: TalkedCall, requirement: str, figure: str) -> list[dict[str, str]]:
    """Wait for Webex's report of the call, and return its rows, one for each party.

    How long it took is held against ``figure``, the most minutes that it may take. Raises ExpectationError.
    """
    agreed = catalogue()[requirement].figure(figure)
    rows = await webex.call_quality(call.session, within=LOOKED_FOR * 60 * agreed.value, count=len(call.heard))
    took = (bench.journal.now() - call.ended) / 60
    bench.measured("quality report complete", took, agreed.unit, requirement=requirement, figure=figure)
    return rows


def says_the_same(call: TalkedCall, rows: Sequence[Mapping[str, str]]) -> None:
    """Raise ExpectationError, naming what differs, unless Webex's report tells what the telephones measured."""
    told = {row["Name"]: row for row in rows}
    if set(told) != set(call.heard):
        raise ExpectationError(f"the report tells of {sorted(told)}, and the call was of {sorted(call.heard)}")
    differing = [each for name, party in call.heard.items() for each in _differing(name, party, told[name])]
    if differing:
        raise ExpectationError("Webex's report differs from what the telephones measured: " + "; ".join(differing))


def _differing(name: str, party: PartyHeard, row: Mapping[str, str]) -> list[str]:
    stats = party.stats
    measured = {"Jitter": stats.jitter_ms, "Packet Loss": party.loss_share, "MOS": party.mos}
    pairs = {"Packets Received": (float(stats.packets_received), 0.0)}
    pairs |= {column: (value, ROUNDED[column]) for column, value in measured.items()}
    return [
        f"{column} of {name} is {row[column] or 'not told'} by the report, and {value:.3f}"
        for column, (value, rounded) in pairs.items()
        if not row[column] or abs(float(row[column]) - value) > rounded
    ]
