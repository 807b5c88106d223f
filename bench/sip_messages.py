"""Messages a second that one core parses and serialises: a trunk's INVITEs of about 880 bytes, all different."""

from __future__ import annotations

import json
import time

from harness.protocols.sip.parse import parse

SDP = (
    b"v=0\r\n"
    b"o=trunk 3948284411 3948284411 IN IP4 127.0.0.1\r\n"
    b"s=999 call\r\n"
    b"c=IN IP4 127.0.0.1\r\n"
    b"t=0 0\r\n"
    b"m=audio 40000 RTP/AVP 8 0 101\r\n"
    b"a=rtpmap:8 PCMA/8000\r\n"
    b"a=rtpmap:0 PCMU/8000\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\n"
    b"a=fmtp:101 0-15\r\n"
    b"a=rtcp:40001 IN IP4 127.0.0.1\r\n"
    b"a=ptime:20\r\na=sendrecv\r\n"
)
INVITE = (
    b"INVITE sip:999@127.0.0.1:5060 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bK-524287-1-0;rport\r\n"
    b"Max-Forwards: 70\r\n"
    b'From: "Caller" <sip:+447700900123@127.0.0.1:5062>;tag=8a1c0f6d2b\r\n'
    b"To: <sip:999@127.0.0.1:5060>\r\n"
    b"Call-ID: 1-4711@127.0.0.1\r\n"
    b"CSeq: 1 INVITE\r\n"
    b"Contact: <sip:trunk@127.0.0.1:5062>\r\n"
    b"Allow: INVITE, ACK, BYE, CANCEL, OPTIONS\r\n"
    b"Supported: replaces\r\n"
    b"P-Asserted-Identity: <tel:+447700900123>\r\n"
    b"Priority: emergency\r\n"
    b"User-Agent: trunk\r\n"
    b"Subject: Emergency call from the 999 network of the public operator to the control room\r\n"
    b"Content-Type: application/sdp\r\n"
    b"Content-Length: %d\r\n\r\n%b"
) % (len(SDP), SDP)


DIFFERENT = 2_000
"""Messages, so that nothing which is remembered from one serves the next better than it would on a trunk."""


def invites() -> list[bytes]:
    """The INVITE with other branches, tags, Call-IDs, numbers and callers."""
    found = []
    for at in range(DIFFERENT):
        message = INVITE.replace(b"524287-1-0", b"%06d-1-0" % at).replace(b"8a1c0f6d2b", b"8a1c%06d" % at)
        message = message.replace(b"1-4711@", b"1-%06d@" % at).replace(b"CSeq: 1 ", b"CSeq: %d " % (at * 7 + 1))
        found.append(message.replace(b"900123", b"900%03d" % (at % 1000)))
    return found


def measure(seconds: float = 1.0, rounds: int = 3) -> dict[str, float]:
    """Parse and serialise for `rounds` times `seconds`; the best round counts, as the machine is shared."""
    messages = invites()
    assert all(bytes(parse(data)) == data for data in messages), "the round trip must be exact before its speed counts"
    best = 0.0
    for _ in range(rounds):
        count = 0
        began = time.perf_counter()
        until = began + seconds
        while time.perf_counter() < until:
            for data in messages:
                bytes(parse(data))
            count += len(messages)
        best = max(best, count / (time.perf_counter() - began))
    return {"bytes": len(INVITE), "messages_per_second": round(best)}


def split_only(seconds: float = 1.0) -> int:
    """Cut the same messages into lines and names, and join them again: the least that any parser does."""
    messages = invites()
    count = 0
    began = time.perf_counter()
    until = began + seconds
    while time.perf_counter() < until:
        for data in messages:
            head, _, body = data.partition(b"\r\n\r\n")
            lines = [line.split(b":", 1) for line in head.split(b"\r\n")]
            b"\r\n".join([b":".join(parts) for parts in lines]) + b"\r\n\r\n" + body
        count += len(messages)
    return round(count / (time.perf_counter() - began))


if __name__ == "__main__":
    print(json.dumps(measure()))
