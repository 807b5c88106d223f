"""Keywords of the radio at the console beside push-to-talk: emergencies, several talkgroups, speakers, folders."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from robot.api.deco import keyword

from harness.drivers.console import Console
from harness.drivers.supervisor import Supervisor
from harness.keywords.base import Topic
from harness.protocols.tetra.lip import ShortLocation

T = TypeVar("T")


class DeskRadioKeywords(Topic):
    """What dispatchers do with emergencies and talkgroups, and supervisors with alarms."""

    def _radio_at(self, console: str, act: Callable[[Console], Coroutine[Any, Any, T]]) -> T:
        async def do() -> T:
            return await act(await self.session.bench.console(console))

        return self.session.run(do())

    @keyword
    def officer_raises_emergency(
        self, terminal: str, latitude: float | None = None, longitude: float | None = None
    ) -> None:
        """Presses the emergency key as a terminal takes it: emergency call, status 0, and the place where given.

        The key is held until `Officer Lets Go`. On real equipment this needs a dated permit in the testbed file.

        | =Argument= | =Description= |
        | ``terminal``  | The terminal's name in the testbed file. |
        | ``latitude``  | Degrees, north positive; with ``longitude``, or neither. |
        | ``longitude`` | Degrees, east positive. |

        Example:
        | `Officer Raises Emergency`    officer    latitude=55.8622    longitude=-4.3096 |
        """
        if (latitude is None) != (longitude is None):
            raise AssertionError("a place has latitude and longitude: one of them is missing")
        place = None
        if latitude is not None and longitude is not None:
            place = ShortLocation(longitude=longitude, latitude=latitude)

        async def press() -> None:
            await (await self.session.bench.terminal(terminal)).raise_emergency(location=place)

        self.session.run(press())

    @keyword
    def operator_acknowledges_emergency(self, console: str, emergency: str) -> None:
        """Acknowledges an officer's emergency at a console.

        | =Argument= | =Description= |
        | ``console``   | The console's name in the testbed file. |
        | ``emergency`` | Its name, which consoles show with ``emergency.shown``. |

        Example:
        | `Operator Acknowledges Emergency`    govan-31    ${shown}[emergency] |
        """
        self._radio_at(console, lambda at: at.acknowledge_emergency(emergency))

    @keyword
    def operator_clears_emergency(self, console: str, emergency: str) -> None:
        """Clears an acknowledged emergency whose end the radio does not tell.

        | =Argument= | =Description= |
        | ``console``   | The console's name in the testbed file. |
        | ``emergency`` | Its name, which consoles show with ``emergency.shown``. |

        Example:
        | `Operator Clears Emergency`    govan-31    ${shown}[emergency] |
        """
        self._radio_at(console, lambda at: at.clear_emergency(emergency))

    @keyword
    def operator_keys_talkgroups(self, console: str, *talkgroups: str) -> None:
        """Presses to talk to several talkgroups at once; the console shows of each what becomes of it.

        | =Argument= | =Description= |
        | ``console``    | The console's name in the testbed file. |
        | ``talkgroups`` | Their names in the testbed file. |

        Example:
        | `Operator Keys Talkgroups`    govan-31    GD-OPS-1    GD-OPS-2 |
        | `Console Shows`    govan-31    ptt.granted    within=500 ms    talkgroup=GD-OPS-1 |
        | `Console Shows`    govan-31    ptt.granted    within=500 ms    talkgroup=GD-OPS-2 |
        """
        self._radio_at(console, lambda at: at.key_groups(*talkgroups))

    @keyword
    def operator_selects_talkgroup(self, console: str, talkgroup: str) -> None:
        """Lets a talkgroup be heard in the headset.

        | =Argument= | =Description= |
        | ``console``   | The console's name in the testbed file. |
        | ``talkgroup`` | The talkgroup, which the position monitors. |

        Example:
        | `Operator Selects Talkgroup`    govan-31    GD-OPS-2 |
        """
        self._radio_at(console, lambda at: at.select(talkgroup))

    @keyword
    def operator_unselects_talkgroup(self, console: str, talkgroup: str) -> None:
        """Lets a talkgroup be heard from the loudspeaker.

        | =Argument= | =Description= |
        | ``console``   | The console's name in the testbed file. |
        | ``talkgroup`` | The talkgroup, which the position monitors. |

        Example:
        | `Operator Unselects Talkgroup`    govan-31    GD-OPS-2 |
        """
        self._radio_at(console, lambda at: at.unselect(talkgroup))

    @keyword
    def operator_sets_volume(
        self, console: str, headset: float | None = None, loudspeaker: float | None = None
    ) -> None:
        """Turns selected talkgroups (headset) or unselected ones (loudspeaker) up or down.

        | =Argument= | =Description= |
        | ``console``     | The console's name in the testbed file. |
        | ``headset``     | dB about what the network gives, -60 to 12; left out: as it is. |
        | ``loudspeaker`` | The same of the loudspeaker. |

        Example:
        | `Operator Sets Volume`    govan-31    headset=0    loudspeaker=-12 |
        """
        self._radio_at(console, lambda at: at.set_volume(headset_db=headset, loudspeaker_db=loudspeaker))

    @keyword
    def operator_finds_talkgroup(self, console: str, talkgroup: str, *folders: str) -> int:
        """Opens folders one after the other and touches a talkgroup, which is monitored then.

        | =Argument= | =Description= |
        | ``console``   | The console's name in the testbed file. |
        | ``talkgroup`` | The talkgroup's name. |
        | ``folders``   | The folders that lead to it, from the top. |

        Returns how many touches it took.

        Example:
        | ${touches}    `Operator Finds Talkgroup`    govan-31    PS-MA-1    Mutual aid    Scotland |
        """
        return self._radio_at(console, lambda at: at.find_talkgroup(talkgroup, *folders))

    @keyword
    def supervisor_alarms(self) -> list[dict[str, Any]]:
        """Returns the supervisors' alarms that stand, oldest first: what, since when, about whom.

        Example:
        | ${alarms}    `Supervisor Alarms` |
        | Should Be Empty    ${alarms} |
        """

        async def look() -> list[dict[str, Any]]:
            supervisor: Supervisor = await self.session.bench.supervisor()
            return await supervisor.alarms()

        return self.session.run(look())
