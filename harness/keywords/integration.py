"""Keywords of what a console has from elsewhere: where radios are, checks of records, the directory; and vehicles."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, Literal

from robot.api.deco import keyword

from harness.drivers.console_radio import told_of
from harness.keywords.base import Topic
from harness.measure.reports import Report, gaps
from harness.protocols.location.shapes import Point


class IntegrationKeywords(Topic):
    """The console's map, records checks and directory, and vehicles whose terminals report where they are."""

    # The map

    @keyword
    def console_map_shows(
        self, console: str, terminal: str, within: timedelta = timedelta(seconds=20), **wanted: Any
    ) -> dict[str, Any]:
        """Waits until a terminal's place comes on a console's map, and returns all of it.

        | =Argument= | =Description= |
        | ``console``  | The console's name in the testbed file. |
        | ``terminal`` | The terminal's name in the testbed file. |
        | ``within``   | The most that it may take. |
        | ``wanted``   | Values that it must have: ``lat``, ``lon``, ``speed_kmh`` … |

        Example:
        | ${place}    `Console Map Shows`    govan-31    officer    within=20 s |
        """
        return self.expect(console, "map.moved", within, {**told_of(self.session.bench.console_id(terminal)), **wanted})

    # Vehicles

    @keyword
    def vehicle_drives(self, terminal: str, speed_kmh: float, *waypoints: str) -> float:
        """Lets a simulated terminal's vehicle go from waypoint to waypoint; returns the metres of its way.

        | =Argument= | =Description= |
        | ``terminal``  | The terminal's name in the testbed file; it has a ``tracker`` there. |
        | ``speed_kmh`` | How fast it goes. |
        | ``waypoints`` | Degrees north and east, with a comma between. |

        Example:
        | `Vehicle Drives`    car-1    50    55.86,-4.31    55.87,-4.29 |
        """
        course = [_degrees(waypoint) for waypoint in waypoints]

        async def drive() -> float:
            network = await self.session.bench.radio_network()
            return await network.drive(self.session.bench.issi(terminal), course, speed_kmh=speed_kmh)

        return self.session.run(drive())

    @keyword
    def vehicle_is_followed(
        self, console: str, terminal: str, watched: timedelta, report_s: float = 30.0, report_m: float = 200.0
    ) -> int:
        """Watches a console's map and fails where a vehicle's reports are farther apart than allowed; returns how many.

        | =Argument= | =Description= |
        | ``console``  | The console's name in the testbed file. |
        | ``terminal`` | The terminal's name in the testbed file. |
        | ``watched``  | How long to watch. |
        | ``report_s`` | The most seconds between two reports, and since the last. |
        | ``report_m`` | The most metres between two reports. |

        Example:
        | `Vehicle Is Followed`    govan-31    car-1    watched=2 min |
        """
        bench = self.session.bench
        issi, after = bench.issi(terminal), bench.journal.position
        self.session.run(asyncio.sleep(watched.total_seconds()))
        moved = [
            event
            for event in bench.journal
            if event.seq > after and (event.source, event.kind) == (console, "map.moved") and event.data["issi"] == issi
        ]
        reports = [Report(event.time, Point(event.data["lat"], event.data["lon"])) for event in moved]
        for gap in gaps(reports, until=bench.journal.now()):
            bench.measured(f"{terminal}, time since the report before", gap.seconds, "s", limit=report_s)
            bench.measured(f"{terminal}, way since the report before", gap.metres, "m", limit=report_m)
        return len(moved)

    # Units

    @keyword
    def command_and_control_sets_unit_state(self, system: str, unit: str, state: str) -> None:
        """Sets a unit's state at command and control; consoles show ``unit.told``.

        | =Argument= | =Description= |
        | ``system`` | The system's name in the testbed file. |
        | ``unit``   | The unit's call sign. |
        | ``state``  | The state, in words. |

        Example:
        | `Command And Control Sets Unit State`    storm    G01    Assigned |
        | Console Shows    govan-31    unit.told    unit=G01    state=Assigned |
        """

        async def do() -> None:
            await (await self.session.bench.command_control(system)).set_unit_state(unit, state)

        self.session.run(do())

    # Records checks

    @keyword
    def dispatcher_checks_records(self, console: str, incident: str, reason: str, **subject: str) -> str:
        """Has a person or vehicle checked for an incident; returns the check's id. Its log has what came of it.

        | =Argument= | =Description= |
        | ``console``  | The console's name in the testbed file. |
        | ``incident`` | The incident. |
        | ``reason``   | Why, in words: it stands in the audit. |
        | ``subject``  | ``registration``, or ``name`` and ``born`` (YYYY-MM-DD). |

        Example:
        | ${check}    `Dispatcher Checks Records`    govan-31    ${incident}    stopped by a patrol    registration=QI00 TST |
        | Console Shows    govan-31    records_check.returned    within=10 s    check=${check} |
        """  # noqa: E501 - a row of Robot's example is one line

        async def check() -> str:
            at = await self.session.bench.console(console)
            return await at.check_records(incident, reason=reason, **subject)

        return self.session.run(check())

    @keyword
    def records_database_fails(self, fault: Literal["errors", "silent", "loses_answers"] = "errors") -> None:
        """Makes a simulated records database fail, until the test's end.

        | =Argument= | =Description= |
        | ``fault``  | ``errors``, ``silent`` (accepts and never answers) or ``loses_answers``. |

        Example:
        | `Records Database Fails`    silent |
        """

        async def fail() -> None:
            await (await self.session.bench.records_database()).fail(fault)

        self.session.run(fail())

    # The directory

    @keyword
    def directory_entry_is_edited(self, entry: str, name: str, number: str, organisation: str = "") -> None:
        """Makes or edits an entry of a simulated directory.

        | =Argument= | =Description= |
        | ``entry``        | The entry's id. |
        | ``name``         | What it is called. |
        | ``number``       | What is dialled. |
        | ``organisation`` | Whose it is. |

        Example:
        | `Directory Entry Is Edited`    vet-1    Duty vet    01414960299 |
        """

        async def edit() -> None:
            book = await self.session.bench.phone_book()
            await book.put(entry, name=name, number=number, organisation=organisation)

        self.session.run(edit())

    @keyword
    def console_directory_has(
        self, console: str, entry: str, within: timedelta = timedelta(minutes=5), **wanted: str
    ) -> dict[str, str]:
        """Waits until a console's directory has an entry with these values, and returns it.

        | =Argument= | =Description= |
        | ``console`` | The console's name in the testbed file. |
        | ``entry``   | The entry's id. |
        | ``within``  | The most that it may take. |
        | ``wanted``  | ``name``, ``number``, ``organisation``. |

        Example:
        | `Console Directory Has`    govan-12    vet-1    within=5 min    number=01414960299 |
        """
        found: dict[str, str] | None = None

        async def wait() -> dict[str, str]:
            nonlocal found
            at = await self.session.bench.console(console)
            async with asyncio.timeout(within.total_seconds()):
                while True:
                    found = next((each for each in await at.directory() if each["id"] == entry), None)
                    if found is not None and all(found.get(key) == value for key, value in wanted.items()):
                        return found
                    await asyncio.sleep(LOOKS_EVERY_S)

        try:
            return self.session.run(wait())
        except TimeoutError:
            raise AssertionError(f"{console} shows of {entry} {found or 'nothing'}; due: {wanted}") from None


LOOKS_EVERY_S = 0.5
"""Seconds between two looks at a directory."""


def _degrees(waypoint: str) -> tuple[float, float]:
    north, _, east = waypoint.partition(",")
    try:
        return float(north), float(east)
    except ValueError:
        raise AssertionError(f"{waypoint!r} is no waypoint: degrees north and east, as 55.86,-4.31") from None
