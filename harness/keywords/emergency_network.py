"""Keywords of the emergency network as whoever runs it has it: routes, faults, spates, records."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, Literal, TypeVar

from robot.api.deco import keyword

from harness.drivers.emergency_network import EmergencyNetwork
from harness.keywords.base import Topic

T = TypeVar("T")


class EmergencyNetworkKeywords(Topic):
    """What a simulated emergency network is told, and what it tells."""

    def _network(self, network: str, act: Callable[[EmergencyNetwork], Coroutine[Any, Any, T]]) -> T:
        async def do() -> T:
            return await act(await self.session.bench.emergency_network(network))

        return self.session.run(do())

    @keyword
    def emergency_network_is_watched(self, network: str) -> None:
        """Begins to keep what a network tells of its calls; what came before is not known.

        | =Argument= | =Description= |
        | ``network`` | The network's name in the testbed file. |

        Example:
        | `Emergency Network Is Watched`    emergency |
        """
        self._network(network, _nothing)

    @keyword
    def emergency_network_tells(
        self, network: str, event: str, within: timedelta = timedelta(seconds=5), **wanted: Any
    ) -> dict[str, Any]:
        """Waits until a network tells something of its calls, and returns all that it tells.

        | =Argument= | =Description= |
        | ``network`` | The network's name in the testbed file. |
        | ``event``   | ``call.operator``, ``call.announcement``, ``call.connected``, ``call.not_connected``, ``operator.left``, ``caller.held``, ``caller.restored``, ``call.ended``, ``route.down`` … |
        | ``within``  | The most that it may take. |
        | ``wanted``  | Values that it must have. |

        Example:
        | `Emergency Network Tells`    emergency    call.connected    within=30 s    route=secondary |
        """  # noqa: E501 - a row of Robot's table is one line
        return self.expect(network, event, within, wanted)

    @keyword
    def emergency_call_record(self, network: str, call: str) -> dict[str, Any]:
        """Returns a call's record: operator, attempts, marks, holds, outcome, and when each was.

        | =Argument= | =Description= |
        | ``network`` | The network's name in the testbed file. |
        | ``call``    | The network's name for the call. |

        Example:
        | ${record}    `Emergency Call Record`    emergency    ${call} |
        | Should Be Equal    ${record}[outcome]    answered |
        """
        return self._network(network, lambda at: at.record(call))

    @keyword
    def emergency_operators_work(
        self,
        network: str,
        automatic: int | None = None,
        answer: timedelta | None = None,
        stay: timedelta | None = None,
        listen: timedelta | None = None,
        until_told: bool = False,
    ) -> None:
        """Changes how a network's operators work; what is left out stays.

        | =Argument= | =Description= |
        | ``network``    | The network's name in the testbed file. |
        | ``automatic``  | How many automatic operators there are. |
        | ``answer``     | How long they take to answer. |
        | ``stay``       | How long they stay on after the hand-over. |
        | ``listen``     | How long a caller who says nothing is listened for, each time. |
        | ``until_told`` | They stay until the control room asks them to leave, in place of ``stay``. |

        Example:
        | `Emergency Operators Work`    emergency    automatic=2    answer=3 s |
        """
        how: dict[str, Any] = {}
        if automatic is not None:
            how["automatic"] = automatic
        if listen is not None:
            how["listen_s"] = listen.total_seconds()
        for key, value in (("answer_s", answer), ("stay_s", stay)):
            if value is not None:
                how[key] = {"least": value.total_seconds(), "most": value.total_seconds()}
        if until_told:
            how["stay_until_told"] = True
        self._network(network, lambda at: at.set_operators(**how))

    @keyword
    def emergency_route_changes(
        self,
        network: str,
        authority: str,
        route: Literal["primary", "secondary", "tertiary", "critical"],
        to: str | None = None,
        number: str | None = None,
        delayed_offer: bool | None = None,
        cut: bool | None = None,
    ) -> None:
        """Changes a route to a control room; what is left out stays.

        | =Argument= | =Description= |
        | ``network``       | The network's name in the testbed file. |
        | ``authority``     | Whose control room. |
        | ``route``         | Which of its routes. |
        | ``to``            | ``host:port`` of its SIP: on this machine, or one that the testbed file names. |
        | ``number``        | What is dialled there. |
        | ``delayed_offer`` | Whether the INVITE leaves the offer to the control room. |
        | ``cut``           | Whether the line is cut: what is sent is lost. |

        Example:
        | `Emergency Route Changes`    emergency    police    primary    cut=yes |
        """
        told = {"to": to, "number": number, "delayed_offer": delayed_offer, "cut": cut}
        how = {key: value for key, value in told.items() if value is not None}
        self._network(network, lambda at: at.set_route(authority, route, **how))

    @keyword
    def emergency_network_fails(
        self,
        network: str,
        fault: Literal["no_answer", "slow_answer", "drop_operator", "room_hears_nothing", "caller_hears_nothing"],
        by: timedelta = timedelta(seconds=10),
        call: str | None = None,
    ) -> None:
        """Begins a fault of a network, for every call from now on or for one call at once.

        | =Argument= | =Description= |
        | ``network`` | The network's name in the testbed file. |
        | ``fault``   | What is wrong. |
        | ``by``      | How much later operators answer, of ``slow_answer``. |
        | ``call``    | The one call that it is about; of the last three faults. |

        Example:
        | `Emergency Network Fails`    emergency    slow_answer    by=20 s |
        """
        self._network(network, lambda at: at.fail(fault, seconds=by.total_seconds(), call=call))

    @keyword
    def emergency_network_recovers(self, network: str, fault: str) -> None:
        """Ends a fault of a network.

        | =Argument= | =Description= |
        | ``network`` | The network's name in the testbed file. |
        | ``fault``   | Which. |

        Example:
        | `Emergency Network Recovers`    emergency    slow_answer |
        """
        self._network(network, lambda at: at.recover(fault))

    @keyword
    def spate_begins(
        self,
        network: str,
        calls: int,
        over: timedelta,
        shape: Literal["steady", "poisson", "burst", "ramp"] = "steady",
        seed: int = 1,
        **callers: float,
    ) -> str:
        """Lets a crowd dial 999; returns the network's name for the spate.

        | =Argument= | =Description= |
        | ``network`` | The network's name in the testbed file. |
        | ``calls``   | How many callers, 1,000 at most. |
        | ``over``    | The time over which they dial. |
        | ``shape``   | ``steady``, ``poisson``, ``burst`` or ``ramp``. |
        | ``seed``    | One seed gives one crowd. |
        | ``callers`` | How many parts of the crowd do what: ``speak``, ``press_55``, ``silent``, ``abandon``; all speak when left out. |

        On a testbed with real equipment the safety interlock must allow it.

        Example:
        | ${spate}    `Spate Begins`    emergency    60    over=30 s    shape=burst    speak=8    abandon=2 |
        """  # noqa: E501 - a row of Robot's table is one line
        how = {"shape": shape, "seed": seed, **({"callers": callers} if callers else {})}
        return self._network(network, lambda at: at.start_spate(calls, over.total_seconds(), **how))

    @keyword
    def spate_figures(self, network: str, spate: str) -> dict[str, Any]:
        """Returns how many of a spate's callers have dialled, were answered, were refused, are over.

        | =Argument= | =Description= |
        | ``network`` | The network's name in the testbed file. |
        | ``spate``   | The network's name for the spate. |

        Example:
        | ${figures}    `Spate Figures`    emergency    ${spate} |
        | Should Be Equal As Integers    ${figures}[refused]    0 |
        """
        return self._network(network, lambda at: at.spate(spate))

    @keyword
    def spate_ends(self, network: str, spate: str) -> None:
        """Ends a spate: its callers hang up.

        | =Argument= | =Description= |
        | ``network`` | The network's name in the testbed file. |
        | ``spate``   | The network's name for the spate. |

        Example:
        | `Spate Ends`    emergency    ${spate} |
        """
        self._network(network, lambda at: at.end_spate(spate))


async def _nothing(_network: EmergencyNetwork) -> None:
    return
