"""A run for other programs: the traceability matrix as CSV, and the tests as JUnit's XML.

JUnit has no word for a known fault or for a pass on simulators: the first is a failure that says which, the second has
a property. A spreadsheet that opens the matrix takes no cell for a formula.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any, Final
from xml.etree import ElementTree as Xml

from harness.evidence.requirements import PRIORITIES
from harness.evidence.results import Summary, TestOutcome, Verdict

MAX_MESSAGE: Final = 10_000
"""Characters of a failure's message that JUnit's file has."""
COLUMNS: Final = (
    "requirement",
    "priority",
    "group",
    "criterion",
    "sources",
    "standing",
    "test",
    "verdict",
    "won on",
    "fault",
    "waiver until",
)
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def cell(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula (decision 216)."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def matrix_csv(summary: Summary) -> str:
    """Return the matrix, a row for each test of each requirement, and one for a requirement that has none."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for each in summary.standings:
        asked = each.requirement
        head = [asked.id, PRIORITIES[asked.priority], asked.feature, asked.text, "; ".join(asked.sources)]
        for tail in [_of_test(test) for test in each.tests] or [[""] * 5]:
            writer.writerow([cell(str(value)) for value in [*head, each.standing.value, *tail]])
    for test in summary.tests:
        if not test.requirements:
            writer.writerow([cell(value) for value in ["", "", "", "", "", "untraced", *_of_test(test)]])
    return out.getvalue()


def _of_test(test: TestOutcome) -> list[str]:
    fault = test.defect
    until = str(fault.waiver.expires) if fault is not None and fault.waiver is not None else ""
    return [test.name, test.verdict.value, test.binding, fault.label if fault is not None else "", until]


def junit_xml(summary: Summary, run: Mapping[str, Any]) -> bytes:
    """Return the tests as JUnit's XML, a suite for each framework; ``run`` is the summary's account of the run."""
    named = f"{run.get('stage', '')} {run.get('testbed', '')}".strip()
    root = Xml.Element("testsuites", {"name": _text(named or "ICCS")})
    by_framework: dict[str, list[TestOutcome]] = {}
    for test in summary.tests:
        by_framework.setdefault(test.framework or "tests", []).append(test)
    for framework, tests in sorted(by_framework.items()):
        suite = Xml.SubElement(root, "testsuite", {"name": _text(framework), **_counts(tests)})
        for test in tests:
            _case(suite, test)
    Xml.indent(root)
    out = io.BytesIO()
    Xml.ElementTree(root).write(out, encoding="utf-8", xml_declaration=True)
    return out.getvalue() + b"\n"


def _counts(tests: list[TestOutcome]) -> dict[str, str]:
    def count(*verdicts: Verdict) -> str:
        return str(sum(test.verdict in verdicts for test in tests))

    return {
        "tests": str(len(tests)),
        "failures": count(Verdict.FAILED, Verdict.KNOWN),
        "errors": count(Verdict.BROKEN, Verdict.UNKNOWN),
        "skipped": count(Verdict.SKIPPED, Verdict.NOT_APPLICABLE),
        "time": f"{sum(test.seconds for test in tests):.3f}",
    }


def _case(suite: Xml.Element, test: TestOutcome) -> None:
    place, _, name = test.name.rpartition("#" if "#" in test.name else ".")
    case = Xml.SubElement(suite, "testcase", classname=_text(place), name=_text(name), time=f"{test.seconds:.3f}")
    told = Xml.SubElement(case, "properties")
    for key, value in [("won_on", test.binding), *(("requirement", each) for each in test.requirements)]:
        Xml.SubElement(told, "property", name=key, value=_text(value))
    message = _text(test.reason[:MAX_MESSAGE])
    match test.verdict:
        case Verdict.FAILED:
            Xml.SubElement(case, "failure", message=message.partition("\n")[0]).text = message
        case Verdict.KNOWN:
            fault = f"known fault {test.defect.label if test.defect is not None else ''}: "
            Xml.SubElement(
                case, "failure", type="known", message=_text(fault) + message.partition("\n")[0]
            ).text = message
        case Verdict.BROKEN | Verdict.UNKNOWN:
            Xml.SubElement(case, "error", message=message.partition("\n")[0]).text = message
        case Verdict.SKIPPED | Verdict.NOT_APPLICABLE:
            Xml.SubElement(case, "skipped", message=f"{test.verdict.value}: {message}")
        case Verdict.PASSED:
            return


def _text(text: str) -> str:
    """Leave out what XML 1.0 has no way to write."""
    return "".join(
        each if each in "\t\n\r" or " " <= each <= "\ud7ff" or "\ue000" <= each <= "\ufffd" or each > "\uffff" else "�"
        for each in text
    )
