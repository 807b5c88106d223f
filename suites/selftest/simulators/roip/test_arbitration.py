"""Which of several control rooms has a radio."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from harness.protocols.ed137.extension import Ptt
from simulators.roip.arbitration import RANK, Arbitration


def winner(*heard: tuple[int, Ptt]) -> int | None:
    claims = Arbitration()
    for ptt_id, ptt in heard:
        claims.heard(ptt_id, ptt)
    return None if claims.winner is None else claims.winner.ptt_id


def test_of_equals_the_first_has_it() -> None:
    assert winner((1, Ptt.NORMAL), (2, Ptt.NORMAL)) == 1
    assert winner((1, Ptt.NORMAL), (2, Ptt.NORMAL), (1, Ptt.OFF)) == 2


def test_a_higher_type_takes_it_and_a_test_never_does() -> None:
    assert winner((1, Ptt.NORMAL), (2, Ptt.PRIORITY)) == 2
    assert winner((1, Ptt.EMERGENCY), (2, Ptt.PRIORITY)) == 1
    assert winner((1, Ptt.NORMAL), (2, Ptt.TEST)) == 1


def test_reserved_types_key_nothing() -> None:
    assert winner((1, Ptt.RESERVED_6), (2, Ptt.RESERVED_7)) is None


def test_who_was_refused_has_to_key_anew_or_higher() -> None:
    claims = Arbitration()
    claims.heard(1, Ptt.NORMAL)
    claims.refuse()
    assert claims.winner is None
    assert claims.keys(1)
    claims.heard(1, Ptt.NORMAL)
    assert claims.winner is None
    claims.heard(1, Ptt.EMERGENCY)
    assert claims.winner is not None
    claims.refuse()
    claims.heard(1, Ptt.OFF)
    claims.heard(1, Ptt.NORMAL)
    assert claims.winner is not None


@given(st.lists(st.tuples(st.integers(1, 4), st.sampled_from(Ptt)), max_size=40))
def test_whoever_has_it_keys_it_and_nobody_who_keys_goes_before_him(heard: list[tuple[int, Ptt]]) -> None:
    claims = Arbitration()
    now: dict[int, Ptt] = {}
    for ptt_id, ptt in heard:
        claims.heard(ptt_id, ptt)
        now[ptt_id] = ptt
    keyed = {each: ptt for each, ptt in now.items() if ptt in RANK}
    best = claims.winner
    assert (best is None) == (not keyed)
    if best is not None:
        assert keyed[best.ptt_id] is best.ptt
        assert all(RANK[ptt] <= RANK[best.ptt] for ptt in keyed.values())
