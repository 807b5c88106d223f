"""How a simulated Webex makes calls: it asks the enterprise switch for them, which places them by SIP with media.

What is answered of a call is what the switch saw on the wire. A person's line is the one of their extension.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

import httpx

from harness.transport.https import http_client
from simulators.webex.call_shapes import Call, CallRecord, RemoteParty
from simulators.webex.errors import WebexError, conflict, forbidden, unfit, unknown
from simulators.webex.ids import named, uuid_of
from simulators.webex.shapes import Person
from simulators.webex.store import stamp

ANSWERS_WITHIN_S: Final = 35.0
"""Seconds within which the switch answers: it waits itself for a telephone to be picked up."""
MAX_HISTORY: Final = 20
"""Calls of each kind that a history has, as Webex's own."""
MOST_RECORDS: Final = 1_000
"""Calls that are over, and records of their speech, that are looked at; the switch shows no more at once."""
MAX_ANSWERED: Final = 10_000
"""Calls answered by REST whose names are kept; of more the oldest are forgotten."""


class Switchboard:
    """The switch, as Webex asks it."""

    def __init__(
        self, control: str, token: str | None, origin: float, whose: Callable[[str, str], Person | None]
    ) -> None:
        """``control``: the switch's ``http://host:port``; ``origin``: seconds since 1970 of run time 0.

        ``whose``: the person of an organisation who has an extension.
        """
        self._http = http_client(f"{control}/v1", timeout=ANSWERS_WITHIN_S, token=token)
        self._origin, self._whose = origin, whose
        self._answered: dict[tuple[str, str], str] = {}
        """The name under which a line's call was answered from afar: its telephone is called anew, by another leg."""

    async def close(self) -> None:
        """Ask no more."""
        await self._http.aclose()

    async def calls(self, person: Person) -> list[Call]:
        """The calls that a person has now."""
        found = await self.ask("GET", "/parties", query={"line": line_of(person)})
        return [self.seen(each, person) for each in found]

    async def call(self, person: Person, call_id: str) -> Call:
        """One of a person's calls. Raises WebexError, 404."""
        return self.seen(await self._party(person, call_id), person)

    async def history(self, person: Person, kind: str | None) -> list[CallRecord]:
        """The calls that a person had, the last first, MAX_HISTORY of each kind."""
        query = {"line": line_of(person), "most": str(MOST_RECORDS)}
        past = await self.ask("GET", "/history", query=query)
        records = [self._record(each, person) for each in reversed(past)]
        kept: list[CallRecord] = []
        for each in records:
            if kind in {None, each.type} and sum(other.type == each.type for other in kept) < MAX_HISTORY:
                kept.append(each)
        return kept

    async def place(self, person: Person, act: str, body: dict[str, Any]) -> dict[str, str]:
        """Begin a call of a person's: ``dial``, ``retrieve`` or ``pick-up``; return its ids."""
        party = await self.ask("POST", f"/lines/{line_of(person)}/{act}", body)
        return {"callId": self._id(party), "callSessionId": str(party["call"])}

    async def act(self, person: Person, call_id: str, act: str, body: dict[str, Any] | None = None) -> Any:
        """Do something to one of a person's calls. Raises WebexError."""
        party = await self._party(person, call_id)
        if act == "answer":
            self._answered[party["call"], party["line"]] = self._name(party)
            if len(self._answered) > MAX_ANSWERED:
                del self._answered[next(iter(self._answered))]
        return await self.ask("POST", f"/parties/{party['id']}/{act}", body)

    async def other(self, person: Person, call_id: str) -> str:
        """The switch's name of one of a person's calls. Raises WebexError."""
        return str((await self._party(person, call_id))["id"])

    async def _party(self, person: Person, call_id: str) -> dict[str, Any]:
        coded = uuid_of(call_id, "CALL")
        line = line_of(person)
        try:
            wanted = bytes.fromhex(coded or "").decode()
        except ValueError:
            wanted = ""
        parties = await self.ask("GET", "/parties", query={"line": line})
        found: list[dict[str, Any]] = [each for each in parties if self._name(each) == wanted]
        if not found:
            raise unknown("call")
        return found[-1]

    def _name(self, party: dict[str, Any]) -> str:
        return self._answered.get((party["call"], party["line"]), str(party["id"]))

    def _id(self, party: dict[str, Any]) -> str:
        return named("CALL", self._name(party).encode().hex())

    def seen(self, party: dict[str, Any], person: Person) -> Call:
        """A party's call as the person sees it whose line it is."""
        return Call(
            id=self._id(party),
            call_id=self._id(party),
            call_session_id=party["call"],
            personality=_personality(party),
            state=_state(party),
            remote_party=self._remote(party, person),
            created=self.at(party["created"]),
            answered=self.at(party["answered"]) if party["answered"] is not None else None,
        )

    def _record(self, party: dict[str, Any], person: Person) -> CallRecord:
        kind = "placed" if party["personality"] != "terminator" else "received"
        if kind == "received" and party["answered"] is None:
            kind = "missed"
        # As Webex has it: when it was placed, when it was answered, when whoever called gave up.
        time = party[{"placed": "created", "received": "answered", "missed": "ended"}[kind]]
        remote = self._remote(party, person)
        return CallRecord(
            type=kind,
            name=remote.name,
            number=remote.number,
            privacy_enabled=remote.privacy_enabled,
            time=self.at(time),
        )

    def _remote(self, party: dict[str, Any], person: Person) -> RemoteParty:
        number = party["number"] or (party["dialled"] if party["personality"] != "terminator" else "")
        colleague = self._whose(number, person.org_id)
        kind = "emergency" if party["is_emergency"] else "organization" if colleague is not None else "external"
        name = party["name"] or (colleague.display_name if colleague is not None else "")
        return RemoteParty(
            name=name or None,
            number=number,
            person_id=colleague.id if colleague is not None else None,
            privacy_enabled=not party["number"],
            call_type=kind,
        )

    async def past(self) -> list[dict[str, Any]]:
        """Everybody's calls that are over, the oldest first, MOST_RECORDS at most."""
        found: list[dict[str, Any]] = await self.ask("GET", "/history", query={"most": str(MOST_RECORDS)})
        return found

    async def fetch(self, path: str) -> bytes:
        """A file of the switch's. Raises WebexError."""
        try:
            answer = await self._http.get(path)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise WebexError(HTTPStatus.SERVICE_UNAVAILABLE, "The call control service is not available.") from error
        if answer.is_error:
            raise unknown()
        return answer.content

    def at(self, time: float) -> str:
        """A run time as it is stamped."""
        return stamp(self._origin + time)

    async def ask(
        self, method: str, path: str, body: dict[str, Any] | None = None, query: dict[str, str] | None = None
    ) -> Any:
        """Ask the switch's control interface. Raises WebexError in the service's own words."""
        try:
            answer = await self._http.request(method, path, json=body, params=query)
            said = answer.json() if answer.content else None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise WebexError(HTTPStatus.SERVICE_UNAVAILABLE, "The call control service is not available.") from error
        told = str(said.get("detail", ""))[:300] if isinstance(said, dict) else ""
        match answer.status_code:
            case HTTPStatus.NOT_FOUND:
                raise unknown("call")
            case HTTPStatus.CONFLICT:
                raise conflict(told or "The call is not in a state for this.")
            case HTTPStatus.UNPROCESSABLE_ENTITY:
                raise unfit("The destination or the digits can't be right.")
        if answer.is_error:
            raise WebexError(HTTPStatus.SERVICE_UNAVAILABLE, "The call control service is out of order.")
        return said


def line_of(person: Person) -> str:
    """The number of a person's line. Raises WebexError, 403, where there is none."""
    if person.extension is None:
        raise forbidden("The user has no extension, and so no line to call from.")
    return person.extension


def _personality(party: dict[str, Any]) -> str:
    """Whose telephone rings for a call that it is to make is a click to dial; once picked up it is who calls."""
    if party["personality"] != "click_to_dial":
        return str(party["personality"])
    return "clickToDial" if party["answered"] is None else "originator"


def _state(party: dict[str, Any]) -> str:
    """In Webex's words it is connecting while the other one rings, and alerting while one's own telephone does."""
    if party["state"] == "remote_held":
        return "remoteHeld"
    if party["state"] in {"connecting", "alerting"}:
        return "connecting" if _personality(party) == "originator" else "alerting"
    return str(party["state"])
