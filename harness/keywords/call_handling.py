"""Keywords of what operators do with a call: hold, enquiry, transfer, conference, ringing back, breaks."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, Literal, TypeVar

from robot.api.deco import keyword

from harness.drivers.console import Console
from harness.keywords.base import Topic

T = TypeVar("T")


class CallHandlingKeywords(Topic):
    """Operators' hands on calls."""

    def _does(self, console: str, act: Callable[[Console], Coroutine[Any, Any, T]]) -> T:
        async def do() -> T:
            return await act(await self.session.bench.console(console))

        return self.session.run(do())

    @keyword
    def operator_dials(self, console: str, number: str) -> str:
        """Calls a position, a telephone or a number in the network from a console; returns the call's id.

        | =Argument= | =Description= |
        | ``console`` | The console's name in the testbed file. |
        | ``number``  | A position's id, an extension, or a number. |

        On a testbed with real equipment the safety interlock must allow it.

        Example:
        | `Operator Dials`    govan-12    2001 |
        """
        return self._does(console, lambda at: at.dial(number))

    @keyword
    def operator_rings_back(self, console: str, record: str | None = None) -> str:
        """Rings back the caller of a call record, or of the latest call there; returns the call's id.

        | =Argument= | =Description= |
        | ``console`` | The console's name in the testbed file. |
        | ``record``  | The call record, ``R-000001``; left out: the console's latest. |

        On a testbed with real equipment the safety interlock must allow the caller's number.

        Example:
        | `Operator Rings Back`    govan-12 |
        """
        return self._does(console, lambda at: at.redial(record))

    @keyword
    def operator_holds(self, console: str) -> str:
        """Puts the call on hold, so that the caller hears music; returns the call's id.

        | =Argument= | =Description= |
        | ``console`` | The console's name in the testbed file. |

        Example:
        | `Operator Holds`    govan-12 |
        """
        return self._does(console, lambda at: at.hold())

    @keyword
    def operator_resumes(self, console: str, call: str | None = None) -> str:
        """Takes a call off hold; another one in hand is held in its place. Returns the call's id.

        | =Argument= | =Description= |
        | ``console`` | The console's name in the testbed file. |
        | ``call``    | Which call; left out: the latest that is on hold. |

        Example:
        | `Operator Resumes`    govan-12 |
        """
        return self._does(console, lambda at: at.resume(call))

    @keyword
    def operator_consults(self, console: str, to: str) -> str:
        """Puts the call on hold and rings somebody about it; returns the enquiry's id.

        | =Argument= | =Description= |
        | ``console`` | The console's name in the testbed file. |
        | ``to``      | A position's id, an extension, or a number. |

        Example:
        | `Operator Consults`    govan-12    govan-31 |
        """
        return self._does(console, lambda at: at.consult(to))

    @keyword
    def operator_transfers(self, console: str, to: str | None = None) -> str:
        """Passes the call on; returns its id.

        | =Argument= | =Description= |
        | ``console`` | The console's name in the testbed file. |
        | ``to``      | A position, queue, extension or number (blind); left out: the enquiry's party (attended). |

        Example:
        | `Operator Transfers`    govan-12    to=non_emergency |
        """
        return self._does(console, lambda at: at.transfer(to))

    @keyword
    def operator_conferences(self, console: str, to: str | None = None) -> str:
        """Joins the enquiry with the call on hold, or rings somebody into the call; returns the call's id.

        | =Argument= | =Description= |
        | ``console`` | The console's name in the testbed file. |
        | ``to``      | Who is rung into the call; left out: the enquiry's party. |

        Example:
        | `Operator Conferences`    govan-12    to=govan-31 |
        """
        return self._does(console, lambda at: at.conference(to))

    @keyword
    def operator_leaves_conference(self, console: str) -> None:
        """Goes out of a conference; the others go on.

        | =Argument= | =Description= |
        | ``console`` | The console's name in the testbed file. |

        Example:
        | `Operator Leaves Conference`    govan-12 |
        """
        self._does(console, lambda at: at.leave())

    @keyword
    def operator_sends_keys(self, console: str, digits: str) -> None:
        """Sends keys to the other side of the call (RFC 4733).

        | =Argument= | =Description= |
        | ``console`` | The console's name in the testbed file. |
        | ``digits``  | One or more of 0-9, *, # and A-D. |

        Example:
        | `Operator Sends Keys`    govan-12    1 |
        """
        self._does(console, lambda at: at.send_dtmf(digits))

    @keyword
    def operator_types(self, console: str, text: str) -> None:
        """Types to the other side of a call with real-time text (RFC 4103): a relay user's.

        | =Argument= | =Description= |
        | ``console`` | The console's name in the testbed file. |
        | ``text``    | What is typed. |

        Example:
        | `Operator Types`    govan-12    Police. Where are you? |
        """
        self._does(console, lambda at: at.type_text(text))

    @keyword
    def operator_reads(self, console: str, text: str, call: str, within: timedelta = timedelta(seconds=5)) -> None:
        """Waits until a text stands in what the other side of a call has typed.

        | =Argument= | =Description= |
        | ``console`` | The console's name in the testbed file. |
        | ``text``    | What is to be read. |
        | ``call``    | The switch's name for the call. |
        | ``within``  | The most that it may take. |

        Example:
        | `Operator Reads`    govan-12    intruder    call=${call}[call] |
        """
        self._does(console, lambda at: at.reads(text, call=call, within=within.total_seconds()))

    @keyword
    def operator_tags_nuisance(self, console: str, note: str = "") -> str:
        """Tags the latest call there as a nuisance call; returns its record, which is preserved now.

        | =Argument= | =Description= |
        | ``console`` | The console's name in the testbed file. |
        | ``note``    | Why. |

        Example:
        | ${record}    `Operator Tags Nuisance`    govan-12    third hoax tonight |
        """
        return self._does(console, lambda at: at.tag_nuisance(note=note))

    @keyword
    def operator_asks_999_operator(self, console: str, what: Literal["leave", "return"]) -> None:
        """Asks the 999 operator to leave the call in hand, or to come back into it.

        | =Argument= | =Description= |
        | ``console`` | The console's name in the testbed file. |
        | ``what``    | ``leave`` or ``return``. |

        Example:
        | `Operator Asks 999 Operator`    govan-12    return |
        """
        self._does(console, lambda at: at.ask_operator(what))

    @keyword
    def operator_enters_location(self, console: str, text: str) -> None:
        """Writes down where the caller says it is, as a console prompts for where no location comes.

        | =Argument= | =Description= |
        | ``console`` | The console's name in the testbed file. |
        | ``text``    | The place in words. |

        Example:
        | `Operator Enters Location`    govan-12    12 Testbed Street, Govan |
        """
        self._does(console, lambda at: at.enter_location(text))

    @keyword
    def operator_goes(self, console: str, state: Literal["available", "break"]) -> None:
        """Makes an operator available, which ends wrap-up, or sends one on break, now or after the call in hand.

        | =Argument= | =Description= |
        | ``console`` | The console's name in the testbed file. |
        | ``state``   | ``available`` or ``break``. |

        Example:
        | `Operator Goes`    govan-12    break |
        """
        self._does(console, lambda at: at.go(state))
