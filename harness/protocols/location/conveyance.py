"""A location in a SIP request: put beside its session description, found by its Geolocation (RFC 6442 section 3)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from harness.errors import PidfError, SipLocalError, SipRemoteError
from harness.protocols.location import geolocation, pidf
from harness.protocols.sip.body import SDP, Part, by_content_id, multipart, opened

_CONTENT_ID: Final = re.compile(r"[^\s<>@]{1,200}@[^\s<>@]{1,200}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Conveyed:
    """What a request with a location by value carries."""

    content_type: str
    body: bytes
    geolocation: str
    """The value of the Geolocation header field."""


def with_location(sdp: bytes, presence: pidf.Presence, content_id: str) -> Conveyed:
    """Put a location beside a session description.

    ``content_id`` is ``name@host``, one of its own in each message. Raises PidfError for what can't be written.
    """
    if _CONTENT_ID.fullmatch(content_id) is None:
        raise PidfError(f"{content_id[:60]!r} is no Content-ID: name@host")
    headers = {"content-id": f"<{content_id}>", "content-disposition": "by-reference;handling=optional"}
    try:
        body, content_type = multipart([Part(SDP, sdp), Part(pidf.CONTENT_TYPE, pidf.build(presence), headers)])
    except SipLocalError as error:
        raise PidfError(str(error)) from error
    return Conveyed(content_type, body, geolocation.cid_value(content_id))


def location_of(content_type: str, body: bytes, geolocation_value: str) -> pidf.Presence:
    """Return the location that a request's Geolocation points at within its own body.

    Raises:
        PidfError: it points elsewhere, at no part, at another type, or at what is no location; or a body that can't be
            read.
    """
    for value in geolocation.parse(geolocation_value):
        if value.content_id is None:
            continue
        try:
            part = by_content_id(opened(content_type, body), value.content_id)
        except SipRemoteError as error:
            raise PidfError(str(error)) from error
        if part is None:
            raise PidfError(f"no part has the Content-ID {value.content_id[:60]!r}")
        if part.content_type != pidf.CONTENT_TYPE:
            raise PidfError(f"the location is {part.content_type[:60]!r} and not {pidf.CONTENT_TYPE}")
        return pidf.parse(part.body)
    raise PidfError("Geolocation has no cid: URI: the location is not in the message")
