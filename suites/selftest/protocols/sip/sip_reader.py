"""Reads every part of a SIP message that has structure, as all layers together would: for tests of bad input."""

from __future__ import annotations

from harness.protocols.sip.headers import Via
from harness.protocols.sip.message import Request, Response
from harness.protocols.sip.parse import parse

NAME_ADDRS = ("contact", "route", "record-route")


def read_all(data: bytes) -> Request | Response:
    """Parse one datagram and read all of it; raises SipRemoteError where any part can't be read."""
    message = parse(data)
    message.check()
    for value in message.values("via"):
        Via.parse(value)
    assert message.call_id and message.cseq and message.from_ and message.to
    for name in NAME_ADDRS:
        if message.get(name) != "*":
            message.name_addrs(name)
    if isinstance(message, Request):
        assert message.uri
    return message


def read_request(data: bytes) -> Request:
    """The same, for what has to be a request."""
    message = read_all(data)
    assert isinstance(message, Request)
    return message
