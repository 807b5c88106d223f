"""Training: skills lapse, are reassessed, are told by site; champions cover their shifts; a fall brings a refresher."""

from __future__ import annotations

import itertools

import pytest

from harness.evidence.requirements import catalogue
from harness.page.contract import Attempt, Marked
from harness.page.drills import Drill, period_s, standing_of
from harness.page.marking import agreements
from harness.page.people import NewPerson, People
from harness.page.skills import Played, short_of_walkers, skills, standing, uncertified, uncovered
from harness.page.store import Store, StoredAttempts
from harness.pytest_plugin import requirement

WEEK_S = 7 * 24 * 3600.0
NOW = 1.8e9
ONE, OTHER = "E2E-01-DOMESTIC", "E2E-02-SILENT"


def played(
    *, weeks_ago: float, person: int = 1, scenario: str = ONE, ended: str = "passed", percent: float = 90.0
) -> Played:
    return Played(person, scenario, ended, NOW - weeks_ago * WEEK_S, percent, "iccs 0.1, simulated")


def figure(id_: str, name: str) -> float:
    return float(catalogue()[id_].figure(name).value)


@requirement("TRN-001")
@pytest.mark.parametrize(("over", "certified"), [(-0.01, True), (0.01, False)])
def test_an_operator_who_was_certified_too_long_before_go_live_is_told(over: float, certified: bool) -> None:
    made = [
        played(weeks_ago=figure("TRN-001", "certified_weeks") + over),
        played(person=2, weeks_ago=1, ended="failed"),
        played(person=3, weeks_ago=-1),
    ]
    assert uncertified([1, 2, 3, 4], made, NOW) == ([] if certified else [1]) + [2, 3, 4]


@requirement("TRN-002")
@pytest.mark.parametrize(
    ("share", "state"), [(0.0, "current"), (0.74, "current"), (0.76, "due"), (1.0, "due"), (1.001, "lapsed")]
)
def test_a_skill_that_is_not_used_lapses_and_is_reassessed(share: float, state: str) -> None:
    unused = figure("TRN-002", "unused_weeks") * share
    assert skills([played(weeks_ago=unused)], NOW)[0].state == state
    failed_since = [played(weeks_ago=unused), played(weeks_ago=0, ended="failed")]
    assert skills(failed_since, NOW)[0].state == state, "what failed is no use of a skill"
    assert skills([*failed_since, played(weeks_ago=0)], NOW)[0].state == "current", "reassessed"


@requirement("TRN-002")
def test_a_clock_that_ran_ahead_makes_no_skill_last_longer() -> None:
    ahead = skills([played(weeks_ago=-1000)], NOW)[0]
    assert ahead.lapses_at == NOW + figure("TRN-002", "unused_weeks") * WEEK_S


@requirement("TRN-003")
def test_a_shift_of_a_team_without_its_champions_is_told() -> None:
    needed = int(figure("TRN-003", "champions"))
    enough = [("champion", "B", "early")] * needed + [("trainee", "B", "early")]
    assert uncovered(enough) == []
    assert uncovered([*enough[1:], ("trainee", "C", "late")]) == [("B", "early", needed - 1), ("C", "late", 0)]


@requirement("TRN-004", "TRN-005")
async def test_a_replay_keeps_its_build_its_timing_its_steps_and_thrive() -> None:
    store = Store.open(None)
    person = People(store).add(NewPerson("Ailsa", "trainee", "B", "Govan"))
    steps = (Marked("answer", "done", 1.0, 2.5, 10.0), Marked("hand over", "late", 9.0, 20.0, 15.0, "5 s late"))
    thrive = {"Threat": True, "Harm": False}
    build = "iccs 0.1, simulated"
    attempt = Attempt(ONE, "ab" * 32, build, "call_taker", "passed", NOW, 29.0, 50.0, steps, thrive, {})
    number = await StoredAttempts(store).keep(person, attempt)
    kept = (await StoredAttempts(store).attempt(number))[1]
    store.close()
    assert (kept.build, kept.steps, kept.thrive, kept.took_s) == (build, steps, thrive, 29.0)


def marks(*said: bool) -> dict[str, bool]:
    return {f"factor {number}": each for number, each in enumerate(said)}


@requirement("TRN-006")
@pytest.mark.parametrize(
    ("ones", "others", "kappa", "enough"),
    [
        # Cohen 1960 by hand: of 50, 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: 0.7 observed, 0.5 by chance.
        ([True] * 25 + [False] * 25, [True] * 20 + [False] * 5 + [True] * 10 + [False] * 15, 0.4, False),
        ([True] * 10 + [False] * 10, [True] * 7 + [False] * 13, 0.7, True),
        ([True] * 10 + [False] * 10, [True] * 6 + [False] * 14, 0.6, False),
        ([True, False], [True, False], 1.0, True),
        ([True, False], [False, True], -1.0, False),
        ([True, True], [True, True], None, None),
    ],
)
def test_two_markers_agree_beyond_chance_or_are_told_not_to(
    ones: list[bool], others: list[bool], kappa: float | None, enough: bool | None
) -> None:
    (found,) = agreements([[("Ben", marks(*others)), ("Ada", marks(*ones))]])
    assert found.markers == ("Ada", "Ben") and found.marks == len(ones)
    assert found.kappa == (None if kappa is None else pytest.approx(kappa))
    assert figure("TRN-006", "agreement") == 0.7
    assert found.enough is enough


@requirement("TRN-006")
def test_what_one_alone_has_marked_tells_of_no_agreement() -> None:
    assert agreements([[("Ada", marks(True, False))], []]) == []


@requirement("TRN-008")
@pytest.mark.parametrize(("share", "state"), [(0.0, "held"), (0.999, "held"), (1.001, "due")])
def test_a_team_whose_last_drill_is_too_long_ago_is_due(share: float, state: str) -> None:
    assert period_s() == pytest.approx(365.25 * 86_400 / figure("TRN-008", "drills_a_year"))
    held = Drill("B", NOW - share * period_s(), passed=True)
    found = standing_of(["B", "C", "B", ""], [held, Drill("D", NOW, passed=True)], NOW)
    assert [(each.team, each.state) for each in found] == [("B", state), ("C", "never")], (
        "every team is told, and no other"
    )


@requirement("TRN-008")
def test_a_drill_that_went_wrong_and_a_clock_that_ran_ahead_count_for_nothing() -> None:
    old = Drill("B", NOW - 2 * period_s(), passed=True)
    (found,) = standing_of(["B"], [old, Drill("B", NOW - 1, passed=False)], NOW)
    assert found.state == "due"
    (ahead,) = standing_of(["B"], [Drill("B", NOW + 10 * period_s(), passed=True)], NOW)
    assert ahead.due_at == NOW + period_s()


@requirement("TRN-007")
@pytest.mark.parametrize(("over", "assigned"), [(-0.5, False), (0.0, True), (0.5, True)])
def test_an_index_that_drops_by_the_share_brings_a_refresher(over: float, assigned: bool) -> None:
    fallen = 80.0 * (1 - figure("TRN-007", "drop_share") / 100) - over
    percents = [80.0, 80.0, 80.0, fallen, fallen, fallen]
    made = [played(weeks_ago=6 - week, percent=percent) for week, percent in enumerate(percents)]
    skill = skills(made, NOW)[0]
    assert skill.index == pytest.approx(fallen)
    assert skill.dropped is assigned
    broken_off = [*made[:3], played(weeks_ago=0, percent=0.0, ended="abandoned")]
    assert not skills(broken_off, NOW)[0].dropped, "what was broken off says nothing of a skill"


@requirement("TRN-009")
def test_a_site_that_has_too_few_floor_walkers_for_its_staff_is_told() -> None:
    ratio = int(figure("TRN-009", "staff_per_walker"))
    govan = [("champion", "Govan")] + [("trainee", "Govan")] * ratio
    assert short_of_walkers(govan) == []
    assert short_of_walkers([*govan, ("trainee", "Govan"), ("trainee", "Dundee")]) == [
        ("Dundee", 0, 1),
        ("Govan", 1, 2),
    ]


@requirement("TRN-010")
def test_trained_current_and_lapsed_are_told_by_site_for_the_whole_staff() -> None:
    staff = int(figure("TRN-010", "staff"))
    sites = itertools.cycle(("Bilston", "Dundee", "Govan"))
    people = {number: next(sites) for number in range(staff)}
    weeks = {0: None, 1: 1.0, 2: 7.0, 3: 9.0}
    made = [
        played(person=number, weeks_ago=since) for number in people if (since := weeks[number % len(weeks)]) is not None
    ]
    # Who is current at one scenario and has lapsed at another has lapsed.
    made += [played(person=1, weeks_ago=20, scenario=OTHER)]
    found = standing(people, skills(made, NOW))
    assert [each.site for each in found] == ["Bilston", "Dundee", "Govan"]
    assert sum(each.people for each in found) == staff
    by_kind = [sum(number % len(weeks) == kind for number in people) for kind in weeks]
    assert sum(each.trained for each in found) == sum(by_kind[1:])
    assert sum(each.lapsed for each in found) == by_kind[3] + 1
    assert sum(each.current for each in found) == by_kind[1] + by_kind[2] - 1
    assert sum(each.due for each in found) == by_kind[2]
