"""What people's replies mean, whatever their case, spaces, accents and politeness; and what is not to be guessed at."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from simulators.diary.replies import UNCLEAR, Meaning, Reading, Words, read

WORDS = Words()


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("cancel", Meaning.CANCEL),
        ("CANCEL please", Meaning.CANCEL),
        ("  Cancel.\n", Meaning.CANCEL),
        ("Please cancel my appointment, thanks!", Meaning.CANCEL),
        ("cáncèl", Meaning.CANCEL),
        ("\uff23\uff21\uff2e\uff23\uff25\uff2c", Meaning.CANCEL),
        ("cancel cancel", Meaning.CANCEL),
        ("Change", Meaning.CHANGE),
        ("reschedule pls", Meaning.CHANGE),
        ("STOP", Meaning.STOP),
        ("stop.", Meaning.STOP),
        ("Start", Meaning.START),
    ],
)
def test_a_word_is_understood(text: str, meaning: Meaning) -> None:
    assert read(text, WORDS) == Reading(meaning)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            " ",
            "yes",
            "don't cancel",
            "do not cancel",
            "cancel or change",
            "STOP cancel",
            "can cel",
            "cancellation",
        ),
        *(
            "annuler",
            "отмена",
            "取消",
            "cancel\x00led it",
            "STOP 12",
            "12",
            "cancel 12 13",
            "cancel 1234567890",
            "please",
        ),
        "cancel " * 500,
    ],
)
def test_what_is_not_certain_is_unclear(text: str) -> None:
    assert read(text, WORDS) == UNCLEAR


def test_a_reply_may_name_its_appointment() -> None:
    assert read("CANCEL 12", WORDS) == Reading(Meaning.CANCEL, 12)
    assert read("change #12 please", WORDS) == Reading(Meaning.CHANGE, 12)


def test_the_words_are_the_settings() -> None:
    words = Words(cancel=("drop",))
    assert read("Drop please", words).meaning is Meaning.CANCEL
    assert read("cancel", words) == UNCLEAR


@pytest.mark.parametrize("words", [{"cancel": ["stop"]}, {"cancel": ["Cancel"]}, {"stop": []}, {"start": ["a b"]}])
def test_words_that_can_not_be_told_apart_or_read_are_refused(words: dict[str, list[str]]) -> None:
    with pytest.raises(ValidationError):
        Words.model_validate(words)


@given(st.text(max_size=1_200))
def test_any_text_has_a_meaning(text: str) -> None:
    assert isinstance(read(text, WORDS), Reading)
