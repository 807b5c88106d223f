"""The radio's end of radio sessions: reads the offer of an INVITE, answers it with a PTT id, and gives the stream."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from harness.endpoints.ed137.stream import RadioStream
from harness.endpoints.sip.incoming import IncomingCall
from harness.errors import Ed137Error
from harness.protocols.ed137.description import Described, describe, read_description
from harness.protocols.ed137.extension import Layout
from harness.protocols.ed137.session import NO_DELAYS, Delays, Side
from harness.protocols.ed137.terms import VERSION, VERSION_HEADER, RadioTerms
from harness.protocols.rtp.g711 import G711
from harness.transport.context import Context


@dataclass(frozen=True, slots=True)
class Offered:
    """What a control room asks for."""

    call: IncomingCall
    described: Described
    findings: tuple[str, ...]
    """What is odd about its headers."""

    @property
    def terms(self) -> RadioTerms:
        """The terms that it offers."""
        return self.described.terms


def read_offer(call: IncomingCall) -> Offered:
    """Read an INVITE's offer. Raises Ed137Error where it is not for a radio session that we can hold."""
    version = call.request.get(VERSION_HEADER)
    findings = []
    if version is None:
        findings.append(f"an INVITE without {VERSION_HEADER}")
    elif not version.startswith("radio."):
        raise Ed137Error(f"{VERSION_HEADER}: {version[:40]} is not a radio's")
    subject = call.request.get("Subject")
    if subject is None or subject.lower() != "radio":
        findings.append(f"an INVITE with Subject {(subject or 'missing')[:40]!r}; 'radio' is due")
    if not call.remote_sdp:
        raise Ed137Error("an INVITE without an offer: a control room says its terms first")
    return Offered(call, read_description(call.remote_sdp), tuple(findings))


async def accept(
    context: Context,
    name: str,
    offered: Offered,
    terms: RadioTerms,
    *,
    host: str,
    layout: Layout = Layout.OF_2011,
    delays: Delays = NO_DELAYS,
    port: int = 0,
) -> RadioStream:
    """Answer with `terms` (the keep-alive's payload type is the offer's) and begin to talk; return the stream.

    Raises TransportError, Ed137LocalError (terms that can't be
    written), Ed137Error (directions that do not meet) or SipLocalError (the caller has gone); nothing stays open then.
    """
    terms = replace(terms, keep_alive_type=offered.terms.keep_alive_type)
    number, codec = _choose(offered.described.codecs)
    held = offered.terms.answered_by(terms)
    stream = await RadioStream.open(context, name, Side.RADIO, host=host, port=port)
    try:
        answer = describe(stream.address, terms, session_id=context.rng.getrandbits(31), codecs={number: codec})
        offered.call.answer(answer, headers=[(VERSION_HEADER, VERSION)])
    except BaseException:
        stream.close()
        raise
    stream.begin(offered.described, held, number, layout=layout, delays=delays)
    return stream


def _choose(codecs: Mapping[int, G711]) -> tuple[int, G711]:
    """A-law where it is offered, which is what the networks behind carry; else the other law."""
    return min(codecs.items(), key=lambda each: each[1].name != "PCMA")
