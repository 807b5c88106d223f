"""baresip, headless: a telephone that this project did not write, driven over its control port (netstrings of JSON)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import wave
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np

from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples
from suites.selftest.ports import free_port
from suites.selftest.witness import need
from suites.selftest.witnesses.control_room import POLL_S, ended

STARTS_WITHIN_S = 10.0
ANSWERS_WITHIN_S = 5.0
MAX_NETSTRING = 64 * 1024

_CONFIG = """
sip_listen 127.0.0.1:{sip}
net_interface 127.0.0.1
rtp_ports {rtp}-{rtp_last}
audio_source aufile,{speech}
audio_player aubridge,none
audio_alert aubridge,none
audio_srate 8000
audio_channels 1
snd_path {heard}
module_path {modules}
module g711.so
module aufile.so
module aubridge.so
module sndfile.so
module uuid.so
module_app account.so
module_app menu.so
module_app debug_cmd.so
module_app ctrl_tcp.so
ctrl_tcp_listen 127.0.0.1:{control}
"""


class Baresip:
    """One running baresip."""

    def __init__(self, folder: Path, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.folder = folder
        self.events: list[dict[str, Any]] = []
        """What it told of its own accord, oldest first."""
        self._reader = reader
        self._writer = writer
        self._answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue(1)
        self._told = asyncio.Event()
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                size = int((await self._reader.readuntil(b":"))[:-1])
                assert size <= MAX_NETSTRING
                told = json.loads((await self._reader.readexactly(size + 1))[:-1])
                if told.get("event"):
                    self.events.append(told)
                    self._told.set()
                else:
                    await self._answers.put(told)

    async def do(self, command: str, parameters: str = "") -> str:
        """Have a command carried out and return what it printed; one that is refused fails the test."""
        text = json.dumps({"command": command, "params": parameters, "token": command}).encode()
        self._writer.write(b"%d:%s," % (len(text), text))
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            answer = await self._answers.get()
        assert answer.get("ok"), answer
        return str(answer.get("data", ""))

    async def registered(self, *, within: float) -> None:
        """Return once its account is registered; that may have been before its control port was there."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        while "OK" not in (shown := await self.do("reginfo")):
            assert loop.time() < deadline, shown
            await asyncio.sleep(POLL_S)

    async def expect(self, kind: str, *, within: float, param: str | None = None, after: int = 0) -> dict[str, Any]:
        """Return the event of a kind, younger than the first ``after`` ones; fail with what came when it does not."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        while True:
            for event in self.events[after:]:
                if event["type"] == kind and param in {None, event.get("param")}:
                    return event
            self._told.clear()
            try:
                async with asyncio.timeout(deadline - loop.time()):
                    await self._told.wait()
            except TimeoutError:
                raise AssertionError(f"no {kind} {param or ''} within {within:g} s; there was {self.events}") from None

    async def press(self, key: str) -> None:
        """Press a key and let it go."""
        await self.do("sndcode", key)
        await self.do("sndcode", "")

    def shown(self) -> str:
        """What it wrote on its screen so far."""
        return (self.folder / "screen.txt").read_text(encoding="utf-8", errors="replace")

    def heard(self) -> Samples:
        """What its earpiece gave in its one call; written when that is over."""
        (path,) = (self.folder / "heard").glob("*-dec.wav")
        return read_wav(path)

    async def quit(self) -> None:
        """End it in an orderly way."""
        self._writer.write(b'18:{"command":"quit"},')
        with contextlib.suppress(ConnectionError):
            await self._writer.drain()

    async def close(self) -> None:
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        self._writer.close()
        with contextlib.suppress(ConnectionError):
            await self._writer.wait_closed()


@contextlib.asynccontextmanager
async def baresip(
    folder: Path, *, account: str, speech: Path, more: str = "", sip_port: int | None = None
) -> AsyncIterator[Baresip]:
    """Run baresip with one account, its microphone a WAV file (8 kHz; the call is hung up where the file ends).

    `more`: further lines of its configuration. `sip_port`: where it takes calls; a free one without it.
    """
    program = need("baresip", package="baresip")
    control = _free_tcp_port()
    _lay_out(folder, account, speech, control, more, sip_port or free_port())
    with (folder / "screen.txt").open("wb") as screen:
        process = await asyncio.create_subprocess_exec(
            program, "-4", "-f", str(folder), stdin=asyncio.subprocess.DEVNULL, stdout=screen, stderr=screen
        )
    telephone: Baresip | None = None
    try:
        telephone = Baresip(folder, *await _connected(process, control, folder))
        yield telephone
        await telephone.quit()
        async with asyncio.timeout(ANSWERS_WITHIN_S):
            assert await process.wait() == 0
    finally:
        if telephone is not None:
            await telephone.close()
        await ended(process)


def _lay_out(folder: Path, account: str, speech: Path, control: int, more: str, sip: int) -> None:
    (folder / "heard").mkdir(parents=True)
    rtp = free_port()
    modules = next(path for path in Path("/usr").glob("lib*/**/baresip/modules") if path.is_dir())
    config = _CONFIG.format(
        sip=sip,
        rtp=rtp,
        rtp_last=min(rtp + 20, 65_534),
        speech=speech,
        heard=folder / "heard",
        modules=modules,
        control=control,
    )
    (folder / "config").write_text(config + more)
    (folder / "accounts").write_text(account + "\n")
    (folder / "contacts").write_text("")


async def _connected(
    process: asyncio.subprocess.Process, port: int, folder: Path
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + STARTS_WITHIN_S
    while True:
        try:
            return await asyncio.open_connection("127.0.0.1", port, limit=MAX_NETSTRING)
        except OSError:
            told = (folder / "screen.txt").read_text(errors="replace")
            assert process.returncode is None, told
            assert loop.time() < deadline, told
            await asyncio.sleep(POLL_S)


def _free_tcp_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def read_wav(path: Path) -> Samples:
    """The samples of an 8 kHz mono file."""
    with wave.open(str(path)) as file:
        assert (file.getframerate(), file.getsampwidth(), file.getnchannels()) == (SAMPLE_RATE, 2, 1)
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


def write_wav(path: Path, samples: Samples) -> None:
    """Write samples as an 8 kHz mono file."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(samples.astype("<i2").tobytes())
