"""What the harness asks of a CRM, whoever made it: a vendor's plugs in here.

A class with these methods that is called with the CRM's address and token, named in the entry points ``iccs.crm``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Protocol

from harness import installed
from harness.endpoints.crm.client import CrmClient
from harness.endpoints.crm.shapes import Contact, FoundBy, RecordMade, RecordTold, TaskTold, ThriveAssessment
from harness.errors import CrmError

ENTRY_POINTS: Final = "iccs.crm"
OWN: Final = "iccs"
"""The name of this project's own interface (docs/crm.md); no package can take it."""


class CrmAdapter(Protocol):
    """A way to one CRM. Every method raises CrmError with what the CRM says against it, and CrmGoneError where it is
    not there or not well; waits are bounded, and nothing is asked twice."""

    async def find(self, by: FoundBy, value: str, *, user: str, reason: str) -> list[Contact]:
        """Contacts by telephone (E.164), e-mail or the beginning of a name; audited as ``user``'s look."""

    async def add_record(self, record: RecordTold, *, key: str) -> RecordMade:
        """Make a record; told again with the same ``key``, nothing is made."""

    async def record(self, id_: str, *, user: str, reason: str) -> dict[str, Any]:
        """One record: ``contact``, ``grade``, ``owner``, ``flags``, ``text``, ``notes``, ``thrive``, ``decisions``."""

    async def note(self, record: str, text: str, *, by: str) -> None:
        """Add a line to a record."""

    async def assess(self, record: str, assessment: ThriveAssessment, *, by: str) -> None:
        """Assess a record by THRIVE."""

    async def grade(self, record: str, grade: str, *, by: str, rationale: str = "") -> None:
        """Grade a record; another grade needs a rationale."""

    async def transfer(self, record: str, to: str, *, by: str, rationale: str = "") -> None:
        """Give a record to somebody else; that needs a rationale."""

    async def attend(self, record: str, *, by: str) -> None:
        """Note that somebody attends."""

    async def code_failure_demand(self, record: str, code: str, *, by: str, note: str = "") -> None:
        """Say whether a contact was made because of a failure of the force's own, and of which; ``none``: of none."""

    async def failure_demand(self) -> dict[str, Any]:
        """The report: ``contacts``, ``coded``, ``failure_demand``, and ``rows`` of ``code``, ``channel``,
        ``contacts``."""

    async def failure_demand_csv(self) -> str:
        """The report for a spreadsheet."""

    async def mark(self, contact: str, kind: str, text: str, *, by: str) -> None:
        """Set a marker on a contact."""

    async def merge(self, contact: str, other: str, *, by: str, reason: str) -> str:
        """Say that ``other`` is the same contact; return the merge's id."""

    async def undo_merge(self, merge: str, *, by: str, reason: str) -> None:
        """Undo a merge."""

    async def add_task(self, task: TaskTold, *, key: str) -> str:
        """Make a task and return its id; told again with the same ``key``, nothing is made."""

    async def tasks(self, *, kind: str | None = None, about: str | None = None) -> list[dict[str, Any]]:
        """Open tasks, oldest first: ``id``, ``kind``, ``about``, ``text``, ``due``."""

    async def finish_task(self, task: str, *, by: str) -> None:
        """Mark a task as done."""

    async def audit(self, *, contact: str | None = None, user: str | None = None) -> list[dict[str, Any]]:
        """Who looked at or changed whose data, oldest first: ``at``, ``user``, ``reason``, ``action``, ``contacts``."""

    async def verify_audit(self) -> dict[str, Any]:
        """Whether the audit is whole: ``intact``, ``entries``, ``first_wrong``, ``why``."""

    async def close(self) -> None:
        """Give the way up; again does nothing."""


AdapterFactory = Callable[[str, str], CrmAdapter]
"""Given an address (``http://host:port``) and a token, which may be empty."""


def load_adapter(name: str = OWN) -> AdapterFactory:
    """Return what makes a way to a CRM, by name: ``iccs``, or one that is installed.

    Raises CrmError for a name that there is not, or one that can't be loaded.
    """
    if name == OWN:
        return CrmClient
    factory: AdapterFactory = installed.load(ENTRY_POINTS, name, "CRM adapter", CrmError, own=[OWN])
    return factory


__all__ = ["ENTRY_POINTS", "AdapterFactory", "CrmAdapter", "load_adapter"]
