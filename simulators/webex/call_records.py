"""Detailed call records and the quality of calls, as Webex's analytics tell them, from what the switch saw on the wire.

A record is one line's part in a call: who called whom when, and by which trunk. Its quality is what the far end told by
RTCP or at the end of the call, and the E-model's score of it; what nobody told is left empty.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from simulators.webex.ids import uuid_of
from simulators.webex.shapes import Location, Part, Person

RESPONSES: Final = {
    "BUSY": ("Success", "UserBusy"),
    "UNAVAILABLE": ("Refusal", "TemporarilyUnavailable"),
    "NOT FOUND": ("Refusal", "UnassignedNumber"),
    "SERVICE": ("Failure", "SIP503"),
    "FORBIDDEN": ("Refusal", "CallRejected"),
}
"""How an unanswered call is told to have ended, by a word of the switch's reason."""
UNANSWERED: Final = ("Success", "NoAnswer")
_SCORE: Final = re.compile(r"MLQK=([0-9.]+)")
Whose = Callable[[str], Person | None]


class Detailed(Part):
    """One record: Webex names its fields in words."""

    fields: dict[str, str]
    ended: float
    """Run time, seconds."""
    leg: int

    def told(self) -> dict[str, Any]:
        """As it is answered."""
        return dict(self.fields)

    def place(self) -> list[Any]:
        """Where it stands in the list."""
        return [self.ended, self.leg]


def leg_number(party: dict[str, Any]) -> int:
    """The number by which call records name a party's leg."""
    return int(str(party["id"]).removeprefix("leg-"))


def detailed(
    parties: list[dict[str, Any]], whose: Whose, located: Callable[[str], Location | None], at: Callable[[float], str]
) -> list[Detailed]:
    """The records of parties whose calls are over, of lines that belong to somebody."""
    trunks: dict[tuple[str, str], str] = {}
    for party in parties:
        key = party["call"], party["personality"]
        # Of several trunks that were tried the one is told that took the call, whenever the others gave up.
        if not party["line"] and (key not in trunks or party["answered"] is not None):
            trunks[key] = str(party["end"])
    found = []
    for party in parties:
        person = whose(party["line"]) if party["line"] else None
        if person is not None:
            location = located(person.location_id or "")
            found.append(_detailed(party, person, location, trunks, at))
    return sorted(found, key=Detailed.place)


def _detailed(
    party: dict[str, Any],
    person: Person,
    location: Location | None,
    trunks: dict[tuple[str, str], str],
    at: Callable[[float], str],
) -> Detailed:
    originates = party["personality"] != "terminator"
    answered, ended = party["answered"], party["ended"]
    own, other = party["line"], party["number"] or (party["dialled"] if originates else "")
    inbound, outbound = trunks.get((party["call"], "originator"), ""), trunks.get((party["call"], "terminator"), "")
    reason = str(party["reason"]).upper()
    outcome = ("Success", "Normal")
    if answered is None:
        outcome = next((told for word, told in RESPONSES.items() if word in reason), UNANSWERED)
    kind = "SIP_ENTERPRISE"
    if party["is_emergency"]:
        kind = "SIP_EMERGENCY"
    elif inbound or outbound:
        kind = "SIP_NATIONAL" if originates else "SIP_INBOUND"
    site = location.name if location is not None else "NA"
    fields = {
        "Start time": at(party["created"]),
        "Answer time": at(answered) if answered is not None else "NA",
        "Release time": at(ended),
        "Report time": at(ended),
        "Duration": str(round(ended - answered)) if answered is not None else "0",
        "Ring duration": str(round((answered if answered is not None else ended) - party["created"])),
        "Answered": "true" if answered is not None else "false",
        "Answer indicator": "Yes" if answered is not None else "No",
        "Direction": "ORIGINATING" if originates else "TERMINATING",
        "Call type": kind,
        "Call outcome": outcome[0],
        "Call outcome reason": outcome[1],
        "Calling number": own if originates else other or "NA",
        "Called number": other if originates else own,
        "Calling line ID": person.display_name if originates else party["name"] or "NA",
        "Called line ID": (party["name"] or "NA") if originates else person.display_name,
        "Dialed digits": party["dialled"] if originates else "NA",
        "Call ID": str(party["id"]),
        "Correlation ID": str(party["call"]),
        "Client type": "SIP",
        "User": person.display_name,
        "User number": own,
        "User type": "User",
        "User UUID": uuid_of(person.id, "PEOPLE") or "NA",
        "Org UUID": uuid_of(person.org_id, "ORGANIZATION") or "NA",
        "Location": site,
        "Site timezone": location.time_zone if location is not None else "NA",
        "Inbound trunk": inbound or "NA",
        "Outbound trunk": outbound or "NA",
        "Queue type": "Call Queue" if party["queue"] else "NA",
        "Report ID": f"{party['call']}-{party['id']}",
    }
    return Detailed(fields=fields, ended=ended, leg=leg_number(party))


QUALITY_COLUMNS: Final = (
    "Correlation ID",
    "Call ID",
    "Name",
    "Email",
    "Location",
    "Start Time",
    "Duration",
    "Codec",
    "Encrypted",
    "Packets Received",
    "Packet Loss",
    "Jitter",
    "Round Trip",
    "MOS",
)
"""Columns of the report of calls' media. Loss in per cent, jitter and round trip in milliseconds. [U]"""


def quality(
    party: dict[str, Any], person: Person, location: Location | None, row: dict[str, Any], at: str
) -> list[str]:
    """What somebody heard in a call, under QUALITY_COLUMNS; ``row``: the switch's media record of that leg."""
    lost, received = row.get("numberPacketsLost"), row.get("numberPacketsReceived")
    due = (lost or 0) + (received or 0)
    score = _SCORE.search(str(row.get("varVQMetrics") or ""))
    figures = (
        received,
        None if lost is None or not due else round(100 * lost / due, 3),
        row.get("jitter"),
        row.get("latency"),
        score[1] if score is not None else None,
    )
    told = (
        party["call"],
        party["id"],
        person.display_name,
        person.emails[0],
        location.name if location is not None else "",
        at,
        row.get("duration"),
        party["codec"],
        "Yes" if party["is_secured"] else "No",
        *figures,
    )
    return ["" if each is None else str(each) for each in told]
