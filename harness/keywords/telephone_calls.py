"""Keywords of what comes of a telephone's calls: ringback, an end, a message, a move, a lamp, what the wire shows."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from robot.api.deco import keyword

from harness.drivers.telephone import Telephone
from harness.errors import ExpectationError
from harness.keywords.base import Topic
from harness.testbed.clips import read_clip
from harness.testbed.wire_secrecy import is_secret


class TelephoneCallKeywords(Topic):
    """More of what users of the switch's telephones do and see; telephones go by their names in the testbed file."""

    async def _switch_phone(self, name: str) -> Telephone:
        return await self.session.bench.telephone(name)

    @keyword
    def telephones_are_on(self, *telephones: str) -> None:
        """Switches telephones on, so that they are registered and calls reach them; other keywords do so as they need.

        | =Argument= | =Description= |
        | ``telephones`` | The telephones. |

        Example:
        | `Telephones Are On`    colleague-phone    desk-phone |
        """

        async def switch_on() -> None:
            for telephone in telephones:
                await self._switch_phone(telephone)

        self.session.run(switch_on())

    @keyword
    def telephone_hears_ringback(self, telephone: str, within: timedelta = timedelta(seconds=10)) -> None:
        """Waits until whoever dialled hears that it rings at the other end.

        | =Argument= | =Description= |
        | ``telephone`` | The telephone that dialled. |
        | ``within``    | The most that it may take. |

        Example:
        | `Telephone Hears Ringback`    operator-phone    within=2 s |
        """

        async def ringing() -> None:
            await (await self._switch_phone(telephone)).current.ringing(within=within.total_seconds())

        self.session.run(ringing())

    @keyword
    def telephone_does_not_ring(self, telephone: str, lasts: timedelta = timedelta(seconds=3)) -> None:
        """Fails where a telephone rings in this time, or rang before it and no `Telephone Rings` waited for that.

        | =Argument= | =Description= |
        | ``telephone`` | The telephone that is to be quiet. |
        | ``lasts``     | For how long. |

        Example:
        | `Telephone Does Not Ring`    colleague-phone    lasts=3 s |
        """

        async def quiet() -> None:
            phone = await self._switch_phone(telephone)
            await asyncio.sleep(lasts.total_seconds())
            if phone.has_rung:
                raise ExpectationError(f"{telephone} was not to ring yet, and did")

        self.session.run(quiet())

    @keyword
    def call_of_telephone_is_over(self, telephone: str, within: timedelta = timedelta(seconds=5)) -> None:
        """Waits until the call that a telephone had last is over: answered or not, whoever ended it.

        | =Argument= | =Description= |
        | ``telephone`` | The telephone. |
        | ``within``    | The most that it may take. |

        Example:
        | `Call Of Telephone Is Over`    operator-phone    within=15 s |
        """

        async def over() -> None:
            await (await self._switch_phone(telephone)).latest.ended(within=within.total_seconds())

        self.session.run(over())

    @keyword
    def telephone_says(self, telephone: str, clip: str) -> None:
        """Lets the user of a telephone speak, and returns when all is said: to a voicemail, whoever listens later.

        | =Argument= | =Description= |
        | ``telephone`` | Who speaks. |
        | ``clip``      | A speech file of ``fixtures/audio`` without its ending, or a WAV file (8 kHz, mono). |

        Example:
        | `Telephone Says`    operator-phone    caller-999 |
        """

        async def speak() -> None:
            call = (await self._switch_phone(telephone)).current
            await call.say(read_clip(clip))
            await call.said()

        self.session.run(speak())

    @keyword
    def telephone_takes_call_over(self, telephone: str, other: str, number: str) -> None:
        """Moves a call from one telephone of a user to another: it takes its place (INVITE with Replaces, RFC 3891).

        Returns when the call is at the new telephone; that of the old one ends then (`Call Of Telephone Is Over`).

        | =Argument= | =Description= |
        | ``telephone`` | Where the call goes on. |
        | ``other``     | Where it is. |
        | ``number``    | Who is at the far end. |

        Example:
        | `Telephone Takes Call Over`    operator-mobile    operator-phone    01632960123 |
        """

        async def take() -> None:
            old = (await self._switch_phone(other)).current
            call = await (await self._switch_phone(telephone)).dial(number, replaces=old)
            await call.answered()

        self.session.run(take())

    @keyword
    def lamp_of_telephone_is_lit(
        self, telephone: str, within: timedelta = timedelta(seconds=10), left_by: str | None = None
    ) -> None:
        """Waits until a telephone's lamp shows that a message waits.

        | =Argument= | =Description= |
        | ``telephone`` | The telephone. |
        | ``within``    | The most that it may take. |
        | ``left_by``   | The telephone that left the message: the lamp tells of one more since that hung up last. Left out: of any, older ones too. |

        Example:
        | `Lamp Of Telephone Is Lit`    colleague-phone    within=60 s    left_by=operator-phone |
        """  # noqa: E501 - a row of Robot's table is one line
        self.session.run(self._switch_phone(telephone))
        if left_by is not None:
            left = self.session.bench.journal.latest(left_by, "telephone.hang_up")
            if left is None:
                raise AssertionError(f"{left_by} did not hang up: it has left no message")
            self.seen[telephone, "lamp.changed"] = left.seq
        self.expect(telephone, "lamp.changed", within, {"waiting": True})

    @keyword
    def call_is_secret_on_the_wire(self, telephone: str, other: str, clip: str) -> None:
        """Reads the captures of this test, and fails where speech or signalling of a call crossed in the clear.

        Speech is to be SRTP, as the length of its payloads and their likeness to what was said show, and all SIP of the
        two is to be under TLS. What the telephones say of themselves is not asked.

        | =Argument= | =Description= |
        | ``telephone`` | Who placed the call, the latest of this telephone. |
        | ``other``     | Who took it. |
        | ``clip``      | What the first one said in it: a speech file of ``fixtures/audio`` without its ending, or a path. |

        Example:
        | `Call Is Secret On The Wire`    desk-phone    secure-phone    caller-999 |
        """  # noqa: E501 - a row of Robot's table is one line

        async def look() -> None:
            ends = await self._switch_phone(telephone), await self._switch_phone(other)
            is_secret(self.session.bench, *ends, read_clip(clip))

        self.session.run(look())
