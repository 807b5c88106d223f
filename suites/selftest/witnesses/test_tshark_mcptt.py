"""tshark reads every floor control message that we write, and finds in its fields what we meant."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.protocols.mcptt.messages import (
    Deny,
    FloorMessage,
    FloorType,
    Indicator,
    QueueInfo,
    Revoke,
    Source,
    write_datagram,
)
from suites.selftest.witness import need

pytestmark = pytest.mark.witness("tshark")

PORT = 20_004
DATA = "rtcp.app_data.mcptt"


def dissected(folder: Path, messages: list[FloorMessage], *names: str) -> list[str]:
    """The values that it finds of each field in one datagram, those of several messages in their order."""
    from scapy.layers.inet import IP, UDP  # noqa: PLC0415 (scapy takes most of a second to import)
    from scapy.utils import PcapWriter  # noqa: PLC0415

    with PcapWriter(str(folder / "one.pcap"), linktype=101) as pcap:
        pcap.write(IP(src="127.0.0.1", dst="127.0.0.1") / UDP(sport=PORT, dport=PORT) / write_datagram(*messages))
    odd = ("_ws.malformed", "rtcp.appl.extra_bytes", "rtcp.appl.non_conformant", "rtcp.appl.non_zero_pad")
    fields = [word for name in (*names, *odd) for word in ("-e", name)]
    command = [need("tshark", package="tshark"), "-n", "-r", str(folder / "one.pcap"), "-d", f"udp.port=={PORT},rtcp"]
    separated = ["-T", "fields", "-E", "separator=|", "-E", "aggregator= "]
    told = subprocess.run(
        [*command, *separated, *fields], capture_output=True, text=True, check=True, timeout=60
    ).stdout
    *values, malformed, extra, against, padding = told.rstrip("\n").split("|")
    assert (malformed, extra, against, padding) == ("", "", "", "")
    return values


@pytest.mark.parametrize("kind", [each for each in FloorType if each is not FloorType.RELEASE_MULTI_TALKER])
@pytest.mark.parametrize("wants_ack", [False, True])
def test_every_message_is_named(kind: FloorType, wants_ack: bool, tmp_path: Path) -> None:
    message = FloorMessage(kind, 0x01020304, wants_ack, indicator=Indicator.NORMAL)
    subtype = str(int(kind) + (0x10 if wants_ack else 0))
    found = dissected(tmp_path, [message], "rtcp.app.subtype", "rtcp.app.name", "rtcp.ssrc.identifier")
    assert found == [subtype, "MCPT", "0x01020304"]


def test_a_request_and_what_it_says(tmp_path: Path) -> None:
    both = Indicator.NORMAL | Indicator.EMERGENCY
    message = FloorMessage(FloorType.REQUEST, 1, priority=7, user="sip:officer-1@example.com", indicator=both)
    names = (f"{DATA}.priority", f"{DATA}.user_id", f"{DATA}.floor_ind")
    assert dissected(tmp_path, [message], *names) == ["7", "sip:officer-1@example.com", "36864"]


def test_a_grant_and_who_is_told_of_it_in_one_datagram(tmp_path: Path) -> None:
    granted = FloorMessage(FloorType.GRANTED, 1, True, priority=5, duration=30, queue_size=2, talker=0xCAFE)
    taken = FloorMessage(
        FloorType.TAKEN, 1, granted_party="sip:a@example.com", may_request=True, sequence=9, talker=0xCAFE
    )
    names = ("rtcp.app.subtype", "duration", "queue_size", "perm_to_req_floor", "msg_seq_num", "rtcp")
    found = dissected(tmp_path, [granted, taken], names[0], *(f"{DATA}.{name}" for name in names[1:]))
    assert found == ["17 2", "30", "2", "1", "9", "51966 51966"]
    assert dissected(tmp_path, [taken], "rtcp.mcptt.granted_partys_id") == ["sip:a@example.com"]


@pytest.mark.parametrize("phrase", ["", "x", "no", "try later"])
def test_why_a_floor_is_denied_or_revoked(phrase: str, tmp_path: Path) -> None:
    denied = FloorMessage(FloorType.DENY, 1, cause=Deny.QUEUE_FULL, phrase=phrase)
    names = (f"{DATA}.rej_cause.floor_deny", "rtcp.mcptt.rej_phrase")
    assert dissected(tmp_path, [denied], *names) == ["7", phrase]
    revoked = FloorMessage(FloorType.REVOKE, 1, cause=Revoke.PRE_EMPTED, phrase=phrase)
    names = (f"{DATA}.rej_cause.floor_revoke", "rtcp.mcptt.rej_phrase")
    assert dissected(tmp_path, [revoked], *names) == ["4", phrase]


def test_where_in_the_queue_and_what_is_acknowledged(tmp_path: Path) -> None:
    place = FloorMessage(FloorType.QUEUE_POSITION_INFO, 1, queue=QueueInfo(3, 6), queued_user="sip:b@example.com")
    names = (f"{DATA}.queue_pos_inf", f"{DATA}.queue_pri_lev", "rtcp.mcptt.queued_user_id")
    assert dissected(tmp_path, [place], *names) == ["3", "6", "sip:b@example.com"]
    ack = FloorMessage(FloorType.ACK, 1, source=Source.PARTICIPANT, acknowledged=FloorType.GRANTED)
    assert dissected(tmp_path, [ack], f"{DATA}.source", f"{DATA}.msg_type") == ["0", "1"]
