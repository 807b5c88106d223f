"""What a talking radio can do, whatever its technology: what a suite may ask of TETRA, RoIP and MCPTT alike."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar, Final, Protocol

from harness.endpoints.media import Recording
from harness.errors import NotApplicableError, NotPlayedError
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
    TEXTS = "send texts"
    STATUS = "send a status"
    STATUS_AT_CONSOLES = "have its status shown at consoles"
    POSITION = "send its position"
    PRIVATE_CALLS = "call another radio alone"
    CALLS_FROM_CONSOLES = "be called alone from a console"
    STANDBY = "go over to a standby"
    EMERGENCY_AT_CONSOLES = "tell consoles of an emergency"
    PLACE_AT_CONSOLES = "tell consoles where it is"
    AMBIENCE = "have its microphone opened from a console"
    REGROUPING = "be given a talkgroup over the air"
    PATCHES = "have its talkgroup patched at a console"
    SEVERAL_TALKGROUPS = "be worked at a console beside others"
    FALLBACK = "reach its site alone when the network is lost"


_SPEECH_ALONE: Final = "an ED-137 session carries speech and the key alone"
LACKS: Final[Mapping[Technology, Mapping[Ability, str]]] = {
    Technology.TETRA: {},
    Technology.ROIP: {
        Ability.SELECTION: "a radio behind a gateway is on the talkgroup that it is set to there",
        Ability.TALKER: "an ED-137 session tells that somebody talks (squelch), not who",
        Ability.TEXTS: _SPEECH_ALONE,
        Ability.STATUS: _SPEECH_ALONE,
        Ability.STATUS_AT_CONSOLES: _SPEECH_ALONE,
        Ability.POSITION: _SPEECH_ALONE,
        Ability.PRIVATE_CALLS: _SPEECH_ALONE,
        Ability.CALLS_FROM_CONSOLES: _SPEECH_ALONE,
        Ability.EMERGENCY_AT_CONSOLES: (
            "an ED-137 session tells that somebody talks, not who nor that it is an emergency; its emergency PTT goes "
            "from the control room to the radio"
        ),
        Ability.PLACE_AT_CONSOLES: _SPEECH_ALONE,
        Ability.AMBIENCE: _SPEECH_ALONE,
        Ability.REGROUPING: "a radio behind a gateway is on the talkgroup that it is set to there",
    },
    Technology.MCPTT: {
        Ability.STANDBY: (
            "an MCPTT handset has no gateway of the control room on its way; what stands by for its server is behind "
            "the server's address"
        ),
    },
}
"""Why a technology cannot do it, whoever tests it, for the report: "not applicable". What is not named, it can."""
NOT_PLAYED: Final[Mapping[Technology, Mapping[Ability, str]]] = {
    Technology.TETRA: {
        Ability.STANDBY: "an officer's terminal has none; those that the control room keys may have",
    },
    Technology.ROIP: {
        Ability.FALLBACK: "the simulated gateway's radios are at no site that could be cut off",
    },
    Technology.MCPTT: {
        Ability.REGROUPING: "MCPTT's regrouping (TS 24.379) is not built",
        Ability.FALLBACK: "MCPTT's isolated operation (IOPS) is not built",
    },
}
"""What a technology has and this harness can't ask for yet: a skip, for the criterion is still to be shown."""


def needs(technology: Technology, ability: Ability) -> None:
    """Raise NotApplicableError where a technology cannot do it, NotPlayedError where the harness can't ask for it."""
    why = LACKS[technology].get(ability)
    if why is not None:
        raise NotApplicableError(f"{technology} cannot {ability}: {why}")
    why = NOT_PLAYED[technology].get(ability)
    if why is not None:
        raise NotPlayedError(f"that {technology} can {ability} is not shown: {why}")


class TalkingRadio(Protocol):
    """One radio: it has a talkgroup, keys it, is heard there and hears.

    Events common to all, under the radio's name: ``ptt.pressed`` {talkgroup}, ``ptt.granted`` {talkgroup, grant_ms},
    ``ptt.denied`` {reason}, ``ptt.released``, ``ptt.pre_empted``, ``voice.heard`` {level_dbov}, and the three below.
    """

    technology: ClassVar[Technology]
    talk_shown: ClassVar[str]
    """The event by which it shows that another talks; who it is, where `Ability.TALKER` is there."""
    talk_over: ClassVar[str]
    """The event by which it shows that the other has let go."""
    talk_taken: ClassVar[str]
    """The event by which it shows that the network ended its transmission, as of a key that sticks."""
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
