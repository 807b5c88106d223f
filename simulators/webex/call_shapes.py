"""What Webex answers of calls, in the shapes of developer.webex.com."""

from __future__ import annotations

from simulators.webex.shapes import Part


class RemoteParty(Part):
    """Whom somebody speaks to."""

    name: str | None = None
    number: str
    person_id: str | None = None
    privacy_enabled: bool
    call_type: str


class Call(Part):
    """A call as one of its parties has it."""

    id: str
    call_id: str
    call_session_id: str
    personality: str
    state: str
    remote_party: RemoteParty
    created: str
    answered: str | None = None


class CallRecord(Part):
    """A call that somebody had."""

    type: str
    name: str | None = None
    number: str
    privacy_enabled: bool
    time: str


class CallPlaced(Part):
    """The ids of a call that begins."""

    call_id: str
    call_session_id: str


class ParkedAgainst(Part):
    """Where a call is parked."""

    number: str


class CallParked(Part):
    """That a call is parked."""

    parked_against: ParkedAgainst
