"""Texts a second: submit_sm at the simulated service centre, and `AT+CMGS` at the simulated modem over a PTY.

The network runs in another process, as `iccs simulate` starts it. The peer of SMPP is a bare TCP server on asyncio that
answers every unit by sixteen octets and keeps nothing; that of the modem is pyserial, blocking, on the same line.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import serial
import uvloop

from harness.endpoints.sms import ModemPort
from harness.protocols.gsm.address import Address
from harness.protocols.gsm.pdu import Submit, with_centre
from harness.protocols.gsm.user_data import UserData
from harness.protocols.smpp.codes import Command
from harness.protocols.smpp.pdu import Pdu
from harness.transport.context import Context

TESTBED = Path(__file__).resolve().parents[1] / "fixtures" / "testbeds" / "texts.yaml"
SUBMITS, WINDOW, TEXTS, ROUNDS = 4_000, 50, 300, 3
_CITIZENS = 900
_PEER = """
import asyncio, uvloop

class Echo(asyncio.Protocol):
    def connection_made(self, transport): self.transport, self.buffer = transport, b""
    def data_received(self, data):
        self.buffer += data
        while len(self.buffer) >= 4 and len(self.buffer) >= (n := int.from_bytes(self.buffer[:4], "big")):
            unit, self.buffer = self.buffer[:n], self.buffer[n:]
            self.transport.write(b"\\0\\0\\0\\x10" + (unit[4] | 0x80).to_bytes(1, "big") + unit[5:16])

async def main():
    server = await asyncio.get_running_loop().create_server(Echo, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

uvloop.run(main())
"""


def _unit(sequence: int) -> bytes:
    number = f"4477009{sequence % _CITIZENS:05d}"
    fields = {"dest_addr_ton": 1, "dest_addr_npi": 1, "destination_addr": number, "short_message": b"hello " * 20}
    return Pdu(Command.SUBMIT_SM, sequence, fields=fields).write()


async def _read(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(16)
    length = int.from_bytes(head[:4], "big")
    if int.from_bytes(head[8:12], "big"):
        raise RuntimeError(f"a submit_sm was refused: status {head[8:12].hex()}")
    await reader.readexactly(length - 16)
    return head


async def _submits(host: str, port: int, bind: bytes) -> float:
    """Submits a second with a window of WINDOW."""
    reader, writer = await asyncio.open_connection(host, port)
    writer.write(bind)
    await _read(reader)
    units = [_unit(sequence) for sequence in range(2, SUBMITS + 2)]
    began = time.perf_counter()
    writer.write(b"".join(units[:WINDOW]))
    for unit in [*units[WINDOW:], *[b""] * WINDOW]:
        await _read(reader)
        writer.write(unit)
    elapsed = time.perf_counter() - began
    writer.close()
    return SUBMITS / elapsed


async def _modem(url: str) -> float:
    port = await ModemPort.open(Context.create(seed=1), "bench", url)
    began = time.perf_counter()
    for number in range(TEXTS):
        await port.send(f"+447700900{number:03d}", "hello " * 20, report=False)
    elapsed = time.perf_counter() - began
    await port.close()
    return TEXTS / elapsed


def _pyserial(url: str) -> float:
    def until(line: serial.Serial, what: bytes) -> None:
        data = line.read_until(what)
        if not data.endswith(what):
            raise RuntimeError(f"{what!r} did not come; this did: {data[-60:]!r}")

    with serial.Serial(url, 115_200, timeout=5) as line:
        line.write(b"ATE0\r")
        until(line, b"OK\r\n")
        began = time.perf_counter()
        for number in range(TEXTS):
            tpdu = Submit(Address.of(f"+447700900{number:03d}"), UserData("hello " * 20)).write()
            line.write(f"AT+CMGS={len(tpdu)}\r".encode())
            until(line, b"> ")
            line.write(with_centre(None, tpdu).hex().encode() + b"\x1a")
            until(line, b"OK\r\n")
        return TEXTS / (time.perf_counter() - began)


def measure() -> dict[str, Any]:
    """Measures each way and its peer in turns; gives the best of each."""
    command = [sys.executable, "-m", "harness.cli", "simulate", "sms", "--json", "--until-stdin-closes"]
    network = subprocess.Popen(
        [*command, "--testbed", str(TESTBED)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    peer = subprocess.Popen([sys.executable, "-c", _PEER], stdout=subprocess.PIPE, text=True)
    assert network.stdin is not None
    assert network.stdout is not None
    assert peer.stdout is not None
    try:
        urls: dict[str, str] = {}
        for line in network.stdout:
            told = json.loads(line)
            if told.get("ready"):
                break
            urls[told["kind"]] = told["url"]
        if "smpp" not in urls:
            raise RuntimeError("the simulated network did not start")
        smpp, pty = urlsplit(urls["smpp"]), urls["serial"].removeprefix("serial:")
        account = {"system_id": smpp.username or "", "password": smpp.password or ""}
        bind = Pdu(Command.BIND_TRANSMITTER, 1, fields=account).write()
        bare = int(peer.stdout.readline())
        ours, bares, modems, plain = [], [], [], []
        for _ in range(ROUNDS):
            ours.append(uvloop.run(_submits(smpp.hostname or "", smpp.port or 0, bind)))
            bares.append(uvloop.run(_submits("127.0.0.1", bare, bind)))
            modems.append(uvloop.run(_modem(pty)))
            plain.append(_pyserial(pty))
    finally:
        network.stdin.close()
        network.wait(10)
        network.stdout.close()
        peer.kill()
        peer.communicate()
    return {
        "name": "texts",
        "submits": SUBMITS,
        "window": WINDOW,
        "submits_per_s": round(max(ours)),
        "bare_tcp_answers_per_s": round(max(bares)),
        "modem_texts_per_s": round(max(modems)),
        "pyserial_texts_per_s": round(max(plain)),
    }


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
