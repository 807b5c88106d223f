"""Caller location on the wire: both ends of a caller-location link, and a handset that posts its position."""

from harness.endpoints.location.aml_sender import AmlSender
from harness.endpoints.location.client import CallerLocationClient, Known, LinkChanged, LocationChanged, Notice
from harness.endpoints.location.codecs import codec_names, load_codec
from harness.endpoints.location.server import CallerLocationServer, LinkedClient, Questions

__all__ = [
    "AmlSender",
    "CallerLocationClient",
    "CallerLocationServer",
    "Known",
    "LinkChanged",
    "LinkedClient",
    "LocationChanged",
    "Notice",
    "Questions",
    "codec_names",
    "load_codec",
]
