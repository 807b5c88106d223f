"""SRTP and SRTCP of one session (RFC 3711, RFC 7714), both directions, on libsrtp through pylibsrtp.

The suites are those of SDES (RFC 4568 section 6.2): authentication of 80 or 32 bits over AES counter mode, and AES-GCM.
AES_256_CM (RFC 6188) is not among pylibsrtp's profiles.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from harness.errors import MediaError, RtpError
from harness.protocols.rtp.security import SUITES

if TYPE_CHECKING:
    import pylibsrtp

MAX_PACKET: Final = 1356
"""Octets of the largest packet that is secured: pylibsrtp has room for 1500 with all that may be added."""


class UnauthenticError(RtpError):
    """A packet that the session's key does not authenticate (RFC 3711 section 3.3)."""


class ReplayedError(RtpError):
    """A packet that came before, or is too old to tell (RFC 3711 section 3.3.2)."""


class SrtpSession:
    """The keys of one stream, both ways. Keys are handed in and never shown."""

    def __init__(self, suite: str, local_key: bytes, remote_key: bytes) -> None:
        """`suite`: its SDES name; keys: master key and salt. Raises MediaError for what can't be."""
        if suite not in SUITES:
            raise MediaError(f"no SRTP suite {suite!r}; there is {', '.join(SUITES)}")
        from pylibsrtp import Error, Policy  # noqa: PLC0415 - few streams are secured, and every process starts sooner

        self.suite = suite
        self._error = Error
        try:
            self._out = _session(suite, local_key, Policy.SSRC_ANY_OUTBOUND)
            self._in = _session(suite, remote_key, Policy.SSRC_ANY_INBOUND)
        except (Error, ValueError, TypeError) as error:
            raise MediaError(f"SRTP keys do not fit {suite}: {error}") from None

    def protect(self, packet: bytes) -> bytes:
        """Secure an RTP packet. Raises MediaError for one that is too long or whose number was used already."""
        return self._secured(packet, control=False)

    def protect_control(self, packet: bytes) -> bytes:
        """Secure a compound RTCP packet. Raises MediaError."""
        return self._secured(packet, control=True)

    def _secured(self, packet: bytes, *, control: bool) -> bytes:
        if len(packet) > MAX_PACKET:
            raise MediaError(f"a packet of {len(packet)} octets; at most {MAX_PACKET} can be secured")
        try:
            return bytes(self._out.protect_rtcp(packet) if control else self._out.protect(packet))
        except self._error as error:
            raise MediaError(f"SRTP can't secure a packet: {error}") from None

    def unprotect(self, packet: bytes) -> bytes:
        """The RTP packet within. Raises UnauthenticError, or ReplayedError when it came before."""
        return self._opened(packet, control=False)

    def unprotect_control(self, packet: bytes) -> bytes:
        """The RTCP packet within. Raises UnauthenticError, ReplayedError."""
        return self._opened(packet, control=True)

    def _opened(self, packet: bytes, *, control: bool) -> bytes:
        try:
            return bytes(self._in.unprotect_rtcp(packet) if control else self._in.unprotect(packet))
        except self._error as error:
            if "replay" in str(error):
                raise ReplayedError(f"SRTP: {error} (RFC 3711 section 3.3.2)") from None
            raise UnauthenticError(f"SRTP: {error} (RFC 3711 section 3.3)") from None
        except ValueError as error:
            raise UnauthenticError(f"SRTP: {error}") from None


def _session(suite: str, key: bytes, direction: int) -> pylibsrtp.Session:
    from pylibsrtp import Policy, Session  # noqa: PLC0415 - as above

    return Session(Policy(key, direction, srtp_profile=_profiles()[suite]))


@cache
def _profiles() -> dict[str, int]:
    """libsrtp's number of each suite."""
    from pylibsrtp import Policy  # noqa: PLC0415 - as above

    return {
        "AES_CM_128_HMAC_SHA1_80": Policy.SRTP_PROFILE_AES128_CM_SHA1_80,
        "AES_CM_128_HMAC_SHA1_32": Policy.SRTP_PROFILE_AES128_CM_SHA1_32,
        "AEAD_AES_128_GCM": Policy.SRTP_PROFILE_AEAD_AES_128_GCM,
        "AEAD_AES_256_GCM": Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
    }
