"""How many radio messages one core writes and reads again a second: PEI, SDS, LIP, ED-137 and MCPTT floor control.

    python -m bench.radio_codecs

A turn is: the object to what goes over the wire, and that to an equal object again (which is seen before its speed
counts). Every message of a round differs from the others in all that varies on the air, so that nothing remembered of
one serves the next. The peer beside each, in the same run, is the least that anybody can do with the same bytes:
`str.split` and `str.join` for lines, `struct` for binary messages, with no check of any value and no object made. The
best of three rounds counts, for both.
"""

from __future__ import annotations

import json
import struct
import time
from collections.abc import Callable, Sequence
from typing import Any

from harness.protocols.ed137 import extension
from harness.protocols.ed137.extension import Ptt, RadioState
from harness.protocols.ed137.features import SignalQuality
from harness.protocols.mcptt.messages import FloorMessage, FloorType, read_datagram, write_datagram
from harness.protocols.pei.codes import Grant, PartyType
from harness.protocols.pei.unsolicited import TransmissionGrant, parse_unsolicited
from harness.protocols.tetra import lip, sds
from harness.protocols.tetra.lip import ShortLocation
from harness.protocols.tetra.sds import ReportRequest, TextTransfer

DIFFERENT = 1_000
ROUNDS, SECONDS = 3, 0.5
_TEXT = "Attend 12 Testbed Street, Govan: caller reports a smoke alarm, no flames seen. Unit %04d."
_LIP = struct.Struct(">BQH")
_EXTENSION = struct.Struct(">HBB")


def _per_second(work: Callable[[Any], object], things: Sequence[Any]) -> float:
    best = 0.0
    for _ in range(ROUNDS):
        count, began = 0, time.perf_counter()
        while time.perf_counter() < began + SECONDS:
            for thing in things:
                work(thing)
            count += len(things)
        best = max(best, count / (time.perf_counter() - began))
    return best


def _pei() -> tuple[Any, ...]:
    talkers = [f"0901163804{number:06}"[:17] for number in range(DIFFERENT)]
    codes = [
        TransmissionGrant(1 + at % 4, Grant.GRANTED_TO_ANOTHER, 0, 0, PartyType.TSI, talker)
        for at, talker in enumerate(talkers)
    ]

    def peer(line: str) -> str:
        prefix, _, fields = line.partition(":")
        return prefix + ": " + ",".join([field.strip() for field in fields.split(",")])

    return "PEI lines (+CTXG)", codes, lambda code: parse_unsolicited(code.line()), peer, lambda code: code.line()


def _sds_tl() -> tuple[Any, ...]:
    texts = [TextTransfer(_TEXT % at, at % 256, ReportRequest.RECEIVED) for at in range(DIFFERENT)]

    def peer(payload: bytes) -> bytes:
        protocol, kind, reference, coding = struct.unpack_from(">BBBB", payload)
        text = payload[4:].decode("latin-1")
        return struct.pack(">BBBB", protocol, kind, reference, coding) + text.encode("latin-1")

    return "SDS-TL texts", texts, lambda text: sds.decode(sds.encode(text)), peer, sds.encode


def _short_locations() -> tuple[Any, ...]:
    step = 360 / 2**25
    reports = [
        ShortLocation(
            round(-4.25 / step + 97 * at) * step, round(55.86 / step + 89 * at) * step, at % 7, at % 127, at % 16
        )
        for at in range(DIFFERENT)
    ]

    def peer(payload: bytes) -> bytes:
        return _LIP.pack(*_LIP.unpack(payload))

    return "LIP short reports", reports, lambda each: lip.decode(each.encode()), peer, ShortLocation.encode


def _ed137() -> tuple[Any, ...]:
    states = [
        RadioState(Ptt(at % 6), squelch=bool(at & 1), ptt_id=at % 64, features=(SignalQuality(at % 16),))
        for at in range(DIFFERENT)
    ]

    def peer(data: bytes) -> bytes:
        return _EXTENSION.pack(*_EXTENSION.unpack(data))

    return (
        "ED-137 header extensions",
        states,
        lambda state: extension.read(extension.write(state)).state,
        peer,
        lambda state: extension.write(state).data,
    )


def _floor() -> tuple[Any, ...]:
    messages = [
        FloorMessage(FloorType.REQUEST, 0x10000000 + at, priority=at % 256, indicator=0x8000, sequence=at)
        for at in range(DIFFERENT)
    ]
    size = len(write_datagram(messages[0]))
    tail = struct.Struct(f">{size - 12}s")

    def peer(data: bytes) -> bytes:
        head = struct.unpack_from(">BBHI4s", data)
        return struct.pack(">BBHI4s", *head) + tail.pack(*tail.unpack_from(data, 12))

    return "MCPTT floor requests", messages, lambda each: read_datagram(write_datagram(each))[0], peer, write_datagram


def measure() -> list[dict[str, Any]]:
    """Each kind: turns a second, the peer's, their ratio, and octets of one message."""
    rows = []
    for what, objects, turn, peer, write in (_pei(), _sds_tl(), _short_locations(), _ed137(), _floor()):
        assert all(turn(each) == each for each in objects), (
            f"{what}: the round trip must be exact before its speed counts"
        )
        wire = [write(each) for each in objects]
        assert all(peer(each) == each for each in wire), f"{what}: the peer must give back what it was given"
        ours, least = _per_second(turn, objects), _per_second(peer, wire)
        row = {"what": what, "octets": len(wire[0]), "per_second": round(ours), "peer_per_second": round(least)}
        rows.append({**row, "peer": "split and join" if isinstance(wire[0], str) else "struct"})
    return rows


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
