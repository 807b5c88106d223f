"""What is told of a meeting by who was dropped, what was heard, and how many the service counted."""

from __future__ import annotations

from typing import Any

import pytest

from harness.measure.stability import WORST_SHOWN, Limits, Presence, Sample, Stability, told

LIMITS = Limits(delay_ms=150, loss_share=1)
HEARD = Sample(60, "ann", "bob", 0.98, 90, 0)
SILENT = Sample(120, "bob", "ann", 0.1, None, 0, False)
"""An attendee who is not heard, as is due."""
PARTIES = (Presence("ann", True), Presence("bob", True))


def meeting(**given: Any) -> Stability:
    return Stability(
        **{"lasted_s": 3600, "presences": PARTIES, "samples": [HEARD, SILENT], "counted": [(300, 2)], **given}
    )


def test_a_meeting_in_which_all_is_as_due_has_no_findings() -> None:
    found = meeting()
    assert found.findings(LIMITS) == []
    assert (found.drops, found.rejoined, found.sampled) == (0, 0, 2)
    assert (found.worst_delay_ms, found.worst_loss_share) == (90, 0)


@pytest.mark.parametrize(
    ("sample", "says"),
    [
        (Sample(60, "ann", "bob", 0.98, 150.5, 0), "60 s: bob of ann: 150 ms late, 150 at most"),
        (Sample(60, "ann", "bob", 0.98, 90, 1.1), "60 s: bob of ann: 1.1 % lost, 1 at most"),
        (Sample(60, "ann", "bob", 0.79, 90, 0), "60 s: bob of ann: not heard, correlation 0.79"),
        (Sample(60, "ann", "bob", 0.9, None, 0), "60 s: bob of ann: not heard, correlation 0.90"),
        (Sample(60, "ann", "bob", 0.98, 90, 0, False), "60 s: bob of ann: heard, and is not to be"),
        (Sample(60, "ann", "bob", 0, None, 100, True, "ann has no audio"), "60 s: bob of ann: ann has no audio"),
        (Sample(60, "ann", "bob", 0, None, 100, False, "ann has no audio"), "60 s: bob of ann: ann has no audio"),
    ],
)
def test_each_thing_that_a_sample_has_not_as_due_is_a_finding(sample: Sample, says: str) -> None:
    assert meeting(samples=[HEARD, sample]).findings(LIMITS) == [says]


def test_what_was_lost_of_what_was_not_due_is_no_finding() -> None:
    assert meeting(samples=[HEARD, Sample(60, "ann", "bob", 0.1, None, 100, False)]).findings(LIMITS) == []


def test_a_drop_is_a_finding_whether_or_not_somebody_came_back() -> None:
    found = meeting(presences=(Presence("ann", True, [(60, "Gone", 65.5), (90, "", None)]), Presence("bob", False)))
    assert (found.drops, found.rejoined) == (2, 1)
    assert found.findings(LIMITS) == [
        "60 s: ann was dropped (Gone), back 6 s later",
        "90 s: ann was dropped (no reason given), not back",
        "bob did not get in",
    ]


def test_a_drop_in_the_runs_first_moment_is_one_too() -> None:
    assert meeting(presences=(Presence("ann", True, [(0, "Gone", 0)]), Presence("bob", True))).findings(LIMITS) == [
        "0 s: ann was dropped (Gone), back 0 s later"
    ]


def test_what_the_service_counts_is_held_against_who_is_to_be_there() -> None:
    [says] = meeting(counted=[(300, 2), (600, 1)]).findings(LIMITS)
    assert says == "600 s: the service says that 1 are in, and 2 are to be"


def test_a_meeting_of_which_nothing_was_sampled_is_not_called_stable() -> None:
    assert meeting(samples=[]).findings(LIMITS) == ["no media were sampled"]
    assert meeting(samples=[SILENT]).findings(LIMITS) == ["no media were sampled"]


def test_an_error_names_some_and_counts_the_others() -> None:
    assert told(["a", "b"]) == "a; b"
    assert told(map(str, range(WORST_SHOWN + 3))).endswith("9; and 3 more")
