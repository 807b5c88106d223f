"""Reads from a packet capture what callers did to a control room: they dialled, pressed keys and hung up.

Theory. A stimulus is what came to the system from outside. A first INVITE to its address is a caller who dials, a
CANCEL or BYE from there one who hangs up, a telephone event (RFC 4733) in the stream towards it a key, and other sound
in it what the caller said. Where a caller's stream goes, and what its payload types are, the system's own description
tells (RFC 3264 clause 5.1), the newest one. That the system took a call (200) or ended it (BYE) was somebody's act at a
console; it becomes one where the scenario has consoles.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from harness.errors import HarnessError, MediaError, RtpError, ScenarioError, SdpError, SipRemoteError
from harness.evidence.capture_packets import Captured
from harness.privacy import is_reserved
from harness.protocols import sdp
from harness.protocols.rtp.dtmf import DtmfEvent, DtmfReceiver
from harness.protocols.rtp.rtp import RtpPacket
from harness.protocols.sdp.formats import COMFORT_NOISE
from harness.protocols.sip.body import find
from harness.protocols.sip.identity import caller_of
from harness.protocols.sip.message import Message, Request, Response
from harness.protocols.sip.parse import parse
from harness.scenario.record import Act, Recorded
from harness.scenario.record_speech import Allowance, Phrase, Voice, host_of
from harness.transport.tap import Address

RADIO_SESSIONS: Final = (b"\r\nwg67-version", b"application/vnd.3gpp.mcptt-info")
"""What an INVITE holds, in small letters, that sets up radio over IP (ED-137) or push-to-talk (TS 24.379)."""
TEST_NUMBERS: Final = 1_000
"""How many of Ofcom's test numbers there are to stand for callers'."""
MAX_CALLS: Final = 10_000
"""Calls of one capture."""
HALF_PACKET_S: Final = 0.01
"""A key is pressed by so much before its first packet: it goes with the next of the stream, each 20 ms."""
SILENT: Final = frozenset({"ACK", "OPTIONS", "PRACK", "REGISTER", "SUBSCRIBE", "NOTIFY", "PUBLISH", "UPDATE"})
"""Requests that are no act of anybody's."""
DIGITS: Final = "0123456789*#ABCD"


@dataclass(slots=True)
class _Call:
    """One call to the system."""

    actor: str
    console: str | None = None
    answered: bool = False
    over: bool = False
    formats: Mapping[int, str] = field(default_factory=dict)
    """What the system takes from the caller, by RTP payload type."""
    secured: bool = False
    """Whether the caller's stream is SRTP."""
    voice: Voice | None = None
    """What the caller says, where that is wanted."""
    unheard: str | None = None
    """Why it can't be had, as it was told."""
    keys: DtmfReceiver = field(default_factory=DtmfReceiver)
    pressed: int | None = None
    """RTP timestamp of the start of the key that was pressed last."""


class Calls:
    """What is found in a capture, written to ``found``."""

    def __init__(
        self, found: Recorded, *, system: Address, trunk: str, consoles: Sequence[str], allowance: Allowance | None
    ) -> None:
        """``allowance``: how much of what callers say is taken; None: none of it."""
        self._found = found
        self._allowance = allowance
        self._system = system
        self._trunk = trunk
        self._consoles = list(consoles)
        self._calls: dict[str, _Call] = {}
        self._streams: dict[Address, _Call] = {}
        """By where the caller's speech goes."""
        self._numbers: dict[str, str] = {}

    def take(self, packet: Captured) -> None:
        """Take the next datagram of the capture, or SIP message of a connection."""
        call = None if packet.tcp else self._streams.get(packet.target)
        if call is not None:
            self._media(call, packet)
        elif self._is_at_system(packet) and packet.payload[:1].isalpha():
            self._signalling(packet)

    def _is_at_system(self, packet: Captured) -> bool:
        """Tell whether a packet goes to the system or comes from it, which opens connections from any port."""
        if packet.tcp and packet.source[0] == self._system[0]:
            return True
        return self._system in (packet.source, packet.target)

    def phrases(self) -> list[tuple[str, Phrase]]:
        """Return what callers said, by actor, when all packets were taken."""
        found: list[tuple[str, Phrase]] = []
        for call in self._calls.values():
            if call.voice is not None:
                call.voice.finish()
                found += [(call.actor, each) for each in call.voice.phrases]
        return sorted(found, key=lambda each: each[1].time)

    def _signalling(self, packet: Captured) -> None:
        try:
            message = parse(packet.payload)
            message.check()
            inward = packet.target == self._system
            if isinstance(message, Request):
                self._request(message, packet, inward=inward)
            elif not inward:
                self._response(message, packet.time)
            call = self._calls.get(message.call_id)
            if call is not None and not call.over and not inward:
                self._describes(call, find(message, "application/sdp"))
        except (SipRemoteError, SdpError) as error:
            self._found.leave_out(f"a datagram that can't be read: {str(error)[:80]}")

    def _request(self, request: Request, packet: Captured, *, inward: bool) -> None:
        call = self._calls.get(request.call_id)
        if request.method == "INVITE":
            if call is None and not request.to_tag and inward:
                self._calls[request.call_id] = self._dialled(request, packet)
            elif call is None and not request.to_tag and request.call_id not in self._calls:
                self._found.leave_out("INVITE from the system: a call out is no stimulus, nor who takes it")
        elif request.method in ("BYE", "CANCEL"):
            self._over(call, packet.time, inward=inward)
        elif inward and request.method not in SILENT:
            self._found.leave_out(f"SIP {request.method}: no verb does it again")

    def _dialled(self, request: Request, packet: Captured) -> _Call:
        if len(self._calls) >= MAX_CALLS:
            raise ScenarioError(f"found more than {MAX_CALLS} calls; a capture of a shorter time is due")
        caller = caller_of(request, trusted=True)
        number = (
            None if caller.is_withheld or not caller.number.lstrip("+").isdigit() else self._test_number(caller.number)
        )
        call = _Call(self._free(number))
        told = request.uri.user_text
        if len(told.lstrip("+")) > 8 and not is_reserved(told):
            self._found.leave_out(f"the number called, …{told[-2:]}: it is no test number; 101 is dialled instead")
            told = "101"
        if request.content_type not in ("application/sdp", ""):
            self._found.leave_out("what came with an INVITE beside its speech, such as a caller's place")
        self._found.acts.append(Act(packet.time, call.actor, "dial", {"number": told}))
        return call

    def _free(self, number: str | None) -> str:
        busy = {each.actor for each in self._calls.values() if not each.over}
        for name, told in self._found.actors.items():
            if told["role"] == "trunk_caller" and name not in busy and told.get("number") == number:
                return name
        name = f"caller_{1 + sum(told['role'] == 'trunk_caller' for told in self._found.actors.values())}"
        self._found.actors[name] = {"role": "trunk_caller", "component": self._trunk}
        if number is not None:
            self._found.actors[name]["number"] = number
        return name

    def _test_number(self, number: str) -> str:
        if is_reserved(number):
            return number
        stands_for = f"+447700900{(999 - len(self._numbers)) % TEST_NUMBERS:03}"
        return self._numbers.setdefault(number, stands_for)

    def _response(self, response: Response, time: float) -> None:
        call = self._calls.get(response.call_id)
        if call is None or call.answered or response.cseq.method != "INVITE" or not 200 <= response.status < 300:
            return
        call.answered = True
        busy = {each.console for each in self._calls.values() if not each.over}
        call.console = next((each for each in self._consoles if each not in busy), None)
        if call.console is not None:
            self._found.acts.append(Act(time, call.console, "answer", None))
        elif self._consoles:
            self._found.leave_out("a call that was taken while every console told had one")
        else:
            self._found.leave_out("a call that the control room took: no --console answers it")

    def _over(self, call: _Call | None, time: float, *, inward: bool) -> None:
        if call is None or call.over:
            return
        call.over = True
        self._streams = {where: each for where, each in self._streams.items() if each is not call}
        if inward:
            self._found.acts.append(Act(time, call.actor, "hang_up", None))
        elif call.console is not None:
            self._found.acts.append(Act(time, call.console, "hang_up", None))

    def _describes(self, call: _Call, description: bytes | None) -> None:
        """Take note of where the system hears the caller from now on, and what it takes."""
        if description is None:
            return
        session = sdp.parse(description)
        audio = next((each for each in session.media if each.kind == "audio" and each.port), None)
        self._streams = {where: each for where, each in self._streams.items() if each is not call}
        if audio is None:
            return
        call.formats, call.secured = audio.codecs(), "SAVP" in audio.protocol.upper()
        self._streams[host_of(audio.connection or session.connection), audio.port] = call

    def _media(self, call: _Call, packet: Captured) -> None:
        try:
            rtp = RtpPacket.parse(packet.payload)
            form = call.formats.get(rtp.payload_type)
            if form == sdp.DTMF:
                self._key(call, packet.time, rtp, DtmfEvent.parse(rtp.payload))
            elif form is not None and form != COMFORT_NOISE:
                self._speech(call, packet.time, rtp, form)
        except RtpError:
            return

    def _speech(self, call: _Call, time: float, rtp: RtpPacket, codec: str) -> None:
        why = None
        if self._allowance is None:
            why = "--speech makes WAV files of it"
        elif call.secured:
            why = "it is under SRTP"
        elif call.console is None:
            why = "no --console takes the call"
        else:
            call.voice = call.voice or Voice(self._allowance)
            try:
                call.voice.take(time, rtp, codec)
            except MediaError as error:
                why = str(error)
        if why is not None and why != call.unheard:
            call.unheard = why
            self._found.leave_out(f"what the caller says in a call: {why}")

    def _key(self, call: _Call, time: float, rtp: RtpPacket, event: DtmfEvent) -> None:
        begun = [(tone.timestamp, tone.event) for tone in call.keys.receive(rtp.timestamp, event)]
        if call.keys.began is not None:
            begun.append((call.keys.began, event.event))
        for start, number in begun:
            if start != call.pressed and number < len(DIGITS):
                self._found.acts.append(Act(time - HALF_PACKET_S, call.actor, "press", {"digits": DIGITS[number]}))
            call.pressed = start


def system_of(packets: Iterable[Captured]) -> Address | None:
    """Return the one address to which calls came, None where there is none. Raises ScenarioError for several.

    Sessions of radio over IP and of push-to-talk are no calls.
    """
    called: dict[Address, int] = {}
    for packet in packets:
        if not packet.payload.startswith(b"INVITE "):
            continue
        if any(mark in packet.payload.lower() for mark in RADIO_SESSIONS):
            continue
        try:
            message: Message = parse(packet.payload)
            if not message.to_tag:
                called[packet.target] = called.get(packet.target, 0) + 1
        except HarnessError:
            continue
    if len(called) <= 1:
        return next(iter(called), None)
    shown = ", ".join(f"{host}:{port} ({count} INVITEs)" for (host, port), count in list(called.items())[:8])
    raise ScenarioError(f"found calls to {shown}; --system tells which of them is the control room")
