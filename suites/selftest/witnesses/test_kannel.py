"""Outside witness of both ways: kannel's bearerbox binds by SMPP, and drives the modem by its AT driver."""

from __future__ import annotations

import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from ports import free_port
from sms_network import Network, eventually, started
from witness import need

pytestmark = pytest.mark.witness("kannel")

CITIZEN = "+447700900123"


@pytest.fixture
def network() -> Iterator[Network]:
    """The simulated network."""
    for program in ("/usr/sbin/bearerbox", "/usr/sbin/smsbox"):
        need(program, package="kannel")
    with started() as network:
        yield network


class Kannel:
    """Both of its processes."""

    def __init__(self, folder: Path, admin: int, send: int) -> None:
        self._admin, self._send = admin, send
        self.log = folder / "bearerbox.log"

    def status(self) -> str:
        """What it tells of its connections; empty while it does not answer."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._admin}/status.txt?password=admin", timeout=5) as told:
                return str(told.read().decode())
        except OSError:
            return ""

    def send(self, to: str, text: str, sender: str) -> str:
        """Sends a text with a report; gives what it answers, empty while it does not."""
        fields = {
            "username": "tester",
            "password": "tester",
            "from": sender,
            "to": to,
            "text": text,
            "coding": "2" if not text.isascii() else "0",
            "charset": "UTF-8",
            "dlr-mask": "31",
            "dlr-url": "http://127.0.0.1:9/",
        }
        url = f"http://127.0.0.1:{self._send}/cgi-bin/sendsms?{urllib.parse.urlencode(fields)}"
        try:
            with urllib.request.urlopen(url, timeout=10) as told:
                return str(told.read().decode())
        except urllib.error.HTTPError as error:
            return str(error.read().decode())
        except OSError:
            return ""


@contextmanager
def kannel(folder: Path, connection: str) -> Iterator[Kannel]:
    """kannel with one connection, online."""
    admin, send = free_port(), free_port()
    settings = folder / "kannel.conf"
    settings.write_text(
        f"group = core\nadmin-port = {admin}\nadmin-password = admin\nadmin-interface = 127.0.0.1\n"
        f"smsbox-port = {admin + 1}\nbox-allow-ip = 127.0.0.1\nlog-level = 0\nlog-file = {folder}/bearerbox.log\n"
        f"dlr-storage = internal\n\n{connection}\n"
        f"group = smsbox\nbearerbox-host = 127.0.0.1\nsendsms-port = {send}\nsendsms-interface = 127.0.0.1\n\n"
        "group = sendsms-user\nusername = tester\npassword = tester\nconcatenation = true\nmax-messages = 10\n\n"
        'group = sms-service\nkeyword = default\nmax-messages = 1\ncatch-all = true\ntext = "kannel heard: %a"\n'
    )
    boxes = []
    found = Kannel(folder, admin, send)
    try:
        for program, ready in (("bearerbox", "(online"), ("smsbox", "smsbox:")):
            box = [f"/usr/sbin/{program}", "-v", "4", str(settings)]
            boxes.append(subprocess.Popen(box, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
            eventually(lambda ready=ready: True if ready in found.status() else None)  # type: ignore[misc]
        yield found
    finally:
        for process in reversed(boxes):
            process.terminate()
            process.wait(20)


def converse(network: Network, box: Kannel, number: str, reported: Callable[[], bool]) -> None:
    """Text out with its report, long and not Latin too; text in, and kannel's answer to it."""
    texts = ["from kannel", "a long text of kannel's " * 20, "Ваша встреча в понедельник"]
    for count, text in enumerate(texts, 1):
        eventually(lambda text=text: True if "Accepted" in box.send(CITIZEN, text, number) else None)  # type: ignore[misc]
        assert network.got(CITIZEN, count)[count - 1]["text"] == text
    eventually(lambda: True if reported() else None)
    network.send(CITIZEN, number, "cancel")
    answer = network.got(CITIZEN, 4)[3]
    assert (answer["text"], answer["sender"]) == ("kannel heard: cancel", number)


def test_bearerbox_sends_and_receives_by_smpp(network: Network, tmp_path: Path) -> None:
    host, port = network.smpp
    connection = (
        f"group = smsc\nsmsc = smpp\nhost = {host}\nport = {port}\ntransceiver-mode = true\n"
        f'smsc-username = {network.system_id}\nsmsc-password = {network.password}\nsystem-type = ""\n'
        "source-addr-ton = 1\nsource-addr-npi = 1\ndest-addr-ton = 1\ndest-addr-npi = 1\nenquire-link-interval = 1\n"
    )
    with kannel(tmp_path, connection) as box:
        # A long text is in pieces, each with its report.
        converse(network, box, "+447700900001", lambda: "DLR: received 5" in box.status())
        # Kannel asks for life when a second has gone by with nothing said: the conversation may be over before that.
        eventually(lambda: True if "enquire_link_resp" in box.log.read_text(errors="replace") else None)
        log = box.log.read_text(errors="replace")
        for word in ("generic_nack", "Unknown", "PANIC"):
            assert word not in log


def test_bearerbox_sends_and_receives_by_its_modem_driver(network: Network, tmp_path: Path) -> None:
    connection = (
        f"group = smsc\nsmsc = at\nmodemtype = generic\ndevice = {network.pty}\nspeed = 115200\n"
        "my-number = +447700900000\nsms-center = +447700900999\n\n"
        'group = modems\nid = generic\nname = "Generic"\ninit-string = "AT+CNMI=1,2,0,1,0"\n'
    )
    with kannel(tmp_path, connection) as box:

        def reported() -> bool:
            return box.log.read_text(errors="replace").count("got STATUS-REPORT for message") >= 3

        converse(network, box, "+447700900000", reported)
        assert "+CMS ERROR" not in box.log.read_text(errors="replace")
