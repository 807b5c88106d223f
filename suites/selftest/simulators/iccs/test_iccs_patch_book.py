"""Which talkgroups are patched: whatever is asked for, patches never close a loop."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.iccs.radio_services.patch_book import MAX_PATCHES, PatchBook, PatchError, UnknownPatchError

GROUPS = [f"G{number}" for number in range(8)]
ASKED = st.lists(st.tuples(st.sampled_from(GROUPS), st.sampled_from(GROUPS), st.booleans()), max_size=40)


@given(ASKED)
def test_patches_stay_a_forest_and_are_refused_exactly_where_they_would_not(asked: list[tuple[str, str, bool]]) -> None:
    book = PatchBook()
    made: list[str] = []
    for one, two, end_first in asked:
        if end_first and made:
            book.end(made.pop(0))
        joined = two in book.net(one)
        try:
            made.append(book.make(one, two, "desk-1", 0.0).id)
        except PatchError as error:
            assert joined and "loop" in str(error)
        else:
            assert not joined
        nets = {frozenset(book.net(group)) for group in GROUPS}
        assert sum(len(net) for net in nets) == len(GROUPS), "each talkgroup is in one net"
        assert len(made) == sum(len(net) - 1 for net in nets), "a net of n talkgroups has n - 1 patches"


def test_a_refusal_names_every_patch_of_the_way_round_and_who_made_it() -> None:
    book = PatchBook()
    for one, two, by in (("A", "B", "desk-1"), ("C", "B", "desk-2"), ("C", "D", "desk-3"), ("A", "E", "desk-4")):
        book.make(one, two, by, 0.0)
    with pytest.raises(PatchError) as refused:
        book.make("D", "A", "desk-9", 0.0)
    told = str(refused.value)
    assert told == (
        "a patch of D with A would close a loop: they are joined by C with D (P-3 by desk-3) and C with B (P-2 by "
        "desk-2) and A with B (P-1 by desk-1)"
    )


def test_so_many_patches_are_made_and_one_that_is_not_there_is_not_ended() -> None:
    book = PatchBook()
    for number in range(MAX_PATCHES):
        book.make(f"left {number}", f"right {number}", "desk-1", 0.0)
    with pytest.raises(PatchError, match=f"{MAX_PATCHES} patches are up already"):
        book.make("one", "two", "desk-1", 0.0)
    with pytest.raises(UnknownPatchError, match="there is no patch 'P-0'"):
        book.end("P-0")
