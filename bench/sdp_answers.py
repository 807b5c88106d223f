"""How many SDP offers of one audio stream are read and answered a second: what every call costs beside its SIP."""

from __future__ import annotations

import timeit

from harness.protocols import sdp

OFFER = (
    b"v=0\r\no=user1 53655765 2353687637 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    b"m=audio 6000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
)
"""SIPp's own."""
ROUNDS, REPEATS = 20_000, 7


def measure() -> dict[str, float]:
    """Answers a second of one core, and how often the same text can be split into lines and lines into fields."""
    answers = min(timeit.repeat(lambda: sdp.answer(OFFER, "127.0.0.1", 40_000), number=ROUNDS, repeat=REPEATS))
    split = min(
        timeit.repeat(
            lambda: [line.partition("=") for line in OFFER.decode().split("\r\n")], number=ROUNDS, repeat=REPEATS
        )
    )
    return {"answers_per_second": ROUNDS / answers, "split_only_per_second": ROUNDS / split}


if __name__ == "__main__":
    print({name: round(value) for name, value in measure().items()})
