"""Keywords of command and control: what it has of an incident or a unit, and its loss."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, Literal, TypeVar

from robot.api.deco import keyword

from harness.drivers.command_control import CommandControl
from harness.keywords.base import Topic

T = TypeVar("T")


class CommandControlKeywords(Topic):
    """Command and control as its own operator sees it, and as whoever runs a simulated one can make it fail."""

    def _system(self, system: str, act: Callable[[CommandControl], Coroutine[Any, Any, T]]) -> T:
        async def do() -> T:
            return await act(await self.session.bench.command_control(system))

        return self.session.run(do())

    @keyword
    def command_and_control_is_watched(self, system: str) -> None:
        """Begins to keep what command and control is told; what came before is not known.

        | =Argument= | =Description= |
        | ``system`` | The system's name in the testbed file. |

        Example:
        | `Command And Control Is Watched`    storm |
        """
        self._system(system, _nothing)

    @keyword
    def command_and_control_has(
        self, system: str, event: str, within: timedelta = timedelta(seconds=5), **wanted: Any
    ) -> dict[str, Any]:
        """Waits until command and control has been told something, and returns all of it.

        | =Argument= | =Description= |
        | ``system`` | The system's name in the testbed file. |
        | ``event``  | ``incident.opened``, ``incident.noted``, ``incident.handed_over``, ``incident.closed``, ``incident.transferred``, ``unit.state``, ``entry.rejected`` … |
        | ``within`` | The most that it may take. |
        | ``wanted`` | Values that it must have. |

        Example:
        | `Command And Control Has`    storm    unit.state    state=At scene |
        """  # noqa: E501 - a row of Robot's table is one line
        return self.expect(system, event, within, wanted)

    @keyword
    def incident_at_command_and_control(self, system: str, incident: str) -> dict[str, Any]:
        """Returns what command and control has of an incident: reference, title, owner, state, telephone, log.

        | =Argument= | =Description= |
        | ``system``   | The system's name in the testbed file. |
        | ``incident`` | The control room's id for it. |

        Example:
        | ${held}    `Incident At Command And Control`    storm    ${incident} |
        | Should Be Equal    ${held}[state]    closed |
        """

        async def find() -> dict[str, Any]:
            bench = self.session.bench
            named = (await (await bench.supervisor()).incident(incident))["shared_as"]
            if named is None:
                raise AssertionError(f"command and control was never to be told of {incident}")
            return await (await bench.command_control(system)).incident(str(named))

        return self.session.run(find())

    @keyword
    def command_and_control_fails(
        self, system: str, fault: Literal["down", "silent", "loses_answers", "errors", "slow"] = "down"
    ) -> None:
        """Makes a simulated command and control fail, until `Command And Control Recovers`.

        | =Argument= | =Description= |
        | ``system`` | The system's name in the testbed file. |
        | ``fault``  | ``down`` (not reachable), ``silent`` (takes requests, answers none), ``loses_answers`` (acts, and the answer is lost), ``errors``, ``slow``. |

        Example:
        | `Command And Control Fails`    storm    down |
        """  # noqa: E501 - a row of Robot's table is one line
        self._system(system, lambda at: at.fail(fault))

    @keyword
    def command_and_control_recovers(self, system: str) -> None:
        """Ends a simulated command and control's fault.

        | =Argument= | =Description= |
        | ``system`` | The system's name in the testbed file. |

        Example:
        | `Command And Control Recovers`    storm |
        """
        self._system(system, lambda at: at.recover())

    @keyword
    def reconciliation(self) -> dict[str, Any]:
        """Returns which answered calls nothing accounts for (``orphans``), and what command and control has not.

        Example:
        | ${report}    `Reconciliation` |
        | Should Be Equal As Integers    ${report}[orphans]    0 |
        """

        async def ask() -> dict[str, Any]:
            return await (await self.session.bench.supervisor()).reconciliation()

        return self.session.run(ask())

    @keyword
    def operator_needs_no_incident(self, console: str, reason: str) -> None:
        """Says why the latest call at a console needs no incident.

        | =Argument= | =Description= |
        | ``console`` | The console's name in the testbed file. |
        | ``reason``  | Why, in words. |

        Example:
        | `Operator Needs No Incident`    govan-12    misdialled, nothing to report |
        """

        async def say() -> None:
            await (await self.session.bench.console(console)).needs_no_incident(reason)

        self.session.run(say())


async def _nothing(_system: CommandControl) -> None:
    pass
