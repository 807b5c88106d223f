"""A keyed radio in a testbed file: what may stand there, what a real one may be told, and that none stays keyed."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path
from time import monotonic

import httpx
import pytest
import serial
import serial.rfc2217

from harness.errors import InterlockError, NotPlayedError, TestbedError
from harness.testbed.bench import open_bench
from harness.testbed.load import load_testbed

DAY = date(2026, 3, 10)
WITHIN_S = 10.0


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{role: keyed_radio, binding: real}", "a real keyed_radio needs 'lines', a device or rfc2217://host:port"),
        ("{role: keyed_radio, binding: real, lines: 'ttyS0'}", "vhf.lines: found 'ttyS0'"),
        ("{role: keyed_radio, lines: /dev/ttyS0}", "'lines' and 'wiring' are for a real radio"),
        ("{role: keyed_radio, wiring: {key: dtr}}", "'lines' and 'wiring' are for a real radio"),
        ("{role: keyed_radio, binding: real, lines: /dev/ttyS0, simulator: {}}", "'simulator' lays out a simulator"),
        ("{role: keyed_radio, binding: real, lines: /dev/ttyS0, wiring: {key: cts}}", "wiring.key: found 'cts'"),
        (
            "{role: keyed_radio, binding: real, lines: /dev/ttyS0, wiring: {carrier: cts, footswitch: cts}}",
            "footswitch is on cts, as another is: it needs a line of its own",
        ),
        (
            "{role: keyed_radio, simulator: {carrier: ri}}",
            "carrier and footswitch are both on ri: each needs a line of its own",
        ),
    ],
)
def test_what_does_not_fit_is_told_with_its_line(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "test.yaml"
    file.write_text(f"name: t\ncomponents:\n  vhf: {text}\n", encoding="utf-8")
    with pytest.raises(TestbedError) as error:
        load_testbed(file)
    assert told in str(error.value)
    assert "test.yaml:3: components.vhf" in str(error.value)


class Equipment:
    """pyserial's loop://, which notes how its RTS was set."""

    def __init__(self) -> None:
        self.port = serial.serial_for_url("loop://", timeout=0)
        self.levels: list[bool] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        manager = serial.rfc2217.PortManager(self.port, writer)
        while data := await reader.read(1024):
            for byte in data:
                before = self.port.rts
                list(manager.filter(bytes((byte,))))
                if self.port.rts is not before:
                    self.levels.append(self.port.rts)
            manager.check_modem_lines()
        writer.close()


@asynccontextmanager
async def equipment() -> AsyncIterator[tuple[Equipment, int]]:
    there = Equipment()
    server = await asyncio.start_server(there.serve, "127.0.0.1", 0)
    async with server:
        yield there, server.sockets[0].getsockname()[1]


def real_radio(folder: Path, port: int, safety: str, talkgroup: str | None) -> Path:
    file = folder / "test.yaml"
    file.write_text(
        f"name: t\ntalkgroups: {{GD-OPS-1: 1001}}\nsafety: {{key: [{safety}]}}\ncomponents:\n  vhf:\n"
        "    role: keyed_radio\n    binding: real\n"
        f"    lines: rfc2217://127.0.0.1:{port}\n    wiring: {{carrier: cts, echo: cts}}\n"
        + (f"    talkgroup: {talkgroup}\n" if talkgroup else ""),
        encoding="utf-8",
    )
    return file


def test_the_list_of_what_may_be_keyed_names_a_channel_that_a_radio_keys_or_a_talkgroup(tmp_path: Path) -> None:
    with pytest.raises(TestbedError, match=r"safety.key.0: found 'VHF-2'; allowed: GD-OPS-1, VHF-1$"):
        load_testbed(real_radio(tmp_path, 4001, "VHF-2", "VHF-1"))


@pytest.mark.real_wire
@pytest.mark.parametrize(
    ("safety", "talkgroup", "allowed"),
    [("VHF-1", "VHF-1", True), ("vhf", None, True), ("GD-OPS-1", "VHF-1", False), ("", None, False)],
)
async def test_a_real_radio_is_keyed_only_where_the_file_allows_it(
    tmp_path: Path, safety: str, talkgroup: str | None, allowed: bool
) -> None:
    async with equipment() as (there, port):
        testbed = load_testbed(real_radio(tmp_path, port, safety, talkgroup))
        async with open_bench(testbed, today=DAY, addresses=None, virtual=False) as bench:
            radio = await bench.keyed_radio("vhf")
            assert not there.port.rts
            there.levels.clear()
            if allowed:
                await radio.key()
                assert there.port.rts
            else:
                with pytest.raises(InterlockError, match=f"key {talkgroup or 'vhf'} is not allowed"):
                    await radio.key()
            with pytest.raises(NotPlayedError, match="vhf is real"):
                await radio.set_carrier(True)
        assert there.levels == ([True, False] if allowed else []), "the bench's end lets the key go"


HOLDS = """
import asyncio, signal, sys
from harness.endpoints.keying import KeyingLines, Wiring
from harness.transport.context import Context

async def main():
    lines = await KeyingLines.open(Context.create(seed=1), "lines", sys.argv[1], Wiring(carrier="cd", echo="cts"))
    await lines.key()
    print("keyed", flush=True)
    await asyncio.sleep(3600)

signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs in the background may have it ignored
asyncio.run(main())
"""


@pytest.mark.real_wire
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda each: each.name)
def test_a_process_that_is_told_to_stop_or_killed_while_it_keys_leaves_the_radio_at_rest(
    number: signal.Signals,
) -> None:
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", "harness.cli", "simulate", "--json", "vhf-1"]
    with subprocess.Popen(command, stdout=pipe, text=True) as simulator:
        try:
            assert simulator.stdout is not None
            found: dict[str, str] = {}
            while "ready" not in (line := json.loads(simulator.stdout.readline())):
                assert (line["name"], line["role"]) == ("vhf-1", "keyed_radio")
                found[line["kind"]] = line["url"]
            assert {"lines", "http"} <= set(found)

            def status() -> dict[str, object]:
                return dict(httpx.get(f"{found['http']}/v1/status", trust_env=False, timeout=WITHIN_S).json())

            holder = [sys.executable, "-c", HOLDS, found["lines"]]
            with subprocess.Popen(holder, stdout=pipe, stderr=subprocess.DEVNULL, text=True) as child:
                assert child.stdout is not None
                assert child.stdout.readline() == "keyed\n"
                assert status()["keyed"]
                child.send_signal(number)
                try:
                    child.wait(WITHIN_S)
                finally:
                    child.kill()
            deadline = monotonic() + WITHIN_S
            while status()["keyed"]:  # until the server has seen the connection end
                assert monotonic() < deadline, "the radio stays keyed"
        finally:
            simulator.terminate()
            simulator.wait(WITHIN_S)
