"""The session description of a radio session: one audio stream of G.711 with keep-alives and the radio's terms."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass

from harness.errors import Ed137Error, SdpError
from harness.protocols.ed137.terms import RadioTerms, read_terms
from harness.protocols.rtp.g711 import CODECS, G711
from harness.protocols.sdp.description import PROFILES, head, parse

PAYLOAD_TYPES = {8: CODECS["PCMA"], 0: CODECS["PCMU"]}
"""What we offer, best first."""


@dataclass(frozen=True, slots=True)
class Described:
    """One side's description of a radio session."""

    address: tuple[str, int]
    """Where it takes RTP: an IP address and a port."""
    codecs: Mapping[int, G711]
    """Payload type to codec, best first; at least one."""
    terms: RadioTerms


def describe(
    address: tuple[str, int], terms: RadioTerms, *, session_id: int, codecs: Mapping[int, G711] = PAYLOAD_TYPES
) -> bytes:
    """An offer or an answer. Raises Ed137LocalError where a term is out of its range."""
    host, port = address
    formats = [*codecs, terms.keep_alive_type]
    lines = head(host, session_id, 1)
    lines.append(f"m=audio {port} RTP/AVP {' '.join(map(str, formats))}")
    lines += [f"a=rtpmap:{number} {codec.name}/{codec.clock}" for number, codec in codecs.items()]
    lines += [f"a={name}:{value}" for name, value in terms.attributes()]
    lines.append("a=sendrecv")
    return "".join(f"{line}\r\n" for line in lines).encode()


def read_description(data: bytes) -> Described:
    """What the other side says. Raises Ed137Error where it is no description of a radio session that we can hold."""
    try:
        session = parse(data)
        found = session.audio()
        if found is None:
            raise Ed137Error("no audio stream over RTP in the session description")
        media, host = found
        told = media.codecs()
    except SdpError as error:
        raise Ed137Error(str(error)) from error
    if PROFILES[media.protocol]:
        raise Ed137Error(f"the audio stream is {media.protocol}; a radio session is not secured")
    try:
        ipaddress.ip_address(host)
    except ValueError:
        raise Ed137Error(f"the audio stream is at {host[:60]!r}, which is no IP address") from None
    codecs = {number: CODECS[name] for number, name in told.items() if name in CODECS}
    if not codecs:
        raise Ed137Error(f"no G.711 in m=audio {' '.join(media.formats)}")
    return Described((host, media.port), codecs, read_terms(media))
