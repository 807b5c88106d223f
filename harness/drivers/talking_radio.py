"""What a talking radio can do, whatever its technology: what a suite may ask of TETRA, RoIP and MCPTT alike."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar, Final, Protocol

from harness.endpoints.media import Recording
from harness.errors import NotApplicableError
from harness.journal import Event
from harness.protocols.rtp.g711 import Samples


class Technology(StrEnum):
    """How a radio reaches its talkgroup."""

    TETRA = "tetra"
    """A terminal on Airwave or another TETRA network, by its serial line (PEI)."""
    ROIP = "roip"
    """A radio behind a gateway, by ED-137."""
    MCPTT = "mcptt"
    """A handset on ESN, by 3GPP's MCPTT."""


class Ability(StrEnum):
    """What some technologies have and others have not, in words that end "… cannot do"."""

    SELECTION = "choose a talkgroup"
    TALKER = "show who talks"
    CALL_SET_UP = "set a group call up apart from keying"
    LATE_ENTRY = "join a talkgroup late"
    TEXTS = "send texts"
    STATUS = "send a status"
    POSITION = "send its position"
    PRIVATE_CALLS = "call another radio alone"
    STANDBY = "go over to a standby"


_MCDATA: Final = "an MCPTT handset sends it by MCData, another service, which the harness does not play"
_SPEECH_ALONE: Final = "an ED-137 session carries speech and the key alone"
LACKS: Final[Mapping[Technology, Mapping[Ability, str]]] = {
    Technology.TETRA: {
        Ability.CALL_SET_UP: "a TETRA group call is set up by the key: NICCS-RAD-001 holds its permit to a figure",
        Ability.STANDBY: "a TETRA terminal is on the network itself, with no gateway between that could be lost",
    },
    Technology.ROIP: {
        Ability.SELECTION: "a radio behind a gateway is on the talkgroup that it is set to there",
        Ability.TALKER: "an ED-137 session tells that somebody talks (squelch), not who",
        Ability.CALL_SET_UP: "an ED-137 session stands: no call is set up before a radio is keyed",
        Ability.LATE_ENTRY: "an ED-137 session stands: nobody joins, and a radio hears all that its talkgroup does",
        Ability.TEXTS: _SPEECH_ALONE,
        Ability.STATUS: _SPEECH_ALONE,
        Ability.POSITION: _SPEECH_ALONE,
        Ability.PRIVATE_CALLS: _SPEECH_ALONE,
    },
    Technology.MCPTT: {
        Ability.TEXTS: _MCDATA,
        Ability.STATUS: _MCDATA,
        Ability.POSITION: _MCDATA,
        Ability.PRIVATE_CALLS: "MCPTT's private calls are not played by the harness yet",
        Ability.STANDBY: "an MCPTT handset has one server: what stands by for it is behind that address",
    },
}
"""Why a technology cannot do it, for the report. What is not named, it can."""


def needs(technology: Technology, ability: Ability) -> None:
    """Raise NotApplicableError, with the reason, where a technology cannot do it."""
    why = LACKS[technology].get(ability)
    if why is not None:
        raise NotApplicableError(f"{technology} cannot {ability}: {why}")


class TalkingRadio(Protocol):
    """One radio: it has a talkgroup, keys it, is heard there and hears.

    Events common to all, under the radio's name: ``ptt.pressed`` {talkgroup}, ``ptt.granted`` {talkgroup, grant_ms},
    ``ptt.denied`` {reason}, ``ptt.released``, ``ptt.pre_empted``, ``voice.heard`` {level_dbov}, and the two below.
    """

    technology: ClassVar[Technology]
    talk_shown: ClassVar[str]
    """The event by which it shows that another talks; who it is, where `Ability.TALKER` is there."""
    talk_over: ClassVar[str]
    """The event by which it shows that the other has let go."""
    name: str
    talkgroup: str | None
    """The talkgroup in use."""

    async def select(self, talkgroup: str) -> None:
        """Turn to a talkgroup. Raises DriverError where it can't."""

    async def key(self, *, say: Samples | None = None, priority: int = 0, within: float = ...) -> object:
        """Press the key and return when it is granted; ``say`` is spoken from then on.

        ``priority`` 0 to 15: 15 is an emergency. ``within``: seconds in which it must be answered. Raises DriverError
        when it is denied, another HarnessError when it is not answered, InterlockError when the testbed does not
        allow it: nothing has left then.
        """

    async def emergency(self, *, say: Samples | None = None) -> object:
        """Press the emergency button: the floor, whoever talks, until ``unkey``. Raises as ``key`` does."""

    async def unkey(self) -> None:
        """Let the key go. Raises DriverError when it is not pressed."""

    async def say(self, samples: Samples) -> float:
        """Key, speak (int16, 8,000 a second), let go; return the run time at which the speech began."""

    async def speak(self, samples: Samples) -> float:
        """Speak into the microphone and return at once; the run time at which the first packet goes out."""

    async def spoken(self) -> None:
        """Return when all that was to be spoken is out."""

    async def record(self) -> None:
        """Begin to keep what the loudspeaker gives."""

    async def recorded(self) -> Recording:
        """Return what the loudspeaker gave since ``record``."""

    async def expect(self, kind: str, *, within: float, after: int = 0, **with_: Any) -> Event:
        """Return the event that this radio shows, or raise ExpectationError telling what it did show."""

    async def close(self) -> None:
        """Let the key go and give up what it holds."""
