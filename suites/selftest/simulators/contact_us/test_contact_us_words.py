"""Risk words are found in English and Scots, as whole words, and a denial takes a thing back and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import LocalError
from simulators.contact_us.words import RiskWords

WORDS = RiskWords()


@pytest.mark.parametrize(
    "text",
    [
        "He has a KNIFE",
        "he's no breathin, he isnae breathing",
        "She can\u2019t breathe",
        "she cant  breathe",
        "I am going\nto kill him",
        "he's gonnae kill me",
        "The wean's missin",
        "I want tae die",
        "he chibbed ma pal",
        "no doubt it's a knife",
        "not a knife but a gun",
        "No! A knife",
        "I want a gun to protect me",
        "My dad is not breathing",
        "suicidal thoughts",
        "kn\u200bife",
        "self-harming",
        "call the emergency services, he has an axe",
    ],
)
def test_what_cant_wait_is_urgent(text: str) -> None:
    assert WORDS.find(text).urgent, text


@pytest.mark.parametrize(
    "text",
    [
        "He had no knife",
        "it wisnae a gun",
        "there was nae weapon",
        "without any weapons",
        "it isn't a bomb",
        "A penknifelike thing",
        "Gunther and his dog",
        "the stabilisers of a bicycle",
        "this is not an emergency",
        "thank the emergency services",
        "a shooting star",
        "my skills are fine",
        "",
    ],
)
def test_what_can_wait_is_not(text: str) -> None:
    assert not WORDS.find(text).urgent, text


def test_vulnerability_and_crime_are_flags_of_their_own() -> None:
    found = WORDS.find("Ma granny has dementia and her purse was stolen, she's feart")
    assert found.flags() == ["vulnerable", "crime"]
    assert {"dementia", "feart"} <= set(found.vulnerable) and found.crime == ("stolen",)


def test_another_list_can_take_its_place_and_what_is_no_list_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "words.yaml"
    file.write_text("urgent: {words: [zebra]}\nvulnerable: {}\ncrime: {}\n")
    assert RiskWords(file).find("a Zebra!").urgent == ("zebra",)
    file.write_text("urgent: [zebra]")
    with pytest.raises(LocalError, match="no list of risk words"):
        RiskWords(file)


@given(st.text(max_size=300))
def test_any_text_can_be_looked_through(text: str) -> None:
    assert WORDS.find(f"{text}\nhe has a knife").urgent
