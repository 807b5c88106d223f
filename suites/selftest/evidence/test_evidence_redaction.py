"""A masked copy of a run holds none of the personal data that was planted in its artefacts, and is still readable."""

import base64
import io
import json
import tempfile
import wave
from datetime import date
from html import escape
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.utils import RawPcapReader

from harness.evidence.audio import Sound, listening_page
from harness.evidence.capture_packets import read_capture
from harness.evidence.collect import PCAP
from harness.evidence.defects import Defect, Register
from harness.evidence.pcap import write_pcap
from harness.evidence.plan import Plan
from harness.evidence.redacted_run import WITHHELD, redact_run
from harness.evidence.redaction import Masks, RedactionError
from harness.evidence.results import read_results
from harness.transport.tap import Crossing, Kind

A, B, WEB = "10.1.2.3:5060", "10.1.2.4:5070", "10.1.2.5:80"
LETTERS = "abcdefghijklmnopqrstuvwxyzéöàšł"
OURS = """audio/wav application/json vnd.tcpdump.pcap text/plain attachment withheld listen keyword page requirement
audience governance public masked silenced left_out logs uuid history fullname suites niccs status failed start stop
details message answered parameters subject value address steps caller says labels attachments source type journal
ladder verdicts form serial officer capture waveform measures answer time redaction results result allure ringing alias
number token text note"""
"""Words of the copy's own: a name that is a part of one is found there and tells of nobody."""
word = st.text(LETTERS, min_size=4, max_size=9).filter(lambda each: each not in OURS).map(str.capitalize)
digits = st.from_regex(r"[1-9][0-9]{5,8}", fullmatch=True, alphabet="0123456789")
person = st.fixed_dictionaries(
    {
        "name": st.tuples(word, word).map(" ".join),
        "number": digits.map(lambda each: f"+447{each:0<9.9}"),
        "issi": st.integers(1_000_000, 16_777_215).map(str),
        "address": st.tuples(st.integers(1, 999), word).map(lambda each: f"{each[0]} {each[1]}gate, {each[1]}ton"),
        "lat": st.floats(55.0, 59.0).map(lambda each: f"{each:.5f}"),
        "token": st.binary(min_size=24, max_size=40).map(lambda each: base64.b64encode(each).decode()),
        "text": st.lists(word, min_size=3, max_size=5).map(lambda each: "Zq " + " ".join(each)),
    }
)


def invite(who):
    return (
        f'INVITE sip:{who["number"]}@10.1.2.4 SIP/2.0\r\nFrom: "{who["name"]}" <sip:{who["number"]}@10.1.2.3>;tag=a\r\n'
        f"Authorization: Digest {who['token']}\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def recording(level=1000):
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(level.to_bytes(2, "little", signed=True) * 800)
    return out.getvalue()


def capture(who):
    body = json.dumps({"caller": who["name"], "address": who["address"], "note": who["text"]}).encode()
    web = b"POST /r HTTP/1.1\r\nAuthorization: Bearer " + who["token"].encode() + b"\r\n\r\n" + body
    cut = len(web) - len(body) // 2
    rtp = bytes([0x80, 8, 0, 1, 0, 0, 0, 160, 0, 0, 0, 7]) + who["name"].encode("utf-16le") * 5
    return write_pcap(
        [
            Crossing(0.5, Kind.DATAGRAM, A, B, invite(who)),
            Crossing(0.6, Kind.DATAGRAM, A, B, rtp),
            Crossing(0.7, Kind.STREAM, A, WEB, web[:cut]),
            Crossing(0.8, Kind.STREAM, A, WEB, web[cut:]),
            Crossing(0.9, Kind.STREAM, A, WEB, who["text"].encode("utf-16le")),
        ],
        1_700_000_000.0,
    ).body


def plant(folder, who):
    """Leave a failed test whose every artefact tells of a person."""
    results = folder / "allure-results"
    results.mkdir(parents=True)
    told = f"call.ringing cli={who['number']!r} alias={who['name']!r} issi={who['issi']} text={who['text']!r}"
    artefacts = {
        "journal": ("text/plain", f"     1.234 s  govan-12     {told}\n".encode()),
        "ladder": ("image/svg+xml", f"<svg><text>alias {escape(who['name'])}, lat {who['lat']}</text></svg>".encode()),
        "Keyword Log": ("text/html", f"<p>{escape(repr(who))}</p>".encode()),
        "verdicts": ("text/csv", f"call,caller\r\n1,{who['name']}\r\n".encode()),
        "page": ("application/json", json.dumps({**who, "issi": int(who["issi"])}).encode()),
        "form": ("text/plain", f"number={quote(who['number'])}&name={quote(who['name'])}".encode()),
        "serial officer": ("text/plain", f"AT+CTGS=1,{who['issi']}\r\n{who['text'].encode().hex()}\r\n".encode()),
        "capture": (PCAP, capture(who)),
        "audio": ("audio/wav", recording()),
        "listen: it": ("text/html", listening_page(Sound(who["name"], np.full(800, 900, np.int16))).encode()),
        "Keyword Page": ("text/html", b"<audio src='data:audio/wav;base64,AAAA'></audio>"),
        "waveform": ("image/svg+xml", b"<svg><path d='M0 1'/></svg>"),
        "measures": ("application/json", json.dumps([{"name": "answer time", "value": 1_234_567.5}]).encode()),
        "map": ("image/png", who["name"].encode()),
    }
    attachments = []
    for index, (name, (kind, body)) in enumerate(artefacts.items()):
        (results / f"{index}-attachment.bin").write_bytes(body)
        attachments.append({"name": name, "source": f"{index}-attachment.bin", "type": kind})
    result = {
        "uuid": "u",
        "historyId": "0123456789abcdef0123456789abcdef",
        "name": f"test_call[{who['number']}]",
        "fullName": "suites.niccs.test_call#test_call",
        "status": "failed",
        "start": 1_795_719_700_986,
        "stop": 1_795_719_701_678,
        "statusDetails": {"message": f"{who['name']} at {who['address']} was not answered: {told}"},
        "parameters": [{"name": "subject", "value": repr(who)}, {"name": "address", "value": repr(who["address"])}],
        "steps": [{"name": f"Caller Says {who['text']}", "status": "failed", "attachments": []}],
        "labels": [{"name": "requirement", "value": "NICCS-TEL-001"}],
        "attachments": attachments,
    }
    (results / "u-result.json").write_text(json.dumps(result))
    (results / "stray.bin").write_text(who["name"])
    return {name: f"{index}-attachment.bin" for index, name in enumerate(artefacts)}


def spellings(value):
    """The ways a value may stand in a file."""
    for way in {value, value.upper(), value.lower()}:
        yield way.encode()
        yield escape(way).encode()
        yield quote(way, safe="").encode()
        yield json.dumps(way)[1:-1].encode()
        yield way.encode("utf-16le")
        yield way.encode("utf-16be")
        yield way.encode().hex().encode()


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(person, st.sampled_from(["governance", "public"]))
def test_nothing_that_was_planted_is_left(who, audience):
    with tempfile.TemporaryDirectory() as place:
        out = Path(place)
        plant(out, who)
        copy, *_ = redact_run(out, audience, bindings=["govan-12"])
        assert copy == out / audience
        secrets = [*who.values(), *who["name"].split()]
        for path in sorted(copy.rglob("*")):
            body = path.read_bytes() if path.is_file() else b""
            whole = b"".join(each.payload for each in read_capture(body)) if body[:4] == b"\xd4\xc3\xb2\xa1" else b""
            for secret in secrets:
                for spelling in spellings(secret):
                    assert spelling not in body, (path.name, secret)
                    assert spelling not in whole, (path.name, secret)


WHO = {
    "name": "Ailsa Exemplar",
    "number": "+447911123456",
    "issi": "4001234",
    "address": "12 Exemplargate, Exemplarton",
    "lat": "55.86421",
    "token": "c2VjcmV0c2VjcmV0c2VjcmV0c2Vj1A==",
    "text": "Zq Somebody Fell Here",
}


@pytest.fixture
def copied(tmp_path):
    names = plant(tmp_path, WHO)
    copy, *_ = redact_run(tmp_path, "public", bindings=["govan-12"])
    return {name: (copy / "allure-results" / file).read_bytes() for name, file in names.items()}, copy


def test_a_masked_capture_has_right_checksums_lengths_and_times_and_other_addresses(copied):
    found = copied[0]
    was = read_capture(capture(WHO))
    now = read_capture(found["capture"])
    assert [(each.time, len(each.payload), each.tcp) for each in now] == [
        (each.time, len(each.payload), each.tcp) for each in was
    ]
    assert {each.source[0] for each in now} == {"192.0.2.1"}
    for frame, _ in RawPcapReader(io.BytesIO(found["capture"])):
        packet = Ether(frame)
        told = [packet[IP].chksum, packet[UDP].chksum if UDP in packet else packet[TCP].chksum]
        for layer in (IP, UDP if UDP in packet else TCP):
            del packet[layer].chksum
        again = Ether(bytes(packet))
        assert told == [again[IP].chksum, again[UDP].chksum if UDP in again else again[TCP].chksum]
    sip, rtp = now[0].payload.decode(), now[1].payload
    assert sip.startswith("INVITE sip:xxxxxxxxxxxxx@xxxxxxxx SIP/2.0\r\n")
    assert sip.endswith("Content-Length: 0\r\n\r\n")
    assert rtp[:12] == was[1].payload[:12]
    assert not any(rtp[12:])


def test_a_masked_recording_is_as_long_and_silent(copied):
    with wave.open(io.BytesIO(copied[0]["audio"])) as sound:
        assert (sound.getframerate(), sound.getnframes()) == (8000, 800)
        assert not any(sound.readframes(800))


def test_what_names_nobody_stays_readable(copied):
    found, copy = copied
    assert b"     1.234 s  govan-12     call.ringing cli='xxxxxxxxxxxxx' alias='xxxxx xxxxxxxx'" in found["journal"]
    assert json.loads(found["measures"]) == [{"name": "answer time", "value": 1_234_567.5}]
    assert found["waveform"] == found["map"] == found["listen: it"] == found["Keyword Page"] == WITHHELD
    (test,), unreadable = read_results(copy / "allure-results")
    assert not unreadable
    assert (test.name, test.requirements) == ("suites.niccs.test_call#test_call", ("NICCS-TEL-001",))
    result = json.loads((copy / "allure-results" / "u-result.json").read_text())
    assert (result["historyId"], result["start"]) == ("0123456789abcdef0123456789abcdef", 1_795_719_700_986)
    assert {"name": "map (withheld)", "source": "13-attachment.bin", "type": "text/plain"} in result["attachments"]
    told = json.loads((copy / "redaction.json").read_text())
    assert (told["silenced"], told["withheld"], told["left_out"]) == (1, 5, ["run", "logs"])


def test_the_board_sees_addresses_and_who_approved_the_public_does_not(tmp_path):
    plant(tmp_path, WHO)
    fault = Defect(
        id="DEF-1",
        title=f"Lost for {WHO['name']}",
        severity=3,
        requirements=("NICCS-TEL-001",),
        opened="2026-01-01",
        waiver={"approver": "A. Chair", "expires": "2999-12-31", "reason": "borne"},
    )
    for audience, approver, source in (("governance", "A. Chair", "10.1.2.3"), ("public", "withheld", "192.0.2.1")):
        copy, register, _ = redact_run(tmp_path, audience, Register(defects=(fault,)))
        assert register.defects[0].waiver.approver == approver
        assert register.defects[0].title == "Lost for xxxxx xxxxxxxx"
        assert read_capture((copy / "allure-results" / "7-attachment.bin").read_bytes())[0].source[0] == source


def test_a_name_that_no_field_tells_of_is_masked_when_it_is_named(tmp_path):
    plant(tmp_path, WHO)
    (tmp_path / "allure-results" / "0-attachment.bin").write_text("spoke with Morag Testson, who left")
    copy, *_ = redact_run(tmp_path, "governance", names=["Morag Testson"])
    assert (copy / "allure-results" / "0-attachment.bin").read_text() == "spoke with xxxxx xxxxxxx, who left"


def test_a_plans_texts_are_masked_and_its_days_figures_and_stages_stay(tmp_path):
    plant(tmp_path, WHO)
    name = WHO["name"]
    stage = {
        "ends": "2026-12-31",
        "exit": {"run": 95, "open_faults": {3: 1}, "declared": [{"text": name, "by": "A. Chair", "on": "2026-03-01"}]},
        "signatures": [f"Chair: {name}"],
    }
    plan = Plan.model_validate({"plan": "niccs", "stages": {"SAT": stage}, "board": {"staff": {name: 90}}})
    for audience, by in (("governance", "A. Chair"), ("public", "withheld")):
        *_, masked = redact_run(tmp_path, audience, plan=plan)
        told = masked.stages["SAT"]
        assert told.signatures == ("Chair: xxxxx xxxxxxxx",)
        assert (told.ends, told.exit.run, told.exit.open_faults) == (date(2026, 12, 31), 95, {3: 1})
        assert (told.exit.declared[0].text, told.exit.declared[0].by) == ("xxxxx xxxxxxxx", by)
        assert masked.board.staff == {"xxxxx xxxxxxxx": 90}


@pytest.mark.parametrize(
    ("file", "body", "said"),
    [
        ("u-result.json", b'{"uuid"', "can't be read, so it can't be masked"),
        ("7-attachment.bin", b"no capture", "not a capture"),
        ("8-attachment.bin", b"RIFF", "not a recording"),
    ],
)
def test_what_cannot_be_masked_publishes_nothing(tmp_path, file, body, said):
    plant(tmp_path, WHO)
    (tmp_path / "allure-results" / file).write_bytes(body)
    with pytest.raises(RedactionError, match=said):
        redact_run(tmp_path, "public")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["allure-results"]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_masks_take_any_bytes_and_return_as_many(data):
    masks = Masks("public", names=["Ailsa"])
    masks.learn(data)
    assert len(masks.mask(data)) == len(data)
    masks.mask_json(data)
