"""`iccs measure`: results as JSON, tables and recordings that can't be read named, exit codes for CI."""

from __future__ import annotations

import json
import wave
from math import exp
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from harness.cli.main import app
from harness.testbed.clips import read_clip

run = CliRunner()


def table(folder: Path, rows: list[str], header: str = "PTT_time,P1,P2") -> Path:
    path = folder / "presses.csv"
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def curve_rows(count: int = 400) -> list[str]:
    leads = np.linspace(0.0, 0.6, count)
    chance = np.random.default_rng(1)
    shares = [1 / (1 + exp((t - 0.25) / -0.02)) for t in leads]
    return [
        f"{t:.4f},{np.clip(0.9 * s + chance.normal(0, 0.02), 0, 1):.4f},0.9" for t, s in zip(leads, shares, strict=True)
    ]


def sound(path: Path, samples: np.ndarray, rate: int = 8_000) -> Path:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return path


def test_a_table_of_presses_gives_the_access_time_its_interval_and_a_plot(tmp_path: Path) -> None:
    plot = tmp_path / "curve.svg"
    done = run.invoke(
        app, ["measure", "access-time", str(table(tmp_path, curve_rows())), "--alpha", "0.5", "--plot", str(plot)]
    )
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["access_time_s"] == pytest.approx(0.25, abs=0.005)
    low, high = told["interval_s"]
    assert low <= 0.25 <= high
    assert told["trials"] == 400
    assert plot.read_bytes().startswith(b"<?xml")


def test_a_table_as_nist_publishes_them_gives_the_access_time_once_it_is_told_when_the_word_begins(
    tmp_path: Path,
) -> None:
    rows = [row.split(",") for row in curve_rows()]
    published = [f"{2.5 - float(ptt):.5f},{2.521 - float(ptt):.5f},2.84,{p1},{p2},0.23" for ptt, p1, p2 in rows]
    before = "AudioFiles = C:\\MCV\\clip.wav\nfs =  48000\n----------------\n"
    header = before + "PTT_time,PTT_start,ptt_st_dly,P1_Int,P2_Int,m2e_latency"
    path = str(table(tmp_path, published, header))
    done = run.invoke(app, ["measure", "access-time", path, "--alpha", "0.5", "--word-at", "2.5"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["access_time_s"] == pytest.approx(0.25, abs=0.005)
    assert (told["trials"], done.stderr) == (400, "")
    done = run.invoke(app, ["measure", "access-time", path, "--alpha", "0.5"])
    assert json.loads(done.stdout)["access_time_s"] == pytest.approx(2.25, abs=0.005)
    assert "--word-at" in done.stderr


@pytest.mark.parametrize(
    ("rows", "header", "named"),
    [
        (["0.1,x,0.9"], "ptt,p1,p2", "presses.csv:2: p1 is 'x', no number"),
        (["0.1,0.5,1.5"], "ptt,p1,p2", "presses.csv:2: p2 is 1.5, 0 to 1 is due"),
        (["", "0.1,,0.9"], "ptt,p1,p2", "presses.csv:3: ptt and p1 are due"),
        (["0.1,0.5"], "time,p1", "no column ptt; the header has time, p1"),
        (["0.1,x,0.9"], "fs = 48000\n----\nptt,p1,p2", "presses.csv:4: p1 is 'x', no number"),
    ],
)
def test_a_table_that_cannot_be_read_is_named_with_its_line(
    tmp_path: Path, rows: list[str], header: str, named: str
) -> None:
    done = run.invoke(app, ["measure", "access-time", str(table(tmp_path, rows, header))])
    assert done.exit_code == 2
    assert named in done.stderr


def test_a_table_without_a_slope_says_what_to_press_next(tmp_path: Path) -> None:
    done = run.invoke(app, ["measure", "access-time", str(table(tmp_path, [f"0.{n},0.9,0.9" for n in range(10, 40)]))])
    assert done.exit_code == 1
    assert "press earlier and later" in done.stderr


def test_two_recordings_give_the_delay_between_them(tmp_path: Path) -> None:
    said = read_clip("dispatch")
    heard = np.concatenate([np.zeros(1_480, np.int16), said // 2])
    done = run.invoke(
        app, ["measure", "latency", str(sound(tmp_path / "tx.wav", said)), str(sound(tmp_path / "rx.wav", heard))]
    )
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["latency_ms"] == pytest.approx(185.0, abs=0.2)
    assert told["method"] == "waveform"


def test_recordings_that_do_not_fit_are_named(tmp_path: Path) -> None:
    said = sound(tmp_path / "tx.wav", read_clip("dispatch"))
    other = sound(tmp_path / "rx.wav", read_clip("caller-999"))
    assert run.invoke(app, ["measure", "latency", str(said), str(other)]).exit_code == 1
    faster = sound(tmp_path / "fast.wav", read_clip("dispatch"), rate=16_000)
    done = run.invoke(app, ["measure", "latency", str(said), str(faster)])
    assert (done.exit_code, "16000" in done.stderr) == (2, True)
    done = run.invoke(app, ["measure", "latency", str(said), str(tmp_path / "none.wav")])
    assert (done.exit_code, "none.wav" in done.stderr) == (2, True)
    done = run.invoke(app, ["measure", "latency", str(said), str(said), "--method", "ears"])
    assert (done.exit_code, "waveform" in done.stderr) == (2, True)
