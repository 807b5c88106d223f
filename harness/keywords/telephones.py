"""Keywords of the enterprise switch's telephones."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from robot.api.deco import keyword

from harness.drivers.telephone import Telephone
from harness.drivers.telephone_call import TelephoneCall
from harness.keywords.base import Topic
from harness.testbed.clips import read_clip
from harness.testbed.conversation import converse


class SwitchTelephoneKeywords(Topic):
    """What users of the switch's telephones do; each keyword is of the call that the telephone had last."""

    @keyword
    def telephone_dials(self, telephone: str, number: str) -> str:
        """Dials a number at a telephone; returns the SIP Call-ID.

        | =Argument= | =Description= |
        | ``telephone`` | The telephone's name in the testbed file. |
        | ``number``    | What is dialled: a line, a service or code of the switch's, or a number outside. |

        On a testbed with real equipment the safety interlock must allow it.

        Example:
        | `Telephone Dials`    front-desk    3102 |
        """

        async def dial() -> TelephoneCall:
            return await (await self._telephone(telephone)).dial(number)

        return self.session.run(dial()).id

    @keyword
    def telephone_rings(self, telephone: str, within: timedelta = timedelta(seconds=10)) -> str:
        """Waits until a telephone rings; returns the number that it shows, empty where that is withheld.

        | =Argument= | =Description= |
        | ``telephone`` | The telephone's name in the testbed file. |
        | ``within``    | The most that it may take. |

        Example:
        | ${number}    `Telephone Rings`    back-office    within=5 s |
        """

        async def ring() -> str:
            phone = await self._telephone(telephone)
            return (await phone.rings(within=within.total_seconds())).number

        return self.session.run(ring())

    @keyword
    def telephone_answers(self, telephone: str) -> None:
        """Lifts the receiver of a telephone that rings.

        | =Argument= | =Description= |
        | ``telephone`` | The telephone's name in the testbed file. |

        Example:
        | `Telephone Answers`    back-office |
        """

        async def answer() -> None:
            await (await self._current(telephone)).answer()

        self.session.run(answer())

    @keyword
    def telephone_is_answered(self, telephone: str, within: timedelta = timedelta(seconds=10)) -> None:
        """Waits until the call that a telephone placed is answered.

        | =Argument= | =Description= |
        | ``telephone`` | The telephone's name in the testbed file. |
        | ``within``    | The most that it may take. |

        Example:
        | `Telephone Is Answered`    front-desk |
        """

        async def answered() -> None:
            await (await self._current(telephone)).answered(within=within.total_seconds())

        self.session.run(answered())

    @keyword
    def telephone_holds(self, telephone: str) -> None:
        """Presses Hold: the other end hears music.

        | =Argument= | =Description= |
        | ``telephone`` | The telephone's name in the testbed file. |

        Example:
        | `Telephone Holds`    back-office |
        """

        async def hold() -> None:
            await (await self._current(telephone)).hold()

        self.session.run(hold())

    @keyword
    def telephone_resumes(self, telephone: str) -> None:
        """Presses Resume.

        | =Argument= | =Description= |
        | ``telephone`` | The telephone's name in the testbed file. |

        Example:
        | `Telephone Resumes`    back-office |
        """

        async def resume() -> None:
            await (await self._current(telephone)).resume()

        self.session.run(resume())

    @keyword
    def telephone_parks(self, telephone: str, number: str) -> str:
        """Parks the other end at the park's number or in a slot; returns the slot.

        | =Argument= | =Description= |
        | ``telephone`` | The telephone's name in the testbed file. |
        | ``number``    | The park's number, or a slot's. |

        Example:
        | ${slot}    `Telephone Parks`    back-office    3300 |
        """

        async def park() -> str:
            return await (await self._current(telephone)).park(number)

        return self.session.run(park())

    @keyword
    def telephone_presses(self, telephone: str, digits: str) -> None:
        """Presses keys on a telephone (DTMF by RFC 4733).

        | =Argument= | =Description= |
        | ``telephone`` | The telephone's name in the testbed file. |
        | ``digits``    | One or more of 0-9, * and #. |

        Example:
        | `Telephone Presses`    front-desk    1 |
        """

        async def press() -> None:
            await (await self._current(telephone)).send_dtmf(digits)

        self.session.run(press())

    @keyword
    def telephone_is_heard_at_telephone(self, telephone: str, other: str, clip: str) -> float:
        """Lets the user of a telephone speak and checks that another hears it; returns mouth-to-ear in ms.

        | =Argument= | =Description= |
        | ``telephone`` | Who speaks: the telephone's name in the testbed file. |
        | ``other``     | Who has to hear it. |
        | ``clip``      | A speech file of ``fixtures/audio`` without its ending, or a WAV file (8 kHz, mono). |

        Example:
        | ${ms}    `Telephone Is Heard At Telephone`    front-desk    back-office    caller-999 |
        """

        async def speak() -> float:
            mouth, ear = await self._current(telephone), await self._current(other)
            return (await converse(mouth, ear, read_clip(clip))).latency.ms

        return self.measure("mouth_to_ear telephone to telephone", self.session.run(speak()))

    @keyword
    def telephone_hangs_up(self, telephone: str) -> None:
        """Puts the receiver of a telephone down.

        | =Argument= | =Description= |
        | ``telephone`` | The telephone's name in the testbed file. |

        Example:
        | `Telephone Hangs Up`    front-desk |
        """

        async def hang_up() -> None:
            await (await self._current(telephone)).hang_up()

        self.session.run(hang_up())

    async def _telephone(self, name: str) -> Telephone:
        return await self.session.bench.telephone(name)

    @keyword
    def trunk_of_the_switch_fails(
        self, switch: str, trunk: str, fault: Literal["refusing", "silent"] = "silent"
    ) -> None:
        """Makes a trunk of an enterprise switch fail; of a real one a tester is asked.

        | =Argument= | =Description= |
        | ``switch`` | The switch's name in the testbed file. |
        | ``trunk``  | The trunk's name. |
        | ``fault``  | ``silent``, a cut wire, or ``refusing``, 503 to every call. |

        Example:
        | `Trunk Of The Switch Fails`    switch    carrier-a |
        """

        async def do() -> None:
            await (await self.session.bench.switch_faults(switch)).fail_trunk(trunk, fault)

        self.session.run(do())

    @keyword
    def trunk_of_the_switch_is_mended(self, switch: str, trunk: str) -> None:
        """Lets a trunk of an enterprise switch be well again; of a real one a tester is asked.

        | =Argument= | =Description= |
        | ``switch`` | The switch's name in the testbed file. |
        | ``trunk``  | The trunk's name. |

        Example:
        | `Trunk Of The Switch Is Mended`    switch    carrier-a |
        """

        async def do() -> None:
            await (await self.session.bench.switch_faults(switch)).mend_trunk(trunk)

        self.session.run(do())

    @keyword
    def line_of_the_switch_is_impaired(self, switch: str, line: str, **impairment: float) -> None:
        """Makes what a line's telephones are sent bad, in the calls that it has now.

        | =Argument= | =Description= |
        | ``switch``     | The switch's name in the testbed file. |
        | ``line``       | The line's number. |
        | ``impairment`` | What is done: ``loss=0.05`` (a share), ``delay_ms=200``, ``jitter_ms=40`` …; without: none. |

        Example:
        | `Line Of The Switch Is Impaired`    switch    2002    loss=0.05 |
        """

        async def do() -> None:
            await (await self.session.bench.enterprise_switch(switch)).impair(line, **impairment)

        self.session.run(do())

    async def _current(self, name: str) -> TelephoneCall:
        return (await self._telephone(name)).current
