"""Keywords of the emergency network's operators."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, Literal, TypeVar

from robot.api.deco import keyword

from harness.drivers.emergency_operator import EmergencyOperator
from harness.keywords.base import Topic
from harness.testbed.clips import read_clip

T = TypeVar("T")


class EmergencyOperatorKeywords(Topic):
    """What the 999 operators do at their desks."""

    def _desk(self, operator: str, act: Callable[[EmergencyOperator], Coroutine[Any, Any, T]]) -> T:
        async def do() -> T:
            return await act(await self.session.bench.emergency_operator(operator))

        return self.session.run(do())

    @keyword
    def emergency_operator_sits_at(self, *operators: str) -> None:
        """Logs an operator in at each desk named; one who is there and free is offered calls before automatic ones.

        | =Argument= | =Description= |
        | ``operators`` | Names of operators in the testbed file. |

        Example:
        | `Emergency Operator Sits At`    operator-1 |
        """
        for operator in operators:
            self._desk(operator, _nothing)

    @keyword
    def emergency_operator_sees(
        self, operator: str, event: str, within: timedelta = timedelta(seconds=5), **wanted: Any
    ) -> dict[str, Any]:
        """Waits until an operator's desk shows something, and returns all that it shows of it.

        | =Argument= | =Description= |
        | ``operator`` | The operator's name in the testbed file. |
        | ``event``    | ``call.waiting``, ``caller.key``, ``silent.heard``, ``call.ringing``, ``call.connected``, ``call.connect_failed``, ``caller.held``, ``call.ended`` … |
        | ``within``   | The most that it may take. |
        | ``wanted``   | Values that it must show. |

        Example:
        | `Emergency Operator Sees`    operator-1    call.waiting    cli=+447700900123 |
        """  # noqa: E501 - a row of Robot's table is one line
        return self.expect(operator, event, within, wanted)

    @keyword
    def emergency_operator_answers(self, operator: str, call: str | None = None) -> str:
        """Answers a caller who waits; returns the network's name for the call.

        | =Argument= | =Description= |
        | ``operator`` | The operator's name in the testbed file. |
        | ``call``     | Which call; the one that waits longest when left out. |

        Example:
        | ${call}    `Emergency Operator Answers`    operator-1 |
        """
        return self._desk(operator, lambda at: at.answer(call))

    @keyword
    def emergency_operator_says(self, operator: str, clip: str = "operator-handover") -> None:
        """Lets an operator speak to all who are on the call, and returns when all is said.

        | =Argument= | =Description= |
        | ``operator`` | The operator's name in the testbed file. |
        | ``clip``     | A speech file of ``fixtures/audio`` without its ending, or a path to a WAV file. |

        Example:
        | `Emergency Operator Says`    operator-1    operator-handover |
        """
        samples = read_clip(clip)

        async def speak(at: EmergencyOperator) -> None:
            await at.say(samples)
            await at.headset.said()

        self._desk(operator, speak)

    @keyword
    def emergency_operator_connects(
        self,
        operator: str,
        authority: str | None = None,
        route: Literal["primary", "secondary", "tertiary", "critical"] | None = None,
        silent: Literal["55", "noise", "unresolved"] | None = None,
    ) -> None:
        """Connects the caller to a control room and stays on; returns at once.

        | =Argument= | =Description= |
        | ``operator``  | The operator's name in the testbed file. |
        | ``authority`` | Whose control room; the one that serves what was dialled when left out. |
        | ``route``     | On that one alone; all in their order when left out. |
        | ``silent``    | Tells the control room that the caller does not speak, and how that was found. |

        On a testbed with real equipment the safety interlock must allow it.

        Example:
        | `Emergency Operator Connects`    operator-1    police |
        """
        self._desk(operator, lambda at: at.connect(authority, route=route, silent=silent))

    @keyword
    def emergency_operator_stops_connecting(self, operator: str) -> None:
        """Gives up the route that is being tried.

        | =Argument= | =Description= |
        | ``operator`` | The operator's name in the testbed file. |

        Example:
        | `Emergency Operator Stops Connecting`    operator-1 |
        """
        self._desk(operator, lambda at: at.stop_connecting())

    @keyword
    def emergency_operator_starts_silent_solution(self, operator: str) -> None:
        """Puts the caller through the announcement; `Emergency Operator Sees    …    silent.heard` tells what came.

        | =Argument= | =Description= |
        | ``operator`` | The operator's name in the testbed file. |

        Example:
        | `Emergency Operator Starts Silent Solution`    operator-1 |
        """
        self._desk(operator, lambda at: at.silent_solution())

    @keyword
    def emergency_operator_leaves(self, operator: str) -> None:
        """Leaves the conference: caller and control room go on alone.

        | =Argument= | =Description= |
        | ``operator`` | The operator's name in the testbed file. |

        Example:
        | `Emergency Operator Leaves`    operator-1 |
        """
        self._desk(operator, lambda at: at.leave())

    @keyword
    def emergency_operator_joins(self, operator: str, call: str) -> None:
        """Comes into a call that no operator is on.

        | =Argument= | =Description= |
        | ``operator`` | The operator's name in the testbed file. |
        | ``call``     | The network's name for the call. |

        Example:
        | `Emergency Operator Joins`    operator-1    ${call} |
        """
        self._desk(operator, lambda at: at.join(call))

    @keyword
    def emergency_operator_writes(self, operator: str, text: str) -> None:
        """Writes to caller and control room, as a relay assistant does.

        | =Argument= | =Description= |
        | ``operator`` | The operator's name in the testbed file. |
        | ``text``     | What is written. |

        Example:
        | `Emergency Operator Writes`    operator-1    Connecting you to the police |
        """
        self._desk(operator, lambda at: at.write(text))

    @keyword
    def emergency_operator_tags_nuisance(self, operator: str) -> None:
        """Tags the call as a nuisance: its record is preserved.

        | =Argument= | =Description= |
        | ``operator`` | The operator's name in the testbed file. |

        Example:
        | `Emergency Operator Tags Nuisance`    operator-1 |
        """
        self._desk(operator, lambda at: at.tag_nuisance())

    @keyword
    def emergency_operator_clears(self, operator: str) -> None:
        """Ends the call on every side.

        | =Argument= | =Description= |
        | ``operator`` | The operator's name in the testbed file. |

        Example:
        | `Emergency Operator Clears`    operator-1 |
        """
        self._desk(operator, lambda at: at.clear())

    @keyword
    def emergency_operator_calls_control_room(
        self,
        operator: str,
        authority: str,
        route: Literal["primary", "secondary", "tertiary", "critical"] = "critical",
    ) -> str:
        """Calls a control room without a caller, as at its critical number; returns the network's name for the call.

        | =Argument= | =Description= |
        | ``operator``  | The operator's name in the testbed file. |
        | ``authority`` | Whose control room. |
        | ``route``     | By which number. |

        Example:
        | `Emergency Operator Calls Control Room`    operator-1    police |
        """
        return self._desk(operator, lambda at: at.call_control_room(authority, route=route))


async def _nothing(_operator: EmergencyOperator) -> None:
    return
