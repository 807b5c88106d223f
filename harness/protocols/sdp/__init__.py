"""Session descriptions (RFC 8866), their offer and answer (RFC 3264), SRTP keys in them (RFC 4568)."""

from harness.protocols.rtp.security import SUITES, Security
from harness.protocols.sdp.crypto import Crypto, KeySource
from harness.protocols.sdp.description import (
    DIRECTIONS,
    MAX_FORMATS,
    MAX_LINES,
    MAX_MEDIA,
    MAX_SDP,
    Media,
    Session,
    parse,
)
from harness.protocols.sdp.formats import DTMF, DTMF_PAYLOAD_TYPE, SPEECH, STATIC_PAYLOAD_TYPES
from harness.protocols.sdp.offer_answer import answer, negotiated, offer
from harness.protocols.sdp.plan import Agreement, Negotiated, NegotiatedText, StreamPlan
from harness.protocols.sdp.session import MediaSession, State, Step

__all__ = [
    "DIRECTIONS",
    "DTMF",
    "DTMF_PAYLOAD_TYPE",
    "MAX_FORMATS",
    "MAX_LINES",
    "MAX_MEDIA",
    "MAX_SDP",
    "SPEECH",
    "STATIC_PAYLOAD_TYPES",
    "SUITES",
    "Agreement",
    "Crypto",
    "KeySource",
    "Media",
    "MediaSession",
    "Negotiated",
    "NegotiatedText",
    "Security",
    "Session",
    "State",
    "Step",
    "StreamPlan",
    "answer",
    "negotiated",
    "offer",
    "parse",
]
