"""What the switch does itself: park, conferences, voicemail, codes that telephones dial, and what it plays."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, model_validator

from simulators.settings import E164, Strict
from simulators.switch.settings.base import DialledNumber, DisplayName, Extension, Label, Seconds

MAX_SLOTS = 100
MAX_ROOMS = 100
MAX_PARTIES = 30
"""Parties of one conference."""
MAX_MEETING = 1_000
"""Parties of one meeting."""
MAX_MESSAGE_S = 300.0
"""Seconds that one message may have: as much as a media port records."""


class ParkSettings(Strict):
    """Where calls are parked."""

    number: Extension
    """Who transfers a call here parks it in the first free slot."""
    first: int = Field(ge=1, le=999_999)
    """Slots are numbers that are dialled, first to last; a transfer to one parks there, a call to one retrieves."""
    last: int = Field(ge=1, le=999_999)
    recall_s: Seconds = 60.0
    """Seconds after which a parked call rings the one who parked it."""
    recall_ring_s: Seconds = 20.0
    recalls: int = Field(default=3, ge=1, le=10)
    """Times that it is parked anew when nobody takes the recall; then it goes to ``overflow``, or is given up."""
    overflow: DialledNumber | None = None

    @model_validator(mode="after")
    def _in_order(self) -> ParkSettings:
        if not 0 <= self.last - self.first < MAX_SLOTS or len(str(self.first)) != len(str(self.last)):
            raise ValueError(f"slots are 'first' to 'last', as many digits each, {MAX_SLOTS} at most")
        return self

    def slots(self) -> list[str]:
        """The slots' numbers."""
        return [str(number) for number in range(self.first, self.last + 1)]


class RoomSettings(Strict):
    """A conference that is joined by calling its number."""

    number: Extension
    name: DisplayName = ""
    external: E164 | None = None
    pin: str | None = Field(default=None, pattern=r"^[0-9]{1,12}$")
    """What callers key, ended by #, before they are let in."""
    max_parties: int = Field(default=MAX_PARTIES, ge=2, le=MAX_PARTIES)


class MeetingSettings(Strict):
    """Numbers of conferences with a lobby, which the control interface opens and ends."""

    first: int = Field(ge=1, le=999_999)
    last: int = Field(ge=1, le=999_999)
    max_parties: int = Field(default=MAX_MEETING, ge=2, le=MAX_MEETING)

    @model_validator(mode="after")
    def _in_order(self) -> MeetingSettings:
        if not 0 <= self.last - self.first < MAX_ROOMS or len(str(self.first)) != len(str(self.last)):
            raise ValueError(f"meetings are 'first' to 'last', as many digits each, {MAX_ROOMS} at most")
        return self

    def numbers(self) -> list[str]:
        """The meetings' numbers."""
        return [str(number) for number in range(self.first, self.last + 1)]


class ConferenceSettings(Strict):
    """Conferences."""

    rooms: tuple[RoomSettings, ...] = Field(default=(), max_length=MAX_ROOMS)
    factory: Extension | None = None
    """Who calls it begins a conference of their own; calls are transferred into it (RFC 4579)."""
    first_ad_hoc: int = Field(default=8_900, ge=1, le=999_000)
    """The number of the first ad hoc conference; the next one has the next."""
    max_ad_hoc: int = Field(default=20, ge=1, le=MAX_ROOMS)
    meetings: MeetingSettings | None = None
    tones: bool = True
    """Whether those inside hear that somebody comes or goes."""


class VoicemailSettings(Strict):
    """The voicemail system."""

    number: Extension
    """Lines call it to hear their messages; calls that are forwarded to it leave one."""
    external: E164 | None = None
    max_message_s: float = Field(default=120.0, gt=0, le=MAX_MESSAGE_S)
    min_message_s: float = Field(default=1.0, ge=0, le=60)
    """A shorter message is not kept."""
    silence_s: float = Field(default=10.0, gt=0, le=60)
    """Seconds of silence that end a message."""
    max_messages: int = Field(default=50, ge=1, le=500)
    """Messages that a mailbox holds; a caller to a full one hears so and leaves none."""
    max_total_s: float = Field(default=1_200.0, gt=0, le=36_000)
    """Seconds of speech that a mailbox holds."""
    greeting: Path | None = None
    """A WAV file (8 kHz, mono, 16 bits); tones of our own where left out."""
    folder: Path | None = None
    """Where messages are also written as WAV files; nowhere where left out."""
    lamp: tuple[str, ...] = ("subscribed", "unsolicited")
    """Whom a change of what waits is told: those who subscribed to it, and registered telephones that did not."""


class CodeSettings(Strict):
    """What telephones dial to have something done."""

    pickup: Extension = "*8"
    """Take the call that has rung for longest in one's own pickup group."""
    directed_pickup: Extension = "**"
    """Followed by a line's number: take the call that rings there."""
    intercom: Extension = "*80"
    """Followed by a line's number: it answers by itself."""
    forward_all: Extension = "*21*"
    """Followed by a number and #: forward all calls. ``#21#`` cancels it; likewise 67 when busy, 61 when unanswered."""
    forward_busy: Extension = "*67*"
    forward_no_answer: Extension = "*61*"
    cancel_all: Extension = "#21#"
    cancel_busy: Extension = "#67#"
    cancel_no_answer: Extension = "#61#"
    log_out: Extension = "*55"
    """Take the line out of its hunt groups, or put it back."""


class IntercomSettings(Strict):
    """Calls that are answered by themselves."""

    one_way: bool = False
    """Whether the one who is called is heard only once they press a key."""


class MusicSettings(Strict):
    """What somebody on hold hears."""

    clip: Path | None = None
    """A WAV file (8 kHz, mono, 16 bits); a tune of our own where left out."""


class PickupSettings(Strict):
    """A pickup group beside those that lines name."""

    name: Label
    number: Extension | None = None
    """Whoever calls it takes a call of the group, member or not."""
