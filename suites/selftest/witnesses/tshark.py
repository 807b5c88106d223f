"""A run's pcap as tshark dissects it: by what our ports speak, never by what a port's number is registered for."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from suites.selftest.witness import need

TSHARK_WITHIN_S = 60.0
FIRST_PORT_OF_ANYBODY = 1024
"""Ports from here on may be given to our sockets by the system (RFC 6335 section 6)."""
SPOKEN = frozenset({"sip", "rtp", "rtcp"})


class Capture:
    """A pcap and what its ports speak: `spoken` by port, the rest RTP and RTCP where an SDP in the pcap says so.

    A port that the system chose may be registered for another protocol (37008 is TZSP's): what Wireshark would read by
    such a number alone is switched off.
    """

    def __init__(self, pcap: Path, spoken: Mapping[int, str]) -> None:
        tshark = need("tshark", package="tshark")
        self._command = [tshark, "-n", "-r", str(pcap)]
        for protocol in registered(tshark) - SPOKEN:
            self._command += ["--disable-protocol", protocol]
        for port, protocol in spoken.items():
            self._command += ["-d", f"udp.port=={port},{protocol}"]

    def rows(self, display: str, *fields: str) -> list[list[str]]:
        """The fields of each packet that a display filter lets through."""
        command = [*self._command, "-Y", display, "-T", "fields"]
        for field in fields:
            command += ["-e", field]
        return [line.split("\t") for line in _told(command).splitlines()]


@cache
def registered(tshark: str) -> frozenset[str]:
    """The protocols that tshark reads for a UDP port's number that may be one of ours."""
    rows = (line.split("\t") for line in _told([tshark, "-G", "decodes"]).splitlines())
    return frozenset(
        protocol for table, port, protocol in rows if table == "udp.port" and int(port) >= FIRST_PORT_OF_ANYBODY
    )


def _told(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=TSHARK_WITHIN_S).stdout
