"""Applies what an offer and its answer agreed on (RFC 3264) to a media port."""

from __future__ import annotations

from harness.endpoints.media import MediaPort, TextPort
from harness.endpoints.media.terms import Symmetric
from harness.protocols.sdp import Negotiated, NegotiatedText


async def join_speech(port: MediaPort, agreed: Negotiated, *, symmetric: Symmetric = "no") -> None:
    """Connect ``port`` to the peer that was agreed on; ``symmetric``: whether media may come from elsewhere (RFC 4961).

    Raises MediaError: the port is gone, or knows no such codec.
    """
    await port.connect(
        (agreed.host, agreed.port),
        payload_type=agreed.payload_type,
        codec=agreed.codec,
        dtmf_payload_type=agreed.dtmf_payload_type,
        send=agreed.sends,
        receive=agreed.receives,
        ptime=agreed.ptime,
        comfort_noise_payload_type=agreed.comfort_noise_payload_type,
        incoming=agreed.incoming,
        dtmf_clock=agreed.dtmf_clock,
        rtcp=agreed.rtcp,
        rtcp_mux=agreed.rtcp_mux,
        security=agreed.security,
        symmetric=symmetric,
    )


async def join_text(port: TextPort, agreed: NegotiatedText, *, symmetric: Symmetric = "no") -> None:
    """Connect a text port to the peer that was agreed on. Raises MediaError: the port is gone."""
    await port.connect(
        (agreed.host, agreed.port),
        payload_type=agreed.payload_type,
        redundant_payload_type=agreed.redundant_payload_type,
        generations=agreed.generations or 1,
        cps=agreed.cps,
        send=agreed.sends,
        receive=agreed.receives,
        incoming=agreed.incoming,
        rtcp=agreed.rtcp,
        rtcp_mux=agreed.rtcp_mux,
        security=agreed.security,
        symmetric=symmetric,
    )
