"""The media worker: a process whose one thread paces every RTP stream and does nothing else.

It is a process because of the interpreter lock: beside a busy Python thread, a paced thread was measured 86 s late. It
waits in `select` on the selector's own descriptor (which takes microseconds, where epoll_wait takes milliseconds),
sends before it reads, and ends as soon as the control socket does, so that no worker outlives whoever started it.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.endpoints.media.control import Control, Reply
from harness.endpoints.media.engine import MediaEngine
from harness.endpoints.media.framing import pack, unpack_from
from harness.endpoints.media.pacing import Lateness, pacing_of
from harness.endpoints.media.sending import RTCP, RTP, Outgoing
from harness.errors import MediaError
from harness.transport.tap import Address, CaptureWriter, Kind

MAX_TICKS = 40
"""Slots, and datagrams between them, that are made up for before anything is read."""
MAX_DATAGRAM = 2048
"""Octets read of a datagram: a longer one is cut, and then found to be malformed."""
RECEIVE_BUFFER = 256 * 1024
"""Bytes asked of the kernel for a socket: over a second of RTP."""
CONTROL_CHUNK = 256 * 1024
MAX_OUTBOX_BYTES = 32 * 1024 * 1024
"""What may wait for a parent that does not read; beyond it the worker ends."""
PAIR_ATTEMPTS = 32
CAPTURED_PORTS = 48
"""Ports open at once whose packets are captured; those opened on top are not, as writing so much makes packets late."""
FLUSH_S = 1.0
WAITED_S = 100e-6
"""So long a look at the sockets takes only where there was nothing on them at first."""
REALTIME_PRIORITY = 10
_PR_SET_TIMERSLACK = 29

Receiver = Callable[[bytes, Address, float], None]


class Worker:
    """Sockets, a clock and a control socket around an engine."""

    def __init__(self, control: socket.socket) -> None:
        self._control_socket = control
        self._inbox = bytearray()
        self._outbox = bytearray()
        self._poll = select.epoll()
        self._sockets: dict[int, tuple[socket.socket, socket.socket | None]] = {}
        self._readers: dict[int, tuple[socket.socket, Receiver, bool]] = {}
        self._control_mask = select.EPOLLIN
        self._engine = MediaEngine(time.monotonic())
        self._control = Control(self._engine)
        self._sent_late = Lateness()
        self._read_late = Lateness()
        self._looked = time.monotonic()  # when nothing was left to read, as far as is known
        self._capture: CaptureWriter | None = None
        self._captured: set[int] = set()
        self._flush_at = float("inf")
        self._due = float("inf")  # when the engine has something to do next
        self._origin = 0.0
        self._realtime = False
        self._running = True
        self._cpu = time.process_time()
        control.setblocking(False)
        self._poll.register(control, select.EPOLLIN)

    def run(self) -> None:
        """Work until the control socket closes."""
        try:
            while self._running:
                readable = self._wait()
                self._send_due()
                if readable:
                    self._read()
                self._tell()
                self._keep_capture()
        finally:
            self._poll.close()
            if self._capture is not None:
                self._capture.close()

    # --- time ---

    def _wait(self) -> bool:
        """Wait for what is due next; whether something can be read meanwhile."""
        due = self._engine.next_tick()
        if due is None and self._flush_at == float("inf"):
            timeout = None
        else:
            timeout = max(0.0, min(due or float("inf"), self._flush_at) - time.monotonic())
        asked = time.monotonic()
        readable = bool(select.select([self._poll], [], [], timeout)[0])
        now = time.monotonic()
        if not readable or now - asked > WAITED_S:
            self._looked = now  # it waited, and so there was nothing until now
        return readable

    def _send_due(self) -> None:
        """Carry out what is due, at most MAX_TICKS so that reading is never starved."""
        engine = self._engine
        engine.catch_up(time.monotonic())
        for _ in range(MAX_TICKS):
            due = engine.next_tick()
            self._due = float("inf") if due is None else due
            if due is None or due > time.monotonic():
                return
            self._send(engine.tick(), due)

    def _send(self, outgoing: Iterator[Outgoing], due: float | None = None) -> None:
        clock, captured = time.monotonic, self._captured
        late: list[float] = []
        for stream, kind, data, to in outgoing:
            send = stream.send if kind != RTCP else stream.send_control
            if send is None:
                continue
            try:
                send(data, to)
            except OSError:
                continue  # what the kernel can't take now is lost, as on any network
            if kind == RTP and due is not None:
                late.append(clock() - due)
            if captured and stream.number in captured:
                sender = self._sockets[stream.number][kind == RTCP]
                assert sender is not None
                self._keep(_address(sender.getsockname()), to, data)
        self._sent_late.add_all(late)

    def _keep(self, source: Address, target: Address, data: bytes) -> None:
        assert self._capture is not None
        now = time.monotonic() - self._origin
        self._capture.write(now, Kind.DATAGRAM, f"{source[0]}:{source[1]}", f"{target[0]}:{target[1]}", data)
        if self._flush_at == float("inf"):
            self._flush_at = time.monotonic() + FLUSH_S

    def _keep_capture(self) -> None:
        if self._capture is not None and time.monotonic() >= self._flush_at:
            self._capture.flush()
            self._flush_at = float("inf")

    # --- sockets ---

    def _read(self) -> None:
        """Read one datagram of each socket that has one: a flood on one leaves the others and the clock alone."""
        readers = self._readers
        since, self._looked = self._looked, time.monotonic()
        for descriptor, mask in self._poll.poll(0):
            reader = readers.get(descriptor)
            if reader is None:
                if descriptor == self._control_socket.fileno():
                    self._exchange(mask)
                continue
            sock, take, captured = reader
            try:
                data, source = sock.recvfrom(MAX_DATAGRAM)
            except OSError:  # nothing after all, or an ICMP error that the peer's stop explains
                continue
            source = _address(source)
            if captured:
                self._keep(source, _address(sock.getsockname()), data)
            now = time.monotonic()
            take(data, source, now)
            if now >= self._due:
                self._send_due()
        self._read_late.add(time.monotonic() - since)

    def _open(self, *, name: str, host: str, port: int, **stream: Any) -> dict[str, Any]:
        opened = self._engine.add_port(name, **stream)
        try:
            rtp, rtcp = _bind_pair(host, port)
        except OSError as error:
            self._engine.remove_port(opened.number, time.monotonic())
            raise MediaError(f"media port {name}: can't bind UDP {host}:{port}: {error.strerror or error}") from error
        opened.rtcp.enabled = rtcp is not None
        captured = self._capture is not None and len(self._captured) < CAPTURED_PORTS
        if captured:
            self._captured.add(opened.number)
        self._sockets[opened.number] = rtp, rtcp
        opened.send, opened.send_control = rtp.sendto, None if rtcp is None else rtcp.sendto
        self._listen(rtp, opened.datagram, captured)
        if rtcp is not None:
            self._listen(rtcp, opened.control, captured)
        return {"number": opened.number, "port": rtp.getsockname()[1]}

    def _listen(self, sock: socket.socket, take: Receiver, captured: bool) -> None:
        self._readers[sock.fileno()] = sock, take, captured
        self._poll.register(sock, select.EPOLLIN)

    def _close(self, number: int) -> Reply:
        reply, outgoing = self._control.close(number, time.monotonic())
        self._send(iter(outgoing))
        self._captured.discard(number)
        for sock in self._sockets.pop(number):
            if sock is not None:
                del self._readers[sock.fileno()]
                self._poll.unregister(sock)
                sock.close()
        if self._engine.next_tick() is None:
            gc.collect()  # nothing is paced: the one time when a collection hurts nobody
        return reply

    # --- control ---

    def _exchange(self, mask: int) -> None:
        if mask & select.EPOLLOUT:
            self._write(b"")
        if not mask & (select.EPOLLIN | select.EPOLLHUP):
            return
        try:
            chunk = self._control_socket.recv(CONTROL_CHUNK)
        except BlockingIOError:
            return
        except OSError:
            chunk = b""
        if not chunk:
            self._running = False
            return
        self._inbox += chunk
        while (message := unpack_from(self._inbox)) is not None:
            self._answer(*message)

    def _answer(self, message: dict[str, Any], blob: bytes) -> None:
        try:
            reply, samples = self._execute(message["do"], message["port"], message["with"], blob)
        except MediaError as error:
            self._tell()
            self._write(pack({"id": message["id"], "error": str(error)}))
            return
        self._tell()  # what happened before the answer is told before it
        self._write(pack({"id": message["id"], "ok": reply}, samples))

    def _execute(self, command: str, number: int, arguments: dict[str, Any], blob: bytes) -> Reply:
        match command:
            case "setup":
                return self._set_up(**arguments), b""
            case "open":
                return self._open(**arguments), b""
            case "close":
                return self._close(number)
            case "pacing":
                used, self._cpu = time.process_time() - self._cpu, time.process_time()
                return asdict(pacing_of(self._sent_late, self._read_late, realtime=self._realtime, cpu_s=used)), b""
        return self._control.execute(command, number, arguments, blob, time.monotonic())

    def _set_up(self, *, origin: float, capture: str | None, realtime: bool) -> dict[str, Any]:
        self._origin = origin
        if capture is not None:
            self._capture = CaptureWriter(Path(capture))
        self._realtime = realtime and _become_realtime()
        return {"realtime": self._realtime}

    def _tell(self) -> None:
        events = self._engine.events()
        if events:
            rows = [[e.time, e.port, e.kind, e.data, e.warning] for e in events]
            self._write(pack({"events": rows}))

    def _write(self, data: bytes) -> None:
        self._outbox += data
        if len(self._outbox) > MAX_OUTBOX_BYTES:
            raise MediaError("the process that started this media worker no longer reads what it is told")
        try:
            while self._outbox:
                del self._outbox[: self._control_socket.send(self._outbox[:CONTROL_CHUNK])]
        except BlockingIOError:
            pass
        except OSError:
            self._running = False
            return
        wanted = select.EPOLLIN | (select.EPOLLOUT if self._outbox else 0)
        if self._control_mask != wanted:
            self._control_mask = wanted
            self._poll.modify(self._control_socket, wanted)


def _bind_pair(host: str, port: int) -> tuple[socket.socket, socket.socket | None]:
    """RTP on an even port and RTCP on the next (RFC 3550 section 11); a port asked for may lack its neighbour."""
    if port:
        rtp = _bind(host, port)
        if port % 2 == 0:
            with contextlib.suppress(OSError):
                return rtp, _bind(host, port + 1)
        return rtp, None
    for _ in range(PAIR_ATTEMPTS):
        first = _bind(host, 0)
        number = first.getsockname()[1]
        try:
            second = _bind(host, number ^ 1)
        except OSError:
            first.close()
            continue
        return (first, second) if number % 2 == 0 else (second, first)
    raise OSError("no pair of free UDP ports")


def _address(name: tuple[Any, ...]) -> Address:
    """The host and port of a socket's address, which has more to it where it is IPv6."""
    return name if len(name) == 2 else name[:2]


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        sock.bind((host, port))
    except (OSError, OverflowError) as error:
        sock.close()
        raise error if isinstance(error, OSError) else OSError(str(error)) from None
    return sock


def _become_realtime() -> bool:
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(REALTIME_PRIORITY))
    except (AttributeError, OSError):
        return False
    return True


def _sharpen_timers() -> None:
    """Have the kernel wake us when asked, not up to 50 µs later."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)


def main() -> None:
    """Run on the control socket whose descriptor is the only argument."""
    for number in (signal.SIGINT, signal.SIGTERM):  # sent to the whole group; the parent closes us in order
        signal.signal(number, signal.SIG_IGN)
    _sharpen_timers()
    gc.collect()
    gc.freeze()
    gc.disable()
    with socket.socket(fileno=int(sys.argv[1])) as control:
        Worker(control).run()


if __name__ == "__main__":
    main()
