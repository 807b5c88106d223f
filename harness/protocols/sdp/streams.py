"""One stream of an offer or an answer: what to write, and what the two m-lines agree on (RFC 3264).

Theory. An offer lists streams; the answer has one m-line for each of them, in the offer's order, port 0 refusing it. Of
the formats the answer keeps those that both sides speak, under the offer's payload type numbers; the first is what is
sent. A payload type number is what its *author* wants to be sent, so where an answer renumbers, each side sends by the
other's numbers. Each side states what *it* does: `sendonly` offered is answered `recvonly` or `inactive`.
`telephone-event` (RFC 4733) and `CN` (RFC 3389) ride in the same stream, at the codec's clock rate.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping, Sequence
from functools import lru_cache
from typing import Final

from harness.errors import SdpError, SdpLocalError
from harness.protocols.rtp.codecs import require_codec
from harness.protocols.sdp.crypto import SUITES, Crypto, KeySource, Security, usable
from harness.protocols.sdp.description import (
    DIRECTIONS,
    PROFILES,
    Media,
    Session,
    port_number,
)
from harness.protocols.sdp.formats import (
    COMFORT_NOISE,
    DTMF,
    DTMF_EVENTS,
    DTMF_PAYLOAD_TYPE,
    REDUNDANT,
    SPEECH,
    TEXT,
    TEXT_ENCODINGS,
)
from harness.protocols.sdp.plan import (
    DEFAULT_CPS,
    DEFAULT_PTIME,
    MAX_PTIME,
    MIN_PTIME,
    PTIME_STEP,
    REDUNDANT_GENERATIONS,
    Agreement,
    Negotiated,
    NegotiatedText,
    StreamPlan,
)

Formats = dict[int, str]
"""Payload type to encoding name, in order of preference."""

COMFORT_NOISE_PAYLOAD_TYPE: Final = 13
WIDE_DTMF_PAYLOAD_TYPE: Final = 102
"""What our own offers give to telephone-event at Opus's clock rate (RFC 7587 section 4.1 wants one clock a stream)."""
MAX_CPS: Final = 1000
MAX_EVENTS: Final = 64
"""Characters of a list of telephone events; a longer one is answered with our own."""
_BASIC: Final = frozenset({"PCMA", "PCMU"})
_SAID_BESIDE: Final = frozenset({DTMF, COMFORT_NOISE, REDUNDANT})
"""Encodings that carry nothing of their own: without another beside them there is no stream."""
_HELD: Final = ("0.0.0.0", "::")  # noqa: S104 - how RFC 2543 put a call on hold: the peer takes nothing
_BOTH: Final = "sendrecv"


# --- writing ---


def own_formats(plan: StreamPlan, numbers: Formats | None = None) -> Formats:
    """The formats of an offer of ours; `numbers`: those in use in the session already, which keep their meaning.

    Raises SdpLocalError for a codec that we don't speak, MediaError for one whose library is not installed.
    """
    names: list[tuple[str, int]] = []
    if plan.kind == "text":
        names = [(name, encoding.payload_type or 0) for name, encoding in TEXT_ENCODINGS.items()]
    else:
        for name in plan.codecs:
            encoding = SPEECH.get(name)
            if encoding is None or encoding.payload_type is None:
                raise SdpLocalError(f"no codec {name!r} can be offered; there is {', '.join(SPEECH)}")
            if name not in _BASIC:
                require_codec(name)
            names.append((name, encoding.payload_type))
        if plan.comfort_noise:
            names.append((COMFORT_NOISE, COMFORT_NOISE_PAYLOAD_TYPE))
        if plan.dtmf:
            names.append((DTMF, DTMF_PAYLOAD_TYPE))
            if "OPUS" in plan.codecs:
                names.append((DTMF, WIDE_DTMF_PAYLOAD_TYPE))
    if not numbers:
        return {number: name for name, number in names}
    return _renumbered(names, numbers)


def own_clocks(formats: Formats) -> dict[int, int] | None:
    """The clock rates of an offer of ours; None where all are 8000.

    The last of two telephone-event formats is Opus's.
    """
    events = [number for number, name in formats.items() if name == DTMF]
    return {events[1]: SPEECH["OPUS"].clock} if len(events) > 1 else None


def _renumbered(names: list[tuple[str, int]], numbers: Formats) -> Formats:
    """A payload type must not change its meaning within a session (RFC 3264 section 8.3.2)."""
    in_use = {name: number for number, name in reversed(numbers.items())}
    chosen: Formats = {}
    for name, usual in names:
        number = in_use.get(name, usual)
        if number in chosen or numbers.get(number, name) != name:
            number = next(free for free in range(96, 128) if free not in numbers and free not in chosen)
        chosen[number] = name
    return chosen


def write_stream(
    plan: StreamPlan,
    protocol: str,
    formats: Formats,
    direction: str,
    ptime: int | None,
    *,
    clocks: dict[int, int] | None = None,
    events: str = DTMF_EVENTS,
    generations: int = REDUNDANT_GENERATIONS,
    crypto: Sequence[Crypto] = (),
    mux: bool | None = None,
) -> list[str]:
    """The lines of a stream of ours. `mux`: whether a=rtcp-mux is written; None: as the plan would have it."""
    numbers, body = _format_text(tuple(formats.items()), events, None if clocks is None else tuple(clocks.items()))
    lines = [f"m={plan.kind} {plan.port} {protocol} {numbers}", body]
    if plan.kind == "text":
        lines += _redundancy_lines(formats, generations)
    for line in crypto:
        lines.append(f"a=crypto:{line.value}")
    if plan.rtcp_port is not None:
        lines.append(f"a=rtcp:{plan.rtcp_port}")
    if plan.rtcp_mux if mux is None else mux:
        lines.append("a=rtcp-mux")
    if ptime is not None:
        lines.append(f"a=ptime:{ptime}")
    if plan.maxptime is not None:
        lines.append(f"a=maxptime:{plan.maxptime}")
    lines.append(f"a={direction}")
    return lines


@lru_cache(maxsize=1024)
def _format_text(
    formats: tuple[tuple[int, str], ...], events: str, clocks: tuple[tuple[int, int], ...] | None
) -> tuple[str, str]:
    """The m-line's payload types, and the lines that explain them."""
    rates = dict(clocks or ())
    lines = []
    for number, name in formats:
        encoding = SPEECH.get(name) or TEXT_ENCODINGS.get(name)
        if encoding is None:
            lines.append(f"a=rtpmap:{number} {name}/{rates.get(number, 8000)}")
            if name == DTMF:
                lines.append(f"a=fmtp:{number} {events}")
            continue
        lines.append(f"a=rtpmap:{number} {encoding.rtpmap}")
        if encoding.parameters:
            lines.append(f"a=fmtp:{number} {encoding.parameters}")
    return " ".join([str(number) for number, _ in formats]), "\r\n".join(lines)


def _redundancy_lines(formats: Formats, generations: int) -> list[str]:
    """What text/red repeats: the same format, once more for each generation (RFC 4102, RFC 4103 section 10.1)."""
    numbers = {name: number for number, name in formats.items()}
    if REDUNDANT not in numbers or TEXT not in numbers:
        return []
    return [f"a=fmtp:{numbers[REDUNDANT]} {'/'.join([str(numbers[TEXT])] * (generations + 1))}"]


def refusal(theirs: Media) -> str:
    """The m-line that refuses a stream (RFC 3264 section 6)."""
    return f"m={theirs.kind} 0 {theirs.protocol} {theirs.formats[0]}"


# --- answering ---


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
    common = _common(theirs.codecs(), plan)
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
    direction = answer_direction(session.direction(theirs), plan.direction, host)
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
        text = _text(theirs, host, common, common, direction, security, mux=mux)
        generations = min(text.generations, REDUNDANT_GENERATIONS)
        lines = write_stream(
            plan, theirs.protocol, common, direction, None, generations=generations, crypto=written, mux=mux
        )
        return lines, text
    agreed = _speech(theirs, host, common, common, direction, security, mux=mux)
    lines = write_stream(
        plan,
        theirs.protocol,
        common,
        direction,
        agreed.ptime if plan.ptime is None else plan.ptime,
        clocks=theirs.clock_rates() if agreed.codec == "OPUS" else None,
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
    spoken = [media for media in live if _common(media.codecs(), plan)]
    if not spoken:
        found = "; ".join(" ".join(media.formats) for media in live)
        names = " or ".join(plan.codecs) if plan.kind == "audio" else "t140"
        return f"no {plan.kind} stream in {names} was offered, but payload types {found}"
    profiles = ", ".join(sorted({media.protocol for media in spoken}))
    wanted = {"no": "plain RTP", "optional": "SRTP or plain RTP", "required": "SRTP"}[plan.secure]
    return f"the {plan.kind} stream is offered under {profiles}, and what we take is {wanted}, keyed by a=crypto"


def _common(spoken: Formats, plan: StreamPlan) -> Formats:
    """The formats that both sides speak; empty where there is nothing to send."""
    if plan.kind == "text":
        if TEXT not in spoken.values():
            return {}
        return {number: name for number, name in spoken.items() if name in TEXT_ENCODINGS}
    ours = plan.codecs
    common: Formats = {}
    beside: Formats = {}
    for number, name in spoken.items():
        if name in ours:
            if name not in _BASIC:
                require_codec(name)
            common[number] = name
        elif (name == DTMF and plan.dtmf) or (name == COMFORT_NOISE and plan.comfort_noise):
            beside[number] = name
    if not common:
        return {}
    if plan.prefer_own:
        common = dict(sorted(common.items(), key=lambda item: ours.index(item[1])))
    if beside:
        common.update(beside)
    return common


def _taken(theirs: Media, plan: StreamPlan) -> Crypto | None:
    """The offered a=crypto line that we take: the first that we can use (RFC 4568 section 5.1.2)."""
    return next((crypto for crypto in usable(theirs.attributes) if crypto.suite in plan.suites), None)


def answer_direction(theirs: str, most: str, their_host: str) -> str:
    """Our direction, given theirs and the most that we would do (RFC 3264 section 6.1). Raises SdpError."""
    if not their_host:
        raise SdpError("a stream without an address")
    takes = theirs in ("sendrecv", "recvonly") and their_host not in _HELD
    if most == theirs == _BOTH and takes:
        return _BOTH
    sends = most in ("sendrecv", "sendonly") and takes
    receives = most in ("sendrecv", "recvonly") and theirs in ("sendrecv", "sendonly")
    return DIRECTIONS[2 * (not sends) + (not receives)]


# --- agreeing ---


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
    direction = answer_direction(theirs.direction(answered), ours.direction(mine), host)
    security = _keyed(mine, answered)
    mux = mine.attribute("rtcp-mux") is not None and answered.attribute("rtcp-mux") is not None
    if mine.kind == "text":
        return _text(answered, host, outgoing, incoming, direction, security, mux=mux)
    return _speech(answered, host, outgoing, incoming, direction, security, mux=mux)


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


def _speech(
    theirs: Media,
    host: str,
    outgoing: Formats,
    incoming: Formats,
    direction: str,
    security: Security | None,
    *,
    mux: bool,
) -> Negotiated:
    number, codec, dtmf, noise = -1, "", None, None
    for payload, name in outgoing.items():
        if name == DTMF:
            dtmf = payload if dtmf is None else dtmf
        elif name == COMFORT_NOISE:
            noise = payload if noise is None else noise
        elif not codec:
            number, codec = payload, name
    clock = 8000
    if codec == "OPUS" and dtmf is not None:
        rates = theirs.clock_rates()
        # one clock a stream where the other side has it (RFC 7587 section 4.1), else whatever it has
        wide = (value for value, name in outgoing.items() if name == DTMF and rates.get(value) == SPEECH[codec].clock)
        dtmf = next(wide, dtmf)
        clock = rates.get(dtmf, clock)
    ptime, rtcp = DEFAULT_PTIME, None
    for key, value in theirs.attributes:
        if key == "ptime":
            ptime = packet_time(value, theirs.attribute("maxptime"))
        elif key == "rtcp":
            rtcp = _rtcp(value, host)
    sent = tuple(outgoing.items())
    return Negotiated(
        host,
        theirs.port,
        number,
        codec,
        dtmf,
        direction,
        ptime,
        noise,
        sent if incoming is outgoing else tuple(incoming.items()),
        sent,
        rtcp,
        mux,
        security,
        theirs.parameters(number) if codec not in _BASIC else "",
        clock,
    )


def _text(
    theirs: Media,
    host: str,
    outgoing: Formats,
    incoming: Formats,
    direction: str,
    security: Security | None,
    *,
    mux: bool,
) -> NegotiatedText:
    numbers = {name: number for number, name in reversed(outgoing.items())}
    plain, redundant = numbers[TEXT], numbers.get(REDUNDANT)
    generations = 0
    if redundant is not None:
        repeated = theirs.parameters(redundant).split("/")
        if len(repeated) > 1 and set(repeated) == {str(plain)}:
            generations = min(len(repeated) - 1, REDUNDANT_GENERATIONS)
        else:
            redundant = None
    cps = DEFAULT_CPS
    for parameter in theirs.parameters(plain).split(";"):
        name, _, value = parameter.strip().partition("=")
        if name.lower() == "cps" and value.isascii() and value.isdigit() and len(value) <= 4:
            cps = max(1, min(int(value), MAX_CPS))
    stated = theirs.attribute("rtcp")
    rtcp = None if stated is None else _rtcp(stated, host)
    return NegotiatedText(
        host,
        theirs.port,
        plain,
        redundant,
        direction,
        generations,
        cps,
        tuple(incoming.items()),
        rtcp,
        mux,
        security,
    )


def packet_time(ptime: str, maxptime: str | None = None) -> int:
    """Milliseconds a packet that we send to somebody who states these (RFC 8866 section 6.4): whole steps of 10."""
    wanted = int(ptime) if ptime.isascii() and ptime.isdigit() and len(ptime) <= 4 else 0
    most = int(maxptime) if maxptime and maxptime.isascii() and maxptime.isdigit() and len(maxptime) <= 4 else MAX_PTIME
    if not MIN_PTIME <= wanted <= MAX_PTIME:
        wanted = DEFAULT_PTIME
    return max(MIN_PTIME, min(wanted, most) // PTIME_STEP * PTIME_STEP)


def _rtcp(value: str, host: str) -> tuple[str, int]:
    """Where an a=rtcp sends our RTCP (RFC 3605). Raises SdpError."""
    words = value.split()
    if not words or len(words) not in (1, 4):
        raise SdpError(f"not an a=rtcp line: {value[:60]!r} (RFC 3605 section 2.1)")
    return (words[3] if len(words) == 4 else host), port_number(words[0])


def _events(theirs: Media, number: int) -> str:
    """The events that the offer lists for its telephone-event, so that we claim no more than 0-15 of them."""
    offered = theirs.parameters(number) or DTMF_EVENTS
    return DTMF_EVENTS if offered.startswith(("0-15", "0-16")) or len(offered) > MAX_EVENTS else offered
