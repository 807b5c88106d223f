"""A radio of plain sockets: knows nothing of the harness, only what the sheet on ED-137 says. Run as a program.

It prints the SIP port it takes INVITEs at, answers one session with PTT id 9, tells PTT back, and once the key is up
says again what was said to it, with the squelch open. When the session is over it prints, as JSON, what it saw.
"""

import json
import re
import select
import socket
import struct
import time

PERIOD_S = 0.1
ID = 9
QUALITY = 6
GIVES_UP_S = 60.0

sip = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sip.bind(("127.0.0.1", 0))
rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
rtp.bind(("127.0.0.1", 0))
print(sip.getsockname()[1], flush=True)  # noqa: T201


def header(message: str, name: str) -> str:
    found = re.search(rf"^{name}\s*:\s*(.*?)\s*$", message, re.IGNORECASE | re.MULTILINE)
    return found.group(1) if found else ""


def answer(message: str, to: tuple[str, int], body: str = "", extra: str = "") -> None:
    vias = re.findall(r"^(Via\s*:.*?)\r?$", message, re.IGNORECASE | re.MULTILINE)
    tag = "" if "tag=" in header(message, "To") else ";tag=plain1"
    lines = ["SIP/2.0 200 OK", *vias, f"From: {header(message, 'From')}", f"To: {header(message, 'To')}{tag}"]
    lines += [f"Call-ID: {header(message, 'Call-ID')}", f"CSeq: {header(message, 'CSeq')}"]
    lines += [f"Contact: <sip:radio@127.0.0.1:{sip.getsockname()[1]}>", *([extra] if extra else [])]
    lines += ["Content-Type: application/sdp"] if body else []
    sip.sendto("\r\n".join([*lines, f"Content-Length: {len(body)}", "", body]).encode(), to)


def described() -> str:
    lines = ["v=0", "o=radio 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0"]
    lines += [f"m=audio {rtp.getsockname()[1]} RTP/AVP 8 123", "a=rtpmap:8 PCMA/8000", "a=rtpmap:123 R2S/8000"]
    lines += ["a=type:radio", "a=txrxmode:TxRx", "a=bss:RSSI", "a=sigtime:1", f"a=ptt-id:{ID}", "a=rtphe:1"]
    lines += ["a=R2S-KeepAlivePeriod:100", "a=R2S-KeepAliveMultiplier:5"]
    return "".join(f"{line}\r\n" for line in lines)


class Sender:
    """RTP with the extension word of 2011."""

    def __init__(self) -> None:
        self.sequence, self.began = 65_530, time.monotonic()  # soon past the wrap

    def send(self, to: tuple[str, int], kind: int, ptt: int, squelch: bool, payload: bytes, stamp: int) -> None:
        word = ptt << 13 | squelch << 12 | (ID if ptt else 0) << 6 | squelch
        # Type 1, one octet: index in the upper five bits, method 0 (RSSI); padded to 32 bits.
        extension = struct.pack("!HBB", word, 0x11, QUALITY << 3) if squelch else struct.pack("!HH", word, 0)
        head = struct.pack("!BBHII", 0x90, kind, self.sequence & 0xFFFF, stamp & 0xFFFFFFFF, 0xABCD1234)
        rtp.sendto(head + struct.pack("!HH", 0x0167, 1) + extension + payload, to)
        self.sequence += 1

    def now(self) -> int:
        return round((time.monotonic() - self.began) * 8000)


def main() -> None:
    seen: dict[str, object] = {"wrong": [], "keyed": 0, "keep_alives": 0, "types": [], "longest_s": 0.0}
    wrong: list[str] = []
    types: set[int] = set()
    sender, peer = Sender(), None
    said: list[bytes] = []
    ptt, last_heard, longest, keyed, keep_alives = 0, 0.0, 0.0, 0, 0
    next_alive = next_frame = 0.0
    parrot: list[bytes] = []
    stamp = 0
    until = time.monotonic() + GIVES_UP_S
    while time.monotonic() < until:
        ready, _, _ = select.select([sip, rtp], [], [], 0.002)
        now = time.monotonic()
        if sip in ready:
            data, source = sip.recvfrom(65_535)
            message = data.decode()
            if message.startswith("INVITE"):
                for name, due in (("WG67-Version", "radio.01"), ("Subject", "radio"), ("Priority", "normal")):
                    if header(message, name) != due:
                        wrong.append(f"{name} {header(message, name)!r}")
                for line in ("a=type:Radio-TxRx", "a=rtphe:1", "a=rtpmap:123 R2S/8000", "a=txrxmode:TxRx"):
                    if line not in message:
                        wrong.append(f"no {line}")
                port = int(re.search(r"^m=audio (\d+)", message, re.MULTILINE).group(1))  # type: ignore[union-attr]
                peer, last_heard = ("127.0.0.1", port), now
                answer(message, source, described(), "WG67-Version: radio.02")
            elif message.startswith("BYE"):
                answer(message, source)
                break
        if rtp in ready:
            data, source = rtp.recvfrom(65_535)
            flags, kind, _, _, _, profile, words = struct.unpack("!BBHIIHH", data[:16])
            (word,) = struct.unpack("!H", data[16:18])
            payload = data[16 + 4 * words :]
            longest, last_heard = max(longest, now - last_heard), now
            if (flags, profile) != (0x90, 0x0167) or source != peer:
                wrong.append(f"flags {flags:02x}, profile {profile:04x} from {source}")
            before, ptt = ptt, word >> 13
            if (word >> 6 & 63) != (ID if ptt else 0):
                wrong.append(f"PTT {ptt} under id {word >> 6 & 63}")
            if kind & 0x7F == 123:
                keep_alives += 1
                if payload:
                    wrong.append("a keep-alive with a payload")
            elif ptt:
                said.append(payload)
            if ptt:
                types.add(ptt)
            keyed += before == 0 < ptt
            if before and not ptt:
                parrot, said, next_frame, stamp = said, [], now + 0.3, sender.now() + 2400
            if before != ptt:
                next_alive = now
        if peer is None:
            continue
        if parrot and now >= next_frame:
            sender.send(peer, 8, 0, True, parrot.pop(0), stamp)
            stamp, next_frame, next_alive = stamp + 160, next_frame + 0.02, now + PERIOD_S if parrot else now
        elif now >= next_alive:
            sender.send(peer, 123, ptt, bool(parrot), b"", sender.now())
            next_alive = now + PERIOD_S
    seen |= {"wrong": wrong, "keyed": keyed, "keep_alives": keep_alives, "types": sorted(types), "longest_s": longest}
    print(json.dumps(seen), flush=True)  # noqa: T201


main()
