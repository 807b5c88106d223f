"""What an SMS Diary is told at its start: whose diaries it keeps, when texts go, which words it understands."""

from __future__ import annotations

from datetime import date
from itertools import pairwise
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator, model_validator

from simulators.diary.replies import Words
from simulators.settings import Strict

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
DAYS: Final[tuple[Day, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WORKING_DAYS: Final = DAYS[:5]
QUANTUM_S: Final = 300
"""Seconds of which slots are made: working hours and slots begin and end on whole five minutes."""
MAX_DIARIES: Final = 1_000
MAX_HOURS: Final = 21
"""Stretches of working hours of one diary's week."""
Clock = Annotated[str, Field(pattern=r"^(?:(?:[01][0-9]|2[0-3]):[0-5][05]|24:00)$")]
"""A time of day on a whole five minutes: ``09:00``; ``24:00`` is the day's end."""
DiaryId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,39}$")]
Grade = Annotated[str, Field(min_length=1, max_length=40)]


def minutes_of(clock: str) -> int:
    """Minutes since midnight of ``09:00``."""
    hours, minutes = clock.split(":")
    return 60 * int(hours) + int(minutes)


def zone_of(name: str) -> str:
    """The name, where there is such a time zone. Raises ValueError."""
    try:
        ZoneInfo(name)
    except (OSError, ValueError, LookupError):
        raise ValueError(f"found {name!r}; a zone of the IANA database was meant, as Europe/London") from None
    return name


class HoursSettings(Strict):
    """A stretch of working hours, on each of some days of the week, in the diary's local time."""

    days: tuple[Day, ...] = Field(default=WORKING_DAYS, min_length=1, max_length=7)
    begin: Clock = "09:00"
    end: Clock = "17:00"

    @model_validator(mode="after")
    def _in_order(self) -> HoursSettings:
        if minutes_of(self.end) <= minutes_of(self.begin):
            raise ValueError(f"working hours end ({self.end}) before they begin ({self.begin})")
        return self


class DiaryOf(Strict):
    """The diary of one officer, or of one desk of a station."""

    id: DiaryId
    name: Annotated[str, Field(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f]+$")]
    """As texts tell it: ``Govan police station``."""
    kind: Literal["officer", "station"] = "officer"
    slot_minutes: int = Field(default=30, ge=5, le=480, multiple_of=5)
    hours: tuple[HoursSettings, ...] = Field(default=(HoursSettings(),), min_length=1, max_length=MAX_HOURS)
    closed: tuple[date, ...] = Field(default=(), max_length=366)
    """Days on which nobody is seen: leave, training, holidays."""
    zone: str = ""
    """Its time zone; the whole Diary's where left out."""

    @field_validator("zone")
    @classmethod
    def _there(cls, name: str) -> str:
        return zone_of(name) if name else name

    @model_validator(mode="after")
    def _apart(self) -> DiaryOf:
        for day in DAYS:
            spans = sorted((minutes_of(each.begin), minutes_of(each.end)) for each in self.hours if day in each.days)
            if any(later[0] < earlier[1] for earlier, later in pairwise(spans)):
                raise ValueError(f"two stretches of {self.id}'s working hours on {day} overlap")
        return self


class TextSettings(Strict):
    """When texts go, and how hard it is tried."""

    confirm_s: float = Field(default=60.0, ge=1, le=86_400)
    """Seconds within which what is to go at once has gone; what is later is told as late."""
    reminder_s: float = Field(default=86_400.0, ge=60, le=2_592_000)
    """Seconds before an appointment at which it is reminded of: elapsed time, whatever the clocks do meanwhile."""
    report_s: float = Field(default=259_200.0, ge=1, le=2_592_000)
    """Seconds for which a delivery report is waited for."""
    attempts: int = Field(default=5, ge=1, le=100)
    """How often a text is tried that the gateway refuses."""
    retry_s: float = Field(default=5.0, ge=0.05, le=3_600)
    """Seconds after the first refusal; twice as many after each that follows."""
    reopen_s: float = Field(default=5.0, ge=0.05, le=3_600)
    """Seconds between attempts to have a lost gateway back."""
    whose: Annotated[str, Field(min_length=1, max_length=30, pattern=r"^[^\x00-\x1f\x7f]+$")] = "police"
    """What texts call the appointment; somebody else may read them."""


class DiarySettings(Strict):
    """A simulated SMS Diary as the testbed file describes it."""

    host: str = "127.0.0.1"
    port: int = Field(default=0, ge=0, le=65_535)
    """TCP port of its interface; 0 takes any free one."""
    token: SecretStr | None = None
    """What the interface asks for; needed where ``host`` is not loopback."""
    store: Annotated[SecretStr, Field(min_length=1, max_length=500)] | None = None
    """A SQLite file, or ``postgresql://user:password@host/name``; left out: one that goes with the simulator."""
    zone: str = "Europe/London"
    diaries: tuple[DiaryOf, ...] = Field(
        default=(DiaryOf(id="front-desk", name="the police station", kind="station"),),
        min_length=1,
        max_length=MAX_DIARIES,
    )
    horizon_days: int = Field(default=90, ge=1, le=730)
    """How far ahead appointments are made."""
    texts: TextSettings = TextSettings()
    words: Words = Words()
    """Those of people's replies that are understood."""
    refused_grades: tuple[Grade, ...] = Field(default=("Immediate", "Prompt"), max_length=10)
    """Grades of a CRM record for which nobody is to wait for an appointment."""
    needs_grade: bool = False
    """Whether a record that has no grade yet is refused too."""
    people: int = Field(default=0, ge=0, le=5_000)
    """Made-up appointments that a new store begins with; nobody is sent a text of them."""
    seed: int = 1
    """Of the made-up people."""

    @field_validator("zone")
    @classmethod
    def _there(cls, name: str) -> str:
        return zone_of(name)

    @model_validator(mode="after")
    def _once_each(self) -> DiarySettings:
        ids = [each.id for each in self.diaries]
        if len(set(ids)) < len(ids):
            raise ValueError("two diaries have the same id")
        return self

    def diary(self, id_: str) -> DiaryOf | None:
        """The diary of that id, if there is one."""
        return next((each for each in self.diaries if each.id == id_), None)

    def zone_name(self, diary: DiaryOf) -> str:
        """Whose local time a diary keeps."""
        return diary.zone or self.zone
