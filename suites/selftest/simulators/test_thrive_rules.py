"""The rules of THRIVE and of grades, whatever is given: what is not whole is refused by name, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.thrive import (
    PARTS,
    Grade,
    ThriveError,
    UnfitThriveError,
    assessed,
    grade_of,
    grading,
    reviewed_at,
    transferring,
)

TEXT = st.text(min_size=1, max_size=20).filter(lambda text: bool(text.strip()))
BLANK = st.one_of(st.none(), st.sampled_from(["", " ", "\n\t", "\u2003"]), st.integers())
GRADES = st.sampled_from(Grade)


@given(st.fixed_dictionaries({part: st.one_of(TEXT, BLANK) for part in PARTS}))
def test_an_assessment_is_whole_or_every_part_that_is_missing_is_named(told: dict[str, object]) -> None:
    missing = [part for part in PARTS if not (isinstance(text := told[part], str) and text.strip())]
    if not missing:
        assert {part: getattr(assessed(told), part) for part in PARTS} == told
        return
    with pytest.raises(UnfitThriveError) as refused:
        assessed(told)
    named = str(refused.value).rpartition(": ")[2]
    assert named.removesuffix(" is missing or blank").removesuffix(" are missing or blank").split(", ") == missing


@given(st.one_of(st.text(max_size=60), st.sampled_from([*Grade, "prompt", "Prompt "])))
def test_a_grade_is_one_of_the_four_or_is_refused(text: str) -> None:
    if text in ("Immediate", "Prompt", "Standard", "Other"):
        assert grade_of(text).value == text
        return
    with pytest.raises(UnfitThriveError, match="there is Immediate, Prompt, Standard, Other"):
        grade_of(text)


@given(st.one_of(st.none(), GRADES), GRADES, st.booleans(), st.one_of(TEXT, st.sampled_from(["", " \n"])))
def test_a_grade_needs_an_assessment_and_another_grade_a_rationale(
    was: Grade | None, now: Grade, assessed: bool, rationale: str
) -> None:
    if not assessed:
        with pytest.raises(ThriveError, match="no THRIVE assessment"):
            grading("R-000001", was, now, assessed=assessed, rationale=rationale)
    elif was is not None and was is not now and not rationale.strip():
        with pytest.raises(UnfitThriveError, match="needs a THRIVE rationale"):
            grading("R-000001", was, now, assessed=assessed, rationale=rationale)
    else:
        due = "graded" if was is None else None if was is now else "regraded"
        assert grading("R-000001", was, now, assessed=assessed, rationale=rationale) == due


@given(st.one_of(st.none(), TEXT), TEXT, st.booleans(), st.one_of(TEXT, st.sampled_from(["", " \n"])))
def test_a_transfer_needs_an_assessment_and_a_rationale(
    was: str | None, to: str, assessed: bool, rationale: str
) -> None:
    if assessed and rationale.strip() and was != to:
        transferring("R-000001", was, to, assessed=assessed, rationale=rationale)
        return
    with pytest.raises(ThriveError):
        transferring("R-000001", was, to, assessed=assessed, rationale=rationale)


@given(GRADES, st.floats(0, 1e10), st.floats(1, 1e6))
def test_a_prompt_alone_is_reviewed(grade: Grade, at: float, after: float) -> None:
    assert reviewed_at(grade, at, after) == (at + after if grade is Grade.PROMPT else None)
