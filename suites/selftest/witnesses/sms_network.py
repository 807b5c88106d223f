"""A simulated SMS network in a process of its own, as `iccs simulate` starts it, for outside programs to be set on."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

TESTBED = Path(__file__).resolve().parents[3] / "fixtures" / "testbeds" / "texts.yaml"
WITHIN_S = 20.0
T = TypeVar("T")


@dataclass
class Network:
    """Where it can be reached."""

    pty: str
    tcp: str
    smpp: tuple[str, int]
    system_id: str
    password: str
    http: str

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """A request to the control interface."""
        request = urllib.request.Request(
            f"{self.http}/v1{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=5) as response:
            answer: dict[str, Any] = json.load(response)
        return answer

    def texts(self, number: str) -> list[dict[str, Any]]:
        """What a handset got."""
        texts: list[dict[str, Any]] = self.ask("GET", f"/handsets/{number}/texts")["texts"]
        return texts

    def got(self, number: str, count: int = 1) -> list[dict[str, Any]]:
        """The texts of a handset once there are `count`."""
        return eventually(lambda: texts if len(texts := self.texts(number)) >= count else None)

    def send(self, number: str, to: str, text: str) -> None:
        """Lets a handset send a text."""
        self.ask("POST", f"/handsets/{number}/texts", {"to": to, "text": text})


def eventually(look: Callable[[], T | None], within: float = WITHIN_S) -> T:
    """What `look` gives once it gives something; it is asked again until the time is up."""
    due = time.monotonic() + within
    while (found := look()) is None:
        assert time.monotonic() < due, f"it did not come within {within:g} s"
        time.sleep(0.05)
    return found


@contextlib.contextmanager
def started() -> Iterator[Network]:
    """The network, for as long as the block runs."""
    command = [sys.executable, "-m", "harness.cli", "simulate", "sms", "--json", "--testbed", str(TESTBED)]
    process = subprocess.Popen(
        [*command, "--until-stdin-closes"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    urls: dict[str, str] = {}
    try:
        for line in process.stdout:
            told = json.loads(line)
            if told.get("ready"):
                break
            urls[told["kind"]] = told["url"]
        smpp = urlsplit(urls["smpp"])
        assert smpp.hostname
        assert smpp.port
        assert smpp.username
        assert smpp.password
        yield Network(
            urls["serial"].removeprefix("serial:"),
            urls["tcp-serial"],
            (smpp.hostname, smpp.port),
            smpp.username,
            smpp.password,
            urls["http"],
        )
    finally:
        process.stdin.close()
        assert process.wait(10) == 0
        process.stdout.close()
