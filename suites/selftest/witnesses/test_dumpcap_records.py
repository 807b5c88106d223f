"""dumpcap captures what SIPp and baresip do to a control room, editcap turns captures over: both are read."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest

from harness.evidence.capture_packets import read_capture
from harness.evidence.pcap import write_pcap
from harness.measure.correlate import correlation
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from harness.scenario.record import Recorded
from harness.scenario.record_wire import record_wire
from harness.testbed.load import load_testbed
from harness.transport.tap import Crossing, Kind
from suites.selftest.ports import free_port
from suites.selftest.witness import need
from suites.selftest.witnesses.baresip import baresip, write_wav
from suites.selftest.witnesses.control_room import POLL_S, SIMULATED, control_room, ended, sipp, sipp_errors

pytestmark = [pytest.mark.real_wire, pytest.mark.witness("tshark")]

STARTS_WITHIN_S = 10.0
WRITES_WITHIN_S = 10.0
CALLS = 5
REST_S = 60
"""Silence after the speech in the telephone's microphone: baresip hangs up where its file ends."""
LEAST_LIKENESS = 0.95
"""The same samples, but for the law's steps."""


@contextlib.asynccontextmanager
async def capturing(folder: Path, what: str) -> AsyncIterator[Path]:
    """Capture loopback by dumpcap into a pcapng; where the system forbids it the test is skipped."""
    file, said = folder / "lo.pcapng", folder / "dumpcap.txt"
    command = [need("dumpcap", package="tshark"), "-i", "lo", "-f", what, "-w", str(file)]
    with said.open("wb") as screen:
        process = await asyncio.create_subprocess_exec(*command, stdout=screen, stderr=screen)
    try:
        async with asyncio.timeout(STARTS_WITHIN_S):
            while f"File: {file}" not in (told := said.read_text(errors="replace")):
                if process.returncode is not None:
                    pytest.skip(f"dumpcap may not capture here: {told.strip()[-200:]}")
                await asyncio.sleep(POLL_S)
        yield file
    finally:
        await ended(process)


async def written(file: Path, what: bytes, count: int) -> None:
    """Return when a capture, which another process writes, has so many of something."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + WRITES_WITHIN_S
    while (seen := _body(file).count(what)) < count:
        assert loop.time() < deadline, f"found {seen} of {count} {what!r}"
        await asyncio.sleep(POLL_S)


def _body(file: Path) -> bytes:
    return file.read_bytes()


def recorded(file: Path, system: tuple[str, int], *, speech: str | None = None) -> Recorded:
    capture = str(file), file.read_bytes()
    return record_wire(load_testbed(SIMULATED), capture=capture, system=system, consoles=["govan-12"], speech=speech)


@pytest.mark.parametrize("transport", ["t1", "tn", "u1"])
async def test_sipps_calls_over_tcp_and_udp_are_dialled_and_hung_up_as_sipp_did(tmp_path: Path, transport: str) -> None:
    need("sipp", package="sip-tester")
    async with control_room(tmp_path / "room", "iccs", auto_answer=0.2) as room:
        async with capturing(tmp_path, f"port {room.sip[1]}") as file:
            rate = ("-t", transport, "-max_socket", "100", "-r", "2", "-m", str(CALLS), "-d", "300")
            target = f"{room.sip[0]}:{room.sip[1]}"
            folder = tmp_path / "sipp"
            async with sipp(folder, "-sn", "uac", target, "-s", "999", "-p", str(free_port()), *rate) as process:
                async with asyncio.timeout(60):
                    assert await process.wait() == 0, sipp_errors(folder)
            await written(file, b"CSeq: 2 BYE", 2 * CALLS)
        found = recorded(file, room.sip)
    dialled = [act.time for act in found.acts if act.verb == "dial"]
    over = [act.time for act in found.acts if act.verb == "hang_up" and act.actor.startswith("caller")]
    answered = [act.time for act in found.acts if act.verb == "answer"]
    assert len(dialled) == len(over) == len(answered) == CALLS
    assert np.diff(dialled) == pytest.approx([0.5] * (CALLS - 1), abs=0.1)
    assert np.subtract(answered, dialled) == pytest.approx([0.2] * CALLS, abs=0.15)
    assert np.subtract(over, answered) == pytest.approx([0.3] * CALLS, abs=0.15)
    assert found.left_out == {}


@pytest.mark.alone
@pytest.mark.witness("baresip")
async def test_what_baresips_user_said_and_pressed_is_said_and_pressed(
    tmp_path: Path, speech: Callable[[str], Samples]
) -> None:
    says = speech("caller-999")
    write_wav(tmp_path / "says.wav", np.concatenate([says, np.zeros(REST_S * SAMPLE_RATE, np.int16)]))
    async with control_room(tmp_path / "room", "iccs", auto_answer=0.5) as room:
        switch = f"{room.sip[0]}:{room.sip[1]}"
        account = f"<sip:2002@{switch}>;auth_user=2002;auth_pass=test-telephone-2002;regint=60;audio_codecs=PCMA"
        async with (
            capturing(tmp_path, "udp") as file,
            baresip(tmp_path / "baresip", account=account, speech=tmp_path / "says.wav") as telephone,
        ):
            await telephone.registered(within=5.0)
            await telephone.do("dial", f"sip:999@{switch}")
            await telephone.expect("CALL_ESTABLISHED", within=5.0)
            await asyncio.sleep(len(says) / SAMPLE_RATE + 2.0)  # as long as the caller speaks
            for digit in "5#":
                await telephone.press(digit)
                await asyncio.sleep(0.3)  # as long as a finger takes to the next key
            await telephone.do("hangup")
            await telephone.expect("CALL_CLOSED", within=5.0)
            await written(file, b"BYE sip:", 1)
        found = recorded(file, room.sip, speech="x")
    caller = [(act.verb, act.told) for act in found.acts if act.actor == "caller_1"]
    assert caller[0] == ("dial", {"number": "999"})
    assert caller[-3:] == [("press", {"digits": "5"}), ("press", {"digits": "#"}), ("hang_up", None)]
    assert {verb for verb, _ in caller[1:-3]} == {"begin_saying"}
    # The clip begins to play as the call is set up: what came before the answer was heard by nobody.
    assert correlation(says, np.concatenate(list(found.clips.values()))) > LEAST_LIKENESS


@pytest.mark.parametrize("form", ["pcap", "nsecpcap", "pcapng"])
def test_editcaps_forms_of_a_capture_are_read_alike(tmp_path: Path, form: str) -> None:
    editcap = need("editcap", package="tshark")
    ends = ("192.0.2.9:5060", "192.0.2.1:5060"), ("2001:db8::9:5060", "2001:db8::1:5060")
    rows = [
        Crossing(number / 8, kind, *ends[number % 2], bytes([number]) * (number + 1))
        for number in range(40)
        for kind in (Kind.DATAGRAM, Kind.STREAM)
    ]
    body = write_pcap(rows, 1_790_000_000.0).body
    (tmp_path / "ours.pcap").write_bytes(body)
    command = [editcap, "-F", form, str(tmp_path / "ours.pcap"), str(tmp_path / "theirs")]
    subprocess.run(command, check=True, capture_output=True, timeout=STARTS_WITHIN_S)
    theirs = (tmp_path / "theirs").read_bytes()
    assert (theirs[:4] == body[:4]) == (form == "pcap")
    assert read_capture(theirs) == read_capture(body)
    assert len(read_capture(body)) == 80


def test_mergecap_puts_captures_of_two_links_into_one_and_both_are_read(tmp_path: Path) -> None:
    mergecap, editcap = need("mergecap", package="tshark"), need("editcap", package="tshark")
    body = write_pcap([Crossing(0.0, Kind.DATAGRAM, "192.0.2.9:1", "192.0.2.1:2", b"ethernet")], 1_790_000_000.0).body
    (tmp_path / "ethernet.pcap").write_bytes(body)
    # The same without its Ethernet header, by editcap, as a link of IP alone.
    for command in (
        [editcap, "-F", "pcapng", "-C", "14", "-T", "rawip", str(tmp_path / "ethernet.pcap"), str(tmp_path / "alone")],
        [mergecap, "-w", str(tmp_path / "both"), str(tmp_path / "ethernet.pcap"), str(tmp_path / "alone")],
    ):
        subprocess.run(command, check=True, capture_output=True, timeout=STARTS_WITHIN_S)
    found = read_capture((tmp_path / "both").read_bytes())
    assert [each.payload for each in found] == [b"ethernet", b"ethernet"]
