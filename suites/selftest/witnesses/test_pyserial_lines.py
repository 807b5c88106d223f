"""pyserial's own RFC 2217 client at our simulated port, and its server for our lines."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import serial
import serial.rfc2217

from harness.endpoints.keying import KeyingLines, Wiring
from harness.transport.context import Context
from simulators.keying.settings import KeyedRadioSettings
from simulators.keying.simulator import KeyedRadioSimulator

pytestmark = pytest.mark.real_wire
WITHIN_S = 5.0


def until(true: Any) -> None:
    """Wait, in a thread of a client that knows no other way."""
    deadline = time.monotonic() + WITHIN_S
    while not true():
        assert time.monotonic() < deadline, "not in time"
        time.sleep(0.01)


async def test_pyserials_client_keys_our_simulated_radio_and_sees_its_carrier() -> None:
    radio = await KeyedRadioSimulator.start(Context.create(seed=1), KeyedRadioSettings())
    host, port = radio.address

    def drive() -> None:
        client = serial.serial_for_url(f"rfc2217://{host}:{port}", do_not_open=True)
        client.rts = client.dtr = False
        with client:
            assert not radio.status()["keyed"]
            client.rts = True
            until(lambda: radio.status()["keyed"])
            until(lambda: client.cts)
            client.rts = False
            until(lambda: not radio.status()["keyed"])
            assert not client.cd
            loop.call_soon_threadsafe(radio.set_carrier, True)
            until(lambda: client.cd)

    loop = asyncio.get_running_loop()
    try:
        await asyncio.to_thread(drive)
    finally:
        await radio.stop()


@contextmanager
def pyserials_server() -> Iterator[tuple[int, Any]]:
    """A terminal server as pyserial's examples have it: PortManager in front of loop://, which loops RTS to CTS."""
    port = serial.serial_for_url("loop://", timeout=0)
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    class Connection:
        def __init__(self, client: socket.socket) -> None:
            self._client = client

        def write(self, data: bytes) -> None:
            self._client.sendall(data)

    def serve() -> None:
        client, _ = listener.accept()
        client.settimeout(0.02)
        manager = serial.rfc2217.PortManager(port, Connection(client))
        with client:
            while not over.is_set():
                try:
                    data = client.recv(1024)
                except TimeoutError:
                    manager.check_modem_lines()
                    continue
                if not data:
                    return
                port.write(b"".join(manager.filter(data)))

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], port
    finally:
        over.set()
        thread.join(WITHIN_S)
        listener.close()


async def test_our_lines_drive_pyserials_server_and_follow_what_it_tells() -> None:
    with pyserials_server() as (port, equipment):
        context = Context.create(seed=1)
        lines = await KeyingLines.open(
            context, "lines", f"rfc2217://127.0.0.1:{port}", Wiring(key="rts", carrier="cts", echo="cts")
        )
        assert not equipment.rts
        await lines.key()
        assert equipment.rts
        await context.journal.expect("lines", "carrier.up", within=WITHIN_S)
        await lines.unkey()
        assert not equipment.rts
        await context.journal.expect("lines", "carrier.down", within=WITHIN_S)
        await lines.close()
