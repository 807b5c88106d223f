"""Draws what happened as a ladder: a column a component, arrows for SIP, dashed ones for RTP, boxes for events.

Drawn from the capture's datagrams and the journal's events, so that what a reader sees is what crossed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from harness.evidence.audio import escape
from harness.evidence.capture import STREAMS
from harness.journal import Event
from harness.protocols.sip.stream import StreamCutter
from harness.transport.tap import Crossing, Kind

WIDTH = 1366
"""The narrowest screen a ladder must be readable on."""
ROWS = 160
"""Rows drawn; of a longer run the first and the last are kept, with a note between."""
COLUMNS = 10
"""Components that get a column; the rest share the last."""
OTHERS = "others"
BOXED = ("ptt.", "floor.", "radio.", "sds.", "status.", "emergency.", "incident.", "call.", "dtmf.", "location.")
"""Kinds of journal event that are drawn, by how they begin."""
UNTOLD = frozenset({"call_id", "direction"})
"""What a box leaves out: long, and the same all along a call."""
LABEL = 54
"""Characters of a label that are shown."""
_TOP, _ROW, _LEFT, _BOX = 64, 26, 92, 17
_REQUEST = re.compile(rb"([A-Za-z]{2,20}) \S{1,400} SIP/2\.0\r?\n")
_ANSWER = re.compile(rb"SIP/2\.0 (\d{3}) ([^\r\n]{0,60})\r?\n")
_CSEQ = re.compile(rb"\r?\nCSeq[ \t]*:[ \t]*\d{1,10}[ \t]+([A-Za-z]{2,20})", re.IGNORECASE)
_VIA = re.compile(rb"\r?\n(?:Via|v)[ \t]*:[ \t]*SIP/2\.0/[A-Z]{3}[ \t]+([^\s;,]{1,80})", re.IGNORECASE)
_ADDRESS = re.compile(r"\S*:\d{1,5}")
_HEADERS_SEEN = 4_096


@dataclass(frozen=True, slots=True)
class Row:
    """One arrow or one box."""

    time: float
    """Run time, seconds."""
    source: str
    """Name of the component it starts at."""
    target: str
    """Name of the component it points to; the same as ``source`` for a box."""
    label: str
    style: str
    """``sip``, ``error`` (an answer of 400 and above), ``rtp``, ``event`` or ``warning``."""


def rows(crossings: Iterable[Crossing], events: Iterable[Event], names: Mapping[str, str]) -> list[Row]:
    """Return what is to be drawn, in order of time. ``names`` gives a component's name by ``host:port``."""
    found: list[Row] = []
    media: dict[tuple[str, str, int], tuple[float, int]] = {}
    components = set(names.values())
    connections = _Connections(names)
    for crossing in crossings:
        if crossing.kind in STREAMS:
            found += connections.rows(crossing)
        if crossing.kind is not Kind.DATAGRAM:
            continue
        ends = names.get(crossing.source, crossing.source), names.get(crossing.target, crossing.target)
        told = sip_label(crossing.payload)
        if told is not None:
            found.append(Row(crossing.time, *ends, told[0], _style(told[1])))
        elif len(crossing.payload) >= 12 and crossing.payload[0] >> 6 == 2 and not 64 <= crossing.payload[1] & 127 < 96:
            key = (*ends, crossing.payload[1] & 127)
            first, count = media.get(key, (crossing.time, 0))
            media[key] = first, count + 1
    found += [
        Row(first, source, target, f"RTP payload type {kind}, {count} packets", "rtp")
        for (source, target, kind), (first, count) in media.items()
    ]
    for event in events:
        if event.kind.startswith(BOXED):
            style = "warning" if event.data.get("severity") == "warning" else "event"
            source = _component(event.source, components)
            found.append(Row(event.time, source, source, _told(event), style))
    return sorted(found, key=lambda row: row.time)


class _Connections:
    """Finds the SIP messages in the pieces of TCP and TLS connections, and who is at their ends."""

    def __init__(self, names: Mapping[str, str]) -> None:
        self._names = names
        self._cutters: dict[tuple[str, str], StreamCutter] = {}
        self._found: dict[str, str] = {}
        """Who is at an end whose port belongs to one connection only, by what was said on it."""

    def rows(self, crossing: Crossing) -> list[Row]:
        """Return an arrow for each message that a piece completes."""
        cutter = self._cutters.setdefault((crossing.source, crossing.target), StreamCutter())
        messages = cutter.feed(crossing.payload)
        if cutter.problem is not None:  # no SIP, or the window began in the midst of a message: begin afresh
            del self._cutters[crossing.source, crossing.target]
        labels = [(message, told) for message in messages if (told := sip_label(message)) is not None]
        for message, _ in labels:
            self._learn(message, crossing)
        ends = self._name(crossing.source), self._name(crossing.target)
        return [Row(crossing.time, *ends, label, _style(status)) for _, (label, status) in labels]

    def _name(self, address: str) -> str:
        return self._names.get(address) or self._found.get(address, address)

    def _learn(self, message: bytes, crossing: Crossing) -> None:
        """Take the sender's name from the address that its Via gives (RFC 3261 §18.2.2)."""
        if crossing.source in self._names or message.startswith(b"SIP/"):
            return
        sent_by = _VIA.search(message[:_HEADERS_SEEN])
        name = self._names.get(sent_by[1].decode()) if sent_by else None
        if name is not None:
            self._found[crossing.source] = name


def _style(status: int) -> str:
    return "error" if status >= 400 else "sip"


def sip_label(payload: bytes) -> tuple[str, int] | None:
    """Return what a SIP message is called on an arrow and its status (0 for a request), or None for anything else."""
    head = payload[:_HEADERS_SEEN]
    if request := _REQUEST.match(head):
        return request[1].decode(), 0
    if answer := _ANSWER.match(head):
        method = _CSEQ.search(head)
        whose = f" ({method[1].decode()})" if method else ""
        return f"{answer[1].decode()} {answer[2].decode('utf-8', 'replace')}{whose}", int(answer[1])
    return None


def _component(source: str, components: Set[str]) -> str:
    """Return the component that a source belongs to: ``govan-12`` for ``govan-12 jack``."""
    head = source
    while head and head not in components:
        head = head.rpartition(" ")[0]
    return head or source


def _told(event: Event) -> str:
    shown = ((key, value) for key, value in event.data.items() if key not in UNTOLD)
    detail = ", ".join(f"{key} {value}" for key, value in shown if isinstance(value, str | int | float))
    return f"{event.kind} {detail}" if detail else event.kind


def ladder_svg(drawn: Sequence[Row], *, title: str = "") -> str:
    """Return the ladder as an SVG picture, WIDTH wide."""
    # Components come before bare addresses, which share the last column where there is no room for them.
    order = sorted(dict.fromkeys(name for row in drawn for name in (row.source, row.target)), key=_is_address)
    columns = order if len(order) <= COLUMNS else [*order[: COLUMNS - 1], OTHERS]
    kept: list[Row | str] = list(drawn)
    if len(drawn) > ROWS:
        half = ROWS // 2
        kept = [*drawn[:half], f"{len(drawn) - 2 * half} rows left out", *drawn[-half:]]
    height = _TOP + _ROW * (len(kept) + 1)
    width = (WIDTH - _LEFT) / max(1, len(columns))
    at = {name: _LEFT + width * (columns.index(name if name in columns else OTHERS) + 0.5) for name in order}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'font-family="sans-serif" font-size="12" role="img">',
        f"<title>{escape(title or 'Ladder')}</title>",
        _STYLE,
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>',
        f'<text x="8" y="18" class="title">{escape(title)}</text>',
        '<text x="8" y="46" class="time">run time</text>',
    ]
    for name in columns:
        x = at[name] if name in at else _LEFT + width * (len(columns) - 0.5)
        parts.append(f'<text x="{x:.0f}" y="46" class="name">{escape(_cut(name, int(width / 7)))}</text>')
        parts.append(f'<line x1="{x:.0f}" x2="{x:.0f}" y1="{_TOP - 10}" y2="{height - 8}" class="life"/>')
    for index, row in enumerate(kept):
        y = _TOP + _ROW * index + _ROW // 2
        if isinstance(row, str):
            parts.append(f'<text x="{WIDTH / 2:.0f}" y="{y + 4}" class="note">… {row} …</text>')
        else:
            parts += _arrow(row, at[row.source], at[row.target], y)
    if not drawn:
        parts.append(f'<text x="{WIDTH / 2:.0f}" y="{_TOP + 16}" class="note">nothing crossed</text>')
    parts.append("</svg>")
    return "\n".join(parts)


_STYLE = """<style>
.title{font-size:14px;font-weight:bold;fill:#222}.name{font-weight:bold;text-anchor:middle;fill:#222}
.time{fill:#555;font-size:11px}.life{stroke:#bbb;stroke-dasharray:2 3}.note{text-anchor:middle;fill:#777}
.sip{stroke:#1f5fa8;fill:#1f5fa8}.error{stroke:#b3261e;fill:#b3261e}.rtp{stroke:#2e7d32;fill:#2e7d32}
.rtp line{stroke-dasharray:5 3}text{stroke:none}
.label{text-anchor:middle;paint-order:stroke;stroke:#fff;stroke-width:4px}
.event rect{fill:#eef3fa;stroke:#7a94b8}.event{fill:#223}
.warning rect{fill:#fdf1e0;stroke:#c77700}.warning{fill:#5c3700}
</style>"""


def _is_address(name: str) -> bool:
    return _ADDRESS.fullmatch(name) is not None


def _arrow(row: Row, start: float, end: float, y: float) -> list[str]:
    text = escape(_cut(row.label, LABEL))
    parts = [f'<text x="8" y="{y + 4}" class="time">{row.time:.3f} s</text>', f'<g class="{row.style}">']
    if row.source == row.target and row.style in {"event", "warning"}:
        half = min(WIDTH - _LEFT, len(text) * 6.7 + 14) / 2
        x = min(max(start, _LEFT + half), WIDTH - half - 2)
        parts.append(f'<rect x="{x - half:.0f}" y="{y - _BOX / 2:.1f}" width="{2 * half:.0f}" height="{_BOX}" rx="3"/>')
        parts.append(f'<text x="{x:.0f}" y="{y + 4}" text-anchor="middle">{text}</text>')
    else:
        if start == end:  # both ends share a column
            end = start + 26
        point = -6 if end > start else 6
        middle = min(max((start + end) / 2, _LEFT + len(text) * 3.2), WIDTH - len(text) * 3.2)
        parts.append(f'<line x1="{start:.0f}" x2="{end:.0f}" y1="{y + 6}" y2="{y + 6}" stroke-width="1.4"/>')
        parts.append(f'<path d="M{end:.0f} {y + 6}l{point} -4v8z" stroke="none"/>')
        parts.append(f'<text x="{middle:.0f}" y="{y + 2}" class="label">{text}</text>')
    parts.append("</g>")
    return parts


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: max(1, length - 1)] + "…"
