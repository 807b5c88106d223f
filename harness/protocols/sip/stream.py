"""Cuts SIP messages off a byte stream by Content-Length (RFC 3261 §18.3), for TCP and TLS, however slowly it comes."""

from __future__ import annotations

from typing import Final

from harness.errors import SipRemoteError
from harness.protocols.sip.grammar import LWS_FOLD, MAX_MESSAGE
from harness.protocols.sip.parse import content_length, head_lines

_END: Final = b"\r\n\r\n"
PING: Final = b"\r\n\r\n"
"""What a client sends to keep a connection alive (RFC 5626 §3.5.1)."""
PONG: Final = b"\r\n"
"""What the server answers to a PING."""


class StreamCutter:
    """Holds what came of a message that is not whole yet: at most MAX_MESSAGE bytes, each looked at once."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._looked = 0
        """How far the end of the headers was looked for in vain."""
        self._whole = 0
        """Length of the message under way, once its headers are here; 0 before."""
        self.pings = 0
        """Keep-alives (a double CR LF between messages) that came and were not yet answered; the owner sets it back."""
        self.problem: SipRemoteError | None = None
        """Why nothing more can be cut off: the stream has lost its rhythm, and the connection is to be closed."""

    def __len__(self) -> int:
        """Bytes that wait for the rest of their message; line ends between messages don't count."""
        return 0 if self._buffer[:1] == b"\r" else len(self._buffer)

    @property
    def rest(self) -> bytes:
        """What came and was not cut off."""
        return bytes(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes; returns the messages that they complete.

        `problem` is set where a message has no Content-Length, or grows past MAX_MESSAGE; nothing is taken after that.
        """
        messages: list[bytes] = []
        if self.problem is not None:
            return messages
        self._buffer += data
        try:
            while (message := self._next()) is not None:
                messages.append(message)
        except SipRemoteError as error:
            self.problem = error
        return messages

    def _next(self) -> bytes | None:
        buffer = self._buffer
        if not self._whole:
            if not buffer or (buffer[:1] == b"\r" and not self._skip_empty_lines()):
                return None
            end = buffer.find(_END, max(0, self._looked - 3))
            if end < 0:
                self._looked = len(buffer)
                if len(buffer) > MAX_MESSAGE:
                    raise SipRemoteError(f"no end of headers in {len(buffer)} bytes")
                return None
            self._whole = end + 4 + _body_length(bytes(buffer[:end]))
            if self._whole > MAX_MESSAGE:
                raise SipRemoteError(f"a message of {self._whole} bytes; at most {MAX_MESSAGE}")
        if len(buffer) < self._whole:
            return None
        message = bytes(buffer[: self._whole])
        del buffer[: self._whole]
        self._looked = self._whole = 0
        return message

    def _skip_empty_lines(self) -> bool:
        """Drop empty lines between messages (§7.5), count those that are a keep-alive; whether a message may follow.

        Raises SipRemoteError on a carriage return that ends no line.
        """
        buffer = self._buffer
        at = 0
        while buffer.startswith(b"\r\n", at) and bytes(buffer[at + 2 : at + 4]) not in (b"", b"\r"):
            ping = buffer.startswith(PING, at)
            self.pings += ping
            at += len(PING) if ping else 2
        del buffer[:at]
        self._looked = 0
        if buffer[:1] != b"\r":
            return True
        if not PING.startswith(bytes(buffer)):
            raise SipRemoteError("a bare CR where a message is due")
        return False  # what is left may be the first part of a keep-alive


def _body_length(head: bytes) -> int:
    text = head.decode("utf-8", "surrogateescape")
    lengths = [
        value.strip()
        for name, _, value in (line.partition(":") for line in head_lines(LWS_FOLD.sub(" ", text))[1:])
        if name.strip().lower() in ("content-length", "l")
    ]
    if not lengths:
        raise SipRemoteError("no Content-Length on a stream")
    return content_length(lengths, MAX_MESSAGE)
