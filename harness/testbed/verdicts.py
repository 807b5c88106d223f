"""A verdict on each call of a load, journalled one by one: the report's table, and the error that names the worst."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from harness.drivers.call_load import LoadedCall
from harness.errors import ExpectationError
from harness.evidence.verdict_table import VERDICT
from harness.journal import Journal
from harness.measure.verdict import Due, StreamVerdict, judge

WORST_SHOWN: Final = 10
"""Calls that an error names."""


@dataclass(frozen=True, slots=True)
class CallVerdict:
    """One call, and what it is worth."""

    call: LoadedCall
    stream: StreamVerdict | None
    """None where the call was not answered."""

    @property
    def findings(self) -> tuple[str, ...]:
        """What was not as due."""
        if self.stream is None:
            return (f"not answered: {self.call.status} {self.call.reason} {self.call.problem}".strip(),)
        problem = (self.call.problem,) if self.call.problem else ()
        return (*problem, *self.stream.findings)

    @property
    def passed(self) -> bool:
        """Whether all was as due."""
        return not self.findings

    def row(self) -> dict[str, Any]:
        """As the journal and the report's table have it."""
        answer_s = self.call.answer_s
        row: dict[str, Any] = {
            "call": self.call.name,
            "call_id": self.call.call_id,
            "cli": self.call.cli,
            "status": self.call.status,
            "answer_s": None if answer_s is None else round(answer_s, 3),
        }
        if self.stream is not None:
            row |= {key: value for key, value in self.stream.as_json().items() if key not in ("findings", "passed")}
        return row | {"passed": self.passed, "findings": list(self.findings)}


def verdicts(journal: Journal, source: str, calls: Sequence[LoadedCall], due: Due) -> list[CallVerdict]:
    """Judge each call against `due` and journal each verdict."""
    found: list[CallVerdict] = []
    for call in calls:
        stream = None
        if call.stats is not None and call.answered_at is not None:
            expected = replace(due, reference=None) if call.heard is None else due
            stream = judge(call.stats, since=call.answered_at, due=expected, heard=call.heard)
        verdict = CallVerdict(call, stream)
        journal.record(source, VERDICT, **verdict.row())
        found.append(verdict)
    return found


def all_passed(found: Sequence[CallVerdict]) -> None:
    """Raise ExpectationError where a call did not pass, naming the worst and counting the kinds of finding."""
    wrong = [verdict for verdict in found if not verdict.passed]
    if not wrong:
        return
    worst = sorted(wrong, key=lambda verdict: -len(verdict.findings))[:WORST_SHOWN]
    lines = [f"  {verdict.call.name} ({verdict.call.cli}): {'; '.join(verdict.findings)}" for verdict in worst]
    more = f"\n  and {len(wrong) - len(worst)} more" if len(wrong) > len(worst) else ""
    raise ExpectationError(f"{len(wrong)} of {len(found)} calls are not as due:\n" + "\n".join(lines) + more)
