"""The console driver: an operator position as its operator uses it.

It goes through the ICCS's control interface and the headset's audio jack.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, WebSocketException

from harness.drivers.console_calls import CallHandling, PermitDial
from harness.drivers.console_crm import CallerRecords
from harness.drivers.console_desk_radio import DeskRadio
from harness.drivers.console_oversight import Oversight
from harness.drivers.console_radio import Radio, RadioControl, listed_as, told_of
from harness.drivers.console_recordings import RecordedSpeech
from harness.drivers.jack import AudioJack, open_jack
from harness.endpoints.media import MediaService
from harness.errors import DriverError
from harness.journal import Event
from harness.protocols.rtp.g711 import Samples
from harness.transport.context import Context
from harness.transport.https import bearing, http_client

TRIES_EVERY = 0.1
"""Seconds between two tries to log in at an ICCS that does not answer."""
ANSWERS_WITHIN = 5.0
"""Seconds within which the control interface answers a request."""
MAX_EVENT = 64 * 1024
"""Bytes of one event from the control interface."""

PermitRadio = Callable[[str, str, int], None]


class Console(CallHandling, RadioControl, DeskRadio, CallerRecords, Oversight, RecordedSpeech):
    """One operator position. What its console shows is journalled under the component's name as it is shown.

    Events: ``call.ringing`` {call, queue, cli, record}, ``call.connected``, ``call.taken``, ``call.withdrawn``
    {reason}, ``call.abandoned`` {wait_s, band, ring_back}, ``call.held``, ``call.resumed``, ``call.transferred`` {to},
    ``call.conferenced`` {parties}, ``call.failed`` {reason}, ``call.cleared``, ``adviser.state`` {state}, ``call.dtmf``
    {digit}, ``ptt.granted`` {talkgroup}, ``ptt.refused`` {reason}, ``ptt.lost`` {reason}, ``talker.shown`` {talkgroup,
    issi, alias}, ``talker.ended``, ``status.shown`` {issi, value}, ``sds.shown`` {issi, text}, ``incident.…``
    {incident, owner}, those of DeskRadio, CallerRecords and Oversight; and what the operator does: ``console.answer``,
    ``console.key`` and so on, at the moment it is done. The safety interlock is asked here too: the ICCS may be real,
    and its operator's hand is this driver.
    """

    def __init__(
        self,
        context: Context,
        media: MediaService,
        name: str,
        position: str,
        http: httpx.AsyncClient,
        permit_dial: PermitDial,
        permit_radio: PermitRadio,
    ) -> None:
        self.name = name
        self.position = position
        self._context = context
        self._media = media
        self._journal = context.journal
        self._http = http
        self._permit_dial = permit_dial
        self._permit_radio = permit_radio
        self._ringing_callbacks = {}
        self._caller_records = {}
        self._socket: ClientConnection | None = None
        self._reader: asyncio.Task[None] | None = None
        self._logged_in = False
        self._again: tuple[str, str, dict[str, str]] | None = None
        """With which audio it logged in, where, and as whom."""
        self._plugged_into = ""
        self._jack: AudioJack | None = None
        self._loudspeaker = None

    @classmethod
    async def open(
        cls,
        context: Context,
        media: MediaService,
        name: str,
        *,
        control: str,
        position: str,
        audio: str = "rtp",
        token: str | None = None,
        permit_dial: PermitDial,
        permit_radio: PermitRadio,
    ) -> Console:
        """Log in at ``position`` of the ICCS whose control interface is ``control`` (``http://host:port``).

        ``audio`` is ``rtp`` for the jack that the ICCS names, or another jack's address. ``permit_dial`` is asked with
        a number, ``permit_radio`` with act, target and priority, before a request leaves; they raise InterlockError to
        refuse. Raises DriverError when the position can't be had; nobody is logged in then.
        """
        http = http_client(control, timeout=ANSWERS_WITHIN, token=token)
        console = cls(context, media, name, position, http, permit_dial, permit_radio)
        console._again = audio, control, bearing(token)
        try:
            await console._log_in(audio)
            await console._look_on(control, bearing(token))
        except BaseException:
            await console.close()
            raise
        return console

    @classmethod
    async def watch(
        cls, context: Context, media: MediaService, name: str, *, control: str, position: str, token: str | None = None
    ) -> Console:
        """Look on at ``position``, where a person sits: what it shows is journalled, and nothing is done there.

        Raises DriverError where that can't be had.
        """
        http = http_client(control, timeout=ANSWERS_WITHIN, token=token)
        console = cls(context, media, name, position, http, _refuse_dial, _refuse_radio)
        try:
            await console._look_on(control, bearing(token))
        except BaseException:
            await console.close()
            raise
        return console

    async def log_in_again(self, *, within: float) -> float:
        """Log in as soon as the ICCS, whose core was lost, takes it; return after how many seconds.

        The headset stays plugged in where it was. Raises DriverError, with the last refusal, where that is not
        ``within`` seconds.
        """
        if self._again is None:
            raise DriverError(f"{self.name} did not log in by the control interface, so it can't do so again")
        audio, control, headers = self._again
        began, refused, seated = self._journal.now(), "nothing was tried", False
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within):
                while True:
                    try:
                        if not seated:
                            await self._log_in(audio)
                        seated = True
                        await self._look_on(control, headers)
                    except DriverError as error:
                        refused = str(error)
                        await asyncio.sleep(TRIES_EVERY)
                        continue
                    took = round(self._journal.now() - began, 3)
                    self._journal.record(self.name, "console.logged_in_again", after=took)
                    return took
        raise DriverError(f"{self.name}: not logged in again within {within:g} s: {refused}")

    async def _log_in(self, audio: str) -> None:
        shown = await self._ask("login")
        self._logged_in = True
        jack = str(shown.get("jack")) if audio == "rtp" else audio
        if self._jack is not None and jack == self._plugged_into:
            return
        if self._jack is not None:
            await self._jack.close()
        self._jack = await open_jack(self._context, self._media, self.name, jack)
        self._plugged_into = jack

    async def _look_on(self, control: str, headers: dict[str, str]) -> None:
        url = f"{control.replace('http', 'ws', 1)}/v1/positions/{self.position}/events"
        try:
            self._socket = await connect(
                url, additional_headers=headers, max_size=MAX_EVENT, proxy=None, open_timeout=ANSWERS_WITHIN
            )
        except (WebSocketException, OSError, TimeoutError) as error:
            raise DriverError(f"{self.name}: no events from {control}: {error}") from error
        self._reader = asyncio.create_task(self._read(self._socket))

    @property
    def logged_in(self) -> bool:
        """Whether this driver sits at the position, and does not only look on."""
        return self._logged_in and not self._http.is_closed

    async def close(self) -> None:
        """Log out: what is held is cleared, the jack and the event stream are closed. Closing it again does nothing."""
        if self._http.is_closed:
            return
        if self._socket is not None:
            await self._socket.close()
        if self._reader is not None:
            await asyncio.gather(self._reader, return_exceptions=True)
        if self._loudspeaker is not None:
            await self._loudspeaker.close()
        if self._jack is not None:
            await self._jack.close()
        if self._logged_in:
            self._logged_in = False
            with contextlib.suppress(DriverError):
                await self._ask("logout")
        await self._http.aclose()

    async def _read(self, socket: ClientConnection) -> None:
        try:
            async for message in socket:
                try:
                    event = json.loads(message)
                    kind, data = str(event["kind"]), dict(event["data"])
                except (ValueError, KeyError, TypeError, RecursionError):
                    self._journal.warn(self.name, "console.unreadable", length=len(message))
                    continue
                self._show(kind, data)
        except ConnectionClosed as error:
            self._journal.warn(self.name, "console.lost", reason=str(error))

    def _show(self, kind: str, data: dict[str, Any]) -> None:
        """The console shows something."""
        self._seen(kind, data)
        noted = self._journalled(kind, data)
        self._journal.record(self.name, kind, **{str(k): v for k, v in noted.items() if k not in {"at"}})

    async def _ask(self, action: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        return await self._send("POST", f"positions/{self.position}/{action}", action, body)

    async def _send(self, method: str, path: str, action: str, body: dict[str, Any] | None) -> dict[str, Any]:
        try:
            answer = await self._http.request(method, f"/v1/{path}", json=body)
        except httpx.HTTPError as error:
            raise DriverError(f"{self.name}: {action} got no answer: {type(error).__name__} {error}") from error
        try:
            said = answer.json()
        except ValueError:
            said = {"detail": answer.text[:200]}
        if answer.is_error or not isinstance(said, dict):
            detail = said.get("detail") if isinstance(said, dict) else said
            raise DriverError(f"{self.name}: {action} was refused with {answer.status_code}: {detail}")
        return said

    async def _act(self, action: str, path: str | None = None, **body: Any) -> dict[str, Any]:
        self._journal.record(self.name, f"console.{action}", **body)
        return await self._ask(path or action, body)

    async def _look(self, path: str) -> dict[str, Any]:
        return await self._send("GET", path, path, None)

    # Radio

    async def key(self, talkgroup: str) -> None:
        """Press to talk; ``ptt.granted`` is journalled when the floor is had.

        Raises DriverError when it can't be asked, InterlockError when the testbed does not allow it: nothing has left
        then.
        """
        self._permit_radio("key", talkgroup, 0)
        await self._act("key", talkgroup=talkgroup)

    async def unkey(self) -> None:
        """Let go of the floor."""
        await self._act("unkey")

    async def send_text(self, radio: Radio, text: str) -> None:
        """Send a text to a radio. Raises DriverError, or InterlockError when the testbed does not allow it."""
        self._permit_radio("message", listed_as(radio), 0)
        await self._act("text", **told_of(radio), text=text)

    # Incidents

    async def open_incident(self, title: str) -> str:
        """Open an incident, from the call where one is held, and return its id."""
        return str((await self._act("open_incident", "incidents", title=title))["id"])

    async def hand_over(self, incident: str, to: str) -> None:
        """Give an incident to another position. Raises DriverError when it is not held here."""
        self._journal.record(self.name, "console.hand_over", incident=incident, to=to)
        await self._ask(f"incidents/{quote(incident, safe='')}/hand-over", {"to": to})

    async def note_incident(self, incident: str, text: str) -> None:
        """Write a line into an incident's log. Raises DriverError when it is not open."""
        self._journal.record(self.name, "console.note_incident", incident=incident)
        await self._ask(f"incidents/{quote(incident, safe='')}/notes", {"text": text})

    async def assess_incident(self, incident: str, **parts: str) -> None:
        """Record what is known of THRIVE: ``threat``, ``harm``, ``risk``, ``investigation``, ``vulnerability``,
        ``engagement`` and the ``rationale``; what is left out stays. ``incident.assessed`` {parts, missing} follows.

        Raises DriverError when it is not open, or for another name.
        """
        self._journal.record(self.name, "console.assess_incident", incident=incident, parts=list(parts))
        await self._ask(f"incidents/{quote(incident, safe='')}/thrive", dict(parts))

    async def grade_incident(self, incident: str, grade: str, *, rationale: str = "") -> None:
        """Grade an incident: ``Immediate``, ``Prompt``, ``Standard``, ``Other``. ``incident.graded`` {grade, was}
        follows. Raises DriverError when it is not open, not assessed, or regraded without a rationale.
        """
        self._journal.record(self.name, "console.grade_incident", incident=incident, grade=grade)
        await self._ask(f"incidents/{quote(incident, safe='')}/grade", {"grade": grade, "rationale": rationale})

    async def transfer_incident(self, incident: str, force: str) -> None:
        """Give an incident to another force. Raises DriverError when it is not held here."""
        self._journal.record(self.name, "console.transfer_incident", incident=incident, force=force)
        await self._ask(f"incidents/{quote(incident, safe='')}/transfer", {"force": force})

    async def check_records(
        self, incident: str, *, reason: str, registration: str | None = None, name: str | None = None, **more: str
    ) -> str:
        """Have a vehicle (``registration``) or a person (``name``, ``born``) checked for an incident; return its id.

        The incident's log has that it was accepted and what came; ``records_check.returned`` {check, incident,
        outcome} or ``records_check.failed`` {reason} tells when. Whom or what about is not journalled. Raises
        DriverError where it is refused.
        """
        self._journal.record(self.name, "console.check_records", incident=incident)
        subject = {"registration": registration, "name": name, **more}
        body = {"reason": reason} | {key: value for key, value in subject.items() if value is not None}
        return str((await self._ask(f"incidents/{quote(incident, safe='')}/records-checks", body))["check"])

    async def needs_no_incident(self, reason: str, *, record: str | None = None) -> None:
        """Say why a call needs no incident: the latest one, or that of a record. Raises DriverError."""
        self._journal.record(self.name, "console.needs_no_incident", reason=reason)
        await self._ask("no-incident", {"reason": reason} | ({} if record is None else {"record": record}))

    async def close_incident(self, incident: str) -> None:
        """Close an incident. Raises DriverError when it is not held here."""
        self._journal.record(self.name, "console.close_incident", incident=incident)
        await self._ask(f"incidents/{quote(incident, safe='')}/close")

    # The directory

    async def directory(self, find: str = "") -> list[dict[str, str]]:
        """Return the directory's entries that this console shows: ``id``, ``name``, ``number``, ``organisation``.

        ``find``: what is in name, number or organisation. ``directory.changed`` {entries, added, changed, removed}
        tells of edits, ``directory.stale`` {source, reason} and ``directory.fresh`` {source} whether it can be read.
        Raises DriverError.
        """
        try:
            answer = await self._http.get(f"/v1/positions/{self.position}/directory", params={"find": find})
            found = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise DriverError(f"{self.name}: the directory got no answer: {type(error).__name__} {error}") from error
        if answer.is_error:
            raise DriverError(f"{self.name}: the directory was refused with {answer.status_code}: {found}")
        return [dict(each) for each in found]

    async def seat(self) -> dict[str, Any]:
        """Return the position as the control interface shows it: ``role``, ``site``, ``talkgroups``, ``state`` …"""
        return await self._look(f"positions/{quote(self.position, safe='')}")

    # Speech

    @property
    def headset(self) -> AudioJack:
        """The headset's end of the lead."""
        assert self._jack is not None, "a console is opened with its jack"
        return self._jack

    async def say(self, samples: Samples) -> float:
        """Speak 8 kHz samples into the headset; return the run time at which the first one goes out."""
        return await self.headset.say(samples)

    async def expect(self, kind: str, *, within: float, after: int = 0, **with_: Any) -> Event:
        """Return the event that this console shows, or raise ExpectationError telling what it did show."""
        return await self._journal.expect(self.name, kind, within=within, after=after, **with_)


def _refuse_dial(target: str) -> None:
    raise DriverError(f"{target} is not dialled: a person has the seat")


def _refuse_radio(act: str, target: str, _priority: int) -> None:
    raise DriverError(f"{act} {target} is not done: a person has the seat")
