"""Keywords of the operators at their consoles."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, TypeVar

from robot.api.deco import keyword

from harness.drivers.console import Console
from harness.keywords.base import Topic
from harness.measure import times

T = TypeVar("T")


class ConsoleKeywords(Topic):
    """What call takers and dispatchers do and see."""

    def _at(self, console: str, act: Callable[[Console], Coroutine[Any, Any, T]]) -> T:
        async def do() -> T:
            return await act(await self.session.bench.console(console))

        return self.session.run(do())

    @keyword
    def operator_sits_at(self, *consoles: str) -> None:
        """Logs an operator in at each console named, headset on.

        | =Argument=  | =Description= |
        | ``consoles`` | Names of consoles in the testbed file. |

        Example:
        | `Operator Sits At`    govan-12    govan-31 |
        """
        for console in consoles:
            self._at(console, _nothing)

    @keyword
    def console_shows(
        self, console: str, event: str, within: timedelta = timedelta(seconds=1), **wanted: Any
    ) -> dict[str, Any]:
        """Waits until a console shows something, and returns all that it shows of it.

        | =Argument= | =Description= |
        | ``console`` | The console's name in the testbed file. |
        | ``event``   | What it shows: ``call.ringing``, ``call.connected``, ``call.dtmf``, ``talker.shown``, ``status.shown``, ``sds.shown``, ``incident.received`` … |
        | ``within``  | The most that it may take. |
        | ``wanted``  | Values that it must show; a number or a truth value fits what reads the same. |

        When it does not come, the error tells what came instead, nearest first.

        Example:
        | ${shown}    `Console Shows`    govan-12    call.ringing    within=1 s    queue=emergency    cli=+447700900123 |
        """  # noqa: E501 - a row of Robot's table is one line
        return self.expect(console, event, within, wanted)

    @keyword
    def console_did_not_show(self, console: str, event: str, **wanted: Any) -> None:
        """Fails where a console has shown something that no `Console Shows` has had yet.

        | =Argument= | =Description= |
        | ``console`` | The console's name in the testbed file. |
        | ``event``   | What it was not to show. |
        | ``wanted``  | Values by which it is told from others of its kind. |

        Example:
        | `Console Did Not Show`    govan-12    call.ringing |
        """
        self.absent(console, event, wanted)

    @keyword
    def operator_answers(self, console: str, queue: str = "emergency", call: str | None = None) -> str:
        """Takes the oldest call of a queue at a console, or the call named; returns the switch's name for it.

        | =Argument= | =Description= |
        | ``console`` | The console's name in the testbed file. |
        | ``queue``   | ``emergency``, ``non_emergency`` … |
        | ``call``    | The switch's name for a call that rings there, whichever its queue: an enquiry has none. |

        Example:
        | `Operator Answers`    govan-12    queue=emergency |
        """
        return self._at(console, lambda at: at.answer(queue=None if call else queue, call=call))

    @keyword
    def operator_opens_incident(self, console: str, title: str) -> str:
        """Opens an incident from the call in hand; returns its id.

        | =Argument= | =Description= |
        | ``console`` | The console's name in the testbed file. |
        | ``title``   | One line on what it is about. |

        Example:
        | ${incident}    `Operator Opens Incident`    govan-12    Domestic in progress |
        """
        return self._at(console, lambda at: at.open_incident(title))

    @keyword
    def operator_assesses_incident(self, console: str, incident: str, **factors: str) -> None:
        """Records what is known of THRIVE at a console; what is left out stays as it was.

        | =Argument= | =Description= |
        | ``console``  | The console's name in the testbed file. |
        | ``incident`` | Its id. |
        | ``factors``  | ``threat``, ``harm``, ``risk``, ``investigation``, ``vulnerability``, ``engagement``, ``rationale``. |

        Example:
        | `Operator Assesses Incident`    govan-12    ${incident}    threat=He is outside    vulnerability=A child |
        """  # noqa: E501 - a row of Robot's table is one line
        self._at(console, lambda at: at.assess_incident(incident, **factors))

    @keyword
    def operator_grades_incident(self, console: str, incident: str, grade: str, rationale: str = "") -> None:
        """Grades an incident at a console. Fails where it is not assessed by THRIVE, or regraded without a rationale.

        | =Argument= | =Description= |
        | ``console``   | The console's name in the testbed file. |
        | ``incident``  | Its id. |
        | ``grade``     | ``Immediate``, ``Prompt``, ``Standard`` or ``Other``. |
        | ``rationale`` | By THRIVE, why it is graded otherwise than it was. |

        Example:
        | `Operator Grades Incident`    govan-12    ${incident}    Immediate |
        """
        self._at(console, lambda at: at.grade_incident(incident, grade, rationale=rationale))

    @keyword
    def operator_hands_over(self, console: str, incident: str, to: str) -> None:
        """Gives an incident to another position.

        | =Argument= | =Description= |
        | ``console``  | Who has it: the console's name in the testbed file. |
        | ``incident`` | Its id. |
        | ``to``       | The position that takes it, by its id. |

        Example:
        | `Operator Hands Over`    govan-12    ${incident}    to=govan-31 |
        """
        self._at(console, lambda at: at.hand_over(incident, to))

    @keyword
    def operator_assigns_unit(self, console: str, terminal: str, incident: str) -> None:
        """Assigns a unit to an incident.

        | =Argument= | =Description= |
        | ``console``  | Who assigns it. |
        | ``terminal`` | The unit's terminal, by its name in the testbed file. |
        | ``incident`` | The incident's id. |

        Example:
        | `Operator Assigns Unit`    govan-31    officer    ${incident} |
        """
        unit = self.session.bench.console_id(terminal)
        self._at(console, lambda at: at.assign_unit(unit, incident))

    @keyword
    def operator_closes_incident(self, console: str, incident: str) -> None:
        """Closes an incident.

        | =Argument= | =Description= |
        | ``console``  | Who has it. |
        | ``incident`` | Its id. |

        Example:
        | `Operator Closes Incident`    govan-31    ${incident} |
        """
        self._at(console, lambda at: at.close_incident(incident))

    @keyword
    def operator_clears_call(self, console: str) -> None:
        """Clears the call at a console.

        | =Argument= | =Description= |
        | ``console`` | The console's name in the testbed file. |

        Example:
        | `Operator Clears Call`    govan-12 |
        """
        self._at(console, lambda at: at.clear())

    @keyword
    def operator_keys(self, console: str, talkgroup: str, within: timedelta = timedelta(seconds=2)) -> float:
        """Presses push-to-talk and waits for the floor; returns the time to the grant in milliseconds.

        | =Argument= | =Description= |
        | ``console``   | The console's name in the testbed file. |
        | ``talkgroup`` | The talkgroup to talk to. |
        | ``within``    | The most that the grant may take. |

        Example:
        | ${ms}    `Operator Keys`    govan-31    GD-OPS-1 |
        """

        async def press(at: Console) -> float:
            journal = self.session.bench.journal
            after = journal.position
            await at.key(talkgroup)
            await at.expect("ptt.granted", within=within.total_seconds(), after=after, talkgroup=talkgroup)
            return 1000 * times.console_grant_time(journal, at.name, after=after)

        return self.measure("ptt_grant", self._at(console, press))

    @keyword
    def operator_lets_go(self, console: str) -> None:
        """Lets push-to-talk go.

        | =Argument= | =Description= |
        | ``console`` | The console's name in the testbed file. |

        Example:
        | `Operator Lets Go`    govan-31 |
        """
        self._at(console, lambda at: at.unkey())


async def _nothing(_console: Console) -> None:
    return
