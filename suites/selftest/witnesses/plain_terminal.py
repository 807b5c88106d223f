"""A TETRA terminal in bytes written by hand, on a pseudo-terminal: run as a program, it imports nothing of ours.

It knows what the PEI's sheet of facts says, and is awkward where that allows it: codes between a command and its reply,
blanks here and none there, 21 hex digits for 84 bits, a call's trailing fields left out, noise between lines. Prints
its line's path, then, when its standard input ends, what it was told.
"""

import json
import os
import select
import sys
import tty
from collections.abc import Callable

OK = b"\r\nOK\r\n"
IDENTITY = b"\r\n+CNUMF:0,09011638304001234\r\n"
NOISE = b"\x11\x13" * 40 + b"\r\n\x00\xff garbage\r\n+CTXG: what\r\n+CTSDSR: 12,4000001,0,4001234,0,84\r\n0A00\r\n"
ENDLESS = b"A" * 100_000

told: list[str] = []


def answer(line: str, write: Callable[[bytes], None]) -> bool:
    """Takes a command; tells whether a message's body follows."""
    told.append(line)
    if line == "AT+CNUMF?":
        write(b"\r\n+CTOM: 0\r\n\r\n+CSQ: 20,0\r\n" + IDENTITY + OK)
    elif line == "AT+CTSP=1,3,131":
        write(b"\r\n+CME ERROR: 34\r\n")
    elif line.startswith("AT+CMGS="):
        return True
    elif line == "ATD2001":
        write(OK + b"\r\n+CTOCP: 1,0,0,1,0\r\n\r\n+CTCC:1,1,1,0,0,1,1,0\r\n\r\n+CTXG: 1,0,0,0\r\n")
    elif line == "AT+CUTXC=1":
        write(OK + b"\r\n+CTXG:1,3,0,0,1,09011638304000001\r\n")
    elif line == "AT+CTXD=1,0":
        write(b"\r\n+CTXG: 1,2,0,0\r\n" + OK + b"\r\n+CDTXC: 1,0\r\n\r\n+CTXG: 1,0,0,0\r\n")
    elif line == "ATH":
        write(OK)
    elif line == "AT+XNOISE":
        write(NOISE + ENDLESS + b"\r\n" + OK)
    elif line == "AT+XCALL":
        write(OK + b"\r\n+CTICN: 2,0,0,1,09011638304000001,0,0,0,0\r\n")
    elif line == "ATA":
        write(OK + b"\r\n+CTCC: 2,0,0,0,0,0,1\r\n")
    elif line == "AT+XPLACE":
        head = b"\r\n+CTSDSR: 12,4000001,0,4001234,0,84\r\n"
        # The reply to the command stands between two messages; the second leaves the calling party out.
        write(head + b"0A0088BD4247F737FFE81\r\n" + OK + b"\r\n+CTSDSR: 13,4001234,1,16\r\n8005\r\n")
    else:
        write(OK)
    return False


def main() -> None:
    """Offers the line and serves it until standard input ends."""
    master, slave = os.openpty()
    tty.setraw(slave)
    print(os.ttyname(slave), flush=True)  # noqa: T201
    waiting = b""
    body_due = False
    instance = 0

    def write(data: bytes) -> None:
        while data:
            data = data[os.write(master, data) :]

    while True:
        ready, _, _ = select.select([master, sys.stdin], [], [])
        if sys.stdin in ready and not os.read(0, 1024):
            break
        if master not in ready:
            continue
        waiting += os.read(master, 4096)
        while True:
            end = b"\x1a" if body_due else b"\r"
            if end not in waiting:
                break
            taken, _, waiting = waiting.partition(end)
            text = taken.strip(b"\r\n").decode("ascii", "replace")
            waiting = waiting.lstrip(b"\n")
            if body_due:
                body_due = False
                instance += 1
                told.append(text)
                write(b"\r\n+CMGS: %d\r\n" % instance + OK + b"\r\n+CSQ:21,0\r\n\r\n+CMGS: %d,4\r\n" % instance)
            elif text:
                body_due = answer(text, write)
    print(json.dumps(told))  # noqa: T201


if __name__ == "__main__":
    main()
