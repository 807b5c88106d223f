"""Keywords of the supervisor: wallboard, call records, callbacks, trunks."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, TypeVar

from robot.api.deco import keyword

from harness.drivers.supervisor import Fault, Supervisor
from harness.keywords.base import Topic
from harness.testbed.since import Since

T = TypeVar("T")


class SupervisionKeywords(Topic):
    """What a supervisor sees."""

    def _supervise(self, act: Callable[[Supervisor], Coroutine[Any, Any, T]]) -> T:
        async def do() -> T:
            return await act(await self.session.bench.supervisor())

        return self.session.run(do())

    @keyword
    def queue_figures(self, queue: str) -> dict[str, Any]:
        """Returns a queue's figures from the wallboard.

        | =Argument= | =Description= |
        | ``queue`` | ``emergency``, ``non_emergency`` … |

        Among them ``waiting``, ``longest_wait_s``, ``offered``, ``answered``, ``abandoned``, ``overflowed``,
        ``answered_by_band``, ``abandoned_by_band``, ``mean_answer_s``, ``p90_answer_s``, ``service_level`` and
        ``callbacks``. Times are in seconds, shares in per cent.

        Example:
        | ${figures}    `Queue Figures`    emergency |
        | Should Be True    ${figures}[p90_answer_s] <= 10 |
        """
        return self._supervise(lambda at: at.queue(queue))

    @keyword
    def wallboard_shows(
        self, queue: str, figure: str, value: str, within: timedelta = timedelta(seconds=2)
    ) -> dict[str, Any]:
        """Waits until a queue's figure on the wallboard has a value, and returns all of the queue's figures.

        | =Argument= | =Description= |
        | ``queue``  | The queue. |
        | ``figure`` | The figure, as `Queue Figures` names them. |
        | ``value``  | What it must be; a number fits what reads the same. |
        | ``within`` | The most that it may take. |

        Example:
        | `Wallboard Shows`    non_emergency    waiting    1 |
        """
        return self._supervise(lambda at: at.wait_for(queue, figure, value, within=within.total_seconds()))

    @keyword
    def call_record(self, record: str) -> dict[str, Any]:
        """Returns all of one call record: outcome, wait and its band, positions, locations, what happened when.

        | =Argument= | =Description= |
        | ``record`` | Its name, which consoles show with each call. |

        Example:
        | ${record}    `Call Record`    R-000001 |
        """
        return self._supervise(lambda at: at.record(record))

    @keyword
    def call_records(self, **wanted: str) -> list[dict[str, Any]]:
        """Returns the newest call records that fit, newest first.

        | =Argument= | =Description= |
        | ``wanted`` | ``cli``, ``queue``, ``outcome`` (``answered``, ``abandoned`` …), ``flag``, ``limit`` … |

        Example:
        | ${records}    `Call Records`    queue=emergency    outcome=abandoned |
        """
        return self._supervise(lambda at: at.records(**wanted))

    @keyword
    def control_room_time(self) -> float:
        """Returns the control room's own time, in seconds: what is looked for ``since`` then is new, whatever was before.

        Example:
        | ${began}    `Control Room Time` |
        | ${legs}    `Recordings Are Found`    govan-50    1    kind=radio_rx    since=${began} |
        """  # noqa: E501 - Robot's first line is one line
        return self._supervise(Since.now).at

    @keyword
    def callbacks_due(self, cli: str | None = None) -> list[dict[str, Any]]:
        """Returns the callers who are due to be called back, the longest waiting first.

        | =Argument= | =Description= |
        | ``cli``    | The number of one of them; left out: all, of whom some may have called before the test. |

        Example:
        | ${due}    `Callbacks Due`    cli=+441632960101 |
        """
        due = self._supervise(lambda at: at.callbacks())
        return [each for each in due if cli in (None, each["cli"])]

    @keyword
    def trunk_fault_begins(self, trunk: str, fault: Fault) -> None:
        """Begins a fault of one of the simulated ICCS's trunks.

        | =Argument= | =Description= |
        | ``trunk`` | The trunk's name in the ICCS's settings. |
        | ``fault`` | ``down``, ``refusing``, ``slow`` or ``one_way``. |

        Example:
        | `Trunk Fault Begins`    primary    down |
        """
        self._supervise(lambda at: at.begin_trunk_fault(trunk, fault))

    @keyword
    def trunk_fault_ends(self, trunk: str) -> None:
        """Ends a trunk's fault.

        | =Argument= | =Description= |
        | ``trunk`` | The trunk's name in the ICCS's settings. |

        Example:
        | `Trunk Fault Ends`    primary |
        """
        self._supervise(lambda at: at.end_trunk_fault(trunk))
