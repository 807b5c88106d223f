"""Keywords of the public's telephones on an emergency network."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, Literal, TypeVar

from robot.api.deco import keyword

from harness.drivers.caller import CallerPhone
from harness.drivers.phone_call import KeysBy, PhoneCall
from harness.keywords.base import Topic
from harness.protocols.location.msd import Msd, Place
from harness.protocols.location.pidf import Location, Presence
from harness.protocols.location.shapes import Circle, Point
from harness.testbed.clips import read_clip

T = TypeVar("T")

_MAS_PER_DEGREE = 3_600_000
"""Thousandths of an arc second, in which a vehicle tells its place (EN 15722)."""


class CallerPhoneKeywords(Topic):
    """What the public do who dial 999."""

    def _caller_phone(self, phone: str, act: Callable[[CallerPhone], Coroutine[Any, Any, T]]) -> T:
        async def do() -> T:
            return await act(await self.session.bench.caller_phone(phone))

        return self.session.run(do())

    def _on_call(self, phone: str, act: Callable[[PhoneCall], Coroutine[Any, Any, T]]) -> T:
        return self._caller_phone(phone, lambda at: act(at.call()))

    @keyword
    def caller_phone_dials(
        self,
        phone: str,
        number: str = "999",
        withheld: bool = False,
        text: bool = False,
        latitude: float | None = None,
        longitude: float | None = None,
        radius: float = 20.0,
    ) -> str:
        """Dials on a caller's telephone; returns the SIP Call-ID.

        | =Argument= | =Description= |
        | ``phone``     | The telephone's name in the testbed file. |
        | ``number``    | ``999``, ``112``, ``18000`` (text relay), or ``urn:service:sos`` and what is under it. |
        | ``withheld``  | Ask that the number is not shown. |
        | ``text``      | Offer real-time text beside speech. |
        | ``latitude``  | Degrees north, to tell in the call where the caller is (RFC 6442); with ``longitude``. |
        | ``longitude`` | Degrees east. |
        | ``radius``    | How sure the telephone is of that, in metres. |

        A landline whose circuit is held goes on with its call, whatever it dials. On a testbed with real equipment the
        safety interlock must allow it.

        Example:
        | `Caller Phone Dials`    mobile    999 |
        """
        where = _presence(latitude, longitude, radius)
        dialled = self._caller_phone(phone, lambda at: at.dial(number, withheld=withheld, text=text, location=where))
        return dialled.id

    @keyword
    def vehicle_calls(
        self,
        phone: str,
        latitude: float,
        longitude: float,
        vin: str,
        automatic: bool = True,
        people: int | None = None,
    ) -> str:
        """Places an eCall with its minimum set of data (RFC 8147); returns the SIP Call-ID.

        | =Argument= | =Description= |
        | ``phone``     | The vehicle's telephone, by its name in the testbed file. |
        | ``latitude``  | Degrees north. |
        | ``longitude`` | Degrees east. |
        | ``vin``       | The vehicle identification number, 17 characters, invented. |
        | ``automatic`` | Set off by sensors; else by a person. |
        | ``people``    | Occupants; not known when left out. |

        Example:
        | `Vehicle Calls`    mobile    55.8642    -4.2518    vin=WM9VDSVDSYA123456    people=2 |
        """
        place = Place(round(latitude * _MAS_PER_DEGREE), round(longitude * _MAS_PER_DEGREE))
        vehicle = Msd(vin, automatic=automatic, place=place, position_trusted=True, people=people)
        urn = f"urn:service:sos.ecall.{'automatic' if automatic else 'manual'}"
        return self._caller_phone(phone, lambda at: at.dial(urn, vehicle=vehicle)).id

    @keyword
    def caller_phone_is_answered(self, phone: str, within: timedelta = timedelta(seconds=10)) -> None:
        """Waits until the latest call of a telephone is answered: by an operator, where it is an emergency call.

        | =Argument= | =Description= |
        | ``phone``  | The telephone's name in the testbed file. |
        | ``within`` | The most that it may take. |

        Example:
        | `Caller Phone Is Answered`    mobile    within=5 s |
        """
        self._on_call(phone, lambda call: call.answered(within=within.total_seconds()))

    @keyword
    def caller_phone_says(self, phone: str, clip: str = "caller-999") -> None:
        """Lets the caller speak, and returns when all is said.

        | =Argument= | =Description= |
        | ``phone``  | The telephone's name in the testbed file. |
        | ``clip``   | A speech file of ``fixtures/audio`` without its ending, or a path to a WAV file (8 kHz, mono). |

        Example:
        | `Caller Phone Says`    mobile    caller-999 |
        """
        samples = read_clip(clip)

        async def speak(call: PhoneCall) -> None:
            await call.say(samples)
            await call.said()

        self._on_call(phone, speak)

    @keyword
    def caller_phone_presses(self, phone: str, digits: str, by: KeysBy = "rtp") -> None:
        """Presses keys on a telephone: ``55`` in the Silent Solution announcement.

        | =Argument= | =Description= |
        | ``phone``  | The telephone's name in the testbed file. |
        | ``digits`` | One or more of 0-9, * and #. |
        | ``by``     | ``rtp`` (RFC 4733), or ``info`` as old equipment does. |

        Example:
        | `Caller Phone Presses`    mobile    55 |
        """
        self._on_call(phone, lambda call: call.press(digits, by=by))

    @keyword
    def caller_phone_writes(self, phone: str, text: str) -> None:
        """Writes in a call with real-time text (RFC 4103).

        | =Argument= | =Description= |
        | ``phone``  | The telephone's name in the testbed file. |
        | ``text``   | What is written. |

        Example:
        | `Caller Phone Writes`    mobile    There is a man in my house |
        """
        self._on_call(phone, lambda call: call.write(text))

    @keyword
    def caller_phone_reads(self, phone: str, text: str, within: timedelta = timedelta(seconds=5)) -> None:
        """Waits until something stands in what was written to the caller.

        | =Argument= | =Description= |
        | ``phone``  | The telephone's name in the testbed file. |
        | ``text``   | What is to stand there. |
        | ``within`` | The most that it may take. |

        Example:
        | `Caller Phone Reads`    mobile    Are you safe? |
        """
        self._on_call(phone, lambda call: call.reads(text, within=within.total_seconds()))

    @keyword
    def caller_phone_hangs_up(self, phone: str) -> None:
        """Puts a telephone's receiver down.

        | =Argument= | =Description= |
        | ``phone``  | The telephone's name in the testbed file. |

        Example:
        | `Caller Phone Hangs Up`    landline |
        """
        self._on_call(phone, lambda call: call.hang_up())

    @keyword
    def caller_phone_lifts(self, phone: str) -> None:
        """Lifts a landline's receiver again, after it was hung up: a circuit that is held goes on, without dialling.

        | =Argument= | =Description= |
        | ``phone``  | The telephone's name in the testbed file. |

        Example:
        | `Caller Phone Lifts`    landline |
        """
        self._caller_phone(phone, lambda at: at.lift())

    @keyword
    def call_of_caller_phone_is_over(self, phone: str, within: timedelta = timedelta(seconds=5)) -> int:
        """Waits until the latest call of a telephone is over; returns the SIP status that it ended with.

        | =Argument= | =Description= |
        | ``phone``  | The telephone's name in the testbed file. |
        | ``within`` | The most that it may take. |

        Example:
        | ${status}    `Call Of Caller Phone Is Over`    mobile    within=40 s |
        """

        async def over(call: PhoneCall) -> int:
            await call.ended(within=within.total_seconds())
            return call.sip.status

        return self._on_call(phone, over)

    @keyword
    def caller_phone_picks_up(self, phone: str, within: timedelta = timedelta(seconds=10)) -> None:
        """Answers the telephone when it is rung back.

        | =Argument= | =Description= |
        | ``phone``  | The telephone's name in the testbed file. |
        | ``within`` | The most that it may take until it rings. |

        Example:
        | `Caller Phone Picks Up`    mobile    within=5 s |
        """
        self._caller_phone(phone, lambda at: at.pick_up(within=within.total_seconds()))

    @keyword
    def caller_phone_sends_text(self, phone: str, text: str, number: Literal["999", "112"] = "999") -> int:
        """Sends a text message; returns the status with which the network took it, 202.

        | =Argument= | =Description= |
        | ``phone``  | The telephone's name in the testbed file. |
        | ``text``   | The message: ``register``, then ``yes``, register the mobile for emergencySMS. |
        | ``number`` | To whom. |

        Example:
        | `Caller Phone Sends Text`    mobile    register |
        """
        return self._caller_phone(phone, lambda at: at.send_text(text, number=number))

    @keyword
    def caller_phone_receives_text(
        self, phone: str, containing: str = "", within: timedelta = timedelta(seconds=10)
    ) -> str:
        """Waits until a text message comes that no earlier wait has had, and returns it.

        | =Argument= | =Description= |
        | ``phone``      | The telephone's name in the testbed file. |
        | ``containing`` | What is to be in it; others are passed over. |
        | ``within``     | The most that it may take. |

        Example:
        | ${text}    `Caller Phone Receives Text`    mobile    containing=reply yes |
        """

        def fits(text: str) -> bool:
            return containing in text

        fits.__name__ = f"…{containing}…"

        async def wait(at: CallerPhone) -> str:
            after = self.seen.get((phone, "text.received"), 0)
            found = await at.expect("text.received", within=within.total_seconds(), after=after, text=fits)
            self.seen[phone, "text.received"] = found.seq
            return str(found.data["text"])

        return self._caller_phone(phone, wait)

    @keyword
    def caller_phone_shows(
        self, phone: str, event: str, within: timedelta = timedelta(seconds=5), **wanted: Any
    ) -> dict[str, Any]:
        """Waits until something happens at a telephone, and returns all that is known of it.

        | =Argument= | =Description= |
        | ``phone``  | The telephone's name in the testbed file. |
        | ``event``  | ``phone.rings``, ``ecall.ack``, ``ecall.asked``, ``aml.sent`` … |
        | ``within`` | The most that it may take. |
        | ``wanted`` | Values that it must have. |

        Example:
        | `Caller Phone Shows`    mobile    phone.rings    within=10 s |
        """
        return self.expect(phone, event, within, wanted)


def _presence(latitude: float | None, longitude: float | None, radius: float) -> Presence | None:
    """Where a caller is. Raises AssertionError where only half is told."""
    if latitude is None and longitude is None:
        return None
    if latitude is None or longitude is None:
        raise AssertionError("'latitude' and 'longitude' go together")
    shape = Circle(Point(latitude, longitude), radius)
    return Presence("pres:caller@iccs.invalid", (Location(shape, method="GPS"),))
