"""Offer and answer (RFC 3264) of one audio stream: what most calls need, in three functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.errors import SdpError
from harness.protocols.sdp import usual as usual_offers
from harness.protocols.sdp.crypto import KeySource
from harness.protocols.sdp.description import Session, head, parse
from harness.protocols.sdp.plan import DEFAULT_PTIME, Agreement, Negotiated, Secure, StreamPlan
from harness.protocols.sdp.streams import agree, answer_stream, why_refused
from harness.protocols.sdp.writing import own_clocks, own_formats, refusal, write_stream


def offer(
    host: str,
    port: int,
    *,
    codecs: Sequence[str] = ("PCMA", "PCMU"),
    dtmf: bool = True,
    direction: str = "sendrecv",
    ptime: int = DEFAULT_PTIME,
    session_id: int = 1,
    version: int = 1,
) -> bytes:
    """Write an offer of one plain audio stream at `host`:`port`; `version` grows with each new offer of a session.

    SRTP, text, comfort noise, several streams and re-offers are `MediaSession`'s. Raises SdpError for what is no
    address, MediaError for a codec that is not to be had.
    """
    plan = StreamPlan(port, codecs=tuple(codecs), dtmf=dtmf, direction=direction, ptime=ptime)
    lines = head(host, session_id, version)
    formats = own_formats(plan)
    lines += write_stream(plan, "RTP/AVP", formats, direction, ptime, clocks=own_clocks(formats))
    lines.append("")
    return "\r\n".join(lines).encode()


def answer(
    offered: bytes,
    local_host: str,
    local_port: int,
    *,
    codecs: Iterable[str] = ("PCMA", "PCMU"),
    direction: str = "sendrecv",
    session_id: int = 1,
    version: int = 1,
    keys: KeySource | None = None,
) -> tuple[bytes, Negotiated]:
    """Answer an offer with an audio stream at `local_host`:`local_port`; `direction` is the most that we would do.

    `keys`: where SRTP keys come from; without it a secured stream is refused. Raises SdpError where the offer can't be
    read or has no audio stream that we speak (a 488 is due then).
    """
    ours = tuple(codecs)
    usual = usual_offers.shape_of(offered, ours, direction) if keys is None and local_port else None
    if usual is not None:
        shape, host, port = usual
        known = usual_offers.recall(shape, (host, port), (local_host, local_port), session_id, version)
        if known is not None:
            return known
    secure: Secure = "no" if keys is None else "optional"
    plan = StreamPlan(local_port, "audio", ours, True, False, direction, None, None, secure)
    session = parse(offered)
    agreed: Agreement | None = None
    lines = head(local_host, session_id, version, session.times)
    for theirs in session.media:
        took = answer_stream(session, theirs, plan, keys, {}) if agreed is None else None
        if took is None:
            lines.append(refusal(theirs))
        else:
            written, agreed = took
            lines += written
    if not isinstance(agreed, Negotiated):
        raise SdpError(why_refused(session, plan))
    lines.append("")
    written_answer = "\r\n".join(lines).encode()
    if usual is not None:
        usual_offers.remember(usual[0], written_answer, agreed)
    return written_answer, agreed


def negotiated(offer_local: bytes, answer_remote: bytes) -> Negotiated:
    """What our offer and the peer's answer agree on for audio. Raises SdpError where it refuses, or does not fit."""
    ours, theirs = parse(offer_local), parse(answer_remote)
    for agreed in agree(ours, theirs):
        if isinstance(agreed, Negotiated):
            return agreed
    raise SdpError("the audio stream was refused" if _offers_audio(ours) else "the offer has no audio stream")


def _offers_audio(session: Session) -> bool:
    return any(media.kind == "audio" and media.port for media in session.media)
