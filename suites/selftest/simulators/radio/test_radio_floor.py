"""The floor of a group call: one talker, order of the queue, pre-emption."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from simulators.radio.floor import MAX_QUEUE, Act, Demand, Floor


def test_first_come_first_served_but_priority_goes_ahead() -> None:
    floor = Floor(queues=True)
    assert floor.demand(Demand("a", 0)) is Act.GRANT
    assert [floor.demand(Demand(who, priority)) for who, priority in (("b", 0), ("c", 1), ("d", 0))] == [Act.QUEUE] * 3
    assert floor.waiting == ("c", "b", "d")
    assert floor.demand(Demand("b", 0)) is Act.KEEP is floor.demand(Demand("a", 3))
    assert not floor.give_up("b")
    assert floor.give_up("a")
    assert floor.next() == Demand("c", 1)
    assert floor.next() is None


def test_pre_emptive_takes_the_floor_from_lower_but_not_from_equal() -> None:
    floor = Floor(queues=False)
    floor.demand(Demand("a", 0))
    assert floor.demand(Demand("b", 1)) is Act.REFUSE
    assert floor.demand(Demand("b", 2)) is Act.PRE_EMPT
    assert floor.demand(Demand("c", 2)) is Act.REFUSE
    assert floor.demand(Demand("d", 3)) is Act.PRE_EMPT
    assert not floor.give_up("a")


def test_the_queue_has_a_bound() -> None:
    floor = Floor(queues=True)
    acts = [floor.demand(Demand(str(n), 0)) for n in range(MAX_QUEUE + 2)]
    assert acts[-2:] == [Act.QUEUE, Act.REFUSE]


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["demand", "give_up", "next"]), st.integers(0, 3))))
def test_nobody_holds_and_waits_at_once_and_nobody_waits_twice(steps: list[tuple[str, str, int]]) -> None:
    floor = Floor(queues=True)
    for who, step, priority in steps:
        if step == "demand":
            floor.demand(Demand(who, priority))
        elif step == "give_up":
            floor.give_up(who)
        else:
            floor.next()
        assert len(set(floor.waiting)) == len(floor.waiting)
        assert floor.holder is None or floor.holder.who not in floor.waiting
