"""The grammar of RFC 3261 §25 that the parsers share, under the RFC's names, and the bounds set on untrusted bytes."""

from __future__ import annotations

import re
from typing import Final

SIP_VERSION: Final = "SIP/2.0"
ANY_VERSION: Final = re.compile(r"SIP/[0-9]{1,4}\.[0-9]{1,4}")
"""SIP-Version, whichever it is (§25.1)."""
BRANCH_COOKIE: Final = "z9hG4bK"
"""RFC 3261 §8.1.1.7: what a branch begins with where it names the transaction alone."""

MAX_MESSAGE: Final = 65_535
"""Bytes in one message: what one UDP datagram could ever hold."""
MAX_HEADERS: Final = 256
"""Header lines in one message, after unfolding."""
MAX_HEADER_LINE: Final = 8_192
"""Characters in one header line, after unfolding."""
MAX_VALUES: Final = 128
"""Comma-separated values taken from all lines of one header."""
MAX_PARAMS: Final = 64
"""Parameters of one URI or header value."""
MAX_CSEQ: Final = 2**31 - 1
"""RFC 3261 §8.1.1.5: a sequence number is below 2**31."""

TOKEN: Final = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")
SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+\-.]*")
# RFC 3261 allows letters, digits, hyphens and dots. Equipment names carry underscores, so they are let through.
HOSTNAME: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.\-]*[A-Za-z0-9_.])?")
IPV6_REFERENCE: Final = re.compile(r"\[[0-9A-Fa-f:.]+(?:%[A-Za-z0-9]+)?\]")
QUOTED_STRING: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
LWS_FOLD: Final = re.compile(r"[ \t]*\r\n[ \t]+")
QVALUE: Final = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")
DIGITS: Final = re.compile(r"[0-9]{1,10}")
# What a URI may never hold: it would break out of its line, its brackets or its quotes.
URI_FORBIDDEN: Final = re.compile(r'[\x00-\x20\x7f<>"]')
CONTROL: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
"""What no header value may hold; horizontal tab is white space and allowed."""

COMPACT_FORMS: Final[dict[str, str]] = {
    "a": "accept-contact",
    "b": "referred-by",
    "c": "content-type",
    "d": "request-disposition",
    "e": "content-encoding",
    "f": "from",
    "i": "call-id",
    "j": "reject-contact",
    "k": "supported",
    "l": "content-length",
    "m": "contact",
    "n": "identity-info",
    "o": "event",
    "r": "refer-to",
    "s": "subject",
    "t": "to",
    "u": "allow-events",
    "v": "via",
    "x": "session-expires",
    "y": "identity",
}
"""IANA's registry of compact header names."""

METHODS: Final = frozenset(
    (
        *("ACK", "BYE", "CANCEL", "INFO", "INVITE", "MESSAGE", "NOTIFY", "OPTIONS"),
        *("PRACK", "PUBLISH", "REFER", "REGISTER", "SUBSCRIBE", "UPDATE"),
    )
)
"""Methods with a registered meaning (IANA); any other token is a method too, answered with 501."""

REASONS: Final[dict[int, str]] = {
    100: "Trying",
    180: "Ringing",
    181: "Call Is Being Forwarded",
    182: "Queued",
    183: "Session Progress",
    199: "Early Dialog Terminated",
    200: "OK",
    202: "Accepted",
    204: "No Notification",
    300: "Multiple Choices",
    301: "Moved Permanently",
    302: "Moved Temporarily",
    305: "Use Proxy",
    380: "Alternative Service",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    410: "Gone",
    413: "Request Entity Too Large",
    414: "Request-URI Too Long",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    421: "Extension Required",
    422: "Session Interval Too Small",
    423: "Interval Too Brief",
    424: "Bad Location Information",
    428: "Use Identity Header",
    429: "Provide Referrer Identity",
    430: "Flow Failed",
    433: "Anonymity Disallowed",
    436: "Bad Identity Info",
    437: "Unsupported Credential",
    438: "Invalid Identity Header",
    439: "First Hop Lacks Outbound Support",
    440: "Max-Breadth Exceeded",
    469: "Bad Info Package",
    470: "Consent Needed",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    483: "Too Many Hops",
    484: "Address Incomplete",
    485: "Ambiguous",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    489: "Bad Event",
    491: "Request Pending",
    493: "Undecipherable",
    494: "Security Agreement Required",
    500: "Server Internal Error",
    501: "Not Implemented",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Server Time-out",
    505: "Version Not Supported",
    513: "Message Too Large",
    555: "Push Notification Service Not Supported",
    580: "Precondition Failure",
    600: "Busy Everywhere",
    603: "Decline",
    604: "Does Not Exist Anywhere",
    606: "Not Acceptable",
    607: "Unwanted",
    608: "Rejected",
}
"""Default reason phrases (RFC 3261 §21 and IANA's registry)."""


def split_outside(text: str, separator: str, limit: int) -> list[str] | None:
    """Split at `separator` outside quotes and angle brackets.

    None where quotes don't close or there are more than `limit` parts.
    """
    if '"' not in text and "<" not in text:
        parts = text.split(separator)
        return parts if len(parts) <= limit else None
    parts = []
    start = at = 0
    end = len(text)
    bracketed = False
    while at < end:
        char = text[at]
        if char == '"':
            quoted = QUOTED_STRING.match(text, at)
            if quoted is None:
                return None
            at = quoted.end()
            continue
        if char == "<":
            bracketed = True
        elif char == ">":
            bracketed = False
        elif char == separator and not bracketed:
            parts.append(text[start:at])
            if len(parts) >= limit:
                return None
            start = at + 1
        at += 1
    parts.append(text[start:])
    return parts


def unquote(text: str) -> str:
    """The text of a quoted-string without quotes and escapes; any other text as it is."""
    if len(text) >= 2 and text[0] == '"' == text[-1]:
        text = text[1:-1]
        return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL) if "\\" in text else text
    return text


def quote(text: str) -> str:
    """The text as a quoted-string, escaped as RFC 3261 §25.1 says."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
