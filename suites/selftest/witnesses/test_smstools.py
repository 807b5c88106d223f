"""Outside witness of the modem: smstools' daemon sends, receives and gets delivery reports over the serial line."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sms_network import Network, eventually, started
from witness import need

pytestmark = pytest.mark.witness("smstools")

CITIZEN = "+447700900123"
FOLDERS = ("outgoing", "checked", "incoming", "failed", "sent", "report", "saved", "phonecalls")


@pytest.fixture
def network() -> Iterator[Network]:
    """The simulated network."""
    need("/usr/sbin/smsd", package="smstools")
    with started() as network:
        yield network


@contextmanager
def daemon(network: Network, folder: Path) -> Iterator[None]:
    """smsd on the modem."""
    for name in FOLDERS:
        (folder / name).mkdir()
    settings = folder / "smsd.conf"
    settings.write_text(
        "devices = GSM1\n"
        + "".join(f"{name} = {folder}/{name}\n" for name in FOLDERS)
        + f"logfile = {folder}/log\ninfofile = {folder}/running\npidfile = {folder}/pid\nloglevel = 7\n"
        "delaytime = 1\nerrorsleeptime = 1\nautosplit = 3\ninternal_combine = yes\n"
        f"[GSM1]\ndevice = {network.pty}\nbaudrate = 115200\nincoming = yes\nreport = yes\n"
        'init = AT+CPMS="ME","ME","ME"\ninit2 = AT+CNMI=2,1,0,2,0\n'
    )
    process = subprocess.Popen(
        ["/usr/sbin/smsd", "-t", f"-c{settings}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(20)


def written(file: bytes) -> str:
    """The text of a file that smsd wrote: lines about it, an empty one, and UTF-16 where it says so."""
    about, _, text = file.partition(b"\n\n")
    return text.decode("utf-16-be" if b"Alphabet: UCS2" in about else "ascii").strip()


def test_its_daemon_sends_long_texts_gets_reports_and_reads_what_comes(network: Network, tmp_path: Path) -> None:
    long = "from smstools " * 20
    with daemon(network, tmp_path):
        made = tmp_path / "long"
        made.write_text(f"To: {CITIZEN.removeprefix('+')}\nReport: yes\n\n{long}")
        made.rename(tmp_path / "outgoing" / "long")
        (got,) = network.got(CITIZEN)
        assert (got["text"], got["parts"]) == (long.strip(), 2)
        reports = tmp_path / "report"
        told = eventually(
            lambda: found if len(found := [each.read_text() for each in reports.iterdir()]) == 2 else None
        )
        assert all("Status: 0,Ok" in each for each in told)
        for text in ("Ваша встреча", "change " * 40, "STOP"):
            network.send(CITIZEN, "+447700900000", text)
        incoming = tmp_path / "incoming"
        read = eventually(
            lambda: found if len(found := [each.read_bytes() for each in incoming.iterdir()]) == 3 else None
        )
        assert {written(each) for each in read} == {"Ваша встреча", ("change " * 40).strip(), "STOP"}
        assert not list((tmp_path / "failed").iterdir())
        log = (tmp_path / "log").read_text(errors="replace")
        assert set(re.findall(r"ERROR[^\r\n]*", log)) <= {"ERROR: 321  (Invalid memory index)"}, "it looks everywhere"
