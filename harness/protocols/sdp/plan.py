"""What we would have of a stream, and what an offer and its answer agree on for it."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from harness.protocols.rtp.security import Security

Secure = Literal["no", "optional", "required"]
"""Whether a stream is SRTP: never; where the other side can (both profiles are offered, secured first); always."""

DEFAULT_SUITES: Final = ("AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32")
DEFAULT_PTIME: Final = 20
MIN_PTIME: Final = 10
MAX_PTIME: Final = 200
"""Milliseconds: what RTP telephony uses (RFC 3551 section 4.2); anything else is not worth refusing a call for."""
PTIME_STEP: Final = 10
REDUNDANT_GENERATIONS: Final = 2
"""How many earlier T.140 blocks a packet repeats (RFC 4103 section 4.1)."""
DEFAULT_CPS: Final = 30
"""Characters a second that a peer takes which states nothing else (RFC 4103 section 6)."""


class StreamPlan(NamedTuple):
    """One stream as we would have it; what comes of it depends on the other side."""

    port: int
    """Where we listen; 0: not at all, the stream is refused or switched off."""
    kind: Literal["audio", "text"] = "audio"
    codecs: tuple[str, ...] = ("PCMA", "PCMU")
    """Speech codecs by preference: PCMA, PCMU, G722, OPUS. A text stream has none."""
    dtmf: bool = True
    comfort_noise: bool = False
    """Whether silence may be suppressed, with comfort noise in its place (RFC 3389)."""
    direction: str = "sendrecv"
    """The most that we would do: sendrecv, sendonly, recvonly or inactive."""
    ptime: int | None = None
    """Milliseconds a packet that we ask for; None: in an offer 20, in an answer what the offer asks for."""
    maxptime: int | None = None
    """Milliseconds that a packet to us may have at most."""
    secure: Secure = "no"
    suites: tuple[str, ...] = DEFAULT_SUITES
    """SRTP suites by preference (see crypto.SUITES)."""
    rtcp_port: int | None = None
    """Our RTCP port, where it is not the next one (RFC 3605)."""
    rtcp_mux: bool = False
    """Whether RTCP may share the RTP port (RFC 5761)."""
    prefer_own: bool = False
    """In an answer: our order of codecs instead of the offer's."""


class Negotiated(NamedTuple):
    """What an offer and its answer agree on for an audio stream, seen from our side."""

    host: str
    """Where our packets go."""
    port: int
    payload_type: int
    """What we send speech under, 0-127."""
    codec: str
    """PCMA, PCMU, G722 or OPUS."""
    dtmf_payload_type: int | None
    """What telephone events are under; None where they were not agreed."""
    direction: str
    """What we do: sendrecv, sendonly, recvonly or inactive."""
    ptime: int = DEFAULT_PTIME
    """Milliseconds of speech in a packet that the other side asks for."""
    comfort_noise_payload_type: int | None = None
    """What comfort noise is under; None where silence is not suppressed."""
    incoming: tuple[tuple[int, str], ...] = ()
    """(payload type, encoding name) of all that we may be sent: speech in any agreed codec, events, noise."""
    outgoing: tuple[tuple[int, str], ...] = ()
    """The same of all that we may send."""
    rtcp: tuple[str, int] | None = None
    """Where our RTCP goes, where that is not the next port (RFC 3605)."""
    rtcp_mux: bool = False
    """Whether RTCP shares the RTP ports (RFC 5761)."""
    security: Security | None = None
    """SRTP's suite and keys; None: plain RTP."""
    parameters: str = ""
    """What the other side's a=fmtp says of the codec that we send, e.g. ``useinbandfec=1``."""
    dtmf_clock: int = 8000
    """Timestamp units a second of telephone events."""

    @property
    def sends(self) -> bool:
        """Whether we may send."""
        return self.direction in ("sendrecv", "sendonly")

    @property
    def receives(self) -> bool:
        """Whether the other side may send."""
        return self.direction in ("sendrecv", "recvonly")


class NegotiatedText(NamedTuple):
    """What an offer and its answer agree on for a real-time text stream (RFC 4103), seen from our side."""

    host: str
    port: int
    payload_type: int
    """What t140 is under."""
    redundant_payload_type: int | None
    """What text/red is under; None where nothing is repeated."""
    direction: str
    generations: int = REDUNDANT_GENERATIONS
    """Earlier blocks that each of our packets repeats."""
    cps: int = DEFAULT_CPS
    """Characters a second that the other side takes."""
    incoming: tuple[tuple[int, str], ...] = ()
    """(payload type, encoding name) of all that we may be sent."""
    rtcp: tuple[str, int] | None = None
    rtcp_mux: bool = False
    security: Security | None = None

    @property
    def sends(self) -> bool:
        """Whether we may send."""
        return self.direction in ("sendrecv", "sendonly")

    @property
    def receives(self) -> bool:
        """Whether the other side may send."""
        return self.direction in ("sendrecv", "recvonly")


Agreement = Negotiated | NegotiatedText
