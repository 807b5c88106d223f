"""The worked example of a console driver, installed as a package is, works a console that is not the simulator's."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from harness.errors import DriverError
from harness.pytest_plugin import PROJECT
from harness.testbed.bench import Bench, open_bench
from harness.testbed.load import load_testbed

EXAMPLE = PROJECT / "docs" / "examples" / "console_plugin"
TESTBED = """\
name: plugged-in
components:
  iccs: {{role: iccs}}
  desk:
    role: console
    position: desk-1
    driver: plugin
    plugin: {{name: {name}, settings: {{address: "127.0.0.1:{port}"}}}}
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the example is installed by pip, from its sources alone."""
    folder = tmp_path_factory.mktemp("plugin")
    source = shutil.copytree(EXAMPLE, folder / "source")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps"]
    command = [*pip, "--no-build-isolation", "--target", str(folder / "site"), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"


class Desk:
    """A console of another make: rings once somebody is logged in, knows one call, and nothing of talkgroups."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            asked = json.loads(line)
            self.asked.append(asked)
            known = {"login": {}, "answer": {"call": "7"}, "logout": {}}
            act = asked["act"]
            said = {"done": known[act]} if act in known else {"refused": "this desk has no radio"}
            writer.write(json.dumps(said).encode() + b"\n")
            if act == "login":
                ringing = {"shown": "call.ringing", "data": {"call": "7", "queue": "emergency"}}
                writer.write(json.dumps(ringing).encode() + b"\n")
        writer.close()


@asynccontextmanager
async def bench_with(folder: Path, name: str = "line-console") -> AsyncIterator[tuple[Bench, Desk]]:
    desk = Desk()
    server = await asyncio.start_server(desk.serve, "127.0.0.1", 0)
    file = folder / "testbed.yaml"
    port = server.sockets[0].getsockname()[1]
    file.write_text(TESTBED.format(name=name, port=port), encoding="utf-8")
    today = date(2026, 1, 1)
    try:
        async with open_bench(load_testbed(file), today=today, addresses=None, virtual=False) as bench:
            yield bench, desk
    finally:
        server.close()
        await server.wait_closed()


async def test_the_example_works_a_console(installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the desk shows is journalled, an act gives what the desk says, and a refusal has the desk's reason."""
    monkeypatch.syspath_prepend(str(installed))
    async with bench_with(tmp_path) as (bench, desk):
        console = await bench.console("desk")
        shown = await console.expect("call.ringing", within=5.0, queue="emergency")
        assert await console.answer() == shown.data["call"] == "7"
        with pytest.raises(DriverError, match="key was refused: this desk has no radio"):
            await console.key("GD-OPS-1")
        with pytest.raises(DriverError, match="only the ICCS's control interface tells"):
            await console.seat()
    assert [each["act"] for each in desk.asked] == ["login", "answer", "key", "logout"]
    assert desk.asked[2] == {"act": "key", "position": "desk-1", "talkgroup": "GD-OPS-1"}


async def test_a_plugin_that_is_not_installed_is_told(tmp_path: Path) -> None:
    async with bench_with(tmp_path, "no-such-console") as (bench, _):
        with pytest.raises(DriverError, match=r"no console driver 'no-such-console' is installed \(iccs.console\)"):
            await bench.console("desk")
