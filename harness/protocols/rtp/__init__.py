"""RTP, RTCP, SRTP, telephone events, comfort noise, real-time text, codecs: datagrams and samples, without sockets."""

from harness.protocols.rtp.codecs import Codec, available_codecs, codec_named, require_codec
from harness.protocols.rtp.dtmf import DtmfEvent, DtmfReceiver, DtmfSender, Tone
from harness.protocols.rtp.g711 import CODECS
from harness.protocols.rtp.rtcp import (
    App,
    Bye,
    ReceiverReport,
    ReportBlock,
    RtcpPacket,
    SenderReport,
    SourceDescription,
    UnknownRtcp,
    build_compound,
    parse_compound,
)
from harness.protocols.rtp.rtp import Extension, RtpPacket
from harness.protocols.rtp.statistics import Arrival, Reception

__all__ = [
    "CODECS",
    "App",
    "Arrival",
    "Bye",
    "Codec",
    "DtmfEvent",
    "DtmfReceiver",
    "DtmfSender",
    "Extension",
    "ReceiverReport",
    "Reception",
    "ReportBlock",
    "RtcpPacket",
    "RtpPacket",
    "SenderReport",
    "SourceDescription",
    "Tone",
    "UnknownRtcp",
    "available_codecs",
    "build_compound",
    "codec_named",
    "parse_compound",
    "require_codec",
]
