"""Tells where on the wire a test failed: packets of its capture and lines of its transcripts, by number and time.

Theory. A failure that an expectation tells of names the events that came instead, nearest first, each with its time.
What crossed last before the nearest of them, and before the failure itself, is where a reader looks first; so is every
refusal. Speech is no such place, nor is the watch on a peer: while a call goes wrong they cross all the time.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from harness.evidence.capture import STREAMS
from harness.evidence.ladder import sip_label
from harness.evidence.transcript import line_numbers, shown
from harness.transport.tap import Crossing, Kind

BEFORE: Final = 2
"""Places told before each moment: packets, and lines of transcripts."""
REFUSALS: Final = 2
"""The last refusals told: SIP answers of 400 and above, errors on a serial line."""
LABEL: Final = 100
"""Characters of a place's label."""
SLACK_S: Final = 0.002
"""How much later than an event the crossing that it tells of may have been recorded."""
_MOMENT = re.compile(r"^ {2,12}(\d{1,9}\.\d{3}) s  \S", re.MULTILINE)
_MESSAGE_CHARACTERS: Final = 20_000
"""Characters of a failure's message in which moments are looked for."""
_TEXT_LINE = re.compile(rb"[\x20-\x7e]{3,400}(?=\r?\n)")


@dataclass(frozen=True, slots=True)
class Failure:
    """How a test failed."""

    time: float
    """Run time, seconds."""
    message: str = ""


@dataclass(frozen=True, slots=True)
class _Place:
    """One crossing that a reader can find again."""

    time: float
    told: str
    serial: bool
    refused: bool


def on_the_wire(
    failure: Failure,
    crossed: Sequence[Crossing],
    numbers: Sequence[int],
    names: Mapping[str, str],
    attached: Collection[str],
) -> list[str]:
    """Return a line for each place, in order of time; none where nothing but speech crossed.

    ``numbers``: of each crossing its first packet in the capture, 0 where it is not there; ``names`` gives a
    component's name by ``host:port``; ``attached``: the serial lines whose transcripts a reader has.
    """
    places = _places(crossed, numbers, names, attached)
    nearest = _MOMENT.search(failure.message[:_MESSAGE_CHARACTERS])
    moments = [failure.time, *([float(nearest[1]) + SLACK_S] if nearest else [])]
    before = [place for place in places if place.time < failure.time]
    told = [place for place in before if place.refused][-REFUSALS:]
    for moment in moments:
        for serial in (False, True):
            told += [place for place in before if place.time <= moment and place.serial is serial][-BEFORE:]
    return [place.told for place in sorted(dict.fromkeys(told), key=lambda place: place.time)]


def _places(
    crossed: Sequence[Crossing], numbers: Sequence[int], names: Mapping[str, str], attached: Collection[str]
) -> list[_Place]:
    lines = line_numbers(crossed)
    found = []
    for crossing, number, line in zip(crossed, numbers, lines, strict=True):
        serial = crossing.kind is not Kind.DATAGRAM and crossing.kind not in STREAMS
        if serial and crossing.source not in attached:
            continue
        if not serial:
            label, refused = _labelled(crossing.payload)
            where = f"packet {number} of the capture" if number else "not in the capture"
            what = f"{names.get(crossing.source, crossing.source)} → {names.get(crossing.target, crossing.target)}"
        else:
            label = shown(crossing.payload[:LABEL])
            refused = b"ERROR" in crossing.payload
            where = f"line {line} of serial {crossing.source}"
            what = "to the equipment" if crossing.kind is Kind.SERIAL_TO_EQUIPMENT else "from the equipment"
        if label:
            told = f"{crossing.time:10.3f} s  {where}: {what}: {label[:LABEL]}"
            found.append(_Place(crossing.time, told, serial, refused))
    return found


def _labelled(payload: bytes) -> tuple[str, bool]:
    """Return what a datagram or a piece is called, "" for what is no place, and whether it refuses."""
    told = sip_label(payload)
    if told is not None:
        label, status = told
        return "" if "OPTIONS" in label and status < 400 else label, status >= 400
    line = _TEXT_LINE.match(payload)
    return (line[0].decode(), False) if line else ("", False)
