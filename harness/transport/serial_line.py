"""Serial lines: the terminal-equipment side of any pyserial URL, and the equipment side as a pseudo-terminal or a
virtual line.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import pty
import termios
import threading
import tty
from collections.abc import Callable
from typing import Protocol

import serial

from harness.errors import TransportError
from harness.transport.tap import NullTap, Tap
from harness.transport.virtual_loop import VirtualLoop
from harness.transport.virtual_serial import VirtualSerialEnd, join_virtual, offer_virtual

READ_SIZE = 65_536
WRITE_QUEUE_BYTES = 256 * 1024
"""Bytes that may wait for a line that does not take them;

more is an error to the writer (a stuck or unplugged line).
"""

EQUIPMENT_END = " (equipment's end)"
"""Follows a line's name where the equipment's side has captured it: one process may have both."""

Receiver = Callable[[bytes], None]
Loss = Callable[[str], None]
_Ends = tuple[Receiver, Loss, Tap]


class SerialLine(Protocol):
    """One end of an open serial line."""

    url: str
    """What the other side opens (equipment side), or what was opened (terminal-equipment side)."""

    def write(self, data: bytes) -> None:
        """Queue bytes. Raises TransportError when the line is gone or takes nothing."""

    def close(self) -> None:
        """Close this end; calling it again does nothing."""


class _DescriptorLine:
    """A line with a file descriptor: bytes move when the loop says it is ready."""

    def __init__(
        self, url: str, descriptor: int, name: str, ends: _Ends, *, equipment: bool, release: Callable[[], None]
    ) -> None:
        self.url = url
        self._fd = descriptor
        self._name = name
        self._receive, self._lost, self._tap = ends
        self._equipment = equipment
        self._release = release
        self._waiting = bytearray()
        self._open = True
        self._loop = asyncio.get_running_loop()
        os.set_blocking(descriptor, False)
        self._loop.add_reader(descriptor, self._readable)

    def write(self, data: bytes) -> None:
        if not self._open:
            raise TransportError(f"serial line {self._name} ({self.url}) is gone")
        self._tap.serial(self._name, data, to_equipment=not self._equipment)
        if self._waiting:
            self._queue(data)
            return
        try:
            sent = os.write(self._fd, data)
        except BlockingIOError:
            sent = 0
        except OSError as error:
            self._fail(error)
            raise TransportError(f"serial line {self._name} ({self.url}) is gone: {error.strerror}") from error
        if sent < len(data):
            self._queue(data[sent:])
            self._loop.add_writer(self._fd, self._writable)

    def _queue(self, data: bytes) -> None:
        if len(self._waiting) + len(data) > WRITE_QUEUE_BYTES:
            raise TransportError(
                f"serial line {self._name} ({self.url}) takes nothing: {len(self._waiting)} bytes wait"
            )
        self._waiting += data

    def _writable(self) -> None:
        try:
            sent = os.write(self._fd, self._waiting)
        except BlockingIOError:
            return
        except OSError as error:
            self._fail(error)
            return
        del self._waiting[:sent]
        if not self._waiting:
            self._loop.remove_writer(self._fd)

    def _readable(self) -> None:
        try:
            data = os.read(self._fd, READ_SIZE)
        except BlockingIOError:
            return
        except OSError as error:
            self._fail(error)
            return
        if not data:
            self._fail(OSError(errno.EIO, "end of file"))
            return
        self._tap.serial(self._name, data, to_equipment=self._equipment)
        self._receive(data)

    def _fail(self, error: OSError) -> None:
        if self._open:
            self.close()
            self._loop.call_soon(self._lost, error.strerror or str(error))

    def close(self) -> None:
        if self._open:
            self._open = False
            self._loop.remove_reader(self._fd)
            if self._waiting:
                self._loop.remove_writer(self._fd)
                self._waiting.clear()
            self._release()


class _ThreadLine:
    """A pyserial port without a descriptor of its own (``rfc2217://``):

    a thread reads it, another bounded hand-over writes.
    """

    def __init__(self, url: str, port: serial.Serial, name: str, ends: _Ends) -> None:
        self.url = url
        self._port = port
        self._name = name
        self._receive, self._lost, self._tap = ends
        self._loop = asyncio.get_running_loop()
        self._open = True
        self._waiting = bytearray()
        self._wake = threading.Condition()
        self._reader = threading.Thread(target=self._read, name=f"serial {name} reads", daemon=True)
        self._writer = threading.Thread(target=self._write, name=f"serial {name} writes", daemon=True)
        self._reader.start()
        self._writer.start()

    def write(self, data: bytes) -> None:
        with self._wake:
            if not self._open:
                raise TransportError(f"serial line {self._name} ({self.url}) is gone")
            if len(self._waiting) + len(data) > WRITE_QUEUE_BYTES:
                raise TransportError(
                    f"serial line {self._name} ({self.url}) takes nothing: {len(self._waiting)} bytes wait"
                )
            self._waiting += data
            self._wake.notify()
        self._tap.serial(self._name, data, to_equipment=True)

    def _write(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._waiting or not self._open)
                if not self._open:
                    return
                data = bytes(self._waiting)
                self._waiting.clear()
            try:
                self._port.write(data)
            except (OSError, serial.SerialException) as error:
                self._tell(self._fail, str(error))
                return

    def _read(self) -> None:
        while self._open:
            try:
                data = self._port.read(max(1, min(self._port.in_waiting, READ_SIZE)))
            except (OSError, TypeError, serial.SerialException) as error:
                self._tell(self._fail, str(error))
                return
            if data:
                self._tell(self._arrived, data)

    def _tell(self, what: Callable[..., None], *args: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has been closed under a line that nobody closed
            self._loop.call_soon_threadsafe(what, *args)

    def _arrived(self, data: bytes) -> None:
        if self._open:
            self._tap.serial(self._name, data, to_equipment=False)
            self._receive(data)

    def _fail(self, why: str) -> None:
        if self._open:
            self.close()
            self._lost(why)

    def close(self) -> None:
        with self._wake:
            if not self._open:
                return
            self._open = False
            self._wake.notify_all()
        with contextlib.suppress(OSError, serial.SerialException):
            self._port.close()


class _VirtualLine:
    """A line of the virtual loop, tapped."""

    def __init__(
        self, end: VirtualSerialEnd, name: str, receive: Receiver, lost: Loss, tap: Tap, *, equipment: bool
    ) -> None:
        self.url = end.url
        self._end = end
        self._name = name
        self._tap = tap
        self._equipment = equipment
        self._receive = receive
        self._tapped = not isinstance(tap, NullTap)
        end.attach(self._arrived if self._tapped else receive, lost)

    def _arrived(self, data: bytes) -> None:
        self._tap.serial(self._name, data, to_equipment=self._equipment)
        self._receive(data)

    def write(self, data: bytes) -> None:
        self._end.write(data)
        if self._tapped:
            self._tap.serial(self._name, data, to_equipment=not self._equipment)

    def close(self) -> None:
        self._end.close()


async def open_serial(url: str, *, baud: int, receive: Receiver, lost: Loss, tap: Tap, name: str) -> SerialLine:
    """Open the terminal-equipment side of ``url``: ``/dev/…``, ``rfc2217://…``, ``socket://…`` or ``virtual://NAME``,
    8N1.

    RTS and DTR are set down before the port opens: opening one can key a radio. Raises TransportError when it can't be
    opened.
    """
    if url.startswith("virtual://"):
        return _VirtualLine(join_virtual(_virtual_loop(url), url), name, receive, lost, tap, equipment=False)
    try:
        port = await asyncio.get_running_loop().run_in_executor(None, _open_port, url, baud)
    except (OSError, ValueError, serial.SerialException) as error:
        raise TransportError(f"can't open serial line {name} at {url}: {error}") from error
    try:
        descriptor = port.fileno()
    except (AttributeError, OSError):
        return _ThreadLine(url, port, name, (receive, lost, tap))
    return _DescriptorLine(url, descriptor, name, (receive, lost, tap), equipment=False, release=port.close)


def _open_port(url: str, baud: int) -> serial.Serial:
    port = serial.serial_for_url(url, do_not_open=True)
    port.baudrate = baud
    port.timeout = 0.2
    if not url.startswith("socket://"):
        port.rts = False
        port.dtr = False
    port.open()
    return port


async def offer_serial(name: str, *, receive: Receiver, lost: Loss, tap: Tap, baud: int, virtual: bool) -> SerialLine:
    """Make the equipment side of a line; ``url`` of what is returned is what the other side opens.

    A pseudo-terminal is raw and without echo from the start, and stays up while clients come and go. It carries no
    modem lines.
    """
    end = name + EQUIPMENT_END
    if virtual:
        return _VirtualLine(offer_virtual(_virtual_loop(name), name, baud), end, receive, lost, tap, equipment=True)
    master, slave = pty.openpty()
    tty.setraw(slave)
    _set_speed(slave, baud)
    for descriptor in (master, slave):
        fcntl.fcntl(descriptor, fcntl.F_SETFD, fcntl.FD_CLOEXEC)

    def release() -> None:
        os.close(master)
        os.close(slave)  # held open so that a client that leaves is not an error to the equipment

    return _DescriptorLine(os.ttyname(slave), master, end, (receive, lost, tap), equipment=True, release=release)


def _set_speed(descriptor: int, baud: int) -> None:
    speed = getattr(termios, f"B{baud}", None)
    if speed is None:
        raise TransportError(f"{baud} baud is not a speed this system's serial lines have")
    attributes = termios.tcgetattr(descriptor)
    attributes[4] = attributes[5] = speed
    termios.tcsetattr(descriptor, termios.TCSANOW, attributes)


def _virtual_loop(what: str) -> VirtualLoop:
    loop = asyncio.get_running_loop()
    if not isinstance(loop, VirtualLoop):
        raise TransportError(f"{what}: a virtual line is only to be had in virtual time")
    return loop
