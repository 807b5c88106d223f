"""Keywords of a site that is cut off: the wire to the centre, the cloud, and where a telephone is registered then."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from robot.api.deco import keyword

from harness.keywords.base import Topic

HOME_WITHIN = timedelta(seconds=30)


class SurvivabilityKeywords(Topic):
    """What is cut, and what a telephone does about it."""

    @keyword
    def site_of_the_switch_is_cut_off(self, switch: str, site: str) -> None:
        """Cuts the wire between a site and the centre of an enterprise switch; of a real one a tester is asked.

        | =Argument= | =Description= |
        | ``switch`` | The switch's name in the testbed file. |
        | ``site``   | The site's name. |

        Example:
        | `Site Of The Switch Is Cut Off`    switch    govan |
        """

        async def cut() -> None:
            await (await self.session.bench.switch_faults(switch)).cut_site(site)

        self.session.run(cut())

    @keyword
    def site_of_the_switch_is_mended(self, switch: str, site: str) -> None:
        """Mends the wire between a site and the centre of an enterprise switch; of a real one a tester is asked.

        | =Argument= | =Description= |
        | ``switch`` | The switch's name in the testbed file. |
        | ``site``   | The site's name. |

        Example:
        | `Site Of The Switch Is Mended`    switch    govan |
        """

        async def mend() -> None:
            await (await self.session.bench.switch_faults(switch)).mend_site(site)

        self.session.run(mend())

    @keyword
    def webex_fails(self, webex: str, fault: Literal["down", "silent", "errors"] = "down") -> None:
        """Makes Webex fail; where it is real a tester is asked.

        | =Argument= | =Description= |
        | ``webex`` | Webex's name in the testbed file. |
        | ``fault`` | ``down``, it can't be reached; ``silent``, it answers nothing; ``errors``, it refuses all. |

        Example:
        | `Webex Fails`    webex    down |
        """

        async def fail() -> None:
            await (await self.session.bench.webex(webex)).fail(fault)

        self.session.run(fail())

    @keyword
    def webex_recovers(self, webex: str) -> None:
        """Ends the fault of Webex.

        | =Argument= | =Description= |
        | ``webex`` | Webex's name in the testbed file. |

        Example:
        | `Webex Recovers`    webex |
        """

        async def recover() -> None:
            await (await self.session.bench.webex(webex)).recover()

        self.session.run(recover())

    @keyword
    def telephone_home(self, telephone: str) -> str:
        """Returns where a telephone is registered, as ``host:port``; empty while it is nowhere.

        | =Argument= | =Description= |
        | ``telephone`` | The telephone's name in the testbed file. |

        Example:
        | ${centre}    `Telephone Home`    operator-phone |
        """

        async def home() -> str:
            found = (await self.session.bench.telephone(telephone)).home
            return _written(found)

        return self.session.run(home())

    @keyword
    def telephone_goes_to_another_home(self, telephone: str, home: str, within: timedelta = HOME_WITHIN) -> str:
        """Waits until a telephone is registered elsewhere than it was; returns where.

        | =Argument= | =Description= |
        | ``telephone`` | The telephone's name in the testbed file. |
        | ``home``      | Where it was: what `Telephone Home` returned. |
        | ``within``    | The most that it may take. |

        Example:
        | `Telephone Goes To Another Home`    operator-phone    ${centre}    within=30 s |
        """
        return self._registered(telephone, _Home(home, is_other=True), within)

    @keyword
    def telephone_comes_home(self, telephone: str, home: str, within: timedelta = HOME_WITHIN) -> None:
        """Waits until a telephone is registered there again.

        | =Argument= | =Description= |
        | ``telephone`` | The telephone's name in the testbed file. |
        | ``home``      | Where it is to be: what `Telephone Home` returned. |
        | ``within``    | The most that it may take. |

        Example:
        | `Telephone Comes Home`    operator-phone    ${centre} |
        """
        self._registered(telephone, _Home(home), within)

    def _registered(self, telephone: str, due: _Home, within: timedelta) -> str:
        async def wait() -> str:
            phone = await self.session.bench.telephone(telephone)
            after, now = self.session.bench.journal.position, _written(phone.home)
            if due(now):
                return now
            seconds = within.total_seconds()
            event = await phone.expect("telephone.home", within=seconds, after=after, home=due)
            return str(event.data["home"])

        return self.session.run(wait())


class _Home:
    """Where a telephone is to be registered: there, or anywhere else."""

    def __init__(self, home: str, *, is_other: bool = False) -> None:
        self.__name__ = f"another than {home}" if is_other else home
        self._home, self._is_other = home, is_other

    def __call__(self, at: object) -> bool:
        return bool(at) and (at == self._home) is not self._is_other


def _written(home: tuple[str, int] | None) -> str:
    return "" if home is None else f"{home[0]}:{home[1]}"
