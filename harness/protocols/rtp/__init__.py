"""RTP, RTCP, telephone events and G.711: datagrams and samples, without sockets or clocks."""

from harness.protocols.rtp.dtmf import DtmfEvent, DtmfReceiver, DtmfSender, Tone
from harness.protocols.rtp.g711 import CODECS, Codec, codec_named
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
    "build_compound",
    "codec_named",
    "parse_compound",
]
