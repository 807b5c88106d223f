"""Call records in our words: Cisco's examples, codes, addresses, voice quality, and what differs from what was seen."""

from __future__ import annotations

import socket
from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.errors import CdrError, SipLocalError
from harness.protocols.cdr import codes
from harness.protocols.cdr.addresses import to_address, to_number
from harness.protocols.cdr.codes import Codec, OnBehalfOf, Redirect
from harness.protocols.cdr.columns import CDR, CMR
from harness.protocols.cdr.compare import CallFigures, call_differences, joined, media_differences
from harness.protocols.cdr.flat_file import read, write
from harness.protocols.cdr.quality import VoiceQuality
from harness.protocols.cdr.records import CallRecord, Leg, MediaRecord
from harness.protocols.sip import q850
from harness.protocols.sip.rtp_stat import RtpStat

PKID = "e95df5b1-2914-4a03-befb-0f58bf16392d"
CISCO_QUALITY = (
    "MLQK=4.5000;MLQKav=4.5000; MLQKmn=4.5000;MLQKmx=4.5000;MLQKvr=0.95; CCR=0.0000;ICR=0.0000;ICRmx=0.0000; CS=0;SCS=0"
)
BEGAN = 1_782_909_000
RECORD = CallRecord(
    96_004,
    BEGAN,
    BEGAN + 65,
    PKID,
    connect=BEGAN + 5,
    orig=Leg(28_141_535, 1, "192.168.18.188", "trunk-999", media_address="192.168.18.188", media_port=40_000, codec=8),
    dest=Leg(28_141_536, 1, "2001:db8::1", "SEP0007EBBA6376", cause=16, cleared_by=OnBehalfOf.DEVICE),
    calling="+447700900123",
    original_called="999",
    final_called="2001",
    redirect_reason=Redirect.FORWARD_NO_ANSWER,
    was_queued=1,
)
MEDIA = MediaRecord(
    96_004,
    28_141_535,
    1_202_412_060,
    PKID,
    number="1010",
    device="SEP003094C39BE7",
    packets_sent=358,
    octets_sent=61_576,
    packets_received=351,
    octets_received=60_372,
    packets_lost=1,
    jitter=0,
    latency=0,
    quality=VoiceQuality.parse(CISCO_QUALITY),
)


def test_cisco_s_address_is_read_and_written() -> None:
    """Cisco's Call Detail Records Administration Guide, Convert Signed Decimal Value to IP Address."""
    assert to_address(-1_139_627_840) == "192.168.18.188"
    assert to_number("192.168.18.188") == -1_139_627_840
    assert to_address(3_155_339_456) == "192.168.18.188"
    assert (to_address(0), to_address(None), to_number(""), to_number("2001:db8::1")) == ("", "", 0, 0)
    for wrong in ("x", "1.2.3", "1.2.3.256"):
        with pytest.raises(CdrError, match="no IP address"):
            to_number(wrong)
    for number in (2**32, -(2**31) - 1):
        with pytest.raises(CdrError, match="32 bits"):
            to_address(number)


@given(st.integers(1, 2**32 - 1))
def test_addresses_are_the_octets_of_the_network_s_order_read_backwards(number: int) -> None:
    address = to_address(number)
    assert socket.inet_aton(address) == number.to_bytes(4, "little")
    assert to_number(address) & 0xFFFF_FFFF == number


def test_cisco_s_voice_quality_is_read() -> None:
    """Cisco's Call Reporting and Billing Administration Guide, CMR Field Descriptions, blanks included."""
    quality = VoiceQuality.parse(CISCO_QUALITY)
    assert (quality.mos, quality.mos_least, quality.concealed, quality.severe_seconds) == (4.5, 4.5, 0.0, 0)
    assert str(quality) == CISCO_QUALITY.replace(" ", "")
    blank = VoiceQuality.parse("MLQK=0.0000;MLQKvr=;CS=0;NEW=x")
    assert (blank.mos, blank.version, blank.other) == (0.0, "", {"NEW": "x"})


@pytest.mark.parametrize("text", ["MLQK", "MLQK=x", "MLQK=-1", "=1", "a b=1", "x" * 601])
def test_what_is_no_voice_quality_is_told(text: str) -> None:
    with pytest.raises(CdrError, match="varVQMetrics"):
        VoiceQuality.parse(text)


@pytest.mark.parametrize(
    "quality",
    [VoiceQuality(-1.0), VoiceQuality(1e9), VoiceQuality(other={"a": "b;c"}), VoiceQuality(other={"a=": "b"})],
)
def test_voice_quality_that_would_break_out_is_not_written(quality: VoiceQuality) -> None:
    with pytest.raises(CdrError):
        str(quality)


ratios = st.none() | st.integers(0, 10_000).map(lambda each: each / 10_000)
seconds = st.none() | st.integers(0, 86_400)


@given(st.builds(VoiceQuality, *[ratios] * 7, seconds, seconds, st.sampled_from(["", "0.95"])))
def test_voice_quality_comes_back_as_it_went(quality: VoiceQuality) -> None:
    assert VoiceQuality.parse(str(quality)) == quality


def test_a_call_record_is_the_row_that_cisco_describes() -> None:
    row = RECORD.row()
    due = {
        "cdrRecordType": 1,
        "globalCallID_callId": 96_004,
        "globalCallID_callManagerId": 1,
        "origLegCallIdentifier": 28_141_535,
        "destLegIdentifier": 28_141_536,
        "origIpAddr": -1_139_627_840,
        "origIpv4v6Addr": "192.168.18.188",
        "origMediaTransportAddress_IP": -1_139_627_840,
        "destIpAddr": 0,
        "destIpv4v6Addr": "2001:db8::1",
        "duration": 60,
        "destCause_value": 16,
        "origCause_value": 0,
        "destCallTerminationOnBehalfOf": 12,
        "origPrecedenceLevel": 4,
        "calledPartyPatternUsage": 5,
        "origRSVPAudioStat": "0",
        "pkid": PKID,
    }
    assert {name: row[name] for name in due} == due
    assert replace(RECORD, connect=0).row()["duration"] == 0
    assert replace(RECORD, orig=Leg(codec=Codec.PCMA)).row()["origMediaCap_Bandwidth"] == 64


def test_records_come_back_through_a_file() -> None:
    (row,) = read(write(CDR, [RECORD.row()])).rows
    assert CallRecord.of_row(row) == RECORD
    (row,) = read(write(CMR, [MEDIA.row()])).rows
    assert MediaRecord.of_row(row) == MEDIA
    assert row["videoDuration"] is None


def test_every_field_has_its_column() -> None:
    """A field that no column holds would be lost on its way, so each is given a value of its own."""
    texts = {each.name for each in fields(CallRecord) if isinstance(getattr(RECORD, each.name), str)} - {"pkid"}
    whole = {each.name for each in fields(CallRecord) if isinstance(getattr(RECORD, each.name), int)}
    values = {name: f"t{at}" for at, name in enumerate(sorted(texts))} | {
        name: 100 + at for at, name in enumerate(sorted(whole))
    }
    legs = {
        side: Leg(1, 2, f"10.0.0.{at}", "d", 3, 4, 5, f"10.0.1.{at}", 6, 7, 8, 9, 10, "s" * at)
        for at, side in ((1, "orig"), (2, "dest"))
    }
    record = replace(RECORD, **values, **legs)  # type: ignore[arg-type]
    assert CallRecord.of_row(record.row()) == record
    media = MediaRecord(1, 2, 3, "p", "c", 4, 5, "n", "q", "d", *range(10, 18), VoiceQuality(4.0), "l", "r")
    assert MediaRecord.of_row(media.row()) == media


def test_a_record_of_an_older_release_is_read() -> None:
    row = RECORD.row()
    for name in ("origIpv4v6Addr", "origDeviceSessionID", "huntPilotPattern", "wasCallQueued", "destLegIdentifier"):
        del row[name]
    told = CallRecord.of_row({name.upper(): value for name, value in row.items()})
    assert (told.orig.address, told.was_queued, told.dest.leg) == ("192.168.18.188", 0, 0)


def test_what_is_no_such_record_is_told() -> None:
    with pytest.raises(CdrError, match="a call detail record has 1"):
        CallRecord.of_row(MEDIA.row())
    with pytest.raises(CdrError, match="a call management record has 2"):
        MediaRecord.of_row(RECORD.row())
    for name in ("globalCallID_callId", "dateTimeOrigination", "pkid"):
        with pytest.raises(CdrError, match=f"without {name}"):
            CallRecord.of_row({key: value for key, value in RECORD.row().items() if key != name})


def test_a_value_of_another_type_than_the_column_s_is_told() -> None:
    with pytest.raises(CdrError, match="dateTimeConnect is 'now'; it is INTEGER"):
        CallRecord.of_row({**RECORD.row(), "dateTimeConnect": "now"})
    with pytest.raises(CdrError, match=r"deviceName is 5; it is VARCHAR\(129\)"):
        MediaRecord.of_row({**MEDIA.row(), "deviceName": 5})


def test_a_trunk_s_record_comes_of_its_p_rtp_stat() -> None:
    """The BYE and the CMR of Cisco's guide, CMRs for SIP Trunks."""
    stat = RtpStat.parse("PS=3775,OS=649300,PR=3775,OR=604000,PL=0,JI=0,LA=4,DU=98")
    row = MediaRecord(48_553, 29_258_891, 1_515_145_049, PKID, device="sip_trunk3").with_stat(stat).row()
    names = ("numberPacketsSent", "numberOctetsSent", "numberPacketsReceived", "numberOctetsReceived")
    assert [row[name] for name in names] == [3775, 649_300, 3775, 604_000]
    assert [row[name] for name in ("numberPacketsLost", "jitter", "latency", "duration")] == [0, 0, 4, 98]
    assert row["varVQMetrics"] == ""


def test_causes_of_a_sip_trunk_hold_status_and_q850_cause() -> None:
    """Cisco's Call Detail Records Codes, by their decimal form."""
    decimals = {400: 16_777_257, 404: 83_886_081, 408: 150_995_046, 480: 1_073_741_842, 486: 1_174_405_137}
    decimals |= {500: 1_409_286_185, 503: 1_459_617_833, 513: 1_509_949_567, 600: 2_701_131_793, 606: 2_751_463_455}
    assert {status: codes.sip_cause(status) for status in decimals} == decimals
    assert (codes.sip_status(1_174_405_137), codes.q850_cause(1_174_405_137)) == (486, 17)
    assert codes.cause_name(1_174_405_137) == "SIP 486 Busy Here"
    assert (codes.sip_status(2_801_795_135), codes.q850_cause(2_801_795_135)) == (503, 63)
    for status in range(400, 700):
        cause = codes.sip_cause(status)
        assert codes.sip_status(cause) in (status, None)
        assert codes.q850_cause(cause) in q850.CAUSES
    with pytest.raises(SipLocalError):
        codes.sip_cause(200)


def test_other_causes_are_q850_s_or_cisco_s() -> None:
    assert (codes.cause_name(16), codes.q850_cause(16)) == ("Normal call clearing", 16)
    assert (codes.cause_name(393_216), codes.q850_cause(393_216)) == ("Call split", None)
    assert (codes.cause_name(0), codes.q850_cause(0), codes.sip_status(16)) == ("No error", None, None)
    assert codes.cause_name(9_999) == "cause 9999, which Q.850 assigns to nothing"


SEEN = CallFigures("07700 900123", "999", "2001", BEGAN + 0.4, BEGAN + 5.2, BEGAN + 64.6, 59.4, 16)


def test_a_record_that_tells_what_was_seen_differs_in_nothing() -> None:
    assert call_differences(RECORD, SEEN) == []
    assert call_differences(RECORD, CallFigures()) == []


@pytest.mark.parametrize(
    ("figures", "what"),
    [
        (replace(SEEN, calling="07700900124"), "calling"),
        (replace(SEEN, final_called="2002"), "final_called"),
        (replace(SEEN, connect=BEGAN + 7.0), "connect"),
        (replace(SEEN, connect=0), "connect"),
        (replace(SEEN, disconnect=BEGAN + 60.0), "disconnect"),
        (replace(SEEN, duration=50.0), "duration"),
        (replace(SEEN, cause=17), "cause"),
    ],
)
def test_what_a_record_tells_otherwise_is_told(figures: CallFigures, what: str) -> None:
    (difference,) = call_differences(RECORD, figures)
    assert difference.what == what
    assert str(difference).startswith(f"{what} is ")


def test_the_cause_that_a_trunk_s_status_stands_for_counts() -> None:
    record = replace(RECORD, dest=replace(RECORD.dest, cause=codes.sip_cause(486)))
    assert call_differences(record, replace(SEEN, cause=17)) == []


def test_media_figures_are_exact_but_for_jitter_and_time() -> None:
    seen = RtpStat(358, 61_576, 351, 60_372, 1, 0, 0, None)
    assert media_differences(MEDIA, seen) == []
    assert [each.what for each in media_differences(MEDIA, replace(seen, packets_lost=2, jitter=1))] == ["packets_lost"]
    assert [each.what for each in media_differences(MEDIA, replace(seen, jitter=2))] == ["jitter"]
    assert media_differences(replace(MEDIA, jitter=41), replace(seen, jitter=40)) == []
    assert [each.what for each in media_differences(replace(MEDIA, jitter=43), replace(seen, jitter=40))] == ["jitter"]
    assert media_differences(MEDIA, replace(seen, packets_sent=359, octets_sent=61_748), packets=1) == []
    assert [each.what for each in media_differences(replace(MEDIA, packets_lost=None), seen)] == ["packets_lost"]
    assert [each.what for each in media_differences(MEDIA, replace(seen, round_trip=9))] == ["round_trip"]


def test_records_of_one_call_are_found_together() -> None:
    other = replace(MEDIA, call_id=7)
    found = joined([RECORD, replace(RECORD, pkid="2")], [MEDIA, other])
    call = found["StandAloneCluster", 1, 96_004]
    assert ([each.pkid for each in call.calls], call.media) == ([PKID, "2"], [MEDIA])
    assert found["StandAloneCluster", 1, 7].calls == []
