"""Keywords of time and of the catalogue's figures: what is agreed on, times held against it, and time that passes."""

from __future__ import annotations

from datetime import timedelta

from robot.api.deco import keyword

from harness.evidence.requirements import catalogue
from harness.keywords.base import Topic
from harness.measure import times


class FigureKeywords(Topic):
    """Figures are parameters: a suite names them, ``fixtures/requirements`` holds them."""

    @keyword
    def figure(self, requirement: str, name: str) -> int | float:
        """Returns a figure of a requirement, in the unit that the catalogue gives it.

        | =Argument= | =Description= |
        | ``requirement`` | Its id. |
        | ``name``        | The figure's name in ``fixtures/requirements``. |

        Example:
        | ${attempts}    `Figure`    NICCS-TEL-017    attempts |
        """
        return catalogue()[requirement].figure(name).value

    @keyword
    def time_is_within_figure(
        self, first: str, then: str, requirement: str, figure: str, name: str | None = None
    ) -> float:
        """Returns the seconds from the latest event ``first`` to the next ``then``; fails where they are over a figure.

        | =Argument= | =Description= |
        | ``first``       | Component and event, as ``govan-12 console.redial``. |
        | ``then``        | The same of what came of it, as ``mobile phone.rings``. |
        | ``requirement`` | Its id. |
        | ``figure``      | The figure's name in ``fixtures/requirements``: the most that is allowed, in seconds. |
        | ``name``        | What was measured in words, for the report; left out: the events. |

        Example:
        | `Time Is Within Figure`    govan-12 console.redial    mobile phone.rings    NICCS-TEL-015    redial_s |
        """
        bench = self.session.bench
        act = bench.journal.latest(*_named(first))
        if act is None:
            raise AssertionError(f"{first} did not happen: there is no time to measure from")
        seconds = times.between(bench.journal, _named(first), _named(then), after=act.seq - 1)
        bench.measured(name or f"{first} to {then}", seconds, "s", requirement=requirement, figure=figure)
        return round(seconds, 6)

    @keyword
    def test_has_time_for(self, duration: timedelta) -> None:
        """Skips a test, in real time, that is to last longer than the testbed's ``longest_wait_s``: before it begins.

        | =Argument= | =Description= |
        | ``duration`` | How long it lasts, as ``60 min``. |

        Example:
        | `Test Has Time For`    60 min |
        """
        self.session.bench.has_time_for(duration.total_seconds())

    @keyword
    def time_passes(self, duration: timedelta) -> None:
        """Lets so much time of the test go by, in virtual time none of the tester's: things last as long as they last.

        To wait until something is shown, name what is to be shown: no time is right for that. In real time a test is
        skipped that lets more pass than the testbed's ``longest_wait_s``.

        | =Argument= | =Description= |
        | ``duration`` | How much, as ``2 s``. |

        Example:
        | `Time Passes`    2 s |
        """
        self.session.run(self.session.bench.time_passes(duration.total_seconds()))


def _named(event: str) -> tuple[str, str]:
    component, _, kind = event.strip().partition(" ")
    if not kind:
        raise AssertionError(f"an event is named by component and kind, as 'govan-12 console.redial', not {event!r}")
    return component, kind.strip()
