"""What is done with recordings at a console: instant replay, search, playback, export, holds."""

from __future__ import annotations

import hashlib
import io
import json
import wave
import zipfile
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

import httpx
import numpy as np

from harness.errors import DriverError
from harness.journal import Journal
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples

MAX_EXPORT: Final = 64 * 1024 * 1024
"""Bytes of an archive, and of what is in it, that is taken."""


@dataclass(frozen=True, slots=True)
class Exported:
    """An exported recording."""

    wav: bytes
    manifest: dict[str, Any]

    def verify(self) -> str:
        """Return the speech's SHA-256. Raises DriverError where it is not what the manifest names."""
        found = hashlib.sha256(self.wav).hexdigest()
        if found != self.manifest.get("sha256"):
            raise DriverError(f"exported {self.manifest.get('leg')}: SHA-256 is {found}, the manifest names another")
        return found


class RecordedSpeech(ABC):
    """The recordings' part of a console.

    A recorded leg has ``leg``, ``kind`` (telephone_in, telephone_out, radio_rx, radio_tx), ``call``, ``record``,
    ``cli``, ``position``, ``talkgroup``, ``issi``, ``began``, ``ended``, ``seconds``, ``held``; times are run times.
    """

    name: str
    position: str
    _journal: Journal
    _http: httpx.AsyncClient

    @abstractmethod
    async def _act(self, action: str, path: str | None = None, **body: Any) -> dict[str, Any]:
        """Note what the operator does, then do it. Raises DriverError."""

    @abstractmethod
    async def _send(self, method: str, path: str, action: str, body: dict[str, Any] | None) -> dict[str, Any]:
        """Make a request. Raises DriverError."""

    async def instant_replay(self) -> list[dict[str, Any]]:
        """Return the legs of the last half hour that this position spoke on or heard, newest first."""
        answer = await self._raw("GET", "instant-replay")
        return list(answer.json())

    async def find_recordings(self, **wanted: Any) -> list[dict[str, Any]]:
        """Return the newest legs that fit, newest first; needs the right ``replay``.

        ``wanted``: ``kind``, ``since``, ``until``, ``position``, ``number``, ``issi``, ``talkgroup``, ``incident``,
        ``record``, ``limit``. Raises DriverError with the ICCS's reason.
        """
        body = {key: value for key, value in wanted.items() if key != "number"}
        self._journal.record(self.name, "console.find_recordings", **body)  # a number is nobody's to read there
        found = await self._send("POST", f"positions/{self.position}/find-recordings", "find_recordings", wanted)
        return list(found["legs"])

    async def play_recording(self, leg: str) -> Samples:
        """Return a leg's speech, 8 kHz. Raises DriverError with the ICCS's reason."""
        answer = await self._raw("GET", f"recorded/{quote(leg, safe='')}")
        return _speech(answer.content, leg)

    async def export_recording(self, leg: str, *, why: str) -> Exported:
        """Return a leg's speech as a WAV file with its manifest. Raises DriverError with the ICCS's reason."""
        answer = await self._raw("POST", f"recorded/{quote(leg, safe='')}/export", {"why": why})
        try:
            with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
                if sum(each.file_size for each in archive.infolist()) > MAX_EXPORT:
                    raise DriverError(f"{self.name}: the export of {leg} holds more than {MAX_EXPORT} bytes")
                manifest = json.loads(archive.read("manifest.json"))
                return Exported(archive.read(str(manifest["file"])), manifest)
        except (zipfile.BadZipFile, KeyError, ValueError) as error:
            raise DriverError(f"{self.name}: the export of {leg} is no archive with a manifest: {error}") from error

    async def hold_recording(self, leg: str, *, why: str) -> dict[str, Any]:
        """Have a leg kept whatever its age. Raises DriverError with the ICCS's reason."""
        path = f"positions/{self.position}/recorded/{quote(leg, safe='')}/hold"
        return await self._send("PUT", path, "hold_recording", {"why": why})

    async def release_recording(self, leg: str) -> dict[str, Any]:
        """Have a leg held no more. Raises DriverError with the ICCS's reason."""
        path = f"positions/{self.position}/recorded/{quote(leg, safe='')}/hold"
        return await self._send("DELETE", path, "release_recording", None)

    async def _raw(self, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
        try:
            answer = await self._http.request(method, f"/v1/positions/{self.position}/{path}", json=body)
        except httpx.HTTPError as error:
            raise DriverError(f"{self.name}: {path} got no answer: {type(error).__name__} {error}") from error
        if answer.is_error:
            raise DriverError(f"{self.name}: {path} was refused with {answer.status_code}: {_reason(answer)}")
        if len(answer.content) > MAX_EXPORT:
            raise DriverError(f"{self.name}: {path} gave {len(answer.content)} bytes; {MAX_EXPORT} is the most")
        return answer


def _reason(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:200]


def _speech(wav: bytes, leg: str) -> Samples:
    try:
        with wave.open(io.BytesIO(wav)) as file:
            shape = (file.getnchannels(), file.getsampwidth(), file.getframerate())
            if shape != (1, 2, SAMPLE_RATE):
                raise DriverError(f"recording {leg} is {shape}; one channel of 2 bytes at {SAMPLE_RATE} Hz was due")
            return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16)
    except (wave.Error, EOFError) as error:
        raise DriverError(f"recording {leg} is no WAV file: {error}") from error
