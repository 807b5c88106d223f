"""Keywords of what supervisors do: listen in at other positions, and change the talkgroup plan."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Literal, TypeVar

from robot.api.deco import keyword

from harness.drivers.console import Console
from harness.keywords.base import Topic

T = TypeVar("T")


class OversightKeywords(Topic):
    """What supervisors do at their consoles."""

    def _at(self, console: str, act: Callable[[Console], Coroutine[Any, Any, T]]) -> T:
        async def do() -> T:
            return await act(await self.session.bench.console(console))

        return self.session.run(do())

    @keyword
    def supervisor_listens_in(
        self, console: str, position: str, how: Literal["monitor", "whisper", "barge"] = "monitor"
    ) -> None:
        """Listens in at another position. Fails with the ICCS's reason where it refuses.

        | =Argument= | =Description= |
        | ``console``  | The supervisor's console, by its name in the testbed file. |
        | ``position`` | The position that is listened to. |
        | ``how``      | ``monitor``: hears and is not heard; ``whisper``: the adviser there hears the supervisor too; ``barge``: is a party of the call, heard by all. |

        Example:
        | `Supervisor Listens In`    govan-50    govan-12    whisper |
        """  # noqa: E501 - a row of Robot's table is one line
        acts = {"monitor": Console.monitor, "whisper": Console.whisper, "barge": Console.barge}
        self._at(console, lambda at: acts[how](at, position))

    @keyword
    def supervisor_stops_listening(self, console: str) -> None:
        """Ends what `Supervisor Listens In` began; a supervisor who barged in leaves the call instead.

        | =Argument= | =Description= |
        | ``console`` | The supervisor's console. |

        Example:
        | `Supervisor Stops Listening`    govan-50 |
        """
        self._at(console, Console.end_oversight)

    @keyword
    def talkgroup_plan_is_changed(
        self, console: str, position: str, *talkgroups: str, approver: str, why: str
    ) -> list[str]:
        """Gives a position other talkgroups to work; returns those that it monitors then.

        | =Argument= | =Description= |
        | ``console``    | The console of whoever changes it. |
        | ``position``   | Whose talkgroups they are. |
        | ``talkgroups`` | All that it is to work; with none, it works none any more. |
        | ``approver``   | The position of somebody else with the right to it. |
        | ``why``        | Stands in the audit, with what was before and what is after. |

        Example:
        | `Talkgroup Plan Is Changed`    govan-50    govan-12    GD-OPS-1    approver=govan-51    why=short of dispatchers |
        """  # noqa: E501 - a row of Robot's table is one line
        shown = self._at(console, lambda at: at.change_plan(position, talkgroups, approver=approver, why=why))
        return list(shown["talkgroups"])

    @keyword
    def console_layout(self, console: str) -> dict[str, Any]:
        """Returns what a console shows by its role: ``role``, and ``panels`` from the most important on.

        | =Argument= | =Description= |
        | ``console`` | The console's name in the testbed file. |

        Example:
        | ${layout}    `Console Layout`    govan-12 |
        """
        return self._at(console, Console.layout)
