"""tshark reads the headers and bodies that the small SIP modules write, and finds in them what we meant."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.protocols.sip import (
    diversion,
    history_info,
    message_summary,
    priority,
    session_id,
    sipfrag,
)
from harness.protocols.sip.body import Part, multipart
from harness.protocols.sip.diversion import Diversion, Why
from harness.protocols.sip.headers import NameAddr
from harness.protocols.sip.history_info import Entry, sent_on
from harness.protocols.sip.identity import Caller, Privacy, Telling
from harness.protocols.sip.message import Request
from harness.protocols.sip.message_summary import Counts, Summary
from harness.protocols.sip.priority import ResourcePriority
from harness.protocols.sip.reason import Reason, value_of
from harness.protocols.sip.rtp_stat import RtpStat
from harness.protocols.sip.session_id import SessionId
from suites.selftest.witness import need

pytestmark = pytest.mark.witness("tshark")

BOB, CAROL = (NameAddr.parse(f"<sip:{user}@example.com>") for user in ("bob", "carol"))
COMMON = [
    ("Via", "SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bK1"),
    ("Max-Forwards", "70"),
    ("To", "<sip:999@127.0.0.1>"),
    ("Call-ID", "one@127.0.0.1"),
]


def dissected(request: Request, folder: Path, *names: str) -> list[list[str]]:
    """The values that tshark finds of each field in one request; several of one field in their order."""
    from scapy.layers.inet import IP, UDP  # noqa: PLC0415 (scapy takes most of a second to import)
    from scapy.utils import PcapWriter  # noqa: PLC0415

    tshark = need("tshark", package="tshark")
    with PcapWriter(str(folder / "one.pcap"), linktype=101) as pcap:
        pcap.write(IP(src="127.0.0.1", dst="127.0.0.1") / UDP(sport=5062, dport=5060) / bytes(request))
    fields = [word for name in (*names, "_ws.malformed") for word in ("-e", name)]
    command = [
        tshark,
        "-n",
        "-r",
        str(folder / "one.pcap"),
        "-T",
        "fields",
        "-E",
        "separator=\x1f",
        "-E",
        "aggregator=\x1e",
    ]
    told = subprocess.run([*command, *fields], capture_output=True, text=True, check=True, timeout=60).stdout
    *values, malformed = told.rstrip("\n").split("\x1f")
    assert malformed == ""
    return [value.split("\x1e") if value else [] for value in values]


def request(method: str, *headers: tuple[str, str], body: bytes = b"", content_type: str = "") -> Request:
    cseq = ("CSeq", f"1 {method}")
    return Request.build(method, "sip:999@127.0.0.1", [*COMMON, cseq, *headers], body, content_type)


def test_who_is_calling_and_how_urgent_it_is(tmp_path: Path) -> None:
    caller = Caller("+447700900123", "trunk.example", "A Caller", privacy=frozenset({Privacy.ID, Privacy.CRITICAL}))
    identity = session_id.of_random(bytes(range(16)))
    sent = request(
        "INVITE",
        ("From", f"{caller.from_value};tag=1"),
        *caller.headers(Telling.ASSERTED),
        ("Session-ID", str(SessionId(identity))),
        ("Resource-Priority", priority.value_of([ResourcePriority("esnet", "3")])),
        ("Priority", priority.Priority.EMERGENCY),
    )
    names = ("sip.from.host", "sip.P-Asserted-Identity", "sip.Privacy", "sip.Resource-Priority", "sip.Priority")
    host, asserted, privacy, resource, urgent = dissected(sent, tmp_path, *names)
    assert host == ["anonymous.invalid"]
    assert asserted == ['"A Caller" <sip:+447700900123@trunk.example;user=phone>', "<tel:+447700900123>"]
    assert (privacy, resource, urgent) == (["id;critical"], ["esnet.3"], ["emergency"])
    local, remote = dissected(sent, tmp_path, "sip.Session-ID.local_uuid", "sip.Session-ID.remote_uuid")
    assert [each.replace("-", "") for each in local + remote] == [identity, session_id.NIL]


def test_why_a_call_ended_and_how_it_sounded(tmp_path: Path) -> None:
    reasons = [Reason.of_q850(16, location="U"), Reason("SIP", 200, "Call completed elsewhere")]
    stat = RtpStat(3775, 649_300, 3775, 604_000, 0, 0, 4, 98).value()
    sent = request("BYE", ("From", "<sip:a@b>;tag=1"), ("Reason", value_of(reasons[:1])), ("P-RTP-Stat", stat))
    protocol, cause, text = dissected(
        sent, tmp_path, "sip.reason_protocols", "sip.reason_cause_q850", "sip.reason_text"
    )
    assert (protocol, cause, text) == (["Q.850"], ["16"], ["Normal call clearing"])
    sent = request("CANCEL", ("From", "<sip:a@b>;tag=1"), ("Reason", value_of(reasons[1:])))
    assert dissected(sent, tmp_path, "sip.reason_protocols", "sip.reason_cause_sip") == [["SIP"], ["200"]]


def test_who_diverted_a_call(tmp_path: Path) -> None:
    entries = sent_on([Entry(BOB, (1,))], CAROL, "mp", Reason("SIP", 302))
    value = diversion.value_of([Diversion(BOB, Why.UNCONDITIONAL, privacy="full")])
    history = history_info.value_of(entries)
    sent = request("INVITE", ("From", "<sip:a@b>;tag=1"), ("Diversion", value), ("History-Info", history))
    assert dissected(sent, tmp_path, "sip.Diversion", "sip.History-Info") == [[value], [history]]


def test_mailboxes_and_transfers_are_told_in_parts_that_are_found(tmp_path: Path) -> None:
    summary = message_summary.build(Summary(True, "sip:2001@vmail", {message_summary.VOICE: Counts(2, 8, 0, 2)}))
    body, content_type = multipart(
        [
            Part(message_summary.CONTENT_TYPE, summary),
            Part("message/sipfrag", sipfrag.of_status(503, "Service Unavailable", [("Reason", "Q.850;cause=41")])),
        ]
    )
    notify = request("NOTIFY", ("From", "<sip:a@b>;tag=1"), body=body, content_type=content_type)
    types, fragment = dissected(notify, tmp_path, "mime_multipart.header.content-type", "sipfrag.line")
    assert types == [message_summary.CONTENT_TYPE, "message/sipfrag"]
    assert fragment[:2] == ["SIP/2.0 503 Service Unavailable", "Reason: Q.850;cause=41"]
