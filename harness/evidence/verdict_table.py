"""The verdicts on the calls of a load as one table: CSV for a spreadsheet, HTML for the report."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

VERDICT: Final = "call.verdict"
"""Kind of the journal events that hold a verdict on one call."""
COLUMNS: Final = {
    "call": "call",
    "cli": "caller",
    "status": "SIP",
    "answer_s": "answered after, s",
    "first_audio_s": "first audio, s",
    "codec": "codec",
    "flow": "audio",
    "loss": "loss",
    "jitter_ms": "jitter, ms",
    "delay_ms": "delay, ms",
    "mos": "MOS",
    "correlation": "words",
    "passed": "passed",
    "findings": "findings",
}
"""Columns in their order, with their headings."""
MAX_ROWS: Final = 5_000
"""Rows of one table; the rest is left out with a note."""

_STYLE: Final = """
body { font: 14px system-ui, sans-serif; margin: 1rem; color: #1d2733 }
table { border-collapse: collapse; width: 100% }
th, td { padding: .25rem .5rem; text-align: right; border-bottom: 1px solid #d9dee5; white-space: nowrap }
th { position: sticky; top: 0; background: #f3f5f8; text-align: left }
td:first-child, td:last-child { text-align: left }
td:last-child { white-space: normal }
.no { background: #fdecea }
.no td:nth-last-child(2) { color: #a3150c; font-weight: 600 }
"""


def as_csv(verdicts: Sequence[Mapping[str, Any]]) -> bytes:
    """The table as CSV, one row a call, all columns that a verdict has."""
    text = io.StringIO()
    names = [*COLUMNS, *sorted({name for row in verdicts for name in row} - set(COLUMNS))]
    writer = csv.writer(text)
    writer.writerow(names)
    for row in verdicts[:MAX_ROWS]:
        writer.writerow([_harmless(_plain(row.get(name))) for name in names])
    return text.getvalue().encode()


def as_html(verdicts: Sequence[Mapping[str, Any]]) -> bytes:
    """The table as a page of its own: what failed first, and a line that sums up."""
    wrong = [row for row in verdicts if not row.get("passed")]
    right = [row for row in verdicts if row.get("passed")]
    head = "".join(f"<th>{html.escape(title)}</th>" for title in COLUMNS.values())
    body = "".join(_row(row) for row in [*wrong, *right][:MAX_ROWS])
    left = f" The first {MAX_ROWS} are shown." if len(verdicts) > MAX_ROWS else ""
    summary = f"{len(right)} of {len(verdicts)} calls as due, {len(wrong)} not.{left} {_extremes(verdicts)}"
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>Verdict on each call</title><style>{_STYLE}"
        f"</style><h1>Verdict on each call</h1><p>{html.escape(summary)}</p><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></html>"
    ).encode()


def _row(row: Mapping[str, Any]) -> str:
    cells = "".join(f"<td>{html.escape(_shown(name, row.get(name)))}</td>" for name in COLUMNS)
    return f"<tr{'' if row.get('passed') else ' class=no'}>{cells}</tr>"


def _shown(name: str, value: Any) -> str:
    if value is None:
        return "-"
    if name == "loss":
        return f"{100 * float(value):.2f} %"
    if name == "passed":
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.2f}" if name in ("mos", "correlation") else f"{value:.3f}".rstrip("0").rstrip(".")
    return _plain(value)


def _plain(value: Any) -> str:
    if value is None:
        return ""
    return "; ".join(str(each) for each in value) if isinstance(value, list | tuple) else str(value)


def _harmless(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "@", "\t")) else text


def _extremes(verdicts: Sequence[Mapping[str, Any]]) -> str:
    """The worst of the figures that matter most."""
    told = []
    for name, title, worst in (("mos", "lowest MOS", min), ("first_audio_s", "latest first audio, s", max)):
        values = [float(row[name]) for row in verdicts if row.get(name) is not None]
        if values:
            told.append(f"{title} {worst(values):.2f}")
    return ", ".join(told) + ("." if told else "")
