"""Keywords of the CRM: records, THRIVE and grades, tasks, the audit, and the CRM's loss."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, Literal, TypeVar

from robot.api.deco import keyword

from harness.drivers.crm import Crm
from harness.endpoints.crm import Person, RecordTold
from harness.errors import CrmError, ExpectationError
from harness.keywords.base import Topic
from harness.protocols.times import to_iso

T = TypeVar("T")
ADVISER = "adviser"


class CrmKeywords(Topic):
    """What advisers and supervisors do in the CRM, and what whoever runs a simulated one can make of it."""

    def _crm(self, crm: str, act: Callable[[Crm], Coroutine[Any, Any, T]]) -> T:
        async def do() -> T:
            return await act(await self.session.bench.crm(crm))

        return self.session.run(do())

    def _refused(self, crm: str, act: Callable[[Crm], Coroutine[Any, Any, None]], what: str) -> str:
        async def do(at: Crm) -> str:
            try:
                await act(at)
            except CrmError as error:
                return str(error)
            raise ExpectationError(f"{crm}: {what} was to be refused, and was not")

        return self._crm(crm, do)

    @keyword
    def contact_is_recorded(
        self, crm: str, key: str, channel: str = "phone", telephone: str | None = None, text: str = ""
    ) -> dict[str, Any]:
        """Makes a record of a contact that was made, and returns ``id``, ``contact`` and ``created``.

        | =Argument= | =Description= |
        | ``crm``       | The CRM's name in the testbed file. |
        | ``key``       | What it is known by when it is told again: then nothing is made. |
        | ``channel``   | ``phone``, ``contact_us``, ``email``, ``sms``, ``storm``. |
        | ``telephone`` | Whose; the contact is found by it, else made. |
        | ``text``      | What was said. |

        Example:
        | ${record}    `Contact Is Recorded`    crm    call-1    telephone=+447700900999 |
        """

        async def do(at: Crm) -> dict[str, Any]:
            told = RecordTold(channel, to_iso(_RECEIVED), Person(telephone=telephone), text)
            made = await at.add_record(told, key=key)
            return {"id": made.id, "contact": made.contact, "created": made.created}

        return self._crm(crm, do)

    @keyword
    def record_is_assessed(self, crm: str, record: str, by: str = ADVISER, **factors: str) -> None:
        """Assesses a record by THRIVE. Fails where the CRM refuses it.

        | =Argument= | =Description= |
        | ``crm``     | The CRM's name in the testbed file. |
        | ``record``  | The record's id. |
        | ``by``      | Who assesses. |
        | ``factors`` | ``threat``, ``harm``, ``risk``, ``investigation``, ``vulnerability``, ``engagement``, and ``rationale``. |

        Example:
        | `Record Is Assessed`    crm    R-000001    threat=…    harm=…    risk=…    investigation=…    vulnerability=…    engagement=…    rationale=… |
        """  # noqa: E501 - a row of Robot's table is one line
        self._crm(crm, lambda at: at.assess(record, factors, by=by))

    @keyword
    def assessment_is_refused(self, crm: str, record: str, by: str = ADVISER, **factors: str) -> str:
        """As `Record Is Assessed`, where the CRM is to refuse it: returns what the CRM says against it.

        | =Argument= | =Description= |
        | ``crm``     | The CRM's name in the testbed file. |
        | ``record``  | The record's id. |
        | ``by``      | Who assesses. |
        | ``factors`` | As in `Record Is Assessed`. |

        Example:
        | ${reason}    `Assessment Is Refused`    crm    R-000001    threat=He is armed |
        """
        return self._refused(crm, lambda at: at.assess(record, factors, by=by), "an assessment")

    @keyword
    def record_is_graded(self, crm: str, record: str, grade: str, rationale: str = "", by: str = ADVISER) -> None:
        """Grades a record. Fails where the CRM refuses it.

        | =Argument= | =Description= |
        | ``crm``       | The CRM's name in the testbed file. |
        | ``record``    | The record's id. |
        | ``grade``     | ``Immediate``, ``Prompt``, ``Standard`` or ``Other``. |
        | ``rationale`` | By THRIVE, why it is graded otherwise than it was. |
        | ``by``        | Who grades. |

        Example:
        | `Record Is Graded`    crm    R-000001    Prompt |
        """
        self._crm(crm, lambda at: at.grade(record, grade, by=by, rationale=rationale))

    @keyword
    def grade_is_refused(self, crm: str, record: str, grade: str, rationale: str = "", by: str = ADVISER) -> str:
        """As `Record Is Graded`, where the CRM is to refuse it: returns what the CRM says against it.

        | =Argument= | =Description= |
        | ``crm``       | The CRM's name in the testbed file. |
        | ``record``    | The record's id. |
        | ``grade``     | What is tried. |
        | ``rationale`` | As in `Record Is Graded`. |
        | ``by``        | Who grades. |

        Example:
        | ${reason}    `Grade Is Refused`    crm    R-000001    Priority |
        """
        return self._refused(crm, lambda at: at.grade(record, grade, by=by, rationale=rationale), f"the grade {grade}")

    @keyword
    def record_is_transferred(self, crm: str, record: str, to: str, rationale: str, by: str = ADVISER) -> None:
        """Gives a record to a person, team or force. Fails where the CRM refuses it.

        | =Argument= | =Description= |
        | ``crm``       | The CRM's name in the testbed file. |
        | ``record``    | The record's id. |
        | ``to``        | Whom it goes to. |
        | ``rationale`` | By THRIVE, why. |
        | ``by``        | Who gives it. |

        Example:
        | `Record Is Transferred`    crm    R-000001    Force North    rationale=The address is theirs |
        """
        self._crm(crm, lambda at: at.transfer(record, to, by=by, rationale=rationale))

    @keyword
    def transfer_is_refused(self, crm: str, record: str, to: str, rationale: str = "", by: str = ADVISER) -> str:
        """As `Record Is Transferred`, where the CRM is to refuse it: returns what the CRM says against it.

        | =Argument= | =Description= |
        | ``crm``       | The CRM's name in the testbed file. |
        | ``record``    | The record's id. |
        | ``to``        | Whom it would go to. |
        | ``rationale`` | As in `Record Is Transferred`. |
        | ``by``        | Who gives it. |

        Example:
        | ${reason}    `Transfer Is Refused`    crm    R-000001    Force North |
        """
        return self._refused(crm, lambda at: at.transfer(record, to, by=by, rationale=rationale), "a transfer")

    @keyword
    def record_is_coded(self, crm: str, record: str, code: str, note: str = "", by: str = ADVISER) -> None:
        """Says whether a contact was made because of a failure of the force's own, and of which.

        | =Argument= | =Description= |
        | ``crm``    | The CRM's name in the testbed file. |
        | ``record`` | The record's id. |
        | ``code``   | One of the force's list; ``none``: no failure. |
        | ``note``   | What else is to be said. |
        | ``by``     | Who says so. |

        Example:
        | `Record Is Coded`    crm    R-000001    no_update |
        """
        self._crm(crm, lambda at: at.code_failure_demand(record, code, by=by, note=note))

    @keyword
    def failure_demand(self, crm: str) -> dict[str, Any]:
        """Returns the report on failure demand: ``contacts``, ``coded``, ``failure_demand``, ``share_of_coded``, ``rows``.

        | =Argument= | =Description= |
        | ``crm``    | The CRM's name in the testbed file. |

        Example:
        | ${report}    `Failure Demand`    crm |
        """  # noqa: E501 - Robot's first line is one line
        return self._crm(crm, lambda at: at.service.failure_demand())

    @keyword
    def tasks_at_crm(self, crm: str, kind: str | None = None, about: str | None = None) -> list[dict[str, Any]]:
        """Returns the open tasks, oldest first: ``id``, ``kind``, ``about``, ``text``, ``due``.

        | =Argument= | =Description= |
        | ``crm``   | The CRM's name in the testbed file. |
        | ``kind``  | Of one kind only: ``supervisor_review`` … |
        | ``about`` | About one record or the like only. |

        Example:
        | ${tasks}    `Tasks At Crm`    crm    supervisor_review |
        """
        return self._crm(crm, lambda at: at.service.tasks(kind=kind, about=about))

    @keyword
    def crm_tells(
        self, crm: str, event: str, within: timedelta = timedelta(seconds=5), **wanted: Any
    ) -> dict[str, Any]:
        """Waits until a simulated CRM tells something, and returns all of it.

        | =Argument= | =Description= |
        | ``crm``    | The CRM's name in the testbed file. |
        | ``event``  | ``record.made``, ``record.graded``, ``review.raised``, ``looked`` … (docs/crm.md) |
        | ``within`` | How long it may take. |
        | ``wanted`` | What it must say. |

        Example:
        | `Crm Tells`    crm    review.raised    within=46 min    record=R-000001 |
        """

        async def tells(at: Crm) -> None:
            at.tells(event)

        self._crm(crm, tells)
        return self.expect(crm, event, within, wanted)

    @keyword
    def console_shows_caller(
        self, console: str, call: str, within: timedelta = timedelta(seconds=2)
    ) -> list[dict[str, Any]]:
        """Waits until a console shows what the CRM knows of a caller: returns ``id``, ``name``, ``markers`` and ``history`` of each contact.

        | =Argument= | =Description= |
        | ``console`` | The console's name in the testbed file. |
        | ``call``    | The call's id, as `Console Shows` returns it. |
        | ``within``  | How long it may take. |

        Example:
        | ${contacts}    `Console Shows Caller`    govan-01    ${call}[call]    within=2 s |
        """  # noqa: E501 - Robot's first line is one line

        async def do() -> list[dict[str, Any]]:
            driver = await self.session.bench.console(console)
            return (await driver.caller_shown(call, within=within.total_seconds()))[1]

        return self.session.run(do())

    @keyword
    def audit_of_contact(self, crm: str, contact: str) -> list[dict[str, Any]]:
        """Returns who looked at or changed a contact, oldest first: ``user``, ``reason``, ``action``, ``at``.

        Fails where the audit is not whole.

        | =Argument= | =Description= |
        | ``crm``     | The CRM's name in the testbed file. |
        | ``contact`` | The contact's id. |

        Example:
        | ${looks}    `Audit Of Contact`    crm    C-000001 |
        """

        async def do(at: Crm) -> list[dict[str, Any]]:
            verified = await at.service.verify_audit()
            if not verified["intact"]:
                raise ExpectationError(f"{crm}: the audit is not whole at {verified['first_wrong']}: {verified['why']}")
            return await at.service.audit(contact=contact)

        return self._crm(crm, do)

    @keyword
    def crm_fails(
        self,
        crm: str,
        fault: Literal["down", "silent", "loses_answers", "errors", "slow"] = "down",
        slower: timedelta = timedelta(seconds=5),
    ) -> None:
        """Makes a simulated CRM fail, until `Crm Recovers` or the test's end.

        | =Argument= | =Description= |
        | ``crm``    | The CRM's name in the testbed file. |
        | ``fault``  | ``down`` (not reachable), ``silent`` (answers nothing), ``loses_answers``, ``errors`` (503), ``slow``. |
        | ``slower`` | How much longer each answer takes where it is ``slow``. |

        Example:
        | `Crm Fails`    crm    down |
        """  # noqa: E501 - a row of Robot's table is one line
        self._crm(crm, lambda at: at.fail(fault, seconds=slower.total_seconds()))

    @keyword
    def crm_recovers(self, crm: str) -> None:
        """Ends a simulated CRM's fault.

        | =Argument= | =Description= |
        | ``crm``    | The CRM's name in the testbed file. |

        Example:
        | `Crm Recovers`    crm |
        """
        self._crm(crm, lambda at: at.recover())


_RECEIVED = 1_767_225_600.0
"""2026-01-01: when a contact was made for which a test gives no time, so that one seed gives one journal."""
