"""Advanced Mobile Location by HTTPS: the name-value pairs that a handset posts (ETSI TS 103 625, Android's ELS notes).

Theory. The body is `application/x-www-form-urlencoded`. Every field is optional and a receiver takes what it can read;
it always answers 2xx, as a handset has nothing to do with an error. So `parse` raises only for what is no such form at
all; a field that can't be read is left out and told as a finding. Where a shared key was agreed, the last pair is
`hmac`, the HMAC-SHA1 in hexadecimal of all that stands before it.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urlencode

from harness.errors import AmlError
from harness.protocols.location.aml_sms import Aml, Finding, Method
from harness.protocols.times import LATEST

CONTENT_TYPE: Final = "application/x-www-form-urlencoded"
MAX_BODY: Final = 16 * 1024
"""Octets of one body."""
MAX_FIELDS: Final = 100
MAX_NAME: Final = 64
MAX_VALUE: Final = 1024
"""Characters of one value; a longer one is left out."""
HMAC_FIELD: Final = "hmac"
IDENTITIES: Final = frozenset({"device_imei", "device_imsi", "device_iccid"})
"""Fields that are personal data: kept here, masked in journals."""
SOURCES: Final = {"gps": Method.GNSS, "wifi": Method.WIFI, "cell": Method.CELL}
"""``location_source``, in lower case, as the text form's method; ``unknown`` is none of them."""
CERTAINTY_FIELD: Final = "location_certainty"
"""Per cent. The specification's examples write it so; later handsets write ``location_confidence``, 0 to 1."""


@dataclass(frozen=True, slots=True)
class AmlForm:
    """What one handset posted."""

    number: str = ""
    """``device_number``: the caller's, E.164 as far as the handset knows it."""
    emergency_number: str = ""
    """What was dialled."""
    source: str = ""
    """What set it off: ``CALL`` or ``SMS``."""
    version: str = ""
    """``v``."""
    call_time_ms: int | None = None
    """``time``: when the call began, milliseconds since 1970."""
    location_time_ms: int | None = None
    """When the position was taken."""
    latitude: float | None = None
    """Degrees north, WGS84."""
    longitude: float | None = None
    accuracy_m: float | None = None
    """Radius of the area in which the caller is, metres."""
    confidence: float | None = None
    """How likely the caller is within it, per cent."""
    method: Method | None = None
    """None where it is not told, or not known."""
    altitude_m: float | None = None
    floor: str = ""
    """A label as on a lift's button."""
    imei: str = ""
    """Personal data, masked in journals."""
    imsi: str = ""
    """Personal data, masked in journals."""
    other: Mapping[str, str] = field(default_factory=dict)
    """Every other field, as it came."""
    findings: tuple[Finding, ...] = ()
    """What could not be read."""

    @property
    def has_fix(self) -> bool:
        """Whether there is a position in it."""
        return self.latitude is not None and self.longitude is not None

    def as_aml(self) -> Aml:
        """Return the same as the text form holds it."""
        taken = self.location_time_ms if self.location_time_ms is not None else self.call_time_ms
        return Aml(
            latitude=self.latitude if self.has_fix else None,
            longitude=self.longitude if self.has_fix else None,
            radius_m=self.accuracy_m if self.has_fix else None,
            time=None if taken is None else taken // 1000,
            confidence=(self.confidence or 0) if self.has_fix else 0,
            method=self.method if self.has_fix else Method.NONE,
            imsi=self.imsi,
            imei=self.imei,
            mcc=self.other.get("cell_network_mcc", ""),
            mnc=self.other.get("cell_network_mnc", ""),
            findings=self.findings,
        )


_TEXTS: Final = {
    "device_number": "number",
    "emergency_number": "emergency_number",
    "source": "source",
    "v": "version",
    "location_floor": "floor",
    "device_imei": "imei",
    "device_imsi": "imsi",
}
_NUMBERS: Final[dict[str, tuple[str, float, float]]] = {
    "location_latitude": ("latitude", -90, 90),
    "location_longitude": ("longitude", -180, 180),
    "location_accuracy": ("accuracy_m", 0, 4e7),
    "location_altitude": ("altitude_m", -11_000, 100_000),
    "location_confidence": ("confidence", 0, 1),
    CERTAINTY_FIELD: ("confidence", 0, 100),
}
_TIMES: Final = {"time": "call_time_ms", "location_time": "location_time_ms"}
_SOURCE: Final = "location_source"
_NUMBER: Final = re.compile(r"[+-]?\d{1,20}(?:\.\d{1,20})?(?:[eE][+-]?\d{1,2})?", re.ASCII)


def build(form: AmlForm, *, key: bytes | None = None) -> bytes:
    """Return the body that posts ``form``; with ``key`` it ends in an ``hmac``.

    Raises:
        AmlError: a value out of its range, or a body beyond its bounds.
    """
    pairs: list[tuple[str, str]] = []
    for name, attribute in _TEXTS.items():
        if text := getattr(form, attribute):
            pairs.append((name, text))
    for name, attribute in _TIMES.items():
        time = getattr(form, attribute)
        if time is not None:
            pairs.append((name, _in_range(name, time, 0, LATEST * 1000, "d")))
    for name, (attribute, least, most) in _NUMBERS.items():
        value: float | None = getattr(form, attribute)
        if value is not None and name != CERTAINTY_FIELD:
            value = value / 100 if name == "location_confidence" else value
            pairs.append((name, _in_range(name, value, least, most, ".10g")))
    if form.method in SOURCES.values():
        pairs.append((_SOURCE, next(name for name, method in SOURCES.items() if method is form.method)))
    pairs.extend(form.other.items())
    if len(pairs) > MAX_FIELDS or any(len(name) > MAX_NAME or len(value) > MAX_VALUE for name, value in pairs):
        raise AmlError(f"more than {MAX_FIELDS} fields, {MAX_NAME} characters of a name or {MAX_VALUE} of a value")
    body = urlencode(pairs).encode("ascii")
    if key is not None:
        body += f"&{HMAC_FIELD}={_digest(body, key)}".encode()
    if len(body) > MAX_BODY:
        raise AmlError(f"a body of {len(body)} octets; {MAX_BODY} is the most")
    return body


def _in_range(name: str, value: float, least: float, most: float, form: str) -> str:
    if not least <= value <= most:
        raise AmlError(f"{name} {value} is not {least:g} to {most:g}")
    return format(value, form)


def _digest(body: bytes, key: bytes) -> str:
    return hmac.new(key, body, hashlib.sha1).hexdigest()


def authentic(body: bytes, key: bytes) -> bool:
    """Whether the body ends with the ``hmac`` of what stands before it under ``key``."""
    text, found, told = body.rpartition(f"&{HMAC_FIELD}=".encode())
    return bool(found) and hmac.compare_digest(told.strip().lower(), _digest(text, key).encode())


def parse(body: bytes) -> AmlForm:
    """Read what was posted.

    Raises:
        AmlError: too long, no text, no pairs, or more than MAX_FIELDS of them.
    """
    if len(body) > MAX_BODY:
        raise AmlError(f"a body of {len(body)} octets; {MAX_BODY} are read at most")
    try:
        pairs = parse_qsl(
            body.decode("ascii").strip(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS
        )
    except ValueError as error:  # not ASCII, escapes that are no UTF-8, or too many fields
        raise AmlError(f"not a form of up to {MAX_FIELDS} name-value pairs: {error}") from error
    if not any("=" in part for part in body.decode("ascii").split("&")):
        raise AmlError(f"no name-value pairs: {body[:40]!r}")
    findings: list[Finding] = []
    fields: dict[str, str] = {}
    for name, text in pairs:
        if len(name) > MAX_NAME or len(text) > MAX_VALUE:
            findings.append(Finding("too_long", f"{name[:20]!r} has a name or a value that is too long"))
        elif name in fields:
            findings.append(Finding("duplicate", f"{name!r} comes twice; the first is taken"))
        else:
            fields[name] = text
    texts = {attribute: fields.pop(name, "") for name, attribute in _TEXTS.items()}
    numbers = _numbers(fields, findings)
    times = {
        attribute: int(value)
        for name, attribute in _TIMES.items()
        if (value := _number(name, fields, 0, LATEST * 1000, findings)) is not None
    }
    for name in ("location_latitude", "location_longitude"):
        if _NUMBERS[name][0] not in numbers and not any(finding.told.startswith(name) for finding in findings):
            findings.append(Finding("missing", f"{name} is not there"))
    source = fields.pop(_SOURCE, "")
    method = SOURCES.get(source.lower())
    if source and method is None and source.lower() != "unknown":
        findings.append(Finding("method", f"{_SOURCE} is {source[:20]!r} and not gps, wifi, cell or unknown"))
    fields.pop(HMAC_FIELD, None)
    return AmlForm(
        number=texts["number"],
        emergency_number=texts["emergency_number"],
        source=texts["source"],
        version=texts["version"],
        call_time_ms=times.get("call_time_ms"),
        location_time_ms=times.get("location_time_ms"),
        latitude=numbers.get("latitude"),
        longitude=numbers.get("longitude"),
        accuracy_m=numbers.get("accuracy_m"),
        confidence=numbers.get("confidence"),
        method=method,
        altitude_m=numbers.get("altitude_m"),
        floor=texts["floor"],
        imei=texts["imei"],
        imsi=texts["imsi"],
        other=fields,
        findings=tuple(findings),
    )


def _numbers(fields: dict[str, str], findings: list[Finding]) -> dict[str, float]:
    numbers: dict[str, float] = {}
    for name, (attribute, least, most) in _NUMBERS.items():
        value = _number(name, fields, least, most, findings)
        if value is not None and attribute not in numbers:
            numbers[attribute] = value * 100 if name == "location_confidence" else value
    return numbers


def _number(name: str, fields: dict[str, str], least: float, most: float, findings: list[Finding]) -> float | None:
    text = fields.pop(name, "")
    if not text:
        return None
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not least <= value <= most:
        findings.append(Finding("value", f"{name} is {text[:20]!r}; it is a number from {least:g} to {most:g}"))
        return None
    return value
