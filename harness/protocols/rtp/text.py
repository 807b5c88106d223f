"""Real-time text: T.140 in RTP with redundancy, sent and received (RFC 4103, RFC 2198, ITU-T T.140).

Theory. What is typed is collected for BUFFER_S and sent as one T140block; each packet repeats the blocks of the two
packets before it, and when the typing stops, empty blocks follow until the last text was repeated as often. A block's
place is its packet's sequence number, a repeated one's that of the packet it first came in; so a receiver fills the
places of lost packets from later ones, waits REORDER_S for what may only be late, and then reads U+FFFD for each block
that is gone. A byte order mark (U+FEFF) opens a session and keeps an idle path alive; it is nothing to read.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

from harness.errors import MediaError, RtpError
from harness.protocols.rtp.redundancy import MAX_BLOCK, MAX_OFFSET, Block, build_redundant, parse_redundant

CLOCK: Final = 1000
"""RTP timestamp units a second."""
BUFFER_S: Final = 0.3
"""How long text is collected (RFC 4103 section 5.2)."""
REORDER_S: Final = 1.0
"""How long a missing block is waited for (section 5.4)."""
KEEP_ALIVE_S: Final = 10.0
"""Idle seconds after which a byte order mark is sent: within a NAT's patience for UDP (RFC 4787 REQ-5: 2 minutes)."""
RATE_WINDOW_S: Final = 10.0
"""Over which a peer's limit of characters a second is averaged (section 6)."""
LOST: Final = "\N{REPLACEMENT CHARACTER}"
"""What marks a lost block (T.140 amendment 1)."""
MARK: Final = "\N{ZERO WIDTH NO-BREAK SPACE}"
"""The byte order mark."""
ERASE: Final = "\b"
LINE: Final = "\N{LINE SEPARATOR}"
MAX_WAITING: Final = 10_000
"""Characters that may wait to be sent."""
MAX_PENDING: Final = 64
"""Blocks that may wait behind a missing one; then it is given up at once."""
MAX_LEAP: Final = 1000
"""Sequence numbers that a packet may be away from the one due; beyond it the sender has started over."""

_SEQUENCES: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class TextPacket:
    """What goes into one RTP packet."""

    payload_type: int
    payload: bytes
    marker: bool
    """The first packet after silence (RFC 4103 section 3)."""
    text: str
    """What is new in it."""


class TextSender:
    """Collects what is typed and says what each packet carries."""

    def __init__(
        self, payload_type: int, *, redundant_payload_type: int | None = None, generations: int = 2, cps: int = 30
    ) -> None:
        """`payload_type`: of t140; `redundant_payload_type`: of red, None: nothing is repeated; `cps`: the peer's."""
        self._plain = payload_type
        self._redundant = redundant_payload_type
        self._generations = generations if redundant_payload_type is not None else 0
        self._cps = cps
        self._allowance = 0.0
        self._waiting = MARK
        self._earlier: deque[tuple[int, bytes]] = deque(maxlen=self._generations or None)
        self._owed = 0  # packets that must still repeat something
        self._last = float("-inf")
        self._idle = True

    @property
    def waiting(self) -> int:
        """Characters that have not left yet."""
        return len(self._waiting)

    @property
    def unsent(self) -> str:
        """What has been typed and has not left yet."""
        return self._waiting.replace(MARK, "")

    def write(self, text: str) -> None:
        """Type. Raises MediaError when more than MAX_WAITING characters would wait, or for half a surrogate pair."""
        if len(self._waiting) + len(text) > MAX_WAITING:
            raise MediaError(f"{len(self._waiting)} characters of text wait to be sent already, at most {MAX_WAITING}")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise MediaError(f"not text that can be sent: {error}") from None
        self._waiting += text

    def next_packet(self, now: float, timestamp: int) -> TextPacket | None:
        """What to send at `now` (seconds), whose RTP timestamp is `timestamp`; None for nothing. Ask often."""
        since = now - self._last
        if since < BUFFER_S:
            return None
        most = self._cps * RATE_WINDOW_S
        allowed = most if since == float("inf") else min(most, self._allowance + since * self._cps)
        if not self._owed and not (self._waiting and allowed >= 1):
            self._idle = True
            if since < KEEP_ALIVE_S:
                return None
            self._waiting = self._waiting or MARK
        text = self._take(int(allowed))
        self._allowance = allowed - len(text)
        marker, self._idle, self._last = self._idle, False, now
        payload = text.encode()
        packet = self._packet(payload, timestamp, marker=marker, text=text)
        self._owed = self._generations if text else max(0, self._owed - 1)
        if self._generations:
            self._earlier.append((timestamp, payload))
        return packet

    def _take(self, allowed: int) -> str:
        """As much of what waits as the peer's limit, and a redundant block, allow."""
        text = self._waiting[:allowed]
        while len(text.encode()) > MAX_BLOCK:
            text = text[: len(text) * 3 // 4]
        self._waiting = self._waiting[len(text) :]
        return text

    def _packet(self, payload: bytes, timestamp: int, *, marker: bool, text: str) -> TextPacket:
        if self._redundant is None:
            return TextPacket(self._plain, payload, marker, text)
        blocks = [Block(self._plain, (timestamp - then) % 2**32, earlier) for then, earlier in self._earlier]
        # what is too old for the offset's 14 bits is not repeated, nor is what came before it
        while blocks and blocks[0].offset > MAX_OFFSET:
            del blocks[0]
        return TextPacket(self._redundant, build_redundant(self._plain, payload, blocks), marker, text)


class TextReceiver:
    """Puts blocks in order, once each, with a mark for each that is gone."""

    def __init__(self, payload_type: int, *, redundant_payload_type: int | None = None) -> None:
        self._plain = payload_type
        self._redundant = redundant_payload_type
        self._due: int | None = None  # extended sequence number of the next block to read
        self._pending: dict[int, tuple[bytes, float]] = {}  # blocks behind a gap, and when each came
        self.lost = 0
        """Blocks that never came in any packet."""
        self.recovered = 0
        """Blocks that came only in the packets after theirs."""

    @property
    def waiting(self) -> bool:
        """Whether blocks wait behind a missing one: ask `expire` as time goes by."""
        return bool(self._pending)

    def receive(self, payload_type: int, sequence: int, payload: bytes, now: float) -> str:
        """Take a packet; return what can now be read. Raises RtpError for a payload that is none."""
        if payload_type == self._redundant:
            newest, block, earlier = parse_redundant(payload)
            if newest != self._plain or any(each.payload_type != self._plain for each in earlier):
                raise RtpError("redundant text of another payload type than the text's (RFC 4103 section 4)")
            blocks = [*(each.payload for each in earlier), block]
        else:
            blocks = [payload]
        marks = ""
        if self._due is None:
            # what was repeated from before we listened counts as well
            self._due = sequence + _SEQUENCES - len(blocks) + 1
        place = self._due + (sequence - self._due + _SEQUENCES // 2) % _SEQUENCES - _SEQUENCES // 2
        if abs(place - self._due) > MAX_LEAP:
            marks, place = self._start_over(sequence)
        for back, each in enumerate(reversed(blocks)):
            if place - back >= self._due and place - back not in self._pending:
                self._pending[place - back] = each, now
                self.recovered += back > 0 and len(each) > 0
        read = marks + self._read()
        while len(self._pending) > MAX_PENDING:
            read += self._give_up()
        return read

    def expire(self, now: float) -> str:
        """Give up blocks that were waited for long enough; return what can now be read."""
        read = ""
        while self._pending and now - self._pending[min(self._pending)][1] >= REORDER_S:
            read += self._give_up()
        return read

    def finish(self) -> str:
        """The stream is over: give up every block that is waited for."""
        read = ""
        while self._pending:
            read += self._give_up()
        return read

    def _start_over(self, sequence: int) -> tuple[str, int]:
        read = self.finish()
        self._due = sequence + _SEQUENCES
        self.lost += 1
        return read + LOST, self._due

    def _read(self) -> str:
        assert self._due is not None
        read = ""
        while self._due in self._pending:
            read += _text(self._pending.pop(self._due)[0])
            self._due += 1
        return read

    def _give_up(self) -> str:
        """Mark what is missing before the first block that waits, and read on."""
        assert self._due is not None
        missing = min(self._pending) - self._due
        self.lost += missing
        self._due += missing
        return LOST * missing + self._read()


def _text(block: bytes) -> str:
    return block.decode(errors="replace").replace(MARK, "")


def shown(text: str) -> str:
    """What a reader sees of received text: erasures carried out, line separators as line breaks."""
    line: list[str] = []
    for each in text.replace("\r\n", "\n").replace(LINE, "\n"):
        if each != ERASE:
            line.append(each)
        elif line:
            line.pop()
    return "".join(line)
