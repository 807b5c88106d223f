"""Keywords of workforce management: its feeds, adherence beside the console's own record, training that has lapsed."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from robot.api.deco import keyword

from harness.drivers.workforce import WorkforceSystem
from harness.errors import ExpectationError
from harness.keywords.base import Topic
from harness.testbed.adviser_record import agreement_on

T = TypeVar("T")


class WorkforceKeywords(Topic):
    """Workforce management as its planners see it."""

    def _workforce(self, system: str, act: Callable[[WorkforceSystem], Coroutine[Any, Any, T]]) -> T:
        async def do() -> T:
            return await act(await self.session.bench.workforce(system))

        return self.session.run(do())

    @keyword
    def workforce_pulls_feeds(self, system: str) -> None:
        """Lets workforce management have what is new of the ICCS's feeds now.

        | =Argument= | =Description= |
        | ``system`` | The system's name in the testbed file. |

        Example:
        | `Workforce Pulls Feeds`    workforce |
        """
        self._workforce(system, lambda at: at.pull())

    @keyword
    def workforce_agrees_with_console(self, system: str, adviser: str, console: str) -> float:
        """Returns for what share of the time, in per cent, both tell the same state of an adviser.

        The time is from the first change of state that the console showed to the latest one.

        | =Argument= | =Description= |
        | ``system``  | The system's name in the testbed file. |
        | ``adviser`` | The adviser's id there. |
        | ``console`` | The console's name in the testbed file. |

        Example:
        | ${share}    `Workforce Agrees With Console`    workforce    govan-12    govan-12 |
        """

        async def compare(at: WorkforceSystem) -> float:
            bench = self.session.bench
            shown = [each for each in bench.journal if each.source == console and each.kind == "adviser.state"]
            if len(shown) < 2:
                raise ExpectationError(f"{console} has shown {len(shown)} changes of state; two are needed to compare")
            since, until = shown[0].time, shown[-1].time
            return await agreement_on(bench, at, adviser, console, since, until, before="logged_out")

        return self._workforce(system, compare)

    @keyword
    def advisers_with_lapsed_training(self, system: str, skill: str) -> list[str]:
        """Returns the ids of the advisers whose training for a skill holds no more.

        | =Argument= | =Description= |
        | ``system`` | The system's name in the testbed file. |
        | ``skill``  | The skill. |

        Example:
        | ${lapsed}    `Advisers With Lapsed Training`    workforce    emergency |
        | Should Contain    ${lapsed}    govan-13 |
        """

        async def ask(at: WorkforceSystem) -> list[str]:
            return [str(each["id"]) for each in await at.advisers(skill=skill, state="lapsed")]

        return self._workforce(system, ask)
