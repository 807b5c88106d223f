"""Dial plans: what each pattern takes, which of several is taken, what becomes of the number, what is refused."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import DialPlanError
from harness.protocols.sip import dial_plan
from harness.protocols.sip.dial_plan import DialPlan, Pattern, Route, Routed, Target

TRUNK = (Target("trunk"),)


def plan(*patterns: str) -> DialPlan:
    return DialPlan(Route(pattern, (Target(pattern),)) for pattern in patterns)


def taken(plan: DialPlan, number: str) -> str | None:
    found = plan.route(number)
    return None if found is None else found.pattern


@pytest.mark.parametrize(
    ("pattern", "takes", "leaves"),
    [
        ("101", ["101"], ["1", "10", "1011", "102", ""]),
        ("2XXX", ["2000", "2999"], ["200", "20000", "3000", "200a", "2 00"]),
        ("9.011!#", ["90111#", "9011445#"], ["9011#", "9011445", "9011445##", "9011*#"]),
        ("2[1-35]X", ["210", "239", "255"], ["200", "240"]),
        ("[^0-8]1", ["91"], ["01", "81", "*1"]),
        ("0131*", ["0131", "01314960001", "0131#*"], ["013", "0141", "0131 1", "0131a"]),
        ("*", ["9", "*21#", "+44"], ["a"]),
        ("\\+44!", ["+441", "+447700900123"], ["+44", "441", "+44+"]),
        ("*21.X!", ["*2112", "*21999"], ["*211", "*21"]),
        ("21\\*", ["21*"], ["21", "211", "21**"]),
        (
            "9.@",
            ["907700900123", "9999", "918000", "901314960001"],
            ["9", "92001", "907700", "9+447700900123", "900331"],
        ),
        ("#", ["#"], ["", "##"]),
    ],
)
def test_each_kind_of_pattern_takes_what_it_should(pattern: str, takes: list[str], leaves: list[str]) -> None:
    found = Pattern.parse(pattern)
    assert [number for number in takes if found.choices(number) is None] == []
    assert [number for number in leaves if found.choices(number) is not None] == []
    assert [number for number in takes if taken(plan(pattern), number) != pattern] == []


@pytest.mark.parametrize(
    ("patterns", "number", "pattern"),
    [
        (["2XXX", "20XX", "2001"], "2001", "2001"),
        (["2XXX", "20XX", "2001"], "2002", "20XX"),
        (["2XXX", "20XX", "2001"], "2102", "2XXX"),
        (["0*", "0131*", "01314*"], "01314960001", "01314*"),
        (["0*", "0131*", "01314*"], "01315", "0131*"),
        (["!", "X!", "XXXX"], "1234", "XXXX"),
        (["!", "X!"], "1234", "X!"),
        (["9!", "9.@"], "901314960001", "9.@"),
        (["9!", "9.@"], "92001", "9!"),
        (["99*", "999"], "999", "999"),
        (["99*", "999"], "998", "99*"),
        (["[2-5]XXX", "[23]XXX"], "2000", "[23]XXX"),
        (["!", "*"], "2000", "!"),
        (["X1", "1X"], "11", "X1"),
    ],
)
def test_the_pattern_that_could_match_the_fewest_is_taken(patterns: list[str], number: str, pattern: str) -> None:
    assert taken(plan(*patterns), number) == pattern
    if pattern != "X1":  # which only stands first
        assert taken(plan(*reversed(patterns)), number) == pattern


def test_a_number_is_cut_and_added_to_and_targets_are_in_their_order() -> None:
    routes = DialPlan(
        [
            Route("9.!", (Target("second", 2), Target("first", 1), Target("first too", 1)), strip_pre_dot=True),
            Route("0!", TRUNK, strip=1, prepend="+44"),
            Route("09!", refuse=403),
        ]
    )
    assert routes.route("901314960001") == Routed("9.!", "01314960001", ("first", "first too", "second"))
    assert routes.route("01314960001") == Routed("0!", "+441314960001", ("trunk",))
    assert routes.route("09098790001") == Routed("09!", "09098790001", (), 403)
    assert routes.route("2001") is None


def test_a_translation_changes_the_number_and_looks_again() -> None:
    routes = DialPlan(
        [
            Route("2XXX", (Target("telephones"),)),
            Route("0131496.0XXX", strip_pre_dot=True, prepend="7"),
            Route("70XXX", strip=2, prepend="2"),
        ]
    )
    assert routes.route("01314960001") == Routed(
        "2XXX", "2001", ("telephones",), translations=("0131496.0XXX", "70XXX")
    )


def test_translations_that_do_not_end_are_told() -> None:
    routes = DialPlan([Route("1", strip=1, prepend="2"), Route("2", strip=1, prepend="1")])
    with pytest.raises(DialPlanError, match=r"don't end: .*'1' → '2'"):
        routes.route("1")
    growing = DialPlan([Route("1!", prepend="1")])
    with pytest.raises(DialPlanError, match="don't end"):
        growing.route("11")


@pytest.mark.parametrize(
    ("patterns", "digits", "may"),
    [
        (["2XXX"], "2", True),
        (["2XXX"], "2001", False),
        (["2XXX"], "3", False),
        (["0!"], "0131", True),
        (["9.011!#"], "90114", True),
        (["9.011!#"], "90114#", False),
        (["9.011!#"], "9012", False),
        (["0131*"], "01", True),
        (["0131*"], "01314960001", True),
        (["9.@"], "90131", True),
        (["9.@"], "901314960001", False),
        (["9.@"], "91", True),
        (["9.@"], "92", False),
        (["999"], "99", True),
        (["2XXX", "999"], "", True),
    ],
)
def test_whether_more_digits_are_awaited(patterns: list[str], digits: str, may: bool) -> None:
    assert plan(*patterns).may_go_on(digits) is may


@pytest.mark.parametrize(
    ("route", "told"),
    [
        (Route("", TRUNK), "1 to 64 characters"),
        (Route("1" * 65, TRUNK), "1 to 64 characters"),
        (Route("1!2!", TRUNK), "pattern '1!2!': ! and !"),
        (Route("1!*", TRUNK), "! and *"),
        (Route("1.2.3", TRUNK), "one dot"),
        (Route("1!.2", TRUNK), "one dot"),
        (Route("@1", TRUNK), "nothing stands after @"),
        (Route("[2", TRUNK), "at '[2' [2-5] or [^01] is due"),
        (Route("[]", TRUNK), "is due"),
        (Route("[5-2]", TRUNK), "5-2 goes backwards"),
        (Route("[^0-9]", TRUNK), "leaves no digit"),
        (Route("1+", TRUNK), "+ for repetition is not known"),
        (Route("1?", TRUNK), "? for repetition is not known"),
        (Route("1a", TRUNK), "'a' is no digit"),
        (Route("1\\", TRUNK), "is no digit"),
        (Route("\\a", TRUNK), "'a' is no digit"),
        (Route("1", (Target(""),)), "each with a name"),
        (Route("1", TRUNK * 33), "up to 32 targets"),
        (Route("1", refuse=200), "refuse is a status 300…699"),
        (Route("1", TRUNK, refuse=403), "without targets"),
        (Route("1", TRUNK, strip_pre_dot=True), "there is no dot"),
        (Route("1.2", TRUNK, strip=1, strip_pre_dot=True), "at once"),
        (Route("12", TRUNK, strip=3), "strip 3; the shortest number that it matches has 2"),
        (Route("12*", TRUNK, strip=3), "strip 3"),
        (Route("12", TRUNK, strip=-1), "strip -1"),
        (Route("12", TRUNK, prepend="a"), "prepend 'a'"),
        (Route("12"), "a loop"),
    ],
)
def test_what_means_nothing_is_told_with_its_pattern(route: Route, told: str) -> None:
    with pytest.raises(DialPlanError) as error:
        DialPlan([route])
    assert told in str(error.value)
    assert str(error.value).startswith(f"pattern {route.pattern[:64]!r}")


@pytest.mark.parametrize("pair", [("101", "101"), ("1.01", "101"), ("2XXX", "2XXX"), ("[2]1", "21")])
def test_two_routes_of_one_pattern_are_told(pair: tuple[str, str]) -> None:
    with pytest.raises(DialPlanError, match="matches what"):
        plan(*pair)


def test_a_plan_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dial_plan, "MAX_ROUTES", 2)
    with pytest.raises(DialPlanError, match="more than 2 routes"):
        plan("1", "2", "3")
    assert plan("!").route("1" * 65) is None
    assert not plan("!").may_go_on("1" * 64)


ELEMENTS = st.sampled_from([*"0123456789", "X", "[2-5]", "[^01]", "\\+", "\\*", "#"])
PATTERNS = st.builds(
    lambda head, variable, tail: "".join(head) + variable + ("".join(tail) if variable == "!" else ""),
    st.lists(ELEMENTS, min_size=1, max_size=6),
    st.sampled_from(["", "!", "*"]),
    st.lists(ELEMENTS, max_size=3),
)


def as_regex(pattern: str) -> str:
    """The same in Python's terms: an independent reading of it."""
    text, star = (pattern[:-1], "[0-9*#+]*") if pattern[-1] == "*" and pattern[-2:] != "\\*" else (pattern, "")
    return text.replace("X", "[0-9]").replace("[^01]", "[2-9]").replace("!", "[0-9]+") + star


@given(PATTERNS, st.text("0123456789*#+", min_size=1, max_size=12))
def test_patterns_take_what_a_regular_expression_takes(pattern: str, number: str) -> None:
    found = Pattern.parse(pattern)
    assert (found.choices(number) is not None) is (re.fullmatch(as_regex(pattern), number) is not None)


@given(PATTERNS, st.data())
def test_a_prefix_of_a_number_that_matches_may_go_on(pattern: str, data: st.DataObject) -> None:
    number = data.draw(st.from_regex(re.compile(as_regex(pattern), re.ASCII), fullmatch=True))
    found = Pattern.parse(pattern)
    assert found.choices(number) is not None
    for length in range(len(number)):
        assert found.may_go_on(number[:length]), number[:length]


@given(st.text(max_size=20), st.text(max_size=20))
def test_whatever_the_text_nothing_but_the_named_error_comes(pattern: str, number: str) -> None:
    try:
        routes = DialPlan([Route(pattern, TRUNK)])
    except DialPlanError as error:
        assert str(error)
        return
    routes.route(number)
    routes.may_go_on(number)
