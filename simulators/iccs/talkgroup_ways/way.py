"""What the ICCS asks of the way to a talkgroup, and what it is told by it: the same of every technology.

Theory. A way is asked by its methods and tells by the journal, under its line's name, so that each room of the ICCS
follows what concerns it. The words are the radio's own:

``radio.talker`` {cc, issi or mcptt_id}: somebody else talks; a floor of ours in that call is gone.
``radio.ceased`` {cc, why?}: nobody does; a floor of ours in that call is gone.
``radio.released`` {cc, cause}: the talkgroup's call is over.
``radio.emergency`` {mcptt_id}: who talks has declared an emergency. TETRA tells it by ``radio.call_in`` {group,
priority, calling}.
``status.received``, ``sds.received``, ``location.received`` {issi or mcptt_id}: what a technology has of messages.
``pei.lost`` or ``gateway.lost``: the way is of no use until it is brought into service again.

``cc`` names the call in which the floor was asked for; a way with one call at a time may name it what it likes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Protocol

from harness.endpoints.media import MediaPort
from simulators.iccs.leg import LastWords

LOST: Final = frozenset({"pei.lost", "gateway.lost"})
"""What is journalled of a way that is lost."""
SILENT: Final = "it does not answer"
"""Why one is given up that was asked whether it is there."""
PLAYOUT_MS: Final = 20
"""The least depth of the playout buffer of what a gateway hears, which a patch adds to that of the ear. A jack is in
the same room; for what comes from a network the buffer grows with what arrives late."""

RadioUser = int | str
"""Who has a radio: an ISSI on TETRA, an MCPTT ID (``sip:…``) on ESN."""
RadioPermit = Callable[[str, str, int], None]
"""Asked before a radio act: what, whom or which talkgroup, and the priority. Raises InterlockError."""
DialPermit = Callable[[str], None]
"""Asked before a SIP call leaves. Raises InterlockError."""


class Answer(StrEnum):
    """What a request to talk first came to."""

    GRANTED = "granted"
    QUEUED = "queued"
    """The grant may still come."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Floor:
    """The answer to a request to talk."""

    call: int
    """As reports name it, ``cc``."""
    answer: Answer
    why: str = ""
    """REFUSED: the reason, with who talks where that is known."""


class TalkgroupWay(Protocol):
    """One way to one talkgroup."""

    port_changed: Callable[[], None]
    """Called when ``port`` is another one."""
    port_closes: LastWords
    """Awaited with a port before it is closed while the way goes on."""

    @property
    def port(self) -> MediaPort | None:
        """The port that hears the talkgroup and speaks to it; None while there is none."""

    @property
    def lost(self) -> str | None:
        """Why it is lost, for whoever keys it; None: it is there."""

    async def start(self) -> None:
        """Open what stays open for good. Raises LocalError, MediaError."""

    async def into_service(self, *, works: bool) -> None:
        """Bring it up, or up again: to work its talkgroup, or to stand by. Raises HarnessError."""

    async def key(self) -> Floor:
        """Ask for the floor; returns the first answer. Raises HarnessError; nothing is held or asked for then."""

    async def granted(self, call: int, *, within: float) -> Floor:
        """Wait for the grant of a request that is queued; one that does not come in time is taken back.

        Raises HarnessError.
        """

    async def unkey(self, call: int | None) -> None:
        """Give the floor back, or take the request back; None: whatever call it was in. Raises HarnessError."""

    def texts(self, to: RadioUser) -> bool:
        """Whether it sends texts to such a radio."""

    async def send_text(self, to: RadioUser, text: str) -> bool:
        """Send a text to a radio; whether it was delivered. Raises HarnessError."""

    async def is_there(self, *, within: float) -> bool:
        """Whether what it goes by answers."""

    def give_up(self, why: str) -> None:
        """Take it for lost."""

    async def close(self) -> None:
        """Give the floor back and close everything."""


async def nothing_kept(port: MediaPort) -> None:
    """Nobody keeps what was heard."""


def talker_of(report: Mapping[str, Any]) -> RadioUser | None:
    """Whom a report names: an ISSI, or an MCPTT ID; None where nobody is named."""
    who = report.get("mcptt_id")
    return who if isinstance(who, str) else report.get("issi")


def told_of(who: RadioUser | None) -> dict[str, Any]:
    """A radio's user as consoles are told: ``issi``, None of one who has none, and then ``mcptt_id``."""
    return {"issi": None, "mcptt_id": who} if isinstance(who, str) else {"issi": who}


def name_of(who: RadioUser) -> str:
    """By what the testbed's allow-lists name a radio: its ISSI, or the name in its MCPTT ID."""
    return who.removeprefix("sip:").partition("@")[0] if isinstance(who, str) else str(who)


def uri_of(who: RadioUser) -> str:
    """By what other systems are told a radio: ``issi:`` with its ISSI, or its MCPTT ID."""
    return who if isinstance(who, str) else f"issi:{who}"
