"""Whom the simulated service knows: invented landline subscribers, masts and handsets of Scotland's central belt.

Numbers are Ofcom's reserved ones; names, streets and masts are invented; towns are real and their middles public. The
inward part of a postcode ends in letters that Royal Mail never uses there (C, I, K, M, O, V), so none is anybody's.
Masts belong to the test network 001-01 (ITU-T E.212), and handsets to it.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

from harness.privacy import is_reserved
from harness.protocols.location.caller import CallerLocation, Cell, Source, Subscriber
from harness.protocols.location.shapes import ArcBand, Circle, Point, bearing, distance, moved
from simulators.location.settings import LandlineSettings, LocationSettings

MCC, MNC = "001", "01"
"""The network that ITU-T E.212 reserves for tests."""
MASTS_PER_TOWN: Final = 3
SECTOR_DEGREES: Final = 120
TIMING_ADVANCE_M: Final = 550
"""How finely a mast knows how far a mobile is: one step of GSM's timing advance."""
PREMISES_M: Final = 25.0
"""Radius that a landline's address is shown with."""
_TOWNS: Final = {
    "Glasgow": ("G2", 55.8609, -4.2514),
    "Govan": ("G51", 55.8622, -4.3096),
    "Paisley": ("PA1", 55.8456, -4.4239),
    "Clydebank": ("G81", 55.9006, -4.4043),
    "East Kilbride": ("G74", 55.7645, -4.1770),
    "Hamilton": ("ML3", 55.7776, -4.0515),
    "Motherwell": ("ML1", 55.7892, -3.9919),
    "Coatbridge": ("ML5", 55.8622, -4.0248),
    "Cumbernauld": ("G67", 55.9457, -3.9925),
    "Falkirk": ("FK1", 56.0019, -3.7839),
    "Stirling": ("FK8", 56.1165, -3.9369),
    "Livingston": ("EH54", 55.8859, -3.5226),
    "Edinburgh": ("EH1", 55.9520, -3.1880),
    "Leith": ("EH6", 55.9757, -3.1700),
    "Dunfermline": ("KY12", 56.0719, -3.4393),
    "Greenock": ("PA15", 55.9487, -4.7650),
}
_AREAS: Final = {"+44141496": "Glasgow", "+44131496": "Edinburgh"}
_STREETS: Final = (
    "Testbed",
    "Harness",
    "Journal",
    "Talkgroup",
    "Gateway",
    "Floor",
    "Trunk",
    "Witness",
    "Ladder",
    "Dialog",
)
_KINDS: Final = ("Street", "Road", "Avenue", "Crescent", "Drive", "Wynd", "Brae")
_FIRST: Final = (
    "Ailsa",
    "Blair",
    "Catriona",
    "Dougal",
    "Eilidh",
    "Fergus",
    "Greer",
    "Hamish",
    "Isla",
    "Jamie",
    "Kirsty",
)
_LAST: Final = ("Exemplar", "Sample", "Specimen", "Placeholder", "Fixture", "Instance")
_NEVER_INWARD: Final = "CIKMOV"
_EARTHLY: Final = 60.0
"""Kilometres beyond which no mast reaches."""


@dataclass(frozen=True, slots=True)
class Handset:
    """A mobile: where it really is, and what it would say of itself."""

    number: str
    place: Point
    imsi: str
    imei: str
    sends: bool
    """Whether it sends its position by itself."""


@dataclass(frozen=True, slots=True)
class _Mast:
    site: str
    area_code: int
    number: int
    place: Point
    first_azimuth: int


class Population:
    """All that the service has on file, made from the settings' seed."""

    def __init__(self, settings: LocationSettings) -> None:
        self._settings = settings
        self._listed = {mobile.number: mobile for mobile in settings.mobiles}
        self._landlines: dict[str, CallerLocation] = {
            landline.number: _listed_location(landline) for landline in settings.landlines
        }
        rng = random.Random(f"location {settings.seed}")
        self._masts = [mast for town in _TOWNS for mast in _masts(town, rng)]
        for number in rng.sample(_reserved_landlines(), settings.subscribers):
            self._landlines.setdefault(number, _invented_location(number, rng))

    def landlines(self) -> dict[str, CallerLocation]:
        """Number to what is on file of it."""
        return dict(self._landlines)

    def on_file(self, number: str) -> CallerLocation | None:
        """What is on file of a landline, or None when it is not known."""
        return self._landlines.get(number)

    def handset(self, number: str) -> Handset | None:
        """The handset of a mobile number: a listed one, or one that the seed places; None for any other number."""
        listed = self._listed.get(number)
        if listed is None and not (number.startswith("+447700900") and is_reserved(number)):
            return None
        rng = random.Random(f"handset {self._settings.seed} {number}")
        _, latitude, longitude = rng.choice(list(_TOWNS.values()))
        place = moved(Point(latitude, longitude), rng.uniform(50, 3_000), rng.uniform(0, 360))
        if listed is not None:
            place = Point(listed.latitude, listed.longitude)
        imsi = f"{MCC}{MNC}{rng.randrange(10**10):010d}"
        # A type allocation code that begins 00 is one for tests.
        imei = _checked(f"00{rng.randrange(10**12):012d}")
        return Handset(number, place, imsi, imei, self._settings.handsets.send and (listed is None or listed.aml))

    def cell_of(self, handset: Handset) -> CallerLocation:
        """The sector that carries a handset's call, and how far out in it the call is."""
        mast = min(self._masts, key=lambda each: distance(each.place, handset.place))
        away = distance(mast.place, handset.place)
        if away > _EARTHLY * 1000:
            # Far from every mast that this simulator has, as a listed mobile may be: a cell of its own.
            where = Circle(handset.place, 35_000.0)
            return CallerLocation(Source.CELL, area=where, cell=Cell(f"{MCC}-{MNC}-9999-1"), confidence=90)
        sector = int(
            (bearing(mast.place, handset.place) - mast.first_azimuth + SECTOR_DEGREES / 2) % 360 // SECTOR_DEGREES
        )
        azimuth = (mast.first_azimuth + sector * SECTOR_DEGREES) % 360
        step = int(away // TIMING_ADVANCE_M)
        band = ArcBand(
            mast.place,
            inner_radius=float(step * TIMING_ADVANCE_M),
            outer_radius=float((step + 1) * TIMING_ADVANCE_M),
            start_angle=float((azimuth - SECTOR_DEGREES // 2) % 360),
            opening_angle=float(SECTOR_DEGREES),
        )
        cell = Cell(f"{MCC}-{MNC}-{mast.area_code}-{mast.number * 10 + sector + 1}", mast.site, azimuth)
        return CallerLocation(Source.CELL, area=band, cell=cell, confidence=90)


def _reserved_landlines() -> list[str]:
    return [f"{area}{number:04d}" for area in ("+44141496", "+44131496") for number in range(1000)] + [
        f"+441632960{number:03d}" for number in range(1000)
    ]


def _listed_location(landline: LandlineSettings) -> CallerLocation:
    who = Subscriber(landline.name, landline.lines, landline.postcode)
    area = None
    if landline.latitude is not None and landline.longitude is not None:
        area = Circle(Point(landline.latitude, landline.longitude), PREMISES_M)
    return CallerLocation(Source.SUBSCRIBER, area=area, subscriber=who)


def _invented_location(number: str, rng: random.Random) -> CallerLocation:
    town = _AREAS.get(number[:9]) or rng.choice(list(_TOWNS))
    outward, latitude, longitude = _TOWNS[town]
    inward = f"{rng.randrange(10)}{rng.choice(_NEVER_INWARD)}{rng.choice(_NEVER_INWARD)}"
    lines = (f"{rng.randrange(1, 200)} {rng.choice(_STREETS)} {rng.choice(_KINDS)}", town)
    who = Subscriber(f"{rng.choice(_FIRST)} {rng.choice(_LAST)}", lines, f"{outward} {inward}")
    place = moved(Point(latitude, longitude), rng.uniform(50, 2_000), rng.uniform(0, 360))
    return CallerLocation(Source.SUBSCRIBER, area=Circle(place, PREMISES_M), subscriber=who)


def _masts(town: str, rng: random.Random) -> list[_Mast]:
    _, latitude, longitude = _TOWNS[town]
    area_code = 4000 + list(_TOWNS).index(town)
    return [
        _Mast(
            f"{town} mast {number}",
            area_code,
            number,
            moved(
                Point(latitude, longitude), rng.uniform(300, 1_800), number * 360 / MASTS_PER_TOWN + rng.uniform(0, 60)
            ),
            rng.randrange(0, SECTOR_DEGREES, 10),
        )
        for number in range(1, MASTS_PER_TOWN + 1)
    ]


def _checked(digits: str) -> str:
    """Append an IMEI's check digit (Luhn)."""
    total = 0
    for position, digit in enumerate(map(int, digits)):
        doubled = digit * 2 if position % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return digits + str(-total % 10)
