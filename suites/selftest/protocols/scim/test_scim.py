"""SCIM's filters and patches: RFC 7644's own examples, what they refuse, and that nothing sent to them breaks them."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import ScimError
from harness.protocols.scim import Attribute, Layout, Operation, parse_filter, patched

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def made(*names: str | Attribute) -> dict[str, Attribute]:
    """Attributes by their names in lower case."""
    attributes = [each if isinstance(each, Attribute) else Attribute(each) for each in names]
    return {each.name.lower(): each for each in attributes}


EMAIL = made("value", "type", "display", Attribute("primary", boolean=True))
LAYOUT = Layout(
    "urn:ietf:params:scim:schemas:core:2.0:User",
    Attribute(
        "User",
        made(
            "userName",
            "title",
            "userType",
            "displayName",
            Attribute("id", exact=True, fixed=True),
            Attribute("active", boolean=True),
            Attribute("name", made("familyName", "givenName")),
            Attribute("emails", EMAIL, multiple=True),
            Attribute("ims", EMAIL, multiple=True),
            Attribute("meta", made("lastModified", "resourceType"), fixed=True),
            Attribute(ENTERPRISE, made("department", "employeeNumber")),
        ),
    ),
)
JENSEN: dict[str, Any] = {
    "id": "aB1",
    "userName": "bJensen",
    "userType": "Employee",
    "active": True,
    "name": {"familyName": "O'Malley", "givenName": "Barbara"},
    "emails": [
        {"value": "bjensen@example.com", "type": "work", "primary": True},
        {"value": "babs@example.org", "type": "home"},
    ],
    "meta": {"lastModified": "2011-05-13T04:42:34.000Z", "resourceType": "User"},
    ENTERPRISE: {"department": "Tour Operations"},
}


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ('userName eq "bjensen"', True),
        ('USERNAME EQ "BJENSEN"', True),
        ('id eq "ab1"', False),
        ('id eq "aB1"', True),
        ('name.familyName co "O\'Malley"', True),
        ('userName sw "J"', False),
        ('urn:ietf:params:scim:schemas:core:2.0:User:userName sw "bJ"', True),
        ("title pr", False),
        ("name pr", True),
        ('meta.lastModified gt "2011-05-13T04:42:34Z"', False),
        ('meta.lastModified ge "2011-05-12T04:42:34Z"', True),
        ('title pr and userType eq "Employee"', False),
        ('title pr or userType eq "Intern" or active eq true', True),
        ('userType eq "Employee" and (emails co "example.com" or emails.value co "example.net")', True),
        ('userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")', False),
        ('userType eq "Employee" and (emails.type eq "work")', True),
        ('emails[type eq "work" and value co "@example.com"]', True),
        ('emails[type eq "home" and value co "@example.com"]', False),
        ('emails[type eq "home" and value co "@example.com"] or ims[type eq "xmpp"]', False),
        (f'{ENTERPRISE}:department ew "operations"', True),
        ("title eq null", True),
        ("title ne null", False),
        ('userName eq "b\\u004aensen"', True),
        # 'and' binds closer than 'or'.
        ('userName eq "bjensen" or userName eq "x" and userType eq "y"', True),
    ],
)
def test_a_filter_finds_what_it_says(text: str, fits: bool) -> None:
    assert parse_filter(text, LAYOUT).fits(JENSEN) is fits


@pytest.mark.parametrize(
    "text",
    [
        "",
        "userName",
        "userName eq",
        'userName eq "x',
        "userName eq bjensen",
        'userName is "x"',
        'nickname eq "x"',
        'name eq "x"',
        'userName eq "x" and',
        '(userName eq "x"',
        'userName eq "x")',
        'emails[type eq "work"',
        'emails[userName eq "x"]',
        'title[type eq "work"]',
        "active gt true",
        'active eq "true"',
        "userName gt null",
        "userName co 1",
        "userName eq NaN",
        "(" * 40 + "title pr" + ")" * 40,
        " or ".join(["title pr"] * 200),
        'userName eq "' + "x" * 5_000 + '"',
        f'urn:{ENTERPRISE}:department eq "x"',
    ],
)
def test_a_filter_that_means_nothing_is_refused(text: str) -> None:
    with pytest.raises(ScimError) as refused:
        parse_filter(text, LAYOUT)
    assert refused.value.scim_type == "invalidFilter"


@given(st.text(alphabet='userNamtil. []()"\\andoreqpt:12\t\x00é', max_size=60))
def test_whatever_is_written_as_a_filter_is_read_or_refused(text: str) -> None:
    try:
        fits = parse_filter(text, LAYOUT).fits(JENSEN)
    except ScimError as error:
        assert error.scim_type == "invalidFilter"
    else:
        assert isinstance(fits, bool)


def change(*operations: tuple[str, str | None, Any]) -> dict[str, Any]:
    """Jensen after operations."""
    before = copy.deepcopy(JENSEN)
    after = patched(JENSEN, [Operation(*each) for each in operations], LAYOUT)
    assert before == JENSEN
    return after


def test_values_are_added_replaced_and_removed() -> None:
    home = {"value": "x@example.org", "type": "other", "primary": True}
    added = change(("add", "emails", [home]))["emails"]
    assert [each.get("primary") for each in added] == [False, None, True]
    assert change(("Add", "emails", JENSEN["emails"][0]))["emails"] == JENSEN["emails"], "what is there stays once"
    assert change(("replace", "emails", [home]))["emails"] == [home]
    assert change(("replace", 'emails[type eq "work"].value', "y"))["emails"][0]["value"] == "y"
    assert len(change(("remove", 'emails[type eq "work"]', None))["emails"]) == 1
    assert "type" not in change(("remove", 'emails[type eq "work"].type', None))["emails"][0]
    assert "emails" not in change(("remove", "emails", None))
    left = change(("remove", "emails", [{"value": "babs@example.org"}]))["emails"]
    assert left == JENSEN["emails"][:1]


def test_single_attributes_and_extensions_are_set_by_any_way_to_write_them() -> None:
    assert change(("replace", "ACTIVE", "False"))["active"] is False
    assert change(("replace", None, {"active": False, "name.givenName": "Babs"}))["name"] == {
        "familyName": "O'Malley",
        "givenName": "Babs",
    }
    assert change(("replace", "name", {"GIVENNAME": "Babs"}))["name"]["familyName"] == "O'Malley"
    assert change(("add", f"{ENTERPRISE}:employeeNumber", "7"))[ENTERPRISE]["employeeNumber"] == "7"
    assert change(("add", None, {ENTERPRISE: {"department": "X"}}))[ENTERPRISE] == {"department": "X"}
    assert change(("add", "title", "A"), ("remove", "title", None), ("add", "title", "B"))["title"] == "B"
    fresh = patched({"id": "1"}, [Operation("add", "name.familyName", "Reid")], LAYOUT)
    assert fresh["name"] == {"familyName": "Reid"}


@pytest.mark.parametrize(
    ("operation", "word"),
    [
        (("remove", None, None), "noTarget"),
        (("replace", 'emails[type eq "fax"].value', "x"), "noTarget"),
        (("replace", "ims.value", "x"), "noTarget"),
        (("replace", "id", "x"), "mutability"),
        (("add", "meta.resourceType", "x"), "mutability"),
        (("add", None, {"id": "x"}), "mutability"),
        (("add", "nothing", "x"), "invalidPath"),
        (("add", "emails[", "x"), "invalidPath"),
        (("add", 'title[type eq "x"]', "x"), "invalidPath"),
        (("add", 'emails[nothing eq "x"]', {}), "invalidFilter"),
        (("move", "title", "x"), "invalidSyntax"),
        (("add", "title", None), "invalidValue"),
        (("add", None, "x"), "invalidValue"),
        (("add", "name", "x"), "invalidValue"),
        (("add", "emails", ["x"]), "invalidValue"),
        (("replace", 'emails[type eq "work"]', "x"), "invalidValue"),
        (("add", "emails", [{"value": str(each)} for each in range(2_000)]), "tooMany"),
    ],
)
def test_a_patch_that_can_not_be_done_changes_nothing(operation: tuple[str, str | None, Any], word: str) -> None:
    with pytest.raises(ScimError) as refused:
        change(("replace", "title", "before"), operation)
    assert refused.value.scim_type == word


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["x", "work", "true"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["value", "type", "name"]), inner),
    max_leaves=6,
)
PLACES = ("title", "name", "name.givenName", "active", ENTERPRISE, f"{ENTERPRISE}:department", "ims", "ims.type", "x[")
SOME = ("emails", "emails.value", 'emails[type eq "work"]', 'emails[type eq "home"].value', "")
PATHS = st.none() | st.sampled_from((*PLACES, *SOME))


@given(st.lists(st.builds(Operation, st.sampled_from(["add", "replace", "remove"]), PATHS, JSON), max_size=6))
def test_whatever_is_patched_ends_or_is_refused(operations: list[Operation]) -> None:
    try:
        after = patched(JENSEN, operations, LAYOUT)
    except ScimError:
        return
    assert json.dumps(after)
    assert (after["id"], after["meta"]) == (JENSEN["id"], JENSEN["meta"])


def test_what_is_told_is_narrowed() -> None:
    def paths(*names: str) -> frozenset[tuple[str, ...]]:
        return frozenset(LAYOUT.path(each) for each in names)

    assert LAYOUT.narrowed(JENSEN, paths("username", "emails.value"), frozenset()) == {
        "id": "aB1",
        "userName": "bJensen",
        "emails": [{"value": "bjensen@example.com"}, {"value": "babs@example.org"}],
    }
    left = LAYOUT.narrowed(JENSEN, frozenset(), paths("id", "emails", "name.familyName", f"{ENTERPRISE}:department"))
    assert set(left) == set(JENSEN) - {"emails"} and left["id"] == "aB1"
    assert left["name"] == {"givenName": "Barbara"} and left[ENTERPRISE] == {}
    assert LAYOUT.canonical({"USERNAME": "x", "Emails": [{"VALUE": "y", "no": 1}], "what": 2}) == {
        "userName": "x",
        "emails": [{"value": "y"}],
    }
