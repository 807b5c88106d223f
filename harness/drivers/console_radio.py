"""What a dispatcher does to the radio network at a console: patches, regroups, listens in, disables, calls a radio."""

from __future__ import annotations

import io
import wave
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

import httpx
import numpy as np

from harness.errors import DriverError
from harness.journal import Journal
from harness.protocols.rtp.g711 import SAMPLE_RATE, Samples

MAX_RECORDING = 32 * 1024 * 1024
"""Bytes of a recording that is fetched."""

PermitRadio = Callable[[str, str, int], None]
Radio = int | str
"""By what a console knows a radio: an ISSI, or its user's MCPTT ID (``sip:…``)."""


def told_of(radio: Radio) -> dict[str, Any]:
    """The key and value that tell it: ``issi`` or ``mcptt_id``."""
    return {"mcptt_id": radio} if isinstance(radio, str) else {"issi": radio}


def listed_as(radio: Radio) -> str:
    """By what the testbed's ``safety`` names it: its ISSI, or the name in its MCPTT ID."""
    return radio.removeprefix("sip:").partition("@")[0] if isinstance(radio, str) else str(radio)


def _in_path(radio: Radio) -> str:
    return quote(str(radio), safe="")


class RadioControl(ABC):
    """The part of a console that works on the radio network itself.

    Whatever keys, rings or opens a microphone, or changes what a terminal can do, asks the safety interlock first.
    A radio that has no ISSI is told by ``mcptt_id`` in all events, and ``issi`` is None then.
    Events: ``patch.made`` {patch, talkgroups, by}, ``patch.ended``, ``dgna.given`` {gssi, name, of}, ``dgna.unit``
    {gssi, issi, state, attached, of}, ``dgna.taken``, ``ambience.begun`` {ambience, issi}, ``ambience.ended`` {reason,
    recording}, ``terminal.disabled`` {issi, told}, ``terminal.enabled``, ``radio_call.dialled`` {radio_call, issi},
    ``radio_call.connected``, ``radio_call.failed`` {reason}, ``radio_call.ended`` {reason, recording}, ``unit.state``
    {issi, status, means}, ``unit.told`` {unit, state, issi} (by command and control),
    ``map.moved`` {issi, alias, lat, lon, error_m, speed_kmh, direction_deg, fix_age_s}, ``site.link_lost`` {site},
    ``site.fallback``, ``site.link_restored``, ``site.wide_again``.
    """

    name: str
    position: str
    _journal: Journal
    _http: httpx.AsyncClient
    _permit_radio: PermitRadio

    @abstractmethod
    async def _send(self, method: str, path: str, action: str, body: dict[str, Any] | None) -> dict[str, Any]:
        """Make a request of the control interface. Raises DriverError."""

    async def _order(
        self, method: str, path: str, action: str, body: dict[str, Any] | None = None, **noted: Any
    ) -> dict[str, Any]:
        self._journal.record(self.name, f"console.{action}", **noted)
        return await self._send(method, f"positions/{quote(self.position, safe='')}/{path}", action, body)

    # Patches

    async def patch(self, one: str, two: str) -> str:
        """Patch two talkgroups and return the patch's id.

        Raises DriverError with the ICCS's reason, InterlockError where the testbed does not allow either to be keyed.
        """
        for talkgroup in (one, two):
            self._permit_radio("key", talkgroup, 0)
        body = {"talkgroups": [one, two]}
        return str((await self._order("POST", "patches", "patch", body, talkgroups=[one, two]))["patch"])

    async def unpatch(self, patch: str) -> None:
        """Take a patch apart. Raises DriverError."""
        await self._order("DELETE", f"patches/{quote(patch, safe='')}", "unpatch", patch=patch)

    # Groups over the air

    async def regroup(self, name: str, units: Sequence[int], *, attach: bool = True) -> int:
        """Give the talkgroup ``name``, or a new group of that name, to terminals (ISSIs); return its GSSI.

        ``dgna.unit`` tells what becomes of each. Raises DriverError, InterlockError.
        """
        for issi in units:
            self._permit_radio("control", str(issi), 0)
        body = {"name": name, "units": list(units), "attach": attach}
        return int((await self._order("POST", "groups", "regroup", body, name=name, units=len(units)))["gssi"])

    async def ungroup(self, gssi: int) -> None:
        """Take a group from all who were given it. Raises DriverError, InterlockError."""
        for issi in (await self.group(gssi))["units"]:
            self._permit_radio("control", str(issi), 0)
        await self._order("DELETE", f"groups/{gssi}", "ungroup", gssi=gssi)

    async def group(self, gssi: int) -> dict[str, Any]:
        """Return a group that was given: ``units`` (ISSI to state), ``attached``, ``of``. Raises DriverError."""
        return await self._send("GET", f"groups/{gssi}", "group", None)

    # Terminals

    async def begin_ambience(self, radio: Radio, password: str) -> None:
        """Open a terminal's microphone silently; the headset gives what it hears until ``end_ambience``.

        The password is never journalled. Raises DriverError with the ICCS's reason, InterlockError.
        """
        self._permit_radio("control", listed_as(radio), 0)
        who = told_of(radio)
        await self._order("POST", "ambience", "begin_ambience", {**who, "password": password}, **who)

    async def end_ambience(self, radio: Radio) -> None:
        """Close it. Raises DriverError."""
        await self._order("DELETE", f"ambience/{_in_path(radio)}", "end_ambience", **told_of(radio))

    async def disable(self, issi: int) -> None:
        """Take a terminal off the network for a time. Raises DriverError, InterlockError."""
        self._permit_radio("control", str(issi), 0)
        await self._order("PUT", f"disabled/{issi}", "disable", issi=issi)

    async def enable(self, issi: int) -> None:
        """Let it on again. Raises DriverError, InterlockError."""
        self._permit_radio("control", str(issi), 0)
        await self._order("DELETE", f"disabled/{issi}", "enable", issi=issi)

    # Calls with one radio

    async def call_radio(self, radio: Radio) -> str:
        """Call a radio, duplex; return the call's id. ``radio_call.connected`` tells that it is up.

        Raises DriverError, InterlockError.
        """
        self._permit_radio("call", listed_as(radio), 0)
        who = told_of(radio)
        return str((await self._order("POST", "radio-call", "call_radio", who, **who))["radio_call"])

    async def clear_radio_call(self) -> None:
        """Clear that call. Raises DriverError."""
        await self._order("DELETE", "radio-call", "clear_radio_call")

    async def recording(self, id_: str) -> dict[str, Samples]:
        """Return a recording's speech, 8 kHz, by who speaks: ``radio``, ``position``. Raises DriverError."""
        listed = await self._fetch("recordings")
        found = next((each for each in listed.json() if each["recording"] == id_), None)
        if found is None:
            raise DriverError(f"{self.name}: the ICCS has no recording {id_!r}")
        answer = await self._fetch(f"recordings/{quote(id_, safe='')}")
        if len(answer.content) > MAX_RECORDING:
            raise DriverError(
                f"{self.name}: recording {id_} is of {len(answer.content)} bytes; {MAX_RECORDING} at most"
            )
        try:
            with wave.open(io.BytesIO(answer.content)) as file:
                shape = (file.getnchannels(), file.getsampwidth(), file.getframerate())
                samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
        except (wave.Error, EOFError, ValueError) as error:
            raise DriverError(f"{self.name}: recording {id_} is no WAV file: {error}") from error
        channels = list(found["channels"])
        if shape != (len(channels), 2, SAMPLE_RATE):
            raise DriverError(f"{self.name}: recording {id_} has {shape}; due: {len(channels)} channels of 16 bits")
        return {who: samples[number :: len(channels)].astype(np.int16) for number, who in enumerate(channels)}

    async def _fetch(self, path: str) -> httpx.Response:
        try:
            answer = await self._http.get(f"/v1/{path}")
        except httpx.HTTPError as error:
            raise DriverError(f"{self.name}: {path} got no answer: {type(error).__name__} {error}") from error
        if answer.is_error:
            raise DriverError(f"{self.name}: {path} was refused with {answer.status_code}: {answer.text[:200]}")
        return answer

    # Units

    async def unit(self, radio: Radio) -> dict[str, Any]:
        """Return what is known of a unit: ``status``, ``means``, ``since``, ``incident``; of command and control
        ``call_sign``, ``told``, ``told_since``. Raises DriverError.
        """
        return await self._send("GET", f"units/{_in_path(radio)}", "unit", None)

    async def units(self) -> list[dict[str, Any]]:
        """Return every unit of which a status came or that is on an incident. Raises DriverError."""
        return list((await self._fetch("units")).json())

    async def place(self, radio: Radio) -> dict[str, Any]:
        """Return where a radio is on the map: ``lat`` and ``lon`` (degrees), ``error_m``, ``speed_kmh``,
        ``direction_deg``, ``fix_age_s``, and ``age_s`` since it came. Raises DriverError where it has not told.
        """
        return await self._send("GET", f"map/{_in_path(radio)}", "place", None)

    async def places(self) -> list[dict[str, Any]]:
        """Return where every radio on the map is, the one that told last at the end. Raises DriverError."""
        return list((await self._fetch("map")).json())

    async def assign_unit(self, radio: Radio, incident: str) -> None:
        """Assign a unit to an incident. Raises DriverError."""
        path = f"incidents/{quote(incident, safe='')}/units"
        who = told_of(radio)
        await self._order("POST", path, "assign_unit", who, **who, incident=incident)

    async def incident(self, incident: str) -> dict[str, Any]:
        """Return an incident with its log. Raises DriverError."""
        return await self._send("GET", f"incidents/{quote(incident, safe='')}", "incident", None)
