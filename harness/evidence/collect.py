"""Gathers what a test left into attachments: journal, ladder, measures; the whole set for a failure, or on request."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from harness.evidence.audio import LISTEN, Sound, heard, is_silent, listening_page, to_wav
from harness.evidence.capture import Captures, crossings
from harness.evidence.ladder import ladder_svg, rows
from harness.evidence.on_the_wire import Failure, on_the_wire
from harness.evidence.pcap import write_pcap
from harness.evidence.transcript import origin_line, serial_lines, transcript
from harness.evidence.verdict_table import VERDICT, as_csv, as_html
from harness.journal import Event
from harness.transport.serial_line import EQUIPMENT_END
from harness.transport.tap import Crossing

Keep = Literal["all", "failures"]

TEXT_BYTES = 2 * 1024 * 1024
"""Bytes that one text attachment holds: a journal, a transcript."""
SOUNDS = 12
"""Recordings attached to one test."""
LINES = 12
"""Serial transcripts attached to one test."""
AUDIBLE_S = 0.1
"""Recordings shorter than this are left out."""

ON_THE_WIRE = "on the wire"
"""Name of the attachment that tells where on the wire a test failed."""
MEASURE = "measure"
"""Kind of the journal events that hold a measure."""
SERVICE = "service"
"""Kind of the journal events that tell which service was tested, and name of the attachment that has them."""
PCAP = "application/vnd.tcpdump.pcap"


@dataclass(frozen=True, slots=True)
class Attachment:
    """One piece of evidence."""

    name: str
    media_type: str
    extension: str
    body: bytes
    note: str = ""
    """What a reader must know of it, such as that it was cut."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a run has left so far, from which a test's attachments are made."""

    folders: tuple[Path, ...]
    """Where, at any depth, the record files (``*.cap``) of the run's processes are; their writers must have flushed."""
    names: Mapping[str, str]
    """A component's name by its address, ``host:port``."""
    origin_epoch: float
    """Calendar time of run time 0, in seconds since 1970."""
    keep: Keep = "failures"
    """``all`` attaches the whole set to tests that passed, too."""
    captures: Captures = field(default_factory=Captures)
    """How far the run's record files were read."""

    def attachments(
        self,
        title: str,
        events: Iterable[Event],
        *,
        start: float,
        end: float,
        failed: Failure | None,
        measures: Sequence[Mapping[str, object]] = (),
        sounds: Sequence[Sound] = (),
    ) -> list[Attachment]:
        """Return a test's evidence: what happened from ``start`` to ``end``, run seconds.

        ``failed``: how the test failed, where it did; where on the wire that was is `ON_THE_WIRE` among the evidence.
        ``events`` is the journal, of which the window is taken; ``measures`` are rows of a table (without them, those
        that the journal holds are shown); ``sounds`` what audio jacks heard (without them, speech is recovered from
        captured RTP).
        """
        crossed = list(
            crossings(
                sorted(file for folder in self.folders for file in folder.rglob("*.cap")), start, end, self.captures
            )
        )
        happened = [event for event in events if start <= event.time <= end]
        found = [_journal(happened), self._ladder(title, crossed, happened)]
        rows_of_table = list(measures) or [dict(event.data) for event in happened if event.kind == MEASURE]
        if rows_of_table:
            found.append(_table(f"{MEASURE}s", rows_of_table))
        if tested := [dict(event.data) for event in happened if event.kind == SERVICE]:
            found.append(_table(SERVICE, tested))
        verdicts = [dict(event.data) for event in happened if event.kind == VERDICT]
        if verdicts:
            found.append(Attachment("verdict on each call", "text/html", "html", as_html(verdicts)))
            found.append(Attachment("verdicts", "text/csv", "csv", as_csv(verdicts)))
        if failed is not None or self.keep == "all":
            found += self._whole(crossed, sounds, failed)
        return found

    def _ladder(self, title: str, crossed: Sequence[Crossing], events: Sequence[Event]) -> Attachment:
        picture = ladder_svg(rows(crossed, events, self.names), title=title)
        return Attachment("ladder", "image/svg+xml", "svg", picture.encode())

    def _whole(self, crossed: Sequence[Crossing], sounds: Sequence[Sound], failed: Failure | None) -> list[Attachment]:
        found: list[Attachment] = []
        capture = write_pcap(crossed, self.origin_epoch)
        lines = _each_once(serial_lines(crossed))
        if failed is not None and (places := on_the_wire(failed, crossed, capture.numbers, self.names, lines[:LINES])):
            found.append(Attachment(ON_THE_WIRE, "text/plain", "txt", "\n".join(places).encode()))
        if capture.packets:
            left_out = f"{capture.left_out} packets left out" if capture.left_out else ""
            shown = "what TLS carried is shown in the clear" if capture.secured else ""
            note = "; ".join(filter(None, (left_out, shown)))
            found.append(Attachment("capture", PCAP, "pcap", capture.body, note))
        for line in lines[:LINES]:
            body, note = _bounded((origin_line(self.origin_epoch) + transcript(crossed, line)).encode())
            found.append(Attachment(f"serial {line}", "text/plain", "txt", body, note))
        long = [s for s in sounds or heard(crossed, self.names) if len(s.samples) >= AUDIBLE_S * s.rate]
        recordings = [sound for sound in long if not is_silent(sound)]
        if silent := [sound for sound in long if is_silent(sound)]:
            told = "".join(f"{sound.name}: {len(sound.samples) / sound.rate:.2f} s\n" for sound in silent)
            found.append(Attachment("silent recordings", "text/plain", "txt", told.encode()))
        for sound in recordings[:SOUNDS]:
            note = "cut" if sound.cut else ""
            found.append(Attachment(f"audio {sound.name}", "audio/wav", "wav", to_wav(sound), note))
            page = listening_page(sound).encode()
            found.append(Attachment(f"{LISTEN} {sound.name}", "text/html", "html", page, note))
        missing = max(0, len(lines) - LINES), max(0, len(recordings) - SOUNDS)
        if any(missing) and found:
            left = f"{missing[0]} transcripts and {missing[1]} recordings left out"
            found[-1] = replace(found[-1], note="; ".join(filter(None, (found[-1].note, left))))
        return found


def told_on_the_wire(attachments: Iterable[Attachment]) -> str:
    """Return where on the wire a test failed as a failure's message tells it, or "" where that is not known."""
    places = next((each.body.decode() for each in attachments if each.name == ON_THE_WIRE), "")
    return f"On the wire, before it failed:\n{places}" if places else ""


def _each_once(lines: Sequence[str]) -> list[str]:
    """Leave out the equipment's end of a line whose other end was captured, too."""
    return [line for line in lines if not (line.endswith(EQUIPMENT_END) and line.removesuffix(EQUIPMENT_END) in lines)]


def _journal(events: Iterable[Event]) -> Attachment:
    body, note = _bounded("".join(event.told() + "\n" for event in events).encode())
    return Attachment("journal", "text/plain", "txt", body, note)


def _table(name: str, rows_of_table: Sequence[Mapping[str, object]]) -> Attachment:
    body, note = _bounded(json.dumps(list(rows_of_table), ensure_ascii=False, indent=1, default=str).encode())
    return Attachment(name, "application/json", "json", body, note)


def _bounded(body: bytes) -> tuple[bytes, str]:
    """Return text cut to TEXT_BYTES at a line's end, keeping its end, and a note where it was cut."""
    if len(body) <= TEXT_BYTES:
        return body, ""
    kept = body[-TEXT_BYTES:]
    return kept[kept.find(b"\n") + 1 :], f"the last {TEXT_BYTES // 1024} KiB of {len(body) // 1024}"
