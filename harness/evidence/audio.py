"""Makes audio that a person hears and sees: WAV files, players with a waveform, speech recovered from captured RTP."""

from __future__ import annotations

import base64
import io
import wave
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from harness.errors import RtpError
from harness.protocols.rtp.g711 import CODECS, SAMPLE_RATE, Samples
from harness.protocols.rtp.rtp import RtpPacket
from harness.transport.tap import Crossing, Kind

LONGEST_S = 120
"""Seconds of one recording that are kept."""
STREAMS = 32
"""RTP streams of one window that are turned into sound."""
WIDTH, HEIGHT = 1000, 160
"""Size of a waveform picture."""
FULL_SCALE = 32_768
SILENCE_DBFS = -96.0
"""Level written for digital silence: 16 bits have no lower one."""
IDLE = 8
"""The least sample that A-law has: a recording with none that is greater holds what a codec makes of silence."""
LISTEN = "listen:"
"""Begins the name of an attachment that plays a recording."""
_MARGIN = 48
_WRAP = 1 << 32
_TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 60)


@dataclass(frozen=True, slots=True)
class Sound:
    """What was heard, or sent, at one place."""

    name: str
    samples: Samples
    """16 bits, mono."""
    rate: int = SAMPLE_RATE
    """Samples a second."""
    start: float = 0.0
    """Run time of the first sample, seconds."""
    cut: bool = False
    """True where more was there than LONGEST_S."""


def to_wav(sound: Sound) -> bytes:
    """Return a RIFF WAVE file: 16-bit PCM, mono."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sound.rate)
        file.writeframes(sound.samples.astype("<i2").tobytes())
    return buffer.getvalue()


def is_silent(sound: Sound) -> bool:
    """Tell whether nothing was said in it."""
    return not len(sound.samples) or int(np.abs(sound.samples.astype(np.int32)).max()) <= IDLE


def listening_page(sound: Sound) -> str:
    """Return a page that plays the recording above its waveform, whole in itself and low enough for Allure's frame."""
    player = f'<audio controls src="data:audio/wav;base64,{base64.b64encode(to_wav(sound)).decode()}"></audio>'
    style = "body{margin:0}audio{display:block;width:100%;height:40px}svg{width:100%;height:calc(100vh - 44px)}"
    title = f"<meta charset=utf-8><title>{escape(sound.name)}</title>"
    return f"<!doctype html><html lang=en-GB>{title}<style>{style}</style>{player}{waveform_svg(sound)}</html>"


def level_dbfs(samples: Samples) -> float:
    """Return the root-mean-square level in dB below full scale; SILENCE_DBFS for silence or nothing."""
    if not len(samples):
        return SILENCE_DBFS
    power = float(np.mean(samples.astype(np.float64) ** 2)) / FULL_SCALE**2
    return max(SILENCE_DBFS, 10 * float(np.log10(power))) if power > 0 else SILENCE_DBFS


def waveform_svg(sound: Sound) -> str:
    """Return a picture of the waveform: run time along the bottom, each column the least and greatest sample."""
    plot = WIDTH - 2 * _MARGIN
    middle = HEIGHT / 2
    scale = (HEIGHT / 2 - 26) / FULL_SCALE
    seconds = len(sound.samples) / sound.rate
    title = escape(f"{sound.name} · {seconds:.2f} s · level {level_dbfs(sound.samples):.1f} dBFS")
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'font-family="sans-serif" font-size="12" role="img">',
        f"<title>{title}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{_MARGIN}" y="15" fill="#222">{title}</text>',
        f'<line x1="{_MARGIN}" x2="{_MARGIN + plot}" y1="{middle}" y2="{middle}" stroke="#bbb"/>',
    ]
    if len(sound.samples):
        edges = np.linspace(0, len(sound.samples), min(plot, len(sound.samples)) + 1).astype(int)[:-1]
        low = np.minimum.reduceat(sound.samples, edges)
        high = np.maximum.reduceat(sound.samples, edges)
        step = plot / len(edges)
        path = "".join(
            f"M{_MARGIN + index * step:.1f} {above:.1f}V{below:.1f}"
            for index, (above, below) in enumerate(
                zip(middle - high * scale - 0.5, middle - low * scale + 0.5, strict=True)
            )
        )
        parts.append(f'<path d="{path}" stroke="#1f5fa8" stroke-width="1" fill="none"/>')
        parts += _axis(sound.start, seconds, plot)
    parts.append("</svg>")
    return "\n".join(parts)


def _axis(start: float, seconds: float, plot: int) -> list[str]:
    tick = next((each for each in _TICKS if seconds / each <= 10), _TICKS[-1])
    parts = []
    for index in range(int(seconds / tick) + 1):
        x = _MARGIN + index * tick / seconds * plot
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{HEIGHT - 24}" y2="{HEIGHT - 18}" stroke="#666"/>')
        label = f"{start + index * tick:.1f} s"
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - 5}" text-anchor="middle" fill="#444">{label}</text>')
    return parts


def escape(text: str) -> str:
    """Return ``text`` fit to stand in XML: markup escaped, characters XML does not allow replaced."""
    clean = "".join(
        c if c >= " " and not 0xD800 <= ord(c) <= 0xDFFF and ord(c) not in {0xFFFE, 0xFFFF} else "�" for c in text
    )
    return clean.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def heard(crossings: Iterable[Crossing], names: Mapping[str, str]) -> list[Sound]:
    """Return the G.711 speech of each RTP stream among ``crossings``, placed by its timestamps, gaps as silence.

    ``names`` gives a component's name by ``host:port``. What no stream of G.711 has is no sound, and is left out; so is
    what is secured (SRTP), which would be noise.
    """
    codecs = {codec.payload_type: codec for codec in CODECS.values()}
    streams: dict[tuple[str, str, int, int], list[tuple[float, int, bytes]]] = defaultdict(list)
    for crossing in crossings:
        if crossing.kind is not Kind.DATAGRAM or crossing.payload[:1].isascii():
            continue
        try:
            packet = RtpPacket.parse(crossing.payload)
        except RtpError:
            continue
        key = (crossing.source, crossing.target, packet.ssrc, packet.payload_type)
        if packet.payload_type in codecs and (key in streams or len(streams) < STREAMS):
            streams[key].append((crossing.time, packet.timestamp, packet.payload))
    sounds = []
    for (source, target, _, payload_type), packets in streams.items():
        if _is_secured(packets):
            continue
        name = f"{names.get(source, source)} to {names.get(target, target)}"
        samples, cut = _laid_out([(stamp, codecs[payload_type].decode(data)) for _, stamp, data in packets])
        sounds.append(Sound(name, samples, SAMPLE_RATE, packets[0][0], cut))
    return sounds


def _is_secured(packets: list[tuple[float, int, bytes]]) -> bool:
    """Whether payloads are longer than the speech they stand for: G.711 has an octet for each unit of time."""
    ordered = sorted({(stamp, len(data)) for _, stamp, data in packets})
    steps = [(later - stamp, size) for (stamp, size), (later, _) in pairwise(ordered)]
    return bool(steps) and all(step != size for step, size in steps)


def _laid_out(parts: list[tuple[int, Samples]]) -> tuple[Samples, bool]:
    """Place samples by RTP timestamp, relative to the first packet; what lies too far away is cut."""
    first = parts[0][0]
    placed = [((stamp - first + _WRAP // 2) % _WRAP - _WRAP // 2, samples) for stamp, samples in parts]
    most = LONGEST_S * SAMPLE_RATE
    kept = [(at, samples) for at, samples in placed if at >= 0 and at + len(samples) <= most]
    whole = np.zeros(max((at + len(samples) for at, samples in kept), default=0), np.int16)
    for at, samples in kept:
        whole[at : at + len(samples)] = samples
    return whole, len(kept) < len(placed)
