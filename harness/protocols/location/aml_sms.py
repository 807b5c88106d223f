"""Advanced Mobile Location as a text message: version 1 of ETSI TS 103 625 (before: TR 103 393).

    A"ML=1;lt=+55.74317;lg=-4.26881;rd=50;top=20130717141935;lc=90;pm=G;si=…;ei=…;mcc=234;mnc=30;ml=…

Theory. The handset takes a fix while the emergency call is set up and sends one text of name-value pairs to the
network's location server, which knows the caller by the sender's number. `ml` is the length of the whole text, itself
included. A handset that got no fix says so: zeros, `rd=N`, `lc=0`, `pm=N`.

A caller's position may hang on this text, so it is read as far as it can be: what has no position in it is AmlError,
what is merely wrong (a length, an order, a sign) is a finding. IMSI and IMEI are personal data: `Aml` keeps them for
the one who decodes, journals mask them (`harness.privacy`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from harness.errors import AmlError
from harness.protocols.location import gsm7
from harness.protocols.times import from_compact, to_compact

HEADER: Final = 'A"ML'
MAX_READ: Final = 1024
"""Characters that are read; a text has 160 septets at most, and a longer one is told as a finding."""
MAX_PAIRS: Final = 64
ORDER: Final = ("lt", "lg", "rd", "top", "lc", "pm", "si", "ei", "mcc", "mnc", "ml")
IMSI_DIGITS: Final = 15
IMSI_REAL_DIGITS: Final = 6
"""Digits of an IMSI that a handset may tell: country, network, and what fills up six."""
IMSI_FILL: Final = "0"
"""What a handset writes for the other digits. Not confirmed by a public source."""
_DEGREES: Final = re.compile(r"([+-]?)(\d{1,3}(?:\.\d{1,8})?)", re.ASCII)
_NUMBER: Final = re.compile(r"\d{1,9}(?:\.\d{1,8})?", re.ASCII)


class Method(StrEnum):
    """How the handset found its position."""

    WIFI = "W"
    GNSS = "G"
    CELL = "C"
    NONE = "N"


_METHODS: Final = {method.value: method for method in Method}


class Finding(NamedTuple):
    """Something odd about a message that could be read all the same."""

    name: str
    """``length``, ``order``, ``missing`` …: what kind of oddity."""
    told: str
    """What was found and what is meant."""


@dataclass(frozen=True, slots=True)
class Aml:
    """One message. A handset without a fix has no position: latitude, longitude and radius are None."""

    latitude: float | None = None
    """Degrees north, WGS84, written to five places."""
    longitude: float | None = None
    """Degrees east."""
    radius_m: float | None = None
    """Radius of the area in which the caller is, metres; None is written N."""
    time: int | None = None
    """When the position was taken, seconds since 1970 UTC."""
    confidence: float = 0
    """How likely the caller is within the radius, per cent."""
    method: Method | None = Method.NONE
    """None for a letter that is not one of the four."""
    imsi: str = ""
    """Personal data, masked in journals."""
    imei: str = ""
    """Personal data, masked in journals."""
    mcc: str = ""
    """The network's mobile country code, three digits."""
    mnc: str = ""
    """The network's mobile network code, two or three digits."""
    findings: tuple[Finding, ...] = ()
    """What was odd about the message that was read."""

    @property
    def has_fix(self) -> bool:
        """Whether there is a position in it."""
        return self.latitude is not None and self.longitude is not None


def build(message: Aml, *, whole_imsi: bool = False) -> str:
    """Return the text of a message, `ml` computed.

    Of the IMSI six digits are written and the rest filled up, unless ``whole_imsi`` asks for a handset that tells all.

    Raises:
        AmlError: a value that the format can't hold, or a text of more than 160 septets.
    """
    text = f"{HEADER}=1;" + ";".join(f"{name}={value}" for name, value in _written(message, whole_imsi).items())
    text = _with_length(text + ";ml=")
    length = gsm7.septets(text)
    assert length is not None, "digits, signs and a few letters are all of the default alphabet"
    if length > gsm7.SMS_SEPTETS:
        raise AmlError(f"an AML text of {length} septets; one message holds {gsm7.SMS_SEPTETS}")
    return text


def _with_length(text: str) -> str:
    """Append the length of the whole, its own digits included."""
    digits = 1
    while len(str(len(text) + digits)) > digits:
        digits += 1
    return f"{text}{len(text) + digits}"


def _written(message: Aml, whole_imsi: bool) -> dict[str, str]:
    for name, value in (("imsi", message.imsi), ("imei", message.imei), ("mcc", message.mcc), ("mnc", message.mnc)):
        if value and not (value.isascii() and value.isdigit() and len(value) <= 16):
            raise AmlError(f"{name} is not up to 16 digits")
    if not 0 <= message.confidence <= 100:
        raise AmlError(f"confidence {message.confidence} is not 0 to 100 per cent")
    if message.method is None:
        raise AmlError(f"the method is one of {', '.join(Method)}")
    imsi = message.imsi
    if imsi and not whole_imsi:
        imsi = imsi[:IMSI_REAL_DIGITS].ljust(IMSI_DIGITS, IMSI_FILL)
    try:
        top = to_compact(message.time) if message.time is not None else ""
    except ValueError as error:
        raise AmlError(f"time of positioning: {error}") from error
    return {
        **_written_position(message),
        "top": top,
        "lc": f"{message.confidence:.0f}",
        "pm": message.method.value,
        "si": imsi,
        "ei": message.imei,
        "mcc": message.mcc,
        "mnc": message.mnc,
    }


def _written_position(message: Aml) -> dict[str, str]:
    if message.latitude is None or message.longitude is None:
        if message.method is not Method.NONE or message.confidence:
            raise AmlError(f"without a position the method is {Method.NONE.value} and the confidence 0")
        return {"lt": "+00.00000", "lg": "+000.00000", "rd": "N"}
    if not -90 <= message.latitude <= 90 or not -180 <= message.longitude <= 180:
        raise AmlError(f"{message.latitude}, {message.longitude} is not on the earth")
    radius = message.radius_m
    if radius is not None and not 0 <= radius < 1e8:
        raise AmlError(f"radius {radius} m is not 0 to 99,999,999")
    return {
        "lt": f"{message.latitude:+.5f}",
        "lg": f"{message.longitude:+.5f}",
        "rd": "N" if radius is None else f"{radius:.0f}",
    }


def parse(text: str) -> Aml:
    """Read a message.

    Raises:
        AmlError: not AML, another version, no pairs, or a latitude, longitude or radius that is no such value.
    """
    if len(text) > MAX_READ:
        raise AmlError(f"{len(text)} characters; {MAX_READ} are read at most")
    text = text.rstrip("\r\n\x00")
    head, _, rest = text.partition(";")
    name, equals, version = head.partition("=")
    if name != HEADER or not equals:
        raise AmlError(f"not AML: it begins with {head[:20]!r} and not with {HEADER}=1")
    if version != "1":
        raise AmlError(f"AML text version {version[:10]!r}; version 1 is read")
    findings: list[Finding] = []
    pairs = _pairs(rest, findings)
    _note_length(text, pairs, findings)
    return _read(pairs, findings)


def _pairs(text: str, findings: list[Finding]) -> dict[str, str]:
    parts = text.split(";")
    if len(parts) > MAX_PAIRS:
        raise AmlError(f"{len(parts)} pairs; {MAX_PAIRS} are read at most")
    found: dict[str, str] = {}
    for part in parts:
        name, equals, value = part.partition("=")
        name = name.strip()
        if not equals:
            if part.strip():
                findings.append(Finding("no_pair", f"{part[:20]!r} is no name=value"))
            continue
        if name in found:
            findings.append(Finding("duplicate", f"{name[:20]!r} comes twice; the first is taken"))
            continue
        if name not in ORDER:
            findings.append(Finding("unknown", f"{name[:20]!r} is no name of version 1"))
        found[name] = value.strip()
    known = [name for name in found if name in ORDER]
    if known != sorted(known, key=ORDER.index):
        findings.append(Finding("order", f"names come as {' '.join(known)}; they are due as {' '.join(ORDER)}"))
    for name in ORDER:
        if name not in found:
            findings.append(Finding("missing", f"there is no {name}"))
    return found


def _note_length(text: str, pairs: dict[str, str], findings: list[Finding]) -> None:
    told = pairs.get("ml")
    if told is not None and told != str(len(text)):
        findings.append(Finding("length", f"ml says {told[:10]!r} and the text has {len(text)} characters"))
    length = gsm7.septets(text)
    if length is None:
        findings.append(Finding("alphabet", "a character is not of the GSM 7-bit default alphabet"))
    elif length > gsm7.SMS_SEPTETS:
        findings.append(Finding("too_long", f"{length} septets; one message holds {gsm7.SMS_SEPTETS}"))


def _read(pairs: dict[str, str], findings: list[Finding]) -> Aml:
    letter = pairs.get("pm", "")
    method = _METHODS.get(letter)
    if method is None and "pm" in pairs:
        findings.append(Finding("method", f"pm is {letter[:10]!r} and not one of {', '.join(Method)}"))
    latitude: float | None = _degrees("lt", pairs, 90, findings)
    longitude: float | None = _degrees("lg", pairs, 180, findings)
    radius = _radius(pairs)
    # No fix is zeros with rd=N or pm=N; a real fix on the equator south of Ghana would have a radius and a method.
    if latitude == longitude == 0 and (method is Method.NONE or radius is None):
        latitude = longitude = None
    elif method is Method.NONE:
        findings.append(Finding("method", "pm says that there is no position, and there is one"))
    return Aml(
        latitude=latitude,
        longitude=longitude,
        radius_m=radius,
        time=_time(pairs, findings),
        confidence=_confidence(pairs, findings),
        method=method,
        imsi=_identity("si", pairs, (15,), findings),
        imei=_identity("ei", pairs, (14, 15, 16), findings),
        mcc=_identity("mcc", pairs, (3,), findings),
        mnc=_identity("mnc", pairs, (2, 3), findings),
        findings=tuple(findings),
    )


def _degrees(name: str, pairs: dict[str, str], most: int, findings: list[Finding]) -> float:
    text = pairs.get(name)
    match = _DEGREES.fullmatch(text) if text is not None else None
    if match is None:
        raise AmlError(f"{name} is {text[:20]!r}" if text is not None else f"there is no {name}: no position to read")
    sign, digits = match.groups()
    degrees = float(digits)
    if degrees > most:
        raise AmlError(f"{name} is {text}; {most} degrees is the most")
    if not sign:
        findings.append(Finding("sign", f"{name} has no sign; plus is taken"))
    return -degrees if sign == "-" else degrees


def _radius(pairs: dict[str, str]) -> float | None:
    text = pairs.get("rd", "N")
    if text == "N":
        return None
    if _NUMBER.fullmatch(text) is None:
        raise AmlError(f"rd is {text[:20]!r}; it is metres, or N")
    return float(text)


def _time(pairs: dict[str, str], findings: list[Finding]) -> int | None:
    text = pairs.get("top", "")
    if not text:
        return None
    try:
        return from_compact(text)
    except ValueError as error:
        findings.append(Finding("time", f"top is {text[:20]!r}: {error}"))
        return None


def _confidence(pairs: dict[str, str], findings: list[Finding]) -> float:
    text = pairs.get("lc", "0")
    if _NUMBER.fullmatch(text) is None or float(text) > 100:
        findings.append(Finding("confidence", f"lc is {text[:20]!r}; it is 0 to 100 per cent"))
        return 0
    return float(text)


def _identity(name: str, pairs: dict[str, str], lengths: Iterable[int], findings: list[Finding]) -> str:
    text = pairs.get(name, "")
    if not text:
        return ""
    if not (text.isascii() and text.isdigit()):
        findings.append(Finding("identity", f"{name} is not of digits only"))
        return ""
    if len(text) not in lengths:
        due = " or ".join(map(str, lengths))
        findings.append(Finding("identity", f"{name} has {len(text)} digits; {due} are due"))
    if name == "si" and text[IMSI_REAL_DIGITS:].strip(text[-1]):
        findings.append(Finding("whole_imsi", f"si tells more than the {IMSI_REAL_DIGITS} digits that it may"))
    return text
