"""Keywords of the scripted telephone: equipment that misbehaves on demand."""

from __future__ import annotations

from datetime import timedelta

from robot.api.deco import keyword

from harness.drivers.behaviour import Behaviour
from harness.drivers.scripted_phone import ScriptedCall, ScriptedPhone
from harness.keywords.base import Topic
from harness.testbed.clips import read_clip
from harness.testbed.conversation import hears


class FaultKeywords(Topic):
    """A telephone, trunk or switch that does what it should not."""

    def _phone(self, phone: str) -> ScriptedPhone:
        return self.session.run(self.session.bench.scripted_phone(phone))

    def _latest(self, phone: str) -> ScriptedCall:
        calls = self._phone(phone).calls
        if not calls:
            raise AssertionError(f"{phone} has had no call in this test")
        return calls[-1]

    @keyword
    def scripted_phone_behaves(self, phone: str, **how: str) -> None:
        """Lets a scripted telephone misbehave from now on; without anything named it behaves.

        | =Argument= | =Description= |
        | ``phone``  | The telephone's name in the testbed file. |
        | ``how``    | What it does; all that is named applies together. |

        Calls: ``ring_after=2 s``, ``answer_after=5 s``, ``no_ring=yes``, ``never_answer=yes``, ``silent=yes`` (sends
        nothing at all), ``refuse=486``, ``cancel_after=1 s``, ``hang_up_after=0 s``, ``leave_without_bye=yes``,
        ``ignore_bye=yes``.

        Messages: ``answer_twice=yes`` (with another tag), ``wrong_tag=yes``, ``no_tag=yes``, ``no_contact=yes``,
        ``broken_sdp=yes``, ``no_sdp=yes``, ``no_ack=yes``, ``ack_after=3 s``, ``repeat=2``, ``cut=200`` (bytes).

        Speech: ``media.nothing=yes`` (one-way audio), ``media.silent=yes``, ``media.front_clip_ms=300``,
        ``media.gain_db=20``, ``media.to=192.0.2.1:5004``, ``media.loss=5%``, ``media.jitter_ms=40`` and all else that
        an impairment has.

        Example:
        | `Scripted Phone Behaves`    odd-phone    answer_after=5 s    media.nothing=yes |
        """
        self._phone(phone).behave(Behaviour.from_text(how))

    @keyword
    def scripted_phone_dials(self, phone: str, number: str, cli: str = "") -> str:
        """Lets a scripted telephone call a number; returns the SIP Call-ID.

        | =Argument= | =Description= |
        | ``phone``  | The telephone's name in the testbed file. |
        | ``number`` | What it dials, at the component that it leads to. |
        | ``cli``    | The number that it shows; its own name when left out. |

        On a testbed with real equipment the safety interlock must allow it.

        Example:
        | `Scripted Phone Dials`    odd-phone    999    cli=+447700900123 |
        """
        odd = self._phone(phone)
        caller = f"<sip:{cli}@{odd.address[0]}>" if cli else ""
        return self.session.run(odd.dial(number, caller=caller)).sip.id

    @keyword
    def scripted_phone_is_called(self, phone: str, within: timedelta = timedelta(seconds=5)) -> str:
        """Waits until a call comes to a scripted telephone; returns the SIP Call-ID.

        | =Argument= | =Description= |
        | ``phone``  | The telephone's name in the testbed file. |
        | ``within`` | The most that it may take. |

        Example:
        | `Scripted Phone Is Called`    odd-phone    within=2 s |
        """
        return self.session.run(self._phone(phone).called(within=within.total_seconds())).sip.id

    @keyword
    def scripted_phone_is_answered(self, phone: str, within: timedelta = timedelta(seconds=10)) -> None:
        """Waits until the latest call of a scripted telephone is answered.

        | =Argument= | =Description= |
        | ``phone``  | The telephone's name in the testbed file. |
        | ``within`` | The most that it may take. |

        Example:
        | `Scripted Phone Is Answered`    odd-phone |
        """
        self.session.run(self._latest(phone).answered(within=within.total_seconds()))

    @keyword
    def scripted_phone_hears(self, phone: str, clip: str, within: timedelta = timedelta(seconds=10)) -> float:
        """Waits until words are heard in the latest call of a scripted telephone; returns how like they are, 0 to 1.

        | =Argument= | =Description= |
        | ``phone``  | The telephone's name in the testbed file. |
        | ``clip``   | A speech file of ``fixtures/audio`` without its ending, or a path to a WAV file (8 kHz, mono). |
        | ``within`` | The most that it may take until they were said. |

        Example:
        | `Scripted Phone Hears`    caller    announcements/callback-offer    within=150 s |
        """
        return self.session.run(hears(self._latest(phone), read_clip(clip), within=within.total_seconds()))

    @keyword
    def scripted_phone_presses(self, phone: str, digits: str) -> None:
        """Presses keys in the latest call of a scripted telephone (RFC 4733).

        | =Argument= | =Description= |
        | ``phone``  | The telephone's name in the testbed file. |
        | ``digits`` | One or more of 0-9, * and #. |

        Example:
        | `Scripted Phone Presses`    caller    1 |
        """
        self.session.run(self._latest(phone).press(digits))

    @keyword
    def scripted_phone_hangs_up(self, phone: str) -> None:
        """Ends the latest call of a scripted telephone, as its behaviour lets it.

        | =Argument= | =Description= |
        | ``phone``  | The telephone's name in the testbed file. |

        Example:
        | `Scripted Phone Hangs Up`    odd-phone |
        """
        self._latest(phone).hang_up()

    @keyword
    def call_of_scripted_phone_is_over(self, phone: str, within: timedelta = timedelta(seconds=5)) -> int:
        """Waits until the latest call of a scripted telephone is over; returns the SIP status that it ended with.

        | =Argument= | =Description= |
        | ``phone``  | The telephone's name in the testbed file. |
        | ``within`` | The most that it may take. |

        Example:
        | ${status}    `Call Of Scripted Phone Is Over`    odd-phone    within=40 s |
        """
        call = self._latest(phone)
        self.session.run(call.ended(within=within.total_seconds()))
        return call.sip.status
