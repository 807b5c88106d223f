"""One stream of an offer and its answer: answering it, and what the two m-lines agree on (RFC 3264).

Theory. An offer lists streams; the answer has one m-line for each of them, in the offer's order, port 0 refusing it. Of
the formats the answer keeps those that both sides speak, under the offer's payload type numbers; the first is what is
sent. A payload type number is what its *author* wants to be sent, so where an answer renumbers, each side sends by the
other's numbers. Each side states what *it* does: `sendonly` offered is answered `recvonly` or `inactive`.
`telephone-event` (RFC 4733) and `CN` (RFC 3389) ride in the same stream, at the codec's clock rate.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from typing import Final

from harness.errors import SdpError
from harness.protocols.rtp.codecs import require_codec
from harness.protocols.rtp.security import SUITES, Security
from harness.protocols.sdp.crypto import Crypto, KeySource, usable
from harness.protocols.sdp.description import PROFILES, Media, Session
from harness.protocols.sdp.formats import (
    BASIC,
    COMFORT_NOISE,
    DTMF,
    DTMF_EVENTS,
    REDUNDANT,
    SPEECH,
    TEXT,
    TEXT_ENCODINGS,
    USUAL_CLOCK,
    Formats,
)
from harness.protocols.sdp.plan import REDUNDANT_GENERATIONS, Agreement, StreamPlan
from harness.protocols.sdp.reading import our_direction, read_speech, read_text
from harness.protocols.sdp.writing import write_stream

MAX_EVENTS: Final = 64
"""Characters of a list of telephone events; a longer one is answered with our own."""
_SAID_BESIDE: Final = frozenset({DTMF, COMFORT_NOISE, REDUNDANT})
"""Encodings that carry nothing of their own: without another beside them there is no stream."""


def answer_stream(
    session: Session, theirs: Media, plan: StreamPlan, keys: KeySource | None, kept: MutableMapping[str, bytes]
) -> tuple[list[str], Agreement] | None:
    """Answer one offered stream: our lines and what is agreed; None where it is to be refused.

    `keys`: where a fresh SRTP key comes from; `kept`: our keys of this stream by suite, which a re-offer keeps. Raises
    SdpError for a stream that can't be read.
    """
    secured = PROFILES.get(theirs.protocol)
    if theirs.kind != plan.kind or not theirs.port or not plan.port or secured is None:
        return None
    common = _common(theirs, plan)
    if not common:
        return None
    crypto = None
    if secured or plan.secure != "no":
        crypto = _taken(theirs, plan) if plan.secure != "no" else None
        if crypto is None and (secured or plan.secure == "required"):
            return None
        if crypto is not None and keys is None and crypto.suite not in kept:
            return None
    host = theirs.connection or session.connection
    direction = our_direction(session.direction(theirs), plan.direction, host)
    security: Security | None = None
    written: tuple[Crypto, ...] = ()
    if crypto is not None:
        if crypto.suite not in kept:
            assert keys is not None
            kept[crypto.suite] = keys(SUITES[crypto.suite])
        security = Security(crypto.suite, kept[crypto.suite], crypto.key)
        written = (Crypto(crypto.tag, crypto.suite, kept[crypto.suite]),)
    mux = plan.rtcp_mux and theirs.attribute("rtcp-mux") is not None
    if plan.kind == "text":
        text = read_text(theirs, host, common, common, direction, security, mux=mux)
        generations = min(text.generations, REDUNDANT_GENERATIONS)
        lines = write_stream(
            plan, theirs.protocol, common, direction, None, generations=generations, crypto=written, mux=mux
        )
        return lines, text
    agreed = read_speech(theirs, host, common, common, direction, security, mux=mux)
    lines = write_stream(
        plan,
        theirs.protocol,
        common,
        direction,
        agreed.ptime if plan.ptime is None else plan.ptime,
        clocks={number: clock for number, clock in theirs.clock_rates().items() if number in common},
        events=DTMF_EVENTS if agreed.dtmf_payload_type is None else _events(theirs, agreed.dtmf_payload_type),
        crypto=written,
        mux=mux,
    )
    return lines, agreed


def why_refused(session: Session, plan: StreamPlan) -> str:
    """Why no stream of an offer fits a plan, for the tester."""
    live = [media for media in session.media if media.kind == plan.kind and media.port]
    if not live:
        return f"no {plan.kind} stream was offered"
    spoken = [media for media in live if _common(media, plan)]
    if not spoken:
        found = "; ".join(" ".join(media.formats) for media in live)
        names = " or ".join(plan.codecs) if plan.kind == "audio" else "t140"
        return f"no {plan.kind} stream in {names} was offered, but payload types {found}"
    profiles = ", ".join(sorted({media.protocol for media in spoken}))
    wanted = {"no": "plain RTP", "optional": "SRTP or plain RTP", "required": "SRTP"}[plan.secure]
    return f"the {plan.kind} stream is offered under {profiles}, and what we take is {wanted}, keyed by a=crypto"


def _common(theirs: Media, plan: StreamPlan) -> Formats:
    """The formats that both sides speak; empty where there is nothing to send."""
    spoken = theirs.codecs()
    if plan.kind == "text":
        if TEXT not in spoken.values():
            return {}
        return {number: name for number, name in spoken.items() if name in TEXT_ENCODINGS}
    ours = plan.codecs
    common: Formats = {}
    beside: Formats = {}
    for number, name in spoken.items():
        if name in ours:
            if name not in BASIC:
                require_codec(name)
            common[number] = name
        elif (name == DTMF and plan.dtmf) or (name == COMFORT_NOISE and plan.comfort_noise):
            beside[number] = name
    if not common:
        return {}
    if plan.prefer_own:
        common = dict(sorted(common.items(), key=lambda item: ours.index(item[1])))
    if beside:
        common.update(_beside(beside, common, theirs.clock_rates()))
    return common


def _beside(offered: Formats, codecs: Formats, clocks: dict[int, int]) -> Formats:
    """Events and noise at the clock rate of a codec that is kept (RFC 4733 section 2.5.1.1), events else at any."""
    rates = {SPEECH[name].clock for name in codecs.values()}
    fit = {number: name for number, name in offered.items() if clocks.get(number, USUAL_CLOCK) in rates}
    if DTMF not in fit.values():
        fit.update({number: name for number, name in offered.items() if name == DTMF})
    return fit


def _taken(theirs: Media, plan: StreamPlan) -> Crypto | None:
    """The offered a=crypto line that we take: the first that we can use (RFC 4568 section 5.1.2)."""
    return next((crypto for crypto in usable(theirs.attributes) if crypto.suite in plan.suites), None)


def _events(theirs: Media, number: int) -> str:
    """The events that the offer lists for its telephone-event, so that we claim no more than 0-15 of them."""
    offered = theirs.parameters(number) or DTMF_EVENTS
    return DTMF_EVENTS if offered.startswith(("0-15", "0-16")) or len(offered) > MAX_EVENTS else offered


def agree(ours: Session, theirs: Session) -> Iterator[Agreement | None]:
    """What our offer and the peer's answer agree on, stream by stream; None for one that is refused.

    Raises SdpError where the answer does not fit the offer.
    """
    if len(ours.media) != len(theirs.media):
        raise SdpError(f"{len(ours.media)} streams offered, {len(theirs.media)} answered")
    for mine, answered in zip(ours.media, theirs.media, strict=True):
        if answered.kind != mine.kind:
            raise SdpError(f"the {mine.kind} stream was answered as {answered.kind}")
        if not mine.port or not answered.port or mine.protocol not in PROFILES or mine.kind not in ("audio", "text"):
            yield None
        else:
            yield _agreed(ours, mine, theirs, answered)


def _agreed(ours: Session, mine: Media, theirs: Session, answered: Media) -> Agreement:
    if answered.protocol != mine.protocol:
        raise SdpError(f"the {mine.kind} stream was offered as {mine.protocol}, answered as {answered.protocol}")
    offered, kept = mine.codecs(), answered.codecs()
    names, theirs_too = set(offered.values()), set(kept.values())
    outgoing = {number: name for number, name in kept.items() if name in names}
    incoming = {number: name for number, name in offered.items() if name in theirs_too}
    if not theirs_too & names - _SAID_BESIDE:
        raise SdpError("the answer names no codec that was offered")
    host = answered.connection or theirs.connection
    direction = our_direction(theirs.direction(answered), ours.direction(mine), host)
    security = _keyed(mine, answered)
    mux = mine.attribute("rtcp-mux") is not None and answered.attribute("rtcp-mux") is not None
    if mine.kind == "text":
        return read_text(answered, host, outgoing, incoming, direction, security, mux=mux)
    return read_speech(answered, host, outgoing, incoming, direction, security, mux=mux)


def _keyed(mine: Media, answered: Media) -> Security | None:
    """The keys of an answered stream (RFC 4568 section 5.1.3). Raises SdpError."""
    secured = PROFILES[mine.protocol]
    taken = usable(answered.attributes)
    offered = {crypto.tag: crypto for crypto in usable(mine.attributes)}
    if not taken or not offered:
        if secured:
            raise SdpError("the answer to a secured stream has no a=crypto line that fits (RFC 4568 section 5.1.3)")
        return None
    if len(taken) > 1:
        raise SdpError(f"the answer has {len(taken)} a=crypto lines; one is due (RFC 4568 section 5.1.2)")
    own = offered.get(taken[0].tag)
    if own is None or own.suite != taken[0].suite:
        raise SdpError(f"the answer takes a=crypto {taken[0].tag} {taken[0].suite}, which was not offered")
    return Security(own.suite, own.key, taken[0].key)
