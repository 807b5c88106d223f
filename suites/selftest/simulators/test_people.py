"""Made-up people are nobody, and the same again for the same seed."""

from __future__ import annotations

from itertools import islice

from harness.privacy import is_reserved
from simulators.people import people


def test_people_can_be_no_one_s_and_come_again_by_their_seed() -> None:
    some = list(islice(people(7), 500))
    assert all(is_reserved(each.telephone) for each in some)
    assert all(each.email.endswith("@example.org") and " ZZ" in each.address for each in some)
    assert len({each.telephone for each in some}) == 500
    assert some == list(islice(people(7), 500))
    assert some[:10] != list(islice(people(8), 10))


def test_numbers_begin_again_after_the_last_reserved_one() -> None:
    first, *_, last = list(islice(people(1), 4_001))
    assert last.telephone == first.telephone
