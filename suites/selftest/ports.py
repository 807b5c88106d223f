"""Ports for programs that must be told theirs before they bind it."""

from __future__ import annotations

import contextlib
import random
import socket

LOWEST, HIGHEST = 20_000, 32_000
"""Below what systems give out by themselves (RFC 6335: from 49152; Linux: from 32768): nobody gets one between the
look and the program's own bind, as a port of an outgoing connection."""
TRIES = 100

_lots = random.SystemRandom()


def free_port() -> int:
    """An even port of loopback that nobody has, nor the one above it, by UDP and by TCP."""
    for _ in range(TRIES):
        port = _lots.randrange(LOWEST, HIGHEST, 2)
        if all(_free(each, kind) for each in (port, port + 1) for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM)):
            return port
    raise AssertionError(f"no two free ports in a row among {TRIES} looked at")


def _free(port: int, kind: socket.SocketKind) -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", port))
        return True
    return False
