"""What the two ends of a radio session agree on in SDP: direction, keep-alive, who a PTT is, what is reported.

Source: what public implementations write; the standard's text was not at hand. `WG67-Version` in SIP tells the edition.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, TypeVar

from harness.errors import Ed137Error, Ed137LocalError
from harness.protocols.sdp.description import Media

VERSION_HEADER: Final = "WG67-Version"
VERSION: Final = "radio.01"
"""The edition that we tell; radio.02 has been seen too, and anything that begins with `radio.` is taken."""
SIP_HEADERS: Final = ((VERSION_HEADER, VERSION), ("Subject", "radio"), ("Priority", "normal"))
"""What every INVITE to a radio carries."""
R2S: Final = "R2S"
R2S_PAYLOAD_TYPE: Final = 123
RADIO_TYPES: Final = ("Radio-TxRx", "Radio-Rxonly", "Radio-Idle", "radio")
"""`a=type:` values of a radio session; the first is written. Rxonly and Idle are unconfirmed."""
PERIOD_MS: Final = range(20, 1001)
MULTIPLIER: Final = range(2, 51)
PTT_REPORTS: Final = range(4)
PTT_IDS: Final = range(64)
SIGNAL_TIMES: Final = range(1, 256)
"""Unconfirmed: only 1 was seen."""
MAX_METHODS: Final = 8
"""Signal quality methods that are read of one description."""
MAX_TEXT: Final = 64
"""Characters of a frequency's name or of a signal quality method."""


_T = TypeVar("_T")


class Direction(StrEnum):
    """Which ways speech goes, seen from the radio."""

    BOTH = "TxRx"
    TRANSMIT = "Tx"
    RECEIVE = "Rx"


@dataclass(frozen=True, slots=True)
class RadioTerms:
    """What one side says of a radio session; what the radio answers holds for both."""

    type: str = RADIO_TYPES[0]
    direction: Direction = Direction.BOTH
    period_ms: int = 200
    """R2S-KeepAlivePeriod: the longest time without a packet, 20-1000."""
    multiplier: int = 10
    """R2S-KeepAliveMultiplier: after so many periods without a packet the session is lost, 2-50."""
    ptt_id: int | None = None
    """1-63: whose PTT this session's is; given by the radio in its answer."""
    ptt_report: int = 0
    """ptt_rep, 0-3: how the radio tells other sessions' PTT."""
    quality: tuple[str, ...] = ("RSSI",)
    """bss: methods of signal quality, best first."""
    signal_time: int | None = 1
    """sigtime: how often signal quality is told, in packets."""
    frequency: str = ""
    """fid: the frequency or channel that is asked for."""
    extension: bool = True
    """rtphe: whether packets carry the header extension."""
    keep_alive_type: int = R2S_PAYLOAD_TYPE
    """Payload type of keep-alive packets, 96-127."""

    @property
    def period(self) -> float:
        """The longest time without a packet, seconds."""
        return self.period_ms / 1000

    @property
    def patience(self) -> float:
        """After how many seconds without a packet the session is lost."""
        return self.period * self.multiplier

    def attributes(self) -> list[tuple[str, str]]:
        """The a-lines of the audio stream. Raises Ed137LocalError where a value is out of its range."""
        for name, value, allowed in (
            ("R2S-KeepAlivePeriod", self.period_ms, PERIOD_MS),
            ("R2S-KeepAliveMultiplier", self.multiplier, MULTIPLIER),
            ("ptt_rep", self.ptt_report, PTT_REPORTS),
            ("ptt-id", self.ptt_id or 0, PTT_IDS),
            ("sigtime", self.signal_time or 1, SIGNAL_TIMES),
            ("rtpmap of R2S", self.keep_alive_type, range(96, 128)),
        ):
            if value not in allowed:
                raise Ed137LocalError(f"{name} must be {allowed.start}-{allowed.stop - 1}, not {value}")
        lines = [("rtpmap", f"{self.keep_alive_type} {R2S}/8000"), ("type", self.type), ("txrxmode", self.direction)]
        lines += [("bss", method) for method in self.quality]
        if self.signal_time is not None:
            lines.append(("sigtime", str(self.signal_time)))
        lines += [("ptt_rep", str(self.ptt_report)), ("rtphe", "1" if self.extension else "0")]
        if self.ptt_id is not None:
            lines.append(("ptt-id", str(self.ptt_id)))
        if self.frequency:
            lines.append(("fid", self.frequency))
        lines += [("R2S-KeepAlivePeriod", str(self.period_ms)), ("R2S-KeepAliveMultiplier", str(self.multiplier))]
        return lines

    def answered_by(self, radio: RadioTerms) -> RadioTerms:
        """What holds once the radio has answered: its keep-alive, id and reports, in a direction that both have."""
        return replace(radio, direction=common(self.direction, radio.direction), frequency=self.frequency)


def common(one: Direction, other: Direction) -> Direction:
    """The direction that both allow. Raises Ed137Error where there is none."""
    if one is Direction.BOTH or one is other:
        return other
    if other is Direction.BOTH:
        return one
    raise Ed137Error(f"txrxmode {one} was offered and {other} answered")


def read_terms(media: Media) -> RadioTerms:
    """What an audio stream of a radio session says. Raises Ed137Error on a value that can't be.

    What is left out has its default, as is usual among gateways; names are read whatever their case.
    """
    told: dict[str, list[str]] = {}
    for name, value in media.attributes:
        told.setdefault(name.lower(), []).append(value.strip())

    def one(name: str, convert: Callable[[str, str], _T], default: _T) -> _T:
        values = told.get(name.lower())
        return convert(name, values[0]) if values else default

    usual = RadioTerms()
    kind = one("type", _text, usual.type)
    if not kind.lower().startswith("radio"):
        raise Ed137Error(f"a=type:{kind} is no radio session; those are {', '.join(RADIO_TYPES)}")
    mode = one("txrxmode", _text, str(usual.direction))
    directions = {each.lower(): each for each in Direction}
    if mode.lower() not in directions:
        raise Ed137Error(f"a=txrxmode:{mode}; it is {', '.join(Direction)}")
    return RadioTerms(
        type=kind,
        direction=directions[mode.lower()],
        period_ms=one("R2S-KeepAlivePeriod", _number(PERIOD_MS), usual.period_ms),
        multiplier=one("R2S-KeepAliveMultiplier", _number(MULTIPLIER), usual.multiplier),
        ptt_id=one("ptt-id", _number(PTT_IDS), -1) if "ptt-id" in told else None,
        ptt_report=one("ptt_rep", _number(PTT_REPORTS), usual.ptt_report),
        quality=tuple(_text("bss", value) for value in told.get("bss", [])[:MAX_METHODS]),
        signal_time=one("sigtime", _number(SIGNAL_TIMES), 1) if "sigtime" in told else None,
        frequency=one("fid", _text, ""),
        extension=one("rtphe", _text, "1") != "0",
        keep_alive_type=_keep_alive_type(told.get("rtpmap", [])),
    )


def _number(allowed: range) -> Callable[[str, str], int]:
    def convert(name: str, text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) <= 5 and int(text) in allowed):
            raise Ed137Error(f"a={name}:{text[:20]}; it is {allowed.start}-{allowed.stop - 1}")
        return int(text)

    return convert


def _text(name: str, text: str) -> str:
    if len(text) > MAX_TEXT or not text.isprintable():
        raise Ed137Error(f"a={name} of {len(text)} characters; it has at most {MAX_TEXT}, and no control characters")
    return text


def _keep_alive_type(maps: list[str]) -> int:
    """The payload type that is mapped to R2S; the usual one where a peer maps none."""
    for value in maps:
        number, _, encoding = value.partition(" ")
        if encoding.strip().upper().startswith(f"{R2S}/"):
            return _number(range(128))("rtpmap", number)
    return R2S_PAYLOAD_TYPE
