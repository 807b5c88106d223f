"""A media service whose engine runs in a worker process: what real time needs."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import socket
import sys
import tempfile
from pathlib import Path
from typing import IO, Any

import harness
from harness.endpoints.media.api import Pacing
from harness.endpoints.media.control import Reply
from harness.endpoints.media.events import MediaEvent
from harness.endpoints.media.framing import HEAD, check, pack
from harness.endpoints.media.service import EngineHost
from harness.errors import MediaError
from harness.transport.context import Context

REQUEST_TIMEOUT_S = 10.0
"""A worker answers within milliseconds; one that does not in this time is stuck."""
END_TIMEOUT_S = 5.0
ERROR_TAIL = 2000
"""Characters of a dead worker's error output that are told."""

_serial_numbers = itertools.count(1)


class ProcessMediaService(EngineHost):
    """A MediaService on a worker process; made by `start`."""

    def __init__(self, context: Context, process: asyncio.subprocess.Process, errors: IO[bytes]) -> None:
        super().__init__(context)
        self._process = process
        self._error_output = errors
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._pending: dict[int, asyncio.Future[Reply]] = {}
        self._ids = itertools.count(1)
        self._gone: str | None = None
        self._ending = False

    @property
    def pid(self) -> int:
        """The worker's process number."""
        return self._process.pid

    @classmethod
    async def start(cls, context: Context, *, realtime: bool = False) -> ProcessMediaService:
        """Start a worker. `realtime`: under SCHED_FIFO where that is permitted. Raises MediaError."""
        ours, theirs = socket.socketpair()
        # the temporary file closes with the service: no pipe that a chatty worker could fill and block on
        errors = tempfile.TemporaryFile()  # noqa: SIM115
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "harness.endpoints.media.worker",
                str(theirs.fileno()),
                pass_fds=(theirs.fileno(),),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=errors,
                env=_environment(),
            )
        except OSError as error:
            ours.close()
            errors.close()
            raise MediaError(f"can't start the media worker: {error}") from error
        finally:
            theirs.close()
        service = cls(context, process, errors)
        service._reader, service._writer = await asyncio.open_connection(sock=ours)
        service._reading = asyncio.create_task(service._read(service._reader))
        capture = context.capture_dir
        try:
            await service.request(
                "setup",
                0,
                {
                    "origin": context.journal.origin,
                    "capture": None
                    if capture is None
                    else str(capture / f"media-{os.getpid()}-{next(_serial_numbers)}.cap"),
                    "realtime": realtime,
                },
            )
        except BaseException:
            await service._end()
            raise
        return service

    async def request(self, command: str, number: int, arguments: dict[str, Any], blob: bytes = b"") -> Reply:
        """Have the worker carry a command out."""
        if self._gone is not None or self._writer is None:
            raise MediaError(self._gone or "the media worker was not started")
        identity = next(self._ids)
        message = pack({"id": identity, "do": command, "port": number, "with": arguments}, blob)
        answer: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._pending[identity] = answer
        try:
            self._writer.write(message)
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                return await answer
        except TimeoutError:
            raise MediaError(f"the media worker did not answer {command!r} within {REQUEST_TIMEOUT_S:g} s") from None
        finally:
            del self._pending[identity]

    async def pacing(self) -> Pacing:
        """Send errors since the worker began, or since last asked."""
        figures, _ = await self.request("pacing", 0, {})
        return Pacing(**figures)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        reason = "the media worker is gone"
        try:
            while True:
                text, blob = HEAD.unpack(await reader.readexactly(HEAD.size))
                check(text, blob)
                message = json.loads(await reader.readexactly(text))
                self._take(message, await reader.readexactly(blob))
        except (asyncio.IncompleteReadError, OSError):
            if not self._ending:
                reason = await self._post_mortem()
        except MediaError as error:
            reason = str(error)
        self._lose(reason)

    def _take(self, message: dict[str, Any], blob: bytes) -> None:
        if "events" in message:
            for time, port, kind, data, warning in message["events"]:
                self.take_event(MediaEvent(time, port, kind, data, warning))
            return
        answer = self._pending.get(message["id"])
        if answer is None or answer.done():
            return  # whoever asked has given up
        if "error" in message:
            answer.set_exception(MediaError(message["error"]))
        else:
            answer.set_result((message["ok"], blob))

    def _lose(self, reason: str) -> None:
        if self._gone is not None:
            return
        self._gone = reason
        if not self._ending:
            self.context.journal.warn("media", "media.worker_lost", reason=reason)
        for answer in self._pending.values():
            if not answer.done():
                answer.set_exception(MediaError(reason))
        self.fail(reason)

    async def _post_mortem(self) -> str:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(END_TIMEOUT_S):
                await self._process.wait()
        self._error_output.seek(0)
        told = self._error_output.read().decode(errors="replace")[-ERROR_TAIL:].strip()
        return f"the media worker ended (exit status {self._process.returncode})" + (f": {told}" if told else "")

    async def _end(self) -> None:
        self._ending = True
        self._lose("the media service is closed")
        if self._writer is not None:
            self._writer.close()
            with contextlib.suppress(OSError):
                await self._writer.wait_closed()
        try:
            async with asyncio.timeout(END_TIMEOUT_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
        if self._reading is not None:
            self._reading.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._reading
        self._error_output.close()


def _environment() -> dict[str, str]:
    environment = dict(os.environ)
    root = str(Path(harness.__file__).parent.parent)
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, [root, environment.get("PYTHONPATH")]))
    # numpy's helper threads would compete with the paced one
    environment["OPENBLAS_NUM_THREADS"] = "1"
    return environment
