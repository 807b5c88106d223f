"""A capture and serial transcripts become a scenario that does the same again, at the same spacing."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from harness.cli.main import app
from harness.cli.places import SIMULATED_TESTBED
from harness.errors import ScenarioError
from harness.evidence.capture import crossings
from harness.evidence.pcap import write_pcap
from harness.evidence.transcript import origin_line, transcript
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
        (lambda _: b"", r"bad.pcap: not a capture: No data"),
        (lambda _: b"hello, this is a text of some length", r"bad.pcap: not a capture: Not a supported"),
        (lambda body: body[:10], r"bad.pcap: not a capture"),
        (lambda body: body[:-7], r"bad.pcap: not a capture: cut off in packet 1, 7 bytes are missing"),
        (lambda body: body + b"\0" * 9, r"bad.pcap: not a capture: cut off after its last packet, 9 bytes"),
        (relinked(105), r"bad.pcap: not a capture: found link type 105; this reads 1 \(Ethernet\), 101"),
        (lambda _: bytes.fromhex("0a0d0d0a1c0000004d3c2b1a01000000ffffffffffffffff1c000000"), r"found pcapng; editcap"),
        (lambda body: body[:24], r"bad.pcap: found no act of an actor of testbed"),
    ],
)
def test_what_is_no_capture_is_named(spoil: Callable[[bytes], bytes], told: str, testbed: Testbed) -> None:
    body = pcap((0.0, sip("INVITE", number="+447700900123", call_id="1")))
    with pytest.raises(ScenarioError, match=told):
        record_wire(testbed, capture=("bad.pcap", spoil(body)))


@pytest.mark.parametrize(("link", "before"), [(101, 0), (113, 16), (276, 20)])
def test_other_links_are_read_too(link: int, before: int, testbed: Testbed) -> None:
    body = pcap((0.0, sip("INVITE", number="+447700900123", call_id="1")))
    packet = bytes(before) + body[40 + 14 :]
    head = struct.pack("<IIII", int(EPOCH), 0, len(packet), len(packet))
    found = record_wire(testbed, capture=("any.pcap", relinked(link)(body[:24]) + head + packet))
    assert [(act.verb, act.told) for act in found.acts] == [("dial", {"number": "999"})]


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
    ):
        found = CliRunner().invoke(app, ["record", "--out", out, *wrong])
        assert found.exit_code == 2
        assert told in found.stderr


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
