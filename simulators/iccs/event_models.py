"""What consoles are told: every kind of event with its values, as models by which each is looked at and described.

A model that is open has values besides: what the 999 network told of a call, what an alarm is about.
"""

from __future__ import annotations

from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr, ValidationError
from pydantic import create_model as _create

from harness.protocols.sip.emergency_call import What

MAX_COMPLAINT: Final = 300
"""Characters of what is told of an event that is unlike its model."""
_Text = StrictStr | None
_Texts = list[StrictStr]
_Time = Annotated[StrictFloat, Field(ge=0, description="Run time, seconds.")]
_Id = Annotated[StrictStr, Field(min_length=1)]
_Degrees = StrictFloat | None
KINDS: Final[dict[str, type[BaseModel]]] = {}
"""The model of each kind's values."""


def _model(kind: str, summary: str, values: dict[str, Any], *, is_open: bool = False) -> None:
    config = ConfigDict(extra="allow" if is_open else "forbid", frozen=True)
    name = "".join(word.capitalize() for word in kind.replace(".", "_").split("_"))
    fields: dict[str, Any] = {key: value if isinstance(value, tuple) else (value, ...) for key, value in values.items()}
    KINDS[kind] = _create(name, __config__=config, __doc__=summary, **fields)


def _maybe(kind: Any) -> tuple[Any, Any]:
    """A value that may be left out."""
    return kind, None


_CALL: Final = {"call": _Id, "queue": _Text, "cli": _Text, "record": _Id}
_RADIO: Final = {"issi": StrictInt | None, "mcptt_id": _maybe(StrictStr)}
_RADIO_CALL: Final = {"radio_call": _Id, **_RADIO}
_EMERGENCY: Final = {
    "emergency": _Id,
    **_RADIO,
    "alias": StrictStr,
    "talkgroup": StrictStr,
    "lat": _Degrees,
    "lon": _Degrees,
    "acknowledged_by": _Text,
}
_INCIDENT: Final = {
    "incident": _Id,
    "title": StrictStr,
    "owner": StrictStr,
    "grade": _Text,
    "incident_call": _Text,
    "cli": _Text,
}
_OVERSIGHT: Final = {"by": _Id, "of": _Id, "how": StrictStr}
_GROUP: Final = {"talkgroup": StrictStr}

for _kind, _summary, _more in (
    ("call.ringing", "A call rings here.", {}),
    ("call.alerting", "The other side of a call that was placed here rings.", {}),
    ("call.connected", "Both sides of a call speak.", {}),
    ("call.cleared", "A call is over here.", {"reason": _maybe(_Text)}),
    ("call.withdrawn", "A call rings here no more.", {"reason": StrictStr}),
    ("call.taken", "A call that rang here was answered elsewhere.", {"by": _maybe(_Text)}),
    ("call.failed", "A call that was placed here did not come about.", {"reason": StrictStr, "again": _maybe(Any)}),
    ("call.held", "A call is on hold.", {"by": _maybe(_Text)}),
    ("call.resumed", "A call is on hold no more.", {"by": _maybe(_Text)}),
    ("call.consulting", "An enquiry about a call was placed here.", {"to": StrictStr, "about": _Id}),
    ("call.transferred", "A call was passed on.", {"to": _Texts}),
    ("call.transfer_failed", "Whom a call was passed on to did not take it.", {"reason": StrictStr}),
    ("call.conferenced", "Several are in a call now.", {"parties": _Texts}),
    ("call.party_left", "Somebody left a conference.", {"party": StrictStr}),
    ("call.left", "This position left a conference.", {}),
    ("call.replaced", "Somebody else has the call instead.", {"by": StrictStr}),
    ("call.remote_held", "The other side holds the call.", {}),
    ("call.remote_resumed", "The other side holds it no more.", {}),
):
    _model(_kind, _summary, {**_CALL, **_more}, is_open=True)

for _what in What:
    _kind = f"call.{_what.replace('-', '_')}"
    if _kind not in KINDS:
        _told = {**_CALL, "hold_s": _maybe(StrictFloat), "lifted": _maybe(Any)}
        _model(_kind, f"The 999 network tells of a call: {_what.replace('-', ' ')}.", _told, is_open=True)

for _kind, _summary, _values in (
    ("call.barged", "A supervisor is a party of the call.", {"by": _Id, "parties": _Texts}),
    ("call.dtmf", "The caller pressed a key.", {"call": _Id, "digit": StrictStr}),
    (
        "call.taps",
        "The caller tapped, or pressed keys, as an answer.",
        {"call": _Id, "count": StrictInt, "means": _Text},
    ),
    ("call.text", "The caller typed.", {"call": _Id, "text": StrictStr}),
    ("call.accounted_for", "A call needs no incident.", {"record": _Id, "reason": StrictStr}),
    ("call.nuisance_tagged", "A call was a nuisance.", {"record": _Id, "cli": _Text, "note": StrictStr}),
    ("adviser.state", "Whether an adviser takes calls.", {"state": StrictStr}),
    ("position.logged_in", "Somebody sits down here.", {"layout": Any}),
    ("position.logged_out", "Somebody has left.", {}),
    ("plan.changed", "The position works other talkgroups.", {"by": _Id, "talkgroups": _Texts}),
    ("ptt.requested", "The key is pressed.", _GROUP),
    ("ptt.queued", "The request waits for the talker.", _GROUP),
    ("ptt.granted", "This position may talk.", _GROUP),
    ("ptt.refused", "It may not.", {**_GROUP, "reason": StrictStr}),
    ("ptt.lost", "It may talk no more.", {**_GROUP, "reason": StrictStr}),
    ("ptt.released", "The key is let go.", _GROUP),
    (
        "ptt.timed_out",
        "The key was held too long and is taken for stuck.",
        {"talkgroups": _Texts, "after_s": StrictFloat, "alarm": _Id},
    ),
    (
        "talker.shown",
        "Somebody talks.",
        {**_GROUP, **_RADIO, "alias": _Text},
    ),
    ("talker.ended", "Nobody talks any more.", _GROUP),
    (
        "talker.stuck",
        "A radio's key is taken for stuck.",
        {
            **_GROUP,
            "alarm": _Id,
            **_RADIO,
            "alias": _Text,
            "after_s": StrictFloat,
        },
    ),
    ("talkgroup.idle", "A talkgroup's call is over.", _GROUP),
    ("talkgroup.selected", "A talkgroup is on the headset.", _GROUP),
    ("talkgroup.unselected", "A talkgroup is on the loudspeaker.", _GROUP),
    ("talkgroup.chosen", "A talkgroup was found in its folders.", {**_GROUP, "touches": StrictInt}),
    ("volume.set", "How loud it is here.", {"headset_db": StrictFloat, "loudspeaker_db": StrictFloat}),
    ("status.shown", "A radio sent a status.", {**_RADIO, "value": StrictInt}),
    ("sds.shown", "A radio sent a text.", {**_RADIO, "text": StrictStr}),
    ("sds.sent", "A text was sent to a radio.", {**_RADIO, "delivered": StrictBool}),
    ("emergency.shown", "An officer pressed the emergency key.", _EMERGENCY),
    ("emergency.located", "Where that officer is.", _EMERGENCY),
    ("emergency.acknowledged", "Somebody has it in hand.", _EMERGENCY),
    ("emergency.cleared", "An emergency is over.", {**_EMERGENCY, "reason": _maybe(_Text)}),
    ("emergency.dropped", "One too many: the oldest is shown no more.", {**_EMERGENCY, "reason": _maybe(_Text)}),
    ("ambience.begun", "A radio's microphone is open.", {"ambience": _Id, **_RADIO}),
    (
        "ambience.ended",
        "It is closed, or was never opened.",
        {"ambience": _Id, **_RADIO, "reason": StrictStr, "recording": _Text},
    ),
    ("radio_call.dialled", "One radio is called.", _RADIO_CALL),
    ("radio_call.connected", "It has answered.", _RADIO_CALL),
    ("radio_call.failed", "It has not.", {**_RADIO_CALL, "reason": StrictStr}),
    ("radio_call.ended", "That call is over.", {**_RADIO_CALL, "reason": StrictStr, "recording": _Text}),
    ("dgna.given", "A radio was given a talkgroup.", {"gssi": StrictInt, "name": StrictStr, "of": StrictInt}),
    ("dgna.taken", "It was taken from it.", {"gssi": StrictInt, "name": StrictStr, "of": StrictInt}),
    ("unit.assigned", "A unit was assigned.", {**_RADIO, "incident_id": _Id}),
    (
        "unit.state",
        "A unit's state.",
        {**_RADIO, "status": StrictInt, "means": _Text, "incident_id": _Text},
    ),
    (
        "unit.told",
        "Command and control set a unit's state.",
        {"unit": StrictStr, "state": StrictStr, **_RADIO},
    ),
    ("incident.opened", "An incident was opened here.", _INCIDENT),
    ("incident.received", "An incident was given to this position.", {**_INCIDENT, "by": StrictStr}),
    ("incident.handed_over", "It was given to another.", {**_INCIDENT, "to": StrictStr}),
    ("incident.transferred", "It was given to another force.", {**_INCIDENT, "force": StrictStr}),
    ("incident.closed", "It is closed.", _INCIDENT),
    ("incident.assessed", "Factors of THRIVE were recorded.", {"incident": _Id, "parts": _Texts, "missing": _Texts}),
    ("incident.graded", "It has a grade.", {"incident": _Id, "grade": StrictStr, "was": _Text}),
    (
        "command_control.not_kept",
        "Something can't be told to command and control.",
        {"entry": Any, "about": StrictStr, "reason": StrictStr},
    ),
    (
        "command_control.refused",
        "Command and control refused something.",
        {"entry": Any, "about": StrictStr, "reason": StrictStr},
    ),
    ("crm.not_asked", "The CRM was not asked who calls.", {"call": _Id, "record": _Id, "reason": StrictStr}),
    ("crm.unavailable", "The CRM gave no answer.", {"call": _Id, "record": _Id, "reason": StrictStr}),
    ("directory.fresh", "The phone book is up to date again.", {"source": StrictStr}),
    ("directory.stale", "The phone book is not.", {"source": StrictStr, "reason": StrictStr}),
    ("location.prompt", "The caller has to be asked where it is.", {"call": _Id, "record": _Id, "reason": StrictStr}),
    ("records_check.accepted", "A check was begun.", {"check": _Id, "incident": _Text}),
    ("records_check.failed", "It got no answer.", {"check": _Id, "incident": _Text, "reason": StrictStr}),
    ("records_check.returned", "It has one.", {"check": _Id, "incident": _Text, "outcome": Any}),
    ("oversight.began", "A supervisor listens in.", _OVERSIGHT),
    ("oversight.ended", "No more.", {**_OVERSIGHT, "reason": StrictStr}),
):
    _model(_kind, _summary, dict(_values))

_ALARM: Final = {"alarm": _Id, "what": StrictStr, "raised": _Time}
for _kind, _summary, _always in (
    ("alarm.raised", "Supervisors: something is wrong.", _ALARM),
    ("alarm.ended", "It is no more.", {**_ALARM, "reason": StrictStr}),
    ("alarm.dropped", "One too many: the oldest is shown no more.", _ALARM),
    ("command_control.link", "Whether command and control is reached.", {}),
    ("crm.shown", "Who calls, as the CRM knows.", {"call": _Id, "record": _Id}),
    ("directory.changed", "The phone book has other entries.", {"entries": Any}),
    ("ecall.shown", "A car's minimum set of data.", {"call": _Id, "record": _Id}),
    ("location.shown", "Where a caller is.", {"call": _Id, "record": _Id}),
    ("location.service", "Whether caller locations come.", {"up": StrictBool, "cause": Any}),
    ("dgna.unit", "A radio's answer to a talkgroup that it was given.", {"gssi": Any}),
    ("dgna.kept", "A radio keeps a talkgroup that was taken.", {"gssi": Any}),
    ("terminal.disabled", "A radio is off the network.", {"issi": Any}),
    ("terminal.enabled", "A radio is let on again.", {"issi": Any}),
    ("site.link_lost", "A site of the radio network has lost its link.", {}),
    ("site.fallback", "It works by itself.", {}),
    ("site.link_restored", "Its link is back.", {}),
    ("site.wide_again", "It works with the others again.", {}),
    ("map.moved", "A unit is elsewhere.", _RADIO),
    ("patch.made", "Two talkgroups are joined.", {"patch": _Id, "talkgroups": _Texts, "by": StrictStr}),
    ("patch.ended", "They are no more.", {"patch": _Id, "talkgroups": _Texts, "by": StrictStr}),
    (
        "incident.noted",
        "Command and control wrote into the log.",
        {"incident": _Id, "by": StrictStr, "text": StrictStr},
    ),
    ("incident.registered", "Command and control has it.", {"incident": _Id, "reference": StrictStr}),
):
    _model(_kind, _summary, dict(_always), is_open=True)


class Wallboard(BaseModel):
    """What a wallboard shows."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    time: _Time
    queues: dict[str, dict[str, Any]]
    """Calls and figures of each."""
    advisers: dict[str, StrictInt]
    """How many are in each state."""
    sites: dict[str, dict[str, StrictInt]]
    """The same by site."""
    trunks: dict[str, StrictBool | None]
    """Whether each is in service; null where nobody looks."""
    location_service: StrictBool
    """Whether it answers."""


WALLBOARD: Final = "wallboard.changed"


def unlike(kind: str, data: dict[str, Any]) -> str:
    """Return in what an event is unlike its model; nothing where it is like it."""
    model = KINDS.get(kind)
    if model is None:
        return f"{kind}: there is no such kind"
    try:
        model.model_validate(data)
    except ValidationError as error:
        told = (f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors(include_input=False))
        return f"{kind}: {'; '.join(told)}"[:MAX_COMPLAINT]
    return ""
