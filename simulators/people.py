"""Made-up people for simulators: Faker's names, Ofcom's reserved numbers, mail at example.org, addresses nobody has.

One seed gives the same people. Numbers repeat after 4,000 people: Ofcom reserves no more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from faker import Faker

STEMS: Final = ("+447700900", "+441314960", "+441414960", "+441632960")
"""Each with three more digits: all that Ofcom reserves for drama and tests, of the kinds used here."""
NUMBERS_OF_A_STEM: Final = 1_000
EARLIEST: Final = date(1936, 1, 1)
LATEST: Final = date(2008, 12, 31)
"""Between which they were born."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is not."""

    name: str
    telephone: str
    """E.164, reserved for tests."""
    email: str
    """At example.org (RFC 2606)."""
    address: str
    """One line; its postcode area ZZ is no place."""
    born: date


def people(seed: int) -> Iterator[Person]:
    """Yield people without end, the same for the same seed."""
    faker = Faker("en_GB")
    faker.seed_instance(seed)
    order = [f"{stem}{number:03d}" for number in range(NUMBERS_OF_A_STEM) for stem in STEMS]
    faker.random.shuffle(order)
    count = 0
    while True:
        first, last = faker.first_name(), faker.last_name()
        yield Person(
            name=f"{first} {last}",
            telephone=order[count % len(order)],
            email=f"{first}.{last}.{count}@example.org".lower().replace("'", ""),
            address=f"{faker.building_number()} {faker.street_name()}, {faker.bothify('ZZ# #??').upper()}",
            born=faker.date_between(EARLIEST, LATEST),
        )
        count += 1
