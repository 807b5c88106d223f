"""Keywords of the SMS Diary: appointments of the public with local officers, and what is told of them by text."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, TypeVar

from robot.api.deco import keyword

from harness.drivers.diary import SmsDiary
from harness.errors import DriverError, ExpectationError
from harness.keywords.base import Topic

T = TypeVar("T")


class SmsDiaryKeywords(Topic):
    """The SMS Diary as an adviser's screen has it."""

    def _diary(self, diary: str, act: Callable[[SmsDiary], Coroutine[Any, Any, T]]) -> T:
        async def do() -> T:
            return await act(await self.session.bench.sms_diary(diary))

        return self.session.run(do())

    @keyword
    def free_slot(self, diary: str, of: str, days: int = 3) -> str:
        """Returns the first free slot of somebody's diary on a day, as ISO 8601 with its offset.

        | =Argument= | =Description= |
        | ``diary`` | A component with role ``sms_diary`` in the testbed file. |
        | ``of``    | The officer's or station's diary, by its id. |
        | ``days``  | How many days from now. |

        Example:
        | ${slot}    `Free Slot`    diary-modem    pc-214    days=3 |
        """

        async def find(at: SmsDiary) -> str:
            day = datetime.fromisoformat((await at.status())["now"]) + timedelta(days=days)
            free = await at.free_slots(of, day.date().isoformat())
            if not free:
                raise ExpectationError(f"{diary}: {of} has no free slot on {day.date().isoformat()}")
            return str(free[0]["start"])

        return self._diary(diary, find)

    @keyword
    def slot_is_free(self, diary: str, of: str, slot: str) -> None:
        """Fails unless a slot is free.

        | =Argument= | =Description= |
        | ``diary`` | The SMS Diary. |
        | ``of``    | The officer's or station's diary, by its id. |
        | ``slot``  | As `Free Slot` returned it. |

        Example:
        | `Slot Is Free`    diary-modem    pc-214    ${slot} |
        """
        free = [each["start"] for each in self._diary(diary, lambda at: at.free_slots(of, slot[:10]))]
        if slot not in free:
            raise ExpectationError(f"{diary}: {slot} of {of} was to be free; {len(free)} others of that day are")

    @keyword
    def appointment_is_booked(
        self, diary: str, of: str, slot: str, telephone: str, record: str | None = None
    ) -> dict[str, Any]:
        """Books a slot for somebody, and returns the appointment: ``id``, ``number``, ``start``, ``state``.

        | =Argument= | =Description= |
        | ``diary``     | The SMS Diary. |
        | ``of``        | The officer's or station's diary, by its id. |
        | ``slot``      | As `Free Slot` returned it. |
        | ``telephone`` | Whom texts go to. |
        | ``record``    | The CRM's record that it is about. |

        Example:
        | ${appointment}    `Appointment Is Booked`    diary-modem    pc-214    ${slot}    +447700900123 |
        """
        return self._diary(diary, lambda at: at.book(of, slot, telephone, record=record))

    @keyword
    def appointment_is_refused(self, diary: str, of: str, slot: str, telephone: str, record: str | None = None) -> str:
        """Tries to book a slot, fails where it is booked, and returns why it was refused.

        Arguments as of `Appointment Is Booked`.

        Example:
        | ${why}    `Appointment Is Refused`    diary-modem    pc-214    ${slot}    +447700900124 |
        | Should Contain    ${why}    is taken |
        """
        try:
            booked = self._diary(diary, lambda at: at.book(of, slot, telephone, record=record))
        except DriverError as error:
            return str(error)
        raise ExpectationError(f"{diary}: {slot} of {of} was to be refused, and is booked as {booked['id']}")

    @keyword
    def appointment_is_moved(self, diary: str, appointment: str, slot: str) -> dict[str, Any]:
        """Moves an appointment to another slot of the same diary, and returns it.

        | =Argument= | =Description= |
        | ``diary``       | The SMS Diary. |
        | ``appointment`` | Its id. |
        | ``slot``        | As `Free Slot` returned it. |

        Example:
        | `Appointment Is Moved`    diary-modem    ${appointment}[id]    ${slot} |
        """
        return self._diary(diary, lambda at: at.move(appointment, slot))

    @keyword
    def appointment_is_cancelled(self, diary: str, appointment: str) -> dict[str, Any]:
        """Cancels an appointment as an adviser does, and returns it.

        | =Argument= | =Description= |
        | ``diary``       | The SMS Diary. |
        | ``appointment`` | Its id. |

        Example:
        | `Appointment Is Cancelled`    diary-modem    ${appointment}[id] |
        """
        return self._diary(diary, lambda at: at.cancel(appointment))

    @keyword
    def diary_shows(
        self, diary: str, event: str, within: timedelta = timedelta(seconds=30), **wanted: Any
    ) -> dict[str, Any]:
        """Waits until the Diary shows that something happened, and returns all of it.

        | =Argument= | =Description= |
        | ``diary``  | The SMS Diary. |
        | ``event``  | ``appointment.cancelled``, ``text.sent``, ``text.delivered``, ``text.failed``, ``reply.received``, ``task.made``, ``task.told`` … |
        | ``within`` | The most that it may take. |
        | ``wanted`` | Values that it must have. |

        Example:
        | `Diary Shows`    diary-modem    text.delivered    within=60 s    text_kind=confirmation |
        """  # noqa: E501 - a row of Robot's table is one line
        self._diary(diary, _nothing)
        return self.expect(diary, event, within, wanted)

    @keyword
    def adviser_has_task(self, diary: str, kind: str, about: str) -> dict[str, Any]:
        """Fails unless the Diary has an open task for an adviser, and returns it: ``id``, ``text``, ``crm``.

        | =Argument= | =Description= |
        | ``diary`` | The SMS Diary. |
        | ``kind``  | ``appointment_cancelled``, ``appointment_change``, ``reply_unclear``, ``text_failed``, ``text_uncertain``, ``text_unreported``, ``text_unwanted``. |
        | ``about`` | An appointment's id, or a telephone number. |

        Example:
        | `Adviser Has Task`    diary-modem    appointment_cancelled    ${appointment}[id] |
        """  # noqa: E501 - a row of Robot's table is one line
        those = self._diary(diary, lambda at: at.tasks(about=about))
        found = next((each for each in those if each["kind"] == kind), None)
        if found is None:
            kinds = ", ".join(str(each["kind"]) for each in those) or "none"
            raise ExpectationError(f"{diary}: an adviser was to have a task {kind} about {about}; there is {kinds}")
        return found


async def _nothing(_diary: SmsDiary) -> None:
    pass
