"""United Kingdom numbers: one number however it is written, what it is, and what is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import NumberError
from harness.privacy import is_reserved
from harness.protocols.uk_numbers import PREFIXES, Kind, parse, same, split_prefix


@pytest.mark.parametrize(
    "text",
    [
        "01314960001",
        "0131 496 0001",
        "(0131) 496-0001",
        "+44 131 496 0001",
        "+44 (0)131 496 0001",
        "+441314960001",
        "0044 131 496 0001",
        "00441314960001",
        " 0131.496.0001 ",
    ],
)
def test_a_number_is_the_same_however_it_is_written(text: str) -> None:
    number = parse(text)
    assert (number.e164, number.national, number.kind) == ("+441314960001", "01314960001", Kind.GEOGRAPHIC)
    assert number.is_test
    assert same(text, "0131 496 0001")


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("999", Kind.EMERGENCY),
        ("112", Kind.EMERGENCY),
        ("18000", Kind.EMERGENCY),
        ("101", Kind.POLICE),
        ("111", Kind.SHORT),
        ("116123", Kind.SHORT),
        ("118 500", Kind.SHORT),
        ("07700900123", Kind.MOBILE),
        ("07624 000000", Kind.MOBILE),
        ("07600 000000", Kind.PAGER),
        ("07000 000000", Kind.PERSONAL),
        ("01632 960001", Kind.GEOGRAPHIC),
        ("020 7946 0001", Kind.GEOGRAPHIC),
        ("016977 2000", Kind.GEOGRAPHIC),
        ("03069 990001", Kind.NATIONWIDE),
        ("05600 000000", Kind.CORPORATE),
        ("0808 157 0001", Kind.FREEPHONE),
        ("0800 1111", Kind.FREEPHONE),
        ("0845 000 0000", Kind.SPECIAL),
        ("0909 879 0001", Kind.PREMIUM),
        ("+33 1 23 45 67 89", Kind.INTERNATIONAL),
        ("2001", Kind.EXTENSION),
        ("40100234", Kind.EXTENSION),
    ],
)
def test_each_kind_is_told_by_the_first_digits(text: str, kind: Kind) -> None:
    number = parse(text)
    assert number.kind is kind
    assert number.is_emergency is (kind is Kind.EMERGENCY)
    assert parse(str(number)) == parse(number.national) == number


def test_short_codes_and_extensions_have_no_international_form() -> None:
    assert [parse(text).e164 for text in ("999", "2001")] == ["", ""]
    assert parse("+33123456789").national == "0033123456789"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "digits are due"),
        ("anonymous", "digits are due"),
        ("0131496000a", "digits are due"),
        ("+", "digits are due"),
        ("++441314960001", "digits are due"),
        ("٠١٣١٤٩٦٠٠٠١", "digits are due"),
        ("013149600012", "has 11 digits"),
        ("0770090012", "07… has 10"),
        ("+4401314960001", "without its 0"),
        ("0400000000", "gives 040 to nobody"),
        ("+0123456", "the first not 0"),
        ("+1234567890123456", "5 to 15 digits"),
        ("123456789", "neither 0 nor +"),
        ("7", "neither 0 nor +"),
        ("0" * 41, "41 characters"),
    ],
)
def test_what_is_no_number_is_told_with_what_is_wrong(text: str, told: str) -> None:
    with pytest.raises(NumberError) as error:
        parse(text)
    assert told in str(error.value)


def test_names_compare_as_names() -> None:
    assert same("Alice ", "alice")
    assert not same("alice", "01314960001")
    assert not same("999", "112")


@pytest.mark.parametrize(
    ("dialled", "parted"),
    [
        ("14101314960001", ("141", "01314960001")),
        ("147007700900123", ("1470", "07700900123")),
        ("1800107700900123", ("18001", "07700900123")),
        ("18002 0131 496 0001", ("18002", "0131 496 0001")),
        ("18000", ("", "18000")),
        ("141", ("", "141")),
        ("1412", ("", "1412")),
        ("07700900123", ("", "07700900123")),
    ],
)
def test_what_is_dialled_before_a_number_is_parted_from_it(dialled: str, parted: tuple[str, str]) -> None:
    assert split_prefix(dialled) == parted
    assert not parted[0] or parted[0] in PREFIXES


@given(st.sampled_from(["7700900", "1314960", "1414960", "1632960"]), st.integers(0, 999))
def test_the_reserved_numbers_are_those_that_are_never_masked(start: str, last: int) -> None:
    number = parse(f"0{start}{last:03d}")
    assert number.is_test
    assert is_reserved(number.e164)
    assert same(number.national, number.e164)


@given(st.text("0123456789+()- ./abc", max_size=45))
def test_any_text_is_a_number_that_reads_back_or_the_named_error(text: str) -> None:
    try:
        number = parse(text)
    except NumberError as error:
        assert str(error)
        return
    assert parse(number.digits) == parse(number.national) == number
