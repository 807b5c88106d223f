"""What a peer's stream says that we have to keep to: direction, formats, packet lengths, RTCP."""

from __future__ import annotations

from typing import Final

from harness.errors import SdpError
from harness.protocols.rtp.security import Security
from harness.protocols.sdp.description import DIRECTIONS, Media, port_number
from harness.protocols.sdp.formats import BASIC, COMFORT_NOISE, DTMF, REDUNDANT, SPEECH, TEXT, USUAL_CLOCK, Formats
from harness.protocols.sdp.plan import (
    DEFAULT_CPS,
    DEFAULT_PTIME,
    MAX_PTIME,
    MIN_PTIME,
    PTIME_STEP,
    REDUNDANT_GENERATIONS,
    Negotiated,
    NegotiatedText,
)

MAX_CPS: Final = 1000
_HELD: Final = ("0.0.0.0", "::")  # noqa: S104 - how RFC 2543 put a call on hold: the peer takes nothing
_BOTH: Final = "sendrecv"


def our_direction(theirs: str, most: str, their_host: str) -> str:
    """Our direction, given theirs and the most that we would do (RFC 3264 section 6.1). Raises SdpError."""
    if not their_host:
        raise SdpError("a stream without an address")
    takes = theirs in ("sendrecv", "recvonly") and their_host not in _HELD
    if most == theirs == _BOTH and takes:
        return _BOTH
    sends = most in ("sendrecv", "sendonly") and takes
    receives = most in ("sendrecv", "recvonly") and theirs in ("sendrecv", "sendonly")
    return DIRECTIONS[2 * (not sends) + (not receives)]


def read_speech(
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
    clock = USUAL_CLOCK
    if dtmf is not None:
        rates = theirs.clock_rates()
        # one clock a stream where the other side has it (RFC 4733 section 2.5.1.1), else whatever it has
        wanted = SPEECH[codec].clock if codec in SPEECH else USUAL_CLOCK
        fit = (value for value, name in outgoing.items() if name == DTMF and rates.get(value, USUAL_CLOCK) == wanted)
        dtmf = next(fit, dtmf)
        clock = rates.get(dtmf, USUAL_CLOCK)
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
        theirs.parameters(number) if codec not in BASIC else "",
        clock,
    )


def read_text(
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
