"""Real sockets and serial lines: pseudo-terminals, RFC 2217 and raw TCP, ports that vanish, lines that take nothing."""

import asyncio
import os
import socket
import threading
import tty

import pytest
import serial
import serial.rfc2217

from harness.errors import TransportError
from harness.transport.serial_line import WRITE_QUEUE_BYTES, offer_serial, open_serial
from harness.transport.tap import CaptureTap, CaptureWriter, Kind, NullTap, read_capture
from harness.transport.udp import open_udp

pytestmark = pytest.mark.real_wire
WITHIN = 10.0


class End:
    """Takes what one end of a line hears and whether it was lost."""

    def __init__(self):
        self.data = bytearray()
        self.why = None
        self.changed = asyncio.Event()

    def receive(self, data):
        self.data += data
        self.changed.set()

    def lost(self, why):
        self.why = why
        self.changed.set()

    async def until(self, met):
        async with asyncio.timeout(WITHIN):
            while not met(self):
                self.changed.clear()
                await self.changed.wait()


async def offer(name="terminal", tap=None):
    end = End()
    line = await offer_serial(name, receive=end.receive, lost=end.lost, tap=tap or NullTap(), baud=38400, virtual=False)
    return line, end


async def join(url, tap=None):
    end = End()
    line = await open_serial(
        url, baud=38400, receive=end.receive, lost=end.lost, tap=tap or NullTap(), name="terminal (TE)"
    )
    return line, end


async def test_udp_carries_datagrams_and_taps_both_ends(tmp_path):
    loop = asyncio.get_running_loop()
    arrived = loop.create_future()
    with CaptureWriter(tmp_path / "a.cap") as writer:
        tap = CaptureTap(writer, lambda: 1.5)
        there = await open_udp(("127.0.0.1", 0), lambda data, source: arrived.set_result((data, source)), tap=tap)
        here = await open_udp(("127.0.0.1", 0), lambda data, source: None, tap=tap)
        here.send(b"OPTIONS", there.local)
        assert await asyncio.wait_for(arrived, WITHIN) == (b"OPTIONS", here.local)
        here.close()
        there.close()
    crossed = list(read_capture(tmp_path / "a.cap"))
    assert [(c.time, c.kind, c.payload) for c in crossed] == [(1.5, Kind.DATAGRAM, b"OPTIONS")] * 2
    assert {c.addresses() for c in crossed} == {(here.local, there.local)}


async def test_a_udp_port_in_use_is_told_by_address():
    port = await open_udp(("127.0.0.1", 0), lambda data, source: None, tap=NullTap())
    with pytest.raises(TransportError, match=f"127.0.0.1:{port.local[1]}"):
        await open_udp(port.local, lambda data, source: None, tap=NullTap())
    port.close()


async def test_a_pseudo_terminal_carries_every_byte_both_ways():
    equipment, heard = await offer()
    near, told = await join(equipment.url)
    everything = bytes(range(256)) * 8
    near.write(everything)
    equipment.write(everything[::-1])
    await heard.until(lambda end: len(end.data) == len(everything))
    await told.until(lambda end: len(end.data) == len(everything))
    assert bytes(heard.data) == everything
    assert bytes(told.data) == everything[::-1]
    near.close()
    equipment.close()


async def test_a_client_that_leaves_is_no_loss_and_another_may_come():
    equipment, heard = await offer()
    near, _ = await join(equipment.url)
    near.close()
    near.close()
    again, _ = await join(equipment.url)
    again.write(b"AT\r")
    await heard.until(lambda end: bytes(end.data) == b"AT\r")
    assert heard.why is None
    again.close()
    equipment.close()


async def test_a_port_that_vanishes_is_told_and_takes_no_more():
    equipment, _ = await offer()
    near, told = await join(equipment.url)
    equipment.close()
    await told.until(lambda end: end.why is not None)
    with pytest.raises(TransportError, match="gone"):
        near.write(b"AT\r")
    near.close()


async def test_a_port_that_is_not_there_is_told_by_name_and_url():
    with pytest.raises(TransportError, match=r"terminal \(TE\) at /dev/no-such-port"):
        await join("/dev/no-such-port")
    with pytest.raises(TransportError, match="nonsense"):
        await join("nonsense://x")


async def test_a_line_that_takes_nothing_raises_at_its_bound_and_keeps_what_it_took():
    master, slave = os.openpty()
    tty.setraw(slave)
    near, _ = await join(os.ttyname(slave))
    try:
        taken = 0
        with pytest.raises(TransportError, match="takes nothing"):
            while taken <= 4 * WRITE_QUEUE_BYTES:
                near.write(bytes(8192))
                taken += 8192
        assert WRITE_QUEUE_BYTES - 8192 <= taken <= 2 * WRITE_QUEUE_BYTES
    finally:
        near.close()
        os.close(master)
        os.close(slave)


async def test_serial_taps_tell_directions_apart(tmp_path):
    with CaptureWriter(tmp_path / "s.cap") as writer:
        equipment, heard = await offer()
        near, told = await join(equipment.url, CaptureTap(writer, lambda: 0.0))
        near.write(b"AT\r")
        await heard.until(lambda end: end.data)
        equipment.write(b"\r\nOK\r\n")
        await told.until(lambda end: end.data.endswith(b"OK\r\n"))
        near.close()
        equipment.close()
    crossed = list(read_capture(tmp_path / "s.cap"))
    sent = b"".join(c.payload for c in crossed if c.kind is Kind.SERIAL_TO_EQUIPMENT)
    came = b"".join(c.payload for c in crossed if c.kind is Kind.SERIAL_FROM_EQUIPMENT)
    assert (sent, came) == (b"AT\r", b"\r\nOK\r\n")
    assert {c.source for c in crossed} == {"terminal (TE)"}


async def test_a_raw_tcp_serial_server_is_a_line_too_and_its_end_a_loss():
    accepted = asyncio.get_running_loop().create_future()
    server = await asyncio.start_server(lambda r, w: accepted.set_result((r, w)), "127.0.0.1", 0)
    near, told = await join(f"socket://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    reader, writer = await asyncio.wait_for(accepted, WITHIN)
    near.write(b"AT\r")
    assert await asyncio.wait_for(reader.readexactly(3), WITHIN) == b"AT\r"
    writer.write(b"\r\nOK\r\n")
    await told.until(lambda end: bytes(end.data) == b"\r\nOK\r\n")
    writer.close()
    await told.until(lambda end: end.why is not None)
    near.close()
    server.close()


class WithoutModemLines(serial.Serial):
    """A port of a pseudo-terminal, which has no modem lines to set or to read."""

    cts = dsr = ri = cd = property(lambda self: False)

    def _update_rts_state(self):
        pass

    def _update_dtr_state(self):
        pass


class Rfc2217Server:
    """A terminal server as pyserial's own PortManager makes one: TCP with Telnet options in front of a serial port."""

    def __init__(self, port_url):
        self._serial = WithoutModemLines(port_url, timeout=0.05)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"rfc2217://127.0.0.1:{self._listener.getsockname()[1]}"
        self._connection = None
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._serve)]
        self._threads[0].start()

    def write(self, data):
        """What PortManager sends by itself."""
        self._connection.sendall(data)

    def _serve(self):
        self._connection, _ = self._listener.accept()
        manager = serial.rfc2217.PortManager(self._serial, self)
        outward = threading.Thread(target=self._outward, args=(manager,))
        self._threads.append(outward)
        outward.start()
        while data := self._read():
            self._serial.write(b"".join(manager.filter(data)))

    def _read(self):
        try:
            return self._connection.recv(1024)
        except OSError:
            return b""

    def _outward(self, manager):
        while not self._stop.is_set():
            if data := self._serial.read(256):
                self._connection.sendall(b"".join(manager.escape(data)))

    def hang_up(self):
        self._stop.set()
        self._connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(WITHIN)
        for each in (self._connection, self._listener, self._serial):
            each.close()


@pytest.mark.filterwarnings("ignore:set(Daemon|Name)\\(\\) is deprecated:DeprecationWarning")  # pyserial's own
async def test_an_rfc2217_server_carries_every_byte_and_its_hanging_up_is_a_loss():
    equipment, heard = await offer()
    server = Rfc2217Server(equipment.url)
    near, told = await join(server.url)
    everything = bytes(range(256))
    near.write(everything)
    await heard.until(lambda end: len(end.data) >= 256)
    equipment.write(everything)
    await told.until(lambda end: len(end.data) >= 256)
    assert bytes(heard.data) == everything
    assert bytes(told.data) == everything
    await asyncio.get_running_loop().run_in_executor(None, server.hang_up)
    await told.until(lambda end: end.why is not None)
    with pytest.raises(TransportError, match="gone"):
        near.write(b"AT\r")
    equipment.close()
