"""What is read of Teams users, what a ledger keeps through a crash, and how a roll-back treats what is not its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from harness.endpoints.webex.ledger import Ledger
from harness.endpoints.webex.teams_export import Wave, read_wave
from harness.errors import MigrationError

EXPORT = Path(__file__).parents[3] / "fixtures" / "migration" / "teams-wave.json"
NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC).timestamp()
"""A Monday, after its handover."""


def read(tmp_path: Path, change: Callable[[dict[str, Any]], Any] | None = None, *, now: float = NOW) -> Wave:
    """The file, changed."""
    told = json.loads(EXPORT.read_text(encoding="utf-8"))
    if change is not None:
        change(told)
    file = tmp_path / "wave.json"
    file.write_text(json.dumps(told), encoding="utf-8")
    return read_wave(file, now)


def at(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def test_of_meetings_those_are_read_that_a_user_holds_and_that_are_still_to_come(tmp_path: Path) -> None:
    morven, hamish, desk = read(tmp_path).users
    assert [each.title for each in morven.meetings] == ["iccs-test-Handover", "iccs-test-Exercise wash-up"]
    handover, exercise = morven.meetings
    # The series began in 2025: its next day is Thursday, at a quarter to seven of Glasgow's clock.
    assert (at(handover.start), handover.end - handover.start) == ("2026-01-08T06:45:00+00:00", 900)
    assert handover.recurrence == "FREQ=WEEKLY;INTERVAL=1;BYDAY=MO,TH;UNTIL=20311231T235959Z"
    assert [email for email, _name in handover.invitees] == ["iccs-test-hamish@force.example", "desk@force.example"]
    assert (at(exercise.start), exercise.recurrence) == ("2031-03-11T14:00:00+00:00", None)
    [planning] = hamish.meetings
    assert planning.recurrence == "FREQ=MONTHLY;INTERVAL=1;BYMONTHDAY=14;COUNT=6"
    assert at(planning.start) == "2031-07-14T08:00:00+00:00", "summer time"
    [review] = desk.meetings
    assert (at(review.start), review.timezone) == ("2031-05-05T10:00:00+00:00", "Europe/Dublin")


def test_a_series_goes_on_by_its_own_clock_when_that_changes(tmp_path: Path) -> None:
    june = datetime(2026, 6, 1, 9, 0, tzinfo=UTC).timestamp()
    assert at(read(tmp_path, now=june).users[0].meetings[0].start) == "2026-06-04T05:45:00+00:00"
    over = datetime(2032, 1, 1, tzinfo=UTC).timestamp()
    assert [len(each.meetings) for each in read(tmp_path, now=over).users] == [0, 0, 0]


def test_contacts_are_read_with_every_way_to_reach_them(tmp_path: Path) -> None:
    _court, pier = read(tmp_path).users[0].contacts
    assert (pier.name, pier.emails) == ("iccs-test-Ferry Pier", ("pier@ferry.example",))
    assert pier.numbers == (("01632 960211", "work"), ("+447700900211", "mobile"))


def _set(*path: Any, to: Any) -> Callable[[dict[str, Any]], None]:
    def change(told: dict[str, Any]) -> None:
        at_: Any = told
        for step in path[:-1]:
            at_ = at_[step]
        at_[path[-1]] = to

    return change


REFUSED = [
    (_set("users", to=[]), "users"),
    (_set("users", 0, "user", "userPrincipalName", to="nobody"), "users 1 user userPrincipalName"),
    (_set("users", 1, "user", "userPrincipalName", to="DESK@force.example"), "user 2: its userPrincipalName"),
    (_set("users", 1, "webex", "extension", to="2021"), "user 1: its extension is another"),
    (_set("users", 0, "contacts", 1, "emailAddresses", 0, "address", to="x"), "users 1 contacts 2 emailAddresses 1"),
    (_set("users", 2, "contacts", 0, to={"displayName": "Nobody"}), "user 3 contact 1: it has no address"),
    (_set("users", 0, "events", 1, "end", "dateTime", to="2031-03-11T13:00:00"), "user 1 event 2: it ends before"),
    (_set("users", 0, "events", 1, "start", "timeZone", to="GMT Standard Time"), "is no time zone of IANA"),
    (_set("users", 0, "events", 1, "start", "dateTime", to="tomorrow"), "user 1 event 2: "),
    (_set("users", 0, "events", 0, "recurrence", "pattern", "type", to="relativeMonthly"), "users 1 events 1"),
    (_set("users", 0, "events", 0, "recurrence", "pattern", "daysOfWeek", to=[]), "a weekly series has no day"),
    (_set("users", 0, "events", 0, "recurrence", "range", "endDate", to=None), "user 1 event 1: "),
    (_set("users", 1, "events", 1, "recurrence", "pattern", "dayOfMonth", to=0), "user 2 event 2: "),
]


@pytest.mark.parametrize(("change", "why"), REFUSED)
def test_what_can_not_be_brought_over_whole_is_refused_by_its_place_and_tells_nobodys_name(
    tmp_path: Path, change: Callable[[dict[str, Any]], None], why: str
) -> None:
    with pytest.raises(MigrationError, match=why) as refused:
        read(tmp_path, change)
    told = str(refused.value)
    assert refused.value.rolled_back is None
    assert not any(word in told for word in ("morven", "Morven", "hamish", "Ferry", "force.example"))


@pytest.mark.parametrize("content", [b"", b"[", b"\xff", b"[]", b"[" * 100_000, b'{"wave": 1}'])
def test_what_is_no_export_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "wave.json"
    file.write_bytes(content)
    with pytest.raises(MigrationError):
        read_wave(file, NOW)
    with pytest.raises(MigrationError):
        read_wave(tmp_path / "none", NOW)


def test_a_ledger_is_read_as_it_was_written_wherever_it_was_cut_off(tmp_path: Path) -> None:
    ledger = Ledger.begin(tmp_path / "ledger", "org", "wave")
    first = ledger.intend("users", emails=["a@force.example"])
    ledger.done(first, ids=["1"])
    ledger.intend("group", name="wave")
    ledger.undone(first)
    whole = ledger.path.read_bytes()
    states = set()
    head = whole.index(b"\n") + 1
    for length in range(head, len(whole) + 1):
        cut = tmp_path / f"cut-{length}"
        cut.write_bytes(whole[:length])
        again = Ledger.read(cut)
        states.add(tuple(each.state for each in again.steps))
        # What was torn off is gone, so that the next line is whole.
        again.intend("contacts", group="g")
        assert [each.kind for each in Ledger.read(cut).steps][-1] == "contacts"
    assert states == {(), ("intended",), ("done",), ("done", "intended"), ("undone", "intended")}


@pytest.mark.parametrize(
    "content",
    [b"", b"{}\n", b"[]\n", b"\xff\n", b'{"ledger": 2, "organisation": "o", "wave": "w"}\n']
    + [b'{"ledger": 1, "organisation": "o", "wave": "w"}\n' + line for line in (b"1\n", b'{"step": 7}\n', b"x\n")],
)
def test_what_is_no_ledger_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "ledger"
    file.write_bytes(content)
    with pytest.raises(MigrationError):
        Ledger.read(file)


def test_a_ledger_is_begun_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    ledger = Ledger.begin(tmp_path / "ledger", "org", "wave")
    assert ledger.path.stat().st_mode & 0o777 == 0o600
    with pytest.raises(MigrationError, match="no ledger can be begun"):
        Ledger.begin(tmp_path / "ledger", "org", "wave")


def test_a_wave_shows_nobodys_name_in_a_report(tmp_path: Path) -> None:
    wave = read(tmp_path)
    ledger = Ledger.begin(tmp_path / "ledger", "org", "wave")
    shown = f"{wave} {wave.users} {wave.users[0].contacts} {wave.users[0].meetings}"
    shown += str(ledger.intend("users", emails=["morven@force.example"]))
    assert not any(word in shown for word in ("orven", "Ferry", "Handover", "force.example"))
    assert str(wave) == "Wave('iccs-test-teams-wave-1', 3 users)"
