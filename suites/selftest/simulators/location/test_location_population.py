"""Whom the simulated service knows: reserved numbers, addresses that are nobody's, cells that a caller really is in."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from harness.privacy import is_reserved
from harness.protocols.location.caller import Source
from harness.protocols.location.shapes import ArcBand, Circle, Point, distance
from simulators.location.population import Population
from simulators.location.settings import LocationSettings

POPULATION = Population(LocationSettings(seed=7, subscribers=400))


def test_every_landline_is_a_reserved_number_with_an_address_that_is_nobody_s() -> None:
    landlines = POPULATION.landlines()
    assert len(landlines) == 400
    for number, location in landlines.items():
        assert is_reserved(number)
        assert location.source is Source.SUBSCRIBER
        who = location.subscriber
        assert who is not None
        assert who.name
        assert len(who.lines) == 2
        assert re.fullmatch(r"[A-Z]{1,2}\d{1,2} \d[CIKMOV]{2}", who.postcode), "an inward part that is never used"


def test_a_number_s_exchange_and_its_town_agree() -> None:
    for number, location in POPULATION.landlines().items():
        assert location.subscriber is not None
        town = location.subscriber.lines[1]
        if number.startswith("+44131496"):
            assert town == "Edinburgh"
        if number.startswith("+44141496"):
            assert town == "Glasgow"


@given(st.integers(0, 999))
def test_a_mobile_is_in_the_sector_that_carries_its_call(last: int) -> None:
    handset = POPULATION.handset(f"+447700900{last:03d}")
    assert handset is not None
    cell = POPULATION.cell_of(handset)
    assert cell.cell is not None
    assert isinstance(cell.area, ArcBand)
    assert cell.area.contains(handset.place)
    assert cell.cell.id.startswith("001-01-"), "the network that is reserved for tests"
    assert cell.cell.azimuth is not None
    assert (cell.area.start_angle + 60) % 360 == cell.cell.azimuth % 360
    assert len(handset.imsi) == 15
    assert len(handset.imei) == 15
    assert _luhn(handset.imei)


def _luhn(digits: str) -> bool:
    total = 0
    for position, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value // 10 + value % 10
    return total % 10 == 0


def test_one_seed_gives_one_population_and_another_another() -> None:
    same = Population(LocationSettings(seed=7, subscribers=400))
    assert same.landlines() == POPULATION.landlines()
    assert same.handset("+447700900001") == POPULATION.handset("+447700900001")
    other = Population(LocationSettings(seed=8, subscribers=400))
    assert other.landlines() != POPULATION.landlines()
    assert other.handset("+447700900001") != POPULATION.handset("+447700900001")


def test_numbers_that_are_not_known_have_nothing() -> None:
    for number in ("", "+447911123456", "999", "+441414960"):
        assert POPULATION.handset(number) is None
        assert POPULATION.on_file(number) is None


def test_what_the_file_lists_is_so() -> None:
    settings = LocationSettings.model_validate(
        {
            "subscribers": 0,
            "landlines": [{"number": "+441632960001", "name": "N", "lines": ["1 Street"], "postcode": "G1 1CC"}],
            "mobiles": [{"number": "+447700900123", "latitude": 57.149, "longitude": -2.094, "aml": False}],
        }
    )
    population = Population(settings)
    assert list(population.landlines()) == ["+441632960001"]
    handset = population.handset("+447700900123")
    assert handset is not None
    assert (handset.place, handset.sends) == (Point(57.149, -2.094), False)
    far = population.cell_of(handset)
    assert isinstance(far.area, Circle), "Aberdeen is beyond every mast of the central belt"
    assert distance(far.area.centre, handset.place) <= far.area.radius


@pytest.mark.parametrize(
    "wrong",
    [
        {"mobiles": [{"number": "+447700900123", "latitude": 1, "longitude": 1}] * 2},
        {"certificate": "x.pem"},
        {"answer_s": {"least": 2, "most": 1}},
        {"landlines": [{"number": "01632 960001", "name": "N", "lines": ["x"]}]},
        {"subscribers": 3001},
        {"keep_alive_s": 60},
    ],
)
def test_settings_that_do_not_fit_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        LocationSettings.model_validate(wrong)
