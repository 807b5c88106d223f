"""Who talks and who listens on one talkgroup by one technology: found in the testbed file, opened when asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from harness.drivers.talking_radio import Ability, TalkingRadio, Technology, needs
from harness.testbed.bench import Bench
from harness.testbed.layouts import lack
from harness.testbed.model import Testbed
from harness.testbed.roles import RADIO_ROLES

LEAST: Final = 2
"""A talker and a listener."""


@dataclass(frozen=True, slots=True)
class RadioParty:
    """The radios of one technology on one talkgroup, in the testbed file's order: the first talks."""

    bench: Bench
    technology: Technology
    talkgroup: str
    names: tuple[str, ...]
    """Their components' names, LEAST at least."""

    def needs(self, ability: Ability) -> None:
        """Raise NotApplicableError, with the reason, where the technology cannot do it."""
        needs(self.technology, ability)

    async def talker(self) -> TalkingRadio:
        """Return the radio that talks."""
        return await self.bench.radio(self.names[0])

    async def listener(self) -> TalkingRadio:
        """Return the radio that listens."""
        return await self.bench.radio(self.names[1])

    async def third(self) -> TalkingRadio:
        """Return one more radio. Raises as `lack` says where the testbed has none."""
        if len(self.names) < LEAST + 1:
            raise lack(
                self.bench.testbed,
                f"testbed {self.bench.testbed.name!r} has {', '.join(self.names)} for {self.technology} on "
                f"{self.talkgroup}; a third radio is due there",
            )
        return await self.bench.radio(self.names[2])


def radio_talkgroups(testbed: Testbed, technology: Technology) -> dict[str, list[str]]:
    """Return the components of a technology's radios by their talkgroups, both in the file's order."""
    found: dict[str, list[str]] = {}
    for name, component in testbed.components.items():
        if isinstance(component, RADIO_ROLES[technology]):
            found.setdefault(component.talkgroup or name, []).append(name)
    return found


def radio_party(bench: Bench, technology: Technology) -> RadioParty:
    """Return the radios of the talkgroup that has most of a technology's, the first such in the file.

    Raises as `lack` says where no talkgroup has LEAST of them.
    """
    groups = radio_talkgroups(bench.testbed, technology)
    talkgroup = max(groups, key=lambda name: len(groups[name]), default="")
    names = groups.get(talkgroup, [])
    if len(names) < LEAST:
        raise lack(
            bench.testbed,
            f"testbed {bench.testbed.name!r} has {len(names)} radios for {technology} on one talkgroup; "
            f"{LEAST} are due: one talks, one listens",
        )
    return RadioParty(bench, technology, talkgroup, tuple(names))
