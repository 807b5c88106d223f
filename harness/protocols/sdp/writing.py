"""The lines of a stream of ours: what an offer or an answer says of it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from harness.errors import SdpLocalError
from harness.protocols.rtp.codecs import require_codec
from harness.protocols.sdp.crypto import Crypto
from harness.protocols.sdp.description import Media
from harness.protocols.sdp.formats import (
    BASIC,
    COMFORT_NOISE,
    DTMF,
    DTMF_EVENTS,
    DTMF_PAYLOAD_TYPE,
    REDUNDANT,
    SPEECH,
    TEXT,
    TEXT_ENCODINGS,
    USUAL_CLOCK,
    Formats,
)
from harness.protocols.sdp.plan import REDUNDANT_GENERATIONS, StreamPlan

COMFORT_NOISE_PAYLOAD_TYPE: Final = 13
WIDE_DTMF_PAYLOAD_TYPE: Final = 102
"""What our own offers give to telephone-event at Opus's clock rate (RFC 7587 section 4.1 wants one clock a stream)."""


def own_formats(plan: StreamPlan, numbers: Formats | None = None) -> Formats:
    """The formats of an offer of ours; `numbers`: those in use in the session already, which keep their meaning.

    Raises SdpLocalError for a codec that we don't speak, MediaError for one whose library is not installed.
    """
    names: list[tuple[str, int]] = []
    if plan.kind == "text":
        names = [(name, encoding.payload_type or 0) for name, encoding in TEXT_ENCODINGS.items()]
    else:
        for name in plan.codecs:
            encoding = SPEECH.get(name)
            if encoding is None or encoding.payload_type is None:
                raise SdpLocalError(f"no codec {name!r} can be offered; there is {', '.join(SPEECH)}")
            if name not in BASIC:
                require_codec(name)
            names.append((name, encoding.payload_type))
        if plan.comfort_noise:
            names.append((COMFORT_NOISE, COMFORT_NOISE_PAYLOAD_TYPE))
        if plan.dtmf:
            names.append((DTMF, DTMF_PAYLOAD_TYPE))
            if "OPUS" in plan.codecs:
                names.append((DTMF, WIDE_DTMF_PAYLOAD_TYPE))
    if not numbers:
        return {number: name for name, number in names}
    return _renumbered(names, numbers)


def own_clocks(formats: Formats) -> dict[int, int] | None:
    """The clock rates of an offer of ours; None where all are 8000.

    The last of two telephone-event formats is Opus's.
    """
    events = [number for number, name in formats.items() if name == DTMF]
    return {events[1]: SPEECH["OPUS"].clock} if len(events) > 1 else None


def _renumbered(names: list[tuple[str, int]], numbers: Formats) -> Formats:
    """A payload type must not change its meaning within a session (RFC 3264 section 8.3.2)."""
    in_use = {name: number for number, name in reversed(numbers.items())}
    chosen: Formats = {}
    for name, usual in names:
        number = in_use.get(name, usual)
        if number in chosen or numbers.get(number, name) != name:
            number = next(free for free in range(96, 128) if free not in numbers and free not in chosen)
        chosen[number] = name
    return chosen


def write_stream(
    plan: StreamPlan,
    protocol: str,
    formats: Formats,
    direction: str,
    ptime: int | None,
    *,
    clocks: dict[int, int] | None = None,
    events: str = DTMF_EVENTS,
    generations: int = REDUNDANT_GENERATIONS,
    crypto: Sequence[Crypto] = (),
    mux: bool | None = None,
) -> list[str]:
    """The lines of a stream of ours. `mux`: whether a=rtcp-mux is written; None: as the plan would have it."""
    numbers, body = _format_text(tuple(formats.items()), events, None if clocks is None else tuple(clocks.items()))
    lines = [f"m={plan.kind} {plan.port} {protocol} {numbers}", body]
    if plan.kind == "text":
        lines += _redundancy_lines(formats, generations)
    if crypto:
        lines += [f"a=crypto:{line.value}" for line in crypto]
    if plan.rtcp_port is not None:
        lines.append(f"a=rtcp:{plan.rtcp_port}")
    if plan.rtcp_mux if mux is None else mux:
        lines.append("a=rtcp-mux")
    if ptime is not None:
        lines.append(f"a=ptime:{ptime}")
    if plan.maxptime is not None:
        lines.append(f"a=maxptime:{plan.maxptime}")
    lines.append(f"a={direction}")
    return lines


@lru_cache(maxsize=1024)
def _format_text(
    formats: tuple[tuple[int, str], ...], events: str, clocks: tuple[tuple[int, int], ...] | None
) -> tuple[str, str]:
    """The m-line's payload types, and the lines that explain them."""
    rates = dict(clocks or ())
    lines = []
    for number, name in formats:
        encoding = SPEECH.get(name) or TEXT_ENCODINGS.get(name)
        if encoding is None:
            lines.append(f"a=rtpmap:{number} {name}/{rates.get(number, USUAL_CLOCK)}")
            if name == DTMF:
                lines.append(f"a=fmtp:{number} {events}")
            continue
        lines.append(f"a=rtpmap:{number} {encoding.rtpmap}")
        if encoding.parameters:
            lines.append(f"a=fmtp:{number} {encoding.parameters}")
    return " ".join([str(number) for number, _ in formats]), "\r\n".join(lines)


def _redundancy_lines(formats: Formats, generations: int) -> list[str]:
    """What text/red repeats: the same format, once more for each generation (RFC 4102, RFC 4103 section 10.1)."""
    numbers = {name: number for number, name in formats.items()}
    if REDUNDANT not in numbers or TEXT not in numbers:
        return []
    return [f"a=fmtp:{numbers[REDUNDANT]} {'/'.join([str(numbers[TEXT])] * (generations + 1))}"]


def refusal(theirs: Media) -> str:
    """The m-line that refuses a stream (RFC 3264 section 6)."""
    return f"m={theirs.kind} 0 {theirs.protocol} {theirs.formats[0]}"
