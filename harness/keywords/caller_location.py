"""Keywords of the service that tells where callers are: its faults, and positions that handsets send."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, Literal, TypeVar

from robot.api.deco import keyword

from harness.drivers.location import LocationService
from harness.keywords.base import Topic
from harness.protocols.location.aml_sms import Aml, Method

T = TypeVar("T")


class CallerLocationKeywords(Topic):
    """What a caller-location service is told, and what becomes of it."""

    def _service(self, service: str, act: Callable[[LocationService], Coroutine[Any, Any, T]]) -> T:
        async def do() -> T:
            return await act(await self.session.bench.location_service(service))

        return self.session.run(do())

    @keyword
    def location_service_fails(
        self,
        service: str,
        fault: Literal["down", "silent", "garbled", "slow", "wrong", "unknown", "no_updates"] = "down",
        slower: timedelta = timedelta(seconds=5),
    ) -> None:
        """Makes a simulated service fail, until `Location Service Recovers` or the test's end.

        | =Argument= | =Description= |
        | ``service`` | The service's name in the testbed file. |
        | ``fault``   | ``down`` (not reachable), ``silent`` (takes questions, answers none), ``garbled``, ``slow``, ``wrong`` (somebody else's place), ``unknown`` (nobody is known), ``no_updates``. |
        | ``slower``  | How much longer each answer takes where it is ``slow``. |

        Fails on a real service: it is for whoever runs it to stop it.

        Example:
        | `Location Service Fails`    location    down |
        """  # noqa: E501 - a row of Robot's table is one line
        self._service(service, lambda at: at.fail(fault, seconds=slower.total_seconds()))

    @keyword
    def location_service_recovers(self, service: str) -> None:
        """Ends a simulated service's fault.

        | =Argument= | =Description= |
        | ``service`` | The service's name in the testbed file. |

        Example:
        | `Location Service Recovers`    location |
        """
        self._service(service, lambda at: at.recover())

    @keyword
    def handset_sends_position(
        self,
        service: str,
        number: str,
        latitude: float,
        longitude: float,
        radius: float = 20.0,
        method: Literal["GNSS", "WIFI", "CELL"] = "GNSS",
    ) -> int:
        """Sends a handset's position by text message (AML); returns 200 where the service used it, 202 where not.

        | =Argument= | =Description= |
        | ``service``   | The service's name in the testbed file. |
        | ``number``    | The handset's number, one of those that the testbed allows. |
        | ``latitude``  | Degrees north. |
        | ``longitude`` | Degrees east. |
        | ``radius``    | Metres within which the handset is. |
        | ``method``    | How the handset found its position. |

        Example:
        | ${status}    `Handset Sends Position`    location    +447700900123    55.8642    -4.2518    radius=12 |
        | Should Be Equal As Integers    ${status}    200 |
        """
        position = Aml(latitude=latitude, longitude=longitude, radius_m=radius, confidence=90, method=Method[method])
        return self._service(service, lambda at: at.send_aml(number, position))
