"""Which events of a run's journal are somebody's act, and the scenario verb that does the same again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

Told = Mapping[str, Any]
Verb = tuple[str, Any]
"""A verb, and what goes with it."""


def _bare(verb: str) -> Callable[[Told], Verb]:
    return lambda _data: (verb, None)


def _same(verb: str, *keys: str) -> Callable[[Told], Verb]:
    """The verb with the event's values of these names, where it has them."""
    return lambda data: (verb, {key: data[key] for key in keys if key in data} or None)


def _renamed(verb: str, **keys: str) -> Callable[[Told], Verb]:
    """As `_same`; the verb's name of each, and the event's."""
    return lambda data: (verb, {key: data[its] for key, its in keys.items() if its in data} or None)


def _pressed(data: Told) -> Verb:
    told = {"talkgroup": data["talkgroup"]} | ({"priority": data["priority"]} if data.get("priority") else {})
    return "press", told


SPEAK: Final = ("emergency_caller", "emergency_operator", "console", "radio_terminal")
STIMULI: Final[dict[tuple[str, str], Callable[[Told], Verb]]] = {
    **{(role, "talkspurt.began"): _same("begin_saying", "clip") for role in SPEAK},
    ("emergency_caller", "caller.dials"): _same("dial", "number"),
    ("emergency_caller", "caller.lifts"): _bare("lift"),
    ("emergency_caller", "caller.hangs_up"): _bare("hang_up"),
    ("emergency_caller", "caller.dtmf"): _same("press", "digits"),
    ("radio_terminal", "ptt.pressed"): _pressed,
    ("radio_terminal", "ptt.released"): _bare("release"),
    ("radio_terminal", "emergency.pressed"): _bare("emergency"),
    ("radio_terminal", "sds.sent"): _same("text", "text", "to"),
    ("console", "console.answer"): _same("answer", "queue"),
    ("console", "console.dial"): _same("dial", "number"),
    ("console", "console.clear"): _bare("hang_up"),
    ("console", "console.hold"): _bare("hold"),
    ("console", "console.resume"): _bare("resume"),
    ("console", "console.consult"): _same("consult", "to"),
    ("console", "console.transfer"): _same("transfer", "to"),
    ("console", "console.conference"): _same("conference", "to"),
    ("console", "console.dtmf"): _same("press", "digits"),
    ("console", "console.type"): _same("type", "text"),
    ("console", "console.state"): _same("go", "state"),
    ("console", "console.location"): _renamed("enter_location", text="text", lat="latitude", lon="longitude"),
    ("console", "console.open_incident"): _same("open_incident", "title"),
    ("console", "console.hand_over"): _same("hand_over", "incident", "to"),
    ("console", "console.close_incident"): _same("close_incident", "incident"),
    ("console", "console.needs_no_incident"): _same("needs_no_incident", "reason"),
    ("console", "console.assign_unit"): _renamed("assign_unit", incident="incident", unit="issi"),
    ("console", "console.key"): _same("key", "talkgroup"),
    ("console", "console.key_groups"): _same("key_groups", "talkgroups"),
    ("console", "console.unkey"): _bare("unkey"),
    ("console", "console.text"): _renamed("text", radio="issi", text="text"),
    ("console", "console.acknowledge_emergency"): _same("acknowledge_emergency", "emergency"),
    ("console", "console.clear_emergency"): _same("clear_emergency", "emergency"),
    ("console", "console.select"): _same("select", "talkgroup"),
    ("console", "console.begin_ambience"): _renamed("begin_ambience", radio="issi"),
    ("console", "console.end_ambience"): _renamed("end_ambience", radio="issi"),
}
"""By the actor's role and the event's kind."""
PARTS: Final[dict[str, tuple[str, ...]]] = {"emergency.pressed": ("ptt.pressed", "status.sent", "location.sent")}
"""What follows an act as part of it, each once."""
ABOUT: Final = ("console.acknowledge_emergency", "console.clear_emergency")
"""Acts about the emergency that the console was shown last: emergencies are numbered as they come."""
UNTOLD: Final = frozenset({"console.find_recordings", "console.touch"})
"""Acts without an effect on anybody else, which are not missed."""
HUMAN: Final = ("console.", "caller.")
"""How kinds begin that tell of a person's act: one that no verb does again is told as left out."""
