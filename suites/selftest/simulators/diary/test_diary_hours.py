"""Slots in local time when the clocks change, and how a time is read and told (Europe/London, 2026)."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.diary.hours import is_slot, iso, read_start, slots, told
from simulators.diary.refusals import UnfitError
from simulators.diary.settings import QUANTUM_S, DiaryOf

LONDON = ZoneInfo("Europe/London")
FORWARD, BACK = date(2026, 3, 29), date(2026, 10, 25)
NIGHT = {"days": ["sun"], "begin": "00:00", "end": "04:00"}


def diary(**settings: object) -> DiaryOf:
    return DiaryOf.model_validate({"id": "a", "name": "A", **settings})


def starts(of: DiaryOf, day: date) -> list[str]:
    return [iso(each, LONDON)[11:16] + iso(each, LONDON)[19:] for each in slots(of, LONDON, day, day)]


def test_a_working_day_has_its_slots_and_leave_and_weekends_have_none() -> None:
    office = diary(closed=[date(2026, 3, 10)])
    assert len(starts(office, date(2026, 3, 9))) == 16
    assert starts(office, date(2026, 3, 9))[-1] == "16:30+00:00"
    assert starts(office, date(2026, 3, 10)) == []
    assert starts(office, date(2026, 3, 14)) == []


def test_the_hour_that_is_not_there_has_no_slots() -> None:
    night = diary(hours=[NIGHT])
    assert starts(night, FORWARD) == [
        *("00:00+00:00", "00:30+00:00", "02:00+01:00", "02:30+01:00", "03:00+01:00", "03:30+01:00")
    ]


def test_the_hour_that_is_there_twice_has_slots_twice() -> None:
    night = diary(hours=[NIGHT])
    there = starts(night, BACK)
    assert len(there) == 10
    assert there[2:6] == ["01:00+01:00", "01:30+01:00", "01:00+00:00", "01:30+00:00"]


def test_working_hours_are_local_on_both_sides_of_the_change() -> None:
    office = diary(hours=[{"days": ["sat", "sun", "mon"]}])
    for day in (FORWARD - timedelta(days=1), FORWARD, FORWARD + timedelta(days=1), BACK, BACK + timedelta(days=1)):
        assert starts(office, day)[0][:5] == "09:00"
        assert starts(office, day)[-1][:5] == "16:30"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("2026-03-29T01:30", "there is no 01:30 on 2026-03-29 in Europe/London: the clocks go forward"),
        ("2026-10-25T01:30", r"is there twice in Europe/London: 2026-10-25T01:30\+01:00 or 2026-10-25T01:30\+00:00"),
        ("tomorrow", "can't be read"),
        ("2026-02-30T10:00", "can't be read"),
        ("", "can't be read"),
    ],
)
def test_a_time_that_is_none_is_refused_with_why(text: str, why: str) -> None:
    with pytest.raises(UnfitError, match=why):
        read_start(text, LONDON)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-29T10:00", "2026-03-29T09:00Z"),
        ("2026-03-29T10:00+01:00", "2026-03-29T09:00Z"),
        ("2026-10-25T01:30+01:00", "2026-10-25T00:30Z"),
        ("2026-10-25T01:30+00:00", "2026-10-25T01:30Z"),
        ("2026-01-05T10:00Z", "2026-01-05T10:00Z"),
    ],
)
def test_a_time_is_the_moment_that_it_tells(text: str, moment: str) -> None:
    assert read_start(text, LONDON) == datetime.fromisoformat(moment).timestamp()


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("2026-03-29T09:00Z", "Sunday 29 March 2026 at 10:00"),
        ("2026-03-28T10:00Z", "Saturday 28 March 2026 at 10:00"),
        ("2026-10-25T00:30Z", "Sunday 25 October 2026 at 01:30 BST"),
        ("2026-10-25T01:30Z", "Sunday 25 October 2026 at 01:30 GMT"),
        ("2026-10-25T02:30Z", "Sunday 25 October 2026 at 02:30"),
    ],
)
def test_texts_tell_local_time_and_the_zone_of_one_that_is_there_twice(moment: str, said: str) -> None:
    assert told(int(datetime.fromisoformat(moment).timestamp()), LONDON) == said


@given(
    day=st.dates(date(2020, 1, 1), date(2030, 12, 31)),
    length=st.sampled_from([5, 15, 25, 30, 45, 60, 480]),
    zone=st.sampled_from(["Europe/London", "America/St_Johns", "Australia/Lord_Howe", "UTC"]),
    begin=st.sampled_from(["00:00", "01:30", "09:00"]),
    end=st.sampled_from(["02:30", "17:00", "24:00"]),
)
def test_slots_follow_each_other_and_never_overlap(day: date, length: int, zone: str, begin: str, end: str) -> None:
    if end < begin:
        return
    every = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    of = diary(slot_minutes=length, hours=[{"days": every, "begin": begin, "end": end}])
    there = ZoneInfo(zone)
    found = list(slots(of, there, day, day + timedelta(days=1)))
    assert all(later - earlier >= 60 * length for earlier, later in pairwise(found))
    assert all(each % QUANTUM_S == 0 for each in found)
    assert all(is_slot(of, there, each) for each in found)
    for each in found:
        assert read_start(iso(each, there), there) == each
        assert datetime.fromtimestamp(each, UTC).tzinfo is not None


@given(st.text(max_size=60))
def test_whatever_is_read_as_a_time_is_refused_by_name_or_is_a_moment(text: str) -> None:
    with suppress(UnfitError):
        assert isinstance(read_start(text, LONDON), int)
