"""Header names (RFC 3261 §7.3.1): any spelling, long or compact, to the one key that a message is indexed by."""

from __future__ import annotations

from typing import Final

from harness.errors import SipRemoteError
from harness.protocols.sip.grammar import COMPACT_FORMS, TOKEN

_KNOWN_NAMES: Final = """
    Accept Accept-Contact Accept-Encoding Accept-Language Alert-Info Allow Allow-Events Answer-Mode
    Authentication-Info Authorization Call-ID Call-Info Contact Content-Disposition Content-Encoding Content-ID
    Content-Language Content-Length Content-Type CSeq Date Diversion Error-Info Event Expires From Geolocation
    Geolocation-Error Geolocation-Routing History-Info Identity In-Reply-To Info-Package Join Max-Forwards
    MIME-Version Min-Expires Min-SE Organization P-Access-Network-Info P-Asserted-Identity P-Asserted-Service
    P-Preferred-Identity P-Preferred-Service P-RTP-Stat Path Priority Privacy Proxy-Authenticate
    Proxy-Authentication-Info Proxy-Authorization Proxy-Require RAck Reason Record-Route Recv-Info Refer-Sub Refer-To
    Referred-By Remote-Party-ID Replaces Reply-To Require Resource-Priority Retry-After Route RSeq Server
    Service-Route Session-Expires Session-ID SIP-ETag SIP-If-Match Subject Subscription-State Supported Target-Dialog
    Timestamp To Unsupported User-Agent User-to-User Via Warning WG67-Version WWW-Authenticate
"""
KEYS: Final[dict[str, str]] = {
    **{name: name.lower() for name in _KNOWN_NAMES.split()},
    **{name.lower(): name.lower() for name in _KNOWN_NAMES.split()},
    **COMPACT_FORMS,
    **{name.upper(): long for name, long in COMPACT_FORMS.items()},
}
"""Names as they are mostly written, so that the lookup costs no lower(); any other spelling goes through `key_of`."""


def key_of(name: str) -> str:
    """The index key of a header name that is not among KEYS; raises SipRemoteError."""
    # Blanks before the colon are allowed (§7.3.1); blanks elsewhere are not part of a token.
    bare = name.rstrip(" \t")
    if TOKEN.fullmatch(bare) is None:
        raise SipRemoteError(f"not a header name: {name[:40]!r}")
    lower = bare.lower()
    return COMPACT_FORMS.get(lower, lower)
