"""The E-model (ITU-T G.107, 06/2015): a transmission rating R, and the opinion score it stands for, from figures alone.

Theory. Impairments add up on one scale: R = Ro - Is - Id - Ie,eff + A, where Ro is what noise leaves of the signal, Is
comes with the signal (loudness, sidetone, quantising), Id is echo and delay, and Ie,eff the codec and its losses. The
default values of G.107 describe a good telephone at both ends; what a test measures is the delay and the loss. For
wideband codecs the scale reaches to 129 (G.107.1), of which we take the delay and the codec alone: its loudness and
noise terms are at their defaults there, which cost nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, log2, log10, sqrt
from typing import Final

from harness.errors import LocalError

NARROWBAND_IE_MAX: Final = 95.0
"""What Ie,eff tends to when all is lost (G.107 equation 7-29)."""
WIDEBAND_R: Final = 129.0
"""The rating of an undisturbed wideband connection (G.107.1 section 7)."""
WIDEBAND_SCALE: Final = 1.29
"""By which a wideband R is divided before it becomes a score (G.107.1 annex B)."""
MAX_DELAY_MS: Final = 10_000.0


@dataclass(frozen=True, slots=True)
class Equipment:
    """What a codec does to the rating (G.113)."""

    ie: float
    """Equipment impairment without loss: Ie or, for wideband, Ie,wb."""
    bpl: float
    """Packet-loss robustness."""
    wideband: bool = False
    confirmed: bool = True
    """Whether both figures are published by the ITU-T."""


EQUIPMENT: Final = {
    # G.113 appendix I: G.711 with the concealment of its own appendix I.
    "PCMA": Equipment(0.0, 25.1),
    "PCMU": Equipment(0.0, 25.1),
    # G.113 appendix I: G.729A with VAD, for comparison with published tables.
    "G729": Equipment(11.0, 19.0),
}
"""Codecs with published figures, by encoding name."""
G711_BARE: Final = Equipment(0.0, 4.3)
"""G.711 whose losses are not concealed (G.113 appendix I)."""

UNCONFIRMED_EQUIPMENT: Final = {
    # Ie,wb of 64 kbit/s is G.113 appendix IV's; its robustness we have from no public source and take as G.711's bare.
    "G722": Equipment(13.0, 4.3, wideband=True, confirmed=False),
    # No ITU-T figures for Opus are public: an estimate for 32 kbit/s wideband speech, to compare runs by.
    "OPUS": Equipment(10.0, 15.0, wideband=True, confirmed=False),
}
"""Codecs of which at least one figure is an assumption: a verdict must say so."""


@dataclass(frozen=True, slots=True)
class Transmission:
    """G.107's input parameters (table 3), at their defaults."""

    slr: float = 8.0
    rlr: float = 2.0
    stmr: float = 15.0
    lstr: float = 18.0
    ds: float = 3.0
    telr: float = 65.0
    wepl: float = 110.0
    t: float = 0.0
    """Mean one-way delay of the echo path, ms."""
    tr: float = 0.0
    """Round-trip delay in a four-wire loop, ms."""
    ta: float = 0.0
    """Absolute delay from mouth to ear, ms."""
    qdu: float = 1.0
    nc: float = -70.0
    nfor: float = -64.0
    ps: float = 35.0
    pr: float = 35.0
    a: float = 0.0
    """Advantage factor: what users forgive for convenience."""


@dataclass(frozen=True, slots=True)
class Quality:
    """A rating and what it stands for."""

    r: float
    """0-100, wideband to 129."""
    mos: float
    """Estimated conversational mean opinion score, 1-4.5 (MOS-CQE)."""
    wideband: bool
    """Whether R is on the wideband scale."""
    confirmed: bool
    """Whether the codec's figures are the ITU-T's."""


def quality(
    codec: str,
    *,
    delay_ms: float = 0.0,
    loss: float = 0.0,
    burst_ratio: float = 1.0,
    concealed: bool = True,
    echo: bool = False,
) -> Quality:
    """What a stream is worth to its listener.

    `codec`: its encoding name; `delay_ms`: one way, mouth to ear; `loss`: share of packets lost on the way or in the
    playout buffer, 0-1; `burst_ratio`: mean length of a row of losses over that of random ones (G.107 section 7.4.3);
    `concealed`: whether losses are concealed (it matters for G.711); `echo`: whether the talker hears themselves after
    the round trip, at the default TELR of 65 dB. Raises LocalError for a codec without figures or a value out of range.
    """
    if not 0 <= delay_ms <= MAX_DELAY_MS or not 0 <= loss <= 1 or burst_ratio <= 0:
        raise LocalError(f"no rating for a delay of {delay_ms} ms, a loss of {loss} and a burst ratio of {burst_ratio}")
    name = codec.upper()
    equipment = EQUIPMENT.get(name) or UNCONFIRMED_EQUIPMENT.get(name)
    if equipment is None:
        raise LocalError(f"no equipment impairment factor for codec {codec!r}; there is {', '.join(_known())}")
    if not concealed and name in ("PCMA", "PCMU"):
        equipment = G711_BARE
    effective = effective_impairment(equipment, loss, burst_ratio)
    if equipment.wideband:
        r = max(0.0, WIDEBAND_R - delay_impairment(delay_ms) - effective)
        return Quality(round(r, 2), round(score(r / WIDEBAND_SCALE), 3), True, equipment.confirmed)
    talker = {"t": delay_ms, "tr": 2 * delay_ms} if echo else {}
    r = max(0.0, rating(Transmission(ta=delay_ms, **talker)) - effective)
    return Quality(round(r, 2), round(score(r), 3), False, equipment.confirmed)


def _known() -> list[str]:
    return [*EQUIPMENT, *UNCONFIRMED_EQUIPMENT]


def effective_impairment(equipment: Equipment, loss: float, burst_ratio: float = 1.0) -> float:
    """Ie,eff: the codec's impairment with so much loss (G.107 equation 7-29; G.107.1 equation 7-16)."""
    percent = 100 * loss
    if not percent:
        return equipment.ie
    return equipment.ie + (NARROWBAND_IE_MAX - equipment.ie) * percent / (percent / burst_ratio + equipment.bpl)


def delay_impairment(delay_ms: float) -> float:
    """Idd: what waiting alone costs (equation 7-27); nothing up to 100 ms."""
    if delay_ms <= 100:
        return 0.0
    x = log2(delay_ms / 100)
    return 25 * (_root(1 + x**6, 6) - 3 * _root(1 + (x / 3) ** 6, 6) + 2)


def _root(value: float, degree: int) -> float:
    return float(value ** (1 / degree))


def score(r: float) -> float:
    """The mean opinion score that a rating stands for (annex B): 1 to 4.5."""
    if r <= 0:
        return 1.0
    if r >= 100:
        return 4.5
    return max(1.0, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6)


def rating(line: Transmission) -> float:
    """R without a codec's impairment: Ro - Is - Id + A (equation 7-1)."""
    noise = _noise(line)
    ro = 15 - 1.5 * (line.slr + noise)
    return ro - _simultaneous(line, ro, noise) - _delayed(line, ro, noise) + line.a


def _noise(line: Transmission) -> float:
    """No: the noise of line, room and floor, in dBm0p (equations 7-3 to 7-7)."""
    olr = line.slr + line.rlr
    sending = line.ps - line.slr - line.ds - 100 + 0.004 * (line.ps - olr - line.ds - 14) ** 2
    room = line.pr + 10 * log10(1 + 10 ** ((10 - line.lstr) / 10))
    receiving = line.rlr - 121 + room + 0.008 * (room - 35) ** 2
    return 10 * log10(sum(10 ** (each / 10) for each in (line.nc, sending, receiving, line.nfor + line.rlr)))


def _simultaneous(line: Transmission, ro: float, noise: float) -> float:
    """Is: loudness, sidetone and quantising (equations 7-8 to 7-17)."""
    x = line.slr + line.rlr + 0.2 * (64 + noise - line.rlr)
    loudness = 20 * (_root(1 + (x / 8) ** 8, 8) - x / 8)
    q = 37 - 15 * log10(line.qdu)
    g = 1.07 + 0.258 * q + 0.0602 * q * q
    y, z = (ro - 100) / 15 + 46 / 8.4 - g / 9, 46 / 30 - g / 40
    return loudness + _sidetone(line) + 15 * log10(1 + 10**y + 10**z)


def _sidetone(line: Transmission) -> float:
    """Ist: non-optimum sidetone (equations 7-11 and 7-12)."""
    s = -10 * log10(10 ** (-line.stmr / 10) + exp(-line.t / 4) * 10 ** (-line.telr / 10))
    return (
        12 * _root(1 + ((s - 13) / 6) ** 8, 8)
        - 28 * _root(1 + ((s + 1) / 19.4) ** 35, 35)
        - 13 * _root(1 + ((s - 3) / 33) ** 13, 13)
        + 29
    )


def _delayed(line: Transmission, ro: float, noise: float) -> float:
    """Id: the talker's echo, the listener's echo, and waiting (equations 7-18 to 7-28)."""
    return _talker_echo(line, noise) + _listener_echo(line, ro) + delay_impairment(line.ta)


def _talker_echo(line: Transmission, noise: float) -> float:
    if not line.t:
        return 0.0
    echo = line.telr - 40 * log10((1 + line.t / 10) / (1 + line.t / 150)) + 6 * exp(-0.3 * line.t**2)
    if line.stmr < 9:
        echo += _sidetone(line) / 2
    roe, re = -1.5 * (noise - line.rlr), 80 + 2.5 * (echo - 14)
    half = (roe - re) / 2
    heard = (half + sqrt(half * half + 100) - 1) * (1 - exp(-line.t))
    return sqrt(heard**2 + _sidetone(line) ** 2) if line.stmr > 20 else heard


def _listener_echo(line: Transmission, ro: float) -> float:
    rle = 10.5 * (line.wepl + 7) / _root(line.tr + 1, 4)
    half = (ro - rle) / 2
    return half + sqrt(half * half + 169)
