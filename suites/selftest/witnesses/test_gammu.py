"""Outside witness of the modem: gammu and its daemon identify it, send, receive, delete and get delivery reports."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sms_network import Network, eventually, started
from witness import need

pytestmark = pytest.mark.witness("gammu")

MODEM, CITIZEN = "+447700900000", "+447700900123"


@pytest.fixture
def network() -> Iterator[Network]:
    """The simulated network."""
    need("gammu", package="gammu")
    with started() as network:
        yield network


@pytest.fixture
def run(network: Network, tmp_path: Path) -> Iterator[object]:
    """Runs gammu once and gives what it printed."""
    settings = tmp_path / "gammurc"
    settings.write_text(f"[gammu]\nport={network.pty}\nconnection=at115200\n")

    def gammu(*words: str) -> str:
        done = subprocess.run(
            ["gammu", "-c", str(settings), *words], capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return gammu  # type: ignore[return-value]


def test_it_identifies_the_modem_and_its_network(run) -> None:  # type: ignore[no-untyped-def]
    told = run("identify")
    assert "Manufacturer         : ICCS" in told
    assert "IMEI                 : 004999010640000" in told
    assert "SIM IMSI             : 001010123456789" in told
    assert 'Number               : "+447700900999"' in run("getsmsc")
    assert "home network" in run("networkinfo")


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("hello there", ()),
        ("long € text {x} " * 20, ("-len", "400")),
        ("Ваша встреча ☎ " * 15, ("-unicode", "-len", "400")),
    ],
    ids=["short", "long", "UCS-2 and long"],
)
def test_what_it_sends_arrives(network: Network, run, text: str, options: tuple[str, ...]) -> None:  # type: ignore[no-untyped-def]
    assert "message reference=0" in run("sendsms", "TEXT", CITIZEN, *options, "-text", text)
    (got,) = network.got(CITIZEN)
    assert (got["text"], got["sender"]) == (text, MODEM)


def test_it_reads_what_came_and_deletes_it(network: Network, run) -> None:  # type: ignore[no-untyped-def]
    network.send(CITIZEN, MODEM, "cancel")
    network.send(CITIZEN, MODEM, "change")
    told = eventually(lambda: found if "\nchange\n" in (found := run("getallsms")) else None)
    assert f'Remote number        : "{CITIZEN}"' in told
    assert "\ncancel\n" in told
    for location in ("1", "2"):
        run("deletesms", "1", location)
    assert "0 SMS parts in 0 SMS sequences" in run("getallsms")


def test_it_stores_a_draft_and_reads_it_again(run) -> None:  # type: ignore[no-untyped-def]
    run("savesms", "TEXT", "-folder", "2", "-text", "a draft")
    assert "a draft" in run("getallsms")


@contextmanager
def daemon(network: Network, folder: Path) -> Iterator[Path]:
    """gammu-smsd on the modem; gives its settings file."""
    need("gammu-smsd", package="gammu-smsd")
    for name in ("in", "out", "sent", "errors"):
        (folder / name).mkdir()
    settings = folder / "smsdrc"
    settings.write_text(
        f"[gammu]\nport={network.pty}\nconnection=at115200\n"
        f"[smsd]\nservice=files\ninboxpath={folder}/in/\noutboxpath={folder}/out/\nsentsmspath={folder}/sent/\n"
        f"errorsmspath={folder}/errors/\nlogfile={folder}/log\ndebuglevel=255\ndeliveryreport=log\n"
        "commtimeout=1\nloopsleep=1\nreceivefrequency=1\n"
    )
    process = subprocess.Popen(
        ["gammu-smsd", "-c", str(settings)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield settings
    finally:
        process.terminate()
        process.wait(20)


def test_its_daemon_sends_gets_the_delivery_report_and_receives(network: Network, tmp_path: Path) -> None:
    with daemon(network, tmp_path) as settings:
        inject = ["gammu-smsd-inject", "-c", str(settings), "TEXT", CITIZEN, "-report", "-text", "from the daemon"]
        subprocess.run(inject, check=True, capture_output=True, timeout=20)
        (got,) = network.got(CITIZEN)
        assert got["text"] == "from the daemon"
        log = tmp_path / "log"
        report = f"Delivery report: Delivered to {CITIZEN}, message reference 0x00"
        eventually(lambda: True if report in log.read_text(errors="replace") else None)
        network.send(CITIZEN, MODEM, "STOP")
        received = eventually(lambda: next((tmp_path / "in").glob(f"IN*_{CITIZEN}_00.txt"), None))
        eventually(lambda: True if received.read_text() == "STOP" else None)
        assert not list((tmp_path / "errors").iterdir())
