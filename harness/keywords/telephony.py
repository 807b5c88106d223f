"""Keywords of the caller and the 999 trunk."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from robot.api.deco import keyword

from harness.drivers.trunk import TrunkCall
from harness.keywords.base import Topic
from harness.measure import times
from harness.testbed.clips import read_clip
from harness.testbed.conversation import converse


class TelephonyKeywords(Topic):
    """The caller's side of the control room."""

    _call: TrunkCall | None = None

    @property
    def call(self) -> TrunkCall:
        """The call that the caller is on. Raises AssertionError when none was placed."""
        if self._call is None:
            raise AssertionError("no call was placed in this test: `Caller Dials` comes first")
        return self._call

    def forget_call(self) -> None:
        """Begin a test without a call."""
        self._call = None

    @keyword
    def caller_dials(self, number: str = "999", cli: str | None = None) -> str:
        """Places a call to the control room over the emergency trunk.

        | =Argument= | =Description= |
        | ``number`` | What the caller dials, e.g. ``999`` or ``101``. |
        | ``cli``    | The caller's number as the network passes it on, ``+44…``; withheld when left out. |

        Returns the SIP Call-ID. On a testbed with real equipment the safety interlock must allow it.

        Example:
        | `Caller Dials`    999    cli=+447700900123 |
        """

        async def dial() -> TrunkCall:
            trunk = await self.session.bench.trunk()
            return await trunk.dial(number, cli=cli)

        self._call = self.session.run(dial())
        return self._call.id

    @keyword
    def caller_is_answered(self, within: timedelta = timedelta(seconds=10)) -> None:
        """Waits until the call is answered and speech can flow.

        | =Argument= | =Description= |
        | ``within`` | The most that it may take, e.g. ``10 s``. |

        Example:
        | `Caller Is Answered`    within=10 s |
        """
        self.session.run(self.call.answered(within=within.total_seconds()))

    @keyword
    def caller_is_heard_at(self, console: str, clip: str) -> float:
        """Lets the caller speak and checks that the headset at a position hears it; returns mouth-to-ear in ms.

        | =Argument= | =Description= |
        | ``console`` | The console's name in the testbed file. |
        | ``clip``    | A speech file of ``fixtures/audio`` without its ending, or a path to a WAV file (8 kHz, mono). |

        Example:
        | ${ms}    `Caller Is Heard At`    govan-12    caller-999 |
        """

        async def speak() -> float:
            ear = await self.session.bench.console(console)
            return (await converse(self.call, ear.headset, read_clip(clip))).latency.ms

        return self.measure("mouth_to_ear caller to operator", self.session.run(speak()))

    @keyword
    def caller_hears(self, console: str, clip: str) -> float:
        """Lets the operator at a position speak and checks that the caller hears it; returns mouth-to-ear in ms.

        | =Argument= | =Description= |
        | ``console`` | The console's name in the testbed file. |
        | ``clip``    | A speech file of ``fixtures/audio`` without its ending, or a path to a WAV file (8 kHz, mono). |

        Example:
        | ${ms}    `Caller Hears`    govan-12    call-taker |
        """

        async def speak() -> float:
            mouth = await self.session.bench.console(console)
            return (await converse(mouth, self.call, read_clip(clip))).latency.ms

        return self.measure("mouth_to_ear operator to caller", self.session.run(speak()))

    @keyword
    def caller_presses(self, digits: str) -> None:
        """Presses keys on the caller's telephone (DTMF by RFC 4733).

        | =Argument= | =Description= |
        | ``digits`` | One or more of 0-9, * and #. |

        Example:
        | `Caller Presses`    55 |
        """
        self.session.run(self.call.send_dtmf(digits))

    @keyword
    def caller_hangs_up(self) -> None:
        """Puts the caller's receiver down.

        Example:
        | `Caller Hangs Up` |
        """
        self.session.run(self.call.hang_up())

    @keyword
    def call_is_over(self, within: timedelta = timedelta(seconds=5)) -> None:
        """Waits until the call has ended on the caller's side.

        | =Argument= | =Description= |
        | ``within`` | The most that it may take. |

        Example:
        | `Call Is Over`    within=2 s |
        """
        self.session.run(self.call.ended(within=within.total_seconds()))

    @keyword
    def set_up_and_answer_times(self) -> dict[str, float]:
        """Returns ``set_up`` and ``answer`` times of the first call of the test in seconds, measured from the journal.

        Set-up is from the INVITE to ringing, answer from ringing to the 200, both as the trunk sees them.

        Example:
        | ${times}    `Set Up And Answer Times` |
        | Should Be True    ${times}[answer] <= 10 |
        """

        async def measure() -> dict[str, Any]:
            bench = self.session.bench
            trunk = await bench.trunk()
            found = {
                "set_up": times.set_up_time(bench.journal, trunk.name),
                "answer": times.answer_time(bench.journal, trunk.name),
            }
            for name, value in found.items():
                bench.measured(f"{name}_time", value, "s")
            return found

        return self.session.run(measure())
