"""Applies what an offer and its answer agreed on (RFC 3264) to a media port."""

from __future__ import annotations

from harness.endpoints.media import MediaPort
from harness.protocols.sdp import Negotiated


async def join_speech(port: MediaPort, agreed: Negotiated) -> None:
    """Connect ``port`` to the peer that was agreed on. Raises MediaError: the port is gone, or knows no such codec."""
    await port.connect(
        (agreed.host, agreed.port),
        payload_type=agreed.payload_type,
        codec=agreed.codec,
        dtmf_payload_type=agreed.dtmf_payload_type,
        send=agreed.sends,
        receive=agreed.receives,
    )
