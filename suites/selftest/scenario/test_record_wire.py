"""A capture and serial transcripts become a scenario that does the same again, at the same spacing."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from harness.cli.main import app
from harness.cli.places import SIMULATED_TESTBED
from harness.endpoints.media.wav import read_wav, write_wav
from harness.errors import ScenarioError
from harness.evidence.capture import crossings
from harness.evidence.pcap import write_pcap
from harness.evidence.transcript import origin_line, transcript
from harness.protocols.rtp.dtmf import DtmfEvent
from harness.protocols.rtp.g711 import CODECS as G711
from harness.protocols.rtp.rtp import RtpPacket
from harness.scenario.load import load_scenario
from harness.scenario.player import Player
from harness.scenario.record import Recorded, scenario_text
from harness.scenario.record_wire import record_wire
from harness.testbed.bench import open_bench
from harness.testbed.load import load_testbed
from harness.testbed.model import Testbed
from harness.testbed.run import Run, started_run
from harness.transport.tap import Crossing, Kind

EPOCH = 1_790_000_000.0
SPACING_S = 0.005
EXACT_S = 0.000_010
"""Microseconds are written, twice, and a float of the time since 1970 has a quarter of one."""
SCENARIO = """
id: STIMULI
title: What comes to a control room by wire
actors:
  caller: {role: trunk_caller, number: "+447700900123"}
  second: {role: trunk_caller}
  call_taker: {role: console, position: govan-12}
  officer: {role: radio_terminal, issi: 4001234, location: {lat: 55.86, lon: -4.25}}
  sergeant: {role: radio_terminal, issi: 4001235}
timeline:
  - {at: 0 s, caller: {dial: "999"}}
  - {at: 2.25 s, call_taker: {answer: emergency}}
  - {at: 4.125 s, caller: {press: "5"}}
  - {at: 5.5 s, second: {dial: "101"}}
  - {at: 7.001 s, caller: {press: "#"}}
  - {at: 8 s, officer: {press: GD-OPS-1}}
  - {at: 10.5 s, officer: release}
  - {at: 12 s, officer: {status: 5}}
  - {at: 14 s, sergeant: {text: {text: "At the scene, 07700900123", to: officer}}}
  - {at: 16 s, caller: hang_up}
  - {at: 17 s, second: hang_up}
  - {at: 20 s, sergeant: {select: GD-OPS-2}}
  - {at: 24 s, officer: emergency}
  - {at: 28 s, officer: release}
"""


@dataclass(frozen=True)
class Wire:
    """What a playing left."""

    outcome: str
    pcap: bytes
    transcripts: dict[str, tuple[str, str]]


@pytest.fixture(scope="module")
def testbed() -> Testbed:
    return load_testbed(SIMULATED_TESTBED)


async def played(file: Path, folder: Path, testbed: Testbed) -> Wire:
    async with open_bench(
        testbed, today=date(2026, 1, 1), addresses=None, virtual=True, seed=1, capture_dir=folder
    ) as bench:
        result = await Player(load_scenario(file), bench).play()
    return wire(result.outcome, folder)


def wire(outcome: str, folder: Path) -> Wire:
    crossed = list(crossings(sorted(folder.rglob("*.cap")), 0.0, 1e9))
    lines = {name: (f"{name}.txt", origin_line(EPOCH) + transcript(crossed, name)) for name in ("officer", "sergeant")}
    return Wire(outcome, write_pcap(crossed, EPOCH, limit=64 * 1024 * 1024).body, lines)


def read(run: Wire, testbed: Testbed, **options: Any) -> Recorded:
    return record_wire(testbed, capture=("run.pcap", run.pcap), transcripts=run.transcripts, **options)


@pytest.mark.virtual_time
async def test_a_runs_own_capture_gives_the_same_stimuli_at_the_same_spacing(tmp_path: Path, testbed: Testbed) -> None:
    (tmp_path / "first.yaml").write_text(SCENARIO, encoding="utf-8")
    first = read(await played(tmp_path / "first.yaml", tmp_path / "1", testbed), testbed, consoles=["govan-12"])
    assert [(act.actor, act.verb) for act in first.acts] == [
        ("caller_1", "dial"),
        ("govan_12", "answer"),
        ("caller_1", "press"),
        ("caller_2", "dial"),
        ("caller_1", "press"),
        ("officer", "press"),
        ("officer", "release"),
        ("officer", "status"),
        ("sergeant", "text"),
        ("caller_1", "hang_up"),
        ("caller_2", "hang_up"),
        ("sergeant", "select"),
        ("officer", "emergency"),
        ("officer", "release"),
    ]
    (tmp_path / "again.yaml").write_text(scenario_text(first, "RECORDED", "Again"), encoding="utf-8")
    second = await played(tmp_path / "again.yaml", tmp_path / "2", testbed)
    again = read(second, testbed, consoles=["govan-12"])
    assert second.outcome == "passed"
    assert [(act.verb, act.told) for act in again.acts] == [(act.verb, act.told) for act in first.acts]
    assert again.actors == first.actors
    for (time, _, verb), (due, *_) in zip(again.spacing(), first.spacing(), strict=True):
        # A key goes with the next packet of a stream whose beginning hangs on the network's delays.
        assert time == pytest.approx(due, abs=SPACING_S if verb in ("press", "answer") else EXACT_S), verb


@pytest.mark.virtual_time
async def test_two_that_are_called_are_told_apart_by_the_user(tmp_path: Path, testbed: Testbed) -> None:
    scenario = Path("fixtures/scenarios/01-domestic-in-progress.yaml")
    run = await played(scenario, tmp_path, testbed)
    with pytest.raises(ScenarioError, match=r"run.pcap: found calls to .* and|--system tells which") as caught:
        read(run, testbed)
    *_, called = str(caught.value).partition("found calls to ")[2].partition(";")[0].split(", ")
    host, _, port = called.partition(" ")[0].rpartition(":")
    found = read(run, testbed, system=(host, int(port)))
    assert [act.verb for act in found.acts if act.actor == "caller_1"] == ["dial", "hang_up"]
    assert any("no --console answers it" in why for why in found.left_out)


def sip(method: str, *, number: str, call_id: str, cseq: int = 1) -> bytes:
    return (
        f"{method} sip:999@192.0.2.1:5060 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK{call_id}{cseq}\r\n"
        f"From: <sip:{number}@192.0.2.9>;tag=a\r\nTo: <sip:999@192.0.2.1>{';tag=b' if method == 'BYE' else ''}\r\n"
        f"Call-ID: {call_id}\r\nCSeq: {cseq} {method}\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def pcap(*rows: tuple[float, bytes]) -> bytes:
    there = "192.0.2.9:5060", "192.0.2.1:5060"
    return write_pcap((Crossing(time, Kind.DATAGRAM, *there, body) for time, body in rows), EPOCH).body


def test_numbers_of_people_become_test_numbers_and_overlapping_calls_callers_of_their_own(testbed: Testbed) -> None:
    body = pcap(
        (0.0, sip("INVITE", number="+447123456789", call_id="1")),
        (0.5, sip("INVITE", number="+447123456789", call_id="1")),  # again, unanswered
        (1.0, sip("INVITE", number="+447123456789", call_id="2")),
        (2.0, sip("BYE", number="+447123456789", call_id="1", cseq=2)),
        (3.0, sip("INVITE", number="+447123456789", call_id="3")),
        (4.0, sip("INVITE", number="+447123456788", call_id="4")),
    )
    found = record_wire(testbed, capture=("monday.pcap", body))
    assert [(act.actor, act.verb) for act in found.acts] == [
        ("caller_1", "dial"),
        ("caller_2", "dial"),
        ("caller_1", "hang_up"),
        ("caller_1", "dial"),
        ("caller_3", "dial"),
    ]
    assert {told["number"] for told in found.actors.values()} == {"+447700900999", "+447700900998"}
    assert "447123" not in scenario_text(found, "X", "x")


def relinked(link: int) -> Callable[[bytes], bytes]:
    return lambda body: body[:20] + struct.pack("<I", link) + body[24:]


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda _: b"", r"bad.pcap: not a capture: the file is empty"),
        (
            lambda _: b"hello, this is a text of some length",
            r"bad.pcap: not a capture: found 68 65 6c 6c at the",
        ),
        (lambda body: body[:10], r"bad.pcap: not a capture"),
        (lambda body: body[:-7], r"bad.pcap: not a capture: cut off in packet 1, 7 bytes are missing"),
        (lambda body: body + b"\0" * 9, r"bad.pcap: not a capture: cut off after its last packet, 9 bytes"),
        (relinked(105), r"bad.pcap: not a capture that can be read: found link type 105; this reads 0 \(loop"),
        (lambda body: body[:32] + b"\0\0\0\x40" + body[36:], r"cut off in packet 1, 1073741\d+ bytes are missing"),
        (
            lambda _: bytes.fromhex("0a0d0d0a1c0000004d3c2b1a01000000ffffffffffffffff1c000000"),
            r"found no act of an actor",
        ),
        (lambda body: body[:24], r"bad.pcap: found no act of an actor of testbed"),
    ],
)
def test_what_is_no_capture_is_named(spoil: Callable[[bytes], bytes], told: str, testbed: Testbed) -> None:
    body = pcap((0.0, sip("INVITE", number="+447700900123", call_id="1")))
    with pytest.raises(ScenarioError, match=told):
        record_wire(testbed, capture=("bad.pcap", spoil(body)))


def test_calls_by_sip_over_tcp_are_calls_however_their_messages_are_cut(testbed: Testbed) -> None:
    there, back = ("192.0.2.9:40000", "192.0.2.1:5060"), ("192.0.2.1:40001", "192.0.2.9:5060")
    first, second = (sip("INVITE", number="+447700900123", call_id=each) for each in "12")
    rows = [
        (0.0, there, first[:50]),
        (0.5, there, first[50:] + second[:-4]),
        (1.0, there, second[-4:]),
        (2.0, there, sip("BYE", number="+447700900123", call_id="1", cseq=2)),
        (3.0, back, ok(sip("INVITE", number="+447700900123", call_id="2"), "")),
        # The control room ends it, on a connection that it opens itself.
        (4.0, back, sip("BYE", number="+447700900123", call_id="2", cseq=9)),
    ]
    body = write_pcap((Crossing(time, Kind.STREAM, *ends, part) for time, ends, part in rows), EPOCH).body
    found = record_wire(testbed, capture=("tcp.pcap", body), consoles=["govan-12"])
    assert found.spacing() == [
        (0.0, "caller_1", "dial"),
        (0.5, "caller_2", "dial"),
        (1.5, "caller_1", "hang_up"),
        (2.5, "govan_12", "answer"),
        (3.5, "govan_12", "hang_up"),
    ]
    assert found.left_out == {}


def ok(invite: bytes, description: str) -> bytes:
    lines = [line for line in invite.decode().split("\r\n") if line.split(":")[0] in ("Via", "From", "Call-ID", "CSeq")]
    head = ["SIP/2.0 200 OK", *lines, "To: <sip:999@192.0.2.1>;tag=b"]
    if description:
        head.append("Content-Type: application/sdp")
    return "\r\n".join([*head, f"Content-Length: {len(description)}", "", description]).encode()


def described(port: int, *, profile: str = "RTP/AVP", host: str = "192.0.2.1", formats: str = "8 101") -> str:
    return (
        f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio {port} {profile} {formats}\r\n"
        "a=rtpmap:101 telephone-event/8000\r\n"
    )


LOUD = bytes(G711["PCMA"].encode(np.resize(np.array([8_000, -8_000], np.int16), 160)))


def spoken(time: float, *, port: int, first: int = 0, packets: int = 50) -> list[tuple[float, tuple[str, str], bytes]]:
    ends = "192.0.2.9:7000", f"192.0.2.1:{port}"
    return [
        (time + 0.02 * n, ends, RtpPacket(8, first + n, 160 * (first + n), 7, LOUD).build()) for n in range(packets)
    ]


INVITED = sip("INVITE", number="+447700900123", call_id="1")
IN, OUT = ("192.0.2.9:5060", "192.0.2.1:5060"), ("192.0.2.1:5060", "192.0.2.9:5060")


def speaking(*rows: tuple[float, tuple[str, str], bytes]) -> bytes:
    ordered = sorted(rows, key=lambda row: row[0])
    return write_pcap((Crossing(time, Kind.DATAGRAM, *ends, body) for time, ends, body in ordered), EPOCH).body


def test_speech_goes_where_the_control_room_says_it_hears_and_moves_with_it(testbed: Testbed) -> None:
    again = sip("INVITE", number="+447700900123", call_id="1", cseq=7).replace(
        b"<sip:999@192.0.2.1>", b"<sip:1@x>;tag=b"
    )
    moved = again.replace(b"Content-Length: 0\r\n\r\n", b"")
    told = described(6004)
    moved += f"Content-Type: application/sdp\r\nContent-Length: {len(told)}\r\n\r\n{told}".encode()
    body = speaking(
        (0.0, IN, INVITED),
        *spoken(0.5, port=6000, packets=10),  # before it is answered nobody hears
        (1.0, OUT, ok(INVITED, described(6000))),
        *spoken(2.0, port=6000, first=100),
        *spoken(3.0, port=6002, first=150),  # of somebody else
        (4.0, OUT, moved),
        *spoken(5.0, port=6004, first=250),
    )
    found = record_wire(testbed, capture=("a.pcap", body), consoles=["govan-12"], speech="a-speech")
    said = [(round(act.time - EPOCH, 2), act.told) for act in found.acts if act.verb == "begin_saying"]
    assert said == [
        (1.99, {"clip": "a-speech/001-caller_1.wav"}),
        (4.99, {"clip": "a-speech/002-caller_1.wav"}),
    ]
    assert [len(each) for each in found.clips.values()] == [8_000, 8_000]
    assert "media: packets" in scenario_text(found, "X", "x")


@pytest.mark.parametrize(
    ("description", "options", "told"),
    [
        (described(6000), {}, "--speech makes WAV files of it"),
        (described(6000), {"speech": "x", "consoles": []}, "no --console takes the call"),
        (described(6000, profile="RTP/SAVP"), {"speech": "x"}, "it is under SRTP"),
    ],
)
def test_why_nobody_speaks_is_told_once_a_call(
    description: str, options: dict[str, Any], told: str, testbed: Testbed
) -> None:
    body = speaking((0.0, IN, INVITED), (1.0, OUT, ok(INVITED, description)), *spoken(2.0, port=6000))
    found = record_wire(testbed, capture=("a.pcap", body), **({"consoles": ["govan-12"]} | options))
    assert found.clips == {}
    assert found.left_out[f"what the caller says in a call: {told}"] == 1


def test_a_key_is_pressed_once_whichever_of_its_packets_were_lost(testbed: Testbed) -> None:
    ends = "192.0.2.9:7000", "192.0.2.1:6000"
    rows = []
    for number, (time, start, digit, durations, final) in enumerate(
        [
            (2.0, 1_000, 5, [160, 320], True),
            (3.0, 9_000, 6, [], True),  # its ends alone
            (4.0, 17_000, 7, [160, 320], False),  # without its ends
            (5.0, 25_000, 8, [160], True),
            # Longer than one packet can say: it goes on in a second segment.
            (6.0, 33_000, 9, [160, 0xFFFF], False),
            (14.2, 33_000 + 0xFFFF, 9, [160], True),
        ]
    ):
        events = [DtmfEvent(digit, False, 10, each) for each in durations] + [
            DtmfEvent(digit, True, 10, 400)
        ] * 3 * final
        rows += [
            (time + 0.02 * n, ends, RtpPacket(101, 100 * number + n, start, 7, event.build()).build())
            for n, event in enumerate(events)
        ]
    body = speaking((0.0, IN, INVITED), (1.0, OUT, ok(INVITED, described(6000))), *rows)
    found = record_wire(testbed, capture=("a.pcap", body))
    pressed = [(round(act.time - EPOCH, 2), act.told["digits"]) for act in found.acts if act.verb == "press"]
    assert pressed == [(1.99, "5"), (2.99, "6"), (3.99, "7"), (4.99, "8"), (5.99, "9")]


def test_a_codec_that_nobody_decodes_is_named(testbed: Testbed) -> None:
    rows = [(time, ends, bytes([body[0], 18]) + body[2:]) for time, ends, body in spoken(2.0, port=6000)]
    body = speaking((0.0, IN, INVITED), (1.0, OUT, ok(INVITED, described(6000, formats="18"))), *rows)
    found = record_wire(testbed, capture=("a.pcap", body), consoles=["govan-12"], speech="x")
    assert list(found.left_out) == ["what the caller says in a call: no codec 'G729'; known: PCMA, PCMU, G722, OPUS"]


SPOKEN = """
id: SPOKEN
title: A caller speaks, and presses a key
media: packets
actors:
  caller: {role: trunk_caller, number: "+447700900123"}
  call_taker: {role: console, position: govan-12}
timeline:
  - {at: 0 s, caller: {dial: "999"}}
  - {at: 2 s, call_taker: {answer: emergency}}
  - {at: 4 s, caller: {begin_saying: caller-999}}
  - {at: 14 s, caller: {press: "5"}}
  - {at: 16 s, caller: {begin_saying: officer-reply}}
  - {at: 26 s, caller: hang_up}
"""


@pytest.mark.virtual_time
async def test_what_a_caller_said_is_said_again_sample_for_sample(tmp_path: Path, testbed: Testbed) -> None:
    (tmp_path / "first.yaml").write_text(SPOKEN, encoding="utf-8")
    run = await played(tmp_path / "first.yaml", tmp_path / "1", testbed)
    assert run.outcome == "passed"
    first = read(Wire("", run.pcap, {}), testbed, consoles=["govan-12"], speech="again-speech")
    assert [act.verb for act in first.acts if act.actor == "caller_1" and act.verb != "begin_saying"] == [
        "dial",
        "press",
        "hang_up",
    ]
    assert len(first.clips) >= 2
    (tmp_path / "again-speech").mkdir()
    for name, samples in first.clips.items():
        write_wav(tmp_path / name, samples)
    (tmp_path / "again.yaml").write_text(scenario_text(first, "RECORDED", "Again"), encoding="utf-8")
    second = await played(tmp_path / "again.yaml", tmp_path / "2", testbed)
    again = read(Wire("", second.pcap, {}), testbed, consoles=["govan-12"], speech="again-speech")
    assert second.outcome == "passed"
    assert [each[1:] for each in again.spacing()] == [each[1:] for each in first.spacing()]
    for (time, _, verb), (due, *_) in zip(again.spacing(), first.spacing(), strict=True):
        assert time == pytest.approx(due, abs=SPACING_S), verb
    for name, samples in first.clips.items():
        assert np.array_equal(again.clips[name], samples), name


ROW = "    1.000000 s  → equipment  AT+CUTXC=1<CR><LF>\n"


@pytest.mark.parametrize(
    ("terminal", "text", "told"),
    [
        ("officer", ROW + "nonsense\n", r"officer.txt:2: found 'nonsense'; a line is TIME s"),
        ("officer", "run time 0 is yesterday\n", r"officer.txt:1: found 'run time 0 is yesterday'; a time"),
        ("govan-12", ROW, r"'govan-12' is no radio_terminal of testbed 'niccs-simulated'; it has officer"),
        ("officer", ROW, r"officer.txt:1: found no 'run time 0 is TIME'"),
    ],
)
def test_what_is_no_transcript_is_named(terminal: str, text: str, told: str, testbed: Testbed) -> None:
    body = pcap((0.0, sip("INVITE", number="+447700900123", call_id="1")))
    with pytest.raises(ScenarioError, match=told):
        record_wire(testbed, capture=("run.pcap", body), transcripts={terminal: ("officer.txt", text)})


def test_a_transcript_alone_is_enough(testbed: Testbed) -> None:
    text = (
        "    1.000000 s  → equipment  AT+CTSDC=0,0,0,1,1,0,1,1,0,0,0<CR><LF>\n"
        "    1.010000 s  → equipment  ATD1001<CR><LF>\n"
        "    3.500000 s  → equipment  AT+CUTXC=1<CR><LF>\n"
        "    4.000000 s  → equipment  ATD4001235<CR><LF>\n"
    )
    found = record_wire(testbed, transcripts={"officer": ("officer.txt", text)})
    assert found.spacing() == [(0.0, "officer", "press"), (2.5, "officer", "release")]
    assert list(found.left_out) == ["officer: a call to one radio: no verb does it again"]


def test_the_command_takes_a_capture_or_a_journal_and_tells_what_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "monday.pcap").write_bytes(pcap((0.0, sip("INVITE", number="+447700900123", call_id="1"))))
    out = str(tmp_path / "out.yaml")
    good = CliRunner().invoke(app, ["record", "--capture", str(tmp_path / "monday.pcap"), "--out", out])
    assert good.exit_code == 0, good.output
    assert load_scenario(Path(out)).title == "Recorded from monday.pcap"
    for wrong, told in (
        ([], "a JOURNAL is due, or --capture"),
        (["--transcript", "officer"], "TERMINAL=FILE is due"),
        (["--capture", str(tmp_path / "monday.pcap"), "--system", "somewhere"], "HOST:PORT is due"),
        (["--transcript", "officer=x.txt", "--speech"], "--speech goes with --capture"),
    ):
        found = CliRunner().invoke(app, ["record", "--out", out, *wrong])
        assert found.exit_code == 2
        assert told in found.stderr


def test_clips_are_beside_the_scenario_wherever_that_is_and_the_scenario_is_read_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "there").mkdir()
    body = speaking((0.0, IN, INVITED), (1.0, OUT, ok(INVITED, described(6000))), *spoken(2.0, port=6000))
    (tmp_path / "monday.pcap").write_bytes(body)
    out = tmp_path / "there" / "monday.yaml"
    command = ["record", "--capture", str(tmp_path / "monday.pcap"), "--console", "govan-12", "--speech", "--out"]
    done = CliRunner().invoke(app, [*command, str(out)])
    assert done.exit_code == 0, done.output
    assert "1 clips of what was said: monday-speech" in done.stdout
    monkeypatch.chdir(tmp_path)
    assert load_scenario(Path("there") / "monday.yaml").folder == Path("there")
    assert len(read_wav(tmp_path / "there" / "monday-speech" / "001-caller_1.wav")) == 8_000
    (tmp_path / "there" / "monday-speech" / "001-caller_1.wav").unlink()
    with pytest.raises(ScenarioError, match=r"found the clip 'monday-speech/001-caller_1.wav'"):
        load_scenario(out)


SHORT = """
id: SHORT
title: Six seconds of wire
actors:
  caller: {role: trunk_caller, number: "+447700900123"}
  officer: {role: radio_terminal, issi: 4001234}
timeline:
  - {at: 0 s, caller: {dial: "999"}}
  - {at: 1.5 s, officer: {press: GD-OPS-1}}
  - {at: 2.75 s, officer: release}
  - {at: 4 s, officer: {status: 5}}
  - {at: 5.25 s, caller: hang_up}
"""


@pytest.mark.real_wire
@pytest.mark.alone
def test_what_was_recorded_is_played_in_real_time_within_5_ms(tmp_path: Path, testbed: Testbed) -> None:
    (tmp_path / "first.yaml").write_text(SHORT, encoding="utf-8")

    async def in_real_time(file: Path, folder: Path, run: Run) -> Wire:
        async with open_bench(
            testbed,
            today=date(2026, 1, 1),
            addresses=run.addresses,
            virtual=False,
            origin=run.origin,
            capture_dir=folder,
        ) as bench:
            result = await Player(load_scenario(file), bench).play()
        return wire(result.outcome, folder)

    with started_run(SIMULATED_TESTBED, directory=tmp_path / "run", keep="failures", start=True) as run:
        first = read(asyncio.run(in_real_time(tmp_path / "first.yaml", tmp_path / "1", run)), testbed)
        (tmp_path / "again.yaml").write_text(scenario_text(first, "RECORDED", "Again"), encoding="utf-8")
        again = read(asyncio.run(in_real_time(tmp_path / "again.yaml", tmp_path / "2", run)), testbed)
    assert [each[1:] for each in again.spacing()] == [each[1:] for each in first.spacing()]
    assert len(first.acts) == 5
    for (time, _, verb), (due, *_) in zip(again.spacing(), first.spacing(), strict=True):
        assert time == pytest.approx(due, abs=SPACING_S), verb
