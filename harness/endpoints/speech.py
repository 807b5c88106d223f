"""Applies what an offer and its answer agreed on (RFC 3264) to a media port."""

from __future__ import annotations

from typing import Final

from harness.endpoints.media import MediaPort, TextPort
from harness.endpoints.media.terms import Symmetric
from harness.protocols.sdp import Negotiated, NegotiatedText

DISCARD: Final = 9
"""The port that a description names where no media is sent, RFC 863's."""


def symmetry(agreed: Negotiated | NegotiatedText, signalled_from: str | None, usual: Symmetric = "no") -> Symmetric:
    """How media is let in that comes from elsewhere than it was described (RFC 4961).

    A telephone behind a NAT, or with several addresses, describes one at which it is not: where that is not the host
    that its signalling comes from (``signalled_from``; None: unknown), whoever sends first is latched on.
    """
    return "any" if signalled_from is not None and agreed.host != signalled_from else usual


async def join_speech(
    port: MediaPort, agreed: Negotiated, *, symmetric: Symmetric = "no", own_port: int | None = None
) -> None:
    """Connect ``port`` to the peer that was agreed on; ``symmetric``: whether media may come from elsewhere (RFC 4961).

    Where there is to be no media, and the peer names no port for it, or we do by ``own_port`` in our description, this
    costs nothing until something else is agreed. Raises MediaError: the port is gone, or knows no such codec.
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
        rests=agreed.direction == "inactive" and DISCARD in (agreed.port, own_port),
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
