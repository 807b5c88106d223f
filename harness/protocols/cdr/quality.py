"""varVQMetrics: what a telephone measured of a call's listening quality (Cisco's K-factor data, in a CMR).

MLQK=4.5000;MLQKav=4.4200;MLQKmn=4.3000;MLQKmx=4.5000;MLQKvr=0.95;CCR=0.0000;ICR=0.0000;ICRmx=0.0000;CS=0;SCS=0
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from harness.errors import CdrError

MAX_TEXT: Final = 600
"""Characters (the column's type)."""
K_FACTOR_VERSION: Final = "0.95"
"""What public records have as MLQKvr."""
_NUMBER: Final = re.compile(r"\d{1,9}(?:\.\d{1,9})?", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z0-9_]{1,32}", re.ASCII)
_FIELDS: Final = {
    "MLQK": "mos",
    "MLQKav": "mos_average",
    "MLQKmn": "mos_least",
    "MLQKmx": "mos_most",
    "CCR": "concealed",
    "ICR": "concealed_lately",
    "ICRmx": "concealed_most",
    "CS": "concealed_seconds",
    "SCS": "severe_seconds",
}
_WHOLE: Final = frozenset(("CS", "SCS"))


@dataclass(frozen=True, slots=True)
class VoiceQuality:
    """One telephone's figures; None where one is not told. A MOS of 0 means that nothing was heard yet."""

    mos: float | None = None
    """MOS for listening quality of the last 8 seconds of speech, 1 to 5."""
    mos_average: float | None = None
    mos_least: float | None = None
    mos_most: float | None = None
    concealed: float | None = None
    """The part of speech that was concealed, 0 to 1, over the whole call."""
    concealed_lately: float | None = None
    """The same over the last 3 seconds of speech."""
    concealed_most: float | None = None
    concealed_seconds: int | None = None
    """Seconds in which anything was concealed."""
    severe_seconds: int | None = None
    """Seconds in which more than 5 % was."""
    version: str = K_FACTOR_VERSION
    """Of the K-factor (MLQKvr); empty where it is not told."""
    other: Mapping[str, str] = field(default_factory=dict)
    """Every other value, as it came."""

    @classmethod
    def parse(cls, text: str) -> VoiceQuality:
        """Parse a value; an empty figure is one that is not told. Raises CdrError."""
        if len(text) > MAX_TEXT:
            raise CdrError(f"varVQMetrics of {len(text)} characters; {MAX_TEXT} are read at most")
        told: dict[str, float] = {}
        other: dict[str, str] = {}
        version = ""
        for part in text.split(";"):
            name, equals, value = (piece.strip() for piece in part.partition("="))
            if not name and not equals:
                continue
            if not equals or _NAME.fullmatch(name) is None:
                raise CdrError(f"varVQMetrics has {part[:40]!r}; name=value is due")
            if name == "MLQKvr":
                version = value
            elif name not in _FIELDS:
                other[name] = value
            elif value and _NUMBER.fullmatch(value) is None:
                raise CdrError(f"varVQMetrics has {part[:40]!r}; a number is due")
            elif value:
                told[_FIELDS[name]] = int(float(value)) if name in _WHOLE else float(value)
        return cls(**told, version=version, other=other)  # type: ignore[arg-type]

    def __str__(self) -> str:
        """The value. Raises CdrError on a figure below 0 or a text that would break out of its part."""
        parts: list[str] = []
        for name, attribute in _FIELDS.items():
            figure = getattr(self, attribute)
            if figure is not None:
                if not 0 <= figure < 10**9:
                    raise CdrError(f"varVQMetrics: {name} is {figure}; 0 or more is due")
                parts.append(f"{name}={figure}" if name in _WHOLE else f"{name}={figure:.4f}")
            if name == "MLQKmx" and self.version:
                parts.append(f"MLQKvr={self.version}")
        parts += [f"{name}={value}" for name, value in self.other.items()]
        if any(";" in part or part.count("=") != 1 or not part.isprintable() for part in parts):
            raise CdrError(f"varVQMetrics: a name or value with ; or = in it: {';'.join(parts)[:80]!r}")
        return ";".join(parts)
