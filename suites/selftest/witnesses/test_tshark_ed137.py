"""tshark reads every ED-137 header extension that we write, and finds in its fields what we meant."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from harness.protocols.ed137.extension import Layout, Ptt, RadioState, write
from harness.protocols.ed137.features import (
    ClimaxDelay,
    DelayAnswer,
    DelayRequest,
    Method,
    RemoteControl,
    SignalQuality,
)
from harness.protocols.rtp.rtp import RtpPacket
from suites.selftest.witness import need

pytestmark = pytest.mark.witness("tshark")

R2S = 123


def tshark(folder: Path, *arguments: str) -> str:
    """What it prints of the packet that was captured in a folder."""
    command = [need("tshark", package="tshark"), "-n", "-r", str(folder / "one.pcap"), "-d", "udp.port==20002,rtp"]
    return subprocess.run([*command, *arguments], capture_output=True, text=True, check=True, timeout=60).stdout


def dissected(state: RadioState, folder: Path, *names: str) -> list[str]:
    """The values that it finds of each field below `rtp.ext.`, those of several features in their order."""
    from scapy.layers.inet import IP, UDP  # noqa: PLC0415 (scapy takes most of a second to import)
    from scapy.utils import PcapWriter  # noqa: PLC0415

    packet = RtpPacket(R2S, 1, 160, 7, extension=write(state)).build()
    with PcapWriter(str(folder / "one.pcap"), linktype=101) as pcap:
        pcap.write(IP(src="127.0.0.1", dst="127.0.0.1") / UDP(sport=20_000, dport=20_002) / packet)
    fields = [word for name in names for word in ("-e", f"rtp.ext.{name}")]
    told = tshark(folder, "-T", "fields", "-E", "separator=|", "-E", "aggregator= ", *fields, "-e", "_ws.malformed")
    *values, malformed = told.rstrip("\n").split("|")
    assert malformed == ""
    return values


@pytest.mark.parametrize("ptt", [each for each in Ptt if each < Ptt.RESERVED_6])
def test_who_keys_and_how_in_the_layout_of_2011(ptt: Ptt, tmp_path: Path) -> None:
    state = RadioState(ptt, True, 41, True, False, True)
    names = ("ed137a.ptt_type", "ed137a.squ", "ed137a.ptt_id", "ed137a.pm", "ed137a.ptts", "ed137a.sct", "ed137a.x")
    assert dissected(state, tmp_path, *names, "profile") == [str(int(ptt)), "1", "41", "1", "0", "1", "0", "0x0167"]


@pytest.mark.parametrize("ptt", [each for each in Ptt if each < Ptt.TEST])
def test_who_keys_and_how_in_the_layout_of_2009(ptt: Ptt, tmp_path: Path) -> None:
    state = RadioState(ptt, True, 11, simultaneous=True, layout=Layout.OF_2009, voice_frequency=True)
    names = ("ed137.ptt_type", "ed137.squ", "ed137.ptt_id", "ed137.sct", "ed137.x", "ed137.vf")
    assert dissected(state, tmp_path, *names, "profile") == [str(int(ptt)), "1", "11", "1", "0", "1", "0x0067"]


def test_features_of_2011(tmp_path: Path) -> None:
    features = (
        SignalQuality(21, Method.AGC),
        ClimaxDelay(9),
        RemoteControl(use_transmitter_1=True, mute_receiver_2=True),
    )
    names = (
        "ed137a.ft.type",
        "ed137a.ft.sqi.qidx",
        "ed137a.ft.sqi.qidx-ml",
        "ed137a.ft.climax_delay.mode",
        "ed137a.ft.climax_delay.relative_value",
        "ed137b.ft.rrc.seltxf1",
        "ed137b.ft.rrc.seltxf2",
        "ed137b.ft.rrc.murxf1",
        "ed137b.ft.rrc.murxf2",
    )
    found = dissected(RadioState(squelch=True, features=features), tmp_path, *names)
    assert found == ["0x01 0x02 0x03", "21", "1", "0", "9", "1", "0", "0", "1"]


def test_a_delay_is_asked_and_answered(tmp_path: Path) -> None:
    asked = RadioState(Ptt.NORMAL, ptt_id=1, features=(DelayRequest(800_000, True),))
    names = ("ed137b.ft.climax_ddc.rmm_tqv", "ed137b.ft.climax_ddc.rmm_t1")
    assert dissected(asked, tmp_path, *names) == ["1", "800000"]
    answer = DelayAnswer(800_000, 3_000_000, 40, 160, 24, wants_another=True)
    prefix = "ed137b.ft.climax_ddc.mam_"
    names = tuple(prefix + name for name in ("tqg", "t1", "nmr", "t2", "tsd", "tj1", "tid"))
    told = dissected(RadioState(features=(answer,)), tmp_path, *names)
    assert told == ["0", "800000", "1", "3000000", "40", "160", "24"]


def test_features_of_2009(tmp_path: Path) -> None:
    state = RadioState(squelch=True, features=(SignalQuality(9), ClimaxDelay(7)), layout=Layout.OF_2009)
    names = ("ed137.ft.type", "ed137.ft.bss.qidx", "ed137.ft.bss.qidx-ml")
    assert dissected(state, tmp_path, *names) == ["0x00000001 0x00000002", "9", "0"]
    # The field masks the delay a second time and is 0 whatever was sent; the text is right.
    assert "CLIMAX-Time Delay: 14 ms" in tshark(tmp_path, "-V")
